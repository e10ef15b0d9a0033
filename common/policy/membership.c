/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * membership.c - which targets every live flow is a member of.
 *
 * A flow holds one number, its verdict: the interned list of the memberships
 * it has. Equal lists are one verdict, so "did anything change" is one
 * comparison, and a flow costs four bytes here however many targets it is in.
 *
 * A member is one action's way into one target. Members outlive a reload when
 * the action still says the same: their flows then do not even notice it.
 */
#include "membership.h"
#include "audience.h"
#include "generation.h"
#include "verdict.h"
#include "walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Flows looked at by one step(): about 0.3 ms of work. */
#define STEP_FLOWS 1024

struct fg_membership {
	struct fg_membership_setup setup;
	struct fg_membership_counts counts;
	struct fg_verdicts *verdicts;
	struct fg_bound *current;
	struct fg_bound *old; /* while flows move */
	struct fg_walk *walk;

	int64_t wall;	   /* last told to the policy */
	int64_t next_edge; /* wall ms */
	uint32_t names;	   /* catalog generation seen */
	bool restoring;	   /* see fg_membership_restoring() */
};

/* --------------------------------------------------------- enter and leave */

static void roster_of(const struct fg_membership *m, const struct fg_flow *flow,
		      struct fg_roster *r)
{
	fg_verdict_roster(m->verdicts, fg_flow_verdict(m->setup.table, flow),
			  r);
}

static void tell_event(struct fg_membership *m, enum fg_event event,
		       const struct fg_flow *flow, enum fg_reason reason)
{
	if (m->setup.watch)
		m->setup.watch(m->setup.ctx, event, flow, reason);
	fg_audience_event(m->current, event, flow, reason);
}

static void tell_move(struct fg_membership *m, uint32_t seat,
		      const struct fg_flow *flow, bool enter,
		      enum fg_reason reason)
{
	fg_audience_move(m->current, fg_seat(m->verdicts, seat), flow, enter,
			 reason);
}

/*
 * Makes the flow a member of exactly what is in next. The verdict is in place
 * before anybody is told, so that a target may delegate from its callback; the
 * old one is held until all were told.
 */
static void transition(struct fg_membership *m, struct fg_flow *flow,
		       const struct fg_roster *next, enum fg_reason reason)
{
	uint32_t was = fg_flow_verdict(m->setup.table, flow);
	struct fg_roster old, kept = *next;
	uint32_t id;
	bool full;

	id = fg_verdict_of(m->verdicts, &kept, &full);
	if (full) {
		/* no room for a new list: out of all rather than half in */
		for (size_t i = 0; i < kept.count; i++)
			fg_seat(m->verdicts, kept.ids[i])->target->refused++;
		kept.count = 0;
	}
	if (id == was)
		return;
	fg_verdict_roster(m->verdicts, was, &old);
	fg_verdict_hold(m->verdicts, id);
	fg_flow_set_verdict(m->setup.table, flow, id);
	for (size_t i = 0; i < old.count; i++)
		if (!fg_roster_has(&kept, old.ids[i]))
			tell_move(m, old.ids[i], flow, false, reason);
	for (size_t i = 0; i < kept.count; i++)
		if (!fg_roster_has(&old, kept.ids[i]))
			tell_move(m, kept.ids[i], flow, true, reason);
	fg_verdict_drop(m->verdicts, was);
}

static void reevaluate(struct fg_membership *m, struct fg_flow *flow,
		       enum fg_reason reason)
{
	struct fg_roster old, next;

	if (!m->current)
		return;
	roster_of(m, flow, &old);
	fg_bound_evaluate(m->current, m->verdicts, m->setup.table, flow, &old,
			  &next);
	transition(m, flow, &next, reason);
}

static void leave_all(struct fg_membership *m, struct fg_flow *flow,
		      enum fg_reason reason)
{
	static const struct fg_roster nothing;

	transition(m, flow, &nothing, reason);
}

static void drop(struct fg_membership *m, struct fg_flow *flow,
		 enum fg_reason reason)
{
	leave_all(m, flow, reason);
	tell_event(m, FG_EVENT_REMOVED, flow, reason);
	fg_flow_remove(m->setup.table, flow);
}

/*
 * What the agent calls things may be news to the policy: before the next flow
 * is judged, since names and flows come in one burst.
 */
static void look_up_names(struct fg_membership *m)
{
	uint32_t names = fg_catalog_generation(m->setup.catalog);

	if (m->names == names || !m->current)
		return;
	m->names = names;
	if (fg_policy_learn(m->current->pub->policy))
		fg_walk_evaluate(m->walk, FG_REASON_NAMES);
}

/* ---------------------------------------------------------------- messages */

/* By its digest or a former one, which is then replaced. */
static struct fg_flow *lookup(struct fg_membership *m, uint16_t source,
			      const struct fg_message *message)
{
	struct fg_flow *flow;

	flow = fg_flow_find(m->setup.table, source, message->digest[0]);
	for (unsigned i = 1; !flow && i < message->digest_count; i++) {
		flow = fg_flow_find(m->setup.table, source, message->digest[i]);
		if (flow)
			(void)fg_flow_rename(m->setup.table, flow,
					     message->digest[0]);
	}
	return flow;
}

static struct fg_flow *announce(struct fg_membership *m, uint16_t source,
				const struct fg_message *message)
{
	struct fg_flow *flow, *victim;

	flow = fg_flow_insert(m->setup.table, source, message->digest[0]);
	if (flow)
		return flow;
	victim = fg_flow_victim(m->setup.table);
	if (!victim) {
		m->counts.refused++;
		return NULL;
	}
	m->counts.evicted++;
	drop(m, victim, FG_REASON_EVICTED);
	return fg_flow_insert(m->setup.table, source, message->digest[0]);
}

/*
 * Takes over what the message says. Those who hold something by the flow's key
 * are told of the old and the new one; what it now belongs to comes after.
 */
static uint32_t store(struct fg_membership *m, struct fg_flow *flow,
		      const struct fg_message *message, bool announced)
{
	struct fg_roster r;
	struct fg_flow old;
	uint32_t changed = fg_flow_update(m->setup.table, flow, message, &old);

	if (changed & FG_CHANGED_COUNTERS && !m->restoring)
		fg_audience_growth(m->current, &old, flow);
	if (announced)
		return changed;
	if (changed & FG_CHANGED_KEY)
		tell_event(m, FG_EVENT_REMOVED, &old, FG_REASON_REKEYED);
	if (fg_flow_verdict(m->setup.table, flow)) {
		roster_of(m, flow, &r);
		fg_audience_rekey(m->verdicts, &r, &old, flow, changed);
	}
	if (changed & FG_CHANGED_KEY)
		tell_event(m, FG_EVENT_ANNOUNCED, flow, FG_REASON_REKEYED);
	else if (changed & FG_CHANGED_CLASS)
		fg_audience_class(m->current, &old, flow);
	return changed;
}

static void on_flow(struct fg_membership *m, uint16_t source, uint16_t epoch,
		    const struct fg_message *message, int64_t now)
{
	enum fg_reason reason =
		m->restoring ? FG_REASON_RESTART : FG_REASON_DETECTED;
	enum fg_event event = FG_EVENT_UPDATED;
	struct fg_flow *flow;
	uint32_t changed;

	flow = lookup(m, source, message);
	if (flow) {
		m->counts.updated++;
	} else {
		flow = announce(m, source, message);
		if (!flow)
			return;
		m->counts.announced++;
		event = FG_EVENT_ANNOUNCED;
	}
	fg_flow_touch(m->setup.table, flow, epoch, now);
	changed = store(m, flow, message, event == FG_EVENT_ANNOUNCED);
	if (event == FG_EVENT_ANNOUNCED || !(changed & FG_CHANGED_KEY))
		tell_event(m, event, flow, reason);
	if (event == FG_EVENT_ANNOUNCED)
		reevaluate(m, flow, reason);
	else if (m->current &&
		 changed & fg_policy_depends(m->current->pub->policy))
		reevaluate(m, flow,
			   fg_flow_verdict(m->setup.table, flow)
				   ? FG_REASON_RECLASSIFIED
				   : FG_REASON_DETECTED);
}

/*
 * A purge that says when its flow was there, which is over: the flow was
 * announced again since. Agents keep the order; a broker may deliver late, or
 * twice.
 */
static bool is_outdated(const struct fg_flow *flow, const struct fg_message *m)
{
	uint64_t first;

	if (m->type != FG_MESSAGE_FLOW_PURGE ||
	    !fg_message_has(m, FG_ATTR_FIRST_SEEN))
		return false;
	first = m->value[FG_ATTR_FIRST_SEEN].u;
	if (first != flow->first_seen)
		return first < flow->first_seen;
	return fg_message_has(m, FG_ATTR_LAST_SEEN) &&
	       m->value[FG_ATTR_LAST_SEEN].u < first + flow->age_ms;
}

static void on_counters(struct fg_membership *m, uint16_t source,
			uint16_t epoch, const struct fg_message *message,
			int64_t now)
{
	struct fg_flow *flow = lookup(m, source, message);
	uint32_t changed;

	if (!flow || is_outdated(flow, message)) {
		m->counts.unknown++;
		return;
	}
	fg_flow_touch(m->setup.table, flow, epoch, now);
	changed = store(m, flow, message, false);
	if (message->type == FG_MESSAGE_FLOW_PURGE) {
		m->counts.purged++;
		drop(m, flow, FG_REASON_PURGED);
		return;
	}
	tell_event(m, FG_EVENT_COUNTED, flow, FG_REASON_DETECTED);
	if (m->current && changed & fg_policy_depends(m->current->pub->policy))
		reevaluate(m, flow, FG_REASON_RECLASSIFIED);
}

void fg_membership_restoring(struct fg_membership *m, bool on)
{
	m->restoring = on;
}

void fg_membership_message(struct fg_membership *m, uint16_t source,
			   uint16_t epoch, const struct fg_message *message,
			   int64_t now)
{
	if (!message->digest_count)
		return;
	switch (message->type) {
	case FG_MESSAGE_FLOW:
	case FG_MESSAGE_FLOW_DPI_UPDATE:
		look_up_names(m);
		on_flow(m, source, epoch, message, now);
		break;
	case FG_MESSAGE_FLOW_DPI_COMPLETE:
	case FG_MESSAGE_FLOW_STATS:
	case FG_MESSAGE_FLOW_PURGE:
		on_counters(m, source, epoch, message, now);
		break;
	default:
		break;
	}
}

/* ------------------------------------------------------------ configuration */

static void tell_time(struct fg_membership *m, int64_t wall_ms)
{
	if (m->current &&
	    fg_policy_set_time(m->current->pub->policy, wall_ms, &m->next_edge))
		fg_walk_evaluate(m->walk, FG_REASON_SCHEDULE);
	m->wall = wall_ms;
}

int fg_membership_configure(struct fg_membership *m, struct fg_generation *pub,
			    int64_t wall_ms)
{
	struct fg_bound *b;
	int err;

	if (m->old)
		return -EBUSY;
	err = fg_bound_new(&b, m->verdicts, m->current, pub);
	if (err)
		return err;
	m->old = m->current;
	m->current = b;
	m->next_edge = INT64_MAX;
	tell_time(m, wall_ms);
	if (pub->settings->reprocess_flows || !m->old)
		fg_walk_evaluate(m->walk, FG_REASON_RELOAD);
	else
		fg_walk_release(m->walk);
	return 0;
}

static void release(struct fg_membership *m, struct fg_flow *flow)
{
	struct fg_roster r;

	roster_of(m, flow, &r);
	for (size_t i = r.count; i-- > 0;)
		if (!fg_bound_has(m->current,
				  fg_seat(m->verdicts, r.ids[i])->target))
			fg_roster_remove(&r, r.ids[i]);
	transition(m, flow, &r, FG_REASON_RELOAD);
}

void fg_membership_suspend(struct fg_membership *m, fg_flow_test *test,
			   const void *ctx, enum fg_reason reason)
{
	struct fg_flow *flow;
	uint32_t cursor = 0;

	while ((flow = fg_flow_next(m->setup.table, &cursor)) != NULL)
		if (fg_flow_verdict(m->setup.table, flow) && test(ctx, flow))
			leave_all(m, flow, reason);
}

void fg_membership_resume(struct fg_membership *m, fg_flow_test *test,
			  const void *ctx, enum fg_reason reason)
{
	struct fg_flow *flow;
	uint32_t cursor = 0;

	while ((flow = fg_flow_next(m->setup.table, &cursor)) != NULL)
		if (test(ctx, flow))
			reevaluate(m, flow, reason);
}

/* -------------------------------------------------------------------- steps */

void fg_membership_source_void(struct fg_membership *m, uint16_t source,
			       uint16_t epoch)
{
	fg_walk_source_void(m->walk, source, epoch);
}

void fg_membership_source_idle(struct fg_membership *m, uint16_t source,
			       uint32_t ms)
{
	fg_walk_source_idle(m->walk, source, ms);
}

/* No flow refers to the old generation any more. */
static void retire(struct fg_membership *m)
{
	struct fg_bound *old = m->old;
	struct fg_generation *pub = old->pub;

	m->old = NULL;
	fg_bound_free(old, m->verdicts);
	m->setup.retired(m->setup.ctx, pub);
}

static bool walk_step(struct fg_membership *m, int64_t now)
{
	enum fg_walk_task task;
	enum fg_reason reason;

	for (unsigned i = 0; i < STEP_FLOWS; i++) {
		struct fg_flow *flow =
			fg_walk_next(m->walk, now, &task, &reason);

		if (!flow) {
			if (m->old)
				retire(m);
			return false;
		}
		switch (task) {
		case FG_WALK_NOTHING:
			break;
		case FG_WALK_VOID:
			m->counts.source_lost++;
			drop(m, flow, reason);
			break;
		case FG_WALK_IDLE:
			m->counts.idle++;
			drop(m, flow, reason);
			break;
		case FG_WALK_EVALUATE:
			reevaluate(m, flow, reason);
			break;
		case FG_WALK_RELEASE:
			release(m, flow);
			break;
		}
	}
	return true;
}

static bool idle_step(struct fg_membership *m, int64_t now)
{
	for (unsigned i = 0; i < STEP_FLOWS; i++) {
		struct fg_flow *flow = fg_flow_quietest(m->setup.table);

		if (!flow || fg_flow_touched(m->setup.table, flow) +
					     m->setup.flow_idle_ms >
				     now)
			return false;
		m->counts.idle++;
		drop(m, flow, FG_REASON_IDLE);
	}
	return true;
}

bool fg_membership_step(struct fg_membership *m, int64_t now, int64_t wall_ms)
{
	bool more = false;

	if (!m->current)
		return false;
	look_up_names(m);
	/* backwards, or more than a minute ahead: the clock was set */
	if (wall_ms >= m->next_edge || wall_ms < m->wall ||
	    wall_ms - m->wall > 60000)
		tell_time(m, wall_ms);
	if (fg_walk_due(m->walk, now))
		more = walk_step(m, now);
	return idle_step(m, now) || more;
}

int64_t fg_membership_deadline(const struct fg_membership *m, int64_t now,
			       int64_t wall_ms)
{
	const struct fg_flow *flow = fg_flow_quietest(m->setup.table);
	int64_t at = fg_walk_deadline(m->walk, now), idle;

	if (flow) {
		idle = fg_flow_touched(m->setup.table, flow) +
		       m->setup.flow_idle_ms;
		at = idle < at ? idle : at;
	}
	if (m->current && m->next_edge != INT64_MAX &&
	    now + (m->next_edge - wall_ms) < at)
		at = now + (m->next_edge - wall_ms);
	return at < now ? now : at;
}

bool fg_membership_flush(struct fg_membership *m, int64_t now)
{
	bool more;

	more = fg_audience_flush(m->old, false, now);
	more |= fg_audience_flush(m->current, false, now);
	if (more || (m->setup.busy && m->setup.busy(m->setup.ctx)))
		return more;
	more = fg_audience_flush(m->old, true, now);
	more |= fg_audience_flush(m->current, true, now);
	return more;
}

/* ------------------------------------------------------------ asked by hosts
 */

void fg_membership_members(struct fg_membership *m, const struct fg_target *t,
			   bool (*each)(const struct fg_flow *,
					const struct fg_member *, void *),
			   void *ctx)
{
	const struct fg_flow *flow;
	uint32_t cursor = 0;

	while ((flow = fg_flow_next(m->setup.table, &cursor)) != NULL) {
		struct fg_roster r;

		roster_of(m, flow, &r);
		for (size_t i = 0; i < r.count; i++) {
			const struct fg_seat *seat =
				fg_seat(m->verdicts, r.ids[i]);

			if (seat->target == t && fg_audience_hears(seat) &&
			    !each(flow, &seat->pub, ctx))
				return;
		}
	}
}

void fg_membership_flows(struct fg_membership *m,
			 bool (*each)(const struct fg_flow *, void *),
			 void *ctx)
{
	const struct fg_flow *flow;
	uint32_t cursor = 0;

	while ((flow = fg_flow_next(m->setup.table, &cursor)) != NULL)
		if (!each(flow, ctx))
			return;
}

size_t fg_membership_of(const struct fg_membership *m,
			const struct fg_flow *flow,
			void (*each)(void *ctx, const struct fg_target *t,
				     const struct fg_member *member),
			void *ctx)
{
	struct fg_roster r;

	roster_of(m, flow, &r);
	for (size_t i = 0; i < r.count; i++) {
		const struct fg_seat *seat = fg_seat(m->verdicts, r.ids[i]);

		each(ctx, seat->target, &seat->pub);
	}
	return r.count;
}

void fg_membership_delegate(struct fg_membership *m,
			    const struct fg_target *from, struct fg_target *to,
			    const struct fg_flow *flow,
			    const struct fg_member *member, bool on)
{
	/* the caller's is the table's own: const only to plugins */
	struct fg_flow *own =
		fg_flow_find(m->setup.table, flow->source, flow->digest);
	const struct fg_seat *principal = (const struct fg_seat *)member;
	struct fg_roster r;
	uint32_t id;

	if (!own || !to->type || principal->target != from)
		return;
	roster_of(m, own, &r);
	if (on && !fg_roster_has(&r, principal->id))
		return;
	id = fg_seat_proxy(m->verdicts, principal->id, to, on);
	if (!id) {
		to->refused += on;
		return;
	}
	fg_seat_hold(m->verdicts, id);
	if (!on)
		fg_roster_remove(&r, id);
	else if (!fg_roster_add(&r, id))
		to->refused++;
	transition(m, own, &r, FG_REASON_TARGET);
	fg_seat_drop(m->verdicts, id);
}

void fg_membership_counts(const struct fg_membership *m,
			  struct fg_membership_counts *out)
{
	*out = m->counts;
}

/* -------------------------------------------------------------- new and free
 */

int fg_membership_new(struct fg_membership **out,
		      const struct fg_membership_setup *setup)
{
	struct fg_membership *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->setup = *setup;
	m->wall = INT64_MIN;
	m->next_edge = INT64_MAX;
	err = fg_walk_new(&m->walk, setup->table);
	if (!err)
		err = fg_verdicts_new(&m->verdicts,
				      setup->max_verdicts ? setup->max_verdicts
							  : 65536);
	if (err) {
		fg_membership_free(m);
		return err;
	}
	*out = m;
	return 0;
}

void fg_membership_free(struct fg_membership *m)
{
	if (!m)
		return;
	if (m->old)
		fg_bound_free(m->old, m->verdicts);
	if (m->current)
		fg_bound_free(m->current, m->verdicts);
	fg_verdicts_free(m->verdicts);
	fg_walk_free(m->walk);
	free(m);
}
