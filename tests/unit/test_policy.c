/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_policy.c - a configuration and a flow: which targets, and why. */
/* LINK: common/flow common/policy */
/* LIBS: -lpcre2-8 */
#include "flows.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/policy.h"

struct fixture {
	struct world w;
	struct fg_settings *settings;
	struct fg_policy *policy;
	char errors[8192]; /* all that was said, a line each */
	char notices[8192];
};

static void hear(void *ctx, enum fg_level level, const char *text)
{
	struct fixture *f = ctx;
	char *out = level == FG_LOG_ERROR ? f->errors : f->notices;
	size_t len = strlen(out);

	snprintf(out + len, sizeof(f->errors) - len, "%s\n", text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	world_open(&f->w, 4096);
	usual_names(&f->w);
	*state = f;
	return 0;
}

static void forget(struct fixture *f)
{
	fg_policy_free(f->policy);
	fg_settings_free(f->settings);
	f->policy = NULL;
	f->settings = NULL;
	f->errors[0] = f->notices[0] = '\0';
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	forget(f);
	world_close(&f->w);
	free(f);
	return 0;
}

/* Targets "a" to "d" and the rest, which begins with a comma or not at all. */
static int configure(struct fixture *f, const char *rest)
{
	struct fg_report report = {hear, f};
	char text[16384];
	int err;

	forget(f);
	snprintf(text, sizeof(text),
		 "{\"targets\":{\"a\":{\"target_type\":\"x\"},\"b\":{\"target_type\":\"x\"},"
		 "\"c\":{\"target_type\":\"x\"},\"d\":{\"target_type\":\"x\"}}%s\n%s}",
		 *rest ? "," : "", rest);
	err = fg_settings_parse(&f->settings, "t", text, strlen(text), NULL, 0,
				report);
	if (err)
		return err;
	err = fg_policy_new(&f->policy, f->settings, f->w.catalog);
	if (!err && fg_json_unknown_keys(f->settings->doc))
		fail_msg("%s", f->errors);
	return err;
}

static void must_configure(struct fixture *f, const char *rest)
{
	if (configure(f, rest))
		fail_msg("%s\n%s", rest, f->errors);
}

/* "a(first) b(second,observed)": targets in order, by which action. */
static const char *targets(struct fixture *f, const struct fg_flow *flow)
{
	static char text[1024];
	struct fg_grant g[FG_GRANTS_MAX];
	size_t n = fg_policy_evaluate(f->policy, f->w.table, flow, g), len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s(%s%s)",
			i ? " " : "", f->settings->targets[g[i].target].name,
			f->settings->actions[g[i].action].name,
			g[i].observe ? ",observed" : "");
	return text;
}

static struct fg_flow *netflix(struct fixture *f)
{
	usual_flow(&f->w);
	return end_flow(&f->w);
}

#define ACTION(name, criteria, rest) \
	"\"" name "\":{\"criteria\":" criteria ",\"targets\":[\"a\"]" rest "}"

/* --------------------------------------------------------------- evaluation */

static void test_actions(void **state)
{
	static const struct {
		const char *config;
		const char *targets; /* of the usual flow: Netflix over TLS */
		const char *why;
	} rows[] = {
		{"", "", "no actions"},
		{"\"actions\":{" ACTION("x", "\"ai:netflix\"", "") "}", "a(x)", "one"},
		{"\"actions\":{" ACTION("x", "\"ai:facebook\"", "") "}", "", "none"},
		{"\"actions\":{" ACTION("x", "\"*\"", "") "}", "a(x)", "all"},
		{"\"actions\":{" ACTION("x", "[\"ai:facebook\",\"ai:netflix\"]", "") "}",
		 "a(x)", "an array is OR"},
		{"\"actions\":{" ACTION("x", "[\"ai:facebook\",\"vlan == 7\"]", "") "}",
		 "", "of any kinds"},
		{"\"actions\":{" ACTION("x", "[\"ai:facebook\",\"port == 443\"]", "") "}",
		 "a(x)", ""},
		{"\"actions\":{" ACTION("x", "\"ai:netflix && port == 443\"", "") "}",
		 "a(x)", "found by id, then asked"},
		{"\"actions\":{" ACTION("x", "\"ai:netflix && port == 80\"", "") "}",
		 "", "found by id, but no"},
		{"\"actions\":{" ACTION("x", "[\"ai:netflix && port == 80\",\"ac:29\"]", "") "}",
		 "a(x)", "found twice"},
		{"\"actions\":{" ACTION("x", "\"ai:netflix\"", ",\"enabled\":false") "}",
		 "", "not enabled"},
		{"\"actions\":{\"x\":{\"criteria\":\"*\",\"targets\":[\"b\",\"a\",\"d\"]}}",
		 "a(x) b(x) d(x)", "in order of the targets"},
		{"\"actions\":{" ACTION("x", "\"*\"", "") "," ACTION("y", "\"ai:netflix\"", "") "}",
		 "a(x)", "the first wins"},
		{"\"actions\":{" ACTION("x", "\"ai:facebook\"", "") "," ACTION("y", "\"*\"", "") "}",
		 "a(y)", ""},
		{"\"actions\":{\"x\":{\"criteria\":\"*\",\"targets\":[\"b\"]}," ACTION("y", "\"*\"", "") "}",
		 "a(y) b(x)", "actions are independent"},
		{"\"actions\":{\"x\":{\"criteria\":\"*\",\"targets\":[\"b\"],\"halt_on_match\":true},"
		 ACTION("y", "\"*\"", "") "}", "b(x)", "halt"},
		{"\"actions\":{\"x\":{\"criteria\":\"ai:facebook\",\"targets\":[\"b\"],\"halt_on_match\":true},"
		 ACTION("y", "\"*\"", "") "}", "a(y)", "no match, no halt"},
		{"\"actions\":{\"x\":{\"criteria\":\"local_ip == 192.0.2.7\",\"allow\":true},"
		 ACTION("y", "\"*\"", "") "}", "", "allow"},
		{"\"actions\":{\"x\":{\"criteria\":\"*\",\"targets\":[],\"halt_on_match\":true},"
		 ACTION("y", "\"*\"", "") "}", "", "allow in Netify's words"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"mode\":\"observe\"") "}",
		 "a(x,observed)", "observe"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"mode\":\"observe\"") ","
		 ACTION("y", "\"*\"", "") "}", "a(y) a(x,observed)", "apart"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"mode\":\"observe\",\"halt_on_match\":true") ","
		 ACTION("y", "\"*\"", "") "}", "a(y) a(x,observed)", "observing halts nothing"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"192.0.2.7\"]") "}",
		 "", "an address"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"198.51.100.0/24\"]") "}",
		 "", "of either end"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"02:00:00:00:00:07\"]") "}",
		 "", "a MAC"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"02:00:00:00:00:01\"]") "}",
		 "", "the MAC of the other side"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"203.0.113.1\",\"ai:netflix\"]") "}",
		 "", "an expression"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"203.0.113.1\",\"ai:facebook\"]") "}",
		 "a(x)", "others"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"@kids\"]") "},"
		 "\"address_groups\":{\"kids\":[\"192.0.2.0/28\"]}", "", "a group"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"192.0.2.7\"]") ","
		 "\"y\":{\"criteria\":\"*\",\"targets\":[\"b\"]}}", "b(y)", "of one action"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"192.0.2.7\"],\"halt_on_match\":true") ","
		 "\"y\":{\"criteria\":\"*\",\"targets\":[\"b\"]}}", "b(y)", "exempt does not halt"},
		{"\"exemptions\":[\"192.0.2.7\"],\"actions\":{" ACTION("x", "\"*\"", "") "}",
		 "", "of all actions"},
		{"\"exemptions\":[\"port == 443\"],\"actions\":{" ACTION("x", "\"*\"", "") "}",
		 "", "an expression for all"},
		{"\"exemptions\":[\"port == 80\"],\"actions\":{" ACTION("x", "\"*\"", "") "}",
		 "a(x)", ""},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"br-lan\"") "}", "a(x)", "by name"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"eth0\"") "}", "", ""},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"*\"") "}", "a(x)", "any"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"lan\"") "}", "a(x)", "the LAN side"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"WAN\"") "}", "", ""},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":[\"eth0\",\"lan\"]") "}", "a(x)", "a list"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":[\"eth0\",\"wan\"]") "}", "", ""},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":[\"eth0\",\"*\"]") "}", "a(x)", ""},
		{"\"application_groups\":{\"tv\":[\"netflix\"]},\"actions\":{"
		 ACTION("x", "\"ai:@tv\"", "") "}", "a(x)", "application group"},
	};
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		must_configure(f, rows[i].config);
		if (strcmp(targets(f, flow), rows[i].targets) != 0)
			fail_msg("%s: %s (%s)", rows[i].config,
				 targets(f, flow), rows[i].why);
	}
}

static void test_roles(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);

	/* what agent_status says of the interface wins over "internal" */
	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"wan\"") "}");
	assert_string_equal(targets(f, flow), "");
	fg_flow_set_role(f->w.table, flow->interface, 'w');
	assert_string_equal(targets(f, flow), "a(x)");
	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"lan\"") "}");
	assert_string_equal(targets(f, flow), "");
}

static void test_counts(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);
	struct fg_policy_counts c;

	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", "") ","
		       ACTION("y", "\"*\"", ",\"mode\":\"observe\"") ","
		       ACTION("z", "\"*\"", ",\"exemptions\":[\"192.0.2.7\"]") "}");
	targets(f, flow);
	targets(f, flow);
	fg_policy_counts(f->policy, 0, &c);
	assert_int_equal(c.matched, 2);
	assert_int_equal(c.observed, 0);
	fg_policy_counts(f->policy, 1, &c);
	assert_int_equal(c.observed, 2);
	assert_int_equal(c.matched, 0);
	fg_policy_counts(f->policy, 2, &c);
	assert_int_equal(c.exempted, 2);
	assert_int_equal(c.matched, 0);
}

/* More actions than one word of bits has, some found by id, some tried. */
static void test_many_actions(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);
	char text[16384] = "\"actions\":{";
	size_t len = strlen(text);

	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len,
			"%s\"n%d\":{\"criteria\":\"%s%d\",\"targets\":[\"%c\"]}",
			i ? "," : "", i, i % 2 ? "ai:" : "vlan==", 1000 + i,
			'a' + i % 4);
	snprintf(text + len, sizeof(text) - len,
		 "," ACTION("last", "\"ai:netflix\"", "") "}");
	must_configure(f, text);
	assert_string_equal(targets(f, flow), "a(last)");
	usual_flow(&f->w);
	set_u(&f->w, FG_ATTR_APPLICATION, 1163);
	set_u(&f->w, FG_ATTR_VLAN_ID, 1102);
	flow = end_flow(&f->w);
	assert_string_equal(targets(f, flow), "c(n102) d(n163)");
}

static void test_too_many_targets(void **state)
{
	struct fixture *f = *state;
	struct fg_report report = {hear, f};
	struct fg_flow *flow = netflix(f);
	struct fg_grant g[FG_GRANTS_MAX];
	char text[16384] = "{\"targets\":{", said[256];
	size_t len = strlen(text);

	for (int i = 0; i < 70; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s\"t%d\":{\"target_type\":\"x\"}",
					i ? "," : "", i);
	len += (size_t)snprintf(text + len, sizeof(text) - len,
				"},\"actions\":{\"x\":{\"criteria\":\"*\",\"targets\":[");
	for (int i = 0; i < 70; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s\"t%d\"", i ? "," : "", 69 - i);
	snprintf(text + len, sizeof(text) - len, "]}}}");
	assert_int_equal(fg_settings_parse(&f->settings, "t", text, strlen(text),
					   NULL, 0, report), 0);
	assert_int_equal(fg_policy_new(&f->policy, f->settings, f->w.catalog), 0);
	assert_int_equal(fg_policy_evaluate(f->policy, f->w.table, flow, g),
			 FG_GRANTS_MAX);
	assert_true(fg_policy_complaint(f->policy, said, sizeof(said)));
	assert_non_null(strstr(said, "more than 64"));
	assert_false(fg_policy_complaint(f->policy, said, sizeof(said)));
}

/* --------------------------------------------------------------- time, names */

static void test_time(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);
	const int64_t midnight = INT64_C(1704067200000); /* Mon 2024-01-01 UTC */
	const int64_t hour = 3600000;
	int64_t next;

	must_configure(f, "\"timezone\":\"UTC\",\"actions\":{" ACTION("x", "\"*\"",
		",\"time_of_day\":[{\"day\":[\"mon\"],\"time_start\":\"08:00\",\"time_end\":\"16:00\"}]")
		"," "\"y\":{\"criteria\":\"*\",\"targets\":[\"b\"],\"time_of_day\":[{\"time_start\":\"12:00\",\"time_end\":\"13:00\"}]}}");
	assert_string_equal(targets(f, flow), ""); /* no time was told */
	assert_false(fg_policy_set_time(f->policy, midnight, &next));
	assert_int_equal(next, midnight + 8 * hour);
	assert_string_equal(targets(f, flow), "");
	assert_false(fg_policy_set_time(f->policy, next - 1, &next));
	assert_int_equal(next, midnight + 8 * hour);
	assert_true(fg_policy_set_time(f->policy, next, &next));
	assert_int_equal(next, midnight + 12 * hour);
	assert_string_equal(targets(f, flow), "a(x)");
	/* late: two edges were missed */
	assert_true(fg_policy_set_time(f->policy, midnight + 20 * hour, &next));
	assert_int_equal(next, midnight + 36 * hour);
	assert_string_equal(targets(f, flow), "");
	/* the clock was put back */
	assert_true(fg_policy_set_time(f->policy, midnight + 12 * hour + 5, &next));
	assert_int_equal(next, midnight + 13 * hour);
	assert_string_equal(targets(f, flow), "a(x) b(y)");
	/* a jump to where the same windows are open changes nothing */
	assert_false(fg_policy_set_time(f->policy, midnight + 7 * 24 * hour + 12 * hour, &next));
	assert_int_equal(next, midnight + 7 * 24 * hour + 13 * hour);

	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", "") "}");
	assert_false(fg_policy_set_time(f->policy, midnight, &next));
	assert_true(next == INT64_MAX);
}

/* Names that nobody can check are said at the first, as the file has them. */
static void test_unchecked(void **state)
{
	struct fixture *f = *state;

	world_close(&f->w);
	world_open(&f->w, 4096);
	must_configure(f, "\"actions\":{\n"
		       "\"x\":{\"criteria\":[\"*\", \"port == 1 && (ai:one || ai:two)\"],\"targets\":[\"a\"]},\n"
		       "\"y\":{\"criteria\":\"ai:three\",\"targets\":[\"b\"]}}");
	assert_non_null(strstr(f->notices, "t:3:41: 3 tags (\"one\", ...) cannot be checked yet"));
	must_configure(f, "\"actions\":{" ACTION("x", "\"ai:one\"", "") "}");
	assert_non_null(strstr(f->notices, ": 1 tag (\"one\") cannot be checked yet"));
	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", "") "}");
	assert_null(strstr(f->notices, "cannot be checked"));
}

static void test_learn(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow;
	char said[256];

	must_configure(f, "\"application_groups\":{\"new\":[\"newcomer\"]},\"actions\":{"
		       ACTION("x", "\"ai:newcomer\"", "") ","
		       "\"y\":{\"criteria\":\"app == @new && port == 443\",\"targets\":[\"b\"]},"
		       "\"z\":{\"criteria\":\"*\",\"targets\":[\"c\"],\"exemptions\":[\"ai:newcomer\"]}}");
	assert_non_null(strstr(f->notices, "application \"newcomer\" is not known"));
	usual_flow(&f->w);
	set_u(&f->w, FG_ATTR_APPLICATION, 10001);
	flow = end_flow(&f->w);
	assert_string_equal(targets(f, flow), "c(z)");
	assert_false(fg_policy_learn(f->policy));
	world_name(&f->w, FG_NAME_APPLICATION, 4, "netify.somebody-else");
	assert_false(fg_policy_learn(f->policy));
	world_name(&f->w, FG_NAME_APPLICATION, 10001, "netify.newcomer");
	assert_true(fg_policy_learn(f->policy));
	assert_string_equal(targets(f, flow), "a(x) b(y)");
	/* the signatures changed: another id, and not the old one */
	world_name(&f->w, FG_NAME_APPLICATION, 10001, "netify.other");
	world_name(&f->w, FG_NAME_APPLICATION, 10002, "netify.newcomer");
	assert_true(fg_policy_learn(f->policy));
	assert_string_equal(targets(f, flow), "c(z)");
	assert_false(fg_policy_complaint(f->policy, said, sizeof(said)));
}

static void test_names_come_later(void **state)
{
	struct fixture *f = *state;
	struct world bare;
	struct fg_report report = {hear, f};
	static const char text[] =
		"{\"targets\":{\"a\":{\"target_type\":\"x\"}},\"actions\":{"
		ACTION("x", "[\"ai:netflix\",\"ai:netflx\"]", "") ","
		ACTION("y", "\"ai:xyzzyx\"", "") "}}";
	char said[256];

	world_open(&bare, 1);
	assert_int_equal(fg_settings_parse(&f->settings, "t", text, strlen(text),
					   NULL, 0, report), 0);
	assert_int_equal(fg_policy_new(&f->policy, f->settings, bare.catalog), 0);
	assert_non_null(strstr(f->notices, "3 tags (\"netflix\", ...)"));
	assert_false(fg_policy_complaint(f->policy, said, sizeof(said)));
	/* the agent tells: what it does not know is complained of, once */
	usual_names(&bare);
	assert_true(fg_policy_learn(f->policy));
	assert_false(fg_policy_complaint(f->policy, said, sizeof(said)));
	for (uint32_t i = 0; i < 64; i++) {
		snprintf(said, sizeof(said), "netify.number-%u", i);
		world_name(&bare, FG_NAME_APPLICATION, 5000 + i, said);
	}
	assert_false(fg_policy_learn(f->policy));
	assert_true(fg_policy_complaint(f->policy, said, sizeof(said)));
	assert_string_equal(said, "action \"x\": the agent has not named \"netflx\" so far: did you mean \"netify.netflix\"?");
	assert_true(fg_policy_complaint(f->policy, said, sizeof(said)));
	assert_string_equal(said, "action \"y\": the agent has not named \"xyzzyx\" so far: nothing matches it");
	assert_false(fg_policy_complaint(f->policy, said, sizeof(said)));
	fg_policy_free(f->policy);
	f->policy = NULL;
	world_close(&bare);
}

static void test_regex_complaint(void **state)
{
	struct fixture *f = *state;
	struct fg_policy_counts c;
	struct fg_flow *flow;
	char host[200], said[256];

	must_configure(f, "\"actions\":{" ACTION("x", "\"detected_hostname == 'rx:^(a+)+$'\"", "") "}");
	usual_flow(&f->w);
	memset(host, 'a', sizeof(host));
	strcpy(host + 190, "!");
	set_text(&f->w, FG_ATTR_HOST_SERVER_NAME, host);
	flow = end_flow(&f->w);
	assert_string_equal(targets(f, flow), "");
	fg_policy_counts(f->policy, 0, &c);
	assert_int_equal(c.limited, 1);
	assert_true(fg_policy_complaint(f->policy, said, sizeof(said)));
	assert_non_null(strstr(said, "action \"x\""));
	assert_false(fg_policy_complaint(f->policy, said, sizeof(said)));
	targets(f, flow);
	assert_false(fg_policy_complaint(f->policy, said, sizeof(said)));
}

static void test_depends(void **state)
{
	struct fixture *f = *state;

	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", "") "}");
	assert_int_equal(fg_policy_depends(f->policy), 0);
	must_configure(f, "\"actions\":{" ACTION("x", "\"ai:133\"", "") "}");
	assert_int_equal(fg_policy_depends(f->policy), FG_CHANGED_CLASS);
	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"lan\"") "}");
	assert_int_equal(fg_policy_depends(f->policy), FG_CHANGED_KEY);
	must_configure(f, "\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"total_bytes > 5\"]") "}");
	assert_int_equal(fg_policy_depends(f->policy), FG_CHANGED_COUNTERS);
	must_configure(f, "\"exemptions\":[\"192.0.2.1\"],\"actions\":{"
		       ACTION("x", "\"detected_hostname\"", ",\"enabled\":false") "}");
	assert_int_equal(fg_policy_depends(f->policy), FG_CHANGED_KEY);
}

/* -------------------------------------------------------------------- never */

static void test_never(void **state)
{
	static const struct {
		const char *config;
		const char *addr;
		bool never;
	} rows[] = {
		{"", "127.0.0.1", true}, {"", "::1", true},
		{"", "224.0.0.251", true}, {"", "ff02::fb", true},
		{"", "255.255.255.255", true}, {"", "0.0.0.0", true},
		{"", "::", true}, {"", "169.254.1.1", true},
		{"", "fe80::1", true}, {"", "192.0.2.1", true},
		{"", "2001:db8::1", true}, {"", "192.0.2.2", false},
		{"", "2001:db8::2", false}, {"", "198.51.100.9", false},
		{"\"never\":[\"198.51.100.0/24\"]", "198.51.100.9", true},
		{"\"never\":[\"198.51.100.0/24\"]", "127.0.0.1", true},
		{"\"never\":[\"@dns\"],\"address_groups\":{\"dns\":[\"203.0.113.53\"]}", "203.0.113.53", true},
		{"\"never\":[\"!own\"]", "192.0.2.1", false},
		{"\"never\":[\"!own\"]", "127.0.0.1", true},
		{"\"never\":[\"!multicast\"]", "224.0.0.1", false},
		{"\"never\":[\"!default\"]", "127.0.0.1", false},
		{"\"never\":[\"!default\",\"198.51.100.9\"]", "198.51.100.9", true},
		{"\"never\":[]", "127.0.0.1", true},
	};
	static const uint8_t own4[1][16] = {{192, 0, 2, 1}};
	static const uint8_t own6[1][16] = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t addr[16];
		int version = fg_addr_parse(rows[i].addr, strlen(rows[i].addr),
					    addr);

		must_configure(f, rows[i].config);
		fg_policy_never_own(f->policy, 4, own4, 1);
		fg_policy_never_own(f->policy, 6, own6, 1);
		if (fg_policy_never(f->policy, version, addr) != rows[i].never)
			fail_msg("%s: %s", rows[i].config, rows[i].addr);
	}
	/* what is listed is told from what is there by default */
	must_configure(f, "\"never\":[\"192.0.2.2\",\"@g\"],\"address_groups\":{\"g\":\"198.51.100.0/24\"}");
	fg_policy_never_own(f->policy, 4, own4, 1);
	assert_true(fg_policy_never_listed(f->policy, 4, (const uint8_t[16]){192, 0, 2, 2}));
	assert_true(fg_policy_never_listed(f->policy, 4, (const uint8_t[16]){198, 51, 100, 9}));
	assert_false(fg_policy_never_listed(f->policy, 4, own4[0]));
	assert_false(fg_policy_never_listed(f->policy, 4, (const uint8_t[16]){127, 0, 0, 1}));
	/* they change with the gateway's */
	must_configure(f, "");
	fg_policy_never_own(f->policy, 4, own4, 1);
	assert_true(fg_policy_never(f->policy, 4, own4[0]));
	fg_policy_never_own(f->policy, 4, NULL, 0);
	assert_false(fg_policy_never(f->policy, 4, own4[0]));
}

/* ------------------------------------------------------------------- errors */

static void test_errors(void **state)
{
	static const struct {
		const char *config;
		const char *says;
	} rows[] = {
		{"\"actions\":{" ACTION("x", "\"\"", "") "}", "t:2:29: an empty expression"},
		{"\"actions\":{" ACTION("x", "[]", "") "}", "\"criteria\" is empty"},
		{"\"actions\":{" ACTION("x", "[\"ai:netflix\",\"\"]", "") "}", "empty expression"},
		{"\"actions\":{" ACTION("x", "\"port == 443 && aplication == 'x'\"", "") "}",
		 "t:2:44: no attribute \"aplication\": did you mean application?"},
		{"\"actions\":{" ACTION("x", "\"app == \\\"a\\\" && prt\"", "") "}",
		 "t:2:45: no attribute \"prt\""},
		{"\"actions\":{" ACTION("x", "\"ac:gamse\"", "") "}", "did you mean games?"},
		{"\"actions\":{" ACTION("x", "\"ac:gamse\"", ",\"enabled\":false") "}",
		 "did you mean games?"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"192.0.2.300\"]") "}", "t:2:"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[\"@nobody\"]") "}",
		 "no address group @nobody"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"exemptions\":[1]") "}", "expression in quotes"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":\"\"") "}", "name is empty"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"interface\":[]") "}", "no interface"},
		{"\"actions\":{" ACTION("x", "\"*\"", ",\"time_of_day\":[{\"time_start\":\"25:61\"}]") "}",
		 "no clock shows 25:61"},
		{"\"timezone\":\"Europe/Nowhere\"", "no time zone \"Europe/Nowhere\""},
		{"\"exemptions\":[\"app = 1\"]", "write =="},
		{"\"never\":[\"kids\"]", "expected an address"},
		{"\"exemptions\":[\"10.0.0.0/33\"]", "\"10.0.0.0/33\" is not an address"},
		{"\"never\":[\"02:00:00:00:00:07\"]", "put a MAC address into \"exemptions\""},
		{"\"never\":[\"!owm\"]", "did you mean !own?"},
		{"\"never\":[\"@x\"]", "no address group @x"},
		{"\"address_groups\":{\"a\":[\"@a\"]}", "group \"a\" includes itself"},
		{"\"address_groups\":{\"a\":[\"@b\"],\"b\":[\"@c\"],\"c\":[\"@a\"]}", "includes itself through c"},
		{"\"address_groups\":{\"a\":[\"192.0.2.1\",\"nonsense\"]}", "t:2:36: \"nonsense\" is not an address"},
		{"\"address_groups\":{\"a\":[\"@b\"]}", "no address group @b"},
		{"\"address_groups\":{\"a b\":[]}", "cannot be the name of a group"},
		{"\"address_groups\":{\"a\":[7]}", "expected text"},
		{"\"address_groups\":{\"a\":\"/nonexistent/kids.conf\"}", "/nonexistent/kids.conf: No such file"},
		{"\"address_groups\":{\"a\":\"/\"}", "/: Is a directory"},
		{"\"application_groups\":{\"a\":[\"@a\"]}", "group \"a\" includes itself"},
		{"\"application_groups\":{\"a\":[\"@b\"]}", "no application group @b"},
		{"\"application_groups\":{\"a\":[true]}", "tag or id"},
		{"\"application_groups\":{\"a\":[99999999999]}", "at most 4294967295"},
		{"\"application_groups\":{\"a\":[\"\"]}", "tag is empty"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (configure(f, rows[i].config) == -EINVAL &&
		    strstr(f->errors, rows[i].says))
			continue;
		fail_msg("%s: %s", rows[i].config, f->errors);
	}
	/* all of them are said, not only the first */
	assert_int_equal(configure(f, "\"never\":[\"x\"],\"exemptions\":[\"y\"],\"actions\":{"
				   ACTION("x", "[\"z\",\"ac:q\"]", "") "}"), -EINVAL);
	assert_non_null(strstr(f->errors, "\"y\""));
	assert_non_null(strstr(f->errors, "\"z\""));
	assert_non_null(strstr(f->errors, "\"q\""));
	assert_non_null(strstr(f->errors, "expected an address"));
	/* what could not be read for another's error is not unknown for that */
	assert_int_equal(configure(f, "\"timezone\":\"Nowhere\",\"actions\":{"
				   ACTION("x", "\"ac:q\"", ",\"time_of_day\":[{\"day\":[\"mon\"],\"time_end\":\"25:61\"}]") "}"), -EINVAL);
	assert_int_equal(fg_json_unknown_keys(f->settings->doc), 0);
	assert_non_null(strstr(f->errors, "\"q\""));
	assert_non_null(strstr(f->errors, "25:61"));
	assert_int_equal(configure(f, "\"address_groups\":{\"g\":[\"x\"]},\"actions\":{"
				   ACTION("x", "\"*\"", ",\"time_of_day\":[{\"day\":[\"mon\"]}]") "}"), -EINVAL);
	assert_int_equal(fg_json_unknown_keys(f->settings->doc), 0);
}

static void test_group_files(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);
	char path[] = "/tmp/flowgate-group-XXXXXX", config[1024];
	static const char good[] = "# the family\n\n 192.0.2.0/28 # all\n"
				   "02:00:00:00:00:09\r\n2001:db8::/32\n";
	static const char bad[] = "192.0.2.1\nnobody\n";
	int fd = mkstemp(path);

	assert_true(write(fd, good, sizeof(good) - 1) > 0);
	snprintf(config, sizeof(config),
		 "\"address_groups\":{\"kids\":[\"%s\",\"203.0.113.1\"]},\"actions\":{"
		 ACTION("x", "\"local_ip == @kids\"", "") ","
		 "\"y\":{\"criteria\":\"local_mac == @kids\",\"targets\":[\"b\"]}}", path);
	must_configure(f, config);
	assert_string_equal(targets(f, flow), "a(x)");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_true(pwrite(fd, bad, sizeof(bad) - 1, 0) > 0);
	assert_int_equal(configure(f, config), -EINVAL);
	assert_non_null(strstr(f->errors, ":2: \"nobody\" is not an address"));
	close(fd);
	unlink(path);
}

/* ------------------------------------------------------------------ explain */

static void collect(void *ctx, const char *text)
{
	char *out = ctx;
	size_t len = strlen(out);

	snprintf(out + len, 4096 - len, "%s\n", text);
}

static void test_explain(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);
	char out[4096] = "";
	int64_t next;

	must_configure(f, "\"timezone\":\"UTC\",\"never\":[\"198.51.100.0/24\"],"
		"\"address_groups\":{\"staff\":[\"192.0.2.0/24\"]},\"actions\":{"
		ACTION("off", "\"*\"", ",\"enabled\":false") ","
		ACTION("night", "\"*\"", ",\"time_of_day\":[{\"day\":[\"fri\",\"sat\"],\"time_start\":\"21:00\",\"time_end\":\"06:00\"}]") ","
		ACTION("wan", "\"*\"", ",\"interface\":\"wan\"") ","
		ACTION("social", "[\"ai:facebook\",\"ac:social-media\"]", "") ","
		ACTION("staff", "\"ai:netflix\"", ",\"exemptions\":[\"203.0.113.1\",\"@staff\"]") ","
		ACTION("seen", "\"ai:netflix\"", ",\"mode\":\"observe\"") ","
		"\"tv\":{\"criteria\":\"ai:netflix && port == 443\",\"targets\":[\"a\",\"b\"],\"halt_on_match\":true},"
		ACTION("rest", "\"*\"", "") "}");
	fg_policy_set_time(f->policy, INT64_C(1704067200000), &next);
	fg_policy_explain(f->policy, f->w.table, flow, collect, out);
	assert_string_equal(out,
		"never: no target may hold other_ip 198.51.100.9, which is 198.51.100.0/24\n"
		"off: not enabled\n"
		"night: outside of its window fri-sat 21:00-06:00, opens Fri 2024-01-05 21:00\n"
		"wan: not for interface br-lan (LAN side)\n"
		"social: not matched by ai:facebook (application is netify.netflix (133)) nor ac:social-media (application_category is streaming-media (29))\n"
		"staff: exempted by @staff (local_ip is 192.0.2.7); would match by ai:netflix (application is netify.netflix (133))\n"
		"seen: only observed, matched by ai:netflix (application is netify.netflix (133)) -> (a)\n"
		"tv: matched by ai:netflix (application is netify.netflix (133)) and port == 443 (port is 40000 and 443) -> a, b; later actions are not looked at\n"
		"rest: not looked at, since \"tv\" matched\n");

	out[0] = '\0';
	must_configure(f, "\"timezone\":\"UTC\",\"exemptions\":[\"02:00:00:00:00:07\"],\"actions\":{"
		"\"pass\":{\"criteria\":\"*\",\"allow\":true,\"time_of_day\":[{\"day\":[\"mon\"]}]}}");
	fg_policy_set_time(f->policy, INT64_C(1704067200000), &next);
	fg_policy_explain(f->policy, f->w.table, flow, collect, out);
	assert_string_equal(out,
		"exempt from all actions by 02:00:00:00:00:07 (local_mac is 02:00:00:00:00:07)\n"
		"pass: would match by *, but the flow is exempt from all\n");

	out[0] = '\0';
	must_configure(f, "\"timezone\":\"UTC\",\"actions\":{"
		"\"pass\":{\"criteria\":\"*\",\"allow\":true,\"time_of_day\":[{\"day\":[\"mon\"]}]}}");
	fg_policy_set_time(f->policy, INT64_C(1704067200000), &next);
	fg_policy_explain(f->policy, f->w.table, flow, collect, out);
	assert_string_equal(out, "pass: allowed by *, in its window mon 00:00-24:00; later actions are not looked at\n");
}

/* explain() and evaluate() are two walks over one policy: they must agree. */
static void test_explain_agrees(void **state)
{
	struct fixture *f = *state;
	char out[4096];

	must_configure(f, "\"actions\":{" ACTION("x", "\"ai:netflix\"", ",\"exemptions\":[\"port == 80\"]") ","
		"\"y\":{\"criteria\":[\"ai:facebook\",\"port == 53\"],\"targets\":[\"b\"],\"interface\":\"lan\"},"
		"\"z\":{\"criteria\":\"pi:5 || ai:facebook && port == 80\",\"allow\":true},"
		"\"w\":{\"criteria\":\"*\",\"targets\":[\"c\"]}}");
	for (unsigned i = 0; i < 32; i++) {
		struct fg_flow *flow;
		const char *got;

		usual_flow(&f->w);
		set_u(&f->w, FG_ATTR_APPLICATION, i & 1 ? 133 : 119);
		set_u(&f->w, FG_ATTR_PROTOCOL, i & 2 ? 5 : 196);
		set_u(&f->w, FG_ATTR_OTHER_PORT, i & 4 ? 80 : 53);
		set_u(&f->w, FG_ATTR_INTERNAL, i >> 3 & 1);
		flow = end_flow(&f->w);
		got = targets(f, flow);
		out[0] = '\0';
		fg_policy_explain(f->policy, f->w.table, flow, collect, out);
		assert_int_equal(!!strstr(got, "a(x)"), !!strstr(out, "x: matched"));
		assert_int_equal(!!strstr(got, "b(y)"), !!strstr(out, "y: matched"));
		assert_int_equal(!!strstr(got, "c(w)"), !!strstr(out, "w: matched"));
	}
}

/* ------------------------------------------------------------------ filters */

static void test_filter(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);
	struct fg_criteria *c, *tv;
	char err[256];

	must_configure(f, "\"application_groups\":{\"tv\":[\"newcomer\",\"netflix\"]},"
		       "\"address_groups\":{\"kids\":[\"192.0.2.0/24\"]}");
	assert_int_equal(fg_policy_filter(f->policy, &c, "local_ip == @kids", err, sizeof(err)), 0);
	assert_int_equal(fg_policy_filter(f->policy, &tv, "ai:@tv", err, sizeof(err)), 0);
	/* "flowgatectl flows -f" goes on while the policy is replaced */
	forget(f);
	assert_true(fg_criteria_match(c, f->w.table, flow));
	assert_true(fg_criteria_match(tv, f->w.table, flow));
	world_name(&f->w, FG_NAME_APPLICATION, 5000, "netify.newcomer");
	assert_true(fg_criteria_match(tv, f->w.table, flow));
	usual_flow(&f->w);
	set_u(&f->w, FG_ATTR_APPLICATION, 5000);
	assert_true(fg_criteria_match(tv, f->w.table, end_flow(&f->w)));
	fg_criteria_free(c);
	fg_criteria_free(tv);
	must_configure(f, "");
	assert_int_equal(fg_policy_filter(f->policy, &c, "app = 1", err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "character 5: a single =: write ==");
}

/* The files that people have for Netify's plugin. */
static void test_netify_file(void **state)
{
	struct fixture *f = *state;
	struct fg_flow *flow = netflix(f);

	must_configure(f,
		"\"version\":1,\"reprocess_flows\":true,\"timezone\":\"UTC\","
		"\"exemptions\":[\"192.0.2.1\",\"local_ip == 10.0.0.0/8;\"],"
		"\"target_defaults\":{\"nftset\":{\"table_name\":\"fw4\"}},"
		"\"target_globals\":{\"ctlabel\":{\"max_bits\":127}},"
		"\"actions\":{\"social\":{\"enabled\":true,\"interface\":\"*\",\"criteria\":\"ac:social-media\",\"targets\":[\"a\"]},"
		"\"video\":{\"criteria\":[\"ai:netflix\",\"app == 'netify.spotify';\"],\"targets\":[\"b\",\"c\"],\"exemptions\":[],"
		"\"halt_on_match\":false,\"time_of_day\":[]},"
		"\"all\":{\"criteria\":\"*\",\"targets\":[\"d\"]}}");
	assert_string_equal(targets(f, flow), "b(video) c(video) d(all)");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_actions),	   TEST(test_roles),
		TEST(test_counts),	   TEST(test_many_actions),
		TEST(test_too_many_targets), TEST(test_time),
		TEST(test_unchecked), TEST(test_learn),	   TEST(test_names_come_later),
		TEST(test_regex_complaint), TEST(test_depends),
		TEST(test_never),	   TEST(test_errors),
		TEST(test_group_files),	   TEST(test_explain),
		TEST(test_explain_agrees), TEST(test_filter),
		TEST(test_netify_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
