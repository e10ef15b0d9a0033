/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_key.c - keys: the bytes that the kernel compares, and nft's text. */
/* LINK: common/lease */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lease/key.h"

static const struct fg_flow v4 = {
	.ip_version = 4,
	.ip_protocol = 6,
	.local_addr = {10, 0, 0, 2},
	.other_addr = {198, 51, 100, 9},
	.local_port = 40000,
	.other_port = 443,
	.local_mac = {2, 0, 0, 0, 0, 1},
	.other_mac = {2, 0, 0, 0, 0, 2},
	.ct_mark = 0x10,
	.flags = FG_FLOW_HAS_ORIGIN | FG_FLOW_LOCAL_ORIGIN |
		 FG_FLOW_HAS_LOCAL_MAC | FG_FLOW_HAS_OTHER_MAC |
		 FG_FLOW_HAS_CT_MARK,
};

static const struct fg_flow v6 = {
	.ip_version = 6,
	.ip_protocol = 17,
	.local_addr = {0x20, 1, 0xd, 0xb8, [15] = 2},
	.other_addr = {0x20, 1, 0xd, 0xb8, [15] = 9},
	.local_port = 40000,
	.other_port = 53,
	.flags = FG_FLOW_HAS_ORIGIN,
};

#define LOCAL FG_KEY_LOCAL_ADDR
#define OTHER FG_KEY_OTHER_ADDR
#define LPORT FG_KEY_LOCAL_PORT
#define OPORT FG_KEY_OTHER_PORT
#define PROTO FG_KEY_IP_PROTO

struct key_case {
	const char *why;
	const struct fg_flow *flow;
	uint8_t field[FG_KEY_FIELDS_MAX];
	size_t count;
	bool mirror;
	size_t len;
	const char *bytes;
	const char *text;
};

static const struct key_case cases[] = {
	{"one field alone is as long as it is",
	 &v4,
	 {OPORT},
	 1,
	 false,
	 2,
	 "\x01\xbb",
	 "443"},
	{"a protocol alone is one byte",
	 &v4,
	 {PROTO},
	 1,
	 false,
	 1,
	 "\x06",
	 "tcp"},
	{"fields of several are padded to four bytes",
	 &v4,
	 {LOCAL, PROTO, OPORT, OTHER},
	 4,
	 false,
	 16,
	 "\x0a\0\0\x02"
	 "\x06\0\0\0"
	 "\x01\xbb\0\0"
	 "\xc6\x33\x64\x09",
	 "10.0.0.2 . tcp . 443 . 198.51.100.9"},
	{"the mirror swaps the sides, not the order",
	 &v4,
	 {LOCAL, LPORT, OTHER, OPORT},
	 4,
	 true,
	 16,
	 "\xc6\x33\x64\x09"
	 "\x01\xbb\0\0"
	 "\x0a\0\0\x02"
	 "\x9c\x40\0\0",
	 "198.51.100.9 . 443 . 10.0.0.2 . 40000"},
	{"IPv6 addresses are 16 bytes",
	 &v6,
	 {OTHER, PROTO},
	 2,
	 false,
	 20,
	 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09\x11\0\0\0",
	 "2001:db8::9 . udp"},
	{"src is the local side when that began",
	 &v4,
	 {FG_KEY_SRC_ADDR, FG_KEY_DST_PORT},
	 2,
	 false,
	 8,
	 "\x0a\0\0\x02\x01\xbb\0\0",
	 "10.0.0.2 . 443"},
	{"src is the other side when that began",
	 &v6,
	 {FG_KEY_SRC_PORT},
	 1,
	 false,
	 2,
	 "\0\x35",
	 "53"},
	{"a MAC is padded to eight bytes",
	 &v4,
	 {FG_KEY_LOCAL_MAC, PROTO},
	 2,
	 false,
	 12,
	 "\x02\0\0\0\0\x01\0\0\x06\0\0\0",
	 "02:00:00:00:00:01 . tcp"},
	{"a name is 16 bytes, whatever its length",
	 &v4,
	 {FG_KEY_INTERFACE},
	 1,
	 false,
	 16,
	 "br-lan\0\0\0\0\0\0\0\0\0\0",
	 "\"br-lan\""},
};

static void builds_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct key_case *c = &cases[i];
		uint8_t key[FG_KEY_SIZE_MAX];
		char text[FG_KEY_TEXT];
		struct fg_key_shape shape;

		print_message("%s\n", c->why);
		assert_int_equal(fg_key_shape(&shape, c->field, c->count,
					      c->flow->ip_version),
				 0);
		assert_int_equal(shape.len, c->len);
		memset(key, 0xff, sizeof(key));
		assert_int_equal(
			fg_key_build(&shape, c->flow, "br-lan", c->mirror, key),
			FG_KEY_OK);
		assert_memory_equal(key, c->bytes, c->len);
		assert_string_equal(fg_key_format(&shape, key, text), c->text);
	}
}

/* The kernel compares a mark as the number it is: in the machine's order. */
static void mark_is_in_host_order(void **state)
{
	static const uint8_t field[] = {FG_KEY_MARK};
	struct fg_key_shape shape;
	uint32_t mark = 0;
	char text[FG_KEY_TEXT];

	(void)state;
	fg_key_shape(&shape, field, 1, 4);
	assert_int_equal(shape.len, 4);
	fg_key_build(&shape, &v4, "", false, (uint8_t *)&mark);
	assert_int_equal(mark, 0x10);
	assert_string_equal(fg_key_format(&shape, (uint8_t *)&mark, text),
			    "0x00000010");
}

static void says_what_is_missing(void **state)
{
	static const struct {
		uint8_t field;
		int version;
		enum fg_key_result result;
	} missing[] = {
		{OTHER, 6, FG_KEY_OTHER_VERSION},
		{FG_KEY_LOCAL_MAC, 4, FG_KEY_NO_MAC},
		{FG_KEY_OTHER_MAC, 4, FG_KEY_NO_MAC},
		{FG_KEY_MARK, 4, FG_KEY_NO_MARK},
		{FG_KEY_SRC_ADDR, 4, FG_KEY_NO_ORIGIN},
	};
	struct fg_flow bare = v4;
	struct fg_key_shape shape;
	uint8_t key[FG_KEY_SIZE_MAX];

	(void)state;
	bare.flags = 0;
	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		fg_key_shape(&shape, &missing[i].field, 1, missing[i].version);
		assert_int_equal(fg_key_build(&shape, &bare, "", false, key),
				 missing[i].result);
	}
}

static void refuses_shapes(void **state)
{
	static const uint8_t wide[] = {LOCAL, OTHER, FG_KEY_SRC_ADDR,
				       FG_KEY_DST_ADDR, PROTO};
	uint8_t many[FG_KEY_FIELDS_MAX + 1] = {0};
	struct fg_key_shape shape;

	(void)state;
	assert_int_equal(fg_key_shape(&shape, wide, 0, 4), -EINVAL);
	assert_int_equal(fg_key_shape(&shape, many, sizeof(many), 4), -EINVAL);
	/* five IPv4 fields fit, four IPv6 addresses and a protocol do not */
	assert_int_equal(fg_key_shape(&shape, wide, 5, 4), 0);
	assert_int_equal(fg_key_shape(&shape, wide, 4, 6), 0);
	assert_int_equal(shape.len, 64);
	assert_int_equal(fg_key_shape(&shape, wide, 5, 6), -E2BIG);
}

static void names_fields(void **state)
{
	(void)state;
	for (int i = 0; i < FG_KEY_FIELD_COUNT; i++)
		assert_int_equal(
			fg_key_field(fg_key_field_name((enum fg_key_field)i)),
			i);
	assert_int_equal(fg_key_field("Other_Addr"), -1);
	assert_string_equal(fg_key_field_type(OTHER, 6), "ipv6_addr");
	assert_string_equal(fg_key_field_names()[OTHER], "other_addr");
}

/* As a set's "type", and as "type" of a target. */
static void describes_shapes(void **state)
{
	static const uint8_t fields[] = {LOCAL, PROTO, FG_KEY_OTHER_PORT};
	struct fg_key_shape shape;
	char text[FG_KEY_TEXT];

	(void)state;
	fg_key_shape(&shape, fields, 3, 6);
	assert_string_equal(fg_key_format_types(&shape, text),
			    "ipv6_addr . inet_proto . inet_service");
	assert_string_equal(fg_key_format_fields(&shape, text),
			    "local_addr, ip_proto, other_port");
	fg_key_shape(&shape, fields, 1, 4);
	assert_string_equal(fg_key_format_types(&shape, text), "ipv4_addr");
	assert_string_equal(fg_key_format_fields(&shape, text), "local_addr");
}

/* Protocols that nft has a name for without /etc/protocols; else numbers. */
static void names_protocols(void **state)
{
	static const uint8_t field[] = {PROTO};
	static const struct {
		uint8_t number;
		const char *text;
	} protos[] = {{1, "icmp"}, {6, "tcp"}, {17, "udp"},
		      {0, "0"},	   {47, "47"}, {255, "255"}};
	struct fg_key_shape shape;
	char text[FG_KEY_TEXT];

	(void)state;
	fg_key_shape(&shape, field, 1, 4);
	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++)
		assert_string_equal(
			fg_key_format(&shape, &protos[i].number, text),
			protos[i].text);
}

/* A name comes from the agent: nothing of it may leave the quotes. */
static void quotes_names(void **state)
{
	static const uint8_t field[] = {FG_KEY_INTERFACE};
	struct fg_key_shape shape;
	uint8_t key[FG_KEY_SIZE_MAX];
	char text[FG_KEY_TEXT];

	(void)state;
	fg_key_shape(&shape, field, 1, 4);
	memcpy(key, "a\"};\\\n\x1b[1m tool", 16);
	assert_string_equal(fg_key_format(&shape, key, text),
			    "\"a?};???[1m?tool\"");
}

static void knows_interfaces(void **state)
{
	static const uint8_t field[] = {FG_KEY_INTERFACE};
	static const struct {
		const char *name;
		enum fg_key_result result;
		const char *why;
	} names[] = {
		{"br-lan", FG_KEY_OK, "as usual"},
		{"wg0.100@x", FG_KEY_OK, "unusual, but it can be"},
		{"fifteen-letters", FG_KEY_OK, "the longest"},
		{"sixteen--letters", FG_KEY_NO_INTERFACE, "cut off: another's"},
		{"", FG_KEY_NO_INTERFACE, "none was said"},
		{"*", FG_KEY_NO_INTERFACE, "nft: all of them"},
		{"eth*", FG_KEY_NO_INTERFACE, "nft: all that begin so"},
		{"?", FG_KEY_NO_INTERFACE, "one of too many"},
		{"..", FG_KEY_NO_INTERFACE, "the kernel has none"},
		{"a/b", FG_KEY_NO_INTERFACE, "the kernel has none"},
		{"a b", FG_KEY_NO_INTERFACE, "the kernel has none"},
		{"a\"b", FG_KEY_NO_INTERFACE, "nft could not read its list"},
		{"a\x1b", FG_KEY_NO_INTERFACE, "nft would print it"},
		{"\xe2\x82\xac", FG_KEY_NO_INTERFACE, "nft would print it"},
	};
	struct fg_key_shape shape;
	uint8_t key[FG_KEY_SIZE_MAX];

	(void)state;
	fg_key_shape(&shape, field, 1, 4);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fg_key_build(&shape, &v4, names[i].name, false, key) !=
		    names[i].result)
			fail_msg("%s: %s", names[i].name, names[i].why);
}

static void is_found_by_address(void **state)
{
	static const uint8_t both[] = {FG_KEY_LOCAL_ADDR, FG_KEY_IP_PROTO,
				       FG_KEY_OTHER_PORT, FG_KEY_OTHER_ADDR};
	static const uint8_t portless[] = {FG_KEY_OTHER_ADDR};
	static const uint8_t neither[] = {FG_KEY_LOCAL_MAC, FG_KEY_OTHER_PORT};
	static const struct {
		const uint8_t *field;
		size_t count;
		int version;
		bool other;
		int port; /* added to the flow's other one; -1: none */
		bool found;
		const char *why;
	} asked[] = {
		{both, 4, 4, false, -1, true, "the device"},
		{both, 4, 4, true, -1, true, "the server"},
		{both, 4, 4, true, 0, true, "and its port"},
		{both, 4, 4, true, 1, false, "another port"},
		{both, 4, 6, true, -1, false, "the other version"},
		{portless, 1, 4, true, 1, true, "any port is in it"},
		{portless, 1, 4, false, -1, false, "not in the key"},
		{neither, 2, 4, true, 0, false, "no address is"},
	};
	struct fg_key_shape shape;
	uint8_t key[FG_KEY_SIZE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		fg_key_shape(&shape, asked[i].field, asked[i].count, 4);
		fg_key_build(&shape, &v4, "", false, key);
		if (fg_key_matches(
			    &shape, key, asked[i].version,
			    asked[i].other ? v4.other_addr : v4.local_addr,
			    asked[i].port < 0 ? 0
					      : (uint16_t)(v4.other_port +
							   asked[i].port)) !=
		    asked[i].found)
			fail_msg("%s", asked[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_keys),
		cmocka_unit_test(mark_is_in_host_order),
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(refuses_shapes),
		cmocka_unit_test(names_fields),
		cmocka_unit_test(describes_shapes),
		cmocka_unit_test(names_protocols),
		cmocka_unit_test(quotes_names),
		cmocka_unit_test(knows_interfaces),
		cmocka_unit_test(is_found_by_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
