/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.c - the ctnetlink messages that change or delete one entry. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "message.h"

static void put_tuple(struct nlmsghdr *nlh, const struct fg_tuple *t)
{
	bool v6 = t->version == 6;
	size_t len = v6 ? 16 : 4;
	struct nlattr *tuple, *part;

	tuple = mnl_attr_nest_start(nlh, t->reply ? CTA_TUPLE_REPLY
						  : CTA_TUPLE_ORIG);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, len, t->src);
	mnl_attr_put(nlh, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, len, t->dst);
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, t->protocol);
	if (fg_tuple_has_ports(t)) {
		mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(t->sport));
		mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(t->dport));
	}
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, tuple);
}

static struct nlmsghdr *put_header(void *buf, uint32_t seq, uint16_t type,
				   const struct fg_tuple *t)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = t->version == 6 ? AF_INET6 : AF_INET;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = 0;
	put_tuple(nlh, t);
	return nlh;
}

size_t fg_ct_mark(void *buf, uint32_t seq, const struct fg_tuple *t,
		  uint32_t value, uint32_t mask)
{
	struct nlmsghdr *nlh = put_header(buf, seq, IPCTNL_MSG_CT_NEW, t);

	/* the kernel XORs the value in: bits outside the mask would flip */
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(value & mask));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	return nlh->nlmsg_len;
}

size_t fg_ct_labels(void *buf, uint32_t seq, const struct fg_tuple *t,
		    const struct fg_labels *value, const struct fg_labels *mask)
{
	struct nlmsghdr *nlh = put_header(buf, seq, IPCTNL_MSG_CT_NEW, t);
	struct fg_labels set;

	for (size_t i = 0; i < FG_LABEL_WORDS; i++)
		set.word[i] = value->word[i] & mask->word[i];
	mnl_attr_put(nlh, CTA_LABELS, sizeof(set), &set);
	mnl_attr_put(nlh, CTA_LABELS_MASK, sizeof(*mask), mask);
	return nlh->nlmsg_len;
}

size_t fg_ct_delete(void *buf, uint32_t seq, const struct fg_tuple *t,
		    const uint32_t *id)
{
	struct nlmsghdr *nlh = put_header(buf, seq, IPCTNL_MSG_CT_DELETE, t);

	if (id)
		mnl_attr_put_u32(nlh, CTA_ID, htonl(*id));
	return nlh->nlmsg_len;
}

size_t fg_ct_get(void *buf, uint32_t seq, const struct fg_tuple *t)
{
	return put_header(buf, seq, IPCTNL_MSG_CT_GET, t)->nlmsg_len;
}

static int take(const struct nlattr *attr, void *ctx)
{
	struct fg_ct_entry *e = ctx;
	uint16_t len = mnl_attr_get_payload_len(attr);
	uint32_t *to;

	switch (mnl_attr_get_type(attr)) {
	case CTA_ID:
		to = &e->id;
		break;
	case CTA_MARK:
		to = &e->mark;
		break;
	case CTA_STATUS:
		to = &e->status;
		break;
	case CTA_TIMEOUT:
		to = &e->timeout;
		break;
	case CTA_LABELS:
		if (len > sizeof(e->labels))
			len = sizeof(e->labels);
		memcpy(&e->labels, mnl_attr_get_payload(attr), len);
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
	if (len >= sizeof(*to))
		*to = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

int fg_ct_parse(const void *message, size_t len, struct fg_ct_entry *out)
{
	const struct nlmsghdr *nlh = message;

	memset(out, 0, sizeof(*out));
	if (len > INT32_MAX || !mnl_nlmsg_ok(nlh, (int)len) ||
	    nlh->nlmsg_type !=
		    (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return -EBADMSG;
	if (mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take, out) < 0)
		return -EBADMSG;
	return 0;
}
