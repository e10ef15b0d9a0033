/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_text.c - slices, escapes, numbers, addresses, near misses, the hash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct fg_slice text(const char *s)
{
	return fg_slice(s, strlen(s));
}

static struct fg_slice escaped(const char *s)
{
	struct fg_slice slice = text(s);

	slice.flags = FG_SLICE_ESCAPED;
	return slice;
}

static void slices(void **state)
{
	(void)state;
	assert_true(fg_slice_is(text("flow"), "flow"));
	assert_false(fg_slice_is(text("flow"), "flow_purge"));
	assert_false(fg_slice_is(text("flow_purge"), "flow"));
	assert_false(fg_slice_is(text("Flow"), "flow"));
	assert_true(fg_slice_is(fg_slice(NULL, 0), ""));
	assert_true(fg_slice_is_nocase(text("NetFlix"), "nETfLIX"));
	assert_false(fg_slice_is_nocase(text("net"), "netflix"));
	assert_false(fg_slice_is_nocase(text("netflix"), "net"));
	/* [ is { without the bit that makes letters lower case */
	assert_false(fg_slice_is_nocase(text("["), "{"));
	/* a NUL in the stream is not the end of the text */
	assert_false(fg_slice_is_nocase(fg_slice("a\0b", 3), "a"));
	assert_true(fg_slice_is_nocase(fg_slice(NULL, 0), ""));
}

static void decode(void **state)
{
	static const struct {
		const char *in;
		size_t size;
		const char *out;
		size_t need;
		const char *why;
	} cases[] = {
		{"abc", 16, "abc", 3, "no escapes"},
		{"a\\\"b\\\\c\\/d", 16, "a\"b\\c/d", 7, "quotes"},
		{"\\b\\f\\n\\r\\t", 16, "\b\f\n\r\t", 5, "controls"},
		{"\\u0041\\u00e9\\u20ac", 16, "A\xc3\xa9\xe2\x82\xac", 6,
		 "1, 2 and 3 bytes of UTF-8"},
		{"\\ud83d\\ude00", 16, "\xf0\x9f\x98\x80", 4, "surrogates"},
		{"\\uD83D\\uDE00", 16, "\xf0\x9f\x98\x80", 4, "upper case"},
		{"\\ud83dx", 16, "\xef\xbf\xbdx", 4, "half of a pair"},
		{"\\ude00", 16, "\xef\xbf\xbd", 3, "the other half"},
		{"\\ud83d\\u0041", 16,
		 "\xef\xbf\xbd"
		 "A",
		 4, "a high one and a letter"},
		{"a\\u0000b", 16,
		 "a\xef\xbf\xbd"
		 "b",
		 5, "NUL"},
		{"\\q\\", 16, "\\q\\", 3, "no escapes at all: as they are"},
		{"\\u12", 16, "\\u12", 4, "cut short"},
		{"\\u12g4", 16, "\\u12g4", 6, "not hexadecimal"},
		{"abcdef", 3, "abc", 6, "cut"},
		{"ab\\u20acz", 4, "ab", 6, "never half a character"},
		{"ab\xe2\x82\xacz", 4, "ab", 6, "nor of raw UTF-8"},
		{"\xff\xfe", 16, "\xff\xfe", 2, "invalid UTF-8 passes"},
		{"", 16, "", 0, "nothing"},
		{"abc", 0, "", 3, "no room at all"},
	};
	char out[17];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].out);

		memset(out, '#', sizeof(out));
		if (fg_text_decode(escaped(cases[i].in), out, cases[i].size) !=
			    cases[i].need ||
		    memcmp(out, cases[i].out, len) != 0 || out[len] != '#')
			fail_msg("%s", cases[i].why);
	}
	/* a backslash without the flag is a backslash */
	assert_int_equal(fg_text_decode(text("a\\nb"), out, sizeof(out)), 4);
	assert_memory_equal(out, "a\\nb", 4);
	assert_int_equal(fg_text_decode(fg_slice(NULL, 0), out, 1), 0);
	/* cut without escapes, in the middle of a character */
	memset(out, '#', sizeof(out));
	assert_int_equal(fg_text_decode(text("\xc3\xa9\xc3\xa9"), out, 3), 4);
	assert_memory_equal(out, "\xc3\xa9#", 3);
}

static void printable(void **state)
{
	static const struct {
		const char *in, *out, *why;
	} cases[] = {
		{"www.example.com", "www.example.com", "the usual"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "UTF-8"},
		{"a\033[31mb", "a\\x1b[31mb", "an ANSI escape"},
		{"a\nb\rc\td", "a\\x0ab\\x0dc\\x09d", "a line is one line"},
		{"\x7f", "\\x7f", "DEL"},
		{"\xc2\x9b"
		 "31m",
		 "\\xc2\\x9b31m", "C1: CSI in one character"},
		{"\x9b", "\\x9b", "C1 as a bare byte"},
		{"\xc0\x80", "\\xc0\\x80", "NUL, overlong"},
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf", "slash, overlong"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80", "a surrogate"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "beyond Unicode"},
		{"a\xe2\x82", "a\\xe2\\x82", "cut short"},
		{"\xe2\x80\xae", "\\xe2\\x80\\xae", "right-to-left override"},
		{"\xe2\x81\xa6", "\\xe2\\x81\\xa6", "an isolate"},
		{"\xd8\x9c", "\\xd8\\x9c", "Arabic letter mark"},
		{"\xe2\x80\xa8", "\\xe2\\x80\\xa8", "line separator"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n =
			fg_text_printable(text(cases[i].in), out, sizeof(out));

		if (strcmp(out, cases[i].out) != 0 || n != strlen(out))
			fail_msg("%s: %s", cases[i].why, out);
	}
	/* escapes of JSON are seen through, not shown */
	fg_text_printable(escaped("a\\u001b[0m\\u202eb"), out, sizeof(out));
	assert_string_equal(out, "a\\x1b[0m\\xe2\\x80\\xaeb");
	/* always a NUL, never part of a character or of \xNN */
	assert_int_equal(fg_text_printable(text("abc"), out, 3), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(fg_text_printable(text("a\xc3\xa9"), out, 3), 1);
	assert_int_equal(fg_text_printable(text("a\033b"), out, 5), 1);
	assert_int_equal(fg_text_printable(text("a\033b"), out, 6), 5);
	assert_int_equal(fg_text_printable(text("abc"), out, 1), 0);
	assert_string_equal(out, "");
	assert_int_equal(fg_text_printable(text("abc"), NULL, 0), 0);
}

static void json_strings(void **state)
{
	static const struct {
		const char *in, *out, *why;
	} cases[] = {
		{"", "\"\"", "nothing"},
		{"abc", "\"abc\"", "as it is"},
		{"a\"b\\", "\"a\\\"b\\\\\"", "what ends it"},
		{"\x01\n\x7f", "\"\\u0001\\u000a\\u007f\"", "control"},
		{"\xc2\x9b\xe2\x80\xae", "\"\\u009b\\u202e\"", "C1, bidi"},
		{"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"",
		 "two and four bytes"},
		{"\xff" "a\xc3", "\"\xef\xbf\xbd" "a\xef\xbf\xbd\"", "invalid"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].out), n;

		n = fg_text_json(text(cases[i].in), out, sizeof(out));
		if (n != len || memcmp(out, cases[i].out, len) != 0)
			fail_msg("%s: %.*s", cases[i].why, (int)n, out);
		for (size_t size = 0; size < len; size++) {
			memset(out, '!', sizeof(out));
			n = fg_text_json(text(cases[i].in), out, size);
			assert_int_equal(n, len);
			assert_int_equal(out[size], '!');
		}
	}
	assert_int_equal(fg_text_json(escaped("\\u0001\\\""), out, sizeof(out)),
			 10);
	assert_memory_equal(out, "\"\\u0001\\\"\"", 10);
}

static void integers(void **state)
{
	static const struct {
		const char *in;
		bool dec, any;
		uint64_t v;
	} cases[] = {
		{"0", true, true, 0},
		{"007", true, true, 7},
		{"18446744073709551615", true, true, UINT64_MAX},
		{"18446744073709551616", true, true, UINT64_MAX},
		{"99999999999999999999999", true, true, UINT64_MAX},
		{"0x1f", false, true, 31},
		{"0X1F", false, true, 31},
		{"0xffffffffffffffff", false, true, UINT64_MAX},
		{"0x10000000000000000", false, true, UINT64_MAX},
		{"", false, false, 0},
		{"0x", false, false, 0},
		{"-1", false, false, 0},
		{"+1", false, false, 0},
		{" 1", false, false, 0},
		{"1 ", false, false, 0},
		{"1.0", false, false, 0},
		{"0x1g", false, false, 0},
		{"x1", false, false, 0},
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *in = cases[i].in;
		size_t len = strlen(in);

		if (fg_text_uint(in, len, &v) != cases[i].dec ||
		    (cases[i].dec && v != cases[i].v))
			fail_msg("uint %s", in);
		if (fg_text_uint_any(in, len, &v) != cases[i].any ||
		    (cases[i].any && v != cases[i].v))
			fail_msg("uint_any %s", in);
	}
}

static void reals(void **state)
{
	static const char *const good[] = {
		"0",
		"-0",
		"1",
		"-1.5",
		"3.07",
		"1e3",
		"1E+3",
		"1.5e-3",
		"123456.789",
		"0.000001",
		"1e22",
		"9007199254740993",
		"0.1e1",
		"1e-400",
		"123456789012345678901234567890",
		"1.7976931348623157e308",
	};
	static const char *const bad[] = {
		"",   "-",  ".5",  "5.",  "01",	 "1e",	  "1e+", "+1",
		" 1", "1 ", "0x1", "nan", "inf", "1.2.3", "--1", "1,5",
	};
	double v, want;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		want = strtod(good[i], NULL);
		if (!fg_text_real(good[i], strlen(good[i]), &v) ||
		    v < want - DBL_EPSILON * 4 * (want < 0 ? -want : want) ||
		    v > want + DBL_EPSILON * 4 * (want < 0 ? -want : want))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (fg_text_real(bad[i], strlen(bad[i]), &v))
			fail_msg("%s", bad[i]);
	/* no infinity comes in, and no endless loop */
	assert_true(fg_text_real("1e999999999999999999", 20, &v));
	assert_true(v == DBL_MAX);
	assert_true(fg_text_real("-1e999", 6, &v));
	assert_true(v == -DBL_MAX);
	assert_true(fg_text_real("1e-999999999999999999", 21, &v));
	assert_true(v >= 0 && v <= 0);
}

static void hex(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_true(fg_text_hex("00fF", 4, out, 2));
	assert_int_equal(out[1], 255);
	assert_false(fg_text_hex("00f", 3, out, 2));
	assert_false(fg_text_hex("00ff0", 5, out, 2));
	assert_false(fg_text_hex("00fg", 4, out, 2));
	assert_false(fg_text_hex("0x00", 4, out, 2));
	assert_int_equal(fg_hex_digit('@'), -1);
	assert_int_equal(fg_hex_digit('g'), -1);
}

static void addresses(void **state)
{
	static const struct {
		const char *in;
		int version;
		const char *out; /* NULL: as it came in */
	} cases[] = {
		{"192.0.2.1", 4, NULL},
		{"0.0.0.0", 4, NULL},
		{"255.255.255.255", 4, NULL},
		{"::", 6, NULL},
		{"::1", 6, NULL},
		{"1::", 6, NULL},
		{"2001:db8::1", 6, NULL},
		{"2001:DB8:0:0:0:0:0:1", 6, "2001:db8::1"},
		{"2001:db8:0:0:1:0:0:1", 6, "2001:db8::1:0:0:1"},
		{"2001:0db8::0001", 6, "2001:db8::1"},
		/* one group of zeros is not shortened */
		{"2001:db8::1:1:1:1:1", 6, "2001:db8:0:1:1:1:1:1"},
		{"1:2:3:4:5:6:7::", 6, "1:2:3:4:5:6:7:0"},
		{"::2:3:4:5:6:7:8", 6, "0:2:3:4:5:6:7:8"},
		{"::ffff:192.0.2.1", 6, NULL},
		{"::ffff:c000:201", 6, "::ffff:192.0.2.1"},
		{"64:ff9b::192.0.2.33", 6, "64:ff9b::c000:221"},
		{"1:2:3:4:5:6:192.0.2.1", 6, "1:2:3:4:5:6:c000:201"},
		{"fe80::1", 6, NULL},
	};
	static const char *const bad[] = {
		"",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"01.2.3.4",
		"1.2.3.04",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1..2.3",
		"1.2.3.",
		".1.2.3",
		"0x1.2.3.4",
		"+1.2.3.4",
		":",
		":::",
		"1:::2",
		"1::2::3",
		":1::",
		"1::2:",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"12345::",
		"1:2:3:4:5:6:7::8",
		"g::",
		"fe80::1%eth0",
		"[::1]",
		"::1.2.3",
		"::1.2.3.4:5",
		"::01.2.3.4",
		"1:2:3:4:5:6:7:1.2.3.4",
		"1.2.3.4::",
		"::/0",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	uint8_t addr[16], again[16];
	char out[FG_ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *in = cases[i].in;
		int v = fg_addr_parse(in, strlen(in), addr);

		if (v != cases[i].version)
			fail_msg("%s", in);
		assert_int_equal(
			inet_pton(v == 4 ? AF_INET : AF_INET6, in, again), 1);
		assert_memory_equal(addr, again, v == 4 ? 4 : 16);
		assert_string_equal(fg_addr_format(v, addr, out),
				    cases[i].out ? cases[i].out : in);
	}
	memset(addr, 0xee, 16);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (fg_addr_parse(bad[i], strlen(bad[i]), addr))
			fail_msg("%s", bad[i]);
	memset(again, 0xee, 16);
	assert_memory_equal(addr, again, 16);
	/* the rest of an IPv4 address is zero */
	fg_addr_parse("1.2.3.4", 7, addr);
	assert_memory_equal(addr, "\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_string_equal(fg_addr_format(0, addr, out), "-");
}

static void prefixes(void **state)
{
	static const struct {
		const char *in;
		int version, prefix;
	} cases[] = {
		{"192.0.2.0/24", 4, 24},
		{"192.0.2.1", 4, 32},
		{"0.0.0.0/0", 4, 0},
		{"2001:db8::/32", 6, 32},
		{"::1", 6, 128},
		{"::/0", 6, 0},
		{"192.0.2.0/33", 0, 0},
		{"::/129", 0, 0},
		{"192.0.2.0/", 0, 0},
		{"192.0.2.0/024", 0, 0},
		{"192.0.2.0/-1", 0, 0},
		{"/24", 0, 0},
		{"192.0.2.0/0000024", 0, 0},
		{"192.0.2.0/24/24", 0, 0},
	};
	uint8_t addr[16], other[16], prefix;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *in = cases[i].in;
		int v = fg_prefix_parse(in, strlen(in), addr, &prefix);

		if (v != cases[i].version || (v && prefix != cases[i].prefix))
			fail_msg("%s", in);
	}
	fg_addr_parse("192.0.2.128", 11, addr);
	fg_addr_parse("192.0.2.255", 11, other);
	assert_true(fg_prefix_match(addr, other, 25));
	assert_false(fg_prefix_match(addr, other, 26));
	assert_true(fg_prefix_match(addr, other, 0));
	assert_false(fg_prefix_match(addr, other, 255));
	assert_true(fg_prefix_match(addr, addr, 255));
}

static void macs(void **state)
{
	static const char *const bad[] = {
		"00:11:22:33:44",     "00:11:22:33:44:5",
		"001122334455",	      "00:11:22-33:44:55",
		"00:11:22:33:44:5g",  "00.11.22.33.44.55",
		"00:11:22:33:44:55:", "",
	};
	char out[FG_MAC_TEXT];
	uint8_t mac[6];

	(void)state;
	assert_true(fg_mac_parse("00:1a:2B:33:44:fF", 17, mac));
	assert_string_equal(fg_mac_format(mac, out), "00:1a:2b:33:44:ff");
	assert_true(fg_mac_parse("00-1a-2b-33-44-ff", 17, mac));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (fg_mac_parse(bad[i], strlen(bad[i]), mac))
			fail_msg("%s", bad[i]);
}

static void near_misses(void **state)
{
	static const char *const names[] = {"netflix", "facebook",   "twitter",
					    NULL,      "table_name", "ttl"};
	static const struct {
		const char *word, *nearest, *why;
	} cases[] = {
		{"netflx", "netflix", "one left out"},
		{"nettflix", "netflix", "one too many"},
		{"netfilx", "netflix", "two swapped"},
		{"NETFLIC", "netflix", "case is no difference"},
		{"table_nam", "table_name", "prefix"},
		{"tttl", "ttl", "short"},
		{"youtube", NULL, "nothing like it"},
		{"table", "table_name", "its first part"},
		{"Name", "table_name", "its last part"},
		{"tab", NULL, "no part, only its beginning"},
		{"ame", NULL, "no part, only its end"},
		{"x", NULL, "one letter is not near one letter"},
		{"", NULL, "nothing is near nothing"},
	};
	char longest[80];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *word = cases[i].word, *found;

		found = fg_text_nearest(word, strlen(word), names,
					COUNT(names));
		if (!found != !cases[i].nearest ||
		    (found && strcmp(found, cases[i].nearest) != 0))
			fail_msg("%s", cases[i].why);
	}
	assert_int_equal(fg_text_distance("abcdef", 6, "abcdfe", 6), 1);
	assert_int_equal(fg_text_distance("abcdef", 6, "abcdef", 6), 0);
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(fg_text_distance(longest, 65, longest, 65), UINT_MAX);
	assert_int_equal(fg_text_distance(longest, 64, longest, 64), 0);
}

/* Each bit of input and seed changes half of the bits, more or less. */
static void hash(void **state)
{
	uint8_t bytes[40] = {0};

	(void)state;
	for (size_t len = 1; len <= sizeof(bytes); len++) {
		uint64_t base = fg_hash(bytes, len, 1);

		assert_int_not_equal(base, fg_hash(bytes, len - 1, 1));
		for (size_t bit = 0; bit < len * 8; bit++) {
			int flips;

			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			flips = __builtin_popcountll(base ^
						     fg_hash(bytes, len, 1));
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (flips < 10 || flips > 54)
				fail_msg("%zu bytes, bit %zu: %d", len, bit,
					 flips);
		}
	}
	for (int bit = 0; bit < 64; bit++)
		assert_in_range(
			__builtin_popcountll(
				fg_hash(bytes, 20, 1) ^
				fg_hash(bytes, 20, 1 ^ UINT64_C(1) << bit)),
			10, 54);
	assert_int_equal(fg_hash("abc", 3, 7), fg_hash("abc", 3, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices),    cmocka_unit_test(decode),
		cmocka_unit_test(printable), cmocka_unit_test(json_strings),
		cmocka_unit_test(integers),
		cmocka_unit_test(reals),     cmocka_unit_test(hex),
		cmocka_unit_test(addresses), cmocka_unit_test(prefixes),
		cmocka_unit_test(macs),	     cmocka_unit_test(near_misses),
		cmocka_unit_test(hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
