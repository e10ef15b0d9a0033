/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict.c - members, and the interned lists of them that flows hold. */
#include "verdict.h"
#include "membership.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Proxies that can be at a time; their ids come first. */
#define PROXIES_MAX 1024

struct verdict {
	uint32_t holders; /* flows */
	uint32_t next;	  /* in its hash chain, or the free list */
	uint32_t hash;
	uint32_t count;
	uint32_t seats[FG_ROSTER_MAX];
};

struct fg_verdicts {
	struct fg_seat **seats; /* by id; NULL: free */
	uint32_t seat_count;
	struct fg_seat *proxies; /* PROXIES_MAX + 1, the first unused */
	uint32_t proxy_free;

	struct verdict *verdicts; /* [0] is "member of nothing" */
	uint32_t max;
	uint32_t top;  /* highest ever used */
	uint32_t free; /* list of those given back */
	uint32_t *buckets;
	uint32_t bucket_mask;
};

/* ------------------------------------------------------------------ rosters */

bool fg_roster_add(struct fg_roster *r, uint32_t id)
{
	size_t i = r->count;

	while (i > 0 && r->ids[i - 1] > id)
		i--;
	if (i > 0 && r->ids[i - 1] == id)
		return true;
	if (r->count == FG_ROSTER_MAX)
		return false;
	memmove(&r->ids[i + 1], &r->ids[i], (r->count - i) * sizeof(*r->ids));
	r->ids[i] = id;
	r->count++;
	return true;
}

bool fg_roster_has(const struct fg_roster *r, uint32_t id)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->ids[i] == id)
			return true;
	return false;
}

void fg_roster_remove(struct fg_roster *r, uint32_t id)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->ids[i] != id)
			continue;
		r->count--;
		memmove(&r->ids[i], &r->ids[i + 1],
			(r->count - i) * sizeof(*r->ids));
		return;
	}
}

/* -------------------------------------------------------------------- seats */

struct fg_seat *fg_seat(const struct fg_verdicts *vs, uint32_t id)
{
	return vs->seats[id];
}

int fg_seat_add(struct fg_verdicts *vs, const struct fg_seat *seat,
		uint32_t *id)
{
	uint32_t i = PROXIES_MAX + 1;
	struct fg_seat *own;

	while (i < vs->seat_count && vs->seats[i])
		i++;
	if (i == vs->seat_count) {
		struct fg_seat **grown;

		grown = reallocarray(vs->seats, i * 2, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		memset(&grown[i], 0, i * sizeof(*grown));
		vs->seats = grown;
		vs->seat_count = i * 2;
	}
	own = malloc(sizeof(*own));
	if (!own)
		return -ENOMEM;
	*own = *seat;
	own->id = i;
	own->holders = 1;
	vs->seats[i] = own;
	*id = i;
	return 0;
}

void fg_seat_hold(struct fg_verdicts *vs, uint32_t id)
{
	vs->seats[id]->holders++;
}

static void proxy_retire(struct fg_verdicts *vs, struct fg_seat *proxy)
{
	uint32_t *link = &vs->seats[proxy->principal]->proxies;

	while (*link != proxy->id)
		link = &vs->seats[*link]->proxy_next;
	*link = proxy->proxy_next;
	proxy->proxy_next = vs->proxy_free;
	vs->proxy_free = proxy->id;
}

void fg_seat_drop(struct fg_verdicts *vs, uint32_t id)
{
	struct fg_seat *seat = vs->seats[id];

	if (--seat->holders)
		return;
	if (seat->principal) {
		proxy_retire(vs, seat);
		id = seat->principal;
		seat = vs->seats[id];
		if (--seat->holders)
			return;
	}
	if (seat->pub.binding && seat->target->type->unbind)
		seat->target->type->unbind(seat->target->instance,
					   seat->pub.binding);
	free(seat->text);
	free(seat);
	vs->seats[id] = NULL;
}

uint32_t fg_seat_proxy(struct fg_verdicts *vs, uint32_t principal,
		       struct fg_target *to, bool make)
{
	struct fg_seat *seat = vs->seats[principal];
	uint32_t id;

	for (id = seat->proxies; id; id = vs->seats[id]->proxy_next)
		if (vs->seats[id]->target == to)
			return id;
	if (!make || !vs->proxy_free)
		return 0;
	id = vs->proxy_free;
	vs->proxy_free = vs->seats[id]->proxy_next;
	*vs->seats[id] = (struct fg_seat){
		.pub = seat->pub,
		.target = to,
		.id = id,
		.principal = principal,
		.proxy_next = seat->proxies,
	};
	vs->seats[id]->pub.binding = NULL;
	seat->proxies = id;
	seat->holders++;
	return id;
}

/* ----------------------------------------------------------------- verdicts */

static uint32_t roster_hash(const struct fg_roster *r)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ r->count;

	for (size_t i = 0; i < r->count; i++)
		h = (h ^ r->ids[i]) * 0xff51afd7ed558ccdu;
	return (uint32_t)(h ^ h >> 32);
}

uint32_t fg_verdict_of(struct fg_verdicts *vs, const struct fg_roster *r,
		       bool *full)
{
	struct verdict *v;
	uint32_t hash, id;

	*full = false;
	if (!r->count)
		return 0;
	hash = roster_hash(r);
	for (id = vs->buckets[hash & vs->bucket_mask]; id; id = v->next) {
		v = &vs->verdicts[id];
		if (v->hash == hash && v->count == r->count &&
		    !memcmp(v->seats, r->ids, r->count * sizeof(*r->ids)))
			return id;
	}
	if (vs->free) {
		id = vs->free;
		vs->free = vs->verdicts[id].next;
	} else if (vs->top < vs->max) {
		id = ++vs->top;
	} else {
		*full = true;
		return 0;
	}
	v = &vs->verdicts[id];
	v->holders = 0;
	v->hash = hash;
	v->count = (uint32_t)r->count;
	memcpy(v->seats, r->ids, r->count * sizeof(*r->ids));
	v->next = vs->buckets[hash & vs->bucket_mask];
	vs->buckets[hash & vs->bucket_mask] = id;
	for (size_t i = 0; i < r->count; i++)
		fg_seat_hold(vs, r->ids[i]);
	return id;
}

void fg_verdict_hold(struct fg_verdicts *vs, uint32_t id)
{
	if (id)
		vs->verdicts[id].holders++;
}

void fg_verdict_drop(struct fg_verdicts *vs, uint32_t id)
{
	struct verdict *v = &vs->verdicts[id];
	uint32_t *link;

	if (!id || --v->holders)
		return;
	link = &vs->buckets[v->hash & vs->bucket_mask];
	while (*link != id)
		link = &vs->verdicts[*link].next;
	*link = v->next;
	for (uint32_t i = 0; i < v->count; i++)
		fg_seat_drop(vs, v->seats[i]);
	v->next = vs->free;
	vs->free = id;
}

void fg_verdict_roster(const struct fg_verdicts *vs, uint32_t id,
		       struct fg_roster *out)
{
	const struct verdict *v = &vs->verdicts[id];

	out->count = v->count;
	memcpy(out->ids, v->seats, v->count * sizeof(*out->ids));
}

/* ------------------------------------------------------------- new and free */

int fg_verdicts_new(struct fg_verdicts **out, uint32_t max)
{
	struct fg_verdicts *vs = calloc(1, sizeof(*vs));
	uint32_t buckets = 64;

	if (!vs)
		return -ENOMEM;
	while (buckets < max)
		buckets *= 2;
	vs->max = max;
	vs->bucket_mask = buckets - 1;
	vs->seat_count = 2 * PROXIES_MAX;
	vs->seats = calloc(vs->seat_count, sizeof(struct fg_seat *));
	vs->proxies = calloc(PROXIES_MAX + 1, sizeof(*vs->proxies));
	vs->verdicts = calloc((size_t)max + 1, sizeof(*vs->verdicts));
	vs->buckets = calloc(buckets, sizeof(*vs->buckets));
	if (!vs->seats || !vs->proxies || !vs->verdicts || !vs->buckets) {
		fg_verdicts_free(vs);
		return -ENOMEM;
	}
	for (uint32_t i = 1; i <= PROXIES_MAX; i++) {
		vs->seats[i] = &vs->proxies[i];
		vs->proxies[i].proxy_next = i < PROXIES_MAX ? i + 1 : 0;
	}
	vs->proxy_free = 1;
	*out = vs;
	return 0;
}

void fg_verdicts_free(struct fg_verdicts *vs)
{
	if (!vs)
		return;
	for (uint32_t i = PROXIES_MAX + 1; vs->seats && i < vs->seat_count;
	     i++) {
		if (!vs->seats[i])
			continue;
		free(vs->seats[i]->text);
		free(vs->seats[i]);
	}
	free(vs->seats);
	free(vs->proxies);
	free(vs->verdicts);
	free(vs->buckets);
	free(vs);
}
