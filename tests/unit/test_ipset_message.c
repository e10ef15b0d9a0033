/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ipset_message.c - keys of ipset types, and the messages made of them. */
/* LINK: plugins/ipset/message.c common/lease/key.c */
/* LIBS: -lmnl */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "../../plugins/ipset/message.h"
#include "base/addr.h"

_Alignas(struct nlmsghdr) static char buf[FG_IPSET_MESSAGE_MAX];
static const struct nlmsghdr *const nlh = (const void *)buf;

static struct fg_flow flow(const char *local, const char *other)
{
	struct fg_flow f = {.ip_protocol = 6,
			    .local_port = 4000,
			    .other_port = 443,
			    .local_mac = {2, 0, 0, 0, 0, 1},
			    .flags = FG_FLOW_HAS_LOCAL_MAC};

	f.ip_version =
		(uint8_t)fg_addr_parse(local, strlen(local), f.local_addr);
	fg_addr_parse(other, strlen(other), f.other_addr);
	return f;
}

static struct fg_ipset_schema schema(enum fg_ipset_type type, uint8_t version)
{
	struct fg_ipset_schema s = {
		.name = "block.v4", .type = type, .version = version};
	uint8_t field[4];
	size_t n = fg_ipset_fields(type, field);

	assert_int_equal(
		fg_ipset_shape(&s.shape, type, version ? version : 4, field, n),
		0);
	return s;
}

static const struct nlattr *find(const void *in, size_t len, uint16_t type)
{
	const struct nlattr *a = in;
	int left = (int)len;

	for (; mnl_attr_ok(a, left);
	     left -= MNL_ALIGN(a->nla_len), a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

static const struct nlattr *top(uint16_t type)
{
	return find(mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg)),
		    mnl_nlmsg_get_payload_len(nlh) - sizeof(struct nfgenmsg),
		    type);
}

static const struct nlattr *within(const struct nlattr *a, uint16_t type)
{
	assert_non_null(a);
	/* the kernel refuses what is not marked as a nest */
	assert_true(a->nla_type & NLA_F_NESTED);
	return find(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a), type);
}

static void test_format(void **state)
{
	static const struct {
		enum fg_ipset_type type;
		const char *local, *other, *want;
	} cases[] = {
		{FG_IPSET_IP, "10.0.0.2", "198.51.100.9", "198.51.100.9"},
		{FG_IPSET_IP_PORT, "10.0.0.2", "198.51.100.9",
		 "198.51.100.9,tcp:443"},
		{FG_IPSET_IP_PORT_IP, "10.0.0.2", "198.51.100.9",
		 "198.51.100.9,tcp:443,10.0.0.2"},
		{FG_IPSET_IP_PORT_IP, "fd00:1::2", "2001:db8::9",
		 "2001:db8::9,tcp:443,fd00:1::2"},
		{FG_IPSET_MAC, "10.0.0.2", "198.51.100.9", "02:00:00:00:00:01"},
	};
	uint8_t key[FG_KEY_SIZE_MAX];
	char text[FG_KEY_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_flow f = flow(cases[i].local, cases[i].other);
		struct fg_ipset_schema s = schema(cases[i].type, f.ip_version);

		assert_int_equal(fg_key_build(&s.shape, &f, "", false, key),
				 FG_KEY_OK);
		assert_string_equal(fg_ipset_format(&s, key, text),
				    cases[i].want);
	}
}

static void test_shape(void **state)
{
	static const struct {
		const char *why;
		enum fg_ipset_type type;
		size_t count;
		uint8_t field[3];
		int want;
	} cases[] = {
		{"the other side", FG_IPSET_IP, 1, {FG_KEY_OTHER_ADDR}, 0},
		{"the local side", FG_IPSET_IP, 1, {FG_KEY_LOCAL_ADDR}, 0},
		{"a port is no address",
		 FG_IPSET_IP,
		 1,
		 {FG_KEY_LOCAL_PORT},
		 -EINVAL},
		{"one too many",
		 FG_IPSET_IP,
		 2,
		 {FG_KEY_LOCAL_ADDR, FG_KEY_LOCAL_PORT},
		 -EINVAL},
		{"the wrong way round",
		 FG_IPSET_IP_PORT,
		 2,
		 {FG_KEY_OTHER_PORT, FG_KEY_OTHER_ADDR},
		 -EINVAL},
		{"by who began",
		 FG_IPSET_IP_PORT_IP,
		 3,
		 {FG_KEY_DST_ADDR, FG_KEY_DST_PORT, FG_KEY_SRC_ADDR},
		 0},
		{"no second address",
		 FG_IPSET_IP_PORT_IP,
		 3,
		 {FG_KEY_DST_ADDR, FG_KEY_DST_PORT, FG_KEY_MARK},
		 -EINVAL},
		{"an address is no MAC",
		 FG_IPSET_MAC,
		 1,
		 {FG_KEY_LOCAL_ADDR},
		 -EINVAL},
		{"the other MAC", FG_IPSET_MAC, 1, {FG_KEY_OTHER_MAC}, 0},
	};
	struct fg_key_shape shape;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (fg_ipset_shape(&shape, cases[i].type, 4, cases[i].field,
				   cases[i].count) != cases[i].want)
			fail_msg("%s", cases[i].why);
}

static void test_add(void **state)
{
	struct fg_flow f = flow("fd00:1::2", "2001:db8::9");
	struct fg_ipset_schema s = schema(FG_IPSET_IP_PORT_IP, 6);
	uint8_t key[FG_KEY_SIZE_MAX];
	const struct nlattr *data, *ip;
	uint64_t mark;
	size_t len;

	(void)state;
	/* the longest message there is: all of it, and the longest name */
	memset(s.name, 'n', sizeof(s.name) - 1);
	s.timeouts = s.skb = true;
	s.ttl_s = 600;
	s.skb_mark = 0x10;
	s.skb_mask = 0xff;
	s.skb_prio = 0x10020;
	s.skb_queue = 7;
	fg_key_build(&s.shape, &f, "", false, key);
	len = fg_ipset_add(buf, 9, &s, key);
	assert_true(len <= sizeof(buf));
	assert_int_equal(len, nlh->nlmsg_len);
	assert_int_equal(nlh->nlmsg_seq, 9);
	assert_int_equal(nlh->nlmsg_type,
			 NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_ADD);
	/* EXCL would make an error of what is there, and not renew it */
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
	assert_string_equal(mnl_attr_get_str(top(IPSET_ATTR_SETNAME)), s.name);
	data = top(IPSET_ATTR_DATA);
	ip = within(within(data, IPSET_ATTR_IP), IPSET_ATTR_IPADDR_IPV6);
	assert_memory_equal(mnl_attr_get_payload(ip), f.other_addr, 16);
	ip = within(within(data, IPSET_ATTR_IP2), IPSET_ATTR_IPADDR_IPV6);
	assert_memory_equal(mnl_attr_get_payload(ip), f.local_addr, 16);
	assert_int_equal(ntohs(mnl_attr_get_u16(within(data, IPSET_ATTR_PORT))),
			 443);
	assert_int_equal(mnl_attr_get_u8(within(data, IPSET_ATTR_PROTO)), 6);
	assert_int_equal(
		ntohl(mnl_attr_get_u32(within(data, IPSET_ATTR_TIMEOUT))), 600);
	mark = mnl_attr_get_u64(within(data, IPSET_ATTR_SKBMARK));
	assert_memory_equal(&mark, "\0\0\0\x10\0\0\0\xff", 8);
	assert_int_equal(
		ntohl(mnl_attr_get_u32(within(data, IPSET_ATTR_SKBPRIO))),
		0x10020);
	assert_int_equal(
		ntohs(mnl_attr_get_u16(within(data, IPSET_ATTR_SKBQUEUE))), 7);
}

static void test_plain(void **state)
{
	struct fg_flow f = flow("10.0.0.2", "198.51.100.9");
	struct fg_ipset_schema s = schema(FG_IPSET_IP, 4);
	uint8_t key[FG_KEY_SIZE_MAX];
	const struct nlattr *data;

	(void)state;
	fg_key_build(&s.shape, &f, "", false, key);
	fg_ipset_add(buf, 1, &s, key);
	data = top(IPSET_ATTR_DATA);
	/* a set without timeouts or skbinfo refuses elements with them */
	assert_null(within(data, IPSET_ATTR_TIMEOUT));
	assert_null(within(data, IPSET_ATTR_SKBMARK));
	assert_null(within(data, IPSET_ATTR_PORT));
	assert_null(within(data, IPSET_ATTR_IP2));
	/* with them, one that brings none takes the set's: so say none */
	s.timeouts = true;
	fg_ipset_add(buf, 1, &s, key);
	assert_int_equal(mnl_attr_get_u32(within(top(IPSET_ATTR_DATA),
						 IPSET_ATTR_TIMEOUT)),
			 0);
	fg_ipset_del(buf, 1, &s, key);
	assert_null(within(top(IPSET_ATTR_DATA), IPSET_ATTR_TIMEOUT));
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
	/* without a name the kernel would flush all of them */
	fg_ipset_flush(buf, 1, "x");
	assert_string_equal(mnl_attr_get_str(top(IPSET_ATTR_SETNAME)), "x");
}

static void test_parse(void **state)
{
	struct fg_ipset_schema s = schema(FG_IPSET_IP_PORT, 6);
	struct fg_ipset_found found;
	size_t len;

	(void)state;
	/* a list looks as the request that made the set */
	s.timeouts = s.skb = true;
	s.size = 1000;
	len = fg_ipset_create(buf, 1, &s, 6);
	assert_int_equal(fg_ipset_parse(buf, len, &found), 0);
	assert_string_equal(found.type, "hash:ip,port");
	assert_int_equal(found.family, NFPROTO_IPV6);
	assert_int_equal(found.revision, 6);
	assert_int_equal(found.maxelem, 1000);
	assert_true(found.timeouts);
	assert_true(found.skb);
	s.timeouts = s.skb = false;
	len = fg_ipset_create(buf, 1, &s, 6);
	assert_int_equal(fg_ipset_parse(buf, len, &found), 0);
	assert_false(found.timeouts);
	assert_false(found.skb);
	assert_int_equal(fg_ipset_parse(buf, len - 1, &found), -EBADMSG);
	assert_int_equal(fg_ipset_parse(buf, 2, &found), -EBADMSG);
	((struct nlmsghdr *)buf)->nlmsg_type = NLMSG_ERROR;
	assert_int_equal(fg_ipset_parse(buf, len, &found), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format), cmocka_unit_test(test_shape),
		cmocka_unit_test(test_add),    cmocka_unit_test(test_plain),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
