/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_config.c - the configuration: what it means, and what is said of it. */
/* LINK: common/policy/json.c common/policy/node.c common/policy/syntax.c */
/* LINK: common/policy/config.c common/policy/source.c common/policy/action.c */
/* LINK: common/policy/url.c */
/* LIBS: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup */
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

#include "policy/config.h"
#include "policy/url.h"

struct said {
	char text[16384];
	unsigned errors;
	unsigned warnings;
	unsigned notices;
};

static void say(void *ctx, enum fg_level level, const char *text)
{
	struct said *s = ctx;
	size_t len = strlen(s->text);

	snprintf(s->text + len, sizeof(s->text) - len, "%s\n", text);
	s->errors += level == FG_LOG_ERROR;
	s->warnings += level == FG_LOG_WARNING;
	s->notices += level == FG_LOG_NOTICE;
}

static int parse(struct fg_settings **out, const char *text,
		 const char *const *urls, size_t n, struct said *said)
{
	memset(said, 0, sizeof(*said));
	return fg_settings_parse(out, "f", text, strlen(text), urls, n,
				 (struct fg_report){say, said});
}

static struct fg_settings *must_parse(const char *text, struct said *said)
{
	struct fg_settings *s = NULL;
	int ret = parse(&s, text, NULL, 0, said);

	if (ret)
		print_error("%s\n%s", text, said->text);
	assert_int_equal(ret, 0);
	return s;
}

static struct fg_settings *must_load(const char *path, struct said *said)
{
	struct fg_settings *s = NULL;
	int ret;

	memset(said, 0, sizeof(*said));
	ret = fg_settings_load(&s, path, NULL, 0,
			       (struct fg_report){say, said});
	if (ret)
		print_error("%s", said->text);
	assert_int_equal(ret, 0);
	return s;
}

/* ------------------------------------------------------------- errors */

/* Most cases need something around them. */
#define TARGETS(x) "{\"targets\": {" x "}}"
#define ACTIONS(x) \
	"{\"targets\": {\"block\": {\"target_type\": \"t\"}},\n" \
	"\"actions\": {" x "}}"

static const struct {
	const char *why;
	const char *text;
	const char *says; /* all of it */
} wrong[] = {
	{"not an object", "[]", "f:1:1: the configuration is an object { }\n"},
	{"unknown key, near miss", "{\"source\": [], \"grace\": \"x\"}",
	 "f:1:25: \"grace\" must be a whole number from 0 to 86400, not "
	 "\"x\"\n"
	 "f:1:2: unknown key \"source\" at the top level (did you mean "
	 "\"sources\"?)\n"},
	{"version of the future", "{\"version\": 2}",
	 "f:1:13: version 2 of the configuration is not known: this flowgated "
	 "reads version 1\n"},
	{"wrong kinds: all are said",
	 "{\"targets\": [],\n\"actions\": 1,\n\"limits\": true,\n"
	 "\"never\": \"x\",\n\"address_groups\": [],\n\"user\": 0,\n"
	 "\"plugins\": \"nftset\",\n\"catalog\": {},\n\"sources\": {}}",
	 "f:9:12: \"sources\" must be a list [ ], not an object\n"
	 "f:1:13: \"targets\" must be an object { }, not a list\n"
	 "f:2:12: \"actions\" must be an object { }, not 1\n"
	 "f:7:12: \"plugins\" must be a list [ ], not \"nftset\"\n"
	 "f:3:11: \"limits\" must be an object { }, not true\n"
	 "f:6:9: \"user\" must be text in quotes, not 0\n"
	 "f:4:10: \"never\" must be a list [ ], not \"x\"\n"
	 "f:5:19: \"address_groups\" must be an object { }, not a list\n"
	 "f:8:12: \"catalog\" must be text in quotes or a list of such\n"},

	{"limits out of range",
	 "{\"limits\": {\"max_flows\": 63,\n\"flow_idle\": 0,\n"
	 "\"max_message\": 1000000000,\n\"max_flow\": 1}}",
	 "f:1:26: \"max_flows\" must be a whole number from 64 to 16777216, "
	 "not 63\n"
	 "f:3:16: \"max_message\" must be a whole number from 4096 to "
	 "67108864, not 1000000000\n"
	 "f:2:14: \"flow_idle\" must be a whole number from 1 to 604800, not "
	 "0\n"
	 "f:4:1: unknown key \"max_flow\" in \"limits\" (did you mean "
	 "\"max_flows\"?)\n"},
	{"too many flows", "{\"limits\": {\"max_flows\": 16777217}}",
	 "f:1:26: \"max_flows\" must be a whole number from 64 to 16777216, "
	 "not 16777217\n"},
	{"plugins are named", "{\"plugins\": [\"\", 1]}",
	 "f:1:14: expected the name of a plugin, or its file, in quotes\n"
	 "f:1:18: expected the name of a plugin, or its file, in quotes\n"},
	{"catalog: a file in the list is none", "{\"catalog\": [\"/x\", 1]}",
	 "f:1:20: \"catalog\" lists texts in quotes only\n"},

	/* sources */
	{"no source at all", "{\"sources\": []}",
	 "f:1:13: \"sources\" is empty: leave it out for "
	 FG_DEFAULT_SOURCE "\n"},
	{"what a source is", "{\"sources\": [1, {}, {\"url\": 1}]}",
	 "f:1:14: a source is a URL in quotes, or an object with a \"url\"\n"
	 "f:1:17: a source needs a \"url\"\n"
	 "f:1:29: \"url\" must be text in quotes, not 1\n"},
	{"port 0, and the place is that of the URL",
	 "{\"sources\": [{\"name\": \"a\", \"url\": \"tcp://a:0\"}]}",
	 "f:1:35: source \"tcp://a:0\": a port is from 1 to 65535, not 0\n"},
	{"the same one twice, in two ways",
	 "{\"sources\": [\"file:/x\", {\"url\": \"file:///x\"}]}",
	 "f:1:33: source \"file:///x\": is here twice: each of its flows would "
	 "count twice\n"},
	{"a name twice",
	 "{\"sources\": [{\"url\": \"tcp://a:1\", \"name\": \"x\"},\n"
	 "{\"url\": \"tcp://b:1\", \"name\": \"x\"}]}",
	 "f:2:30: another source has this name, too\n"},
	{"no name",
	 "{\"sources\": [{\"url\": \"tcp://a:1\", \"name\": \"\"}]}",
	 "f:1:43: a source needs a name\n"},

	/* targets */
	{"a target is an object", TARGETS("\"a\": \"nftset\""),
	 "f:1:19: a target is an object { } with a \"target_type\"\n"},
	{"no type", TARGETS("\"a\": {}"),
	 "f:1:19: target \"a\" needs a \"target_type\", such as \"nftset\"\n"},
	{"type of a wrong kind", TARGETS("\"a\": {\"target_type\": 1}"),
	 "f:1:35: \"target_type\" must be text in quotes, not 1\n"},
	{"BSD", TARGETS("\"a\": {\"target_type\": \"pftable\"}"),
	 "f:1:35: target type \"pftable\" is for BSD's pf, which Linux does "
	 "not have: use \"nftset\", or set \"target_enabled\" to false\n"},
	{"netifyd's own", TARGETS("\"a\": {\"target_type\": \"sink\"}"),
	 "f:1:35: target type \"sink\" hands flows to sinks inside of netifyd: "
	 "use \"log\" here, or configure the sink in netifyd, or set "
	 "\"target_enabled\" to false\n"},
	{"the same name twice",
	 TARGETS("\"a\": {\"target_type\": \"t\"},\n"
		 "\"a\": {\"target_type\": \"t\"}"),
	 "f:2:1: \"a\" is here twice: the first is at 1:14\n"},
	{"a name that would break lines",
	 TARGETS("\"a\\nb\": {\"target_type\": \"t\"}"),
	 "f:1:14: control character in the name of a target\n"},
	{"a long name",
	 TARGETS("\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
		 "fffffffffffffff\": {\"target_type\": \"t\"}"),
	 "f:1:14: the name of a target has at most 64 bytes, this one 65\n"},

	/* actions */
	{"an action is an object", ACTIONS("\"a\": \"*\""),
	 "f:2:18: an action is an object { } with \"criteria\" and "
	 "\"targets\"\n"},
	{"no criteria, and why",
	 ACTIONS("\"a\": {\"critera\": \"*\", \"targets\": [\"block\"]}"),
	 "f:2:18: action \"a\" needs \"criteria\"; \"*\" is every flow\n"
	 "f:2:19: unknown key \"critera\" in \"a\" (did you mean "
	 "\"criteria\"?)\n"},
	{"empty list of criteria",
	 ACTIONS("\"a\": {\"criteria\": [], \"targets\": [\"block\"]}"),
	 "f:2:31: \"criteria\" is empty; \"*\" is every flow\n"},
	{"criteria of a wrong kind",
	 ACTIONS("\"a\": {\"criteria\": [1], \"targets\": [\"block\"]}"),
	 "f:2:32: \"criteria\" lists texts in quotes only\n"},
	{"a target that does not exist",
	 ACTIONS("\"a\": {\"criteria\": \"*\", \"targets\": [\"blokc\", "
		 "\"other\"]}"),
	 "f:2:48: there is no target \"blokc\" (did you mean \"block\"?)\n"
	 "f:2:57: there is no target \"other\": add it to \"targets\"\n"},
	{"in an object",
	 ACTIONS("\"a\": {\"criteria\": \"*\", \"targets\": "
		 "[{\"target\": \"blokc\"}, {\"data\": 1}, 7]}"),
	 "f:2:59: there is no target \"blokc\" (did you mean \"block\"?)\n"
	 "f:2:69: needs a \"target\" with the name of one\n"
	 "f:2:82: expected the name of a target in quotes, or {\"target\": "
	 "name, ...}\n"},
	{"the same target twice",
	 ACTIONS("\"a\": {\"criteria\": \"*\", \"targets\": [\"block\", "
		 "{\"target\": \"block\", \"data\": 1}]}"),
	 "f:2:68: target \"block\" is in this action twice\n"},
	{"nothing to do", ACTIONS("\"a\": {\"criteria\": \"*\"}"),
	 "f:2:18: action \"a\" does nothing: name \"targets\", or let what "
	 "matches pass with \"allow\": true\n"},
	{"allowed and put somewhere",
	 ACTIONS("\"a\": {\"criteria\": \"*\", \"targets\": [\"block\"], "
		 "\"allow\": true}"),
	 "f:2:18: action \"a\" has targets, so it is no \"allow\" rule: use "
	 "\"halt_on_match\" to end with it\n"},
	{"allow that does not end",
	 ACTIONS("\"a\": {\"criteria\": \"*\", \"allow\": true, "
		 "\"halt_on_match\": false}"),
	 "f:2:18: action \"a\": \"allow\" means \"halt_on_match\", which is "
	 "false here\n"},
	{"mode",
	 ACTIONS("\"a\": {\"criteria\": \"*\", \"targets\": [\"block\"], "
		 "\"mode\": \"observ\"}"),
	 "f:2:66: \"mode\" must be \"enforce\" or \"observe\", not \"observ\" "
	 "(did you mean \"observe\"?)\n"},
	{"disabled, but still checked",
	 ACTIONS("\"a\": {\"enabled\": false, \"targets\": [\"x\"]}"),
	 "f:2:18: action \"a\" needs \"criteria\"; \"*\" is every flow\n"
	 "f:2:49: there is no target \"x\": add it to \"targets\"\n"},
	{"kinds in an action",
	 ACTIONS("\"a\": {\"criteria\": 1, \"targets\": \"block\",\n"
		 "\"interface\": [1],\n\"exemptions\": \"x\",\n"
		 "\"time_of_day\": {},\n\"enabled\": \"yes\",\n\"mode\": 1}"),
	 "f:6:12: \"enabled\" must be true or false, not \"yes\"\n"
	 "f:2:31: \"criteria\" must be text in quotes or a list of such\n"
	 "f:3:15: \"interface\" lists texts in quotes only\n"
	 "f:4:15: \"exemptions\" must be a list [ ], not \"x\"\n"
	 "f:5:16: \"time_of_day\" must be a list [ ], not an object\n"
	 "f:7:9: \"mode\" must be text in quotes, not 1\n"
	 "f:2:45: \"targets\" must be a list [ ], not \"block\"\n"
	 "f:2:18: action \"a\" does nothing: name \"targets\", or let what "
	 "matches pass with \"allow\": true\n"},
};

static void test_errors(void **state)
{
	struct fg_settings *s;
	struct said said;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(parse(&s, wrong[i].text, NULL, 0, &said),
				 -EINVAL);
		if (strcmp(said.text, wrong[i].says) != 0) {
			print_error("%s:\n%s\nexpected:\n%ssaid:\n%s",
				    wrong[i].why, wrong[i].text, wrong[i].says,
				    said.text);
			fail();
		}
	}
}

/* What is disabled may be unfinished: a word, no error. */
static void test_unfinished(void **state)
{
	struct said said;
	struct fg_settings *s = must_parse(
		ACTIONS("\"a\": {\"enabled\": false, \"criteria\": \"*\"}"),
		&said);

	(void)state;
	assert_string_equal(said.text,
			    "f:2:18: action \"a\" does nothing if enabled: name "
			    "\"targets\", or let what matches pass with "
			    "\"allow\": true\n");
	assert_int_equal(said.warnings, 1);
	fg_settings_free(s);
}

/* ---------------------------------------------------------------- urls */

static const struct {
	const char *url;
	const char *name; /* NULL: refused */
	const char *says; /* part of it */
} urls[] = {
	{"-", "stdin", NULL},
	{"unix:///run/netifyd/netifyd.sock", "netifyd", NULL},
	{"unix:/run/x", "x", NULL},
	{"file:///tmp/a.stream", "a.stream", NULL},
	{"tcp://192.0.2.1:7150", "192.0.2.1:7150", NULL},
	{"tcp://[2001:db8::1]:1", "[2001:db8::1]:1", NULL},
	{"tcp://probe-1.example.net:65535", "probe-1.example.net:65535", NULL},
	{"mqtt://broker:1883", "broker:1883", NULL},
	{"x-y+z.1://whatever it:is", NULL, "a space or control character"},
	{"", NULL, "expected unix:///path"},
	{"netifyd", NULL, "expected unix:///path"},
	{"/run/x.sock", NULL, "write unix:///run/x.sock for a socket"},
	{"://x", NULL, "expected unix:///path"},
	{"1a://x", NULL, "expected unix:///path"},
	{"TCP://a:1", NULL, "expected unix:///path"},
	{"unix://run/x", NULL, "the path must be absolute"},
	{"unix:x", NULL, "the path must be absolute"},
	{"unix://", NULL, "the path is missing: unix:///path"},
	{"file:", NULL, "the path is missing: file:///path"},
	{"tcp:a:1", NULL, "expected tcp://host:port"},
	{"tcp://", NULL, "the host is missing"},
	{"tcp://:1", NULL, "the host is missing"},
	{"tcp://a", NULL, "the port is missing"},
	{"tcp://a:", NULL, "the port is missing"},
	{"tcp://a/", NULL, "the port is missing"},
	{"tcp://a:0", NULL, "a port is from 1 to 65535, not 0"},
	{"tcp://a:65536", NULL, "a port is from 1 to 65535, not 65536"},
	{"tcp://a:18446744073709551617", NULL, "a port is from 1 to 65535"},
	{"tcp://a:1/x", NULL, "expected a port after the last ':'"},
	{"tcp://a:-1", NULL, "expected a port after the last ':'"},
	{"tcp://2001:db8::1:7150", NULL, "an IPv6 address needs brackets"},
	{"tcp://[2001:db8::1:7150", NULL, "missing ']'"},
	{"tcp://[192.0.2.1]:7150", NULL, "must be an IPv6 address"},
	{"tcp://[::1]", NULL, "the port is missing"},
	{"tcp://[::1]7150", NULL, "the port is missing"},
	{"tcp://300.1.1.1:1", NULL, "neither an address nor a host name"},
	{"tcp://user@a:1", NULL, "neither an address nor a host name"},
	{"tcp://-a:1", NULL, "neither an address nor a host name"},
	{"mqtt:broker", NULL, "expected mqtt://..."},
	{"mqtt://", NULL, "expected mqtt://..."},
};

static void test_urls(void **state)
{
	struct fg_url url;
	char err[256], name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		int ret = fg_url_parse(&url, urls[i].url, err, sizeof(err));

		if (urls[i].name) {
			if (ret)
				fail_msg("%s: %s", urls[i].url, err);
			fg_url_name(urls[i].url, name, sizeof(name));
			assert_string_equal(name, urls[i].name);
			continue;
		}
		if (ret != -EINVAL || !strstr(err, urls[i].says))
			fail_msg("%s: %s", urls[i].url, ret ? err : "taken");
	}
	assert_int_equal(fg_url_parse(&url, "tcp://[::1]:80", err, 256), 0);
	assert_int_equal(url.scheme, FG_URL_TCP);
	assert_string_equal(url.host, "::1");
	assert_int_equal(url.port, 80);
	assert_int_equal(fg_url_parse(&url, "file:/a/b", err, 256), 0);
	assert_int_equal(url.scheme, FG_URL_FILE);
	assert_string_equal(url.path, "/a/b");
	assert_int_equal(fg_url_parse(&url, "udp://x", err, 256), 0);
	assert_int_equal(url.scheme, FG_URL_OTHER);
}

/* sun_path has 108 bytes, with the NUL; files have more. */
static void test_url_lengths(void **state)
{
	char text[FG_URL_PATH + 32], err[256];
	struct fg_url url;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "unix:///", 8);
	text[7 + 107] = '\0';
	assert_int_equal(fg_url_parse(&url, text, err, sizeof(err)), 0);
	text[7 + 107] = 'x';
	text[7 + 108] = '\0';
	assert_int_equal(fg_url_parse(&url, text, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "the path is longer than 107 bytes");
	memset(text, 'x', sizeof(text));
	memcpy(text, "file:///", 8);
	text[7 + FG_URL_PATH] = '\0';
	assert_int_equal(fg_url_parse(&url, text, err, sizeof(err)), -EINVAL);
	text[7 + FG_URL_PATH - 1] = '\0';
	assert_int_equal(fg_url_parse(&url, text, err, sizeof(err)), 0);
	memset(text, 'x', sizeof(text));
	memcpy(text, "tcp://", 6);
	strcpy(text + 6 + 254, ":1");
	assert_int_equal(fg_url_parse(&url, text, err, sizeof(err)), -EINVAL);
}

/* ------------------------------------------------------------- meaning */

static void test_usual(void **state)
{
	struct said said = {0};
	struct fg_settings *s;

	(void)state;
	assert_int_equal(fg_settings_load(&s, NULL, NULL, 0,
					  (struct fg_report){say, &said}),
			 0);
	assert_int_equal(s->source_count, 1);
	assert_string_equal(s->sources[0].url, "unix:///var/run/netifyd/netifyd.sock");
	assert_string_equal(s->sources[0].name, "netifyd");
	assert_string_equal(s->sources[0].input, "netifyd");
	assert_null(s->sources[0].node);
	assert_int_equal(s->limits.max_flows, 65536);
	assert_int_equal(s->limits.detail_bytes, 0);
	assert_int_equal(s->limits.max_message, 1048576);
	assert_int_equal(s->limits.max_tokens, 131072);
	assert_int_equal(s->limits.max_names, 8192);
	assert_int_equal(s->limits.flow_idle_ms, 3600000);
	assert_int_equal(s->grace_ms, 30000);
	assert_true(s->reprocess_flows);
	assert_null(s->plugins);
	assert_null(s->timezone);
	assert_null(s->user);
	assert_null(s->never);
	assert_int_equal(s->target_count, 0);
	assert_int_equal(s->action_count, 0);
	assert_int_equal(fg_json_unknown_keys(s->doc), 0);
	fg_settings_free(s);
}

static void test_full(void **state)
{
	const struct fg_node *n;
	struct fg_settings *s;
	struct said said;
	uint64_t number;

	(void)state;
	s = must_load("tests/data/config/full.json", &said);
	assert_string_equal(said.text, "");
	assert_int_equal(s->source_count, 3);
	assert_string_equal(s->sources[0].name, "netifyd");
	assert_string_equal(s->sources[1].name, "[2001:db8::1]:7150");
	assert_null(s->sources[1].node);
	assert_string_equal(s->sources[2].name, "core");
	assert_string_equal(s->sources[2].url, "tcp://probe.example.net:7150");
	assert_non_null(s->sources[2].node);
	assert_int_equal(s->plugin_count, 3);
	assert_string_equal(s->plugins[1], "nftset");
	assert_int_equal(s->grace_ms, 20000);
	assert_string_equal(s->user, "flowgate");
	assert_string_equal(s->timezone, "Europe/Vienna");
	assert_int_equal(fg_node_count(s->catalog), 2);
	assert_int_equal(s->limits.max_flows, 16384);
	assert_int_equal(s->limits.detail_bytes, 4194304);
	assert_int_equal(s->limits.max_tokens, 65536);
	assert_int_equal(s->limits.max_names, 4096);
	assert_int_equal(s->limits.flow_idle_ms, 1800000);
	assert_int_equal(fg_node_count(s->address_groups), 2);
	assert_int_equal(fg_node_count(s->application_groups), 1);
	assert_int_equal(fg_node_count(s->never), 2);
	assert_int_equal(fg_node_count(s->exemptions), 1);

	assert_int_equal(s->action_count, 4);
	assert_string_equal(s->actions[0].name, "printer");
	assert_true(s->actions[0].allow);
	assert_true(s->actions[0].halt);
	assert_int_equal(s->actions[0].target_count, 0);
	assert_string_equal(fg_node_as_text(s->actions[0].criteria),
			    "local_ip == 192.0.2.9");
	assert_null(s->actions[0].interface);
	assert_int_equal(fg_node_count(s->actions[1].interface), 2);
	assert_false(s->actions[1].observe);
	assert_false(s->actions[1].halt);
	assert_int_equal(s->actions[1].target_count, 2);
	assert_int_equal(s->actions[1].targets[0].target, 0);
	assert_null(s->actions[1].targets[0].override);
	assert_int_equal(s->actions[1].targets[1].target, 1);
	assert_int_equal(fg_node_object(s->actions[1].targets[1].override,
					"data", &n),
			 1);
	assert_true(s->actions[2].observe);
	assert_int_equal(s->actions[2].target_count, 1);
	assert_true(s->actions[3].observe);
	assert_int_equal(s->actions[3].target_count, 0);
	assert_false(s->actions[3].allow);

	/* target_defaults are behind a target */
	assert_string_equal(s->targets[0].type, "nftset");
	assert_int_equal(fg_node_uint(s->targets[0].node, "ttl", 0, 99,
				      &number),
			 1);
	assert_int_equal(number, 15);
	fg_settings_free(s);
}

static void test_flow_actions(void **state)
{
	struct fg_settings *s;
	struct said said;
	const struct fg_node *n;
	const char *text;
	uint64_t number;

	(void)state;
	s = must_load("tests/data/config/flow-actions.json", &said);
	assert_int_equal(said.errors + said.warnings, 0);
	/* a type that is not for Linux, but disabled: told, not refused */
	assert_int_equal(said.notices, 1);
	assert_non_null(strstr(said.text, "target \"pf\" is passed over: its "
					  "type \"pftable\" is not for Linux"));
	assert_int_equal(s->target_count, 6);
	assert_true(s->targets[0].enabled);
	assert_int_equal(fg_node_uint(s->targets[0].node, "size", 1, 65535,
				      &number),
			 1);
	assert_int_equal(fg_node_text(s->targets[4].node, "prefix", &text), 1);
	assert_string_equal(text, "games");
	assert_int_equal(fg_node_text(s->targets[4].node, "path", &text), 1);
	assert_string_equal(text, "/tmp");
	assert_non_null(s->targets[3].globals);
	assert_null(s->targets[0].globals);
	assert_int_equal(fg_node_text(s->targets[3].globals, "connlabel_conf",
				      &text),
			 1);
	assert_false(s->targets[5].enabled);

	assert_int_equal(s->action_count, 3);
	assert_null(s->actions[0].interface); /* "*" is any */
	assert_int_equal(fg_node_count(s->actions[0].exemptions), 2);
	assert_int_equal(fg_node_count(s->actions[0].time_of_day), 1);
	assert_int_equal(s->actions[0].target_count, 2);
	assert_int_equal(s->actions[0].targets[1].target, 4);
	assert_string_equal(fg_node_as_text(s->actions[1].interface), "lan");
	assert_int_equal(fg_node_count(s->actions[1].criteria), 3);
	assert_true(s->actions[1].halt);
	assert_false(s->actions[1].allow);
	assert_false(s->actions[2].enabled);
	assert_int_equal(fg_node_any(s->targets[5].node, "table_name", &n), 1);
	fg_settings_free(s);
}

/* Keys of a disabled target, and defaults of a type that none has, are
 * nobody's: no error, since nobody will ask for them. */
static void test_passed_over(void **state)
{
	struct fg_settings *s;
	struct said said;

	(void)state;
	s = must_parse("{\"target_defaults\": {\"log\": {\"x\": {\"y\": 1}},\n"
		       "\"nftst\": {\"ttl\": 1}, \"vendor\": {}, \"t\": {}},\n"
		       "\"targets\": {\"a\": {\"target_type\": \"t\",\n"
		       "\"target_enabled\": false, \"whatever\": [{\"z\": 1}]}},"
		       "\n\"actions\": {\"x\": {\"criteria\": \"*\", "
		       "\"targets\": [\"a\"]}}}",
		       &said);
	assert_string_equal(said.text,
			    "f:2:1: no target has this type (did you mean "
			    "\"nftset\"?)\n"
			    "f:2:22: no target has this type\n");
	assert_int_equal(said.errors, 0);
	assert_false(s->targets[0].enabled);
	/* an action may name a disabled target */
	assert_int_equal(s->actions[0].target_count, 1);
	assert_int_equal(fg_json_unknown_keys(s->doc), 0);
	fg_settings_free(s);
}

/*
 * A target that is kept as it is over a reload is not read again, and neither
 * is what it has from the defaults; a disabled one does not hide their errors.
 */
static void test_kept_and_disabled(void **state)
{
	static const char text[] =
		"{\"target_defaults\": {\"t\": {\"ttl\": 1}},\n"
		"\"targets\": {\"a\": {\"target_type\": \"t\"},\n"
		"\"b\": {\"target_type\": \"t\", \"target_enabled\": false, "
		"\"x\": 1}}}";
	struct fg_settings *s;
	struct said said;

	(void)state;
	s = must_parse(text, &said);
	fg_node_ignore(s->targets[0].node);
	assert_int_equal(fg_json_unknown_keys(s->doc), 0);
	fg_settings_free(s);

	s = must_parse(text, &said);
	assert_int_equal(fg_json_unknown_keys(s->doc), 1);
	assert_string_equal(said.text,
			    "f:1:28: unknown key \"ttl\" in \"t\" (known: "
			    "target_enabled, target_type)\n");
	fg_settings_free(s);
}

/* What is left for others is not yet unknown, and is if nobody asks. */
static void test_keys_of_plugins(void **state)
{
	struct fg_settings *s;
	struct said said;
	uint64_t number;
	const char *text;

	(void)state;
	s = must_parse("{\"sources\": [{\"url\": \"mqtt://a\", \"topic\": \"x\","
		       " \"tpoic\": 1}],\n"
		       "\"targets\": {\"a\": {\"target_type\": \"t\", "
		       "\"tll\": 1}}}",
		       &said);
	assert_int_equal(fg_node_uint(s->targets[0].node, "ttl", 0, 9,
				      &number),
			 0);
	assert_int_equal(fg_node_text(s->sources[0].node, "topic", &text), 1);
	assert_int_equal(fg_json_unknown_keys(s->doc), 2);
	assert_string_equal(said.text,
			    "f:1:48: unknown key \"tpoic\" in \"sources\" (did "
			    "you mean \"topic\"?)\n"
			    "f:2:39: unknown key \"tll\" in \"a\" (did you mean "
			    "\"ttl\"?)\n");
	fg_settings_free(s);
}

static void test_allow(void **state)
{
	static const struct {
		const char *action;
		bool allow, halt, observe;
		const char *why;
	} cases[] = {
		{"\"allow\": true", true, true, false, "said"},
		{"\"halt_on_match\": true", true, true, false,
		 "to end is all it can do"},
		{"\"halt_on_match\": true, \"targets\": []", true, true, false,
		 "an empty list is none"},
		{"\"halt_on_match\": true, \"targets\": [\"t\"]", false, true,
		 false, "with a target it just ends"},
		{"\"targets\": [\"t\"]", false, false, false, "the usual"},
		{"\"mode\": \"observe\"", false, false, true, "only counts"},
		{"\"mode\": \"observe\", \"allow\": true", true, true, true,
		 "counts what would be allowed"},
	};
	struct fg_settings *s;
	struct said said;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text),
			 "{\"targets\": {\"t\": {\"target_type\": \"x\"}}, "
			 "\"actions\": {\"a\": {\"criteria\": \"*\", %s}}}",
			 cases[i].action);
		s = must_parse(text, &said);
		if (s->actions[0].allow != cases[i].allow ||
		    s->actions[0].halt != cases[i].halt ||
		    s->actions[0].observe != cases[i].observe)
			fail_msg("%s", cases[i].why);
		fg_settings_free(s);
	}
}

static void test_source_names(void **state)
{
	struct fg_settings *s;
	struct said said;

	(void)state;
	s = must_parse("{\"sources\": [\"unix:///a/netifyd.sock\",\n"
		       "\"unix:///b/netifyd.sock\", \"unix:///c/netifyd\",\n"
		       "{\"url\": \"-\", \"name\": \"netifyd-2\"}]}", &said);
	assert_string_equal(s->sources[0].name, "netifyd");
	assert_string_equal(s->sources[1].name, "netifyd-3");
	assert_string_equal(s->sources[2].name, "netifyd-4");
	assert_string_equal(s->sources[3].name, "netifyd-2");
	fg_settings_free(s);
}

static void test_command_line(void **state)
{
	static const char *const good[] = {"tcp://[::1]:7150", "file:x.stream"};
	static const char *const bad[] = {"tcp://a:0", "-", "-"};
	char expected[FG_URL_PATH + 64], directory[FG_URL_PATH];
	struct fg_settings *s;
	struct said said;

	(void)state;
	/* the file's own are not looked at */
	assert_int_equal(parse(&s, "{\"sources\": [{\"urll\": 1}]}", good, 2,
			       &said), 0);
	assert_int_equal(fg_json_unknown_keys(s->doc), 0);
	assert_int_equal(s->source_count, 2);
	assert_string_equal(s->sources[0].url, good[0]);
	/* a relative path is the shell's */
	assert_non_null(getcwd(directory, sizeof(directory)));
	snprintf(expected, sizeof(expected), "file://%s/x.stream", directory);
	assert_string_equal(s->sources[1].url, expected);
	assert_string_equal(s->sources[1].name, "x.stream");
	fg_settings_free(s);

	assert_int_equal(parse(&s, "{}", bad, 3, &said), -EINVAL);
	assert_string_equal(said.text,
			    "source \"tcp://a:0\": a port is from 1 to 65535, "
			    "not 0\n"
			    "source \"-\": is here twice: each of its flows "
			    "would count twice\n");
}

static void test_load(void **state)
{
	struct fg_settings *s;
	struct said said = {0};

	(void)state;
	assert_int_equal(fg_settings_load(&s, "/", NULL, 0,
					  (struct fg_report){say, &said}),
			 -EISDIR);
	assert_string_equal(said.text, "/: is a directory: name a file in it\n");
	s = must_load("tests/data/config/minimal.json", &said);
	assert_int_equal(s->source_count, 1);
	assert_int_equal(s->action_count, 1);
	fg_settings_free(s);
}

/* More than the numbers of 16 and 8 bits that refer to them. */
static void test_many(void **state)
{
	static const struct {
		const char *head, *before, *after, *tail, *says;
		unsigned n;
	} cases[] = {
		{"{\"sources\": [", "\"tcp://a:", "\"", "]}",
		 "f:1:1: more than 65535 sources\n", 65536},
		{"{\"targets\": {", "\"t", "\": {\"target_type\": \"x\"}", "}}",
		 "f:1:13: more than 65535 targets\n", 65536},
		{"{\"actions\": {",
		 "\"a", "\": {\"criteria\": \"*\", \"allow\": true}", "}}",
		 "f:1:13: more than 65535 actions\n", 65536},
		{"{\"actions\": {\"a\": {\"criteria\": \"*\", \"targets\": [",
		 "\"t", "\"", "]}}}",
		 "f:1:48: more than 255 targets in one action\n", 256},
	};
	struct fg_settings *s;
	struct said said;
	char *text, *p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		text = malloc(cases[i].n * 64ul + 128);
		assert_non_null(text);
		p = stpcpy(text, cases[i].head);
		for (unsigned k = 0; k < cases[i].n; k++)
			p += sprintf(p, "%s%s%u%s", k ? "," : "",
				     cases[i].before, k, cases[i].after);
		strcpy(p, cases[i].tail);
		assert_int_equal(parse(&s, text, NULL, 0, &said), -EINVAL);
		assert_string_equal(said.text, cases[i].says);
		free(text);
	}
}

/* ------------------------------------------------------------ no memory */

/* The allocation that fails; 0: none. */
static unsigned fail_at;

static bool fails(void)
{
	return fail_at && --fail_at == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/*
 * Without memory a configuration is refused, with a sentence and without a
 * leak (which is the sanitizer's to see); but not for want of a suggestion.
 */
static void test_no_memory(void **state)
{
	struct fg_report report = {say, NULL};
	struct fg_settings *s;
	unsigned refused = 0;
	struct said said;
	int ret;

	(void)state;
	report.ctx = &said;
	for (unsigned n = 1;; n++) {
		memset(&said, 0, sizeof(said));
		fail_at = n;
		ret = fg_settings_load(&s, "tests/data/config/full.json", NULL,
				       0, report);
		if (ret == 0) {
			fg_settings_free(s);
			if (fail_at)
				break;
			continue;
		}
		fail_at = 0;
		assert_int_equal(ret, -ENOMEM);
		assert_int_equal(said.errors, 1);
		if (!strstr(said.text, "emory"))
			fail_msg("%s", said.text);
		refused++;
	}
	fail_at = 0;
	assert_true(refused >= 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_url_lengths),
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_flow_actions),
		cmocka_unit_test(test_passed_over),
		cmocka_unit_test(test_kept_and_disabled),
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_keys_of_plugins),
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_source_names),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
