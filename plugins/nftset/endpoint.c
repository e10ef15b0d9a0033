/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint.c - two counted tables: endpoints, and flows that are members. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "endpoint.h"

/* What is counted of a key; gone when all is zero. */
struct entry {
	uint32_t next;	  /* in its bucket, or of the free ones */
	uint32_t flows;	  /* of a flow: its memberships */
	uint32_t members; /* distinct flows */
	uint32_t queued;  /* next one to be moved */
	uint8_t way;	  /* in force */
	uint8_t waiting;  /* in that queue */
	uint8_t key[];
};

struct table {
	uint64_t seed;
	uint32_t max;
	uint32_t mask;
	uint32_t used;
	uint32_t free;
	uint32_t stride;
	uint8_t key_len;
	uint32_t *bucket;
	uint8_t *entries;
};

struct fg_endpoints {
	struct table ends;
	struct table flows;
	uint32_t queue;
	struct fg_endpoint_counts counts;
};

/* The queue's end is not 0, which is "none" everywhere else. */
#define QUEUE_END UINT32_MAX

static int table_new(struct table *t, uint32_t max, uint8_t key_len,
		     uint64_t seed)
{
	uint32_t buckets = 64;

	while (buckets < max)
		buckets *= 2;
	*t = (struct table){.seed = seed,
			    .max = max,
			    .mask = buckets - 1,
			    .key_len = key_len};
	t->stride = (uint32_t)(sizeof(struct entry) + key_len + 3) & ~3u;
	t->bucket = calloc(buckets, sizeof(*t->bucket));
	t->entries = calloc((size_t)max + 1, t->stride);
	return t->bucket && t->entries ? 0 : -ENOMEM;
}

static void table_free(struct table *t)
{
	free(t->bucket);
	free(t->entries);
}

static struct entry *at(const struct table *t, uint32_t id)
{
	return (struct entry *)(t->entries + (size_t)id * t->stride);
}

/* The link that leads to key's entry, or to nothing. */
static uint32_t *link_of(const struct table *t, const uint8_t *key)
{
	uint32_t *link =
		&t->bucket[(uint32_t)fg_hash(key, t->key_len, t->seed) &
			   t->mask];

	while (*link && memcmp(at(t, *link)->key, key, t->key_len) != 0)
		link = &at(t, *link)->next;
	return link;
}

static struct entry *find(const struct table *t, const uint8_t *key)
{
	uint32_t id = *link_of(t, key);

	return id ? at(t, id) : NULL;
}

static struct entry *get(struct table *t, const uint8_t *key)
{
	uint32_t *link = link_of(t, key);
	struct entry *e;
	uint32_t id = *link;

	if (id)
		return at(t, id);
	id = t->free;
	if (id)
		t->free = at(t, id)->next;
	else if (t->used < t->max)
		id = ++t->used;
	else
		return NULL;
	e = at(t, id);
	memset(e, 0, sizeof(*e));
	memcpy(e->key, key, t->key_len);
	*link = id;
	return e;
}

static void drop_if_unused(struct table *t, struct entry *e)
{
	uint32_t *link, id;

	if (e->flows || e->members || e->waiting)
		return;
	link = link_of(t, e->key);
	id = *link;
	*link = e->next;
	e->next = t->free;
	t->free = id;
}

int fg_endpoints_new(struct fg_endpoints **out, uint32_t max, uint8_t key_len,
		     uint64_t seed)
{
	struct fg_endpoints *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->queue = QUEUE_END;
	if (table_new(&e->ends, max, key_len, seed) < 0 ||
	    table_new(&e->flows, max, sizeof(uint64_t), seed) < 0) {
		fg_endpoints_free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

void fg_endpoints_free(struct fg_endpoints *e)
{
	if (!e)
		return;
	table_free(&e->ends);
	table_free(&e->flows);
	free(e);
}

static enum fg_way should_be(const struct entry *end)
{
	return end->flows > end->members ? FG_WAY_INSTEAD : FG_WAY_ELEMENT;
}

/* Counts changed: is it now to be the other way? */
static void changed(struct fg_endpoints *e, struct entry *end)
{
	enum fg_way way = should_be(end);

	if (end->way != way && !end->members) {
		/* nobody is there to be moved */
		end->way = (uint8_t)way;
	} else if (end->way != way && !end->waiting) {
		end->waiting = 1;
		end->queued = e->queue;
		e->queue = *link_of(&e->ends, end->key);
	}
	drop_if_unused(&e->ends, end);
}

void fg_endpoint_flow(struct fg_endpoints *e, const uint8_t *key, bool there)
{
	struct entry *end = there ? get(&e->ends, key) : find(&e->ends, key);

	if (!end || (!there && !end->flows))
		return;
	end->flows += there ? 1 : UINT32_MAX;
	changed(e, end);
}

enum fg_way fg_endpoint_join(struct fg_endpoints *e, const uint8_t *key,
			     uint64_t flow)
{
	struct entry *end = get(&e->ends, key);
	struct entry *f = get(&e->flows, (const uint8_t *)&flow);
	enum fg_way way;

	/* without room to count nobody knows who else is there */
	if (!end || !f) {
		if (end)
			drop_if_unused(&e->ends, end);
		return FG_WAY_INSTEAD;
	}
	if (!f->flows++ && !end->members++) {
		e->counts.endpoints++;
		end->way = (uint8_t)should_be(end);
	}
	way = (enum fg_way)end->way;
	changed(e, end);
	return way;
}

enum fg_way fg_endpoint_part(struct fg_endpoints *e, const uint8_t *key,
			     uint64_t flow)
{
	struct entry *end = find(&e->ends, key);
	struct entry *f = find(&e->flows, (const uint8_t *)&flow);
	enum fg_way way;

	if (!end || !f)
		return FG_WAY_INSTEAD;
	way = (enum fg_way)end->way;
	if (!--f->flows) {
		drop_if_unused(&e->flows, f);
		if (end->members && !--end->members)
			e->counts.endpoints--;
	}
	changed(e, end);
	return way;
}

bool fg_endpoints_pending(const struct fg_endpoints *e)
{
	return e->queue != QUEUE_END;
}

void fg_endpoint_ways(const struct fg_endpoints *e, const uint8_t *key,
		      enum fg_way *is, enum fg_way *should)
{
	const struct entry *end = find(&e->ends, key);

	*is = end ? (enum fg_way)end->way : FG_WAY_INSTEAD;
	*should = end ? should_be(end) : FG_WAY_INSTEAD;
}

void fg_endpoints_moved(struct fg_endpoints *e)
{
	while (e->queue != QUEUE_END) {
		struct entry *end = at(&e->ends, e->queue);

		e->queue = end->queued;
		end->waiting = 0;
		e->counts.moves += end->way != should_be(end);
		end->way = (uint8_t)should_be(end);
		drop_if_unused(&e->ends, end);
	}
}

void fg_endpoints_counts(const struct fg_endpoints *e,
			 struct fg_endpoint_counts *out)
{
	*out = e->counts;
	out->shared = 0;
	for (uint32_t id = 1; id <= e->ends.used; id++) {
		const struct entry *end = at(&e->ends, id);

		out->shared += end->members && end->flows > end->members;
	}
}
