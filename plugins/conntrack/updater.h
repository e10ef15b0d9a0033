/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * updater.h - sends the changes of one target to the connection table, in
 * batches, and judges each by its own answer.
 *
 * A change that finds no entry is tried once more in the other direction; then
 * the connection is gone, which is counted and no error. What fails for want
 * of memory or buffers is sent again. Nothing is allocated after
 * fg_updater_new().
 */
#ifndef FG_CONNTRACK_UPDATER_H
#define FG_CONNTRACK_UPDATER_H

#include "pending.h"

struct fg_updater;

/* What a target type makes of a change. ctx is that of fg_updater_new(). */
struct fg_updater_ops {
	/* one message at buf, see message.h; returns its length */
	size_t (*build)(void *ctx, void *buf, uint32_t seq,
			const struct fg_tuple *t, const struct fg_change *c);
	/* the same as a command of conntrack(8), for -n */
	void (*print)(void *ctx, char *text, size_t size, const char *tuple,
		      const struct fg_change *c);
	/*
	 * The end of a change: 0, -ENOENT (gone), or the kernel's errno.
	 * Returns true when it has said what there is to say.
	 */
	bool (*result)(void *ctx, const struct fg_change *c, int err);
	/* puts the change of a member again, after some were lost */
	void (*renew)(void *ctx, const struct fg_flow *flow,
		      const struct fg_member *member);
};

/*
 * self and name are those of the target. Opens the socket, unless the host
 * only checks or prints. 0 or -errno (said).
 */
int fg_updater_new(struct fg_updater **out, const struct fg_host *host,
		   const void *self, const char *name,
		   const struct fg_updater_ops *ops, void *ctx);
void fg_updater_free(struct fg_updater *u);

/*
 * The change to make to the flow's connection, to be filled in (its owner, id
 * and kind are set, a waiting one is reused); NULL when there can be none,
 * which is counted.
 */
struct fg_change *fg_updater_put(struct fg_updater *u,
				 const struct fg_flow *flow,
				 enum fg_change_kind kind);
/* Takes back what waits for the flow, if it is this flow's. */
void fg_updater_cancel(struct fg_updater *u, const struct fg_flow *flow);

/* See fg_target_type.flush. */
bool fg_updater_flush(struct fg_updater *u, int64_t now);

/* Sends what waits, at once and without the host's jobs: for close(). */
void fg_updater_drain(struct fg_updater *u);

void fg_updater_status(struct fg_updater *u, struct fg_status *out);

/* The flow's entry, asked of the kernel now: 0 or -errno. */
int fg_updater_get(struct fg_updater *u, const struct fg_flow *flow,
		   struct fg_ct_entry *out);

#endif
