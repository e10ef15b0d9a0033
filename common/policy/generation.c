/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generation.c - a configuration in force: its actions bound to its targets. */
#include "generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room between the ranks of two actions, for those that a reload adds. */
#define RANK_GAP 65536u

static const struct fg_action_config *
find_action(const struct fg_bound *b, const char *name, size_t *index)
{
	const struct fg_settings *s;

	if (!b)
		return NULL;
	s = b->pub->settings;
	for (size_t i = 0; i < s->action_count; i++)
		if (!strcmp(s->actions[i].name, name)) {
			*index = i;
			return &s->actions[i];
		}
	return NULL;
}

/*
 * Ranks ascend in the order of the file; an action keeps the rank it had when
 * that is still in order, so that one more action at the top of the file does
 * not make every flow let go and come again.
 */
static uint32_t next_rank(const struct fg_bound *previous, const char *name,
			  uint32_t last)
{
	size_t i;

	if (!previous)
		return last + RANK_GAP;
	if (find_action(previous, name, &i) && previous->ranks[i] > last)
		return previous->ranks[i];
	return last + 1;
}

/* Two texts in one piece: the action's name, and "block, log". */
static char *seat_text(const struct fg_settings *s,
		       const struct fg_action_config *a)
{
	size_t len = strlen(a->name) + 2;
	char *text, *p;

	for (size_t i = 0; i < a->target_count; i++)
		len += strlen(s->targets[a->targets[i].target].name) + 2;
	text = malloc(len);
	if (!text)
		return NULL;
	p = stpcpy(text, a->name) + 1;
	*p = '\0';
	for (size_t i = 0; i < a->target_count; i++) {
		if (i)
			p = stpcpy(p, ", ");
		p = stpcpy(p, s->targets[a->targets[i].target].name);
	}
	return text;
}

/* Same override in the old file and the new one, or none in both. */
static bool same_override(const struct fg_node *a, const struct fg_node *b)
{
	return a == b || (a && b && fg_node_equal(a, b));
}

/* The seat of the previous one that says the same, or 0. */
static uint32_t seat_again(const struct fg_bound *previous,
			   const struct fg_verdicts *vs,
			   const struct fg_action_config *a, size_t entry,
			   const struct fg_target *t, uint32_t rank)
{
	const struct fg_action_config *was;
	size_t index;

	was = find_action(previous, a->name, &index);
	if (!was || was->observe != a->observe)
		return 0;
	for (size_t i = 0; i < was->target_count; i++) {
		uint32_t id = previous->seats[index][i];

		if (id && fg_seat(vs, id)->target == t &&
		    fg_seat(vs, id)->pub.rank == rank &&
		    same_override(was->targets[i].override,
				  a->targets[entry].override))
			return id;
	}
	return 0;
}

/* *id stays 0 when the target is disabled. */
static int seat_make(struct fg_verdicts *vs, const struct fg_bound *previous,
		     const struct fg_generation *g,
		     const struct fg_action_config *a, size_t entry,
		     uint32_t rank, uint32_t *id)
{
	const struct fg_node *override = a->targets[entry].override;
	struct fg_target *t = g->targets[a->targets[entry].target];
	struct fg_seat seat = {.pub.size = sizeof(seat.pub),
			       .pub.rank = rank,
			       .pub.observe = a->observe,
			       .target = t};
	int err = -ENOMEM;

	if (!t || !t->type) {
		if (override)
			fg_node_ignore(override);
		return 0;
	}
	if (override && !t->type->bind) {
		fg_node_error(override,
			      "target \"%s\" of type \"%s\" takes no settings "
			      "of an action's own: leave only \"target\"",
			      t->name, t->type->name);
		return -EINVAL;
	}
	*id = seat_again(previous, vs, a, entry, t, rank);
	if (*id) {
		/* read when it was bound first: not unknown */
		if (override)
			fg_node_ignore(override);
		fg_seat_hold(vs, *id);
		return 0;
	}
	seat.text = seat_text(g->settings, a);
	if (!seat.text)
		return -ENOMEM;
	seat.pub.action = seat.text;
	seat.pub.targets = seat.text + strlen(seat.text) + 1;
	if (override) {
		err = t->type->bind(t->instance, override, &seat.pub.binding);
		if (err)
			goto fail;
	}
	err = fg_seat_add(vs, &seat, id);
	if (!err)
		return 0;
	if (seat.pub.binding && t->type->unbind)
		t->type->unbind(t->instance, seat.pub.binding);
fail:
	free(seat.text);
	return err;
}

void fg_bound_free(struct fg_bound *b, struct fg_verdicts *vs)
{
	const struct fg_settings *s = b->pub->settings;

	for (size_t i = 0; b->seats && i < s->action_count; i++) {
		for (size_t e = 0;
		     b->seats[i] && e < s->actions[i].target_count; e++)
			if (b->seats[i][e])
				fg_seat_drop(vs, b->seats[i][e]);
		free(b->seats[i]);
	}
	free(b->seats);
	free(b->ranks);
	free(b->listeners);
	free(b->counters);
	free(b->movers);
	free(b);
}

/* .moved came after the first types were built. */
static bool has_moved(const struct fg_target_type *type)
{
	return type->size >= offsetof(struct fg_target_type, moved) +
				     sizeof(type->moved) &&
	       type->moved;
}

static void list_targets(struct fg_bound *b)
{
	size_t listeners = 0, counters = 0, movers = 0;

	for (size_t i = 0; i < b->pub->settings->target_count; i++) {
		struct fg_target *t = b->pub->targets[i];

		if (t && t->type && t->type->event)
			b->listeners[listeners++] = t;
		if (t && t->type && t->type->count)
			b->counters[counters++] = t;
		if (t && t->type && has_moved(t->type))
			b->movers[movers++] = t;
	}
}

int fg_bound_new(struct fg_bound **out, struct fg_verdicts *vs,
		 const struct fg_bound *previous, struct fg_generation *pub)
{
	const struct fg_settings *s = pub->settings;
	struct fg_bound *b = calloc(1, sizeof(*b));
	uint32_t rank = 0;
	int err = -ENOMEM;

	if (!b)
		return -ENOMEM;
	b->pub = pub;
	b->listeners = calloc(s->target_count + 1, sizeof(struct fg_target *));
	b->counters = calloc(s->target_count + 1, sizeof(struct fg_target *));
	b->movers = calloc(s->target_count + 1, sizeof(struct fg_target *));
	b->seats = calloc(s->action_count + 1, sizeof(uint32_t *));
	b->ranks = calloc(s->action_count + 1, sizeof(*b->ranks));
	if (!b->listeners || !b->counters || !b->movers || !b->seats ||
	    !b->ranks)
		goto fail;
	list_targets(b);
	for (size_t i = 0; i < s->action_count; i++) {
		const struct fg_action_config *a = &s->actions[i];

		rank = next_rank(previous, a->name, rank);
		b->ranks[i] = rank;
		b->seats[i] = calloc(a->target_count + 1, sizeof(uint32_t));
		err = b->seats[i] ? 0 : -ENOMEM;
		for (size_t e = 0; !err && e < a->target_count; e++)
			err = seat_make(vs, previous, pub, a, e, rank,
					&b->seats[i][e]);
		if (err)
			goto fail;
	}
	*out = b;
	return 0;
fail:
	fg_bound_free(b, vs);
	return err;
}

void fg_bound_evaluate(const struct fg_bound *b, const struct fg_verdicts *vs,
		       const struct fg_flow_table *table,
		       const struct fg_flow *flow, const struct fg_roster *old,
		       struct fg_roster *next)
{
	struct fg_grant grants[FG_GRANTS_MAX];
	size_t n;

	next->count = 0;
	n = fg_policy_evaluate(b->pub->policy, table, flow, grants);
	for (size_t i = 0; i < n; i++) {
		uint32_t id = b->seats[grants[i].action][grants[i].entry];

		if (id && !fg_roster_add(next, id))
			b->pub->targets[grants[i].target]->refused++;
	}
	for (size_t i = 0; i < old->count; i++) {
		uint32_t by = fg_seat(vs, old->ids[i])->principal;

		if (by && fg_roster_has(next, by))
			(void)fg_roster_add(next, old->ids[i]);
	}
}

bool fg_bound_has(const struct fg_bound *b, const struct fg_target *t)
{
	for (size_t i = 0; i < b->pub->settings->target_count; i++)
		if (b->pub->targets[i] == t)
			return true;
	return false;
}
