/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h - the one loop: descriptors, timers, jobs, and the turn in between.
 *
 * A turn: wait, call back what is ready and due, call turn(), run jobs. What
 * cannot be waited for (a regular file) counts as ready always. Time stands
 * still during a turn. Everything here is for the thread that leads (jobs.h).
 */
#ifndef FG_HOST_LOOP_H
#define FG_HOST_LOOP_H

#include <flowgate/plugin.h>

struct fg_loop;

/*
 * turn(): true: go on at once, there is more to do; else *deadline is the
 * monotonic ms at which the next turn is needed at the latest.
 */
int fg_loop_new(struct fg_loop **out,
		bool (*turn)(void *ctx, int64_t *deadline), void *ctx);
void fg_loop_free(struct fg_loop *l);
/* Threads for jobs that block; see fg_jobs_start(). */
int fg_loop_start(struct fg_loop *l, unsigned threads);
void fg_loop_run(struct fg_loop *l);
/* fg_loop_run() returns after this turn. */
void fg_loop_stop(struct fg_loop *l);

/* In this turn: more input waits, which jobs must not keep us from. */
void fg_loop_more(struct fg_loop *l);

int64_t fg_loop_now(const struct fg_loop *l);  /* monotonic ms */
int64_t fg_loop_wall(const struct fg_loop *l); /* epoch ms */
/* Reads the clocks again: before the first turn, after something long. */
void fg_loop_tell_time(struct fg_loop *l);

/* Also to change watch->events. 0 or -errno. */
int fg_loop_watch(struct fg_loop *l, struct fg_watch *watch);
/* Safe for one that is not watched; no call after it, not even a pending one */
void fg_loop_unwatch(struct fg_loop *l, struct fg_watch *watch);
int fg_loop_timer_set(struct fg_loop *l, struct fg_timer *timer,
		      int64_t deadline);
void fg_loop_timer_cancel(struct fg_loop *l, struct fg_timer *timer);
/* See fg_jobs_submit(). */
int fg_loop_submit(struct fg_loop *l, struct fg_job *job, unsigned *in_flight);
unsigned fg_loop_jobs(const struct fg_loop *l); /* pending ones */
/* One that another thread ran has come back: its done() is due. */
bool fg_loop_job_back(const struct fg_loop *l);
uint64_t fg_loop_stuck(const struct fg_loop *l);

#endif
