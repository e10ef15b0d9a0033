/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audience.h - who of the targets in force hears what, and in which form.
 *
 * Only calls the targets' callbacks and marks those targets dirty; what is
 * true of the flow has been settled before.
 */
#ifndef FG_POLICY_AUDIENCE_H
#define FG_POLICY_AUDIENCE_H

#include "generation.h"

/* b may be NULL, as long as nothing is in force: then nobody hears. */

/*
 * Is a seat's target told of its flows? Observed ones are counted for every
 * type, but told only to those with FG_TYPE_OBSERVES.
 */
bool fg_audience_hears(const struct fg_seat *seat);
/* The flow enters or leaves the target of a seat. */
void fg_audience_move(const struct fg_bound *b, const struct fg_seat *seat,
		      const struct fg_flow *flow, bool enter,
		      enum fg_reason reason);
/* To every type with .event. */
void fg_audience_event(const struct fg_bound *b, enum fg_event event,
		       const struct fg_flow *flow, enum fg_reason reason);
/* A new class, to those types with .event that want it like a new key. */
void fg_audience_class(const struct fg_bound *b, const struct fg_flow *old,
		       const struct fg_flow *flow);
/* By how much the counters grew, to every type with .count. */
void fg_audience_growth(const struct fg_bound *b, const struct fg_flow *old,
			const struct fg_flow *flow);
/*
 * The key or class (FG_CHANGED_*) of a flow with these seats changed; old is
 * what was told.
 */
void fg_audience_rekey(const struct fg_verdicts *vs, const struct fg_roster *r,
		       const struct fg_flow *old, const struct fg_flow *flow,
		       uint32_t changed);
/*
 * flush() of those that were told something: all of FG_TYPE_AFTER, or all that
 * are not. True: some want more.
 */
bool fg_audience_flush(const struct fg_bound *b, bool after, int64_t now);

#endif
