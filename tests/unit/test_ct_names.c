/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ct_names.c - connlabel.conf: what is read and what is refused. */
/* LINK: plugins/conntrack/names.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../plugins/conntrack/names.h"

static int parse(struct fg_names **out, const char *text, char *err)
{
	*out = NULL;
	*err = '\0';
	return fg_names_parse(out, "c", text, strlen(text), 127, err, 256);
}

static void test_read(void **state)
{
	static const char text[] = "# labels\n"
				   "\n"
				   "1 nfa-games\r\n"
				   "  2\ta-netflix # films\n"
				   "127 last\n"
				   "1 also-one\n"
				   "1 nfa-games\n"
				   "3 no-newline";
	static const struct {
		const char *name;
		int bit;
	} cases[] = {
		{"nfa-games", 1},
		{"a-netflix", 2},
		{"last", 127},
		{"also-one", 1},
		{"no-newline", 3},
		{"nfa-game", -1}, /* a prefix is not the name */
		{"", -1},
	};
	const char *const *all;
	struct fg_names *n;
	char err[256];

	(void)state;
	assert_int_equal(parse(&n, text, err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(fg_names_bit(n, cases[i].name), cases[i].bit);
	assert_int_equal(fg_names_all(n, &all), 5);
	assert_string_equal(all[0], "a-netflix");
	assert_int_equal(fg_names_bit_at(n, 0), 2);
	fg_names_free(n);
	assert_int_equal(fg_names_bit(NULL, "x"), -1);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *err;
	} cases[] = {
		{"1 a\n128 b\n", -ERANGE,
		 "c:2: bit 128 of \"b\" is above max_bits, 127"},
		{"18446744073709551617 b\n", -ERANGE,
		 "c:1: bit 18446744073709551615 of \"b\" is above max_bits, "
		 "127"},
		{"a 1\n", -EINVAL,
		 "c:1: expected a bit and a name, as in \"1 games\""},
		{"-1 a\n", -EINVAL,
		 "c:1: expected a bit and a name, as in \"1 games\""},
		{"7\n", -EINVAL,
		 "c:1: expected a bit and a name, as in \"1 games\""},
		{"7 a b\n", -EINVAL,
		 "c:1: expected a bit and a name, as in \"1 games\""},
		{"1 a\n2 a\n", -EEXIST, "c:2: \"a\" is bit 1 already"},
	};
	struct fg_names *n;
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(parse(&n, cases[i].text, err), cases[i].want);
		assert_string_equal(err, cases[i].err);
	}
	assert_int_equal(
		fg_names_load(&n, "/nonexistent", 127, err, sizeof(err)),
		-ENOENT);
	assert_string_equal(err, "/nonexistent: No such file or directory");
}

static void test_full(void **state)
{
	char text[129 * 16] = "", err[256];
	struct fg_names *n;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 129; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"1 name%d\n", i);
	assert_int_equal(parse(&n, text, err), -E2BIG);
	assert_string_equal(err, "c:129: more than 128 names");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
