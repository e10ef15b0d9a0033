/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_arena.c - blocks never overlap, and no order of sizes uses it up. */
/* LINK: common/flow/arena.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "flow/arena.h"

#define SIZE   65536
#define BLOCKS 512

static uint32_t seed = 4711;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

struct taken {
	uint32_t block;
	size_t size;
	uint8_t fill;
};

/* The largest block that there is room for. */
static size_t largest(struct fg_arena *a)
{
	size_t low = 0, high = 2 * SIZE;

	while (low < high) {
		size_t mid = (low + high + 1) / 2;
		uint32_t block = fg_arena_take(a, mid);

		if (block) {
			fg_arena_give(a, block);
			low = mid;
		} else {
			high = mid - 1;
		}
	}
	return low;
}

static void check(struct fg_arena *a, const struct taken *t)
{
	const uint8_t *p = fg_arena_at(a, t->block);

	for (size_t i = 0; i < t->size; i++)
		assert_int_equal(p[i], t->fill);
}

/* Takes and gives at random; max: of one block. */
static void churn(struct fg_arena *a, size_t max)
{
	static struct taken taken[BLOCKS];
	size_t sum = 0;

	memset(taken, 0, sizeof(taken));
	for (int step = 0; step < 20000; step++) {
		struct taken *t = &taken[any(BLOCKS)];

		if (t->block) {
			check(a, t);
			fg_arena_give(a, t->block);
			sum -= t->size;
			t->block = 0;
			continue;
		}
		t->size = any((uint32_t)max);
		t->block = fg_arena_take(a, t->size);
		if (!t->block)
			continue;
		t->fill = (uint8_t)step;
		memset(fg_arena_at(a, t->block), t->fill, t->size);
		assert_int_equal((uintptr_t)fg_arena_at(a, t->block) % 8, 0);
		sum += t->size;
		assert_true(fg_arena_used(a) >= sum);
		assert_true(fg_arena_used(a) <= SIZE);
	}
	for (int i = 0; i < BLOCKS; i++) {
		if (!taken[i].block)
			continue;
		check(a, &taken[i]);
		fg_arena_give(a, taken[i].block);
	}
	assert_int_equal(fg_arena_used(a), 0);
}

static void random_sizes(void **state)
{
	static const size_t max[] = {16, 100, 600, 5000, 40000, 100000};
	struct fg_arena *a;
	size_t all;

	(void)state;
	assert_int_equal(fg_arena_new(&a, SIZE), 0);
	all = largest(a);
	/* a bin holds blocks of up to a quarter more than was asked for */
	assert_in_range(all, SIZE * 3 / 4, SIZE);
	for (size_t i = 0; i < sizeof(max) / sizeof(max[0]); i++) {
		churn(a, max[i]);
		assert_int_equal(largest(a), all);
	}
	fg_arena_free(a);
}

/* Small ones everywhere, then every second one gone: holes, but no more. */
static void holes(void **state)
{
	uint32_t blocks[SIZE / 16 + 1], n = 0;
	struct fg_arena *a;

	(void)state;
	assert_int_equal(fg_arena_new(&a, SIZE), 0);
	while ((blocks[n] = fg_arena_take(a, 8)) != 0)
		n++;
	assert_int_equal(n, SIZE / 16);
	for (uint32_t i = 0; i < n; i += 2)
		fg_arena_give(a, blocks[i]);
	assert_int_equal(largest(a), 8);
	for (uint32_t i = 1; i < n; i += 2)
		fg_arena_give(a, blocks[i]);
	assert_true(largest(a) > SIZE / 2);
	fg_arena_free(a);
}

static void extremes(void **state)
{
	struct fg_arena *a;

	(void)state;
	assert_int_equal(fg_arena_new(&a, SIZE_MAX), -EINVAL);
	assert_int_equal(fg_arena_new(&a, 0), 0);
	assert_int_not_equal(fg_arena_take(a, 0), 0);
	assert_int_equal(fg_arena_take(a, 0), 0);
	fg_arena_free(a);
	assert_int_equal(fg_arena_new(&a, SIZE), 0);
	assert_int_equal(fg_arena_take(a, SIZE), 0);
	assert_int_equal(fg_arena_take(a, SIZE_MAX), 0);
	assert_int_equal(fg_arena_take(a, SIZE_MAX - 20), 0);
	assert_int_equal(fg_arena_take(a, (size_t)1 << 33), 0);
	fg_arena_free(a);
	fg_arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sizes),
		cmocka_unit_test(holes),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
