/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_flow.c - the flow table: merging, detail, who goes first, limits. */
/* LINK: common/flow */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "flow/flow.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------ messages */

/* What one call says: kind by attribute, ended by FG_ATTR_COUNT. */
struct say {
	enum fg_attr attr;
	uint64_t u;
	const char *text; /* also for addresses and MACs */
	double r;
};

static struct fg_message message;

static const struct fg_message *make(enum fg_message_type type, uint8_t digest,
				     const struct say *say)
{
	struct fg_message *m = &message;

	memset(m, 0xa5, sizeof(*m)); /* the rest is not zeroed */
	memset(m->has, 0, sizeof(m->has));
	m->size = sizeof(*m);
	m->type = type;
	m->digest_count = 1;
	memset(m->digest[0], digest, FG_DIGEST_SIZE);
	for (; say && say->attr != FG_ATTR_COUNT; say++) {
		union fg_value *v = &m->value[say->attr];
		const char *s = say->text;

		m->has[say->attr / 64] |= UINT64_C(1) << say->attr % 64;
		if (!s) {
			v->u = say->u;
		} else if (fg_addr_parse(s, strlen(s), v->addr) == 0 &&
			   !fg_mac_parse(s, strlen(s), v->mac)) {
			v->text = fg_slice(s, strlen(s));
			v->text.flags = say->u ? FG_SLICE_ESCAPED : 0;
		}
		if (say->attr == FG_ATTR_LOCAL_RATE ||
		    say->attr == FG_ATTR_OTHER_RATE)
			v->r = say->r;
	}
	return m;
}

#define END                                                                    \
	{                                                                      \
		FG_ATTR_COUNT, 0, NULL, 0                                      \
	}
#define U(name, v)                                                             \
	{                                                                      \
		FG_ATTR_##name, v, NULL, 0                                     \
	}
#define T(name, v)                                                             \
	{                                                                      \
		FG_ATTR_##name, 0, v, 0                                        \
	}
#define SAY(...) ((const struct say[]){__VA_ARGS__, END})

/* A usual announcement: from 192.0.2.HOST. */
static const struct say *usual(const char *host)
{
	static struct say say[24];
	const struct say flow[] = {
		T(INTERFACE, "br-lan"),
		U(INTERNAL, 1),
		U(IP_VERSION, 4),
		U(IP_PROTOCOL, 6),
		U(VLAN_ID, 0),
		U(OTHER_TYPE, 2),
		U(LOCAL_ORIGIN, 1),
		T(LOCAL_IP, host),
		T(OTHER_IP, "198.51.100.9"),
		U(LOCAL_PORT, 40000),
		U(OTHER_PORT, 443),
		T(LOCAL_MAC, "02:00:00:00:00:01"),
		T(OTHER_MAC, "02:00:00:00:00:02"),
		U(PROTOCOL, 196),
		U(APPLICATION, 133),
		U(CAT_APPLICATION, 29),
		U(CAT_PROTOCOL, 22),
		U(FIRST_SEEN, 1000000),
		U(LAST_SEEN, 1000500),
		U(CT_ID, 0),
		U(CT_MARK, 0),
		T(TLS_SNI, "www.netflix.com"),
		END,
	};

	memcpy(say, flow, sizeof(flow));
	return say;
}

/* --------------------------------------------------------------- table */

static struct fg_flow_table *table(uint32_t flows, size_t detail)
{
	struct fg_flow_limits limits = {
		.max_flows = flows, .detail_bytes = detail, .seed = 4711};
	struct fg_flow_table *t;

	assert_int_equal(fg_flow_table_new(&t, &limits), 0);
	return t;
}

static struct fg_flow *find(struct fg_flow_table *t, uint8_t digest)
{
	uint8_t d[FG_DIGEST_SIZE];

	memset(d, digest, sizeof(d));
	return fg_flow_find(t, 0, d);
}

/* What the host does with a message; returns what changed. */
static uint32_t handle(struct fg_flow_table *t, const struct fg_message *m)
{
	struct fg_flow *flow = fg_flow_find(t, 0, m->digest[0]), before, was;
	uint32_t changed;

	if (!flow)
		flow = fg_flow_insert(t, 0, m->digest[0]);
	assert_non_null(flow);
	before = *flow;
	changed = fg_flow_update(t, flow, m, &was);
	assert_memory_equal(&was, &before, sizeof(was));
	return changed;
}

static uint64_t get(struct fg_flow_table *t, uint8_t digest, enum fg_attr attr)
{
	union fg_value v = {.u = 0};

	if (!fg_flow_get(t, find(t, digest), attr, &v))
		return UINT64_MAX;
	return v.u;
}

static const char *get_text(struct fg_flow_table *t, uint8_t digest,
			    enum fg_attr attr)
{
	static char text[4096];
	union fg_value v;

	if (!fg_flow_get(t, find(t, digest), attr, &v))
		return NULL;
	memcpy(text, v.text.ptr, v.text.len);
	text[v.text.len] = '\0';
	return text;
}

static void arguments(void **state)
{
	struct fg_flow_limits limits = {.max_flows = 0};
	struct fg_flow_table *t;

	(void)state;
	assert_int_equal(fg_flow_table_new(&t, &limits), -EINVAL);
	limits.max_flows = UINT32_MAX;
	assert_int_equal(fg_flow_table_new(&t, &limits), -EINVAL);
	fg_flow_table_free(NULL);
	/* the budget: 200 MB for a million flows, and something for targets */
	assert_true(fg_flow_size() <= 190);
}

static void announcement(void **state)
{
	struct fg_flow_table *t = table(10, 0);
	const struct fg_flow *f;
	char text[FG_ADDR_TEXT];
	struct fg_flow copy;
	union fg_value v;

	(void)state;
	assert_int_equal(
		handle(t, make(FG_MESSAGE_FLOW, 1, usual("192.0.2.7"))),
		FG_CHANGED_KEY | FG_CHANGED_CLASS | FG_CHANGED_DETAIL |
			FG_CHANGED_COUNTERS);
	f = find(t, 1);
	assert_non_null(f);
	assert_int_equal(f->ip_version, 4);
	assert_string_equal(fg_addr_format(4, f->local_addr, text),
			    "192.0.2.7");
	assert_int_equal(f->other_port, 443);
	assert_int_equal(f->application, 133);
	assert_int_equal(f->cat_application, 29);
	assert_int_equal(f->age_ms, 500);
	assert_int_equal(f->flags, FG_FLOW_INTERNAL | FG_FLOW_LOCAL_ORIGIN |
					   FG_FLOW_HAS_ORIGIN |
					   FG_FLOW_HAS_LOCAL_MAC |
					   FG_FLOW_HAS_OTHER_MAC);
	assert_string_equal(fg_flow_interface_name(t, f->interface), "br-lan");
	assert_string_equal(get_text(t, 1, FG_ATTR_INTERFACE), "br-lan");
	assert_string_equal(get_text(t, 1, FG_ATTR_TLS_SNI), "www.netflix.com");
	assert_int_equal(get(t, 1, FG_ATTR_LAST_SEEN), 1000500);
	assert_int_equal(get(t, 1, FG_ATTR_OTHER_TYPE), FG_OTHER_REMOTE);
	assert_int_equal(get(t, 1, FG_ATTR_INTERNAL), 1);
	assert_int_equal(get(t, 1, FG_ATTR_IP_NAT), 0);
	assert_true(fg_flow_get(t, f, FG_ATTR_LOCAL_IP, &v));
	assert_memory_equal(v.addr, f->local_addr, 16);
	/* targets are told what a flow was by a copy of it */
	copy = *f;
	assert_true(fg_flow_get(t, &copy, FG_ATTR_TLS_SNI, &v));
	assert_memory_equal(v.text.ptr, "www.netflix.com", v.text.len);
	copy.digest[0]++;
	assert_false(fg_flow_get(t, &copy, FG_ATTR_TLS_SNI, &v));
	/* never said, and what only messages carry */
	assert_false(fg_flow_get(t, f, FG_ATTR_IP_DSCP, &v));
	assert_false(fg_flow_get(t, f, FG_ATTR_HTTP_URL, &v));
	assert_false(fg_flow_get(t, f, FG_ATTR_APPLICATION_NAME, &v));
	assert_false(fg_flow_get(t, f, FG_ATTR_LOCAL_RATE, &v));
	/* agents say 0 where they know of no connection */
	assert_false(fg_flow_get(t, f, FG_ATTR_CT_ID, &v));
	assert_false(fg_flow_get(t, f, FG_ATTR_CT_MARK, &v));
	/* told again, it is the same */
	assert_int_equal(
		handle(t, make(FG_MESSAGE_FLOW, 1, usual("192.0.2.7"))), 0);
	fg_flow_table_free(t);
}

static void updates(void **state)
{
	struct fg_flow_table *t = table(10, 0);
	const struct fg_flow *f;

	(void)state;
	handle(t, make(FG_MESSAGE_FLOW, 1, usual("192.0.2.7")));
	f = find(t, 1);

	/* an update says what is new, all else stays */
	assert_int_equal(
		handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
			       SAY(U(APPLICATION, 140), U(DETECTION_UPDATED, 1),
				   T(HOST_SERVER_NAME, "netflix.com")))),
		FG_CHANGED_CLASS | FG_CHANGED_DETAIL);
	assert_int_equal(f->application, 140);
	assert_int_equal(f->protocol, 196);
	assert_true(f->flags & FG_FLOW_UPDATED);
	assert_string_equal(get_text(t, 1, FG_ATTR_TLS_SNI), "www.netflix.com");
	assert_string_equal(get_text(t, 1, FG_ATTR_HOST_SERVER_NAME),
			    "netflix.com");

	/* the end of detection says little */
	assert_int_equal(handle(t, make(FG_MESSAGE_FLOW_DPI_COMPLETE, 1, NULL)),
			 FG_CHANGED_CLASS);
	assert_true(f->flags & FG_FLOW_COMPLETE);

	/* another announcement: class and detail are what it says */
	assert_int_equal(
		handle(t, make(FG_MESSAGE_FLOW, 1, SAY(U(APPLICATION, 5)))),
		FG_CHANGED_CLASS | FG_CHANGED_DETAIL);
	assert_int_equal(f->application, 5);
	assert_int_equal(f->protocol, 0);
	assert_int_equal(f->cat_application, 0);
	assert_false(f->flags & (FG_FLOW_UPDATED | FG_FLOW_COMPLETE));
	assert_null(get_text(t, 1, FG_ATTR_TLS_SNI));
	/* the key is still known */
	assert_int_equal(f->other_port, 443);

	/* how it was announced changes nothing that a target builds on */
	assert_int_equal(
		handle(t, make(FG_MESSAGE_FLOW, 1,
			       SAY(U(APPLICATION, 5), U(ESTABLISHED, 1)))),
		FG_CHANGED_COUNTERS);
	fg_flow_table_free(t);
}

static void keys(void **state)
{
	struct fg_flow_table *t = table(10, 0);
	const struct fg_flow *f;
	union fg_value v;

	(void)state;
	handle(t, make(FG_MESSAGE_FLOW, 1, usual("192.0.2.7")));
	f = find(t, 1);
	/* conntrack.* is the newer agent's, and wins */
	assert_int_equal(
		handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
			       SAY(U(CT_ID, 1), U(CT_MARK, 2),
				   U(CONNTRACK_ID, 3), U(CONNTRACK_MARK, 0)))),
		FG_CHANGED_KEY);
	assert_int_equal(f->ct_id, 3);
	assert_int_equal(f->ct_mark, 0);
	assert_int_equal(get(t, 1, FG_ATTR_CT_MARK), 0);
	assert_int_equal(get(t, 1, FG_ATTR_CONNTRACK_ID), 3);
	/* a tunnel is seen by what is in it */
	assert_int_equal(handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
					SAY(U(GTP_VERSION, 1)))),
			 FG_CHANGED_CLASS | FG_CHANGED_DETAIL);
	assert_true(f->flags & FG_FLOW_TUNNEL_GTP);
	assert_int_equal(handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
					SAY(U(IP_DSCP, 46)))),
			 FG_CHANGED_KEY);
	assert_int_equal(get(t, 1, FG_ATTR_IP_DSCP), 46);
	/* no Ethernet, no address */
	handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
		       SAY(T(LOCAL_MAC, "00:00:00:00:00:00"))));
	assert_false(fg_flow_get(t, f, FG_ATTR_LOCAL_MAC, &v));
	assert_true(fg_flow_get(t, f, FG_ATTR_OTHER_MAC, &v));
	/* contradictory: nothing may be built from such addresses */
	handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
		       SAY(U(IP_VERSION, 4), T(OTHER_IP, "2001:db8::1"))));
	assert_int_equal(f->ip_version, 0);
	assert_false(fg_flow_get(t, f, FG_ATTR_OTHER_IP, &v));
	handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1, SAY(U(IP_VERSION, 5))));
	assert_int_equal(f->ip_version, 0);
	fg_flow_table_free(t);
}

/* 70000 is not port 4464: what does not fit was not said. */
static void out_of_range(void **state)
{
	static const struct say wrong[] = {
		U(OTHER_PORT, 70000),	   U(LOCAL_PORT, 65536),
		U(IP_PROTOCOL, 256),	   U(VLAN_ID, 4096),
		U(OTHER_TYPE, 7),	   U(APPLICATION, UINT64_C(1) << 32),
		U(CAT_APPLICATION, 65536), U(IP_DSCP, 64),
		U(CT_MARK, UINT64_MAX),
	};
	struct fg_flow_table *t = table(10, 0);

	(void)state;
	handle(t, make(FG_MESSAGE_FLOW, 1, usual("192.0.2.7")));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct say say[] = {wrong[i], END};

		if (handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1, say)) != 0)
			fail_msg("case %zu", i);
	}
	fg_flow_table_free(t);
}

/* ------------------------------------------------------------ counters */

struct tick {
	enum fg_message_type type;
	int64_t local, other, total; /* of the message; -1: not in it */
	uint64_t want_local, want_other;
	const char *why;
};

static void run_ticks(const struct tick *ticks, size_t n)
{
	struct fg_flow_table *t = table(4, 0);

	handle(t, make(FG_MESSAGE_FLOW, 1, usual("192.0.2.7")));
	for (size_t i = 0; i < n; i++) {
		struct say say[8] = {END}, *p = say;

		if (ticks[i].local >= 0) {
			*p++ = (struct say)U(LOCAL_BYTES, ticks[i].local);
			*p++ = (struct say)U(LOCAL_PACKETS, ticks[i].local);
		}
		if (ticks[i].other >= 0) {
			*p++ = (struct say)U(OTHER_BYTES, ticks[i].other);
			*p++ = (struct say)U(OTHER_PACKETS, ticks[i].other);
		}
		if (ticks[i].total >= 0) {
			*p++ = (struct say)U(TOTAL_BYTES, ticks[i].total);
			*p++ = (struct say)U(TOTAL_PACKETS, ticks[i].total);
		}
		*p = (struct say)END;
		handle(t, make(ticks[i].type, 1, say));
		if (get(t, 1, FG_ATTR_LOCAL_BYTES) != ticks[i].want_local ||
		    get(t, 1, FG_ATTR_OTHER_BYTES) != ticks[i].want_other ||
		    get(t, 1, FG_ATTR_LOCAL_PACKETS) != ticks[i].want_local ||
		    get(t, 1, FG_ATTR_OTHER_PACKETS) != ticks[i].want_other)
			fail_msg("%s: %lu %lu", ticks[i].why,
				 (unsigned long)get(t, 1, FG_ATTR_LOCAL_BYTES),
				 (unsigned long)get(t, 1, FG_ATTR_OTHER_BYTES));
		assert_int_equal(get(t, 1, FG_ATTR_TOTAL_BYTES),
				 ticks[i].want_local + ticks[i].want_other);
	}
	fg_flow_table_free(t);
}

#define STATS	 FG_MESSAGE_FLOW_STATS
#define PURGE	 FG_MESSAGE_FLOW_PURGE
#define UPDATE	 FG_MESSAGE_FLOW_DPI_UPDATE
#define COMPLETE FG_MESSAGE_FLOW_DPI_COMPLETE

static void counters(void **state)
{
	static const struct tick v4[] = {
		{STATS, 10, 20, 30, 10, 20, "first tick"},
		{STATS, 10, 20, 30, 10, 20, "the same message twice"},
		{STATS, 5, 6, 41, 15, 26, "second tick"},
		{STATS, 5, 6, 41, 15, 26, "that one twice"},
		{PURGE, 0, 0, 41, 15, 26, "nothing new at the end"},
	};
	static const struct tick v5[] = {
		{UPDATE, 4, 6, 10, 4, 6, "running, within the first tick"},
		{UPDATE, 5, 6, 11, 5, 6, "still running"},
		{COMPLETE, 5, 6, 11, 5, 6, "the same again"},
		{STATS, 7, 8, 15, 7, 8, "the tick: not added to itself"},
		{COMPLETE, 1, 1, 17, 8, 9, "running, in a later tick"},
		{COMPLETE, 1, 1, 17, 8, 9, "the same again"},
		{STATS, 3, 4, 22, 10, 12, "its end: what was not told yet"},
		{PURGE, 1, 0, 23, 11, 12, "and the rest"},
	};
	static const struct tick lost[] = {
		{STATS, 10, 0, 10, 10, 0, "first"},
		{STATS, 10, 0, 30, 30, 0, "one tick was lost: the total holds"},
		{STATS, 0, 0, 40, 35, 5, "lost, and no telling which way"},
	};
	static const struct tick late[] = {
		{STATS, 1, 3, 404, 101, 303, "known only since now"},
		{COMPLETE, 0, 0, 404, 101, 303, "nothing new"},
	};
	static const struct tick anew[] = {
		{STATS, 10, 20, 30, 10, 20, "one"},
		{STATS, 1, 2, 3, 1, 2, "the agent began to count anew"},
		{STATS, 1, 1, 2000, 999, 1001, "far on"},
		{STATS, 10, 10, 500, 250, 250, "back, after its first tick"},
	};
	static const struct tick bare[] = {
		{STATS, 10, 20, -1, 10, 20, "no total: ticks add up"},
		{STATS, 1, 2, -1, 11, 22, "twice"},
		{UPDATE, 1, 2, -1, 11, 22, "between ticks it can't be told"},
		{STATS, 1, -1, -1, 12, 22, "one side only"},
		{UPDATE, -1, -1, -1, 12, 22, "nothing said"},
	};

	(void)state;
	run_ticks(v4, COUNT(v4));
	run_ticks(v5, COUNT(v5));
	run_ticks(lost, COUNT(lost));
	run_ticks(late, COUNT(late));
	run_ticks(anew, COUNT(anew));
	run_ticks(bare, COUNT(bare));
}

static void counter_limits(void **state)
{
	struct fg_flow_table *t = table(4, 0);
	const struct fg_flow *f;

	(void)state;
	handle(t, make(FG_MESSAGE_FLOW, 1, usual("192.0.2.7")));
	f = find(t, 1);
	for (int i = 0; i < 3; i++)
		handle(t, make(STATS, 1,
			       SAY(U(LOCAL_BYTES, UINT64_MAX),
				   U(OTHER_BYTES, UINT64_MAX),
				   U(LOCAL_PACKETS, UINT64_MAX),
				   U(OTHER_PACKETS, 1))));
	assert_int_equal(f->local_packets, UINT32_MAX);
	assert_true(get(t, 1, FG_ATTR_TOTAL_BYTES) == UINT64_MAX);
	/* a rate is bytes a second, never infinite, never below nothing */
	handle(t, make(STATS, 1,
		       (const struct say[]){
			       {FG_ATTR_LOCAL_RATE, 0, NULL, 1e300},
			       {FG_ATTR_OTHER_RATE, 0, NULL, -1},
			       END,
		       }));
	assert_true(f->local_rate > 1e38f && f->local_rate <= FLT_MAX);
	assert_true(f->other_rate >= 0);
	/* last seen before it began; later than an age can say */
	handle(t, make(STATS, 1, SAY(U(LAST_SEEN, 5))));
	assert_int_equal(f->age_ms, 0);
	handle(t, make(STATS, 1, SAY(U(LAST_SEEN, UINT64_MAX))));
	assert_int_equal(f->age_ms, UINT32_MAX);
	/* another connection on the same digest counts from nothing */
	handle(t, make(FG_MESSAGE_FLOW, 1, SAY(U(FIRST_SEEN, 2000000))));
	assert_int_equal(f->local_packets, 0);
	assert_int_equal(f->local_bytes, 0);
	assert_int_equal(f->age_ms, 0);
	fg_flow_table_free(t);
}

/* -------------------------------------------------------------- detail */

static void detail_kinds(void **state)
{
	struct fg_flow_table *t = table(4, 0);
	struct fg_flow_counts counts;
	union fg_value v;

	(void)state;
	handle(t, make(FG_MESSAGE_FLOW, 1,
		       SAY({FG_ATTR_HTTP_URL, 1, "/a\\\"b\\u00e9", 0},
			   T(TAGS, "[\"a\",\"b\"]"), U(TLS_VERSION, 0x303),
			   U(RISK_SCORE, 0), U(GTP_LOCAL_TEID, UINT64_MAX),
			   T(REPLY_SRC_IP, "2001:db8::1"), T(SSH_CLIENT, ""))));
	assert_string_equal(get_text(t, 1, FG_ATTR_HTTP_URL), "/a\"b\xc3\xa9");
	assert_string_equal(get_text(t, 1, FG_ATTR_TAGS), "[\"a\",\"b\"]");
	assert_int_equal(get(t, 1, FG_ATTR_TLS_VERSION), 0x303);
	assert_int_equal(get(t, 1, FG_ATTR_RISK_SCORE), 0);
	assert_true(get(t, 1, FG_ATTR_GTP_LOCAL_TEID) == UINT64_MAX);
	assert_true(fg_flow_get(t, find(t, 1), FG_ATTR_REPLY_SRC_IP, &v));
	assert_int_equal(v.addr[0], 0x20);
	/* said, and empty, is not the same as not said */
	assert_string_equal(get_text(t, 1, FG_ATTR_SSH_CLIENT), "");
	assert_null(get_text(t, 1, FG_ATTR_SSH_SERVER));
	/* an update puts its entries before, between, after and over */
	handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
		       SAY(U(CAT_OVERLAY, 7), T(HTTP_URL, "/c"),
			   T(HTTP_USER_AGENT, "curl"), U(TCP_SEQ_ERRORS, 9))));
	assert_int_equal(get(t, 1, FG_ATTR_CAT_OVERLAY), 7);
	assert_string_equal(get_text(t, 1, FG_ATTR_HTTP_URL), "/c");
	assert_string_equal(get_text(t, 1, FG_ATTR_HTTP_USER_AGENT), "curl");
	assert_string_equal(get_text(t, 1, FG_ATTR_TAGS), "[\"a\",\"b\"]");
	assert_int_equal(get(t, 1, FG_ATTR_TCP_SEQ_ERRORS), 9);
	/* the same again is no change */
	assert_int_equal(handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
					SAY(T(HTTP_URL, "/c")))),
			 0);
	fg_flow_counts(t, &counts);
	assert_int_equal(counts.detail_dropped, 0);
	fg_flow_table_free(t);
}

/* A million flows to the same place have one text. */
static void detail_is_shared(void **state)
{
	struct fg_flow_table *t = table(1000, 0);
	struct fg_flow_counts one, all;
	uint8_t digest[FG_DIGEST_SIZE] = {0};
	struct fg_flow *flow;
	uint32_t cursor = 0;
	union fg_value v;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		const struct fg_message *m =
			make(FG_MESSAGE_FLOW, 0, usual("192.0.2.7"));

		memcpy(digest, &i, sizeof(i));
		flow = fg_flow_insert(t, 0, digest);
		assert_non_null(flow);
		fg_flow_update(t, flow, m, NULL);
		fg_flow_counts(t, i ? &all : &one);
	}
	assert_true(one.detail_used > 0);
	assert_int_equal(one.detail_used, all.detail_used);
	assert_int_equal(all.live, 1000);
	/* all but one go, announced again before: the text stays */
	for (int i = 0; i < 999; i++) {
		const struct fg_message *m =
			make(FG_MESSAGE_FLOW, 0, SAY(T(TLS_SNI, "other")));

		memcpy(digest, &i, sizeof(i));
		flow = fg_flow_find(t, 0, digest);
		assert_non_null(flow);
		fg_flow_update(t, flow, m, NULL);
		fg_flow_remove(t, flow);
	}
	fg_flow_counts(t, &all);
	assert_int_equal(one.detail_used, all.detail_used);
	flow = fg_flow_next(t, &cursor);
	assert_true(fg_flow_get(t, flow, FG_ATTR_TLS_SNI, &v));
	assert_true(fg_slice_is(v.text, "www.netflix.com"));
	cursor = 0;
	while ((flow = fg_flow_next(t, &cursor)) != NULL)
		fg_flow_remove(t, flow);
	fg_flow_counts(t, &all);
	assert_int_equal(all.detail_used, 0);
	assert_int_equal(all.live, 0);
	assert_int_equal(all.peak, 1000);
	fg_flow_table_free(t);
}

static void detail_is_bounded(void **state)
{
	struct fg_flow_table *t = table(200, 16384);
	struct fg_flow_counts counts;
	char url[200], huge[5000];
	uint32_t cursor = 0;
	union fg_value v;
	struct fg_flow *f;
	int kept = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		memset(url, 'a', sizeof(url));
		snprintf(url, sizeof(url), "/%d", i);
		url[strlen(url)] = 'x';
		url[sizeof(url) - 1] = '\0';
		handle(t, make(FG_MESSAGE_FLOW, (uint8_t)i,
			       SAY(T(HTTP_URL, url), U(IP_VERSION, 4))));
	}
	fg_flow_counts(t, &counts);
	assert_int_equal(counts.live, 200);
	assert_in_range(counts.detail_used, 12000, 16384);
	for (int i = 0; i < 200; i++)
		kept += get_text(t, (uint8_t)i, FG_ATTR_HTTP_URL) != NULL;
	assert_in_range(kept, 50, 80);
	assert_int_equal(counts.detail_dropped, 200 - kept);
	/* the flow itself is whole */
	assert_int_equal(get(t, 199, FG_ATTR_IP_VERSION), 4);
	/* what is free again can be had again, in any size */
	while ((f = fg_flow_next(t, &cursor)) != NULL)
		fg_flow_remove(t, f);
	memset(huge, 'b', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	/* a long text is cut, at a character; others are still there */
	memcpy(huge + 2047, "\xc3\xa9", 2);
	handle(t, make(FG_MESSAGE_FLOW, 1,
		       SAY(T(HTTP_URL, huge), T(TLS_SNI, "a.example"),
			   T(TAGS, huge))));
	assert_true(fg_flow_get(t, find(t, 1), FG_ATTR_HTTP_URL, &v));
	assert_int_equal(v.text.len, 2047);
	assert_string_equal(get_text(t, 1, FG_ATTR_TLS_SNI), "a.example");
	/* half a list is none */
	assert_null(get_text(t, 1, FG_ATTR_TAGS));
	fg_flow_table_free(t);
}

/* Every attribute at its largest is more than one blob can be. */
static void detail_largest(void **state)
{
	struct fg_flow_table *t = table(4, 0);
	static char huge[4000];
	struct say say[FG_ATTR_COUNT + 1];
	struct fg_flow_counts counts;
	int kept = 0, n = 0;

	(void)state;
	memset(huge, 'b', sizeof(huge) - 1);
	for (int a = FG_ATTR_HOST_SERVER_NAME; a <= FG_ATTR_BT_INFO_HASH; a++)
		say[n++] = (struct say){a, 0, huge, 0};
	say[n] = (struct say)END;
	handle(t, make(FG_MESSAGE_FLOW, 1, say));
	/* and once more on top of what is there already */
	handle(t, make(FG_MESSAGE_FLOW_DPI_UPDATE, 1,
		       SAY(T(NFQ_SRC_IFACE, huge), T(NFQ_DST_IFACE, huge))));
	for (int i = 0; i < n; i++)
		kept += get_text(t, 1, say[i].attr) != NULL;
	assert_in_range(kept, 4, 8);
	assert_non_null(get_text(t, 1, FG_ATTR_NFQ_SRC_IFACE));
	fg_flow_counts(t, &counts);
	assert_true(counts.detail_dropped > 0);
	fg_flow_table_free(t);
}

/* ---------------------------------------------------------------- life */

static void identity(void **state)
{
	struct fg_flow_table *t = table(4, 0);
	uint8_t a[FG_DIGEST_SIZE] = {1}, b[FG_DIGEST_SIZE] = {2};
	struct fg_flow *one, *two, *other;

	(void)state;
	one = fg_flow_insert(t, 0, a);
	/* the same digest of another source is another flow */
	other = fg_flow_insert(t, 1, a);
	assert_ptr_equal(fg_flow_find(t, 0, a), one);
	assert_ptr_equal(fg_flow_find(t, 1, a), other);
	assert_null(fg_flow_find(t, 2, a));
	/* digest_prev: it goes on under another name, and stays where it is */
	assert_int_equal(fg_flow_rename(t, one, b), 0);
	assert_null(fg_flow_find(t, 0, a));
	assert_ptr_equal(fg_flow_find(t, 0, b), one);
	assert_int_equal(fg_flow_rename(t, one, b), 0);
	two = fg_flow_insert(t, 0, a);
	assert_int_equal(fg_flow_rename(t, one, a), -EEXIST);
	assert_ptr_equal(fg_flow_find(t, 0, a), two);
	fg_flow_remove(t, two);
	assert_null(fg_flow_find(t, 0, a));
	assert_ptr_equal(fg_flow_find(t, 1, a), other);
	fg_flow_table_free(t);
}

static struct fg_flow *add(struct fg_flow_table *t, uint8_t digest,
			   const char *host, int64_t now)
{
	struct fg_flow *f;

	handle(t, make(FG_MESSAGE_FLOW, digest, usual(host)));
	f = find(t, digest);
	fg_flow_touch(t, f, 1, now);
	return f;
}

static void quietest(void **state)
{
	struct fg_flow_table *t = table(3, 0);
	uint8_t digest[FG_DIGEST_SIZE] = {9};
	struct fg_flow *a, *b, *c;

	(void)state;
	assert_null(fg_flow_victim(t));
	assert_null(fg_flow_quietest(t));
	a = add(t, 1, "192.0.2.1", 1000);
	b = add(t, 2, "192.0.2.2", 2000);
	c = add(t, 3, "192.0.2.3", 3000);
	assert_null(fg_flow_insert(t, 0, digest));
	assert_ptr_equal(fg_flow_victim(t), a);
	assert_ptr_equal(fg_flow_quietest(t), a);
	fg_flow_touch(t, a, 7, 4999);
	assert_int_equal(fg_flow_touched(t, a), 4000);
	assert_int_equal(fg_flow_epoch(t, a), 7);
	assert_ptr_equal(fg_flow_victim(t), b);
	/* a member is no victim, but can be quiet for long */
	fg_flow_set_verdict(t, b, 17);
	assert_int_equal(fg_flow_verdict(t, b), 17);
	assert_ptr_equal(fg_flow_victim(t), c);
	assert_ptr_equal(fg_flow_quietest(t), b);
	fg_flow_set_verdict(t, c, 17);
	fg_flow_set_verdict(t, a, 17);
	assert_null(fg_flow_victim(t));
	assert_ptr_equal(fg_flow_quietest(t), b);
	/* no longer a member: its place is by its age, not by the change */
	fg_flow_set_verdict(t, a, 0);
	fg_flow_set_verdict(t, b, 0);
	assert_ptr_equal(fg_flow_victim(t), b);
	fg_flow_remove(t, b);
	assert_ptr_equal(fg_flow_victim(t), a);
	assert_ptr_equal(fg_flow_quietest(t), c);
	assert_non_null(fg_flow_insert(t, 0, digest));
	assert_null(fg_flow_insert(t, 0, (const uint8_t[FG_DIGEST_SIZE]){8}));
	fg_flow_table_free(t);
}

/* One client that opens flow after flow pushes out its own. */
static void flood(void **state)
{
	static const struct {
		const char
			*flooder; /* its address goes on counting at the end */
		int version;
		bool local;
		const char *why;
	} cases[] = {
		{"192.0.2.66", 4, true, "one IPv4 client"},
		{"2001:db8::", 6, true, "one IPv6 client, many addresses"},
		{"203.0.113.66", 4, false, "one from outside, to many"},
		{"2001:db8::", 6, false, "an IPv6 network from outside"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_flow_table *t = table(200, 0);
		struct fg_flow *f;
		char host[FG_ADDR_TEXT];

		for (uint8_t d = 0; d < 100; d++) {
			snprintf(host, sizeof(host), "198.51.100.%d", d);
			add(t, d, host, 1000 + d);
		}
		for (uint32_t n = 0; n < 5000; n++) {
			uint8_t digest[FG_DIGEST_SIZE] = {0xff};
			const struct fg_message *m;

			memcpy(digest + 1, &n, sizeof(n));
			if (cases[i].version == 6)
				snprintf(host, sizeof(host), "%s%x",
					 cases[i].flooder, n + 1);
			else
				strcpy(host, cases[i].flooder);
			m = make(FG_MESSAGE_FLOW, 0, usual(host));
			message.value[FG_ATTR_IP_VERSION].u =
				(uint64_t)cases[i].version;
			if (cases[i].version == 6)
				memset(message.value[FG_ATTR_OTHER_IP].addr, 1,
				       16);
			if (!cases[i].local) {
				message.value[FG_ATTR_LOCAL_ORIGIN].u = 0;
				message.value[FG_ATTR_OTHER_IP] =
					message.value[FG_ATTR_LOCAL_IP];
				message.value[FG_ATTR_LOCAL_IP].addr[3] =
					(uint8_t)n;
			}
			f = fg_flow_insert(t, 0, digest);
			if (!f) {
				fg_flow_remove(t, fg_flow_victim(t));
				f = fg_flow_insert(t, 0, digest);
			}
			fg_flow_update(t, f, m, NULL);
			fg_flow_touch(t, f, 1, 2000000 + n);
		}
		for (uint8_t d = 0; d < 100; d++)
			if (!find(t, d))
				fail_msg("%s: flow %d", cases[i].why, d);
		fg_flow_table_free(t);
	}
}

static void walk(void **state)
{
	struct fg_flow_table *t = table(100, 0);
	int seen[100] = {0};
	struct fg_flow *f;
	uint32_t cursor = 0;

	(void)state;
	assert_null(fg_flow_next(t, &cursor));
	for (uint8_t d = 0; d < 60; d++)
		add(t, d, "192.0.2.1", 1000);
	cursor = 0;
	while ((f = fg_flow_next(t, &cursor)) != NULL) {
		uint8_t d = f->digest[0];

		seen[d]++;
		/* removing what was seen, and one ahead, and adding others */
		if (d < 60 && d % 3 == 0)
			fg_flow_remove(t, f);
		if (d == 10)
			fg_flow_remove(t, find(t, 40));
		if (d < 60 && d % 7 == 0)
			add(t, (uint8_t)(60 + d / 2), "192.0.2.1", 1000);
	}
	for (int d = 0; d < 60; d++)
		if (seen[d] != (d != 40))
			fail_msg("flow %d was seen %d times", d, seen[d]);
	for (int d = 60; d < 100; d++)
		assert_in_range(seen[d], 0, 1);
	fg_flow_table_free(t);
}

static void interfaces(void **state)
{
	struct fg_flow_limits limits = {
		.max_flows = 2, .max_interfaces = 3, .seed = 1};
	struct fg_flow_table *t;
	uint16_t lan, wan, other;
	char longest[127];

	(void)state;
	assert_int_equal(fg_flow_table_new(&t, &limits), 0);
	assert_int_equal(fg_flow_interface(t, fg_slice(NULL, 0)), 0);
	assert_string_equal(fg_flow_interface_name(t, 0), "");
	lan = fg_flow_interface(t, fg_slice("br-lan", 6));
	wan = fg_flow_interface(t, fg_slice("wan", 3));
	assert_int_not_equal(lan, wan);
	assert_int_equal(fg_flow_interface(t, fg_slice("br-lan", 6)), lan);
	assert_string_equal(fg_flow_interface_name(t, wan), "wan");
	fg_flow_set_role(t, lan, 'l');
	assert_int_equal(fg_flow_role(t, lan), 'l');
	assert_int_equal(fg_flow_role(t, wan), 0);
	fg_flow_interface(t, fg_slice("eth0", 4));
	/* beyond the limit, and longer than any: one for all, without role */
	other = fg_flow_interface(t, fg_slice("eth1", 4));
	assert_string_equal(fg_flow_interface_name(t, other), "?");
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(fg_flow_interface(t, fg_slice(longest, 127)), other);
	fg_flow_set_role(t, other, 'w');
	assert_int_equal(fg_flow_role(t, other), 0);
	assert_int_equal(fg_flow_role(t, 999), 0);
	assert_string_equal(fg_flow_interface_name(t, 999), "?");
	fg_flow_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(announcement),
		cmocka_unit_test(updates),
		cmocka_unit_test(keys),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(counters),
		cmocka_unit_test(counter_limits),
		cmocka_unit_test(detail_kinds),
		cmocka_unit_test(detail_is_shared),
		cmocka_unit_test(detail_is_bounded),
		cmocka_unit_test(detail_largest),
		cmocka_unit_test(identity),
		cmocka_unit_test(quietest),
		cmocka_unit_test(flood),
		cmocka_unit_test(walk),
		cmocka_unit_test(interfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
