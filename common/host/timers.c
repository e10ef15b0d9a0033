/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timers.c - a binary heap of timers. */
#include "timers.h"

#include <errno.h>
#include <stdlib.h>

int fg_timers_init(struct fg_timers *t, uint32_t room)
{
	t->count = 0;
	t->room = room;
	t->heap = calloc(room, sizeof(*t->heap));
	return t->heap ? 0 : -ENOMEM;
}

void fg_timers_fini(struct fg_timers *t)
{
	free(t->heap);
	t->heap = NULL;
}

static void place(struct fg_timers *t, uint32_t i, struct fg_timer *timer)
{
	t->heap[i] = timer;
	timer->slot = i;
}

static void sift_up(struct fg_timers *t, uint32_t i, struct fg_timer *timer)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / 2;

		if (t->heap[parent]->deadline <= timer->deadline)
			break;
		place(t, i, t->heap[parent]);
		i = parent;
	}
	place(t, i, timer);
}

static void sift_down(struct fg_timers *t, uint32_t i, struct fg_timer *timer)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= t->count)
			break;
		if (child + 1 < t->count &&
		    t->heap[child + 1]->deadline < t->heap[child]->deadline)
			child++;
		if (t->heap[child]->deadline >= timer->deadline)
			break;
		place(t, i, t->heap[child]);
		i = child;
	}
	place(t, i, timer);
}

int fg_timers_set(struct fg_timers *t, struct fg_timer *timer, int64_t deadline)
{
	if (deadline < 1)
		deadline = 1; /* 0 is "not set" */
	if (timer->deadline) {
		int64_t before = timer->deadline;

		timer->deadline = deadline;
		if (deadline < before)
			sift_up(t, timer->slot, timer);
		else
			sift_down(t, timer->slot, timer);
		return 0;
	}
	if (t->count == t->room) {
		struct fg_timer **more =
			realloc(t->heap, 2 * t->room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->heap = more;
		t->room *= 2;
	}
	timer->deadline = deadline;
	sift_up(t, t->count++, timer);
	return 0;
}

void fg_timers_cancel(struct fg_timers *t, struct fg_timer *timer)
{
	uint32_t i = timer->slot;
	struct fg_timer *last;

	if (!timer->deadline)
		return;
	timer->deadline = 0;
	last = t->heap[--t->count];
	if (last == timer)
		return;
	if (i > 0 && t->heap[(i - 1) / 2]->deadline > last->deadline)
		sift_up(t, i, last);
	else
		sift_down(t, i, last);
}

int64_t fg_timers_next(const struct fg_timers *t)
{
	return t->count ? t->heap[0]->deadline : INT64_MAX;
}

struct fg_timer *fg_timers_due(struct fg_timers *t, int64_t now)
{
	struct fg_timer *timer;

	if (t->count == 0 || t->heap[0]->deadline > now)
		return NULL;
	timer = t->heap[0];
	fg_timers_cancel(t, timer);
	return timer;
}
