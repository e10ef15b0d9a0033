/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs.c - the baton, the standby threads, the helper and the queue of jobs. */
#include "jobs.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 8
#define CHUNK	    64
#define PATIENCE_NS (FG_JOBS_PATIENCE_MS * INT64_C(1000000))
/* A leader reads configurations and resolves names: not on a tiny stack. */
#define STACK_BYTES (1u << 20)

struct pending {
	struct fg_job *job;
	unsigned *in_flight;
	struct pending *next;
};

struct chunk {
	struct chunk *next;
	struct pending pending[CHUNK];
};

struct fg_jobs {
	bool (*lead)(void *ctx);
	void *ctx;

	/* Odd while held, even while it lies there; only ever counts up. */
	_Atomic uint64_t baton;
	_Atomic int64_t down_since; /* ns; set before the baton is laid down */
	_Atomic bool armed;	    /* patience will run out */
	_Atomic bool ending;
	_Atomic unsigned standby;	    /* threads that could take it */
	_Atomic(struct pending *) returned; /* by threads that lost it */
	int patience;			    /* timerfd the standby waits on */
	int wake; /* eventfd: something was returned */
	pthread_t threads[THREADS_MAX];
	unsigned thread_count;
	pthread_t helper;
	bool helped; /* there is one */
	sem_t call;  /* it waits on; posted: given, or it ends */
	_Atomic(struct pending *) given; /* and not begun */

	/* The holder's: */
	struct pending *lent; /* given, and not back */
	int64_t lent_since;   /* ns */
	struct pending *queue, **tail;
	struct pending *unused;
	struct chunk *chunks;
	unsigned pending;
	uint64_t stuck;
};

static int64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int more_pending(struct fg_jobs *j)
{
	struct chunk *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->next = j->chunks;
	j->chunks = c;
	for (size_t i = 0; i < CHUNK; i++) {
		c->pending[i].next = j->unused;
		j->unused = &c->pending[i];
	}
	return 0;
}

int fg_jobs_new(struct fg_jobs **out, bool (*lead)(void *ctx), void *ctx)
{
	struct fg_jobs *j = calloc(1, sizeof(*j));
	int ret = -ENOMEM;

	if (!j)
		return -ENOMEM;
	j->lead = lead;
	j->ctx = ctx;
	j->baton = 1;
	j->tail = &j->queue;
	j->patience = -1;
	j->wake = -1;
	sem_init(&j->call, 0, 0);
	if (more_pending(j) < 0)
		goto fail;
	j->patience = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (j->patience < 0)
		goto fail_errno;
	j->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (j->wake < 0)
		goto fail_errno;
	*out = j;
	return 0;

fail_errno:
	ret = -errno;
fail:
	fg_jobs_free(j);
	return ret;
}

void fg_jobs_free(struct fg_jobs *j)
{
	if (!j)
		return;
	while (j->chunks) {
		struct chunk *c = j->chunks;

		j->chunks = c->next;
		free(c);
	}
	if (j->patience >= 0)
		close(j->patience);
	if (j->wake >= 0)
		close(j->wake);
	sem_destroy(&j->call);
	free(j);
}

/* ------------------------------------------------------- standby threads */

static void arm(struct fg_jobs *j, int64_t ns)
{
	/* 0 would disarm it */
	struct itimerspec in = {
		.it_value = {ns / 1000000000, ns % 1000000000 + (ns == 0)},
	};

	timerfd_settime(j->patience, 0, &in, NULL);
}

/* True: the baton is ours, lead. False: it is over. */
static bool stand_by(struct fg_jobs *j)
{
	bool lead = false;

	/* The leader may be waiting for one of us to run its jobs. */
	if (j->standby++ == 0)
		eventfd_write(j->wake, 1);
	while (!lead && !j->ending) {
		uint64_t expirations, baton;
		int64_t down;

		if (read(j->patience, &expirations, sizeof(expirations)) < 0)
			continue;
		/*
		 * Not armed any more, then look; the leader lays it down, then
		 * looks whether it is armed. One of us sees the other.
		 */
		j->armed = false;
		baton = j->baton;
		if (baton & 1)
			continue;
		down = clock_ns() - j->down_since;
		if (down >= PATIENCE_NS) {
			lead = atomic_compare_exchange_strong(&j->baton, &baton,
							      baton + 1);
		} else if (!atomic_exchange(&j->armed, true)) {
			arm(j, PATIENCE_NS - down);
		}
	}
	j->standby--;
	if (lead)
		j->stuck++;
	else
		arm(j, 1); /* wakes the next one to see that it is over */
	return lead;
}

static void serve(struct fg_jobs *j, bool leader)
{
	for (;;) {
		if (!leader && !stand_by(j))
			return;
		leader = false;
		if (j->lead(j->ctx)) {
			j->ending = true;
			arm(j, 1);
			return;
		}
	}
}

static void *thread_main(void *arg)
{
	serve(arg, false);
	return NULL;
}

/* What the leader does not wait for: p is among the returned. */
static void hand_in(struct fg_jobs *j, struct pending *p)
{
	p->next = j->returned;
	while (!atomic_compare_exchange_weak(&j->returned, &p->next, p))
		;
	eventfd_write(j->wake, 1);
}

/* ---------------------------------------------------------------- helper */

static void *helper_main(void *arg)
{
	struct fg_jobs *j = arg;

	for (;;) {
		struct pending *p;

		while (sem_wait(&j->call) < 0)
			;
		if (j->ending)
			return NULL;
		p = atomic_exchange(&j->given, NULL);
		if (!p)
			continue; /* it was taken back */
		p->job->run(p->job);
		hand_in(j, p);
	}
}

/* With one CPU to run on it could only take it away from the leader. */
static bool helper_of_use(void)
{
	cpu_set_t cpus;

	/* an error: there are too many of them for the set */
	return sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ||
	       CPU_COUNT(&cpus) > 1;
}

static bool overdue(const struct fg_jobs *j)
{
	return clock_ns() - j->lent_since >= PATIENCE_NS;
}

static void lend(struct fg_jobs *j, struct pending *p)
{
	j->lent = p;
	j->lent_since = clock_ns();
	j->given = p;
	sem_post(&j->call);
}

int fg_jobs_start(struct fg_jobs *j, unsigned threads)
{
	pthread_attr_t attr;
	int ret = 0;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (j->thread_count < threads) {
		ret = pthread_create(&j->threads[j->thread_count], &attr,
				     thread_main, j);
		if (ret)
			break;
		j->thread_count++;
	}
	if (!ret && threads && helper_of_use())
		j->helped = !pthread_create(&j->helper, &attr, helper_main, j);
	pthread_attr_destroy(&attr);
	return -ret;
}

void fg_jobs_serve(struct fg_jobs *j)
{
	serve(j, true);
	for (unsigned i = 0; i < j->thread_count; i++)
		pthread_join(j->threads[i], NULL);
	j->thread_count = 0;
	if (!j->helped)
		return;
	sem_post(&j->call);
	pthread_join(j->helper, NULL);
	j->helped = false;
}

/* ----------------------------------------------------------------- queue */

int fg_jobs_submit(struct fg_jobs *j, struct fg_job *job, unsigned *in_flight)
{
	struct pending *p;

	if (job->host_private)
		return -EBUSY;
	if (!j->unused && more_pending(j) < 0)
		return -ENOMEM;
	p = j->unused;
	j->unused = p->next;
	*p = (struct pending){job, in_flight, NULL};
	*j->tail = p;
	j->tail = &p->next;
	job->host_private = p;
	j->pending++;
	++*in_flight;
	return 0;
}

static void finish(struct fg_jobs *j, struct pending *p)
{
	struct fg_job *job = p->job;

	--*p->in_flight;
	j->pending--;
	p->next = j->unused;
	j->unused = p;
	job->host_private = NULL;
	job->done(job);
}

/* False: the baton was gone afterwards, p is among the returned. */
static bool run_one(struct fg_jobs *j, struct pending *p)
{
	uint64_t down = j->baton + 1;

	if (j->thread_count == 0) {
		p->job->run(p->job);
		return true;
	}
	j->down_since = clock_ns();
	j->baton = down;
	if (!j->armed && !atomic_exchange(&j->armed, true))
		arm(j, PATIENCE_NS);
	p->job->run(p->job);
	if (atomic_compare_exchange_strong(&j->baton, &down, down + 1))
		return true;
	hand_in(j, p);
	return false;
}

bool fg_jobs_runnable(const struct fg_jobs *j)
{
	/* The last thread does not risk to be stuck, too: it reads. */
	return j->queue && (j->thread_count == 0 || j->standby > 0);
}

static struct pending *dequeue(struct fg_jobs *j)
{
	struct pending *p = j->queue;

	j->queue = p->next;
	if (!j->queue)
		j->tail = &j->queue;
	return p;
}

/* What the helper has not begun comes first again. False: there is no such. */
static bool take_back(struct fg_jobs *j)
{
	struct pending *p = atomic_exchange(&j->given, NULL);

	if (!p)
		return false;
	j->lent = NULL;
	p->next = j->queue;
	j->queue = p;
	if (!p->next)
		j->tail = &p->next;
	return true;
}

bool fg_jobs_run(struct fg_jobs *j, bool busy)
{
	/* no CPU was free for the helper in a whole turn: do without */
	bool lends = !take_back(j) && busy && j->helped;
	struct pending **end = j->tail;
	bool last = !j->queue;

	while (!last && fg_jobs_runnable(j)) {
		struct pending *p;

		if (busy && j->lent && !overdue(j))
			break;
		last = &j->queue->next == end;
		p = dequeue(j);
		if (lends && !j->lent) {
			lend(j, p);
			continue;
		}
		if (!run_one(j, p))
			return false;
		finish(j, p);
	}
	return true;
}

unsigned fg_jobs_pending(const struct fg_jobs *j)
{
	return j->pending;
}

int fg_jobs_fd(const struct fg_jobs *j)
{
	return j->wake;
}

bool fg_jobs_back(const struct fg_jobs *j)
{
	return j->returned;
}

void fg_jobs_collect(struct fg_jobs *j)
{
	struct pending *p, *next;
	uint64_t count;

	/* first, or the call of one that comes back now would be lost */
	(void)!read(j->wake, &count, sizeof(count));
	for (p = atomic_exchange(&j->returned, NULL); p; p = next) {
		next = p->next;
		if (p == j->lent) {
			j->stuck += overdue(j);
			j->lent = NULL;
		}
		finish(j, p);
	}
}

uint64_t fg_jobs_stuck(const struct fg_jobs *j)
{
	return j->stuck;
}
