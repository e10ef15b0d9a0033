/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor.c - reads nftables notifications. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

#include "monitor.h"

static const char *text_of(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0
		       ? NULL
		       : mnl_attr_get_str(attr);
}

static void read_element(const struct nlattr *element,
			 struct fg_monitor_event *e)
{
	const struct nlattr *attr, *value;

	mnl_attr_for_each_nested (attr, element) {
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_KEY)
			continue;
		mnl_attr_for_each_nested (value, attr) {
			if (mnl_attr_get_type(value) != NFTA_DATA_VALUE)
				continue;
			e->key = mnl_attr_get_payload(value);
			e->key_len = mnl_attr_get_payload_len(value);
		}
	}
}

/* The attributes of table and set are 1 and 2 in all of these messages. */
_Static_assert((int)NFTA_TABLE_NAME == (int)NFTA_SET_TABLE &&
		       (int)NFTA_SET_TABLE == (int)NFTA_SET_ELEM_LIST_TABLE &&
		       (int)NFTA_SET_NAME == (int)NFTA_SET_ELEM_LIST_SET,
	       "one place for names");

static void read_message(const struct nlmsghdr *nlh, enum fg_monitor_kind kind,
			 void (*event)(void *ctx,
				       const struct fg_monitor_event *event),
			 void *ctx)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct fg_monitor_event e = {.kind = kind, .family = nfg->nfgen_family};
	const struct nlattr *attr, *list = NULL, *element;

	mnl_attr_for_each (attr, nlh, sizeof(*nfg)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == NFTA_SET_TABLE)
			e.table = text_of(attr);
		else if (type == NFTA_SET_NAME && kind != FG_MONITOR_TABLE)
			e.set = text_of(attr);
		else if (type == NFTA_SET_ELEM_LIST_ELEMENTS &&
			 kind == FG_MONITOR_REMOVED)
			list = attr;
	}
	if (!e.table || (!e.set && kind != FG_MONITOR_TABLE))
		return;
	if (kind != FG_MONITOR_REMOVED) {
		event(ctx, &e);
		return;
	}
	if (!list)
		return;
	mnl_attr_for_each_nested (element, list) {
		e.key = NULL;
		read_element(element, &e);
		if (e.key)
			event(ctx, &e);
	}
}

void fg_monitor_parse(const void *buf, size_t len,
		      void (*event)(void *ctx,
				    const struct fg_monitor_event *event),
		      void *ctx)
{
	const struct nlmsghdr *nlh;
	size_t at = 0;

	while ((nlh = fg_nl_message(buf, len, &at))) {
		enum fg_monitor_kind kind;

		if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)) ||
		    nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
			continue;
		switch (nlh->nlmsg_type & 0xff) {
		case NFT_MSG_NEWTABLE:
		case NFT_MSG_DELTABLE:
			kind = FG_MONITOR_TABLE;
			break;
		case NFT_MSG_NEWSET:
		case NFT_MSG_DELSET:
			kind = FG_MONITOR_SET;
			break;
		case NFT_MSG_DELSETELEM:
			kind = FG_MONITOR_REMOVED;
			break;
		default:
			continue;
		}
		read_message(nlh, kind, event, ctx);
	}
}

int fg_monitor_listen(struct fg_nl *nl, uint32_t portid)
{
	/*
	 * The kernel packs the notifications of one transaction together: they
	 * all have the sender's address, which is at byte 12 of the first. A
	 * filter reads it as if it were in network order.
	 */
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 12),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, htonl(0xffffff00)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid & 0xffffff00),
			 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};

	return fg_nl_listen(nl, NFNLGRP_NFTABLES, filter,
			    sizeof(filter) / sizeof(*filter));
}
