/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set.h - one set of the kernel and all leases on it.
 *
 * Owns the way from leases to the kernel: one transaction in flight at a time,
 * built of whatever is pending when the last one is done. Watches whether the
 * set is there and fit, and puts everything back when it was lost.
 *
 * A set is opened by name. Who opens one that is open already (a target that a
 * reload replaces, or another target) gets the same, and its leases with it:
 * that is why no element is ever taken from under another holder.
 */
#ifndef FG_NFTSET_SET_H
#define FG_NFTSET_SET_H

#include "batch.h"
#include "monitor.h"
#include "schema.h"

struct fg_set;

struct fg_set_options {
	struct fg_schema schema; /* its names are copied */
	uint32_t linger_ms;
	bool managed;
	bool flush_on_create;
	bool flush_on_destroy;
	bool comment;
	bool evict; /* when the set is full */
	bool mirror;
};

/*
 * user: who opens it, until fg_set_close() with the same; recount() has it hold
 * again all that it holds now. 0, or -errno, said
 * through host->config->error(at, ...): -EINVAL, -EPERM, -EBUSY (another
 * process has it). A set that is missing and not managed is an error only when
 * the host checks; else it may come later.
 */
int fg_set_open(struct fg_set **out, const struct fg_host *host, void *user,
		void (*recount)(void *user, struct fg_set *s),
		const struct fg_set_options *options, const struct fg_node *at);
/*
 * What is pending is committed first, as far as the kernel lets it. stopping:
 * elements stay, and what is known of them is left for the next run.
 */
void fg_set_close(struct fg_set *s, const void *user, bool stopping);

/*
 * For the hub: where the next set of its list is kept, the host that serves
 * the set, what others did to nftables, and the end of such news (lost: some
 * of it was).
 */
struct fg_set **fg_set_link(struct fg_set *s);
const struct fg_host *fg_set_host(const struct fg_set *s);
void fg_set_event(struct fg_set *s, const struct fg_monitor_event *event);
void fg_set_events_over(struct fg_set *s, bool lost);

/*
 * All users of a set want the same of it, but while a reload goes from one
 * configuration to the next. Who opened it before user, counts (is of the same
 * configuration), and wants something else: *key. NULL: nobody.
 */
const void *fg_set_rival(const struct fg_set *s, const void *user,
			 bool (*counts)(const void *user), const char **key);

/*
 * One more or one less holder of the element key. note: its application. False:
 * there is no room (counted), or it was not held.
 */
bool fg_set_hold(struct fg_set *s, const uint8_t *key,
		 const struct fg_member *member, uint32_t data, uint32_t note);
bool fg_set_release(struct fg_set *s, const uint8_t *key,
		    const struct fg_member *member, uint32_t data);

/* What nobody holds leaves where the never list, which changed, has it. */
void fg_set_never_changed(struct fg_set *s);
/* What the run before held and nobody has claimed leaves. */
void fg_set_restored(struct fg_set *s);
/* Counts the holders anew, by recount() of all users. */
void fg_set_recount(struct fg_set *s);

/* host's flush(): begins to commit. True: more is pending, call again. */
bool fg_set_flush(struct fg_set *s, int64_t now);

/* Counters beyond those of struct fg_status. */
enum fg_set_count {
	FG_SET_LEASES,
	FG_SET_LINGERING,
	FG_SET_WAITING, /* for room in the set */
	FG_SET_REFUSED,
	FG_SET_NO_ROOM, /* holders turned away here, by limits.max_flows */
	FG_SET_EVICTED,
	FG_SET_TRANSACTIONS,
	FG_SET_ABORTED,
	FG_SET_TAKEN, /* elements that others took out */
	FG_SET_COUNTS
};
extern const char *const fg_set_count_names[FG_SET_COUNTS];

/*
 * Adds to out and count; sets state and reason (written to why) when there is
 * something to say that is worse than what they say.
 */
void fg_set_status(const struct fg_set *s, struct fg_status *out,
		   uint64_t count[FG_SET_COUNTS], char why[FG_SCHEMA_WHY]);
struct fg_caps fg_set_caps(const struct fg_set *s);
/* A line about the element, asked of the kernel now. */
void fg_set_explain(struct fg_set *s, const uint8_t *key,
		    void (*line)(void *ctx, const char *text), void *ctx);
/* Of each that lingers and has this address and port (0: any). */
void fg_set_explain_lingering(struct fg_set *s, int version,
			      const uint8_t addr[16], uint16_t port,
			      void (*line)(void *ctx, const char *text),
			      void *ctx);

#endif
