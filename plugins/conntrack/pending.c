/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pending.c - changes that wait to be sent, at most one a connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "pending.h"

#define NONE UINT32_MAX

struct slot {
	struct fg_change change;
	uint32_t chain; /* next of the same bucket, or next free one */
	uint32_t older;
	uint32_t newer;
};

struct fg_pending {
	struct slot *slot;
	uint32_t *bucket;
	uint64_t seed;
	uint32_t mask;
	uint32_t max;
	uint32_t fresh; /* slots from here on were never used */
	uint32_t free;
	uint32_t oldest;
	uint32_t newest;
	uint32_t count;
};

int fg_pending_new(struct fg_pending **out, uint32_t max)
{
	struct fg_pending *p = calloc(1, sizeof(*p));
	uint32_t buckets = 16;

	if (!p)
		return -ENOMEM;
	if (!max)
		max = 1;
	while (buckets < max && buckets < UINT32_C(1) << 31)
		buckets *= 2;
	p->slot = calloc(max, sizeof(*p->slot));
	/* index + 1, so that zeroed pages need not be touched */
	p->bucket = calloc(buckets, sizeof(*p->bucket));
	if (!p->slot || !p->bucket) {
		fg_pending_free(p);
		return -ENOMEM;
	}
	p->mask = buckets - 1;
	p->max = max;
	p->free = p->oldest = p->newest = NONE;
	/* without entropy the hash is merely guessable */
	if (getrandom(&p->seed, sizeof(p->seed), GRND_NONBLOCK) < 0)
		p->seed = (uintptr_t)p;
	*out = p;
	return 0;
}

void fg_pending_free(struct fg_pending *p)
{
	if (!p)
		return;
	free(p->bucket);
	free(p->slot);
	free(p);
}

static uint32_t *bucket_of(struct fg_pending *p, const struct fg_tuple *key)
{
	return &p->bucket[fg_hash(key, sizeof(*key), p->seed) & p->mask];
}

struct fg_change *fg_pending_find(struct fg_pending *p,
				  const struct fg_tuple *key)
{
	uint32_t i = *bucket_of(p, key);

	for (; i; i = p->slot[i - 1].chain) {
		struct fg_change *c = &p->slot[i - 1].change;

		if (!memcmp(&c->tuple, key, sizeof(*key)))
			return c;
	}
	return NULL;
}

static uint32_t slot_take(struct fg_pending *p)
{
	uint32_t i = p->free;

	if (i != NONE) {
		p->free = p->slot[i].chain;
		return i;
	}
	return p->fresh < p->max ? p->fresh++ : NONE;
}

struct fg_change *fg_pending_put(struct fg_pending *p,
				 const struct fg_tuple *key)
{
	struct fg_change *c = fg_pending_find(p, key);
	uint32_t i, *bucket;
	struct slot *s;

	if (c)
		return c;
	i = slot_take(p);
	if (i == NONE)
		return NULL;
	s = &p->slot[i];
	memset(s, 0, sizeof(*s));
	s->change.tuple = *key;
	bucket = bucket_of(p, key);
	s->chain = *bucket;
	*bucket = i + 1;
	s->older = p->newest;
	s->newer = NONE;
	if (p->newest == NONE)
		p->oldest = i;
	else
		p->slot[p->newest].newer = i;
	p->newest = i;
	p->count++;
	return &s->change;
}

struct fg_change *fg_pending_first(struct fg_pending *p)
{
	return p->oldest == NONE ? NULL : &p->slot[p->oldest].change;
}

void fg_pending_remove(struct fg_pending *p, struct fg_change *change)
{
	struct slot *s = (struct slot *)change; /* its first member */
	uint32_t i = (uint32_t)(s - p->slot);
	uint32_t *at = bucket_of(p, &change->tuple);

	while (*at != i + 1)
		at = &p->slot[*at - 1].chain;
	*at = s->chain;
	if (s->older == NONE)
		p->oldest = s->newer;
	else
		p->slot[s->older].newer = s->newer;
	if (s->newer == NONE)
		p->newest = s->older;
	else
		p->slot[s->newer].older = s->older;
	s->chain = p->free;
	p->free = i;
	p->count--;
}

uint32_t fg_pending_count(const struct fg_pending *p)
{
	return p->count;
}
