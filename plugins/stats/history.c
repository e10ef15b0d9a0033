/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.c - rings of slots, and tables of names that share them. */
#include "history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/*
 * A wall clock before 2024 was not set yet (a router without a battery starts
 * in 1970): it says nothing about what is old.
 */
#define CLOCK_IS_SET INT64_C(1704067200000)

/*
 * Names that may push out others in one slot. Whoever makes up MAC addresses
 * costs at most so many searches, and the rest of them is "other".
 */
#define PUSHES 64

#define PLACES_MAX 65

const struct fg_grid_shape fg_grid_shapes[FG_GRID_COUNT] = {
	[FG_GRID_BYTES] = {false, FG_THING_APPLICATION, FG_THING_COUNT, 2,
			   FG_APPLICATION_PLACES, FG_HISTORY_SLOTS},
	[FG_GRID_USE] = {true, FG_THING_DEVICE, FG_THING_APPLICATION,
			 FG_APPLICATION_PLACES, FG_DEVICE_PLACES,
			 FG_HISTORY_HOURS},
	[FG_GRID_HITS] = {false, FG_THING_ACTION, FG_THING_COUNT, 1,
			  FG_ACTION_PLACES, FG_HISTORY_SLOTS},
	[FG_GRID_HIT_APPS] = {true, FG_THING_ACTION, FG_THING_APPLICATION,
			      FG_APPLICATION_PLACES, FG_ACTION_PLACES,
			      FG_HISTORY_HOURS},
	[FG_GRID_HIT_DEVICES] = {true, FG_THING_ACTION, FG_THING_DEVICE,
				 FG_DEVICE_PLACES, FG_ACTION_PLACES,
				 FG_HISTORY_HOURS},
};

static const uint16_t places_max[] = {FG_APPLICATION_PLACES, FG_DEVICE_PLACES,
				      FG_ACTION_PLACES};
_Static_assert(sizeof(places_max) / sizeof(*places_max) == FG_THING_COUNT,
	       "a size for each table");

/* Whose cells make up the total of a name. */
static const enum fg_grid_name total_of[] = {FG_GRID_BYTES, FG_GRID_USE,
					     FG_GRID_HITS};
_Static_assert(sizeof(total_of) / sizeof(*total_of) == FG_THING_COUNT,
	       "a grid for each table");

struct ring {
	int64_t newest; /* slots since the epoch; 0: none yet */
	uint16_t now;	/* where in the ring */
};

struct fg_history {
	struct ring slots;
	struct ring hours;
	unsigned pushes;
	bool used; /* has a cell that is not 0, maybe */
	uint16_t count[FG_THING_COUNT];
	struct fg_name_place place[FG_THING_COUNT][PLACES_MAX];
	uint64_t *cells[FG_GRID_COUNT];
};

size_t fg_grid_size(enum fg_grid_name grid)
{
	const struct fg_grid_shape *g = &fg_grid_shapes[grid];

	return (size_t)g->slots * g->height * g->width;
}

static uint64_t *cell(struct fg_history *h, enum fg_grid_name grid, size_t slot,
		      size_t row, size_t column)
{
	const struct fg_grid_shape *g = &fg_grid_shapes[grid];

	return &h->cells[grid][(slot * g->height + row) * g->width + column];
}

static struct ring *ring_of(struct fg_history *h, enum fg_grid_name grid)
{
	return fg_grid_shapes[grid].hourly ? &h->hours : &h->slots;
}

int fg_history_new(struct fg_history **out)
{
	struct fg_history *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	for (int i = 0; i < FG_GRID_COUNT; i++) {
		h->cells[i] = calloc(fg_grid_size(i), sizeof(uint64_t));
		if (!h->cells[i]) {
			fg_history_free(h);
			return -ENOMEM;
		}
	}
	fg_history_clear(h);
	*out = h;
	return 0;
}

void fg_history_free(struct fg_history *h)
{
	if (!h)
		return;
	for (int i = 0; i < FG_GRID_COUNT; i++)
		free(h->cells[i]);
	free(h);
}

static uint32_t hash_of(const struct fg_label *name, bool observe)
{
	return (uint32_t)fg_hash(name->text, name->len, observe);
}

static void place_set(struct fg_name_place *p, const struct fg_label *name,
		      bool observe)
{
	memset(p, 0, sizeof(*p));
	p->name = *name;
	p->observe = observe;
	p->hash = hash_of(name, observe);
}

void fg_history_clear(struct fg_history *h)
{
	struct fg_label other;

	fg_label_set(&other, FG_LABEL_OTHER);
	memset(&h->slots, 0, sizeof(h->slots));
	memset(&h->hours, 0, sizeof(h->hours));
	for (int t = 0; t < FG_THING_COUNT; t++) {
		h->count[t] = 1;
		place_set(&h->place[t][0], &other, false);
	}
	for (int i = 0; h->used && i < FG_GRID_COUNT; i++)
		for (size_t c = 0; c < fg_grid_size(i); c++)
			if (h->cells[i][c]) /* leaves unused pages unused */
				h->cells[i][c] = 0;
	h->used = false;
}

/* -------------------------------------------------------------------- time */

static void slot_clear(struct fg_history *h, enum fg_grid_name grid,
		       size_t slot)
{
	const struct fg_grid_shape *g = &fg_grid_shapes[grid];

	for (size_t row = 0; row < g->height; row++)
		for (size_t c = 0; c < g->width; c++) {
			uint64_t *n = cell(h, grid, slot, row, c);

			if (!*n)
				continue;
			if (total_of[g->rows] == grid)
				h->place[g->rows][row].total -= *n;
			*n = 0;
		}
}

static void ring_turn(struct fg_history *h, bool hourly, int64_t number,
		      bool is_set)
{
	struct ring *r = hourly ? &h->hours : &h->slots;
	int64_t slots = hourly ? FG_HISTORY_HOURS : FG_HISTORY_SLOTS;
	int64_t stale = number - r->newest;

	if (!is_set && r->newest) {
		number = r->newest;
	} else if (stale > 0 || stale <= -slots) {
		/* ahead; or so far back that it was never today */
		if (stale > slots || stale < 0)
			stale = slots;
		for (int64_t i = 0; r->newest && i < stale; i++)
			for (int g = 0; g < FG_GRID_COUNT; g++)
				if (fg_grid_shapes[g].hourly == hourly)
					slot_clear(
						h, g,
						(size_t)((number - i + slots) %
							 slots));
		r->newest = number;
		h->pushes = 0;
	}
	r->now = (uint16_t)(number % slots);
}

void fg_history_tell_time(struct fg_history *h, int64_t wall)
{
	bool is_set = wall >= CLOCK_IS_SET;

	if (wall < FG_HISTORY_HOUR_MS)
		wall = FG_HISTORY_HOUR_MS; /* slot number 0 is "never" */
	ring_turn(h, false, wall / FG_HISTORY_SLOT_MS, is_set);
	ring_turn(h, true, wall / FG_HISTORY_HOUR_MS, is_set);
}

/* ------------------------------------------------------------------- names */

/* Everything of the row or column becomes that of "other". */
static void fold(struct fg_history *h, enum fg_thing thing, size_t place)
{
	for (int i = 0; i < FG_GRID_COUNT; i++) {
		const struct fg_grid_shape *g = &fg_grid_shapes[i];

		for (size_t s = 0; s < g->slots; s++) {
			for (size_t c = 0; g->rows == thing && c < g->width;
			     c++) {
				uint64_t *n = cell(h, i, s, place, c);

				if (*n)
					*cell(h, i, s, 0, c) += *n, *n = 0;
			}
			for (size_t r = 0; g->columns == thing && r < g->height;
			     r++) {
				uint64_t *n = cell(h, i, s, r, place);

				if (*n)
					*cell(h, i, s, r, 0) += *n, *n = 0;
			}
		}
	}
	h->place[thing][0].total += h->place[thing][place].total;
}

static uint16_t push_out(struct fg_history *h, enum fg_thing thing)
{
	uint16_t least = 1;

	if (h->pushes >= PUSHES)
		return 0;
	h->pushes++;
	for (uint16_t i = 2; i < h->count[thing]; i++)
		if (h->place[thing][i].total < h->place[thing][least].total)
			least = i;
	fold(h, thing, least);
	return least;
}

uint16_t fg_history_place(struct fg_history *h, enum fg_thing thing,
			  const struct fg_label *name, bool observe)
{
	uint32_t hash = hash_of(name, observe);
	uint16_t i;

	for (i = 0; i < h->count[thing]; i++) {
		const struct fg_name_place *p = &h->place[thing][i];

		if (p->hash == hash && p->observe == observe &&
		    fg_label_equal(&p->name, name))
			return i;
	}
	if (i < places_max[thing]) {
		h->count[thing]++;
	} else {
		i = push_out(h, thing);
		if (!i)
			return 0;
	}
	place_set(&h->place[thing][i], name, observe);
	return i;
}

void fg_history_note(struct fg_history *h, enum fg_thing thing, uint16_t place,
		     const struct fg_label *note)
{
	if (place)
		h->place[thing][place].note = *note;
}

/* ---------------------------------------------------------------- counting */

static void add(struct fg_history *h, enum fg_grid_name grid, uint16_t row,
		uint16_t column, uint64_t n)
{
	enum fg_thing rows = fg_grid_shapes[grid].rows;

	h->used = true;
	*cell(h, grid, ring_of(h, grid)->now, row, column) += n;
	if (total_of[rows] == grid)
		h->place[rows][row].total += n;
}

void fg_history_bytes(struct fg_history *h, uint16_t application,
		      uint16_t device, uint64_t up, uint64_t down)
{
	add(h, FG_GRID_BYTES, application, 0, up);
	add(h, FG_GRID_BYTES, application, 1, down);
	add(h, FG_GRID_USE, device, application, up + down);
}

void fg_history_hit(struct fg_history *h, uint16_t action, uint16_t application,
		    uint16_t device)
{
	add(h, FG_GRID_HITS, action, 0, 1);
	add(h, FG_GRID_HIT_APPS, action, application, 1);
	add(h, FG_GRID_HIT_DEVICES, action, device, 1);
}

/* -------------------------------------------------------- reading, restoring
 */

uint16_t fg_history_places(const struct fg_history *h, enum fg_thing thing)
{
	return h->count[thing];
}

const struct fg_name_place *fg_history_at(const struct fg_history *h,
					  enum fg_thing thing, uint16_t place)
{
	return &h->place[thing][place];
}

const uint64_t *fg_history_cells(const struct fg_history *h,
				 enum fg_grid_name grid)
{
	return h->cells[grid];
}

int64_t fg_history_newest(const struct fg_history *h, bool hourly)
{
	return hourly ? h->hours.newest : h->slots.newest;
}

int fg_history_restore_place(struct fg_history *h, enum fg_thing thing,
			     const struct fg_name_place *place)
{
	uint16_t before = h->count[thing];
	uint16_t at;

	if (before == places_max[thing])
		return -EINVAL;
	at = fg_history_place(h, thing, &place->name, place->observe);
	if (at != before) /* the same name twice */
		return -EINVAL;
	fg_history_note(h, thing, at, &place->note);
	return 0;
}

int fg_history_restore_cell(struct fg_history *h, enum fg_grid_name grid,
			    size_t at, uint64_t value)
{
	const struct fg_grid_shape *g = &fg_grid_shapes[grid];
	size_t row = at / g->width % g->height, column = at % g->width;

	if (at >= fg_grid_size(grid) || row >= h->count[g->rows] ||
	    (g->columns != FG_THING_COUNT && column >= h->count[g->columns]))
		return -EINVAL;
	h->used = true;
	h->cells[grid][at] = value;
	if (total_of[g->rows] == grid)
		h->place[g->rows][row].total += value;
	return 0;
}

void fg_history_settle(struct fg_history *h, int64_t newest, int64_t hour)
{
	h->slots.newest = newest;
	h->slots.now = (uint16_t)(newest % FG_HISTORY_SLOTS);
	h->hours.newest = hour;
	h->hours.now = (uint16_t)(hour % FG_HISTORY_HOURS);
}
