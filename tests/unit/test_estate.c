/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_estate.c - the line before the flows that one run leaves to the next: it
 * comes back as it was, or is refused.
 */
/* LINK: common/flow */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "flow/estate.h"

static struct fg_slice text(const char *t)
{
	return fg_slice(t, strlen(t));
}

static struct fg_estate usual(void)
{
	return (struct fg_estate){
		.bytes = 12345,
		.flows = 17,
		.boot_ms = 1000000,
		.wall_ms = 1795505435712,
		.heard_ms = 999000,
		.name = text("house"),
		.part = text(""),
		.url = text("unix:///run/a.sock"),
		.agent = text("4.4.7"),
	};
}

static void same(struct fg_slice read, struct fg_slice own)
{
	char out[512];
	size_t len = fg_text_decode(read, out, sizeof(out));

	assert_int_equal(len, own.len);
	assert_memory_equal(out, own.ptr, len);
}

static void comes_back(void **state)
{
	static const char *const names[] = {
		"house",      "",	    "two words", "a \"b\" \\ c",
		"1\n2\t\x01", "f\xc3\xbcr", "\" \" \"",	 "\xe2\x80\xae",
	};
	char line[FG_ESTATE_LINE], again[FG_ESTATE_LINE];
	struct fg_estate e, r;
	size_t len, read;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		e = usual();
		e.name = e.part = e.url = e.agent = text(names[i]);
		len = fg_estate_write(&e, 99, line);
		assert_int_not_equal(len, 0);
		assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
		/* in a buffer of its size, as a sanitizer sees it */
		memcpy(again, line, len);
		assert_int_equal(fg_estate_read(&r, again, len, &read), 0);
		assert_int_equal(read, len);
		assert_int_equal(r.bytes, e.bytes);
		assert_int_equal(r.flows, e.flows);
		assert_int_equal(r.boot_ms, e.boot_ms);
		assert_int_equal(r.wall_ms, e.wall_ms);
		assert_int_equal(r.heard_ms, e.heard_ms);
		same(r.name, e.name);
		same(r.part, e.part);
		same(r.url, e.url);
		same(r.agent, e.agent);
		assert_true(fg_estate_is(line, len, 99));
		assert_false(fg_estate_is(line, len, 98));
		/* whatever follows is none of its business */
		again[len] = '"';
		assert_int_equal(fg_estate_read(&r, again, len + 1, &read), 0);
		assert_int_equal(read, len);
	}
}

/* The line is written before its numbers are known. */
static void length_is_known(void **state)
{
	char line[FG_ESTATE_LINE];
	struct fg_estate e = usual();
	size_t len = fg_estate_write(&e, 0, line);

	(void)state;
	e.bytes = e.flows = INT64_MAX;
	e.boot_ms = e.wall_ms = e.heard_ms = INT64_MAX;
	assert_int_equal(fg_estate_write(&e, UINT64_MAX, line), len);
	e.bytes = e.flows = 0;
	e.boot_ms = e.wall_ms = e.heard_ms = 0;
	assert_int_equal(fg_estate_write(&e, 1, line), len);
}

static void too_long(void **state)
{
	static char most[FG_ESTATE_LINE];
	char line[FG_ESTATE_LINE];
	struct fg_estate e = usual(), r;
	size_t len, read;

	(void)state;
	memset(most, 'x', sizeof(most));
	for (uint32_t n = sizeof(most); n > 16000; n--) {
		e.url = fg_slice(most, n);
		len = fg_estate_write(&e, 0, line);
		assert_true(len <= sizeof(line));
		if (len)
			assert_int_equal(fg_estate_read(&r, line, len, &read),
					 0);
	}
	assert_int_not_equal(len, 0);
}

static void damage(void **state)
{
	char line[FG_ESTATE_LINE], *cut;
	struct fg_estate e = usual(), r;
	size_t len = fg_estate_write(&e, 99, line), read;
	int err;

	(void)state;
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			line[i] ^= (char)(1 << bit);
			err = fg_estate_read(&r, line, len, &read);
			if (!err && read == len && fg_estate_is(line, len, 99))
				fail_msg("byte %zu may be another", i);
			line[i] ^= (char)(1 << bit);
		}
	for (size_t i = 0; i < len; i++) {
		cut = malloc(i ? i : 1);
		assert_non_null(cut);
		memcpy(cut, line, i);
		assert_int_equal(fg_estate_read(&r, cut, i, &read), -EILSEQ);
		free(cut);
	}
	line[8] = '2';
	assert_int_equal(fg_estate_read(&r, line, len, &read), -EPROTO);
}

static void ages(void **state)
{
	static const struct {
		const char *why;
		int64_t boot, wall, heard;
		int ret;
	} cases[] = {
		{"at once", 0, 0, 0, 0},
		{"as long as may be", 60000, 60000, 0, 0},
		{"a moment longer", 60001, 0, 0, -ESTALE},
		{"by the other clock", 0, 60001, 0, -ESTALE},
		{"that one was set back", 1000, -1000000, 0, 0},
		{"before a boot", -1, 30000, 0, -ESTALE},
		{"the agent was heard before", 50000, 50000, -10000, 0},
		{"long before", 50000, 50000, -10001, -ESTALE},
		{"later than written", 0, 0, 1, -ESTALE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fg_estate e = usual();

		e.heard_ms = e.boot_ms + cases[i].heard;
		if (fg_estate_age(&e, e.boot_ms + cases[i].boot,
				  e.wall_ms + cases[i].wall,
				  60000) != cases[i].ret)
			fail_msg("%s", cases[i].why);
	}
}

/* ------------------------------------------------------- targets of a flow */

#define MESSAGE "{\"flow\":{\"ip\":1},\"type\":\"flow\"}"

static void targets_come_back(void **state)
{
	static const struct {
		const char *name;
		bool observe;
	} said[] = {
		{"block", false},
		{"block", true},
		{"", true},
		{"a \"b\" \\", false},
		{",\"targets\":{", false},
		{"f\xc3\xbcr", true},
	};
	char buf[512] = MESSAGE, name[64];
	size_t len = strlen(buf);
	struct fg_slice rest, read;
	bool observe;

	(void)state;
	assert_false(fg_estate_targets(text(buf), &rest));
	len = fg_estate_targets_begin(buf, len, sizeof(buf));
	assert_true(fg_estate_targets(fg_slice(buf, len), &rest));
	assert_false(fg_estate_targets_next(&rest, &read, &observe));
	for (size_t i = 0; i < 6; i++)
		len = fg_estate_targets_add(buf, len, sizeof(buf), said[i].name,
					    said[i].observe);
	buf[len] = '\0';
	assert_string_equal(buf, "{\"flow\":{\"ip\":1},\"type\":\"flow\","
				 "\"targets\":{\"block\":0,\"block\":1,\"\":1,"
				 "\"a \\\"b\\\" \\\\\":0,"
				 "\",\\\"targets\\\":{\":0,\"f\xc3\xbcr\":1}}");
	assert_true(fg_estate_targets(fg_slice(buf, len), &rest));
	for (size_t i = 0; i < 6; i++) {
		assert_true(fg_estate_targets_next(&rest, &read, &observe));
		name[fg_text_decode(read, name, sizeof(name))] = '\0';
		assert_string_equal(name, said[i].name);
		assert_int_equal(observe, said[i].observe);
	}
	assert_false(fg_estate_targets_next(&rest, &read, &observe));
}

/* With less room there are fewer of them; what is there is whole. */
static void targets_have_no_room(void **state)
{
	struct fg_slice rest, read;
	size_t last = 0;
	bool observe;

	(void)state;
	for (size_t size = strlen(MESSAGE); size < 128; size++) {
		char *buf = malloc(size);
		size_t len = strlen(MESSAGE), begun, n = 0;

		assert_non_null(buf);
		memcpy(buf, MESSAGE, len);
		begun = fg_estate_targets_begin(buf, len, size);
		assert_true(begun == len || begun == len + 13);
		for (int i = 0; begun > len && i < 9; i++)
			begun = fg_estate_targets_add(buf, begun, size, "x",
						      false);
		assert_true(begun <= size);
		assert_memory_equal(buf + begun - 1, "}", 1);
		if (fg_estate_targets(fg_slice(buf, begun), &rest))
			while (fg_estate_targets_next(&rest, &read, &observe))
				n++;
		assert_true(n >= last);
		last = n;
		free(buf);
	}
	assert_int_equal(last, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(length_is_known),
		cmocka_unit_test(too_long),
		cmocka_unit_test(damage),
		cmocka_unit_test(ages),
		cmocka_unit_test(targets_come_back),
		cmocka_unit_test(targets_have_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
