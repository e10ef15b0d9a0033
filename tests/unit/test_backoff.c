/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_backoff.c - waits double to 15 s, differ, and begin anew when asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"

static const int64_t waits[] = {250,  500,   1000,  2000, 4000,
				8000, 15000, 15000, 15000};
#define WAITS (sizeof(waits) / sizeof(*waits))

static void doubling(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct fg_backoff b;

		fg_backoff_init(&b, seed * 0x9e3779b97f4a7c15u);
		for (int again = 0; again < 2; again++) {
			for (size_t i = 0; i < WAITS; i++) {
				int64_t ms = fg_backoff_next(&b);

				assert_true(ms <= waits[i]);
				assert_true(ms >= waits[i] - waits[i] / 4);
			}
			fg_backoff_reset(&b);
		}
	}
}

/* Of many gateways that lost the same agent, each quarter second has some. */
static void jitter(void **state)
{
	unsigned share[15] = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 1500; seed++) {
		struct fg_backoff b;
		int64_t ms = 0;

		fg_backoff_init(&b, seed * 0x9e3779b97f4a7c15u);
		for (size_t i = 0; i < WAITS; i++)
			ms = fg_backoff_next(&b);
		share[(ms - 11250) * 15 / 3751]++;
	}
	for (size_t i = 0; i < 15; i++)
		assert_in_range(share[i], 50, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubling),
		cmocka_unit_test(jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
