/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.c - some small transactions and a question. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

#include "probe.h"
#include "schema.h"

/* Of an element that is to be renewed from the one to the other. */
#define SHORT_MS 60000ull
#define LONG_MS	 3600000ull

struct probe {
	struct fg_nl *nl;
	struct fg_schema schema;
	char table[32];
	char *p;
	uint32_t first;
	uint32_t seq;
	_Alignas(struct nlmsghdr) char buf[FG_SCHEMA_BYTES];
	char reply[8192];
};

static struct nlmsghdr *put(struct probe *p, uint16_t type, uint16_t flags,
			    uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(p->p);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = p->seq++;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htobe16(res_id);
	return nlh;
}

static void next(struct probe *p, const struct nlmsghdr *nlh)
{
	p->p += MNL_ALIGN(nlh->nlmsg_len);
}

static void batch_begin(struct probe *p)
{
	p->p = p->buf;
	p->first = p->seq = fg_nl_sequence(p->nl, 8);
	next(p,
	     put(p, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

/* Sends it; 0 or the first error. */
static int batch_end(struct probe *p)
{
	struct fg_nl_result r;

	next(p, put(p, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	fg_nl_transact(p->nl, p->buf, (size_t)(p->p - p->buf), p->first,
		       p->seq - p->first, p->reply, sizeof(p->reply), &r);
	if (r.sent)
		return r.sent;
	if (r.errors)
		return -r.error[0].error;
	return r.received;
}

static void put_element(struct probe *p, uint16_t type, uint16_t flags,
			uint64_t timeout)
{
	static const uint8_t key[4] = {192, 0, 2, 1};
	struct nlmsghdr *nlh;
	struct nlattr *list, *element, *nest;

	nlh = put(p, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags,
		  NFPROTO_IPV4, 0);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, p->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, p->schema.set);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	if (timeout) {
		mnl_attr_put_u64(nlh, NFTA_SET_ELEM_TIMEOUT, htobe64(timeout));
		mnl_attr_put_u64(nlh, NFTA_SET_ELEM_EXPIRATION,
				 htobe64(timeout));
	}
	nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, sizeof(key), key);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, element);
	mnl_attr_nest_end(nlh, list);
	next(p, nlh);
}

static int one_element(struct probe *p, uint16_t type, uint64_t timeout)
{
	batch_begin(p);
	put_element(p, type, timeout ? NLM_F_CREATE : 0, timeout);
	return batch_end(p);
}

/* The element's remaining time out of the answer to a question. */
static int read_expiration(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *list, *element, *attr;
	uint64_t *ms = ctx;

	mnl_attr_for_each (list, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested (element, list)
			mnl_attr_for_each_nested (attr, element)
				if (mnl_attr_get_type(attr) ==
				    NFTA_SET_ELEM_EXPIRATION)
					*ms = be64toh(mnl_attr_get_u64(attr));
	}
	return 0;
}

static int get_expiration(struct probe *p, uint64_t *ms)
{
	p->p = p->buf;
	put_element(p, NFT_MSG_GETSETELEM, 0, 0);
	return fg_nl_request(p->nl, (struct nlmsghdr *)p->buf, read_expiration,
			     ms);
}

/* The table alone; flags 0: none. */
static void one_table(struct probe *p, uint16_t type, uint32_t flags)
{
	struct nlmsghdr *nlh;

	batch_begin(p);
	nlh = put(p, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
		  flags ? NLM_F_CREATE : 0, NFPROTO_IPV4, 0);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, p->table);
	if (flags)
		mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htobe32(flags));
	next(p, nlh);
	batch_end(p);
}

int fg_probe(struct fg_nl *nl, struct fg_caps *out)
{
	static const uint8_t field[] = {FG_KEY_OTHER_ADDR};
	const char *without = getenv("FLOWGATE_WITHOUT");
	struct probe *p = calloc(1, sizeof(*p));
	uint32_t count = 0;
	uint64_t left = 0;
	size_t len;
	int err;

	*out = (struct fg_caps){0};
	if (!p)
		return -ENOMEM;
	p->nl = nl;
	snprintf(p->table, sizeof(p->table), "flowgate-probe-%d", getpid());
	p->schema = (struct fg_schema){.family = NFPROTO_IPV4,
				       .table = p->table,
				       .set = "probe",
				       .ttl_ms = LONG_MS};
	fg_key_shape(&p->schema.shape, field, 1, 4);
	/* killed, we leave none behind: it goes with our socket (Linux 5.12) */
	one_table(p, NFT_MSG_NEWTABLE, 2 /* NFT_TABLE_F_OWNER */);
	p->first = fg_nl_sequence(nl, 8);
	len = fg_schema_create(&p->schema, p->first, &count, p->buf);
	err = -ENOMEM;
	if (len) {
		struct fg_nl_result r;

		fg_nl_transact(nl, p->buf, len, p->first, count, p->reply,
			       sizeof(p->reply), &r);
		err = r.sent ? r.sent : r.errors ? -r.error[0].error : 0;
	}
	if (err)
		goto out;
	out->destroy = one_element(p, 30 /* DESTROYSETELEM */, 0) == 0;
	err = one_element(p, NFT_MSG_NEWSETELEM, SHORT_MS);
	if (!err && !one_element(p, NFT_MSG_NEWSETELEM, LONG_MS) &&
	    !get_expiration(p, &left))
		out->update = left > SHORT_MS;
	if (without && strstr(without, "destroy"))
		out->destroy = false;
	if (without && strstr(without, "update"))
		out->update = false;
out:
	one_table(p, NFT_MSG_DELTABLE, 0);
	free(p);
	return err;
}
