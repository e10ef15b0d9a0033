/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which members of a target get an element: what its settings say, and what the
 * never list keeps out, by what its keys are.
 */
/* LINK: common/lease common/policy/json.c common/policy/node.c */
/* LINK: common/policy/syntax.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lease/scope.h"
#include "policy/json.h"

/* 10.0.0.1 is the gateway */
static bool never(const struct fg_host *host, int version,
		  const uint8_t addr[16])
{
	(void)host;
	return version == 4 && addr[0] == 10 && addr[3] == 1;
}

static void keeps_out(void **state)
{
	static const struct {
		const char *why;
		bool local_is_never, local_origin, mirror;
		uint8_t count, field[2];
		bool out;
	} cases[] = {
		{"the other side alone", false, true, false, 1,
		 {FG_KEY_OTHER_ADDR}, true},
		{"the local side alone", true, true, false, 1,
		 {FG_KEY_LOCAL_ADDR}, true},
		{"by its MAC", true, true, false, 1, {FG_KEY_LOCAL_MAC}, true},
		{"not in the key", true, true, false, 1, {FG_KEY_OTHER_ADDR},
		 false},
		{"one connection of ours", true, true, false, 2,
		 {FG_KEY_LOCAL_ADDR, FG_KEY_OTHER_ADDR}, false},
		{"one connection to us", false, true, false, 2,
		 {FG_KEY_LOCAL_ADDR, FG_KEY_OTHER_ADDR}, true},
		{"we began it", true, true, false, 1, {FG_KEY_SRC_ADDR}, true},
		{"it was begun to us", true, false, false, 1,
		 {FG_KEY_DST_ADDR}, true},
		{"the source is another", true, false, false, 1,
		 {FG_KEY_SRC_ADDR}, false},
		{"the destination", false, true, false, 1, {FG_KEY_DST_ADDR},
		 true},
		{"swapped", true, true, true, 1, {FG_KEY_OTHER_ADDR}, true},
		{"swapped, the other way", false, true, true, 1,
		 {FG_KEY_LOCAL_ADDR}, true},
		{"no address", true, true, true, 1, {FG_KEY_IP_PROTO}, false},
	};
	const struct fg_host host = {.size = sizeof(host), .never = never};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_flow f = {
			.ip_version = 4,
			.flags = cases[i].local_origin ? FG_FLOW_LOCAL_ORIGIN :
							 0,
			.local_addr = {10, 0, 0, cases[i].local_is_never ? 1 : 2},
			.other_addr = {10, 0, 0, cases[i].local_is_never ? 2 : 1},
		};
		struct fg_key_shape shape;

		assert_int_equal(fg_key_shape(&shape, cases[i].field,
					      cases[i].count, 4),
				 0);
		if (fg_scope_never(&host, &f, &shape, cases[i].mirror) !=
		    cases[i].out)
			fail_msg("%s", cases[i].why);
	}
}

/* 10.0.0.2 is in the configuration's list */
static bool listed(const struct fg_host *host, int version,
		   const uint8_t addr[16])
{
	(void)host;
	return version == 4 && addr[0] == 10 && addr[3] == 2;
}

/* One end of the pair is the gateway's own, or listed: not what it is by. */
static void pairs(void **state)
{
	static const struct {
		const char *why;
		uint8_t local, other;
		bool local_origin;
		uint8_t field[2];
		bool out;
	} cases[] = {
		{"neither", 3, 4, true,
		 {FG_KEY_LOCAL_ADDR, FG_KEY_OTHER_ADDR}, false},
		{"the gateway has connections", 1, 4, true,
		 {FG_KEY_LOCAL_ADDR, FG_KEY_OTHER_ADDR}, false},
		{"a host that is listed has none", 2, 4, true,
		 {FG_KEY_LOCAL_ADDR, FG_KEY_OTHER_ADDR}, true},
		{"by its MAC", 2, 4, true, {FG_KEY_LOCAL_MAC, FG_KEY_OTHER_ADDR},
		 true},
		{"as the destination", 2, 4, false,
		 {FG_KEY_SRC_ADDR, FG_KEY_DST_ADDR}, true},
		{"to the gateway", 3, 1, true,
		 {FG_KEY_LOCAL_ADDR, FG_KEY_OTHER_ADDR}, true},
		{"not in the key", 2, 4, true, {FG_KEY_OTHER_ADDR, FG_KEY_IP_PROTO},
		 false},
	};
	struct fg_host host = {.size = sizeof(host),
			       .never = never,
			       .never_listed = listed};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_flow f = {
			.ip_version = 4,
			.flags = cases[i].local_origin ? FG_FLOW_LOCAL_ORIGIN :
							 0,
			.local_addr = {10, 0, 0, cases[i].local},
			.other_addr = {10, 0, 0, cases[i].other},
		};
		struct fg_key_shape shape;

		assert_int_equal(fg_key_shape(&shape, cases[i].field, 2, 4), 0);
		if (fg_scope_never(&host, &f, &shape, false) != cases[i].out)
			fail_msg("%s", cases[i].why);
	}
}

/* ---------------------------------------------------------------- settings */

static char said[512];

static void hear(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx, (void)level;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", text);
}

#define REMOTE (1u << FG_OTHER_REMOTE)

static void reads(void **state)
{
	static const struct {
		const char *text;
		const char *error; /* NULL: none */
		enum fg_side sides;
		uint32_t other_types;
	} rows[] = {
		{"{}", NULL, FG_SIDE_LAN, REMOTE},
		{"{'sides':'both'}", NULL, FG_SIDE_BOTH, REMOTE},
		{"{'sides':'wan','other_types':['local','remote']}", NULL,
		 FG_SIDE_WAN, REMOTE | 1u << FG_OTHER_LOCAL},
		{"{'other_types':'*'}", NULL, FG_SIDE_LAN, UINT32_MAX},
		{"{'other_types':'error'}",
		 "c:1:16: \"other_types\" must be a list [ ], not \"error\"\n",
		 0, 0},
		{"{'other_types':[]}", NULL, FG_SIDE_LAN, 0},
		{"{'sides':'wam'}",
		 "c:1:10: \"wam\" is not one of \"lan\", \"wan\", \"both\": "
		 "did you mean \"wan\"?\n",
		 0, 0},
		{"{'sides':7}", "c:1:10: \"sides\" must be text in quotes, not 7\n", 0,
		 0},
		{"{'other_types':7}",
		 "c:1:16: \"other_types\" must be a list [ ], not 7\n", 0, 0},
		/* each of those that are wrong */
		{"{'other_types':['remot',7,'local']}",
		 "c:1:17: \"remot\" is not a type of the other side, one of "
		 "\"unknown\", \"local\", \"remote\", \"multicast\", "
		 "\"broadcast\", \"unsupported\", \"error\": did you mean "
		 "\"remote\"?\n"
		 "c:1:25: \"?\" is not a type of the other side, one of "
		 "\"unknown\", \"local\", \"remote\", \"multicast\", "
		 "\"broadcast\", \"unsupported\", \"error\"\n",
		 0, 0},
	};
	const struct fg_host host = {.size = sizeof(host),
				     .config = &fg_json_config};
	struct fg_report report = {hear, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fg_scope scope;
		struct fg_json *doc;
		char text[128];
		int ret;

		snprintf(text, sizeof(text), "%s", rows[i].text);
		for (char *p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
		said[0] = '\0';
		assert_int_equal(fg_json_parse(&doc, "c", text, strlen(text),
					       report),
				 0);
		ret = fg_scope_read(&scope, &host, fg_json_root(doc));
		assert_string_equal(said, rows[i].error ? rows[i].error : "");
		assert_int_equal(ret, rows[i].error ? -EINVAL : 0);
		if (!ret) {
			assert_int_equal(scope.sides, rows[i].sides);
			assert_int_equal(scope.other_types,
					 rows[i].other_types);
		}
		fg_json_free(doc);
	}
}

static void sides(void **state)
{
	static const bool in[][2] = {/* of LAN, of WAN */
				     [FG_SIDE_LAN] = {true, false},
				     [FG_SIDE_WAN] = {false, true},
				     [FG_SIDE_BOTH] = {true, true}};

	(void)state;
	for (unsigned side = 0; side < 3; side++)
		for (unsigned wan = 0; wan < 2; wan++) {
			const struct fg_flow f = {
				.flags = wan ? 0 : FG_FLOW_INTERNAL,
				.other_type = FG_OTHER_LOCAL};
			const struct fg_scope s = {
				.sides = (enum fg_side)side,
				.other_types = wan ? REMOTE : UINT32_MAX};

			assert_int_equal(fg_scope_side(&s, &f), in[side][wan]);
			assert_int_equal(fg_scope_other_type(&s, &f), !wan);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(sides),
		cmocka_unit_test(pairs),
		cmocka_unit_test(keeps_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
