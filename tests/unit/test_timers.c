/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_timers.c - the heap of timers against a plain list. */
/* LINK: common/host/timers.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "host/timers.h"

#define MANY 200

static int64_t least(const struct fg_timer *timers)
{
	int64_t min = INT64_MAX;

	for (size_t i = 0; i < MANY; i++)
		if (timers[i].deadline && timers[i].deadline < min)
			min = timers[i].deadline;
	return min;
}

/* Sets, moves and cancels at random: the next is always the least. */
static void random_steps(void **state)
{
	struct fg_timer timers[MANY] = {0};
	struct fg_timers t;

	(void)state;
	srand(7);
	/* Room for few, so that growing is part of it. */
	assert_int_equal(fg_timers_init(&t, 4), 0);
	for (int step = 0; step < 20000; step++) {
		struct fg_timer *timer = &timers[rand() % MANY];
		int64_t now;

		switch (rand() % 4) {
		case 0:
			fg_timers_cancel(&t, timer);
			assert_int_equal(timer->deadline, 0);
			break;
		case 1:
			now = rand() % 1000;
			timer = fg_timers_due(&t, now);
			if (timer)
				assert_int_equal(timer->deadline, 0);
			else
				assert_true(least(timers) > now);
			break;
		default:
			assert_int_equal(
				fg_timers_set(&t, timer, rand() % 1000), 0);
			break;
		}
		assert_int_equal(fg_timers_next(&t), least(timers));
	}
	fg_timers_fini(&t);
}

/* A deadline of 0 means "not set": one in the past is still set. */
static void the_past_is_due(void **state)
{
	struct fg_timer timer = {0};
	struct fg_timers t;

	(void)state;
	assert_int_equal(fg_timers_init(&t, 4), 0);
	fg_timers_set(&t, &timer, 0);
	assert_ptr_equal(fg_timers_due(&t, 1), &timer);
	fg_timers_set(&t, &timer, -5);
	assert_ptr_equal(fg_timers_due(&t, 1), &timer);
	assert_null(fg_timers_due(&t, 1));
	fg_timers_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_steps),
		cmocka_unit_test(the_past_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
