/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lease.c - the table of leases: wanted, present, and the difference. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pages.h"
#include "key.h"
#include "lease-private.h"

/* ---------------------------------------------------------------- times */

void fg_leases_set_times(struct fg_leases *t, uint32_t ttl_ms,
			 uint32_t linger_ms)
{
	t->ttl = ticks(ttl_ms);
	t->half = ticks(ttl_ms / 2);
	t->linger = ticks(linger_ms);
}

void fg_leases_set_strangers(struct fg_leases *t, bool strangers)
{
	t->strangers = strangers;
}

/* ---------------------------------------------------------------- table */

int fg_leases_new(struct fg_leases **out, const struct fg_leases_setup *setup)
{
	struct fg_leases *t;
	uint32_t buckets = 64;
	int err = -ENOMEM;

	if (!setup->max || setup->max > UINT32_MAX / 4 || !setup->key_len ||
	    setup->key_len > FG_KEY_SIZE_MAX)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	/* half of them are room for those that die or linger */
	while (buckets < setup->max - setup->max / 4)
		buckets *= 2;
	t->classes = setup->classes;
	t->seed = setup->seed;
	t->max = setup->max;
	t->mask = buckets - 1;
	t->key_len = setup->key_len;
	t->data = setup->data;
	t->stride = (uint32_t)(sizeof(struct lease) + setup->key_len + 3) & ~3u;
	t->epoch = setup->now - (1 << TICK_SHIFT);
	fg_leases_set_times(t, setup->ttl_ms, setup->linger_ms);
	t->bucket = fg_pages_calloc(buckets, sizeof(*t->bucket));
	t->group = calloc((size_t)t->max + 1, sizeof(*t->group));
	t->slots = fg_pages_calloc((size_t)t->max + 1, t->stride);
	if (!t->bucket || !t->group || !t->slots)
		goto fail;
	err = fg_wheel_new(&t->wheel, t->max, setup->now);
	if (err)
		goto fail;
	*out = t;
	return 0;
fail:
	fg_leases_free(t);
	return err;
}

void fg_leases_free(struct fg_leases *t)
{
	if (!t)
		return;
	fg_wheel_free(t->wheel);
	free(t->bucket);
	free(t->group);
	free(t->slots);
	free(t);
}

uint32_t fg_lease_hash(const struct fg_leases *t, const uint8_t *key)
{
	return (uint32_t)fg_hash(key, t->key_len, t->seed);
}

struct lease *fg_lease_in(const struct fg_leases *t, uint32_t hash,
			  const uint8_t *key)
{
	struct lease *l;

	for (uint32_t id = *bucket_of(t, hash); id; id = l->chain) {
		l = lease_at(t, id);
		if (l->hash == hash && !memcmp(l->key, key, t->key_len))
			return l;
	}
	return NULL;
}

struct lease *fg_lease_find(const struct fg_leases *t, const uint8_t *key)
{
	return fg_lease_in(t, fg_lease_hash(t, key), key);
}

void fg_lease_flag(struct fg_leases *t, struct lease *l, uint16_t flag, bool on)
{
	uint32_t *count = flag == LINGER    ? &t->counts.lingering
			  : flag == WAIT    ? &t->counts.waiting
			  : flag == REFUSED ? &t->counts.refused
					    : NULL;

	if (!!(l->flags & flag) == on)
		return;
	l->flags ^= flag;
	if (count)
		*count += on ? 1 : UINT32_MAX;
}

void fg_lease_present(struct fg_leases *t, struct lease *l, enum present p)
{
	t->counts.present += (p != NO) - (uint32_t)(l->present != NO);
	l->present = p;
}

static void remove_lease(struct fg_leases *t, struct lease *l)
{
	uint32_t id = id_of(t, l);
	uint32_t *link = bucket_of(t, l->hash);

	while (*link != id)
		link = &lease_at(t, *link)->chain;
	*link = l->chain;
	fg_lease_flag(t, l, WAIT, false);
	fg_lease_flag(t, l, REFUSED, false);
	fg_wheel_clear(t->wheel, id);
	l->flags = 0;
	l->chain = t->free;
	t->free = id;
	t->counts.leases--;
}

/* -------------------------------------------------------------- pending */

enum fg_lease_op fg_lease_decide(const struct fg_leases *t,
				 const struct lease *l)
{
	if (!wanted(l) || l->flags & EVICT)
		return l->present == NO && !(l->flags & UNSURE) ?
			       FG_LEASE_NONE :
			       FG_LEASE_DELETE;
	if (l->flags & (REFUSED | WAIT))
		return FG_LEASE_NONE;
	if (l->present == NO)
		return t->strangers ? FG_LEASE_REPLACE : FG_LEASE_ADD;
	if (l->present != YES)
		return FG_LEASE_REPLACE;
	/* an adopted one keeps the data it has until a holder says otherwise */
	if (t->data && !(l->flags & ADOPTED) &&
	    l->data != fg_class_data(t->classes, l->class))
		return FG_LEASE_REPLACE;
	return l->flags & DUE ? FG_LEASE_RENEW : FG_LEASE_NONE;
}

void fg_lease_push(struct fg_leases *t, struct lease *l, bool front)
{
	uint32_t id = id_of(t, l);

	l->flags |= DIRTY;
	t->counts.pending++;
	if (front) {
		l->dirty = t->first;
		t->first = id;
		if (!t->last)
			t->last = id;
		return;
	}
	l->dirty = 0;
	if (t->last)
		lease_at(t, t->last)->dirty = id;
	else
		t->first = id;
	t->last = id;
}

struct lease *fg_lease_pop(struct fg_leases *t)
{
	struct lease *l;

	if (!t->first)
		return NULL;
	l = lease_at(t, t->first);
	t->first = l->dirty;
	if (!t->first)
		t->last = 0;
	l->flags &= (uint16_t)~DIRTY;
	t->counts.pending--;
	return l;
}

/* When time will next change something about it. */
static void schedule(struct fg_leases *t, struct lease *l)
{
	uint32_t id = id_of(t, l);
	uint32_t due;

	if (l->flags & (FLIGHT | WAIT))
		return;
	if (l->flags & LINGER) {
		due = l->end;
		/* renewed only if the kernel would drop it before that */
		if (t->ttl && l->present == YES &&
		    !(l->flags & (ADOPTED | DUE)) && l->renew < due &&
		    l->renew + t->ttl - t->half < due)
			due = l->renew;
	} else if (l->holders && t->ttl && l->present == YES &&
		   !(l->flags & DUE)) {
		due = l->renew;
	} else {
		fg_wheel_clear(t->wheel, id);
		return;
	}
	fg_wheel_set(t->wheel, id, ms_of(t, due));
}

/* Something about it changed: pending, gone, or as it should be. */
void fg_lease_touch(struct fg_leases *t, struct lease *l, bool front)
{
	if (l->flags & FLIGHT)
		return;
	if (fg_lease_decide(t, l) != FG_LEASE_NONE) {
		if (!(l->flags & DIRTY))
			fg_lease_push(t, l, front);
	} else if (!wanted(l) && !(l->flags & DIRTY)) {
		remove_lease(t, l);
		return;
	}
	schedule(t, l);
}

void fg_lease_end_linger(struct fg_leases *t, struct lease *l)
{
	fg_lease_flag(t, l, LINGER, false);
	l->flags &= (uint16_t) ~(ADOPTED | HELD);
	fg_class_unref(t->classes, l->class);
	l->class = 0;
	fg_lease_touch(t, l, false);
}

static bool lingers(const void *ctx, uint32_t id)
{
	return lease_at(ctx, id)->flags & LINGER;
}

/* Slots of leases that nobody wants and that never got to the kernel. */
static bool reap(struct fg_leases *t)
{
	uint32_t *link = &t->first;
	uint32_t prev = 0;
	bool any = false;

	for (int n = 0; *link && n < 64; n++) {
		struct lease *l = lease_at(t, *link);

		if (wanted(l) || fg_lease_decide(t, l) != FG_LEASE_NONE) {
			prev = *link;
			link = &l->dirty;
			continue;
		}
		if (t->last == *link)
			t->last = prev;
		*link = l->dirty;
		t->counts.pending--;
		remove_lease(t, l);
		any = true;
	}
	return any;
}

struct lease *fg_lease_create(struct fg_leases *t, uint32_t hash,
			      const uint8_t *key)
{
	uint32_t *bucket = bucket_of(t, hash);
	struct lease *l;
	uint32_t id;

	/* under pressure the dead make room before the living are refused */
	if (t->counts.lingering && t->counts.leases > t->max - t->max / 8) {
		id = fg_wheel_soonest(t->wheel, lingers, t);
		if (id)
			fg_lease_end_linger(t, lease_at(t, id));
	}
	if (!t->free && t->used == t->max && !reap(t))
		return NULL;
	id = t->free;
	if (id)
		t->free = lease_at(t, id)->chain;
	else
		id = ++t->used;
	l = lease_at(t, id);
	memset(l, 0, sizeof(*l));
	l->hash = hash;
	memcpy(l->key, key, t->key_len);
	l->flags = USED;
	/* fg_lease_end_linger() and reap() may have changed the bucket */
	l->chain = *bucket;
	*bucket = id;
	t->counts.leases++;
	return l;
}

void fg_leases_expel(struct fg_leases *t,
		     bool (*test)(const void *ctx, const uint8_t *key),
		     const void *ctx)
{
	for (uint32_t id = 1; t->counts.lingering && id <= t->used; id++) {
		struct lease *l = lease_at(t, id);

		if (l->flags & USED && l->flags & LINGER && test(ctx, l->key))
			fg_lease_end_linger(t, l);
	}
}

void fg_leases_forsake(struct fg_leases *t)
{
	for (uint32_t id = 1; t->counts.lingering && id <= t->used; id++) {
		struct lease *l = lease_at(t, id);

		if (l->flags & USED && l->flags & HELD)
			fg_lease_end_linger(t, l);
	}
}

/* ------------------------------------------------------------- looking */

static void view(const struct fg_leases *t, const struct lease *l,
		 struct fg_lease_view *out)
{
	*out = (struct fg_lease_view){
		.key = l->key,
		.holders = l->holders,
		.data = l->data,
		.note = l->note,
		.class = l->class,
		.present = l->present != NO,
		.lingering = l->flags & LINGER,
		.held = l->flags & HELD,
		.waiting = l->flags & WAIT,
		.refused = l->flags & REFUSED,
		.lingers_until = l->flags & LINGER ? ms_of(t, l->end)
						   : INT64_MAX,
		.expires = INT64_MAX,
	};
	for (uint32_t g = l->groups; g; g = t->group[g].next)
		out->holders += t->group[g].holders;
	if (t->ttl)
		out->expires = ms_of(t, l->flags & ADOPTED
						? l->end
						: l->renew + t->ttl - t->half);
}

bool fg_leases_get(const struct fg_leases *t, const uint8_t *key,
		   struct fg_lease_view *out)
{
	const struct lease *l = fg_lease_find(t, key);

	if (l)
		view(t, l, out);
	return l;
}

bool fg_leases_next(const struct fg_leases *t, uint32_t *cursor,
		    struct fg_lease_view *out)
{
	while (*cursor < t->used) {
		const struct lease *l = lease_at(t, ++*cursor);

		if (l->flags & USED) {
			view(t, l, out);
			return true;
		}
	}
	return false;
}

void fg_leases_counts(const struct fg_leases *t, struct fg_lease_counts *out)
{
	*out = t->counts;
	out->pending += t->in_flight;
}

size_t fg_lease_size(const struct fg_leases *t)
{
	return t->stride + 12 +
	       ((size_t)t->mask + 1) * sizeof(*t->bucket) / t->max;
}
