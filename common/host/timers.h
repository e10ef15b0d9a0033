/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timers.h - one-shot timers, ordered in a heap by their deadline.
 *
 * struct fg_timer is its user's; while set, deadline and slot are ours. A
 * deadline is monotonic ms; 0 means not set.
 */
#ifndef FG_HOST_TIMERS_H
#define FG_HOST_TIMERS_H

#include <flowgate/plugin.h>

struct fg_timers {
	struct fg_timer **heap;
	uint32_t count;
	uint32_t room;
};

/* Room for so many before set() has to allocate. 0 or -ENOMEM. */
int fg_timers_init(struct fg_timers *t, uint32_t room);
void fg_timers_fini(struct fg_timers *t);
/* Also to move one that is set. 0 or -ENOMEM. */
int fg_timers_set(struct fg_timers *t, struct fg_timer *timer,
		  int64_t deadline);
void fg_timers_cancel(struct fg_timers *t, struct fg_timer *timer);
/* INT64_MAX: none is set. */
int64_t fg_timers_next(const struct fg_timers *t);
/* Takes out one that is due, or NULL. */
struct fg_timer *fg_timers_due(struct fg_timers *t, int64_t now);

#endif
