/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver.c - the smallest host that targets can live in: what it keeps, and how
 * time passes for them.
 */
#include "driver.h"

#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

void driver_complain(struct driver *d, const char *fmt, ...)
{
	va_list ap;

	fputs("target-driver: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	d->failed = true;
}

static size_t heap_used(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

void driver_heap_mark(struct driver *d)
{
	d->heap = heap_used();
}

void driver_heap_check(struct driver *d, const char *what)
{
	size_t now = heap_used();

	if (now != d->heap)
		driver_complain(d, "%s changed the heap by %td bytes", what,
				(ptrdiff_t)(now - d->heap));
}

int64_t driver_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool driver_run_jobs(struct driver *d)
{
	struct fg_job *job[JOBS_MAX];
	int n = d->jobs;

	memcpy(job, d->job, sizeof(job));
	d->jobs = 0;
	for (int i = 0; i < n; i++) {
		job[i]->run(job[i]);
		job[i]->done(job[i]);
	}
	return n;
}

static void run_timers(struct driver *d)
{
	int64_t now = driver_now();

	for (int i = 0; i < d->timers; i++) {
		struct fg_timer *t = d->timer[i];

		if (t->deadline > now)
			continue;
		d->host.timer_cancel(&d->host, t);
		t->expired(t, now);
		i = -1; /* it may have set and cancelled any */
	}
}

void driver_serve(struct driver *d, int64_t ms)
{
	struct pollfd fds[WATCHES_MAX];
	struct fg_watch *w[WATCHES_MAX];
	int64_t now = driver_now();
	int n = d->watches;

	for (int i = 0; i < d->timers; i++)
		if (d->timer[i]->deadline - now < ms)
			ms = d->timer[i]->deadline - now;
	for (int i = 0; i < n; i++) {
		w[i] = d->watch[i];
		fds[i] = (struct pollfd){
			w[i]->fd,
			(w[i]->events & EPOLLIN ? POLLIN : 0) |
				(w[i]->events & EPOLLOUT ? POLLOUT : 0),
			0};
	}
	if (poll(fds, (nfds_t)n, ms < 0 || d->jobs ? 0 : (int)ms) < 0)
		return;
	driver_heap_mark(d);
	driver_run_jobs(d);
	for (int i = 0; i < n; i++)
		if (fds[i].revents)
			w[i]->ready(w[i], (uint32_t)fds[i].revents);
	run_timers(d);
	driver_heap_check(d, "a timer or descriptor");
}
