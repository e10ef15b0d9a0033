/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set-private.h - what the parts of a set share: set.c (opening, holders,
 * closing), set-commit.c (to the kernel), set-heal.c (is it there and fit?),
 * set-report.c (what is said of it). Nobody else includes it.
 */
#ifndef FG_NFTSET_SET_PRIVATE_H
#define FG_NFTSET_SET_PRIVATE_H

#include <linux/netfilter/nf_tables.h>

#include "keep.h"
#include "set.h"

/* How soon to look again at what is missing, and for room. */
#define RECHECK_MS 1000

#define USERS_MAX 8

enum fg_set_state { FIT, MISSING, UNFIT, DENIED };

struct user {
	void *id;
	void (*recount)(void *user, struct fg_set *s);
	const struct fg_host *host;
	struct fg_set_options o; /* of the last one: in force */
};

struct fg_set {
	struct fg_set *next;
	struct fg_hub *hub;
	struct fg_set_options o;
	char table[NFT_TABLE_MAXNAMELEN];
	char name[NFT_SET_MAXNAMELEN];
	const struct fg_host *host; /* of the first user */
	struct user user[USERS_MAX];
	unsigned users;

	char path[FG_KEEP_PATH]; /* of its lock and hand-over, or "" */
	int lock;
	uint32_t adopted;

	struct fg_classes *classes;
	struct fg_leases *leases;
	struct fg_batch *batch;
	struct fg_caps caps;
	bool dry;
	bool begun; /* a configuration with it is in force */

	/* what is in the kernel */
	enum fg_set_state state;
	char why[FG_SCHEMA_WHY];
	struct fg_schema_found found;
	bool rebuilding; /* it is another one: until all is in it */
	bool restoring;	 /* others took elements: until all are back */
	bool stale;	 /* others did something to it: look at it */
	bool rebatch;	 /* the batch was made for other settings */
	bool doubt;	 /* news was lost: anything may be gone */
	int64_t doubted; /* when that was last the case */

	/* the transaction in flight */
	struct fg_nl *nl;
	struct fg_job job;
	bool flight;
	bool building; /* inside fg_set_commit() */
	bool creating; /* it makes the set, not elements */
	int64_t sent;
	uint64_t sent_to; /* which set it was: rebuilds as of then */
	size_t changes;
	struct fg_lease_change change[FG_BATCH_MAX];
	enum fg_lease_result result[FG_BATCH_MAX];
	const void *bytes;
	size_t len;
	uint32_t first;
	uint32_t messages;
	struct fg_nl_result answer;
	_Alignas(uint64_t) uint8_t create[FG_SCHEMA_BYTES];
	size_t create_len; /* 0: it is not managed */
	_Alignas(uint64_t) uint8_t empty[FG_SCHEMA_BYTES];
	size_t empty_len;
	uint8_t reply[16384];

	/* how to go on */
	struct fg_timer timer;
	size_t limit;	 /* changes in the next transaction */
	size_t most;	 /* in any: what fits into a datagram */
	size_t repairs;	 /* in a row */
	size_t room;	 /* for new elements; SIZE_MAX: as far as is known */
	bool probing;	 /* finding out whether there is room */
	int64_t room_at; /* when to try anew; 0: not full */
	int64_t later;	 /* not before this */
	int64_t recheck; /* look at the set then; 0: it is fit */

	uint64_t adds;
	uint64_t deletes;
	uint64_t renewals;
	uint64_t errors;
	uint64_t rebuilds;
	uint64_t no_room;
	uint64_t transactions;
	uint64_t aborted;
	uint64_t evicted;
	uint64_t taken;
};

#define LOG(s, level, fmt, ...)                                                \
	(s)->host->log((s)->host, level, "set \"%s %s %s\" " fmt,              \
		       fg_family_name((s)->o.schema.family), (s)->table,       \
		       (s)->name, ##__VA_ARGS__)

/* set.c */
int64_t fg_set_now(const struct fg_set *s);
uint32_t fg_set_pending(const struct fg_set *s);
/* Sets the timer to whatever comes first; call it after any change. */
void fg_set_rearm(struct fg_set *s);
/* The comment of an element: its application and its action. */
void fg_set_comment(void *ctx, const struct fg_lease_change *c,
		    char text[FG_COMMENT_MAX]);

/* set-commit.c */
void fg_set_commit_init(struct fg_set *s);
int fg_set_make_batch(struct fg_set *s);
/* Sends what is pending. True: there is more, and nothing to wait for. */
bool fg_set_commit(struct fg_set *s);
/* Sends s->bytes; done() goes on with the answer. */
void fg_set_submit(struct fg_set *s);
/* The loop has ended for it: what is pending goes out here and now. */
void fg_set_drain(struct fg_set *s);

/* set-heal.c */
/* At open: is it there, is it fit? Changes nothing. 0 or -errno, said. */
int fg_set_first_check(struct fg_set *s, const struct fg_node *at);
/* Is it there, is it fit, is it still the same one? */
void fg_set_check(struct fg_set *s);
void fg_set_turn(struct fg_set *s, enum fg_set_state state);
/* What makes it and what empties it, built while there may be allocated. */
int fg_set_prepare(struct fg_set *s);
/*
 * Once it is sure that the configuration is without errors: makes the set when
 * it is managed and missing, empties it when that is wanted.
 */
void fg_set_begin(struct fg_set *s);
/* Makes it, as a job. */
void fg_set_create(struct fg_set *s);
/* Empties it, outside the loop. 0 or -errno. */
int fg_set_empty(struct fg_set *s);
/* By time: looks again, when that is due. */
void fg_set_heal(struct fg_set *s, int64_t now);

#endif
