/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which flows the never list keeps out of a set, by what its keys are. */
/* LINK: common/lease */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lease/scope.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs),
		cmocka_unit_test(keeps_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
