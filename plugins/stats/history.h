/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h - the last 24 hours: what was used by whom, and what was hit by
 * which rule.
 *
 * Time is a ring of slots (10 minutes, or hours where two kinds of things are
 * crossed); what is too old is overwritten. Things are places in tables of
 * fixed size: when one is full, the thing with the least in it becomes part of
 * "other". Memory is fixed, and touched only as it is used: 2.2 MB at most.
 */
#ifndef FG_STATS_HISTORY_H
#define FG_STATS_HISTORY_H

#include "label.h"

#define FG_HISTORY_SLOTS   144
#define FG_HISTORY_SLOT_MS 600000
#define FG_HISTORY_HOURS   25 /* the current one is not over */
#define FG_HISTORY_HOUR_MS 3600000

enum fg_thing {
	FG_THING_APPLICATION,
	FG_THING_DEVICE,
	FG_THING_ACTION,
	FG_THING_COUNT
};

/* Places of each table, "other", which is 0, included. */
#define FG_APPLICATION_PLACES 65
#define FG_DEVICE_PLACES      65
#define FG_ACTION_PLACES      33

struct fg_name_place {
	struct fg_label name;
	struct fg_label note; /* a device's address, an action's targets */
	bool observe;	      /* the action's mode: a name of its own */
	uint32_t hash;
	uint64_t total; /* of all slots */
};

/* What is counted, by slot, row and column. */
enum fg_grid_name {
	FG_GRID_BYTES,	     /* application x up, down; 10 minutes */
	FG_GRID_USE,	     /* device x application: bytes; hours */
	FG_GRID_HITS,	     /* action: flows; 10 minutes */
	FG_GRID_HIT_APPS,    /* action x application: flows; hours */
	FG_GRID_HIT_DEVICES, /* action x device: flows; hours */
	FG_GRID_COUNT
};

struct fg_grid_shape {
	bool hourly;
	enum fg_thing rows;
	enum fg_thing columns; /* FG_THING_COUNT: not things, .width of them */
	uint16_t width;
	uint16_t height;
	uint16_t slots;
};

extern const struct fg_grid_shape fg_grid_shapes[FG_GRID_COUNT];

struct fg_history;

/* 0 or -ENOMEM. */
int fg_history_new(struct fg_history **out);
void fg_history_free(struct fg_history *h);
void fg_history_clear(struct fg_history *h);

/* What is counted from now on belongs to this moment; epoch ms. */
void fg_history_tell_time(struct fg_history *h, int64_t wall);

/* The place of a name, made when there is none. */
uint16_t fg_history_place(struct fg_history *h, enum fg_thing thing,
			  const struct fg_label *name, bool observe);
void fg_history_note(struct fg_history *h, enum fg_thing thing, uint16_t place,
		     const struct fg_label *note);

void fg_history_bytes(struct fg_history *h, uint16_t application,
		      uint16_t device, uint64_t up, uint64_t down);
void fg_history_hit(struct fg_history *h, uint16_t action, uint16_t application,
		    uint16_t device);

/* ------------------------------------------------------- for state, render */

uint16_t fg_history_places(const struct fg_history *h, enum fg_thing thing);
const struct fg_name_place *fg_history_at(const struct fg_history *h,
					  enum fg_thing thing, uint16_t place);
/* Cells of one grid: [(slot * height + row) * width + column] */
const uint64_t *fg_history_cells(const struct fg_history *h,
				 enum fg_grid_name grid);
size_t fg_grid_size(enum fg_grid_name grid);
/*
 * The youngest slot, as a number of slots since the epoch, 0: none was ever.
 * Slot n is at n % slots.
 */
int64_t fg_history_newest(const struct fg_history *h, bool hourly);

/* Restoring: as it was; -EINVAL when it does not fit. Then settle() once. */
int fg_history_restore_place(struct fg_history *h, enum fg_thing thing,
			     const struct fg_name_place *place);
int fg_history_restore_cell(struct fg_history *h, enum fg_grid_name grid,
			    size_t cell, uint64_t value);
void fg_history_settle(struct fg_history *h, int64_t newest, int64_t hour);

#endif
