/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one run leaves to the next: the same comes back, older; else nothing. */
/* LINK: plugins/nftset/handover.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../plugins/nftset/handover.h"

#define COUNT 3

static const struct fg_handover set = {
	.key_len = 8,
	.map = 1,
	.table_handle = 3,
	.set_handle = 4,
	.boot_ms = 100000,
};

static const struct {
	char key[9];
	uint32_t data, left_ms;
	bool held;
} leases[COUNT] = {
	{"keyone..", 7, 1000, true},
	{"keytwo..", 0, 5000, false},
	{"keythree", 0xffffffff, 60000, true},
};

/* In memory of exactly its size, so that a sanitizer sees the first byte past.
 */
static uint8_t *written(size_t count, size_t *len)
{
	struct fg_handover_writer w;
	uint8_t *buf = malloc(fg_handover_size(&set, count));

	assert_non_null(buf);
	fg_handover_begin(&w, buf, &set);
	for (size_t i = 0; i < count; i++) {
		struct fg_handover_lease l = {(const uint8_t *)leases[i].key,
					      leases[i].data,
					      leases[i].left_ms,
					      leases[i].held};

		fg_handover_put(&w, &l);
	}
	*len = fg_handover_end(&w);
	assert_int_equal(*len, fg_handover_size(&set, count));
	return buf;
}

struct heard {
	size_t from, count; /* leases expected, and how many came */
	int64_t age;
};

static void each(void *ctx, const struct fg_handover_lease *lease)
{
	struct heard *h = ctx;
	size_t i = h->from + h->count++;

	assert_true(i < COUNT);
	assert_memory_equal(lease->key, leases[i].key, set.key_len);
	assert_int_equal(lease->data, leases[i].data);
	assert_int_equal(lease->held, leases[i].held);
	assert_int_equal(lease->left_ms, leases[i].left_ms - h->age);
}

static void any(void *ctx, const struct fg_handover_lease *lease)
{
	(void)ctx;
	(void)lease;
}

static void test_read(void **state)
{
	static const struct {
		const char *why;
		struct fg_handover now;
		size_t written, from, count; /* those that are heard of */
		int ret;
	} cases[] = {
		{"at once: all", {8, 1, 3, 4, 100000}, 3, 0, 3, 0},
		{"a second later one has run out",
		 {8, 1, 3, 4, 101000},
		 3,
		 1,
		 2,
		 0},
		{"much later all have, which is nothing to speak of",
		 {8, 1, 3, 4, 900000},
		 3,
		 0,
		 0,
		 0},
		{"nor is a set that was empty",
		 {8, 1, 3, 4, 100000},
		 0,
		 0,
		 0,
		 0},
		{"a key of another size",
		 {12, 1, 3, 4, 100000},
		 3,
		 0,
		 0,
		 -ESTALE},
		{"a set that was a map",
		 {8, 0, 3, 4, 100000},
		 3,
		 0,
		 0,
		 -ESTALE},
		{"a table made again", {8, 1, 9, 4, 100000}, 3, 0, 0, -ESTALE},
		{"a set made again", {8, 1, 3, 9, 100000}, 3, 0, 0, -ESTALE},
		{"before a boot: the clock was beyond",
		 {8, 1, 3, 4, 99999},
		 3,
		 0,
		 0,
		 -ESTALE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct heard h = {cases[i].from, 0,
				  cases[i].now.boot_ms - set.boot_ms};
		size_t len;
		uint8_t *buf = written(cases[i].written, &len);
		int ret = fg_handover_read(buf, len, &cases[i].now, each, &h);

		if (ret != cases[i].ret || h.count != cases[i].count)
			fail_msg("%s: %d, %zu leases", cases[i].why, ret,
				 h.count);
		free(buf);
	}
}

/* Whatever byte is another, whatever is missing: noticed, and never read past.
 */
static void test_damage(void **state)
{
	size_t len;
	uint8_t *buf = written(COUNT, &len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		buf[i] ^= 0x40;
		if (fg_handover_read(buf, len, &set, any, NULL) != -EILSEQ)
			fail_msg("byte %zu may be another", i);
		buf[i] ^= 0x40;
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t *cut = malloc(i ? i : 1);

		assert_non_null(cut);
		memcpy(cut, buf, i);
		if (fg_handover_read(cut, i, &set, any, NULL) != -EILSEQ)
			fail_msg("may be cut to %zu bytes", i);
		free(cut);
	}
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
