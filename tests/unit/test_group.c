/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_group.c - @groups: nested, in files, in Netify's folders. */
/* LINK: common/flow common/policy */
/* LIBS: -lpcre2-8 */
#include "flows.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/group.h"

struct fixture {
	struct world w;
	struct fg_json *doc;
	struct fg_groups *groups;
	char folder[64];
	char said[8][2048];
	const char *folders[3]; /* the groups look into them later */
};

static void hear(void *ctx, enum fg_level level, const char *text)
{
	struct fixture *f = ctx;

	snprintf(f->said[level], sizeof(f->said[level]), "%s", text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	world_open(&f->w, 1);
	usual_names(&f->w);
	strcpy(f->folder, "/tmp/flowgate-groups-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	*state = f;
	return 0;
}

static void forget(struct fixture *f)
{
	fg_groups_free(f->groups);
	fg_json_free(f->doc);
	f->groups = NULL;
	f->doc = NULL;
	memset(f->said, 0, sizeof(f->said));
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	forget(f);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
	assert_int_equal(system(command), 0);
	world_close(&f->w);
	free(f);
	return 0;
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int read_groups(struct fixture *f, const char *addresses,
		       const char *applications)
{
	struct fg_report report = {hear, f};
	const struct fg_node *a = NULL, *b = NULL;
	char text[8192];
	int err;

	forget(f);
	snprintf(text, sizeof(text), "{\"a\":{%s},\"b\":{%s}}", addresses,
		 applications);
	assert_int_equal(fg_json_parse(&f->doc, "g", text, strlen(text), report),
			 0);
	fg_node_object(fg_json_root(f->doc), "a", &a);
	fg_node_object(fg_json_root(f->doc), "b", &b);
	f->folders[0] = "/nonexistent";
	f->folders[1] = f->folder;
	err = fg_groups_new(&f->groups, f->w.catalog, a, b, f->folders);
	assert_int_equal(err ? -EINVAL : 0, err);
	return err;
}

static const struct fg_addrset *addresses(struct fixture *f, const char *name,
					  char *err, size_t size)
{
	return fg_groups_addresses(f->groups, fg_slice(name, strlen(name)), err,
				   size);
}

static bool has(struct fixture *f, const char *name, const char *text)
{
	char err[512] = "";
	const struct fg_addrset *s = addresses(f, name, err, sizeof(err));
	uint8_t addr[16];
	int version = fg_addr_parse(text, strlen(text), addr);

	if (!s)
		fail_msg("%s", err);
	return fg_addrset_has(s, version, addr);
}

static void test_folders(void **state)
{
	struct fixture *f = *state;
	char err[512], want[256];

	write_file(f, "10-staff.conf", "192.0.2.0/28\n# comment\n\n2001:db8::/32\n");
	write_file(f, "20-bad.conf", "192.0.2.1\n192.0.2.999\n");
	write_file(f, "xx-other.conf", "192.0.2.1\n");
	write_file(f, "7-short.conf", "192.0.2.1\n");
	write_file(f, "10-remarks.txt", "192.0.2.1\n");
	write_file(f, "10-kids.conf", "203.0.113.1\n");
	assert_int_equal(read_groups(f, "\"kids\":[\"198.51.100.1\"],\"both\":[\"@kids\",\"@staff\"]", ""), 0);
	/* named nowhere but in the folder */
	assert_true(has(f, "staff", "192.0.2.7"));
	assert_true(has(f, "staff", "2001:db8::7"));
	assert_false(has(f, "staff", "192.0.2.16"));
	/* the configuration's own go first */
	assert_true(has(f, "kids", "198.51.100.1"));
	assert_false(has(f, "kids", "203.0.113.1"));
	/* within a group */
	assert_true(has(f, "both", "192.0.2.7"));
	assert_true(has(f, "both", "198.51.100.1"));
	/* no such files, by the rule for their names */
	assert_null(addresses(f, "other", err, sizeof(err)));
	assert_null(addresses(f, "short", err, sizeof(err)));
	assert_null(addresses(f, "remarks", err, sizeof(err)));
	assert_string_equal(err, "no address group @remarks: \"address_groups\" defines them");
	assert_null(addresses(f, "../10-staff", err, sizeof(err)));
	assert_null(addresses(f, "", err, sizeof(err)));
	/* and one with an error, which names the line */
	assert_null(addresses(f, "bad", err, sizeof(err)));
	snprintf(want, sizeof(want),
		 "%s/20-bad.conf:2: \"192.0.2.999\" is not an address, a prefix or a MAC address",
		 f->folder);
	assert_string_equal(err, want);
	assert_int_equal(read_groups(f, "\"x\":[\"@bad\"]", ""), -EINVAL);
	assert_non_null(strstr(f->said[FG_LOG_ERROR], "20-bad.conf:2"));
}

static void test_nesting(void **state)
{
	struct fixture *f = *state;
	char text[4096] = "", err[256];
	const struct fg_appset *s;
	size_t len = 0;

	/* order does not matter, and a group may be in many */
	assert_int_equal(read_groups(f, "\"a\":[\"@b\",\"@c\"],\"b\":\"@c\",\"c\":[\"192.0.2.1\",\"02:00:00:00:00:01\"]",
				     "\"x\":[\"@y\",\"@z\"],\"y\":\"@z\",\"z\":[\"netflix\",119,\"119\"]"), 0);
	assert_true(has(f, "a", "192.0.2.1"));
	assert_true(has(f, "b", "192.0.2.1"));
	s = fg_groups_applications(f->groups, fg_slice("x", 1), err, sizeof(err));
	assert_non_null(s);
	assert_true(fg_appset_has(s, 133));
	assert_true(fg_appset_has(s, 119));
	assert_false(fg_appset_has(s, 156));
	assert_int_equal(fg_appset_size(s), 6);
	/* 16 deep is as deep as it gets */
	for (int i = 0; i < 17; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"\"g%d\":[\"@g%d\"],", i, i + 1);
	snprintf(text + len, sizeof(text) - len, "\"g17\":[\"192.0.2.1\"]");
	assert_int_equal(read_groups(f, text, ""), -EINVAL);
	assert_non_null(strstr(f->said[FG_LOG_ERROR], "more than 16 deep"));
	assert_int_equal(read_groups(f, strchr(text, ',') + 1, ""), 0);
	assert_true(has(f, "g1", "192.0.2.1"));
}

static void test_warnings(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_groups(f, "", "\"x\":[\"netflx\"]"), 0);
	assert_non_null(strstr(f->said[FG_LOG_WARNING], "g:1:19: application \"netflx\" is not known: did you mean netify.netflix?"));
	assert_int_equal(read_groups(f, "", "\"x\":[\"qqqqqqqq\"]"), 0);
	assert_non_null(strstr(f->said[FG_LOG_WARNING], "it will match once the agent names it"));
}

static void test_learning(void **state)
{
	struct fixture *f = *state;
	char err[256];
	const struct fg_appset *s;
	const uint32_t *ids;
	uint32_t before;

	assert_int_equal(read_groups(f, "", "\"x\":[\"new-one\",\"spotify\",7]"), 0);
	s = fg_groups_applications(f->groups, fg_slice("x", 1), err, sizeof(err));
	assert_int_equal(fg_appset_ids(s, &ids), 2);
	assert_int_equal(ids[0], 7);
	assert_int_equal(ids[1], 156);
	before = fg_groups_learn(f->groups);
	world_name(&f->w, FG_NAME_APPLICATION, 1, "netify.unrelated");
	assert_int_equal(fg_groups_learn(f->groups), before);
	world_name(&f->w, FG_NAME_APPLICATION, 50, "netify.new-one");
	assert_int_not_equal(fg_groups_learn(f->groups), before);
	assert_int_equal(fg_appset_ids(s, &ids), 3);
	assert_int_equal(ids[1], 50);
	/* two tags may come to mean one id */
	world_name(&f->w, FG_NAME_APPLICATION, 156, "netify.new-one");
	fg_groups_learn(f->groups);
	assert_true(fg_appset_has(s, 156));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_folders),
		TEST(test_nesting),
		TEST(test_warnings),
		TEST(test_learning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
