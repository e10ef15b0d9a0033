/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.c - epoll, timers, jobs: one turn after the other. */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "jobs.h"
#include "timers.h"

#define EVENTS	     64
#define FIRST_SLOTS  64
#define FIRST_TIMERS 1024

struct slot {
	struct fg_watch *watch; /* NULL: free */
	uint32_t generation;	/* tells an event of the one before */
	bool always;		/* epoll refuses it: it never blocks */
};

struct fg_loop {
	bool (*turn)(void *ctx, int64_t *deadline);
	void *ctx;
	int epoll;
	bool stop;
	bool busy;
	bool more; /* input waits */
	int64_t deadline;
	int64_t now;
	int64_t wall;
	struct slot *slots;
	uint32_t slot_count;
	uint32_t always;
	struct fg_timers timers;
	struct fg_jobs *jobs;
	struct fg_watch jobs_watch;
	struct fg_watch clock_watch; /* tells when the wall clock jumps */
};

void fg_loop_tell_time(struct fg_loop *l)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	l->now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	clock_gettime(CLOCK_REALTIME, &ts);
	l->wall = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t fg_loop_now(const struct fg_loop *l)
{
	return l->now;
}

int64_t fg_loop_wall(const struct fg_loop *l)
{
	return l->wall;
}

void fg_loop_more(struct fg_loop *l)
{
	l->more = true;
}

void fg_loop_stop(struct fg_loop *l)
{
	l->stop = true;
}

/* --------------------------------------------------------------- watches */

static int slot_index(const struct fg_watch *watch)
{
	return (int)(intptr_t)watch->host_private - 1;
}

static int free_slot(struct fg_loop *l)
{
	uint32_t n = l->slot_count; /* never 0 */
	struct slot *more;

	for (uint32_t i = 0; i < n; i++)
		if (!l->slots[i].watch)
			return (int)i;
	more = reallocarray(l->slots, 2 * (size_t)n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	for (uint32_t i = n; i < 2 * n; i++)
		more[i] = (struct slot){0};
	l->slots = more;
	l->slot_count = 2 * n;
	return (int)n;
}

int fg_loop_watch(struct fg_loop *l, struct fg_watch *watch)
{
	bool known = watch->host_private != NULL;
	int i = known ? slot_index(watch) : free_slot(l);
	struct epoll_event ev = {.events = watch->events};
	struct slot *s;

	if (i < 0)
		return i;
	s = &l->slots[i];
	if (s->always)
		return 0;
	ev.data.u64 = (uint64_t)s->generation << 32 | (uint32_t)i;
	if (epoll_ctl(l->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		      watch->fd, &ev) < 0) {
		if (errno != EPERM)
			return -errno;
		s->always = true;
		l->always++;
	}
	s->watch = watch;
	watch->host_private = (void *)(intptr_t)(i + 1);
	return 0;
}

void fg_loop_unwatch(struct fg_loop *l, struct fg_watch *watch)
{
	struct slot *s;

	if (!watch->host_private)
		return;
	s = &l->slots[slot_index(watch)];
	if (s->always)
		l->always--;
	else
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	*s = (struct slot){.generation = s->generation + 1};
	watch->host_private = NULL;
}

/* ------------------------------------------------------- timers and jobs */

int fg_loop_timer_set(struct fg_loop *l, struct fg_timer *timer,
		      int64_t deadline)
{
	return fg_timers_set(&l->timers, timer, deadline);
}

void fg_loop_timer_cancel(struct fg_loop *l, struct fg_timer *timer)
{
	fg_timers_cancel(&l->timers, timer);
}

int fg_loop_submit(struct fg_loop *l, struct fg_job *job, unsigned *in_flight)
{
	return fg_jobs_submit(l->jobs, job, in_flight);
}

unsigned fg_loop_jobs(const struct fg_loop *l)
{
	return fg_jobs_pending(l->jobs);
}

bool fg_loop_job_back(const struct fg_loop *l)
{
	return fg_jobs_back(l->jobs);
}

uint64_t fg_loop_stuck(const struct fg_loop *l)
{
	return fg_jobs_stuck(l->jobs);
}

static void jobs_ready(struct fg_watch *watch, uint32_t events)
{
	struct fg_loop *l = watch->ctx;

	(void)events;
	fg_jobs_collect(l->jobs);
}

/* ------------------------------------------------------------- the clock */

static void clock_arm(struct fg_loop *l)
{
	/* Never to expire: all it does is to be cancelled by a jump. */
	struct itimerspec far = {.it_value = {.tv_sec = INT32_MAX}};

	timerfd_settime(l->clock_watch.fd,
			TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
			NULL);
}

static void clock_ready(struct fg_watch *watch, uint32_t events)
{
	uint64_t expirations;
	struct fg_loop *l = watch->ctx;

	(void)events;
	/* ECANCELED; the turn that follows sees the new time. */
	if (read(watch->fd, &expirations, sizeof(expirations)) < 0)
		clock_arm(l);
}

/* ------------------------------------------------------------- the turns */

static int timeout(const struct fg_loop *l)
{
	int64_t until = fg_timers_next(&l->timers);
	struct timespec ts;
	int64_t now;

	if (l->busy || l->always)
		return 0;
	if (l->deadline < until)
		until = l->deadline;
	if (until == INT64_MAX)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	if (until <= now)
		return 0;
	return until - now > INT_MAX ? INT_MAX : (int)(until - now);
}

static void call_ready(struct fg_loop *l, const struct epoll_event *ev)
{
	struct slot *s = &l->slots[(uint32_t)ev->data.u64];

	if (s->watch && s->generation == ev->data.u64 >> 32)
		s->watch->ready(s->watch, ev->events);
}

static void call_always(struct fg_loop *l)
{
	for (uint32_t i = 0; l->always && i < l->slot_count; i++)
		if (l->slots[i].always)
			l->slots[i].watch->ready(l->slots[i].watch,
						 l->slots[i].watch->events);
}

/* As jobs.h wants it: true at the end, false when another thread leads. */
static bool lead(void *ctx)
{
	struct epoll_event events[EVENTS];
	struct fg_loop *l = ctx;

	for (;;) {
		int n = epoll_wait(l->epoll, events, EVENTS, timeout(l));
		struct fg_timer *timer;
		bool ran = true;

		l->more = false;
		fg_loop_tell_time(l);
		for (int i = 0; i < n; i++)
			call_ready(l, &events[i]);
		call_always(l);
		/* Who lent it has read on meanwhile: no turn of waiting. */
		if (fg_jobs_back(l->jobs))
			fg_jobs_collect(l->jobs);
		/* Only those due now: one set for "now" again may not starve.
		 */
		for (uint32_t due = l->timers.count; due; due--) {
			timer = fg_timers_due(&l->timers, l->now);
			if (!timer)
				break;
			timer->expired(timer, l->now);
		}
		/* Once more for what the jobs' done() made possible. */
		for (int round = 0; ran && round < 2; round++) {
			unsigned pending;

			l->deadline = INT64_MAX;
			l->busy = l->turn(l->ctx, &l->deadline);
			if (l->stop)
				return true;
			pending = fg_jobs_pending(l->jobs);
			if (!fg_jobs_run(l->jobs, l->more))
				return false;
			ran = fg_jobs_pending(l->jobs) < pending;
		}
		l->busy |= ran || fg_jobs_runnable(l->jobs);
	}
}

void fg_loop_run(struct fg_loop *l)
{
	fg_jobs_serve(l->jobs);
}

int fg_loop_start(struct fg_loop *l, unsigned threads)
{
	return fg_jobs_start(l->jobs, threads);
}

int fg_loop_new(struct fg_loop **out,
		bool (*turn)(void *ctx, int64_t *deadline), void *ctx)
{
	struct fg_loop *l = calloc(1, sizeof(*l));
	int ret;

	if (!l)
		return -ENOMEM;
	l->turn = turn;
	l->ctx = ctx;
	l->epoll = -1;
	l->clock_watch.fd = -1;
	l->slots = calloc(FIRST_SLOTS, sizeof(*l->slots));
	l->slot_count = FIRST_SLOTS;
	ret = -ENOMEM;
	if (!l->slots)
		goto fail;
	ret = fg_timers_init(&l->timers, FIRST_TIMERS);
	if (ret < 0)
		goto fail;
	ret = fg_jobs_new(&l->jobs, lead, l);
	if (ret < 0)
		goto fail;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		ret = -errno;
		goto fail;
	}
	l->jobs_watch = (struct fg_watch){.fd = fg_jobs_fd(l->jobs),
					  .events = EPOLLIN,
					  .ready = jobs_ready,
					  .ctx = l};
	l->clock_watch = (struct fg_watch){
		.fd = timerfd_create(CLOCK_REALTIME,
				     TFD_CLOEXEC | TFD_NONBLOCK),
		.events = EPOLLIN,
		.ready = clock_ready,
		.ctx = l};
	ret = fg_loop_watch(l, &l->jobs_watch);
	if (ret < 0)
		goto fail;
	ret = l->clock_watch.fd < 0 ? -errno
				    : fg_loop_watch(l, &l->clock_watch);
	if (ret < 0)
		goto fail;
	clock_arm(l);
	fg_loop_tell_time(l);
	*out = l;
	return 0;

fail:
	fg_loop_free(l);
	return ret;
}

void fg_loop_free(struct fg_loop *l)
{
	if (!l)
		return;
	if (l->clock_watch.fd >= 0)
		close(l->clock_watch.fd);
	if (l->epoll >= 0)
		close(l->epoll);
	fg_jobs_free(l->jobs);
	fg_timers_fini(&l->timers);
	free(l->slots);
	free(l);
}
