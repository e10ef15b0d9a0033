/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bindings: each has its bytes until it, or all that are left, are freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bindings.h"

/* In any order: the sanitizers see what is lost, or freed twice. */
static void freed_in_any_order(void **state)
{
	static const int orders[][3] = {
		{0, 1, 2},
		{2, 1, 0},
		{1, 0, 2},
		{1, 2, 0},
	};

	(void)state;
	for (size_t o = 0; o < sizeof(orders) / sizeof(*orders); o++) {
		struct fg_bindings of = {0};
		uint32_t *b[3];

		for (uint32_t i = 0; i < 3; i++) {
			b[i] = fg_binding_new(&of, sizeof(*b[i]));
			assert_non_null(b[i]);
			assert_int_equal(*b[i], 0);
			*b[i] = i;
		}
		for (int i = 0; i < 3; i++) {
			assert_int_equal(*b[orders[o][i]], orders[o][i]);
			fg_binding_free(&of, b[orders[o][i]]);
		}
		assert_null(of.first);
		fg_bindings_free(&of);
	}
}

/* What a stop leaves bound goes with the target. */
static void rest_is_freed(void **state)
{
	struct fg_bindings of = {0};
	char *first, *second;

	(void)state;
	first = fg_binding_new(&of, 100);
	second = fg_binding_new(&of, 1);
	assert_non_null(first);
	assert_non_null(second);
	memset(first, 1, 100);
	fg_binding_free(&of, second);
	fg_binding_free(&of, NULL);
	assert_non_null(of.first);
	fg_bindings_free(&of);
	assert_null(of.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freed_in_any_order),
		cmocka_unit_test(rest_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
