/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbox.c - entries in lists, found by their flow. */
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pages.h"
#include "lease/wheel.h"

/* Members announced in a second, when all are. */
#define PER_MS 4

enum state { FREE, QUIET, NEW, AGAIN, GONE, FLYING, STATES };

struct entry {
	struct fg_flow flow;
	uint64_t stamp; /* wall ms, as last said */
	uint32_t chain; /* of its bucket; of those that are free */
	uint32_t older, younger;
	uint32_t entered;
	int mid;
	uint8_t state;
	uint8_t reason;
	bool told; /* somebody may know of it */
};

struct list {
	uint32_t oldest, youngest;
	uint32_t count;
};

struct fg_outbox {
	struct fg_outbox_setup setup;
	struct fg_outbox_counts counts;
	struct entry *entries; /* from 1 */
	uint32_t *buckets;
	uint32_t mask;
	uint32_t end; /* those below were used once */
	uint32_t limit;
	uint32_t vacant;
	uint64_t random;
	struct list lists[STATES];
	struct fg_wheel *wheel; /* of quiet ones */
	bool up;
};

int fg_outbox_new(struct fg_outbox **out, const struct fg_outbox_setup *setup)
{
	struct fg_outbox *o = calloc(1, sizeof(*o));
	uint32_t buckets = 16;

	if (!o)
		return -ENOMEM;
	o->setup = *setup;
	o->random = setup->seed | 1;
	/* members, and those that are no more: at most a queue of them */
	o->limit = setup->max_members + setup->queue + 2;
	o->end = 1;
	while (buckets < o->limit)
		buckets *= 2;
	o->mask = buckets - 1;
	o->entries = fg_pages_calloc(o->limit, sizeof(*o->entries));
	o->buckets = fg_pages_calloc(buckets, sizeof(*o->buckets));
	if (!o->entries || !o->buckets ||
	    fg_wheel_new(&o->wheel, o->limit, setup->now) < 0) {
		fg_outbox_free(o);
		return -ENOMEM;
	}
	*out = o;
	return 0;
}

void fg_outbox_free(struct fg_outbox *o)
{
	if (!o)
		return;
	fg_wheel_free(o->wheel);
	free(o->entries);
	free(o->buckets);
	free(o);
}

/* ------------------------------------------------------------------- lists */

static void list_add(struct fg_outbox *o, uint32_t id, enum state state)
{
	struct entry *e = &o->entries[id];
	struct list *l = &o->lists[state];

	e->state = (uint8_t)state;
	e->older = l->youngest;
	e->younger = 0;
	if (l->youngest)
		o->entries[l->youngest].younger = id;
	else
		l->oldest = id;
	l->youngest = id;
	l->count++;
}

static void list_remove(struct fg_outbox *o, uint32_t id)
{
	struct entry *e = &o->entries[id];
	struct list *l = &o->lists[e->state];

	if (e->older)
		o->entries[e->older].younger = e->younger;
	else
		l->oldest = e->younger;
	if (e->younger)
		o->entries[e->younger].older = e->older;
	else
		l->youngest = e->older;
	l->count--;
}

static uint32_t queued(const struct fg_outbox *o)
{
	return o->lists[NEW].count + o->lists[AGAIN].count +
	       o->lists[GONE].count + o->lists[FLYING].count;
}

/* ----------------------------------------------------------------- entries */

static uint32_t *bucket_of(struct fg_outbox *o, const struct fg_flow *flow)
{
	return &o->buckets[fg_hash(flow->digest, FG_DIGEST_SIZE,
				   o->setup.seed + flow->source) &
			   o->mask];
}

static uint32_t find(struct fg_outbox *o, const struct fg_flow *flow)
{
	uint32_t id = *bucket_of(o, flow);

	while (id && (o->entries[id].flow.source != flow->source ||
		      memcmp(o->entries[id].flow.digest, flow->digest,
			     FG_DIGEST_SIZE) != 0))
		id = o->entries[id].chain;
	return id;
}

static uint32_t insert(struct fg_outbox *o, const struct fg_flow *flow)
{
	uint32_t *bucket = bucket_of(o, flow), id = o->vacant;

	if (id)
		o->vacant = o->entries[id].chain;
	else if (o->end < o->limit)
		id = o->end++;
	else
		return 0;
	memset(&o->entries[id], 0, sizeof(o->entries[id]));
	o->entries[id].flow = *flow;
	o->entries[id].chain = *bucket;
	*bucket = id;
	return id;
}

static void forget(struct fg_outbox *o, uint32_t id)
{
	uint32_t *link = bucket_of(o, &o->entries[id].flow);

	while (*link != id)
		link = &o->entries[*link].chain;
	*link = o->entries[id].chain;
	o->entries[id].state = FREE;
	o->entries[id].chain = o->vacant;
	o->vacant = id;
}

static void move(struct fg_outbox *o, uint32_t id, enum state state)
{
	if (o->entries[id].state == QUIET)
		fg_wheel_clear(o->wheel, id);
	list_remove(o, id);
	list_add(o, id, state);
}

/* From three quarters of the time on, so that bursts spread out. */
static void be_quiet(struct fg_outbox *o, uint32_t id, int64_t now)
{
	uint32_t most = o->setup.every_ms / 4 + 1;

	o->random ^= o->random << 13;
	o->random ^= o->random >> 7;
	o->random ^= o->random << 17;
	move(o, id, QUIET);
	fg_wheel_set(o->wheel, id,
		     now + o->setup.every_ms - (int64_t)(o->random % most));
}

static void make_room(struct fg_outbox *o)
{
	uint32_t id;

	while (queued(o) > o->setup.queue) {
		id = o->lists[AGAIN].oldest;
		if (!id)
			id = o->lists[NEW].oldest;
		if (id) {
			/* by the time that the wheel was made for: soon */
			o->counts.dropped++;
			move(o, id, QUIET);
			fg_wheel_set(o->wheel, id,
				     o->setup.now + o->setup.every_ms);
			continue;
		}
		id = o->lists[GONE].oldest;
		if (!id)
			id = o->lists[FLYING].oldest;
		o->counts.dropped_purges++;
		list_remove(o, id);
		forget(o, id);
	}
}

/* -------------------------------------------------------- enter and leave */

void fg_outbox_enter(struct fg_outbox *o, const struct fg_flow *flow)
{
	uint32_t id = find(o, flow);
	struct entry *e;

	if (!id) {
		id = insert(o, flow);
		if (!id) {
			o->counts.dropped++;
			return;
		}
		list_add(o, id, NEW);
		o->counts.members++;
	} else if (o->entries[id].entered == 0) {
		move(o, id, NEW);
		o->counts.members++;
	}
	e = &o->entries[id];
	e->flow = *flow;
	e->entered++;
	make_room(o);
}

void fg_outbox_leave(struct fg_outbox *o, const struct fg_flow *flow,
		     enum fg_reason reason, int64_t wall)
{
	uint32_t id = find(o, flow);
	struct entry *e = &o->entries[id];

	if (!id || e->entered == 0 || --e->entered)
		return;
	o->counts.members--;
	if (!e->told) {
		list_remove(o, id);
		if (e->state == QUIET)
			fg_wheel_clear(o->wheel, id);
		forget(o, id);
		return;
	}
	e->flow = *flow;
	e->reason = (uint8_t)reason;
	e->stamp = (uint64_t)wall > e->stamp ? (uint64_t)wall : e->stamp + 1;
	move(o, id, GONE);
	make_room(o);
}

/* ------------------------------------------------------------------ saying */

uint32_t fg_outbox_next(const struct fg_outbox *o)
{
	if (o->lists[GONE].oldest)
		return o->lists[GONE].oldest;
	if (o->lists[NEW].oldest)
		return o->lists[NEW].oldest;
	return o->lists[AGAIN].oldest;
}

bool fg_outbox_is_purge(const struct fg_outbox *o, uint32_t id,
			enum fg_reason *reason)
{
	*reason = (enum fg_reason)o->entries[id].reason;
	return o->entries[id].state == GONE;
}

void fg_outbox_flow(struct fg_outbox *o, uint32_t id, int64_t wall,
		    struct fg_flow *out)
{
	struct entry *e = &o->entries[id];
	uint64_t age;

	if (e->state != GONE)
		e->stamp = (uint64_t)wall > e->stamp ? (uint64_t)wall
						     : e->stamp + 1;
	*out = e->flow;
	age = e->stamp > out->first_seen ? e->stamp - out->first_seen : 0;
	if (out->first_seen)
		out->age_ms = age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
}

void fg_outbox_sent(struct fg_outbox *o, uint32_t id, bool confirms,
		    int64_t now)
{
	struct entry *e = &o->entries[id];

	if (e->state != GONE) {
		o->counts.announced++;
		o->counts.announced_again += e->told;
		e->told = true;
		be_quiet(o, id, now);
		return;
	}
	o->counts.purged++;
	if (confirms) {
		e->mid = FG_OUTBOX_UNSENT;
		move(o, id, FLYING);
		return;
	}
	list_remove(o, id);
	forget(o, id);
}

void fg_outbox_number(struct fg_outbox *o, int mid)
{
	uint32_t id = o->lists[FLYING].youngest;

	for (; id && o->entries[id].mid == FG_OUTBOX_UNSENT;
	     id = o->entries[id].older)
		o->entries[id].mid = mid;
}

void fg_outbox_confirmed(struct fg_outbox *o, int mid)
{
	uint32_t id = o->lists[FLYING].oldest;

	while (id) {
		uint32_t next = o->entries[id].younger;

		if (o->entries[id].mid == mid) {
			list_remove(o, id);
			forget(o, id);
		}
		id = next;
	}
}

void fg_outbox_down(struct fg_outbox *o)
{
	uint32_t id;

	o->up = false;
	while ((id = o->lists[FLYING].oldest) != 0) {
		o->counts.purged--;
		move(o, id, GONE);
	}
}

void fg_outbox_up(struct fg_outbox *o, int64_t now)
{
	uint32_t id, n = 0;

	o->up = true;
	for (id = o->lists[QUIET].oldest; id; id = o->entries[id].younger)
		fg_wheel_set(o->wheel, id, now + n++ / PER_MS);
}

void fg_outbox_tick(struct fg_outbox *o, int64_t now)
{
	uint32_t id;

	o->setup.now = now;
	if (!o->up)
		return;
	while (queued(o) < o->setup.queue &&
	       (id = fg_wheel_expire(o->wheel, now)) != 0)
		move(o, id, AGAIN);
}

int64_t fg_outbox_deadline(const struct fg_outbox *o)
{
	if (!o->up || queued(o) >= o->setup.queue)
		return INT64_MAX;
	return fg_wheel_deadline(o->wheel);
}

void fg_outbox_counts(const struct fg_outbox *o, struct fg_outbox_counts *out)
{
	*out = o->counts;
	out->pending = queued(o);
}
