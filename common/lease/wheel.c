/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wheel.c - a hashed timer wheel: a deadline beyond one turn stays a turn. */
#include <errno.h>
#include <stdlib.h>

#include "base/pages.h"
#include "wheel.h"

/* one turn is 2048 * 128 ms = 4.4 minutes */
#define SLOTS 2048
#define WORDS (SLOTS / 64)
#define LOOK  1024

struct node {
	uint32_t prev; /* 0: the first of its slot */
	uint32_t next;
	uint32_t due; /* ticks; 0: not set */
};

struct fg_wheel {
	int64_t epoch; /* ms; tick 0 */
	uint32_t tick; /* all before and with it have been looked at */
	uint32_t walk; /* where in the slot of tick + 1 to go on, or 0 */
	uint32_t head[SLOTS];
	uint64_t used[WORDS];
	struct node *node;
};

int fg_wheel_new(struct fg_wheel **out, uint32_t max, int64_t now)
{
	struct fg_wheel *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->node = fg_pages_calloc((size_t)max + 1, sizeof(*w->node));
	if (!w->node) {
		free(w);
		return -ENOMEM;
	}
	w->epoch = now - FG_WHEEL_TICK_MS;
	w->tick = 1;
	*out = w;
	return 0;
}

void fg_wheel_free(struct fg_wheel *w)
{
	if (!w)
		return;
	free(w->node);
	free(w);
}

static uint32_t tick_of(const struct fg_wheel *w, int64_t ms)
{
	int64_t tick =
		(ms - w->epoch + FG_WHEEL_TICK_MS - 1) / FG_WHEEL_TICK_MS;

	if (tick < 1)
		return 1;
	return tick > UINT32_MAX ? UINT32_MAX : (uint32_t)tick;
}

static int64_t ms_of(const struct fg_wheel *w, uint32_t tick)
{
	return w->epoch + (int64_t)tick * FG_WHEEL_TICK_MS;
}

void fg_wheel_clear(struct fg_wheel *w, uint32_t id)
{
	struct node *n = &w->node[id];
	uint32_t slot = n->due % SLOTS;

	if (!n->due)
		return;
	if (w->walk == id)
		w->walk = n->next;
	if (n->prev)
		w->node[n->prev].next = n->next;
	else
		w->head[slot] = n->next;
	if (n->next)
		w->node[n->next].prev = n->prev;
	if (!w->head[slot])
		w->used[slot / 64] &= ~(1ull << slot % 64);
	n->due = 0;
}

void fg_wheel_set(struct fg_wheel *w, uint32_t id, int64_t deadline)
{
	struct node *n = &w->node[id];
	uint32_t due = tick_of(w, deadline);
	uint32_t slot;

	/* the slot of the next tick may be half looked at: not that one */
	if (due <= w->tick)
		due = w->tick + 1;
	if (w->walk && due == w->tick + 1)
		due++;
	if (n->due == due)
		return;
	fg_wheel_clear(w, id);
	slot = due % SLOTS;
	n->due = due;
	n->prev = 0;
	n->next = w->head[slot];
	if (n->next)
		w->node[n->next].prev = id;
	w->head[slot] = id;
	w->used[slot / 64] |= 1ull << slot % 64;
}

bool fg_wheel_is_set(const struct fg_wheel *w, uint32_t id)
{
	return w->node[id].due;
}

int64_t fg_wheel_due(const struct fg_wheel *w, uint32_t id)
{
	return ms_of(w, w->node[id].due);
}

/* Slots from tick + 1 on until one is in use; SLOTS: none is. */
static uint32_t distance(const struct fg_wheel *w, uint32_t tick)
{
	uint32_t from = (tick + 1) % SLOTS;

	for (uint32_t i = 0; i <= WORDS; i++) {
		uint32_t word = (from / 64 + i) % WORDS;
		uint64_t bits = w->used[word];

		if (i == 0)
			bits &= ~0ull << from % 64;
		if (bits) {
			uint32_t slot =
				word * 64 + (uint32_t)__builtin_ctzll(bits);
			return (slot - from + SLOTS) % SLOTS;
		}
	}
	return SLOTS;
}

uint32_t fg_wheel_expire(struct fg_wheel *w, int64_t now)
{
	/* not rounded up: a tick is over when all of it is */
	int64_t full = (now - w->epoch) / FG_WHEEL_TICK_MS;
	uint32_t until = full > UINT32_MAX ? UINT32_MAX : (uint32_t)full;

	while (w->tick < until) {
		uint32_t id = w->walk;

		if (!id) {
			uint32_t skip = distance(w, w->tick);

			if (skip >= until - w->tick) {
				w->tick = until;
				break;
			}
			w->tick += skip;
			id = w->head[(w->tick + 1) % SLOTS];
		}
		while (id && w->node[id].due > until)
			id = w->node[id].next;
		if (id) {
			w->walk = w->node[id].next;
			fg_wheel_clear(w, id);
			/* the last of its slot: on to the next one */
			if (!w->walk)
				w->tick++;
			return id;
		}
		w->walk = 0;
		w->tick++;
	}
	return 0;
}

int64_t fg_wheel_deadline(const struct fg_wheel *w)
{
	uint32_t skip = distance(w, w->tick);

	return skip == SLOTS ? INT64_MAX : ms_of(w, w->tick + 1 + skip);
}

uint32_t fg_wheel_soonest(const struct fg_wheel *w,
			  bool (*is)(const void *ctx, uint32_t id),
			  const void *ctx)
{
	uint32_t tick = w->tick;
	uint32_t best = 0;
	int looked = 0;

	while (looked < LOOK && tick - w->tick < SLOTS) {
		uint32_t skip = distance(w, tick);

		if (skip == SLOTS || tick + skip - w->tick >= SLOTS)
			break;
		tick += skip + 1;
		for (uint32_t id = w->head[tick % SLOTS]; id && looked < LOOK;
		     id = w->node[id].next, looked++) {
			if (!is(ctx, id))
				continue;
			if (!best || w->node[id].due < w->node[best].due)
				best = id;
		}
		/* one that is due in this turn cannot be beaten later */
		if (best && w->node[best].due <= tick)
			break;
	}
	return best;
}
