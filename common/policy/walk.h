/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.h - the walk over all live flows: which flow is next, and what for.
 *
 * One walk at a time, in pieces of whatever size the caller likes. It may be
 * for several things at once; what is asked for while one is under way waits
 * for the next, so that flows it has passed by are seen, too. Does nothing to
 * flows itself.
 */
#ifndef FG_POLICY_WALK_H
#define FG_POLICY_WALK_H

#include "flow/flow.h"

struct fg_walk;

/* What is to be done with a flow: the first of these that applies. */
enum fg_walk_task {
	FG_WALK_NOTHING,
	FG_WALK_VOID,	  /* drop it: its source came again without it */
	FG_WALK_IDLE,	  /* drop it: its source kept quiet about it */
	FG_WALK_EVALUATE, /* judge it anew, under the policy in force */
	FG_WALK_RELEASE,  /* only let go of targets that are no more */
};

/* 0 or -ENOMEM; nothing else here allocates. table must outlive it. */
int fg_walk_new(struct fg_walk **out, struct fg_flow_table *table);
void fg_walk_free(struct fg_walk *w);

/* All flows are to be evaluated; of several reasons to, the last is told. */
void fg_walk_evaluate(struct fg_walk *w, enum fg_reason reason);
/* All are to be released. */
void fg_walk_release(struct fg_walk *w);
/* Flows of source that were last mentioned before epoch are void. */
void fg_walk_source_void(struct fg_walk *w, uint16_t source, uint16_t epoch);
/*
 * From now on, those of source that were not mentioned for ms are idle; 0:
 * never. Walks for them start by themselves, sixteen in the shortest such time
 * of any source, but no more than one a second.
 */
void fg_walk_source_idle(struct fg_walk *w, uint16_t source, uint32_t ms);

/* Is one under way? Starts those that are due at now (monotonic ms). */
bool fg_walk_due(struct fg_walk *w, int64_t now);
/* When it next will be: now, or later, or INT64_MAX. */
int64_t fg_walk_deadline(const struct fg_walk *w, int64_t now);

/*
 * The next flow, what is to be done with it, and why. NULL: that was the last
 * one, and no other walk waits.
 */
struct fg_flow *fg_walk_next(struct fg_walk *w, int64_t now,
			     enum fg_walk_task *task, enum fg_reason *reason);

#endif
