/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.c - the walk over all live flows: which flow is next, and what for. */
#include "walk.h"

#include <errno.h>
#include <stdlib.h>

/* Not oftener does one look for flows that their source kept quiet about. */
#define IDLE_MS 1000

struct source {
	bool lost; /* flows from before epoch are void */
	uint16_t epoch;
	uint32_t idle_ms; /* 0: no time of its own */
};

struct tour {
	uint32_t tasks;	       /* a bit for each; 0: there is none */
	enum fg_reason reason; /* to evaluate */
};

struct fg_walk {
	struct fg_flow_table *table;
	struct tour tour; /* under way */
	struct tour next; /* asked for while it was */
	uint32_t cursor;
	struct source *source; /* of every number there can be */
	size_t sources;	       /* those behind were never spoken of */
	uint32_t idle_every;   /* ms; 0: no source has an idle_ms */
	int64_t idle_next;
};

int fg_walk_new(struct fg_walk **out, struct fg_flow_table *table)
{
	struct fg_walk *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->table = table;
	w->source = calloc(UINT16_MAX + 1, sizeof(*w->source));
	if (!w->source) {
		free(w);
		return -ENOMEM;
	}
	*out = w;
	return 0;
}

void fg_walk_free(struct fg_walk *w)
{
	if (!w)
		return;
	free(w->source);
	free(w);
}

static struct tour *start(struct fg_walk *w, enum fg_walk_task task)
{
	struct tour *tour = w->tour.tasks ? &w->next : &w->tour;

	tour->tasks |= 1u << task;
	return tour;
}

void fg_walk_evaluate(struct fg_walk *w, enum fg_reason reason)
{
	start(w, FG_WALK_EVALUATE)->reason = reason;
}

void fg_walk_release(struct fg_walk *w)
{
	start(w, FG_WALK_RELEASE);
}

static struct source *source_of(struct fg_walk *w, uint16_t source)
{
	if (source >= w->sources)
		w->sources = source + 1u;
	return &w->source[source];
}

void fg_walk_source_void(struct fg_walk *w, uint16_t source, uint16_t epoch)
{
	struct source *s = source_of(w, source);

	s->lost = true;
	s->epoch = epoch;
	start(w, FG_WALK_VOID);
}

void fg_walk_source_idle(struct fg_walk *w, uint16_t source, uint32_t ms)
{
	uint32_t shortest = UINT32_MAX;

	if (w->source[source].idle_ms == ms)
		return;
	source_of(w, source)->idle_ms = ms;
	for (size_t i = 0; i < w->sources; i++)
		if (w->source[i].idle_ms && w->source[i].idle_ms < shortest)
			shortest = w->source[i].idle_ms;
	w->idle_every = shortest / 16 < IDLE_MS ? IDLE_MS : shortest / 16;
	if (shortest == UINT32_MAX)
		w->idle_every = 0;
	w->idle_next = 0;
}

bool fg_walk_due(struct fg_walk *w, int64_t now)
{
	if (!w->tour.tasks && w->idle_every && now >= w->idle_next) {
		start(w, FG_WALK_IDLE);
		w->idle_next = now + w->idle_every;
	}
	return w->tour.tasks;
}

int64_t fg_walk_deadline(const struct fg_walk *w, int64_t now)
{
	if (w->tour.tasks)
		return now;
	/* of nothing, nothing is idle */
	if (!w->idle_every || !fg_flow_quietest(w->table))
		return INT64_MAX;
	return w->idle_next < now ? now : w->idle_next;
}

/*
 * From a connection before the one that counts. Not just another one: while we
 * walk, there may be a new connection that has announced the flow again.
 */
static bool is_void(const struct fg_walk *w, const struct fg_flow *flow)
{
	const struct source *s = &w->source[flow->source];
	uint16_t epoch = fg_flow_epoch(w->table, flow);

	return s->lost && (int16_t)(epoch - s->epoch) < 0;
}

static bool is_quiet(const struct fg_walk *w, const struct fg_flow *flow,
		     int64_t now)
{
	uint32_t ms = w->source[flow->source].idle_ms;

	return ms && fg_flow_touched(w->table, flow) + ms <= now;
}

static bool is_for(const struct tour *tour, enum fg_walk_task task)
{
	return tour->tasks >> task & 1;
}

/* On to the next one. False: there is none. */
static bool tour_end(struct fg_walk *w)
{
	static const struct tour none;

	/* lost again meanwhile: we may have passed some of its flows */
	if (is_for(&w->tour, FG_WALK_VOID) && !is_for(&w->next, FG_WALK_VOID))
		for (size_t i = 0; i < w->sources; i++)
			w->source[i].lost = false;
	w->tour = w->next;
	w->next = none;
	w->cursor = 0;
	return w->tour.tasks;
}

struct fg_flow *fg_walk_next(struct fg_walk *w, int64_t now,
			     enum fg_walk_task *task, enum fg_reason *reason)
{
	struct fg_flow *flow;

	do {
		flow = fg_flow_next(w->table, &w->cursor);
	} while (!flow && tour_end(w));
	if (!flow)
		return NULL;
	*task = FG_WALK_NOTHING;
	if (is_for(&w->tour, FG_WALK_VOID) && is_void(w, flow)) {
		*task = FG_WALK_VOID;
		*reason = FG_REASON_SOURCE_LOST;
	} else if (is_for(&w->tour, FG_WALK_IDLE) && is_quiet(w, flow, now)) {
		*task = FG_WALK_IDLE;
		*reason = FG_REASON_IDLE;
	} else if (is_for(&w->tour, FG_WALK_EVALUATE)) {
		*task = FG_WALK_EVALUATE;
		*reason = w->tour.reason;
	} else if (is_for(&w->tour, FG_WALK_RELEASE)) {
		*task = FG_WALK_RELEASE;
		*reason = FG_REASON_RELOAD;
	}
	return flow;
}
