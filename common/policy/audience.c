/* SPDX-License-Identifier: GPL-2.0-or-later */
/* audience.c - who of the targets in force hears what, and in which form. */
#include "audience.h"

bool fg_audience_hears(const struct fg_seat *seat)
{
	return !seat->pub.observe ||
	       seat->target->type->flags & FG_TYPE_OBSERVES;
}

/* What was done for a flow by the run before is known by its reason. */
static enum fg_reason enters_why(const struct fg_seat *seat,
				 enum fg_reason reason)
{
	if (seat->target->before[seat->pub.observe])
		return FG_REASON_RESTART;
	return reason == FG_REASON_RESTART ? FG_REASON_RELOAD : reason;
}

void fg_audience_move(const struct fg_bound *b, const struct fg_seat *seat,
		      const struct fg_flow *flow, bool enter,
		      enum fg_reason reason)
{
	struct fg_target *t = seat->target;
	uint64_t *count = seat->pub.observe ? &t->observed : &t->members;

	if (enter)
		reason = enters_why(seat, reason);
	for (struct fg_target **o = b ? b->movers : NULL; o && *o; o++)
		(*o)->type->moved((*o)->instance, flow, t->name, &seat->pub,
				  enter, reason);
	if (enter)
		++*count;
	else
		--*count;
	if (!fg_audience_hears(seat))
		return;
	t->dirty = true;
	if (enter)
		t->type->enter(t->instance, flow, &seat->pub, reason);
	else
		t->type->leave(t->instance, flow, &seat->pub, reason);
}

void fg_audience_event(const struct fg_bound *b, enum fg_event event,
		       const struct fg_flow *flow, enum fg_reason reason)
{
	for (struct fg_target **t = b ? b->listeners : NULL; t && *t; t++) {
		(*t)->dirty = true;
		(*t)->type->event((*t)->instance, event, flow, reason);
	}
}

void fg_audience_class(const struct fg_bound *b, const struct fg_flow *old,
		       const struct fg_flow *flow)
{
	for (struct fg_target **t = b ? b->listeners : NULL; t && *t; t++) {
		if (!((*t)->type->flags & FG_TYPE_CLASS))
			continue;
		(*t)->dirty = true;
		(*t)->type->event((*t)->instance, FG_EVENT_REMOVED, old,
				  FG_REASON_RECLASSIFIED);
		(*t)->type->event((*t)->instance, FG_EVENT_ANNOUNCED, flow,
				  FG_REASON_RECLASSIFIED);
	}
}

void fg_audience_growth(const struct fg_bound *b, const struct fg_flow *old,
			const struct fg_flow *flow)
{
	const struct fg_growth by = {
		.local_bytes = flow->local_bytes - old->local_bytes,
		.other_bytes = flow->other_bytes - old->other_bytes,
		.local_packets = flow->local_packets - old->local_packets,
		.other_packets = flow->other_packets - old->other_packets,
	};

	/* a new announcement of the digest starts again from nothing */
	if (flow->local_bytes < old->local_bytes ||
	    flow->other_bytes < old->other_bytes)
		return;
	for (struct fg_target **t = b ? b->counters : NULL; t && *t; t++)
		(*t)->type->count((*t)->instance, flow, &by);
}

static void rekey(const struct fg_seat *seat, const struct fg_flow *old,
		  const struct fg_flow *flow, uint32_t changed)
{
	struct fg_target *t = seat->target;

	if (!(changed & FG_CHANGED_KEY) &&
	    !(changed & FG_CHANGED_CLASS && t->type->flags & FG_TYPE_CLASS))
		return;
	if (!fg_audience_hears(seat))
		return;
	t->dirty = true;
	if (t->type->rekey) {
		t->type->rekey(t->instance, old, flow, &seat->pub);
		return;
	}
	t->type->leave(t->instance, old, &seat->pub, FG_REASON_REKEYED);
	t->type->enter(t->instance, flow, &seat->pub, FG_REASON_REKEYED);
}

/*
 * Delegated memberships first: the one that delegated may take them back, and
 * then they must leave with what they were told last.
 */
void fg_audience_rekey(const struct fg_verdicts *vs, const struct fg_roster *r,
		       const struct fg_flow *old, const struct fg_flow *flow,
		       uint32_t changed)
{
	for (int own = 0; own <= 1; own++)
		for (size_t i = 0; i < r->count; i++) {
			const struct fg_seat *seat = fg_seat(vs, r->ids[i]);

			if (own == !seat->principal)
				rekey(seat, old, flow, changed);
		}
}

bool fg_audience_flush(const struct fg_bound *b, bool after, int64_t now)
{
	bool more = false;

	for (size_t i = 0; b && i < b->pub->settings->target_count; i++) {
		struct fg_target *t = b->pub->targets[i];

		if (!t || !t->type || !t->dirty ||
		    !(t->type->flags & FG_TYPE_AFTER) == after)
			continue;
		t->dirty = t->type->flush && t->type->flush(t->instance, now);
		more |= t->dirty;
	}
	return more;
}
