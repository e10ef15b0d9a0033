/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd */
/* test_frame - every framing, everything that can go wrong, cut everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/netifyd/check.h"
#include "../../plugins/netifyd/frame.h"
#include "../../plugins/netifyd/message.h"

#define MAX 4096 /* max_message here */

/*
 * What came out: for each message its number; for each run of skipped bytes
 * the reason's letter and how many.
 */
struct out {
	char text[65536];
	size_t len;
	struct fg_reader *reader;
	struct fg_frame *frame;
};

static void FG_PRINTF(2, 3) say(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	o->len += (size_t)vsnprintf(o->text + o->len, sizeof(o->text) - o->len,
				    fmt, ap);
	va_end(ap);
	assert_true(o->len < sizeof(o->text));
}

static int on_object(void *ctx, const char *text, size_t len)
{
	const struct fg_message *m;
	struct out *o = ctx;
	const char *n;
	int err;

	err = fg_message_read(o->reader, text, len, &m);
	if (err < 0)
		return err;
	n = memmem(m->text.ptr, m->text.len, "\"n\":", 4);
	say(o, "%s%c", o->len ? " " : "", n ? n[4] : '?');
	return 0;
}

static void on_skipped(void *ctx, const char *why, size_t bytes)
{
	static const struct {
		const char *words;
		char letter;
	} reasons[] = {
		{"begins here", 'G'}, /* garbage */
		{"cut short", 'B'},   /* broken */
		{"that does not fit", 'L'}, {"longer than", 'O'},
		{"is no message", 'N'},
	};
	char letter = '?';

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strstr(why, reasons[i].words))
			letter = reasons[i].letter;
	say(ctx, "%s%c%zu", ((struct out *)ctx)->len ? " " : "", letter, bytes);
}

static void begin(struct out *o)
{
	struct fg_frame_sink sink = {on_object, on_skipped, o};

	memset(o, 0, sizeof(*o));
	assert_int_equal(fg_reader_new(&o->reader, 65536), 0);
	assert_int_equal(fg_frame_new(&o->frame, MAX, &sink), 0);
}

static void end(struct out *o)
{
	fg_frame_free(o->frame);
	fg_reader_free(o->reader);
}

/*
 * In the tables, @1 is message number 1, #1 the same with its length in front
 * (33 and 34 bytes: the header 15, the message 18, the line's end 1), %1 the
 * header alone, and ~ a NUL.
 */
static size_t expand(const char *from, char *to)
{
	char *p = to;

	for (; *from; from++) {
		switch (*from) {
		case '@':
			p += sprintf(p, "{\"n\":%c,\"type\":\"x\"}", *++from);
			break;
		case '#':
			p += sprintf(p,
				     "{\"length\": 19}\n"
				     "{\"n\":%c,\"type\":\"x\"}\n",
				     *++from);
			break;
		case '~':
			*p++ = '\0';
			break;
		default:
			*p++ = *from;
		}
	}
	return (size_t)(p - to);
}

/* A copy of its own for each piece, so that a sanitizer sees what is read. */
static void feed(struct out *o, const char *text, size_t len)
{
	char *piece = malloc(len ? len : 1);

	assert_non_null(piece);
	memcpy(piece, text, len);
	fg_frame_feed(o->frame, piece, len);
	free(piece);
}

static void expect(const char *text, size_t len, const char *want,
		   const char *why)
{
	static struct out whole, cut;

	begin(&whole);
	feed(&whole, text, len);
	fg_frame_end(whole.frame);
	if (strcmp(whole.text, want) != 0)
		fail_msg("%s: got \"%s\", not \"%s\"", why, whole.text, want);
	end(&whole);

	for (size_t chunk = 1; chunk <= 5; chunk++) {
		begin(&cut);
		for (size_t at = 0; at < len; at += chunk)
			feed(&cut, text + at,
			     len - at < chunk ? len - at : chunk);
		fg_frame_end(cut.frame);
		if (strcmp(cut.text, want) != 0)
			fail_msg("%s, %zu bytes at a time: got \"%s\"", why,
				 chunk, cut.text);
		end(&cut);
	}
	for (size_t at = 1; at < len && len < MAX; at++) {
		begin(&cut);
		feed(&cut, text, at);
		feed(&cut, text + at, len - at);
		fg_frame_end(cut.frame);
		if (strcmp(cut.text, want) != 0)
			fail_msg("%s, cut at %zu: got \"%s\"", why, at,
				 cut.text);
		end(&cut);
	}
}

struct test {
	const char *text;
	const char *want;
	const char *why;
};

static void run(const struct test *t, size_t n)
{
	char text[MAX];

	for (size_t i = 0; i < n; i++)
		expect(text, expand(t[i].text, text), t[i].want, t[i].why);
}
#define RUN(tests) run(tests, sizeof(tests) / sizeof(*(tests)))

static void framings(void **state)
{
	static const struct test tests[] = {
		{"", "", "nothing"},
		{" \n\t\r\n", "", "only space"},
		{"#1#2#3", "1 2 3", "v3, v4: lengths"},
		{"{\"length\":19}\n@1\n{\"length\":19}\n@2\n", "1 2",
		 "v5: no blank in the header"},
		{"{\"length\": 18}\n@1#2", "1 2", "v3.07: no line's end"},
		{"{\"length\": 18}\n@1\n#2", "1 2",
		 "a length that leaves the line's end out"},
		{"{\"length\": 20}\r\n@1\r\n#2", "1 2", "lines end in CR LF"},
		{"{ \"length\" : 19 }\n@1\n", "1", "blanks in the header"},
		{"{\"length\":18}@1{\"length\":18}@2", "1 2",
		 "no line's end anywhere"},
		{"@1\n@2\n@3\n", "1 2 3", "an object a line"},
		{"@1\n@2\n@3", "1 2 3", "the last line has no end"},
		{"@1@2@3", "1 2 3", "back to back"},
		{"@1\n\n \t@2\r\n@3", "1 2 3", "space between"},
		{"#1@2\n@3@4#5", "1 2 3 4 5", "told apart for each"},
		{"{\"length\": 37}\n{\n \"n\":1,\n \"o\": {\n },\n \"type\": "
		 "\"x\"\n}\n#2",
		 "1 2", "many lines, with a length"},
		{"{\n \"n\":1,\n \"o\": {\n },\n \"type\": \"x\"\n}\n@2", "1 2",
		 "many lines, without"},
		{"{\"n\":1,\"s\":\"}{\\\"}\\\\\",\"type\":\"x\"}@2", "1 2",
		 "braces and quotes in a string"},
		{"{\"n\":1,\"a\":[{},[{\"b\":[]}]],\"type\":\"x\"}@2", "1 2",
		 "nested"},
		{"{\"length\":19,\"n\":1,\"type\":\"x\"}@2", "1 2",
		 "a message that begins like a header"},
	};

	(void)state;
	RUN(tests);
}

static void garbage(void **state)
{
	static const struct test tests[] = {
		{"HTTP/1.1 400 Bad Request\r\n\r\n#1", "1 G28",
		 "another server"},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "G27", "a client's"},
		{"~~~~#1~#2~", "1 G4 2 G1 G1", "NULs between"},
		{"\"text\"\n#1", "1 G7", "JSON, but no object"},
		{"[1,2]\n#1", "1 G6", "a list"},
		{"[@1,@2]", "1 G1 2 G1 G1", "messages in a list"},
		{"}}}#1", "1 G3", "the end of something"},
		{"{}#1", "1 N2", "an empty object"},
		{"{\"a\":1}\n{\"b\":2}\n#1", "1 N16",
		 "objects without a type are one run"},
		{"{\"length\":8}\n{\"a\":1}\n#1", "1 N21",
		 "an object without a type, with its length"},
		{"\xef\xbb\xbf@1", "1 G3", "a byte order mark"},
	};

	(void)state;
	RUN(tests);
}

static void wrong_lengths(void **state)
{
	static const struct test tests[] = {
		{"{\"length\": 9}\n@1\n#2", "1 L14 2",
		 "too short: the message is there all the same"},
		{"{\"length\": 25}\n@1\n#2", "1 L15 2", "too long by a few"},
		{"{\"length\": 60}\n@1\n#2#3", "1 L15 2 3",
		 "so long that it holds the next"},
		{"{\"length\": 4000}\n@1\n#2#3", "1 L17 2 3",
		 "far too long: nothing has to wait"},
		{"{\"length\": -1}\n@1\n#2", "1 L15 2", "negative"},
		{"{\"length\": 0}\n@1\n#2", "1 L14 2", "none"},
		{"{\"length\": 1}\n@1\n#2", "1 L14 2", "too short for {}"},
		{"{\"length\": 99999999999}\n@1\n#2", "1 O24 2", "absurd"},
		{"{\"length\": 99999999999999999999999999}\n@1\n", "1 O39",
		 "beyond 64 bits"},
		{"{\"length\": 5000}\n#1", "1 O17", "over the limit"},
		{"{\"length\": 1.5}\n@1", "1 N16", "a fraction is no header"},
		{"{\"length\": \"5\"}\n@1", "1 N16", "text is no header"},
		{"{\"length\": 19\n@1\n", "1 B14", "a header without its end"},
		{"{\"length\": }\n@1\n", "1 B13", "a header without a number"},
		{"{\"length\":                                             "
		 "              19}\n@1\n",
		 "1 N73", "a header of blanks is none"},
	};

	(void)state;
	RUN(tests);
}

static void lost_parts(void **state)
{
	static const struct test tests[] = {
		{"@1\n#2", "1 2", "v5 lost a header"},
		{"{\"length\": 700}\n#2#3", "2 L16 3", "v5 lost a body"},
		{"{\"length\": 700}\n{\"length\": 800}\n#2", "2 L32",
		 "two of them"},
		{"{\"length\": 700}\n@2\n#3", "2 L16 3",
		 "a body and the next header"},
		{"{\"length\": 19}\n{\"n\":1,\"ty{\"length\": 19}\n@2\n#3",
		 "2 L25 3", "half a body"},
		{"{\"length\": 19}\n{\"n\":1,\"ty#2#3", "2 L25 3",
		 "half a body, and no whole one by chance"},
		{"{\"n\":1,\"ty@2@3", "2 B10 3", "half an object in a string"},
		{"{\"n\":1,\n@2\n@3\n", "2 B8 3", "half an object a line"},
		{"{\"n\":@2\n@3\n", "2 B5 3", "half, before a value"},
		{"{\"n\":1,\"o\":{\"p\":[1,2,{\"q\n@2", "2 B25",
		 "half, deep inside"},
		{"\":1,\"type\":\"x\"}\n#2", "2 G16", "begins in the middle"},
		{"1,\"o\":{\"p\":1},\"type\":\"x\"}#2", "2 G25",
		 "what is inside is no message"},
		{"{\"n\":1,\"s\":\"a\nb\",\"type\":\"x\"}#2", "2 B28",
		 "a line's end in a string"},
		{"{\"n\":1,\"s\":\"~\",\"type\":\"x\"}#2", "2 B26",
		 "a NUL in a string"},
		{"{\"n\":1,\"s\":\"\\x\",\"type\":\"x\"}#2", "2 B27",
		 "an escape that is none"},
		{"{\"n\":01,\"type\":\"x\"}#2", "2 B19",
		 "a number that is none"},
		{"{\"n\":1,\"b\":True,\"type\":\"x\"}#2", "2 B27",
		 "a word that is none"},
		{"{\"n\":1 \"type\":\"x\"}#2", "2 B18", "a comma is missing"},
		{"{\"n\":1,\"a\":[1}],\"type\":\"x\"}#2", "2 B27",
		 "crossed brackets"},
	};

	(void)state;
	RUN(tests);
}

static void ends(void **state)
{
	static const struct test tests[] = {
		{"#1{\"length\": 1", "1 B12", "in a header"},
		{"#1{\"length\": 19}", "1 L14", "before a body"},
		{"#1{\"length\": 19}\n{\"n\":2,\"ty", "1 L25", "in a body"},
		{"@1{\"n\":2,\"ty", "1 B10", "in an object"},
		{"{\"length\": 400}\n@1\n@2\n", "1 L16 2",
		 "behind a length that is too long"},
	};
	static struct out o;

	(void)state;
	RUN(tests);

	/* another stream begins with nothing left of the one before */
	begin(&o);
	feed(&o, "{\"n\":1,\"type", 12);
	fg_frame_end(o.frame);
	feed(&o, "{\"n\":2,\"type\":\"x\"}", 18);
	assert_string_equal(o.text, "B12 2");
	end(&o);
}

/* A wrong length is seen as soon as it is one, not when that much came. */
static void at_once(void **state)
{
	static struct out o;
	char text[200];

	(void)state;
	begin(&o);
	feed(&o, text, expand("{\"length\": 4000}\n@1\n", text));
	assert_string_equal(o.text, "");
	feed(&o, text, expand("#2", text));
	assert_string_equal(o.text, "1 L17 2");
	/* and a message as soon as it is whole */
	feed(&o, text, expand("@3", text));
	assert_string_equal(o.text, "1 L17 2 3");
	fg_frame_end(o.frame);
	end(&o);
}

static void large(void **state)
{
	/* 3 * MAX, as one string, as many values, and as nested lists */
	static char text[4 * MAX + 100];
	size_t len;

	(void)state;
	len = (size_t)sprintf(text, "{\"s\":\"");
	memset(text + len, 'x', 3 * MAX);
	len += 3 * MAX;
	len += (size_t)sprintf(text + len, "\"}\n");
	len += expand("@1\n", text + len);
	expect(text, len, "O4096 O4096 O4096 1 O9", "a line over the limit");

	len = (size_t)sprintf(text, "{\"length\": %d}\n{\"a\":[", 3 * MAX + 8);
	for (int i = 0; i < 3 * MAX / 8; i++)
		len += (size_t)sprintf(text + len, "{\"b\":1},");
	len += (size_t)sprintf(text + len, "0]}\n");
	len += expand("#1", text + len);
	expect(text, len, "O4096 O4096 O4096 1 O28",
	       "over the limit, with its length: nothing in it is a message");

	len = (size_t)sprintf(text, "{\"a\":");
	memset(text + len, '[', 10000);
	len += 10000;
	len += expand("@1\n", text + len);
	expect(text, len, "B4096 B4096 1 B1813", "10,000 deep");

	len = 0;
	for (int i = 0; i < 2000; i++)
		len += (size_t)sprintf(text + len, "{\"a\":");
	len += expand("@1\n", text + len);
	expect(text, len, "B4096 B4096 1 B1808", "2,000 objects deep");

	/* as long as it may be, and a byte more */
	for (int more = 0; more < 2; more++) {
		len = (size_t)sprintf(text, "{\"n\":2,\"type\":\"x\",\"s\":\"");
		memset(text + len, 'x', (size_t)(MAX + more) - len - 2);
		sprintf(text + MAX + more - 2, "\"}\n");
		len = (size_t)(MAX + more) + 1;
		len += expand("@1\n", text + len);
		expect(text, len, more ? "O4096 1 O2" : "2 1", "at the limit");
	}
}

static void sizes(void **state)
{
	struct fg_frame_sink sink = {on_object, on_skipped, NULL};
	struct fg_frame *f;

	(void)state;
	assert_int_equal(fg_frame_new(&f, 0, &sink), -EINVAL);
	assert_int_equal(fg_frame_new(&f, (size_t)1 << 40, &sink), -EINVAL);
	fg_frame_free(NULL);
}

/* ---------------------------------------------------------------- check */

static void check(void **state)
{
	static const struct {
		const char *text;
		enum fg_checked want;
		size_t used;
		const char *why;
	} tests[] = {
		{"{}", FG_CHECKED_WHOLE, 2, "empty"},
		{"{ } x", FG_CHECKED_WHOLE, 3, "stops at its end"},
		{"[]", FG_CHECKED_BAD, 0, "only objects"},
		{"{\"a\":1,}", FG_CHECKED_BAD, 7, "comma at the end"},
		{"{\"a\":[1,]}", FG_CHECKED_BAD, 8, "comma in a list's end"},
		{"{,}", FG_CHECKED_BAD, 1, "comma first"},
		{"{\"a\"}", FG_CHECKED_BAD, 4, "no value"},
		{"{\"a\":}", FG_CHECKED_BAD, 5, "no value, but a colon"},
		{"{a:1}", FG_CHECKED_BAD, 1, "key without quotes"},
		{"{1:1}", FG_CHECKED_BAD, 1, "key is a number"},
		{"{\"a\":1 2}", FG_CHECKED_BAD, 7, "two values"},
		{"{\"a\":-}", FG_CHECKED_BAD, 6, "a sign"},
		{"{\"a\":+1}", FG_CHECKED_BAD, 5, "plus"},
		{"{\"a\":.5}", FG_CHECKED_BAD, 5, "begins with a point"},
		{"{\"a\":5.}", FG_CHECKED_BAD, 7, "ends with a point"},
		{"{\"a\":00}", FG_CHECKED_BAD, 6, "leading zero"},
		{"{\"a\":-01}", FG_CHECKED_BAD, 7, "leading zero"},
		{"{\"a\":1e}", FG_CHECKED_BAD, 7, "empty exponent"},
		{"{\"a\":1e+}", FG_CHECKED_BAD, 8, "empty signed exponent"},
		{"{\"a\":0x1}", FG_CHECKED_BAD, 6, "hex"},
		{"{\"a\":-0.5E-10,\"b\":0,\"c\":10e5}", FG_CHECKED_WHOLE, 29,
		 "numbers"},
		{"{\"a\":[1 , 0 ,1.5 ,2e1 ]}", FG_CHECKED_WHOLE, 24,
		 "space behind numbers"},
		{"{\"a\":true,\"b\":false,\"c\":null}", FG_CHECKED_WHOLE, 29,
		 "words"},
		{"{\"a\":tru}", FG_CHECKED_BAD, 8, "half a word"},
		{"{\"a\":nulll}", FG_CHECKED_BAD, 9, "a word too long"},
		{"{\"a\":\"\\u00e4\\n\\/\\\"\"}", FG_CHECKED_WHOLE, 20,
		 "escapes"},
		{"{\"a\":\"\\u00g4\"}", FG_CHECKED_BAD, 10, "not hex"},
		{"{\"a\":\"\\u12\"}", FG_CHECKED_BAD, 10, "two digits"},
		{"{\"a\":\"\\'\"}", FG_CHECKED_BAD, 7, "no such escape"},
		{"{\"a\":\"\t\"}", FG_CHECKED_BAD, 6, "tab in a string"},
		{"{\"a\":\"\x7f\xc3\xa4\xff\"}", FG_CHECKED_WHOLE, 12,
		 "bytes from 0x20 on are taken as they are"},
		{"{\"a\":{]}", FG_CHECKED_BAD, 6, "crossed"},
		{"{\"a\":[}", FG_CHECKED_BAD, 6, "crossed"},
		{"{\"a\":[1", FG_CHECKED_PART, 7, "more must follow"},
	};
	char deep[200];

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		struct fg_check c;
		size_t used = 0;
		enum fg_checked got;

		fg_check_begin(&c);
		got = fg_check_feed(&c, tests[i].text, strlen(tests[i].text),
				    &used);
		if (got != tests[i].want || used != tests[i].used)
			fail_msg("%s: %s: %d at %zu", tests[i].why,
				 tests[i].text, got, used);
	}
	/* just as deep as is allowed, and one more */
	for (size_t more = 0; more < 2; more++) {
		size_t n = FG_JSON_DEPTH_MAX - 1 + more, used;
		struct fg_check c;

		memcpy(deep, "{\"a\":", 5);
		memset(deep + 5, '[', n);
		memset(deep + 5 + n, ']', n);
		deep[5 + 2 * n] = '}';
		fg_check_begin(&c);
		assert_int_equal(fg_check_feed(&c, deep, 6 + 2 * n, &used),
				 more ? FG_CHECKED_BAD : FG_CHECKED_WHOLE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framings),	 cmocka_unit_test(garbage),
		cmocka_unit_test(wrong_lengths), cmocka_unit_test(lost_parts),
		cmocka_unit_test(ends),		 cmocka_unit_test(at_once),
		cmocka_unit_test(large),	 cmocka_unit_test(sizes),
		cmocka_unit_test(check),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
