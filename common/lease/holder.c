/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holder.c - who holds leases: actions, by rank. */
#include <errno.h>

#include "lease-private.h"

static int group_add(struct fg_leases *t, struct lease *l, uint16_t class,
		     uint32_t holders)
{
	uint32_t id = t->group_free;
	struct group *g;

	if (id)
		t->group_free = t->group[id].next;
	else if (t->group_used < t->max)
		id = ++t->group_used;
	else
		return -ENOSPC;
	g = &t->group[id];
	g->class = class;
	g->holders = holders;
	g->next = l->groups;
	l->groups = id;
	return 0;
}

static void group_drop(struct fg_leases *t, uint32_t *link)
{
	uint32_t id = *link;

	*link = t->group[id].next;
	t->group[id].next = t->group_free;
	t->group_free = id;
}

static uint32_t *group_find(struct fg_leases *t, struct lease *l,
			    uint16_t class)
{
	uint32_t *link = &l->groups;

	while (*link && t->group[*link].class != class)
		link = &t->group[*link].next;
	return *link ? link : NULL;
}

/* The first class is gone: the next in rank takes its place. */
static void group_promote(struct fg_leases *t, struct lease *l)
{
	uint32_t *best = &l->groups;

	for (uint32_t *i = &t->group[*best].next; *i; i = &t->group[*i].next)
		if (fg_class_rank(t->classes, t->group[*i].class) <
		    fg_class_rank(t->classes, t->group[*best].class))
			best = i;
	l->class = t->group[*best].class;
	l->holders = t->group[*best].holders;
	group_drop(t, best);
}

static int hold(struct fg_leases *t, const uint8_t *key, uint16_t class,
		uint32_t note)
{
	uint32_t hash = fg_lease_hash(t, key);
	struct lease *l = fg_lease_in(t, hash, key);
	uint32_t *link;
	int err;

	if (!l) {
		l = fg_lease_create(t, hash, key);
		if (!l)
			return -ENOSPC;
	}
	if (!l->holders) {
		if (l->flags & LINGER) {
			fg_lease_flag(t, l, LINGER, false);
			/* nobody watched over it since: make sure of it */
			if (l->flags & ADOPTED)
				l->flags |= DUE;
			l->flags &= (uint16_t) ~(ADOPTED | HELD);
			fg_class_unref(t->classes, l->class);
		}
		l->class = class;
		l->note = note;
		l->holders = 1;
		fg_class_ref(t->classes, class);
	} else if (l->class == class) {
		l->holders++;
	} else if ((link = group_find(t, l, class))) {
		t->group[*link].holders++;
	} else if (fg_class_rank(t->classes, class) <
		   fg_class_rank(t->classes, l->class)) {
		err = group_add(t, l, l->class, l->holders);
		if (err)
			return err;
		l->class = class;
		l->holders = 1;
		fg_class_ref(t->classes, class);
	} else {
		err = group_add(t, l, class, 1);
		if (err)
			return err;
		fg_class_ref(t->classes, class);
	}
	fg_lease_touch(t, l, false);
	return 0;
}

int fg_leases_hold(struct fg_leases *t, const uint8_t *key, uint16_t class,
		   uint32_t note, int64_t now)
{
	int err;

	(void)now;
	/*
	 * An element that lingers, this one or one that makes room for it, may
	 * be the only one of the class.
	 */
	fg_class_ref(t->classes, class);
	err = hold(t, key, class, note);
	fg_class_unref(t->classes, class);
	return err;
}

/* The last one left. */
static void let_go(struct fg_leases *t, struct lease *l, int64_t now)
{
	if (t->linger && !(l->flags & (REFUSED | EVICT | WAIT))) {
		/* keeps its class: it may have to be put back meanwhile */
		fg_lease_flag(t, l, LINGER, true);
		l->end = tick_of(t, now) + t->linger;
	} else {
		fg_class_unref(t->classes, l->class);
		l->class = 0;
		fg_lease_flag(t, l, REFUSED, false);
		fg_lease_flag(t, l, WAIT, false);
		l->flags &= (uint16_t) ~(FULL | EVICT);
	}
}

int fg_leases_release(struct fg_leases *t, const uint8_t *key, uint16_t class,
		      int64_t now)
{
	struct lease *l = fg_lease_find(t, key);
	uint32_t *link;

	if (!l || !l->holders)
		return -ENOENT;
	if (l->class == class) {
		if (--l->holders)
			return 0;
		if (l->groups) {
			fg_class_unref(t->classes, class);
			group_promote(t, l);
		} else {
			let_go(t, l, now);
		}
	} else {
		link = group_find(t, l, class);
		if (!link)
			return -ENOENT;
		if (--t->group[*link].holders)
			return 0;
		group_drop(t, link);
		fg_class_unref(t->classes, class);
	}
	fg_lease_touch(t, l, false);
	return 0;
}

int fg_leases_adopt(struct fg_leases *t, const uint8_t *key, uint32_t data,
		    uint32_t remaining_ms, bool held, int64_t now)
{
	uint32_t hash = fg_lease_hash(t, key);
	struct lease *l = fg_lease_in(t, hash, key);
	uint32_t left = ticks(remaining_ms);

	if (l)
		return 0;
	l = fg_lease_create(t, hash, key);
	if (!l)
		return -ENOSPC;
	fg_lease_present(t, l, YES);
	fg_lease_flag(t, l, LINGER, true);
	l->flags |= held ? ADOPTED | HELD : ADOPTED;
	l->data = data;
	l->end = tick_of(t, now) + left;
	/* when claimed: due at once if less than half is left */
	l->renew = left > t->ttl - t->half ? l->end - (t->ttl - t->half)
					   : tick_of(t, now);
	fg_lease_touch(t, l, false);
	return 0;
}

void fg_leases_recount_begin(struct fg_leases *t)
{
	for (uint32_t id = 1; id <= t->used; id++) {
		struct lease *l = lease_at(t, id);

		if (!(l->flags & USED) || !l->holders)
			continue;
		while (l->groups) {
			fg_class_unref(t->classes, t->group[l->groups].class);
			group_drop(t, &l->groups);
		}
		fg_class_unref(t->classes, l->class);
		l->class = 0;
		l->holders = 0;
		/* kept by the list until recount_end(), whatever becomes of it
		 */
		if (!(l->flags & (DIRTY | FLIGHT)))
			fg_lease_push(t, l, false);
	}
}

void fg_leases_recount_end(struct fg_leases *t, int64_t now)
{
	(void)now;
	for (uint32_t id = 1; id <= t->used; id++)
		if (lease_at(t, id)->flags & USED)
			fg_lease_touch(t, lease_at(t, id), false);
}
