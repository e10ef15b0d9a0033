/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_loop.c - descriptors, timers and jobs of the loop; above all, that a
 * job that is stuck holds up nothing else.
 */
/* LINK: common/host/loop.c common/host/jobs.c common/host/timers.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/jobs.h"
#include "host/loop.h"

struct job {
	struct fg_job job;
	struct fixture *f;
	int gate[2]; /* run() reads from it; -1: does not wait */
	int runs, dones;
	_Atomic bool in_run; /* only while run() is running */
	pthread_t by;	     /* who ran it last */
};

struct fixture {
	struct fg_loop *loop;
	struct fg_watch watch;
	struct fg_timer timer;
	int pipe[2];
	size_t bytes; /* read by the watch */
	int turns, expired;
	bool warm_up;
	unsigned in_flight;
	struct job jobs[4];
	bool (*turn)(struct fixture *f, int64_t *deadline);
	pthread_t leader[64]; /* of each of the first turns */
};

static void submit(struct fixture *f, size_t i, int expect)
{
	assert_int_equal(
		fg_loop_submit(f->loop, &f->jobs[i].job, &f->in_flight),
		expect);
}

static bool turn(void *ctx, int64_t *deadline)
{
	struct fixture *f = ctx;

	/* Until the threads stand by, jobs have to wait: not the case here. */
	if (f->warm_up) {
		if (!f->jobs[3].job.host_private && !f->jobs[3].dones)
			submit(f, 3, 0);
		if (!f->jobs[3].dones)
			return false;
		f->warm_up = false;
	}
	if (f->turns < 64)
		f->leader[f->turns] = pthread_self();
	f->turns++;
	return f->turn ? f->turn(f, deadline) : false;
}

static void job_run(struct fg_job *job)
{
	struct job *j = job->ctx;
	char c;

	j->by = pthread_self();
	j->in_run = true;
	if (j->gate[0] >= 0)
		(void)!read(j->gate[0], &c, 1);
	j->in_run = false;
	j->runs++;
}

static void job_done(struct fg_job *job)
{
	struct job *j = job->ctx;

	assert_false(j->in_run);
	j->dones++;
}

static void pipe_ready(struct fg_watch *watch, uint32_t events)
{
	struct fixture *f = watch->ctx;
	char buffer[256];
	ssize_t n = read(watch->fd, buffer, sizeof(buffer));

	(void)events;
	if (n > 0)
		f->bytes += (size_t)n;
}

static void timer_expired(struct fg_timer *timer, int64_t now)
{
	struct fixture *f = timer->ctx;

	assert_true(now >= 0);
	f->expired++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	assert_int_equal(fg_loop_new(&f->loop, turn, f), 0);
	assert_int_equal(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	f->watch = (struct fg_watch){.fd = f->pipe[0],
				     .events = EPOLLIN,
				     .ready = pipe_ready,
				     .ctx = f};
	f->timer.expired = timer_expired;
	f->timer.ctx = f;
	for (size_t i = 0; i < 4; i++) {
		f->jobs[i].job = (struct fg_job){
			.run = job_run, .done = job_done, .ctx = &f->jobs[i]};
		f->jobs[i].f = f;
		f->jobs[i].gate[0] = f->jobs[i].gate[1] = -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fg_loop_free(f->loop);
	close(f->pipe[0]);
	close(f->pipe[1]);
	for (size_t i = 0; i < 4; i++)
		if (f->jobs[i].gate[0] >= 0) {
			close(f->jobs[i].gate[0]);
			close(f->jobs[i].gate[1]);
		}
	free(f);
	return 0;
}

static void start(struct fixture *f, unsigned threads)
{
	assert_int_equal(fg_loop_start(f->loop, threads), 0);
	f->warm_up = true;
	fg_loop_timer_set(f->loop, &f->timer, 1);
}

static void make_stick(struct fixture *f, size_t i)
{
	assert_int_equal(pipe2(f->jobs[i].gate, O_CLOEXEC), 0);
}

static void let_go(struct fixture *f, size_t i)
{
	assert_int_equal(write(f->jobs[i].gate[1], "x", 1), 1);
}

/* ----------------------------------------------------------------- plain */

static bool stop_after_bytes(struct fixture *f, int64_t *deadline)
{
	if (f->turns == 1)
		assert_int_equal(write(f->pipe[1], "hello", 5), 5);
	if (f->bytes == 5)
		fg_loop_stop(f->loop);
	*deadline = INT64_MAX;
	return f->turns == 1;
}

static void reads_a_pipe(void **state)
{
	struct fixture *f = *state;

	f->turn = stop_after_bytes;
	fg_loop_watch(f->loop, &f->watch);
	fg_loop_timer_set(f->loop, &f->timer, 1);
	fg_loop_run(f->loop);
	assert_int_equal(f->bytes, 5);
	assert_int_equal(f->expired, 1);
	fg_loop_unwatch(f->loop, &f->watch);
	fg_loop_unwatch(f->loop, &f->watch); /* twice does no harm */
}

static bool stop_when_read(struct fixture *f, int64_t *deadline)
{
	(void)deadline;
	if (f->bytes == 3)
		fg_loop_stop(f->loop);
	return false;
}

/* epoll refuses a regular file: it is always ready instead. */
static void reads_a_file(void **state)
{
	char name[] = "/tmp/test_loop.XXXXXX";
	struct fixture *f = *state;
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	f->turn = stop_when_read;
	f->watch.fd = fd;
	assert_int_equal(fg_loop_watch(f->loop, &f->watch), 0);
	fg_loop_run(f->loop);
	assert_int_equal(f->bytes, 3);
	fg_loop_unwatch(f->loop, &f->watch);
	close(fd);
}

static bool stop_at_deadline(struct fixture *f, int64_t *deadline)
{
	static int64_t until;

	if (f->turns == 1)
		until = fg_loop_now(f->loop) + 30;
	*deadline = until;
	if (fg_loop_now(f->loop) >= until)
		fg_loop_stop(f->loop);
	return false;
}

/* The deadline of a turn is slept to, not polled for. */
static void sleeps_to_the_deadline(void **state)
{
	struct fixture *f = *state;
	int64_t start = fg_loop_now(f->loop);

	f->turn = stop_at_deadline;
	fg_loop_timer_set(f->loop, &f->timer, 1);
	fg_loop_run(f->loop);
	assert_true(fg_loop_now(f->loop) - start >= 30);
	assert_in_range(f->turns, 2, 5);
}

/* One that is unwatched by another's callback is not called any more. */
static struct fg_watch *victim;

static void unwatch_victim(struct fg_watch *watch, uint32_t events)
{
	struct fixture *f = watch->ctx;

	(void)events;
	fg_loop_unwatch(f->loop, victim);
	fg_loop_unwatch(f->loop, watch);
	fg_loop_stop(f->loop);
}

static void unwatches_within_a_turn(void **state)
{
	struct fixture *f = *state;
	struct fg_watch a = {.fd = f->pipe[1],
			     .events = EPOLLOUT,
			     .ready = unwatch_victim,
			     .ctx = f};
	struct fg_watch b = a;

	b.fd = dup(f->pipe[1]);
	victim = &b;
	fg_loop_watch(f->loop, &a);
	fg_loop_watch(f->loop, &b);
	fg_loop_run(f->loop); /* either first: the other's call is void */
	assert_true(!a.host_private || !b.host_private);
	fg_loop_unwatch(f->loop, &a);
	fg_loop_unwatch(f->loop, &b);
	close(b.fd);
}

/* ------------------------------------------------------------------ jobs */

static bool submit_two(struct fixture *f, int64_t *deadline)
{
	(void)deadline;
	if (f->turns == 1) {
		submit(f, 0, 0);
		submit(f, 0, -EBUSY);
		submit(f, 1, 0);
		assert_int_equal(f->in_flight, 2);
	}
	if (f->jobs[0].dones && f->jobs[1].dones)
		fg_loop_stop(f->loop);
	return false;
}

static void jobs_run(struct fixture *f)
{
	f->turn = submit_two;
	fg_loop_timer_set(f->loop, &f->timer, 1);
	fg_loop_run(f->loop);
	assert_int_equal(f->jobs[0].runs, 1);
	assert_int_equal(f->jobs[1].runs, 1);
	assert_int_equal(f->in_flight, 0);
	assert_int_equal(fg_loop_jobs(f->loop), 0);
	assert_int_equal(fg_loop_stuck(f->loop), 0);
	/* what done() made possible was seen without waiting */
	assert_int_equal(f->turns, 2);
}

static void jobs_run_inline(void **state)
{
	jobs_run(*state);
}

static void jobs_run_by_the_leader(void **state)
{
	struct fixture *f = *state;

	start(f, 2);
	jobs_run(f);
	assert_true(pthread_equal(f->leader[0], f->leader[1]));
}

static bool while_stuck(struct fixture *f, int64_t *deadline)
{
	if (f->turns == 1) {
		submit(f, 0, 0);
		*deadline = 1;
		return false;
	}
	/* Another thread leads, and reads. */
	if (f->bytes == 0)
		assert_int_equal(write(f->pipe[1], "hello", 5), 5);
	else if (f->bytes == 5 && f->jobs[0].gate[1] >= 0 &&
		 !f->jobs[0].dones) {
		submit(f, 0, -EBUSY);
		let_go(f, 0);
		f->bytes++;
	}
	if (f->jobs[0].dones)
		fg_loop_stop(f->loop);
	return false;
}

static void a_stuck_job_holds_up_nothing(void **state)
{
	struct fixture *f = *state;

	make_stick(f, 0);
	start(f, 1);
	f->turn = while_stuck;
	fg_loop_watch(f->loop, &f->watch);
	fg_loop_timer_set(f->loop, &f->timer, 1);
	fg_loop_run(f->loop);
	assert_int_equal(f->jobs[0].runs, 1);
	assert_int_equal(fg_loop_stuck(f->loop), 1);
	assert_false(pthread_equal(f->leader[0], f->leader[1]));
	assert_int_equal(f->in_flight, 0);
	fg_loop_unwatch(f->loop, &f->watch);
}

/* With nobody left to take over, the last thread reads and runs no job. */
static bool last_thread(struct fixture *f, int64_t *deadline)
{
	*deadline = fg_loop_now(f->loop) + 5;
	if (f->turns == 1) {
		submit(f, 0, 0);
		return false;
	}
	if (f->turns == 2)
		submit(f, 1, 0);
	if (f->turns == 10) {
		assert_int_equal(f->jobs[1].runs, 0);
		let_go(f, 0);
	}
	if (f->jobs[0].dones && f->jobs[1].dones)
		fg_loop_stop(f->loop);
	return false;
}

static void the_last_thread_reads(void **state)
{
	struct fixture *f = *state;

	make_stick(f, 0);
	start(f, 1);
	f->turn = last_thread;
	fg_loop_timer_set(f->loop, &f->timer, 1);
	fg_loop_run(f->loop);
	assert_int_equal(f->jobs[1].runs, 1);
}

/* Two stuck at a time, a third thread reads; again and again. */
static bool stick_often(struct fixture *f, int64_t *deadline)
{
	int rounds = f->jobs[0].dones;

	*deadline = fg_loop_now(f->loop) + 1;
	if (rounds == 5 && f->in_flight == 0) {
		fg_loop_stop(f->loop);
		return false;
	}
	if (f->in_flight == 0 && f->jobs[0].dones == f->jobs[1].dones) {
		submit(f, 0, 0);
		submit(f, 1, 0);
		f->bytes = 0;
	} else if (f->bytes == 0 &&
		   fg_loop_stuck(f->loop) == 2u * (unsigned)rounds + 2) {
		let_go(f, 1);
		let_go(f, 0);
		f->bytes = 1;
	}
	return false;
}

static void sticks_often(void **state)
{
	struct fixture *f = *state;

	make_stick(f, 0);
	make_stick(f, 1);
	start(f, 2);
	f->turn = stick_often;
	fg_loop_timer_set(f->loop, &f->timer, 1);
	fg_loop_run(f->loop);
	assert_int_equal(f->jobs[0].runs, 5);
	assert_int_equal(f->jobs[1].runs, 5);
	assert_int_equal(fg_loop_stuck(f->loop), 10);
}

/* Many that are not stuck, past several ends of patience. */
static bool submit_many(struct fixture *f, int64_t *deadline)
{
	static int64_t until;

	(void)deadline;
	if (f->turns == 1)
		until = fg_loop_now(f->loop) + 5 * FG_JOBS_PATIENCE_MS;
	if (fg_loop_now(f->loop) >= until && f->in_flight == 0) {
		fg_loop_stop(f->loop);
		return false;
	}
	for (size_t i = 0; i < 3; i++)
		if (!f->jobs[i].job.host_private)
			submit(f, i, 0);
	return true;
}

static void quick_jobs_stay_with_the_leader(void **state)
{
	struct fixture *f = *state;

	start(f, 2);
	f->turn = submit_many;
	fg_loop_run(f->loop);
	assert_true(f->jobs[0].runs > 1);
	assert_int_equal(f->jobs[0].runs, f->jobs[0].dones);
}

/* ----------------------------------------------------------- lent jobs */

static bool one_cpu(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ||
	       CPU_COUNT(&cpus) < 2;
}

/* Or it would be taken back. */
static void wait_until_begun(struct job *j)
{
	while (!j->in_run)
		sched_yield();
}

/* The leader has more to read: the job runs meanwhile. */
static bool lend_one(struct fixture *f, int64_t *deadline)
{
	(void)deadline;
	fg_loop_more(f->loop);
	if (f->turns == 1) {
		submit(f, 0, 0);
	} else if (f->turns == 2) {
		wait_until_begun(&f->jobs[0]);
		let_go(f, 0);
	}
	if (f->jobs[0].dones)
		fg_loop_stop(f->loop);
	return true;
}

static void a_busy_leader_lends(void **state)
{
	struct fixture *f = *state;

	if (one_cpu())
		skip();
	make_stick(f, 0);
	start(f, 1);
	f->turn = lend_one;
	fg_loop_run(f->loop);
	assert_int_equal(f->jobs[0].runs, 1);
	assert_int_equal(f->in_flight, 0);
	assert_false(pthread_equal(f->jobs[0].by, f->leader[0]));
	assert_true(pthread_equal(f->leader[0], f->leader[1]));
}

/* Another waits for it to come back, though not for long. */
static bool lend_one_that_sticks(struct fixture *f, int64_t *deadline)
{
	(void)deadline;
	fg_loop_more(f->loop);
	if (f->turns == 1) {
		submit(f, 0, 0);
	} else if (f->turns == 2) {
		wait_until_begun(&f->jobs[0]);
		submit(f, 1, 0);
	} else if (f->jobs[1].dones && !f->bytes) {
		assert_true(f->jobs[0].in_run);
		f->bytes = 1;
		let_go(f, 0);
	}
	if (f->jobs[0].dones)
		fg_loop_stop(f->loop);
	return true;
}

static void a_lent_job_holds_up_no_other(void **state)
{
	struct fixture *f = *state;

	if (one_cpu())
		skip();
	make_stick(f, 0);
	start(f, 1);
	f->turn = lend_one_that_sticks;
	fg_loop_run(f->loop);
	assert_int_equal(f->jobs[1].runs, 1);
	assert_true(pthread_equal(f->jobs[1].by, f->leader[0]));
	assert_int_equal(fg_loop_stuck(f->loop), 1);
	assert_int_equal(f->in_flight, 0);
}

/* Whoever runs them, and be it that they are taken back: each just once. */
static bool lend_many(struct fixture *f, int64_t *deadline)
{
	if (f->turns % 3)
		fg_loop_more(f->loop);
	return submit_many(f, deadline);
}

static void lent_jobs_run_once(void **state)
{
	struct fixture *f = *state;

	start(f, 2);
	f->turn = lend_many;
	fg_loop_run(f->loop);
	for (size_t i = 0; i < 3; i++) {
		assert_true(f->jobs[i].runs > 1);
		assert_int_equal(f->jobs[i].runs, f->jobs[i].dones);
	}
}

/* With one CPU a helper would only be in the way. */
static void none_is_lent_on_one_cpu(void **state)
{
	struct fixture *f = *state;
	cpu_set_t before, one;
	int cpu = sched_getcpu();

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	start(f, 1);
	f->turn = lend_many;
	fg_loop_run(f->loop);
	assert_true(pthread_equal(f->jobs[0].by, f->leader[0]));
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reads_a_pipe),
		T(reads_a_file),
		T(sleeps_to_the_deadline),
		T(unwatches_within_a_turn),
		T(jobs_run_inline),
		T(jobs_run_by_the_leader),
		T(a_stuck_job_holds_up_nothing),
		T(the_last_thread_reads),
		T(sticks_often),
		T(quick_jobs_stay_with_the_leader),
		T(a_busy_leader_lends),
		T(a_lent_job_holds_up_no_other),
		T(lent_jobs_run_once),
		T(none_is_lent_on_one_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
