/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lease.c - the table of leases: wanted, present, and the difference. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "key.h"
#include "lease.h"
#include "wheel.h"

/* How long to wait after the kernel had no room: it collects every second. */
#define FULL_MS 1000

/* what the kernel has: OTHER is there, but with data that is not ours */
enum present { NO, YES, MAYBE, OTHER };

#define DIRTY	0x001u /* in the list of pending ones */
#define FLIGHT	0x002u /* collected, not yet settled */
#define SPOILED 0x004u /* taken by someone while in flight */
#define LINGER	0x008u /* wanted until end, without holders */
#define ADOPTED 0x010u /* lingers, but is not renewed: nobody claimed it */
#define REFUSED 0x020u
#define FULL	0x040u /* was turned away for lack of room */
#define WAIT	0x080u /* still waits for it */
#define EVICT	0x100u /* to make room for another */
#define DUE	0x200u /* half of its time is over */
#define USED	0x400u

/*
 * 36 bytes and the key; with the wheel's 12 and 4 to 8 of the hash table that
 * is 72 to 76 for an IPv4 tuple of protocol, addresses and ports.
 */
struct lease {
	uint32_t chain;	  /* next in its bucket, or of the free ones */
	uint32_t dirty;	  /* next pending one */
	uint32_t holders; /* of class */
	uint32_t groups;  /* other classes that hold it */
	uint32_t data;	  /* what the kernel has */
	uint32_t note;
	uint32_t renew; /* ticks: when to renew */
	uint32_t end;	/* ticks: when it has lingered enough */
	uint16_t class; /* of the lowest rank that holds it */
	uint16_t flags : 12;
	uint16_t present : 2;
	uint8_t key[];
};

/* Holders of one class on one lease, beyond its first class. */
struct group {
	uint32_t next;
	uint32_t holders;
	uint16_t class;
};

struct fg_leases {
	struct fg_classes *classes;
	struct fg_wheel *wheel;
	uint64_t seed;
	uint32_t max;
	uint32_t mask;
	uint32_t stride;
	uint8_t key_len;
	bool data;
	bool strangers;
	uint32_t ttl; /* ticks */
	uint32_t half;
	uint32_t linger;
	int64_t epoch;
	uint32_t used; /* slots that were ever used */
	uint32_t free;
	uint32_t first; /* of the pending ones */
	uint32_t last;
	uint32_t group_used;
	uint32_t group_free;
	uint32_t in_flight;
	struct fg_lease_counts counts; /* pending: those in the list */
	uint32_t *bucket;
	struct group *group;
	uint8_t *slots;
};

/* ---------------------------------------------------------------- times */

/* Ticks of 64 ms in 32 bits: 8.7 years. */
#define TICK_SHIFT 6

static uint32_t tick_of(const struct fg_leases *t, int64_t ms)
{
	return ms > t->epoch ? (uint32_t)((ms - t->epoch) >> TICK_SHIFT) : 0;
}

static int64_t ms_of(const struct fg_leases *t, uint32_t tick)
{
	return t->epoch + ((int64_t)tick << TICK_SHIFT);
}

static uint32_t ticks(uint32_t ms)
{
	return (ms >> TICK_SHIFT) + (ms != 0 && ms < 1u << TICK_SHIFT);
}

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

static struct lease *lease_at(const struct fg_leases *t, uint32_t id)
{
	return (struct lease *)(t->slots + (size_t)id * t->stride);
}

static uint32_t id_of(const struct fg_leases *t, const struct lease *l)
{
	return (uint32_t)((size_t)((const uint8_t *)l - t->slots) / t->stride);
}

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
	while (buckets < setup->max)
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
	t->bucket = calloc(buckets, sizeof(*t->bucket));
	t->group = calloc((size_t)t->max + 1, sizeof(*t->group));
	t->slots = calloc((size_t)t->max + 1, t->stride);
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

static uint32_t *bucket_of(const struct fg_leases *t, const uint8_t *key)
{
	return &t->bucket[(uint32_t)fg_hash(key, t->key_len, t->seed) &
			  t->mask];
}

static struct lease *find_in(const struct fg_leases *t, uint32_t id,
			     const uint8_t *key)
{
	for (; id; id = lease_at(t, id)->chain)
		if (!memcmp(lease_at(t, id)->key, key, t->key_len))
			return lease_at(t, id);
	return NULL;
}

static struct lease *find(const struct fg_leases *t, const uint8_t *key)
{
	return find_in(t, *bucket_of(t, key), key);
}

static bool wanted(const struct lease *l)
{
	return l->holders || l->flags & LINGER;
}

static void set_flag(struct fg_leases *t, struct lease *l, uint16_t flag,
		     bool on)
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

static void set_present(struct fg_leases *t, struct lease *l, enum present p)
{
	t->counts.present += (p != NO) - (uint32_t)(l->present != NO);
	l->present = p;
}

static void remove_lease(struct fg_leases *t, struct lease *l)
{
	uint32_t id = id_of(t, l);
	uint32_t *link = bucket_of(t, l->key);

	while (*link != id)
		link = &lease_at(t, *link)->chain;
	*link = l->chain;
	set_flag(t, l, WAIT, false);
	set_flag(t, l, REFUSED, false);
	fg_wheel_clear(t->wheel, id);
	l->flags = 0;
	l->chain = t->free;
	t->free = id;
	t->counts.leases--;
}

/* -------------------------------------------------------------- pending */

static enum fg_lease_op decide(const struct fg_leases *t, const struct lease *l)
{
	if (!wanted(l) || l->flags & EVICT)
		return l->present == NO ? FG_LEASE_NONE : FG_LEASE_DELETE;
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

static void push(struct fg_leases *t, struct lease *l, bool front)
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

static struct lease *pop(struct fg_leases *t)
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
static void touch(struct fg_leases *t, struct lease *l, bool front)
{
	if (l->flags & FLIGHT)
		return;
	if (decide(t, l) != FG_LEASE_NONE) {
		if (!(l->flags & DIRTY))
			push(t, l, front);
	} else if (!wanted(l) && !(l->flags & DIRTY)) {
		remove_lease(t, l);
		return;
	}
	schedule(t, l);
}

static void end_linger(struct fg_leases *t, struct lease *l)
{
	set_flag(t, l, LINGER, false);
	l->flags &= (uint16_t)~ADOPTED;
	fg_class_unref(t->classes, l->class);
	l->class = 0;
	touch(t, l, false);
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

		if (wanted(l) || decide(t, l) != FG_LEASE_NONE) {
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

static struct lease *create(struct fg_leases *t, const uint8_t *key,
			    uint32_t *bucket)
{
	struct lease *l;
	uint32_t id;

	/* under pressure the dead make room before the living are refused */
	if (t->counts.lingering && t->counts.leases > t->max - t->max / 8) {
		id = fg_wheel_soonest(t->wheel, lingers, t);
		if (id)
			end_linger(t, lease_at(t, id));
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
	memcpy(l->key, key, t->key_len);
	l->flags = USED;
	/* end_linger() and reap() may have changed the bucket */
	l->chain = *bucket;
	*bucket = id;
	t->counts.leases++;
	return l;
}

/* -------------------------------------------------------------- holders */

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

int fg_leases_hold(struct fg_leases *t, const uint8_t *key, uint16_t class,
		   uint32_t note, int64_t now)
{
	uint32_t *bucket = bucket_of(t, key);
	struct lease *l = find_in(t, *bucket, key);
	uint32_t *link;
	int err;

	(void)now;
	if (!l) {
		l = create(t, key, bucket);
		if (!l)
			return -ENOSPC;
	}
	if (!l->holders) {
		if (l->flags & LINGER) {
			set_flag(t, l, LINGER, false);
			/* nobody watched over it since: make sure of it */
			if (l->flags & ADOPTED)
				l->flags |= DUE;
			l->flags &= (uint16_t)~ADOPTED;
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
	touch(t, l, false);
	return 0;
}

/* The last one left. */
static void let_go(struct fg_leases *t, struct lease *l, int64_t now)
{
	if (t->linger && !(l->flags & (REFUSED | EVICT | WAIT))) {
		/* keeps its class: it may have to be put back meanwhile */
		set_flag(t, l, LINGER, true);
		l->end = tick_of(t, now) + t->linger;
	} else {
		fg_class_unref(t->classes, l->class);
		l->class = 0;
		set_flag(t, l, REFUSED, false);
		set_flag(t, l, WAIT, false);
		l->flags &= (uint16_t) ~(FULL | EVICT);
	}
}

int fg_leases_release(struct fg_leases *t, const uint8_t *key, uint16_t class,
		      int64_t now)
{
	struct lease *l = find(t, key);
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
	touch(t, l, false);
	return 0;
}

int fg_leases_adopt(struct fg_leases *t, const uint8_t *key, uint32_t data,
		    uint32_t remaining_ms, int64_t now)
{
	uint32_t *bucket = bucket_of(t, key);
	struct lease *l = find_in(t, *bucket, key);
	uint32_t left = ticks(remaining_ms);

	if (l)
		return 0;
	l = create(t, key, bucket);
	if (!l)
		return -ENOSPC;
	set_present(t, l, YES);
	set_flag(t, l, LINGER, true);
	l->flags |= ADOPTED;
	l->data = data;
	l->end = tick_of(t, now) + left;
	/* when claimed: due at once if less than half is left */
	l->renew = left > t->ttl - t->half ? l->end - (t->ttl - t->half)
					   : tick_of(t, now);
	touch(t, l, false);
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
			push(t, l, false);
	}
}

void fg_leases_recount_end(struct fg_leases *t, int64_t now)
{
	(void)now;
	for (uint32_t id = 1; id <= t->used; id++)
		if (lease_at(t, id)->flags & USED)
			touch(t, lease_at(t, id), false);
}

/* ------------------------------------------------------------- changes */

/* Waits for room; its class stays. */
static void wait_for_room(struct fg_leases *t, struct lease *l, int64_t now)
{
	l->flags |= FULL;
	set_flag(t, l, WAIT, true);
	fg_wheel_set(t->wheel, id_of(t, l), now + FULL_MS);
}

size_t fg_leases_collect(struct fg_leases *t, struct fg_lease_change *out,
			 size_t max, size_t room, int64_t now)
{
	size_t n = 0;
	struct lease *l;

	while (n < max && (l = pop(t))) {
		enum fg_lease_op op;
		bool fresh;

		if (l->flags & LINGER && l->end <= tick_of(t, now)) {
			end_linger(t, l);
			/* pushed again, or gone */
			continue;
		}
		op = decide(t, l);
		if (op == FG_LEASE_NONE) {
			touch(t, l, false);
			continue;
		}
		fresh = op != FG_LEASE_DELETE && l->present == NO;
		if (fresh && room != SIZE_MAX && room-- == 0) {
			room = 0;
			wait_for_room(t, l, now);
			continue;
		}
		out[n++] = (struct fg_lease_change){
			.id = id_of(t, l),
			.op = op,
			.data = op == FG_LEASE_DELETE || l->flags & ADOPTED
					? l->data
					: fg_class_data(t->classes, l->class),
			.had = l->data,
			.known = l->present == YES,
			.other = l->present == OTHER,
			.note = l->note,
			.class = l->class,
			.fresh = fresh,
			.may_evict = fresh && !(l->flags & FULL),
			.key = l->key,
		};
		l->flags |= FLIGHT;
		t->in_flight++;
		fg_wheel_clear(t->wheel, id_of(t, l));
	}
	return n;
}

void fg_leases_settle(struct fg_leases *t, const struct fg_lease_change *change,
		      enum fg_lease_result result, int64_t sent)
{
	struct lease *l = lease_at(t, change->id);
	bool spoiled = l->flags & SPOILED;

	l->flags &= (uint16_t) ~(FLIGHT | SPOILED);
	t->in_flight--;
	switch (result) {
	case FG_LEASE_DONE:
		l->flags &= (uint16_t)~DUE;
		if (change->op == FG_LEASE_DELETE) {
			set_present(t, l, NO);
			if (l->flags & EVICT) {
				l->flags &= (uint16_t)~EVICT;
				wait_for_room(t, l, sent);
			}
			break;
		}
		set_present(t, l, spoiled ? MAYBE : YES);
		l->flags &= (uint16_t)~FULL;
		l->data = change->data;
		l->renew = tick_of(t, sent) + t->half;
		break;
	case FG_LEASE_AGAIN:
		if (spoiled)
			set_present(t, l, MAYBE);
		break;
	case FG_LEASE_FULL:
		set_present(t, l, NO);
		if (wanted(l))
			wait_for_room(t, l, sent);
		break;
	case FG_LEASE_REFUSED:
		set_present(t, l, NO);
		l->flags &= (uint16_t) ~(DUE | EVICT);
		if (change->op == FG_LEASE_DELETE)
			break;
		if (l->holders)
			set_flag(t, l, REFUSED, true);
		else if (l->flags & LINGER) {
			end_linger(t, l);
			return;
		}
		break;
	case FG_LEASE_GONE:
		set_present(t, l, NO);
		l->flags &= (uint16_t) ~(DUE | EVICT);
		break;
	case FG_LEASE_OTHER:
		set_present(t, l, OTHER);
		break;
	case FG_LEASE_UNKNOWN:
		set_present(t, l, MAYBE);
		break;
	}
	touch(t, l, result == FG_LEASE_AGAIN);
}

bool fg_leases_advance(struct fg_leases *t, int64_t now, uint32_t max)
{
	while (max--) {
		uint32_t id = fg_wheel_expire(t->wheel, now);
		struct lease *l;

		if (!id)
			return false;
		l = lease_at(t, id);
		if (l->flags & WAIT)
			set_flag(t, l, WAIT, false);
		else if (l->flags & LINGER && l->end <= tick_of(t, now)) {
			end_linger(t, l);
			continue;
		} else if (l->renew <= tick_of(t, now))
			l->flags |= DUE;
		touch(t, l, false);
	}
	return true;
}

int64_t fg_leases_deadline(const struct fg_leases *t)
{
	return fg_wheel_deadline(t->wheel);
}

static void spoil(struct fg_leases *t, struct lease *l, bool maybe)
{
	if (l->flags & FLIGHT) {
		l->flags |= SPOILED;
		return;
	}
	if (l->present == NO || (maybe && l->flags & ADOPTED))
		return;
	set_present(t, l, maybe ? MAYBE : NO);
	l->flags &= (uint16_t)~DUE;
	/* one that nobody claimed is not put back */
	if (l->flags & ADOPTED)
		end_linger(t, l);
	else
		touch(t, l, false);
}

bool fg_leases_spoil(struct fg_leases *t, const uint8_t *key)
{
	struct lease *l = find(t, key);

	if (!l)
		return false;
	spoil(t, l, false);
	return true;
}

void fg_leases_lost(struct fg_leases *t, bool maybe)
{
	for (uint32_t id = 1; id <= t->used; id++)
		if (lease_at(t, id)->flags & USED)
			spoil(t, lease_at(t, id), maybe);
}

void fg_leases_pardon(struct fg_leases *t)
{
	for (uint32_t id = 1; t->counts.refused && id <= t->used; id++) {
		struct lease *l = lease_at(t, id);

		if (l->flags & REFUSED) {
			set_flag(t, l, REFUSED, false);
			touch(t, l, false);
		}
	}
}

static bool evictable(const void *ctx, uint32_t id)
{
	const struct lease *l = lease_at(ctx, id);

	return l->present != NO && !(l->flags & (WAIT | EVICT));
}

bool fg_leases_evict(struct fg_leases *t)
{
	uint32_t id = fg_wheel_soonest(t->wheel, evictable, t);
	struct lease *l;

	if (!id)
		return false;
	l = lease_at(t, id);
	fg_wheel_clear(t->wheel, id);
	if (l->flags & LINGER) {
		end_linger(t, l);
		return true;
	}
	l->flags |= EVICT;
	touch(t, l, true);
	return true;
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
		.waiting = l->flags & WAIT,
		.refused = l->flags & REFUSED,
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
	const struct lease *l = find(t, key);

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
