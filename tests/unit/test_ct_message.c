/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ct_message.c - tuples of flows, and the ctnetlink messages of tuples. */
/* LINK: plugins/conntrack/tuple.c plugins/conntrack/message.c */
/* LIBS: -lmnl */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "../../plugins/conntrack/message.h"
#include "base/addr.h"

#define LAN   FG_FLOW_INTERNAL
#define LOCAL (FG_FLOW_HAS_ORIGIN | FG_FLOW_LOCAL_ORIGIN)
#define OTHER FG_FLOW_HAS_ORIGIN

static struct fg_flow flow(const char *local, const char *other,
			   uint8_t protocol, uint16_t flags)
{
	struct fg_flow f = {.ip_protocol = protocol,
			    .local_port = 1000,
			    .other_port = 443,
			    .flags = flags};

	f.ip_version =
		(uint8_t)fg_addr_parse(local, strlen(local), f.local_addr);
	fg_addr_parse(other, strlen(other), f.other_addr);
	return f;
}

static void test_tuple_direction(void **state)
{
	static const struct {
		const char *why;
		uint16_t flags;
		const char *want;
	} cases[] = {
		{"a LAN client: its packet is the original", LAN | LOCAL,
		 "-p 6 -s 10.0.0.2 -d 198.51.100.9 --sport 1000 --dport 443"},
		{"no word of who began: most connections begin here", LAN,
		 "-p 6 -s 10.0.0.2 -d 198.51.100.9 --sport 1000 --dport 443"},
		{"a LAN server: the other side began", LAN | OTHER,
		 "-p 6 -s 198.51.100.9 -d 10.0.0.2 --sport 443 --dport 1000"},
		{"masqueraded: only the reply is as the agent saw it",
		 LOCAL | FG_FLOW_IP_NAT,
		 "-p 6 -r 198.51.100.9 -q 10.0.0.2 --reply-port-src 443 "
		 "--reply-port-dst 1000"},
		{"a forwarded port seen on the WAN: the original", OTHER,
		 "-p 6 -s 198.51.100.9 -d 10.0.0.2 --sport 443 --dport 1000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_flow f =
			flow("10.0.0.2", "198.51.100.9", 6, cases[i].flags);
		char text[FG_TUPLE_TEXT];
		struct fg_tuple t;

		assert_int_equal(fg_tuple_of(&t, &f, NULL), 0);
		fg_tuple_format(&t, text);
		if (strcmp(text, cases[i].want))
			fail_msg("%s: %s", cases[i].why, text);
	}
}

static void test_tuple_refused(void **state)
{
	static const struct {
		const char *why;
		const char *local;
		uint8_t protocol;
		int want;
	} cases[] = {
		{"ICMP entries have an id that no agent tells", "10.0.0.2", 1,
		 -EPROTONOSUPPORT},
		{"so have those of ICMPv6", "2001:db8::2", 58,
		 -EPROTONOSUPPORT},
		{"no protocol", "10.0.0.2", 0, -EPROTONOSUPPORT},
		{"no address family", "nonsense", 6, -EAFNOSUPPORT},
		{"ESP has no ports, and needs none", "10.0.0.2", 50, 0},
		{"UDP", "2001:db8::2", 17, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_flow f = flow(cases[i].local, cases[i].local,
					cases[i].protocol, LAN);
		struct fg_tuple t;

		if (fg_tuple_of(&t, &f, NULL) != cases[i].want)
			fail_msg("%s", cases[i].why);
	}
}

static bool answer(const struct fg_host *host, const struct fg_flow *f,
		   enum fg_attr attr, union fg_value *out)
{
	const char *const *have = host->host_private;
	const char *text;

	(void)f;
	memset(out, 0, sizeof(*out));
	switch (attr) {
	case FG_ATTR_REPLY_SRC_IP:
		text = have[0];
		break;
	case FG_ATTR_REPLY_DST_IP:
		text = have[1];
		break;
	case FG_ATTR_REPLY_SRC_PORT:
		out->u = 8443;
		return true;
	case FG_ATTR_REPLY_DST_PORT:
		out->u = 61000;
		return true;
	default:
		return false;
	}
	return text && fg_addr_parse(text, strlen(text), out->addr);
}

static void test_tuple_told(void **state)
{
	const char *have[] = {"198.51.100.9", "203.0.113.1"};
	struct fg_host host = {.host_private = have, .flow_get = answer};
	struct fg_flow f = flow("10.0.0.2", "198.51.100.9", 6, LAN | LOCAL);
	char text[FG_TUPLE_TEXT];
	struct fg_tuple t;

	(void)state;
	/* the agent had it from the kernel: nothing to guess */
	assert_int_equal(fg_tuple_of(&t, &f, &host), 0);
	assert_string_equal(fg_tuple_format(&t, text),
			    "-p 6 -r 198.51.100.9 -q 203.0.113.1 "
			    "--reply-port-src 8443 --reply-port-dst 61000");
	/* half of it is nothing */
	have[1] = NULL;
	assert_int_equal(fg_tuple_of(&t, &f, &host), 0);
	assert_string_equal(
		fg_tuple_format(&t, text),
		"-p 6 -s 10.0.0.2 -d 198.51.100.9 --sport 1000 --dport 443");
}

static void test_tuple_reverse(void **state)
{
	struct fg_flow f = flow("2001:db8::2", "2001:db8::9", 17, LAN | LOCAL);
	struct fg_tuple t, r, rr;
	char text[FG_TUPLE_TEXT];

	(void)state;
	assert_int_equal(fg_tuple_of(&t, &f, NULL), 0);
	r = fg_tuple_reverse(&t);
	assert_string_equal(fg_tuple_format(&r, text),
			    "-p 17 -r 2001:db8::9 -q 2001:db8::2 "
			    "--reply-port-src 443 --reply-port-dst 1000");
	rr = fg_tuple_reverse(&r);
	assert_memory_equal(&rr, &t, sizeof(t));
}

/* ------------------------------------------------------------- messages */

_Alignas(struct nlmsghdr) static char buf[FG_CT_MESSAGE_MAX];

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
	const struct nlmsghdr *nlh = (const void *)buf;

	return find(mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg)),
		    mnl_nlmsg_get_payload_len(nlh) - sizeof(struct nfgenmsg),
		    type);
}

static const struct nlattr *within(const struct nlattr *a, uint16_t type)
{
	assert_non_null(a);
	return find(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a), type);
}

static struct fg_tuple tuple(const char *local, const char *other,
			     uint8_t protocol)
{
	struct fg_flow f = flow(local, other, protocol, LAN | LOCAL);
	struct fg_tuple t;

	assert_int_equal(fg_tuple_of(&t, &f, NULL), 0);
	return t;
}

static void test_mark(void **state)
{
	static const struct {
		const char *why;
		uint32_t value, mask, want;
	} cases[] = {
		{"all bits", 0x10, UINT32_MAX, 0x10},
		{"what is outside the mask would be flipped", 0x1f0, 0xf0,
		 0xf0},
		{"clearing", 0, 0xff00, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_tuple t = tuple("10.0.0.2", "198.51.100.9", 6);
		const struct nlmsghdr *nlh = (const void *)buf;
		size_t len =
			fg_ct_mark(buf, 7, &t, cases[i].value, cases[i].mask);

		assert_int_equal(len, nlh->nlmsg_len);
		assert_true(len <= sizeof(buf));
		assert_int_equal(nlh->nlmsg_seq, 7);
		/* CREATE would make entries that no packet ever made */
		assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
		assert_int_equal(nlh->nlmsg_type, NFNL_SUBSYS_CTNETLINK << 8 |
							  IPCTNL_MSG_CT_NEW);
		if (ntohl(mnl_attr_get_u32(top(CTA_MARK))) != cases[i].want)
			fail_msg("%s", cases[i].why);
		assert_int_equal(ntohl(mnl_attr_get_u32(top(CTA_MARK_MASK))),
				 cases[i].mask);
		/* one that fails must not take the other along */
		assert_null(top(CTA_LABELS));
	}
}

static void test_tuple_bytes(void **state)
{
	static const struct {
		const char *local;
		const char *other;
		uint8_t protocol;
		bool ports;
	} cases[] = {
		{"10.0.0.2", "198.51.100.9", 6, true},
		{"2001:db8::2", "2001:db8::9", 17, true},
		{"10.0.0.2", "198.51.100.9", 50, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_tuple t = tuple(cases[i].local, cases[i].other,
					  cases[i].protocol);
		bool v6 = t.version == 6;
		const struct nlattr *orig, *ip, *proto;
		const struct nfgenmsg *nfg;

		fg_ct_get(buf, 1, &t);
		nfg = mnl_nlmsg_get_payload((const void *)buf);
		assert_int_equal(nfg->nfgen_family, v6 ? AF_INET6 : AF_INET);
		orig = top(CTA_TUPLE_ORIG);
		ip = within(orig, CTA_TUPLE_IP);
		proto = within(orig, CTA_TUPLE_PROTO);
		assert_memory_equal(
			mnl_attr_get_payload(
				within(ip, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC)),
			t.src, v6 ? 16 : 4);
		assert_memory_equal(
			mnl_attr_get_payload(
				within(ip, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST)),
			t.dst, v6 ? 16 : 4);
		assert_int_equal(mnl_attr_get_u8(within(proto, CTA_PROTO_NUM)),
				 cases[i].protocol);
		assert_true(!!within(proto, CTA_PROTO_SRC_PORT) ==
			    cases[i].ports);
		if (cases[i].ports)
			assert_int_equal(ntohs(mnl_attr_get_u16(within(
						 proto, CTA_PROTO_DST_PORT))),
					 443);
	}
}

static void test_labels(void **state)
{
	struct fg_tuple t = tuple("2001:db8::2", "2001:db8::9", 6);
	struct fg_labels value = {{0}}, mask = {{0}}, got;
	size_t len;

	(void)state;
	fg_labels_add(&value, 0);
	fg_labels_add(&value, 127);
	fg_labels_add(&value, 64); /* not in the mask */
	fg_labels_add(&mask, 0);
	fg_labels_add(&mask, 127);
	fg_labels_add(&mask, 33);
	t.reply = 1;
	len = fg_ct_labels(buf, 1, &t, &value, &mask);
	assert_true(len <= sizeof(buf)); /* the longest message there is */
	assert_non_null(top(CTA_TUPLE_REPLY));
	assert_null(top(CTA_TUPLE_ORIG));
	assert_null(top(CTA_MARK));
	memcpy(&got, mnl_attr_get_payload(top(CTA_LABELS)), sizeof(got));
	assert_int_equal(got.word[0], 1);
	assert_int_equal(got.word[1], 0);
	assert_int_equal(got.word[2], 0);
	assert_int_equal(got.word[3], 0x80000000u);
	assert_memory_equal(mnl_attr_get_payload(top(CTA_LABELS_MASK)), &mask,
			    sizeof(mask));
}

static void test_delete(void **state)
{
	struct fg_tuple t = tuple("10.0.0.2", "198.51.100.9", 6);
	const struct nlmsghdr *nlh = (const void *)buf;
	uint32_t id = 0x01020304;

	(void)state;
	fg_ct_delete(buf, 1, &t, NULL);
	assert_int_equal(nlh->nlmsg_type,
			 NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
	/* without a tuple the kernel would empty its table */
	assert_non_null(top(CTA_TUPLE_ORIG));
	assert_null(top(CTA_ID));
	fg_ct_delete(buf, 1, &t, &id);
	assert_non_null(top(CTA_TUPLE_ORIG));
	assert_int_equal(ntohl(mnl_attr_get_u32(top(CTA_ID))), id);
}

static void test_parse(void **state)
{
	struct fg_tuple t = tuple("10.0.0.2", "198.51.100.9", 6);
	struct fg_ct_entry e;
	size_t len = fg_ct_mark(buf, 1, &t, 0x77, UINT32_MAX);

	(void)state;
	assert_int_equal(fg_ct_parse(buf, len, &e), 0);
	assert_int_equal(e.mark, 0x77);
	assert_int_equal(e.id, 0);
	/* shorter than it says, and something else altogether */
	assert_int_equal(fg_ct_parse(buf, len - 1, &e), -EBADMSG);
	assert_int_equal(fg_ct_parse(buf, 3, &e), -EBADMSG);
	fg_ct_delete(buf, 1, &t, NULL);
	assert_int_equal(fg_ct_parse(buf, len, &e), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tuple_direction),
		cmocka_unit_test(test_tuple_refused),
		cmocka_unit_test(test_tuple_told),
		cmocka_unit_test(test_tuple_reverse),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_tuple_bytes),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
