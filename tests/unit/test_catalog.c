/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_catalog.c - names, categories, Netify's files, and what is wrong there.
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
#include <unistd.h>

#include "base/text.h"
#include "flow/catalog.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define APP   FG_NAME_APPLICATION
#define PROTO FG_NAME_PROTOCOL

static struct fg_slice text(const char *s)
{
	return fg_slice(s, strlen(s));
}

static struct fg_catalog *catalog(uint32_t max)
{
	struct fg_catalog *c;

	assert_int_equal(fg_catalog_new(&c, max, 4711), 0);
	return c;
}

/* -1: not known */
static int64_t id_of(struct fg_catalog *c, enum fg_name kind, const char *tag)
{
	uint32_t id;

	return fg_catalog_id(c, kind, text(tag), &id) ? (int64_t)id : -1;
}

static int category(struct fg_catalog *c, enum fg_category kind,
		    const char *tag)
{
	uint16_t id;

	return fg_catalog_category_id(c, kind, text(tag), &id) ? (int64_t)id
							       : -1;
}

static int category_of(struct fg_catalog *c, enum fg_category kind, uint32_t id)
{
	uint16_t category_id;

	return fg_catalog_category_of(c, kind, id, &category_id) ? category_id
								 : -1;
}

static int load(struct fg_catalog *c, const char *content, size_t len,
		char err[256])
{
	char path[] = "/tmp/flowgate-catalog-XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), len);
	close(fd);
	err[0] = '\0';
	ret = fg_catalog_load(c, path, err, 256);
	unlink(path);
	/* the path of the file is of no use to compare with */
	if (strncmp(err, path, strlen(path)) == 0)
		memmove(err, err + strlen(path),
			strlen(err + strlen(path)) + 1);
	return ret;
}

static void names(void **state)
{
	static const struct {
		enum fg_name kind;
		const char *tag;
		int64_t id;
		const char *why;
	} cases[] = {
		{APP, "netify.netflix", 133, "the full tag"},
		{APP, "netflix", 133, "after the first dot"},
		{APP, "NetFlix", 133, "without regard to case"},
		{APP, "NETIFY.NETFLIX", 133, "all of it"},
		{APP, "flix", -1, "not a part"},
		{APP, "acme.netflix", -1, "another vendor's"},
		{APP, "my.app", 9000, "only the first dot counts"},
		{APP, "acme.my.app", 9000, "and the full tag"},
		{APP, "app", -1, "not the second dot"},
		{APP, "plain", 9001, "a tag without a dot"},
		{APP, "netify.plain", 9001, "and with netify. before it"},
		{APP, "both", 9004, "as it was said, not netify.both"},
		{APP, "netify.both", 9005, "nor the other way round"},
		{APP, "twin", 9002, "netify's is meant when two have it"},
		{APP, "acme.twin", 9003, "unless it is said"},
		{APP, "highest", UINT32_MAX, "ids are 32 bits"},
		{APP, "spotify", 156, "156 is two things: an application"},
		{APP, "", -1, "nothing"},
		{PROTO, "Spotify", 156, "and a protocol"},
		{PROTO, "http/s", 196, "protocols without regard to case"},
		{PROTO, "netflix", -1, "no protocol of that name"},
	};
	struct fg_catalog *c = catalog(0);
	struct fg_slice http = text("HTTP\\/S");

	(void)state;
	fg_catalog_learn(c, APP, 133, text("netify.netflix"));
	fg_catalog_learn(c, APP, 156, text("netify.spotify"));
	fg_catalog_learn(c, APP, 9000, text("acme.my.app"));
	fg_catalog_learn(c, APP, 9001, text("plain"));
	fg_catalog_learn(c, APP, 9002, text("netify.twin"));
	fg_catalog_learn(c, APP, 9003, text("acme.twin"));
	fg_catalog_learn(c, APP, 9004, text("both"));
	fg_catalog_learn(c, APP, 9005, text("netify.both"));
	fg_catalog_learn(c, APP, UINT32_MAX, text("netify.highest"));
	fg_catalog_learn(c, PROTO, 156, text("Spotify"));
	http.flags = FG_SLICE_ESCAPED;
	fg_catalog_learn(c, PROTO, 196, http);
	for (size_t i = 0; i < COUNT(cases); i++)
		if (id_of(c, cases[i].kind, cases[i].tag) != cases[i].id)
			fail_msg("%s: %ld", cases[i].why,
				 (long)id_of(c, cases[i].kind, cases[i].tag));
	assert_string_equal(fg_catalog_name(c, APP, 156), "netify.spotify");
	assert_string_equal(fg_catalog_name(c, PROTO, 156), "Spotify");
	assert_string_equal(fg_catalog_name(c, PROTO, 196), "HTTP/S");
	assert_null(fg_catalog_name(c, APP, 1));
	fg_catalog_free(c);
}

static void learning(void **state)
{
	struct fg_catalog *c = catalog(0);
	uint32_t generation = fg_catalog_generation(c);

	(void)state;
	assert_true(fg_catalog_learn(c, APP, 5, text("netify.one")));
	assert_int_equal(fg_catalog_generation(c), ++generation);
	/* the same again is nothing to look at policies for */
	assert_false(fg_catalog_learn(c, APP, 5, text("netify.one")));
	assert_int_equal(fg_catalog_generation(c), generation);
	/* another signature set: the id means something else now */
	assert_true(fg_catalog_learn(c, APP, 5, text("netify.two")));
	assert_int_equal(fg_catalog_generation(c), ++generation);
	assert_int_equal(id_of(c, APP, "one"), -1);
	assert_int_equal(id_of(c, APP, "two"), 5);
	/* the tag got another id: the last one said is meant */
	assert_true(fg_catalog_learn(c, APP, 6, text("netify.two")));
	assert_int_equal(id_of(c, APP, "two"), 6);
	assert_string_equal(fg_catalog_name(c, APP, 5), "netify.two");
	assert_true(fg_catalog_learn(c, APP, 6, text("netify.three")));
	assert_int_equal(id_of(c, APP, "two"), 5);
	fg_catalog_free(c);
}

/* An agent can send names without end, and of any length. */
static void limits(void **state)
{
	struct fg_catalog *c = catalog(100);
	char tag[200];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(tag, sizeof(tag), "netify.name-%u", i);
		assert_int_equal(fg_catalog_learn(c, APP, i, text(tag)),
				 i < 100);
	}
	assert_int_equal(fg_catalog_refused(c), 900);
	assert_int_equal(id_of(c, APP, "name-99"), 99);
	assert_int_equal(id_of(c, APP, "name-100"), -1);
	/* one kind being full is not the other's concern */
	assert_true(fg_catalog_learn(c, PROTO, 1000, text("TLS")));
	/* those that are known may still change */
	assert_true(fg_catalog_learn(c, APP, 99, text("netify.other")));
	memset(tag, 'a', sizeof(tag));
	tag[83] = '\0';
	assert_true(fg_catalog_learn(c, APP, 98, text(tag)));
	assert_int_equal(id_of(c, APP, tag), 98);
	tag[83] = 'a';
	tag[84] = '\0';
	assert_false(fg_catalog_learn(c, APP, 97, text(tag)));
	assert_false(fg_catalog_learn(c, APP, 97, text("")));
	assert_false(fg_catalog_learn(c, APP, 97, fg_slice("a\0b", 3)));
	assert_int_equal(fg_catalog_refused(c), 903);
	assert_int_equal(fg_catalog_new(&c, UINT32_MAX, 1), -EINVAL);
	fg_catalog_free(c);
	fg_catalog_free(NULL);
}

static void near(void **state)
{
	struct fg_catalog *c = catalog(0);
	const char *found[4];

	(void)state;
	fg_catalog_learn(c, APP, 1, text("netify.facebook"));
	fg_catalog_learn(c, APP, 2, text("netify.netflix"));
	fg_catalog_learn(c, APP, 3, text("netify.facebock"));
	fg_catalog_learn(c, APP, 4, text("netify.faceboks"));
	assert_int_equal(fg_catalog_near(c, APP, text("facebok"), found, 4), 3);
	assert_string_equal(found[0], "netify.facebook");
	/* only the best when only one is asked for, wherever it was learnt */
	assert_int_equal(
		fg_catalog_near(c, APP, text("netify.faceboks"), found, 1), 1);
	assert_string_equal(found[0], "netify.faceboks");
	assert_int_equal(fg_catalog_near(c, APP, text("zoom"), found, 4), 0);
	/* by the part after the dot, whoever it is that named it */
	fg_catalog_learn(c, APP, 5, text("vendor.google"));
	assert_int_equal(fg_catalog_near(c, APP, text("googel"), found, 4), 1);
	assert_string_equal(found[0], "vendor.google");
	assert_int_equal(
		fg_catalog_near(c, APP, text("netify.googel"), found, 4), 1);
	assert_int_equal(fg_catalog_near(c, PROTO, text("facebok"), found, 4),
			 0);
	assert_string_equal(fg_catalog_category_near(c, FG_CATEGORY_APPLICATION,
						     text("gamse")),
			    "games");
	assert_string_equal(fg_catalog_category_near(c, FG_CATEGORY_APPLICATION,
						     text("vpn")),
			    "vpn-and-proxy");
	assert_null(fg_catalog_category_near(c, FG_CATEGORY_APPLICATION,
					     text("zzzzzz")));
	fg_catalog_free(c);
}

static void built_in(void **state)
{
	struct fg_catalog *c = catalog(0);

	(void)state;
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "games"), 12);
	assert_int_equal(category(c, FG_CATEGORY_PROTOCOL, "games"), 7);
	/* but for "netify.", tags of categories are exact */
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "netify.games"),
			 12);
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "Games"), -1);
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "x.games"), -1);
	assert_int_equal(
		category(c, FG_CATEGORY_APPLICATION, "streaming-media"), 29);
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "printing"), -1);
	assert_int_equal(category(c, FG_CATEGORY_PROTOCOL, "printing"), 25);
	assert_string_equal(
		fg_catalog_category_name(c, FG_CATEGORY_APPLICATION, 24),
		"social-media");
	assert_null(fg_catalog_category_name(c, FG_CATEGORY_APPLICATION, 999));
	/* which application is in which: only a file tells */
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 133), -1);
	fg_catalog_free(c);
}

static void apps_file(void **state)
{
	static const char file[] = "# applications\n"
				   "\n"
				   "app:133:netify.netflix\r\n"
				   "  app:4294967295:netify.last  \n"
				   "dom:133:netflix.com\n"
				   "net:133:198.51.100.0/24\n"
				   "nsd:1:x:y\n"
				   "no colon here\n"
				   "app:5:netify.five";
	struct fg_catalog *c = catalog(0);
	char err[256];

	(void)state;
	assert_int_equal(load(c, file, strlen(file), err), 0);
	assert_int_equal(id_of(c, APP, "netflix"), 133);
	assert_int_equal(id_of(c, APP, "last"), UINT32_MAX);
	assert_int_equal(id_of(c, APP, "five"), 5);
	assert_int_equal(id_of(c, APP, "netflix.com"), -1);
	/* the later file wins, the agent over both */
	assert_int_equal(load(c, "app:133:netify.flix\n", 20, err), 0);
	assert_int_equal(id_of(c, APP, "netflix"), -1);
	fg_catalog_learn(c, APP, 133, text("netify.agent"));
	assert_string_equal(fg_catalog_name(c, APP, 133), "netify.agent");
	assert_int_equal(load(c, "", 0, err), 0);
	fg_catalog_free(c);
}

static void categories_file(void **state)
{
	static const char file[] =
		"{\"last_update\": 1,\n"
		" \"application_tag_index\": {\"gaming\": 12, \"new\\/er\": "
		"77},\n"
		" \"application_index\": [[12, [133, 5]], [77, [5, 6]], [78, "
		"[]]],\n"
		" \"protocol_tag_index\": {\"web\": 22},\n"
		" \"protocol_index\": [[22, [196]]],\n"
		" \"other\": {\"application_index\": \"not this\"}}\n";
	static const char older[] = "{\"application_index\": {\"games\": [1, "
				    "2], \"unheard\": [3]}}";
	struct fg_catalog *c = catalog(0);
	uint32_t generation = fg_catalog_generation(c);
	char err[256];
	int made_up;

	(void)state;
	assert_int_equal(load(c, file, strlen(file), err), 0);
	assert_true(fg_catalog_generation(c) != generation);
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "gaming"), 12);
	assert_string_equal(
		fg_catalog_category_name(c, FG_CATEGORY_APPLICATION, 12),
		"gaming");
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "new/er"), 77);
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 133), 12);
	/* listed twice: the first counts */
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 5), 12);
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 6), 77);
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 7), -1);
	assert_int_equal(category_of(c, FG_CATEGORY_PROTOCOL, 196), 22);
	/* what the file does not name is still known */
	assert_int_equal(category(c, FG_CATEGORY_APPLICATION, "voip"), 32);

	/* the older form: tags for ids, some that only it knows */
	fg_catalog_free(c);
	c = catalog(0);
	assert_int_equal(load(c, older, strlen(older), err), 0);
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 2), 12);
	made_up = category(c, FG_CATEGORY_APPLICATION, "unheard");
	assert_in_range(made_up, 60000, 65535);
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 3), made_up);
	fg_catalog_free(c);
}

static void wrong_files(void **state)
{
	static const struct {
		const char *file, *err;
	} cases[] = {
		{"app:1:netify.a\napp:x:netify.b\n",
		 ":2: expected app:ID:TAG, ID a number"},
		{"app:4294967296:netify.a\n",
		 ":1: expected app:ID:TAG, ID a number"},
		{"app:-1:a\n", ":1: expected app:ID:TAG, ID a number"},
		{"app:7\n", ":1: expected app:ID:TAG, ID a number"},
		{"\napp:7: \n", ":2: application 7 has no tag"},
		{"hello\n", ":1: neither netify-apps.conf (app:ID:TAG lines) "
			    "nor netify-categories.json"},
		{"[1,2]\n", ":1: neither netify-apps.conf (app:ID:TAG lines) "
			    "nor netify-categories.json"},
		{"{}", ":1: no application_index in it: is this "
		       "netify-categories.json?"},
		{"{\"a\":\n1,\n", ":3: not JSON: it ends too early"},
		{"{\"a\": 1}}", ":1: not JSON"},
		{"{\"application_index\": 5}",
		 ":1: a list or an object expected, not \"5\""},
		{"{\"application_index\":\n[5]}",
		 ":2: [category, [ids]] expected, not \"5\""},
		{"{\"application_index\": [[1]]}",
		 ":1: [category, [ids]] expected, not \"[1]\""},
		{"{\"application_index\": [[1, 2]]}",
		 ":1: a list of ids expected, not \"2\""},
		{"{\"application_index\": [[65536, []]]}",
		 ":1: [category, [ids]] expected, not \"[65536, []]\""},
		{"{\"application_index\": [[1, [2,\n4294967296]]]}",
		 ":2: an id expected, not \"4294967296\""},
		{"{\"application_index\": {\"a\": [\"b\"]}}",
		 ":1: an id expected, not \"b\""},
		{"{\"application_index\": {\"a\": [[1]]}}",
		 ":1: an id expected, not \"[1]\""},
		{"{\"application_index\": [], \"protocol_tag_index\": []}",
		 ":1: an object expected, not \"[]\""},
		{"{\"application_tag_index\": {\"a\": 70000}}",
		 ":1: a category id to 65535 expected, not \"70000\""},
		{"{\"application_tag_index\": {\"a\": {\"b\": 1}}}",
		 ":1: a category id to 65535 expected, not \"{\"b\": 1}\""},
		{"{\"application_tag_index\": {\"\": 1}}",
		 ":1: a tag expected, not \"\""},
		{"{\"application_tag_index\": {\"a\": \"\033[1m\"}}",
		 ":1: a category id to 65535 expected, not \"\\x1b[1m\""},
	};
	struct fg_catalog *c = catalog(0);
	uint32_t generation = fg_catalog_generation(c);
	char err[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *file = cases[i].file;

		if (load(c, file, strlen(file), err) != -EINVAL ||
		    strcmp(err, cases[i].err) != 0)
			fail_msg("%s\n%s", file, err);
	}
	/* nothing of any of them is in force */
	assert_int_equal(fg_catalog_generation(c), generation);
	assert_int_equal(id_of(c, APP, "netify.a"), -1);
	assert_int_equal(fg_catalog_load(c, "/tmp", err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "/tmp: not a regular file");
	assert_int_equal(fg_catalog_load(c, "/nonexistent/x", err, sizeof(err)),
			 -ENOENT);
	assert_string_equal(err, "/nonexistent/x: No such file or directory");
	fg_catalog_free(c);
}

/* Deep and wide: no recursion, and time in proportion. */
static void hostile_file(void **state)
{
	struct fg_catalog *c = catalog(0);
	size_t n = 1 << 20, len;
	char *file = malloc(n), err[256];

	(void)state;
	memset(file, '[', n);
	memcpy(file, "{\"a\":", 5);
	assert_int_equal(load(c, file, n, err), -EINVAL);
	len = (size_t)sprintf(file, "{\"application_index\":[");
	while (len < n - 64)
		len += (size_t)sprintf(file + len, "[%zu,[%zu]],", len % 65536,
				       len);
	len += (size_t)sprintf(file + len, "[1,[2]]]}");
	assert_int_equal(load(c, file, len, err), 0);
	assert_int_equal(category_of(c, FG_CATEGORY_APPLICATION, 2), 1);
	free(file);
	fg_catalog_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(learning),
		cmocka_unit_test(limits),
		cmocka_unit_test(near),
		cmocka_unit_test(built_in),
		cmocka_unit_test(apps_file),
		cmocka_unit_test(categories_file),
		cmocka_unit_test(wrong_files),
		cmocka_unit_test(hostile_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
