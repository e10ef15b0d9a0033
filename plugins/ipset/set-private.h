/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set-private.h - what the parts of a set share: set.c (opening, holders,
 * closing), set-commit.c (to the kernel), set-heal.c (is it there and whole?),
 * set-report.c (what is said of it). Nobody else includes it.
 */
#ifndef FG_IPSET_SET_PRIVATE_H
#define FG_IPSET_SET_PRIVATE_H

#include <linux/netlink.h>

#include "lease/lease.h"
#include "netlink/socket.h"
#include "set.h"

/* Messages of one send: all of them may fail, and each must be known. */
#define BATCH_MAX FG_NL_ERRORS_MAX

#define RECHECK_MS 1000
#define USERS_MAX  8

enum fg_ipset_state { FIT, MISSING, UNFIT, DENIED };

struct user {
	const void *id;
	const struct fg_host *host;
	struct fg_ipset_options o; /* of the last one: in force */
};

struct fg_ipset {
	struct fg_ipset *next;
	struct fg_ipset_options o;
	const struct fg_host *host; /* of the first user */
	struct user user[USERS_MAX];
	unsigned users;
	struct fg_classes *classes;
	struct fg_leases *leases;
	bool dry;
	bool begun; /* a configuration with it is in force */

	enum fg_ipset_state state;
	char why[256];
	int64_t recheck; /* look at the set then */
	int64_t later;	 /* send nothing before */
	uint32_t sample; /* where the last look ended */

	struct fg_nl *nl;
	struct fg_job job;
	struct fg_timer timer;
	bool flight;
	bool building; /* in fg_ipset_commit(): done() goes no further */
	int64_t sent;
	uint32_t seq;
	uint32_t changes;
	size_t len;
	struct fg_lease_change change[BATCH_MAX];
	enum fg_lease_result result[BATCH_MAX];
	struct fg_nl_result answer;

	uint64_t adds, deletes, renewals, errors, rebuilds, no_room;
	_Alignas(struct nlmsghdr) char buf[BATCH_MAX * FG_IPSET_MESSAGE_MAX];
	_Alignas(struct nlmsghdr) char reply[16384];
};

#define LOG(s, level, fmt, ...)                                                \
	(s)->host->log((s)->host, level, "ipset \"%s\" " fmt,                  \
		       (s)->o.schema.name, ##__VA_ARGS__)

/* set.c */
int64_t fg_ipset_now(const struct fg_ipset *s);
uint32_t fg_ipset_pending(const struct fg_ipset *s);
/* Sets the timer to whatever comes first; call it after any change. */
void fg_ipset_rearm(struct fg_ipset *s);

/* set-commit.c */
void fg_ipset_commit_init(struct fg_ipset *s);
/* The loop has ended for it: what is pending goes out here and now. */
void fg_ipset_drain(struct fg_ipset *s);

/* set-heal.c */
/* At open: is it there, is it fit? Changes nothing. 0 or -errno, said. */
int fg_ipset_first_look(struct fg_ipset *s, const struct fg_node *at);
/* Is it there, is it fit? Makes it when it is managed; why says what not. */
enum fg_ipset_state fg_ipset_look(struct fg_ipset *s);
void fg_ipset_turn(struct fg_ipset *s, enum fg_ipset_state state);
/* By time: is all still there? */
void fg_ipset_heal(struct fg_ipset *s, int64_t now);
/* Is the element there? 1, 0, or -errno. */
int fg_ipset_has(struct fg_ipset *s, const uint8_t *key);
/* Takes all elements out, outside the loop. 0 or -errno. */
int fg_ipset_empty(struct fg_ipset *s);

/* set-report.c */
/* What the kernel means by an error, and what to do. */
const char *fg_ipset_sentence(int error);

#endif
