/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule.h - time_of_day: when an action is in force.
 *
 * A window is what the clock on the wall shows: from time_start until before
 * time_end on each of its days, into the next day when it ends before it
 * starts. Where summer time begins, the hour that no clock shows is no part of
 * any window; where it ends, the hour that clocks show twice is, twice.
 * time_end 23:59 is the end of the day, not a minute before.
 *
 * In force is: within any inclusive window (if there are such), and outside of
 * all exclusive ones. Times are Unix seconds.
 */
#ifndef FG_POLICY_SCHEDULE_H
#define FG_POLICY_SCHEDULE_H

#include "json.h"
#include "zone.h"

struct fg_schedule;

/*
 * Reads the list node. 0; -EINVAL, all errors said at their places; -ENOMEM.
 * The zone must outlive it.
 */
int fg_schedule_new(struct fg_schedule **out, const struct fg_node *list,
		    const struct fg_zone *zone);
void fg_schedule_free(struct fg_schedule *s);

bool fg_schedule_open(const struct fg_schedule *s, int64_t t);
/* The first second after t when fg_schedule_open() is another; or INT64_MAX. */
int64_t fg_schedule_next(const struct fg_schedule *s, int64_t t);

/* "mon-fri 21:00-06:00, not sat 12:00-13:00". Returns out. */
const char *fg_schedule_show(const struct fg_schedule *s, char *out,
			     size_t size);
/* A time as its clocks show it: "Fri 2024-03-01 21:00". Returns out. */
const char *fg_schedule_show_time(const struct fg_schedule *s, int64_t t,
				  char out[32]);

#endif
