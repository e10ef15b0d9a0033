/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_json.c - reading JSON with comments, and what is said of its errors. */
/* LINK: common/policy/json.c common/policy/node.c common/policy/syntax.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/json.h"

struct said {
	char text[16384]; /* a line each */
	unsigned errors;
	unsigned warnings;
};

static void say(void *ctx, enum fg_level level, const char *text)
{
	struct said *s = ctx;
	size_t len = strlen(s->text);

	assert_null(strchr(text, '\n'));
	snprintf(s->text + len, sizeof(s->text) - len, "%s\n", text);
	s->errors += level == FG_LOG_ERROR;
	s->warnings += level == FG_LOG_WARNING;
}

static int parse(struct fg_json **doc, const char *text, size_t len,
		 struct said *said)
{
	memset(said, 0, sizeof(*said));
	return fg_json_parse(doc, "f", text, len,
			     (struct fg_report){say, said});
}

static struct fg_json *must_parse(const char *text, struct said *said)
{
	struct fg_json *doc = NULL;
	int ret = parse(&doc, text, strlen(text), said);

	if (ret)
		print_error("%s\n%s", text, said->text);
	assert_int_equal(ret, 0);
	return doc;
}

static void assert_says(const struct said *said, const char *expected,
			const char *input)
{
	if (strcmp(said->text, expected) == 0)
		return;
	print_error("of:\n%s\nexpected:\n%ssaid:\n%s", input, expected,
		    said->text);
	fail();
}

/* ------------------------------------------------------------- syntax */

static const struct {
	const char *why;
	const char *text;
	const char *says; /* all of it */
} syntax[] = {
	{"the classic", "{\"a\": 1,\n}",
	 "f:1:8: trailing comma before '}': remove it\n"},
	{"in a list", "[1, ]", "f:1:3: trailing comma before ']': remove it\n"},
	{"a comment between does not hide it", "[1, # one\n// two\n]",
	 "f:1:3: trailing comma before ']': remove it\n"},
	{"the place is where the comma goes", "{\"a\": 1\n \"b\": 2}",
	 "f:1:8: missing comma: expected ',' or '}', found \"b\"\n"},
	{"between elements", "[1 2]",
	 "f:1:3: missing comma: expected ',' or ']', found '2'\n"},
	{"an object where a comma is missing is a value, not a key",
	 "{\"a\": 1\n {\"b\": 2}}",
	 "f:1:8: missing comma: expected ',' or '}', found '{'\n"},
	{"missing colon", "{\"a\" 1}",
	 "f:1:5: missing colon: expected ':' after the key \"a\", found '1'\n"},
	{"missing quote: the rest of the file is still read",
	 "{\"a\": \"x,\n \"b\": 2,\n \"c\": yes}",
	 "f:1:7: missing quote: this text has no closing '\"'\n"
	 "f:3:7: 'yes' is not a value: write true\n"},
	{"missing opening quote", "{a\": 1}",
	 "f:1:2: expected a key in double quotes, found 'a'\n"},
	{"unquoted key", "{a: 1}",
	 "f:1:2: expected a key in double quotes, found 'a'\n"},
	{"unquoted text", "{\"a\": nft}",
	 "f:1:7: expected a value, found 'nft' (text needs double quotes)\n"},
	{"single quotes", "{'a': 1}",
	 "f:1:2: text needs double quotes, not single ones\n"},
	{"another language's words", "[True,\nNone,\nOFF,\nnull]",
	 "f:1:2: 'True' is not a value: write true\n"
	 "f:2:1: 'None' is not a value: leave the key out\n"
	 "f:3:1: 'OFF' is not a value: write false\n"},
	{"numbers that are none", "[0x10,\n012,\n15m,\n.5,\n+1,\n1.,\n-,\n1e]",
	 "f:1:2: a hexadecimal number needs quotes: write \"0x10\"\n"
	 "f:2:1: '012': a number has no leading zero\n"
	 "f:3:1: '15m' is not a number (text needs double quotes)\n"
	 "f:4:1: '.5' is not a number (text needs double quotes)\n"
	 "f:5:1: '+1' is not a number (text needs double quotes)\n"
	 "f:6:1: '1.' is not a number (text needs double quotes)\n"
	 "f:7:1: '-' is not a number (text needs double quotes)\n"
	 "f:8:1: '1e' is not a number (text needs double quotes)\n"},
	{"numbers that are", "[0, -0, 1.5, 1e9, -1.5E-3]", ""},
	{"brackets that cross: the outer one closes both",
	 "{\"a\": {\n\"b\": [1},\n\"c\": no}",
	 "f:2:8: wrong bracket: expected ']' for the '[' at 2:6, found '}'\n"
	 "f:3:6: 'no' is not a value: write false\n"},
	{"unexpected end says what is open", "{\"a\": {\"b\": 1}\n",
	 "f:1:15: unexpected end of the file: missing '}' for the '{' at 1:1\n"},
	{"end within text", "{\"a\": \"b",
	 "f:1:7: missing quote: this text has no closing '\"'\n"},
	{"end after a key", "{\"a\"",
	 "f:1:5: unexpected end of the file: missing '}' for the '{' at 1:1\n"},
	{"empty", "", "f:1:1: the file is empty: expected '{'\n"},
	{"only comments", "// x\n# y\n",
	 "f:3:1: the file is empty: expected '{'\n"},
	{"a value alone", "42",
	 "f:1:1: expected '{' at the beginning, found '42'\n"},
	{"a closing bracket alone", "}",
	 "f:1:1: expected '{' at the beginning, found '}'\n"},
	{"one bracket too many", "{}\n}",
	 "f:2:1: expected the end of the file, found '}'\n"},
	{"two documents", "{} {}",
	 "f:1:4: expected the end of the file, found '{'\n"},
	{"key without value", "{\"a\"}",
	 "f:1:5: expected ':' and a value after the key \"a\", found '}'\n"},
	{"colon without value", "{\"a\":\n}",
	 "f:2:1: expected a value for the key \"a\", found '}'\n"},
	{"colon and comma", "{\"a\":, \"b\": 1}",
	 "f:1:6: expected a value for the key \"a\", found ','\n"},
	{"key and comma", "{\"a\", \"b\": 1}",
	 "f:1:5: expected ':' and a value after the key \"a\", found ','\n"},
	{"two commas", "[1,, 2]", "f:1:4: two commas in a row: remove one\n"},
	{"comma first", "{,}",
	 "f:1:2: expected a key in double quotes or '}', found ','\n"},
	{"comma first in a list", "[,]",
	 "f:1:2: expected a value or ']', found ','\n"},
	{"colon in a list", "[\"a\": 1]",
	 "f:1:5: ':' belongs into an object { }, this is a list [ ]\n"},
	{"colon twice", "{\"a\": \"b\": 1}", "f:1:10: unexpected ':'\n"},
	{"block comments are not ours", "{/* x */}",
	 "f:1:2: comments begin with // or # and end with the line: /* */ is "
	 "not known\n"},
	{"a regex, as people write it", "[\"rx:\\.com$\"]",
	 "f:1:6: unknown escape '\\.': a backslash in text is written twice, "
	 "\\\\.\n"},
	{"short \\u", "[\"\\u12\"]",
	 "f:1:3: \\u needs four hexadecimal digits\n"},
	{"text ends at a NUL for who reads it as a C string",
	 "[\"\\u0000\"]", "f:1:3: \\u0000 is not allowed in text\n"},
	{"half a pair, either half", "[\"\\ud800x\",\n\"\\udc00\"]",
	 "f:1:3: half of a surrogate pair: write the character itself, in "
	 "UTF-8\n"
	 "f:2:2: half of a surrogate pair: write the character itself, in "
	 "UTF-8\n"},
	{"a whole pair", "[\"\\ud83d\\ude00\"]", ""},
	{"tab in text", "[\"\t\"]", "f:1:3: a tab in text is written \\t\n"},
	{"control character", "[\"\x01\"]",
	 "f:1:3: control character 0x01 in text\n"},
	{"control character outside of text", "[\x01]",
	 "f:1:2: unexpected byte 0x01\n"},
	{"Latin-1", "[\"caf\xe9\"]",
	 "f:1:6: byte 0xe9 is not UTF-8: save the file as UTF-8\n"},
	{"overlong, and a surrogate in UTF-8", "[\"\xe0\x80\xaf\",\n"
	 "\"\xed\xa0\x80\"]",
	 "f:1:3: byte 0xe0 is not UTF-8: save the file as UTF-8\n"
	 "f:2:2: byte 0xed is not UTF-8: save the file as UTF-8\n"},
	{"UTF-16", "\xff\xfe{", "f:1:1: the file is UTF-16: save it as UTF-8\n"},
	{"a byte order mark does no harm", "\xef\xbb\xbf{}", ""},
	{"columns are characters, a tab is one", "{\t\"\xc3\xa4\xc3\xb6\": nft}",
	 "f:1:9: expected a value, found 'nft' (text needs double quotes)\n"},
	{"a terminal is not at the mercy of the file", "{\x1b[31m: 1}",
	 "f:1:2: expected a key in double quotes, found '\\x1b'\n"},
	{"comment marks in text are text", "[\"http://a#b\"] # c", ""},
	{"comments may end the file", "{} // done", ""},
	{"line ends of another system", "{\"a\": 1,\r\n\"b\": 2\r\n}\r\n", ""},
	{"same, and an error", "{\"a\": \"1\r\n}",
	 "f:1:7: missing quote: this text has no closing '\"'\n"},
	{"twice in one object", "{\"a\": 1,\n \"b\": 2, \"a\": 3}",
	 "f:2:10: \"a\" is here twice: the first is at 1:2\n"},
	{"twice, written differently", "{\"a\": 1, \"\\u0061\": 2}",
	 "f:1:10: \"\\u0061\" is here twice: the first is at 1:2\n"},
	{"three times", "{\"a\": 1, \"a\": 2, \"a\": 3}",
	 "f:1:10: \"a\" is here twice: the first is at 1:2\n"
	 "f:1:18: \"a\" is here twice: the first is at 1:2\n"},
	{"in different objects: fine", "{\"a\": {\"a\": 1}, \"b\": {\"a\": 1}}",
	 ""},
	{"long text is cut",
	 "{\"a\": xxxxxxxxxxyyyyyyyyyyzzzzzzzzzzxxxxxxxxxxyyyyyyyyyy}",
	 "f:1:7: expected a value, found 'xxxxxxxxxxyyyyyyyyyyzzzzzzzzzzxxxxxx"
	 "...' (text needs double quotes)\n"},
};

static void test_syntax(void **state)
{
	struct fg_json *doc;
	struct said said;
	int ret;

	(void)state;
	for (size_t i = 0; i < sizeof(syntax) / sizeof(*syntax); i++) {
		ret = parse(&doc, syntax[i].text, strlen(syntax[i].text),
			    &said);
		assert_says(&said, syntax[i].says, syntax[i].why);
		assert_int_equal(ret, syntax[i].says[0] ? -EINVAL : 0);
		if (ret == 0)
			fg_json_free(doc);
	}
}

/* A NUL is a byte like another bad one, not the end. */
static void test_nul(void **state)
{
	static const char text[] = "{\"a\": 1}\0{";
	struct fg_json *doc;
	struct said said;

	(void)state;
	assert_int_equal(parse(&doc, text, sizeof(text) - 1, &said), -EINVAL);
	assert_says(&said, "f:1:9: expected the end of the file, found "
			   "'\\x00'\n", "NUL after the end");
	assert_int_equal(parse(&doc, "[\"a\0b\"]", 7, &said), -EINVAL);
	assert_says(&said, "f:1:4: control character 0x00 in text\n",
		    "NUL in text");
}

static void test_limits(void **state)
{
	struct fg_json *doc;
	struct said said;
	char *text;
	size_t len;

	(void)state;
	/* 64 deep is allowed, 65 and 10,000 are not */
	text = malloc(20001);
	assert_non_null(text);
	memset(text, '[', 10000);
	memset(text + 10000, ']', 10000);
	assert_int_equal(parse(&doc, text + 10000 - 64, 128, &said), 0);
	fg_json_free(doc);
	assert_int_equal(parse(&doc, text + 10000 - 65, 130, &said), -E2BIG);
	assert_says(&said, "f:1:65: nested deeper than 64\n", "65 deep");
	assert_int_equal(parse(&doc, text, 20000, &said), -E2BIG);
	assert_int_equal(said.errors, 1);
	free(text);

	len = (16u << 20) + 1;
	text = malloc(len);
	assert_non_null(text);
	memset(text, ' ', len);
	assert_int_equal(parse(&doc, text, len, &said), -E2BIG);
	assert_says(&said, "f: larger than 16 MiB\n", "too large");
	memcpy(text, "{}", 2);
	assert_int_equal(parse(&doc, text, len - 1, &said), 0);
	fg_json_free(doc);
	free(text);
}

/* A binary file must not fill the log. */
static void test_error_cap(void **state)
{
	struct fg_json *doc;
	struct said said;
	char text[2000] = "[";

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(text, "x,\n");
	assert_int_equal(parse(&doc, text, strlen(text), &said), -EINVAL);
	assert_int_equal(said.errors, 51);
	assert_non_null(strstr(said.text, "f:51:1: too many errors"));
}

/* Keys are found however many there are, without a search through all. */
static void test_many_keys(void **state)
{
	enum { COUNT = 50000 };
	struct fg_json *doc;
	struct said said;
	char *text = malloc(COUNT * 24 + 2), *p = text, key[16];
	uint64_t value;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < COUNT; i++)
		p += sprintf(p, "%c\"k%u\": %u", i ? ',' : '{', i * 7 % COUNT,
			     i);
	strcpy(p, "}");
	doc = must_parse(text, &said);
	for (unsigned i = 0; i < COUNT; i++) {
		sprintf(key, "k%u", i * 7 % COUNT);
		assert_string_equal(fg_node_key_at(fg_json_root(doc), i), key);
		assert_int_equal(fg_node_as_uint(
					 fg_node_at(fg_json_root(doc), i),
					 &value),
				 0);
		assert_int_equal(value, i);
	}
	fg_json_free(doc);
	free(text);
}

static void test_load(void **state)
{
	struct said said = {0};
	struct fg_report report = {say, &said};
	char path[] = "/tmp/fg-test-json.XXXXXX", expected[256];
	struct fg_json *doc;
	FILE *f;
	int fd;

	(void)state;
	assert_int_equal(fg_json_load(&doc, "/nowhere/f.json", report),
			 -ENOENT);
	assert_says(&said, "/nowhere/f.json: no such file: write one, see "
		    "flowgate.json(5), or name another with -c\n", "absent");
	said = (struct said){0};
	assert_int_equal(fg_json_load(&doc, "/", report), -EISDIR);
	assert_says(&said, "/: is a directory: name a file in it\n",
		    "directory");

	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	/* longer than one read, and than the first buffer */
	for (int i = 0; i < 10000; i++)
		fputs("# a comment\n", f);
	fputs("{\"a\": 1}", f);
	fclose(f);
	said = (struct said){0};
	assert_int_equal(fg_json_load(&doc, path, report), 0);
	fg_node_error(fg_json_root(doc), "here");
	snprintf(expected, sizeof(expected), "%s:10001:1: here\n", path);
	assert_says(&said, expected, "place after many comments");
	fg_json_free(doc);
	unlink(path);
}

/* -------------------------------------------------------------- getters */

static const char sample[] =
	"{\n"
	"  \"text\": \"a\\tb \\u00e4 \\\"q\\\"\",\n"
	"  \"number\": 42,\n"
	"  \"hex\": \"0x1F\",\n"
	"  \"digits\": \"17\",\n"
	"  \"yes\": true, \"no\": false, \"nothing\": null,\n"
	"  \"list\": [1, \"two\", [3], {\"four\": 4}],\n"
	"  \"object\": {\"b\": 1, \"a\": 2},\n"
	"  \"negative\": -1, \"fraction\": 1.5, \"huge\": 99999999999999999999\n"
	"}\n";

static void test_getters(void **state)
{
	const struct fg_node *root, *n, *list, *object;
	const char *text = "untouched";
	uint64_t number = 7;
	struct fg_json *doc;
	struct said said;
	bool b = false;

	(void)state;
	doc = must_parse(sample, &said);
	root = fg_json_root(doc);
	assert_int_equal(fg_node_kind(root), FG_NODE_OBJECT);

	assert_int_equal(fg_node_text(root, "absent", &text), 0);
	assert_string_equal(text, "untouched");
	assert_int_equal(fg_node_text(root, "text", &text), 1);
	assert_string_equal(text, "a\tb \xc3\xa4 \"q\"");

	assert_int_equal(fg_node_uint(root, "absent", 0, 9, &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(fg_node_uint(root, "number", 42, 42, &number), 1);
	assert_int_equal(number, 42);
	assert_int_equal(fg_node_uint(root, "hex", 0, 31, &number), 1);
	assert_int_equal(number, 31);
	assert_int_equal(fg_node_uint(root, "digits", 0, 31, &number), 1);
	assert_int_equal(number, 17);

	assert_int_equal(fg_node_boolean(root, "yes", &b), 1);
	assert_true(b);
	assert_int_equal(fg_node_boolean(root, "no", &b), 1);
	assert_false(b);

	assert_int_equal(fg_node_list(root, "list", &list), 1);
	assert_int_equal(fg_node_count(list), 4);
	assert_int_equal(fg_node_as_uint(fg_node_at(list, 0), &number), 0);
	assert_int_equal(number, 1);
	assert_string_equal(fg_node_as_text(fg_node_at(list, 1)), "two");
	assert_null(fg_node_as_text(fg_node_at(list, 0)));
	assert_int_equal(fg_node_as_uint(fg_node_at(list, 1), &number),
			 -EINVAL);
	assert_int_equal(fg_node_kind(fg_node_at(list, 2)), FG_NODE_LIST);
	assert_int_equal(fg_node_uint(fg_node_at(list, 3), "four", 0, 9,
				      &number), 1);
	assert_null(fg_node_at(list, 4));
	assert_null(fg_node_key_at(list, 0));

	assert_int_equal(fg_node_object(root, "object", &object), 1);
	assert_int_equal(fg_node_count(object), 2);
	/* the order of the file, not of the alphabet */
	assert_string_equal(fg_node_key_at(object, 0), "b");
	assert_string_equal(fg_node_key_at(object, 1), "a");
	assert_int_equal(fg_node_as_uint(fg_node_at(object, 1), &number), 0);
	assert_int_equal(number, 2);
	assert_null(fg_node_at(object, 2));

	assert_int_equal(fg_node_any(root, "nothing", &n), 1);
	assert_int_equal(fg_node_kind(n), FG_NODE_NULL);
	assert_int_equal(fg_json_errors(doc), 0);
	assert_says(&said, "", "nothing was wrong");

	/* what is NULL or no object has no keys: a source of -s, a string */
	assert_int_equal(fg_node_text(NULL, "url", &text), 0);
	assert_int_equal(fg_node_text(fg_node_at(list, 1), "url", &text), 0);
	assert_int_equal(fg_node_count(NULL), 0);
	fg_json_free(doc);
}

static void test_wrong_values(void **state)
{
	const struct fg_node *root, *n;
	const char *text;
	uint64_t number = 7;
	struct fg_json *doc;
	struct said said;
	bool b;

	(void)state;
	doc = must_parse(sample, &said);
	root = fg_json_root(doc);
	assert_int_equal(fg_node_text(root, "number", &text), -EINVAL);
	assert_int_equal(fg_node_uint(root, "text", 0, 9, &number), -EINVAL);
	assert_int_equal(fg_node_uint(root, "number", 0, 41, &number),
			 -EINVAL);
	assert_int_equal(fg_node_uint(root, "number", 43, 99, &number),
			 -EINVAL);
	assert_int_equal(fg_node_uint(root, "negative", 0, 9, &number),
			 -EINVAL);
	assert_int_equal(fg_node_uint(root, "fraction", 0, 9, &number),
			 -EINVAL);
	/* 2^64 and more is no number that happens to fit */
	assert_int_equal(fg_node_uint(root, "huge", 0, 9, &number), -EINVAL);
	assert_int_equal(number, 7);
	assert_int_equal(fg_node_boolean(root, "list", &b), -EINVAL);
	assert_int_equal(fg_node_list(root, "object", &n), -EINVAL);
	assert_int_equal(fg_node_object(root, "list", &n), -EINVAL);
	assert_int_equal(fg_node_text(root, "nothing", &text), -EINVAL);
	assert_int_equal(fg_json_errors(doc), 11);
	assert_says(&said,
		    "f:3:13: \"number\" must be text in quotes, not 42\n"
		    "f:2:11: \"text\" must be a whole number from 0 to 9, not "
		    "\"a\\tb \\u00e4 \\\"q\\\"\"\n"
		    "f:3:13: \"number\" must be a whole number from 0 to 41, "
		    "not 42\n"
		    "f:3:13: \"number\" must be a whole number from 43 to 99, "
		    "not 42\n"
		    "f:9:15: \"negative\" must be a whole number from 0 to 9, "
		    "not -1\n"
		    "f:9:31: \"fraction\" must be a whole number from 0 to 9, "
		    "not 1.5\n"
		    "f:9:44: \"huge\" must be a whole number from 0 to 9, not "
		    "99999999999999999999\n"
		    "f:7:11: \"list\" must be true or false, not a list\n"
		    "f:8:13: \"object\" must be a list [ ], not an object\n"
		    "f:7:11: \"list\" must be an object { }, not a list\n"
		    "f:6:40: \"nothing\" must be text in quotes, not null\n",
		    "wrong values");
	fg_json_free(doc);
}

/* Places inside of text: bytes of the decoded text, columns of the file. */
static void test_error_at(void **state)
{
	static const struct {
		size_t offset;
		unsigned column;
	} cases[] = {
		{0, 3},	  /* its first byte, not the quote */
		{1, 4},	  /* after "a" */
		{2, 6},	  /* after \" */
		{4, 12},  /* after \u00e4, two bytes */
		{8, 24},  /* after a pair, four bytes */
		{11, 25}, /* after a euro sign, three bytes */
		{12, 26}, /* its last byte */
		{99, 26}, /* beyond: the end */
	};
	static const char text[] =
		"[\"a\\\"\\u00e4\\ud83d\\ude00\xe2\x82\xac|\"]";
	struct fg_json *doc;
	struct said said;
	char expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		doc = must_parse(text, &said);
		fg_node_error_at(fg_node_at(fg_json_root(doc), 0),
				 cases[i].offset, "x");
		snprintf(expected, sizeof(expected), "f:1:%u: x\n",
			 cases[i].column);
		assert_says(&said, expected, text);
		fg_json_free(doc);
	}
}

static void test_levels(void **state)
{
	struct fg_json *doc;
	struct said said;

	(void)state;
	doc = must_parse("{}", &said);
	fg_node_warning(fg_json_root(doc), "w%d", 1);
	fg_node_notice(fg_json_root(doc), "n%d", 2);
	assert_int_equal(said.warnings, 1);
	assert_int_equal(said.errors, 0);
	/* only errors make a file refused */
	assert_int_equal(fg_json_errors(doc), 0);
	assert_says(&said, "f:1:1: w1\nf:1:1: n2\n", "levels");
	/* a name out of the file, quoted as it is by whoever says it */
	memset(&said, 0, sizeof(said));
	fg_node_warning(fg_json_root(doc), "\"%s\"", "\x1b[2J\r\n");
	assert_says(&said, "f:1:1: \"\\x1b[2J\\x0d\\x0a\"\n", "controls");
	fg_json_free(doc);
}

/* --------------------------------------------------- unknown, defaults */

static void test_unknown_keys(void **state)
{
	const struct fg_node *n, *list;
	struct fg_json *doc;
	struct said said;
	uint64_t number;

	(void)state;
	doc = must_parse("{\"limits\": {\"tll\": 1, \"size\": 2, \"zzzzzz\": 3},\n"
			 " \"names\": {\"anything\": 1, \"goes\": 2},\n"
			 " \"list\": [{\"ok\": 1, \"not_ok\": {\"deep\": 1}}],\n"
			 " \"later\": {\"a\": {\"b\": 1}},\n"
			 " \"nobody\": 1}", &said);
	assert_int_equal(fg_node_object(fg_json_root(doc), "limits", &n), 1);
	assert_int_equal(fg_node_uint(n, "ttl", 0, 9, &number), 0);
	assert_int_equal(fg_node_uint(n, "size", 0, 9, &number), 1);
	/* reading by index is asking, too */
	assert_int_equal(fg_node_object(fg_json_root(doc), "names", &n), 1);
	for (size_t i = 0; i < fg_node_count(n); i++)
		assert_non_null(fg_node_at(n, i));
	assert_int_equal(fg_node_list(fg_json_root(doc), "list", &list), 1);
	assert_int_equal(fg_node_uint(fg_node_at(list, 0), "ok", 0, 9,
				      &number), 1);
	assert_int_equal(fg_node_any(fg_json_root(doc), "later", &n), 1);
	fg_node_ignore(n);
	assert_int_equal(fg_json_unknown_keys(doc), 4);
	assert_says(&said,
		    "f:5:2: unknown key \"nobody\" at the top level (known: "
		    "limits, names, list, later)\n"
		    "f:1:13: unknown key \"tll\" in \"limits\" (did you mean "
		    "\"ttl\"?)\n"
		    "f:1:34: unknown key \"zzzzzz\" in \"limits\" (known: ttl, "
		    "size)\n"
		    "f:3:21: unknown key \"not_ok\" in \"list\" (known: ok)\n",
		    "unknown keys, but not what is in them");
	assert_int_equal(fg_json_errors(doc), 4);
	/* said once */
	assert_int_equal(fg_json_unknown_keys(doc), 0);
	fg_json_free(doc);
}

static void test_defaults(void **state)
{
	const struct fg_node *root, *target, *defaults, *more;
	struct fg_json *doc;
	struct said said;
	uint64_t number = 0;

	(void)state;
	doc = must_parse("{\"target\": {\"ttl\": 1},\n"
			 " \"defaults\": {\"ttl\": 2, \"size\": 3, \"sizs\": 0},\n"
			 " \"more\": {\"size\": 4, \"grace\": \"x\"}}", &said);
	root = fg_json_root(doc);
	assert_int_equal(fg_node_object(root, "target", &target), 1);
	assert_int_equal(fg_node_object(root, "defaults", &defaults), 1);
	assert_int_equal(fg_node_object(root, "more", &more), 1);
	assert_int_equal(fg_node_uint(target, "size", 0, 9, &number), 0);
	fg_node_set_defaults(target, defaults);
	fg_node_set_defaults(defaults, more);
	assert_int_equal(fg_node_uint(target, "ttl", 0, 9, &number), 1);
	assert_int_equal(number, 1);
	assert_int_equal(fg_node_uint(target, "size", 0, 9, &number), 1);
	assert_int_equal(number, 3);
	/* the error is where the value is */
	assert_int_equal(fg_node_uint(target, "grace", 0, 9, &number),
			 -EINVAL);
	/* keys of their own, not those behind them */
	assert_int_equal(fg_node_count(target), 1);
	/* asked of the target is asked of what is behind it, too */
	assert_int_equal(fg_json_unknown_keys(doc), 1);
	assert_says(&said,
		    "f:3:31: \"grace\" must be a whole number from 0 to 9, not "
		    "\"x\"\n"
		    "f:2:36: unknown key \"sizs\" in \"defaults\" (did you mean "
		    "\"size\"?)\n",
		    "defaults");
	fg_json_free(doc);
}

static void test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
		const char *why;
	} cases[] = {
		{"[1]", "[ 1 ]", true, "space"},
		{"[1]", "[2]", false, "number"},
		{"[1]", "[1, 1]", false, "length"},
		{"[1, 1]", "[1]", false, "length, the other way"},
		{"[1, 2]", "[2, 1]", false, "order in a list"},
		{"[\"a\"]", "[\"\\u0061\"]", true, "escapes"},
		{"[\"1\"]", "[1]", false, "kind"},
		{"[true]", "[false]", false, "bool"},
		{"[null]", "[null] # x", true, "null and a comment"},
		{"{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}", true,
		 "order in an object"},
		{"{\"a\": 1}", "{\"a\": 1, \"b\": 2}", false, "more keys"},
		{"{\"a\": 1, \"b\": 2}", "{\"a\": 1}", false, "fewer keys"},
		{"{\"a\": 1}", "{\"b\": 1}", false, "other keys"},
		{"{\"a\": {\"b\": [1]}}", "{\"a\": {\"b\": [2]}}", false,
		 "deep"},
	};
	struct fg_json *a, *b;
	struct said said;
	char text[600] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		a = must_parse(cases[i].a, &said);
		b = must_parse(cases[i].b, &said);
		if (fg_node_equal(fg_json_root(a), fg_json_root(b)) !=
		    cases[i].same)
			fail_msg("%s", cases[i].why);
		fg_json_free(a);
		fg_json_free(b);
	}
	/* as deep as can be, in time */
	for (int i = 0; i < 63; i++)
		strcat(text, "{\"a\": ");
	strcat(text, "[]");
	memset(text + strlen(text), '}', 63);
	a = must_parse(text, &said);
	b = must_parse(text, &said);
	assert_true(fg_node_equal(fg_json_root(a), fg_json_root(b)));
	fg_json_free(a);
	fg_json_free(b);
}

/* A value that moved into the defaults is still the same configuration. */
static void test_equal_defaults(void **state)
{
	const struct fg_node *x, *y, *defaults;
	struct fg_json *doc;
	struct said said;

	(void)state;
	doc = must_parse("{\"x\": {\"a\": 1, \"b\": 2}, \"y\": {\"a\": 1},\n"
			 " \"d\": {\"a\": 7, \"b\": 2}}", &said);
	fg_node_any(fg_json_root(doc), "x", &x);
	fg_node_any(fg_json_root(doc), "y", &y);
	fg_node_any(fg_json_root(doc), "d", &defaults);
	assert_false(fg_node_equal(x, y));
	fg_node_set_defaults(y, defaults);
	assert_true(fg_node_equal(x, y));
	assert_true(fg_node_equal(y, x));
	assert_false(fg_node_equal(x, defaults));
	fg_json_free(doc);
}

/* The table has every function, and they are those tested above. */
static void test_plugin_table(void **state)
{
	static const char *const words[] = {"ttl", "size"};
	const struct fg_config *c = &fg_json_config;

	(void)state;
	assert_int_equal(c->size, sizeof(*c));
	assert_ptr_equal(c->text, fg_node_text);
	assert_ptr_equal(c->uint, fg_node_uint);
	assert_ptr_equal(c->boolean, fg_node_boolean);
	assert_ptr_equal(c->list, fg_node_list);
	assert_ptr_equal(c->object, fg_node_object);
	assert_ptr_equal(c->any, fg_node_any);
	assert_ptr_equal(c->count, fg_node_count);
	assert_ptr_equal(c->at, fg_node_at);
	assert_ptr_equal(c->key_at, fg_node_key_at);
	assert_ptr_equal(c->as_text, fg_node_as_text);
	assert_ptr_equal(c->as_uint, fg_node_as_uint);
	assert_ptr_equal(c->error, fg_node_error);
	assert_ptr_equal(c->warning, fg_node_warning);
	assert_string_equal(c->nearest("tll", words, 2), "ttl");
	assert_null(c->nearest("entirely", words, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_error_cap),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_error_at),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_equal_defaults),
		cmocka_unit_test(test_plugin_table),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
