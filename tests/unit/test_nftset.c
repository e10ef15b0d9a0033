/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_nftset.c - the other pure parts of plugins/nftset: endpoints that are
 * shared, what replies and notifications say.
 */
/* LINK: plugins/nftset/endpoint.c */
/* LINK: plugins/nftset/monitor.c common/netlink */
/* LIBS: -lmnl */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

#include "../../plugins/nftset/endpoint.h"
#include "../../plugins/nftset/monitor.h"

static uint64_t seed = 88172645463325252ull;

static uint32_t any(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* ------------------------------------------------------------- endpoints */

#define ENDS  6
#define FLOWS 10

/* A flow is at one endpoint, seen or not, a member so many times. */
struct flow {
	uint8_t end;
	bool seen;
	unsigned members;
	enum fg_way way; /* of its members, as they were told */
};

static const uint8_t *key_of(uint8_t end)
{
	static uint8_t keys[ENDS][4];

	keys[end][0] = end;
	return keys[end];
}

static void endpoint_model(void **state)
{
	static struct flow flows[FLOWS];
	struct fg_endpoints *e;
	struct fg_endpoint_counts counts;

	(void)state;
	assert_int_equal(fg_endpoints_new(&e, FLOWS, 4, 1), 0);
	for (int step = 0; step < 200000; step++) {
		struct flow *f = &flows[any(FLOWS)];
		uint64_t id = (uint64_t)(f - flows);

		switch (any(5)) {
		case 0:
			if (!f->seen && !f->members)
				f->end = (uint8_t)any(ENDS);
			f->seen = !f->seen;
			fg_endpoint_flow(e, key_of(f->end), f->seen);
			break;
		case 1:
			/* seen first, or a member first: both happen */
			f->way = fg_endpoint_join(e, key_of(f->end), id);
			f->members++;
			break;
		case 2:
		case 3:
			if (!f->members)
				break;
			f->members--;
			/* it is told the way that it went */
			assert_int_equal(
				fg_endpoint_part(e, key_of(f->end), id),
				f->way);
			break;
		default:
			if (any(4))
				break;
			for (int i = 0; i < FLOWS; i++) {
				enum fg_way is, should;

				if (!flows[i].members)
					continue;
				fg_endpoint_ways(e, key_of(flows[i].end), &is,
						 &should);
				assert_int_equal(is, flows[i].way);
				flows[i].way = should;
			}
			fg_endpoints_moved(e);
			assert_false(fg_endpoints_pending(e));
		}
		if (fg_endpoints_pending(e))
			continue;
		/* nothing is to be moved: then all go the way they should */
		for (int end = 0; end < ENDS; end++) {
			int seen = 0, members = 0;

			for (int i = 0; i < FLOWS; i++) {
				if (flows[i].end != end)
					continue;
				seen += flows[i].seen;
				members += flows[i].members > 0;
			}
			for (int i = 0; i < FLOWS; i++)
				if (flows[i].end == end && flows[i].members)
					assert_int_equal(
						flows[i].way,
						seen > members
							? FG_WAY_INSTEAD
							: FG_WAY_ELEMENT);
		}
	}
	for (int i = 0; i < FLOWS; i++) {
		while (flows[i].members && flows[i].members--)
			fg_endpoint_part(e, key_of(flows[i].end), (uint64_t)i);
		if (flows[i].seen)
			fg_endpoint_flow(e, key_of(flows[i].end), false);
	}
	fg_endpoints_moved(e);
	fg_endpoints_counts(e, &counts);
	assert_int_equal(counts.endpoints, 0);
	assert_int_equal(counts.shared, 0);
	assert_true(counts.moves > 100);
	fg_endpoints_free(e);
}

/* Without room to count, nobody can say that an endpoint is not shared. */
static void endpoint_full(void **state)
{
	struct fg_endpoints *e;

	(void)state;
	assert_int_equal(fg_endpoints_new(&e, 1, 4, 1), 0);
	assert_int_equal(fg_endpoint_join(e, key_of(0), 1), FG_WAY_ELEMENT);
	assert_int_equal(fg_endpoint_join(e, key_of(1), 2), FG_WAY_INSTEAD);
	assert_int_equal(fg_endpoint_part(e, key_of(1), 2), FG_WAY_INSTEAD);
	assert_int_equal(fg_endpoint_part(e, key_of(0), 1), FG_WAY_ELEMENT);
	assert_int_equal(fg_endpoint_join(e, key_of(1), 2), FG_WAY_ELEMENT);
	fg_endpoints_free(e);
}

/* --------------------------------------------------------------- replies */

struct reply {
	_Alignas(struct nlmsghdr) uint8_t buf[1024];
	size_t len;
};

/* An error with an offset, with the failed message in it or capped. */
static void put_error(struct reply *r, uint32_t seq, int error, uint32_t offset,
		      bool capped)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(r->buf + r->len);
	struct nlmsgerr *e;

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_flags = NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0);
	e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));
	e->error = error;
	e->msg.nlmsg_len = sizeof(e->msg) + 30;
	if (!capped)
		mnl_nlmsg_put_extra_header(nlh, 30);
	if (offset)
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, offset);
	r->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

static void reads_replies(void **state)
{
	struct reply r = {.len = 0};
	struct fg_nl_result result = {0};

	(void)state;
	put_error(&r, 10, -EINVAL, 44, true);
	put_error(&r, 9, -EPERM, 0, true); /* an old answer */
	put_error(&r, 12, -ENOENT, 88, false);
	put_error(&r, 11, 0, 0, true);
	put_error(&r, 14, -EPERM, 0, true); /* not asked yet */
	put_error(&r, 13, INT32_MIN, 0, true);
	assert_int_equal(fg_nl_reply(r.buf, r.len, 10, 4, &result), 4);
	assert_int_equal(result.errors, 3);
	assert_int_equal(result.acks, 1);
	assert_int_equal(result.error[0].error, EINVAL);
	assert_int_equal(result.error[0].offset, 44);
	assert_int_equal(result.error[1].seq, 12);
	assert_int_equal(result.error[1].error, ENOENT);
	assert_int_equal(result.error[1].offset, 88);
	assert_int_equal(result.error[2].error, EPROTO);
	/* more than are kept are counted all the same */
	for (int i = 0; i < FG_NL_ERRORS_MAX; i++)
		fg_nl_reply(r.buf, r.len, 10, 4, &result);
	assert_int_equal(result.errors, 3 + 3 * FG_NL_ERRORS_MAX);
	/* cut anywhere: never beyond the end */
	for (size_t n = 0; n < r.len; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, r.buf, n);
		fg_nl_reply(copy, n, 0, UINT32_MAX, &result);
		free(copy);
	}
}

/* --------------------------------------------------------- notifications */

static void put_event(struct reply *r, uint16_t type, const char *table,
		      const char *set, const char *key)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(r->buf + r->len);
	struct nfgenmsg *nfg;
	struct nlattr *list, *element, *nest;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, table);
	if (set)
		mnl_attr_put_strz(nlh, NFTA_SET_NAME, set);
	if (key) {
		list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
		nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
		mnl_attr_put(nlh, NFTA_DATA_VALUE, strlen(key), key);
		mnl_attr_nest_end(nlh, nest);
		mnl_attr_nest_end(nlh, element);
		mnl_attr_nest_end(nlh, list);
	}
	r->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

struct seen {
	int count;
	struct {
		enum fg_monitor_kind kind;
		char table[16], set[16], key[16];
	} event[8];
};

static void see(void *ctx, const struct fg_monitor_event *e)
{
	struct seen *s = ctx;

	assert_int_equal(e->family, NFPROTO_INET);
	assert_true(s->count < 8);
	s->event[s->count].kind = e->kind;
	strncpy(s->event[s->count].table, e->table, 15);
	strncpy(s->event[s->count].set, e->set ? e->set : "-", 15);
	if (e->key)
		memcpy(s->event[s->count].key, e->key, e->key_len);
	s->count++;
}

static void reads_notifications(void **state)
{
	struct reply r = {.len = 0};
	struct seen s = {0};

	(void)state;
	put_event(&r, NFT_MSG_NEWTABLE, "t", NULL, NULL);
	put_event(&r, NFT_MSG_DELSET, "t", "s", NULL);
	put_event(&r, NFT_MSG_DELSETELEM, "t", "s", "abcd");
	put_event(&r, NFT_MSG_NEWSETELEM, "t", "s", "abcd"); /* no matter */
	put_event(&r, NFT_MSG_NEWRULE, "t", "c", NULL);
	put_event(&r, NFT_MSG_DELSETELEM, "t", "s", NULL); /* nothing in it */
	put_event(&r, NFT_MSG_DELSET, "t", NULL, NULL);	   /* no name */
	fg_monitor_parse(r.buf, r.len, see, &s);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.event[0].kind, FG_MONITOR_TABLE);
	assert_string_equal(s.event[0].set, "-");
	assert_int_equal(s.event[1].kind, FG_MONITOR_SET);
	assert_string_equal(s.event[1].set, "s");
	assert_int_equal(s.event[2].kind, FG_MONITOR_REMOVED);
	assert_string_equal(s.event[2].table, "t");
	assert_string_equal(s.event[2].key, "abcd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoint_model),
		cmocka_unit_test(endpoint_full),
		cmocka_unit_test(reads_replies),
		cmocka_unit_test(reads_notifications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
