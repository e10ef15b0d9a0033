/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_leftout.c - when all members are left out for a minute, it is said. */
/* LINK: plugins/nftset/leftout.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../plugins/nftset/leftout.h"

/* A host of which only the clock, one timer and the log are wanted. */
static int64_t clock_ms;
static struct fg_timer *timer;
static char said[512];
static unsigned times;

static int64_t now(const struct fg_host *host)
{
	(void)host;
	return clock_ms;
}

static void timer_set(const struct fg_host *host, struct fg_timer *t,
		      int64_t deadline)
{
	(void)host;
	t->deadline = deadline;
	timer = t;
}

static void timer_cancel(const struct fg_host *host, struct fg_timer *t)
{
	(void)host;
	t->deadline = 0;
	timer = NULL;
}

static FG_PRINTF(3, 4) void say(const struct fg_host *host, enum fg_level level,
				const char *fmt, ...)
{
	va_list ap;

	(void)host;
	assert_int_equal(level, FG_LOG_WARNING);
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	times++;
}

static const struct fg_host host = {
	.size = sizeof(host),
	.log = say,
	.now = now,
	.timer_set = timer_set,
	.timer_cancel = timer_cancel,
};

static void wait_until(int64_t ms)
{
	clock_ms = ms;
	if (timer && timer->deadline <= ms) {
		struct fg_timer *t = timer;

		timer = NULL;
		t->deadline = 0;
		t->expired(t, ms);
	}
}

static uint64_t counted[FG_OUT_COUNT];
static size_t counters;

static void more(void *ctx, const char *name, uint64_t value)
{
	(void)ctx;
	assert_memory_equal(name, "left_out_", 9);
	counted[counters++] = value;
}

static int setup(void **state)
{
	clock_ms = 1000;
	timer = NULL;
	times = 0;
	counters = 0;
	said[0] = '\0';
	return fg_leftout_new((struct fg_leftout **)state, &host, "block");
}

static int teardown(void **state)
{
	fg_leftout_free(*state);
	assert_null(timer);
	return 0;
}

static void all_of_them(void **state)
{
	struct fg_leftout *l = *state;

	for (int i = 0; i < 3; i++)
		fg_leftout_count(l, FG_OUT_SIDE);
	wait_until(60999);
	assert_int_equal(times, 0);
	wait_until(61000);
	assert_int_equal(times, 1);
	assert_string_equal(said, "target \"block\": the last minute's members "
				  "(3) are all left out: they are of the side "
				  "that \"sides\" leaves out");
	/* the next minute is one of its own, and begins with a member */
	wait_until(300000);
	assert_int_equal(times, 1);
	fg_leftout_count(l, FG_OUT_KEY);
	wait_until(359999);
	assert_int_equal(times, 1);
	wait_until(360000);
	assert_int_equal(times, 2);
	assert_non_null(strstr(said, "members (1)"));
	assert_non_null(strstr(said, "the agent does not say"));
}

/* One member with an element is enough: nothing is wrong with the target. */
static void not_all(void **state)
{
	struct fg_leftout *l = *state;

	fg_leftout_count(l, FG_OUT_SIDE);
	wait_until(50000);
	fg_leftout_end(l);
	wait_until(61000);
	assert_int_equal(times, 0);
	fg_leftout_count(l, FG_OUT_SIDE);
	wait_until(120999);
	assert_int_equal(times, 0);
	wait_until(121000);
	assert_int_equal(times, 1);
}

static void each_is_counted(void **state)
{
	struct fg_leftout *l = *state;
	struct fg_status status = {.size = sizeof(status), .more = more};

	for (int why = FG_OUT_NOT + 1; why < FG_OUT_COUNT; why++)
		for (int i = 0; i < why; i++)
			fg_leftout_count(l, (enum fg_out)why);
	fg_leftout_end(l);
	fg_leftout_status(l, &status);
	assert_int_equal(counters, FG_OUT_COUNT - 1);
	for (size_t i = 0; i < counters; i++)
		assert_int_equal(counted[i], i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_them, setup, teardown),
		cmocka_unit_test_setup_teardown(not_all, setup, teardown),
		cmocka_unit_test_setup_teardown(each_is_counted, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
