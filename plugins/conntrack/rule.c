/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule.c - the rule that makes the kernel keep room for connection labels. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "netlink/socket.h"
#include "rule.h"

#define CHAIN	"labels"
#define COMMENT "flowgate: keeps room for connection labels"

#define TABLE_OWNER 0x2u /* NFT_TABLE_F_OWNER, younger than some headers */

/* begin, six objects, end; the rule, the largest, has 180 bytes */
#define MESSAGES_MAX 8
#define BATCH_SIZE   2048

struct fg_rule {
	struct fg_nl *nl;
	char table[32];
	uint32_t seq;
	uint32_t count;
	size_t len;
	struct fg_nl_result answer;
	_Alignas(struct nlmsghdr) char buf[BATCH_SIZE];
	_Alignas(struct nlmsghdr) char reply[8192];
};

static struct nlmsghdr *message(struct fg_rule *r, uint16_t type,
				uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(r->buf + r->len);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = r->seq + r->count++;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->version = NFNETLINK_V0;
	if (type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END)
		nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	else
		nfg->nfgen_family = NFPROTO_INET;
	return nlh;
}

static struct nlmsghdr *object(struct fg_rule *r, uint16_t type, uint16_t flags)
{
	return message(r, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags);
}

static void end(struct fg_rule *r, const struct nlmsghdr *nlh)
{
	r->len += MNL_ALIGN(nlh->nlmsg_len);
}

static void begin(struct fg_rule *r)
{
	r->seq = fg_nl_sequence(r->nl, MESSAGES_MAX);
	r->count = 0;
	r->len = 0;
	end(r, message(r, NFNL_MSG_BATCH_BEGIN, 0));
}

static void put_table(struct fg_rule *r, uint16_t type, uint32_t flags)
{
	/* a list of type, length, text, of which type 0 is a comment */
	static const char userdata[] = "\0\0" COMMENT;
	char data[sizeof(userdata)];
	bool add = type == NFT_MSG_NEWTABLE;
	struct nlmsghdr *nlh = object(r, type, add ? NLM_F_CREATE : 0);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, r->table);
	if (add) {
		memcpy(data, userdata, sizeof(data));
		data[1] = sizeof(COMMENT);
		mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(flags));
		mnl_attr_put(nlh, NFTA_TABLE_USERDATA, sizeof(data), data);
	}
	end(r, nlh);
}

static void put_chain(struct fg_rule *r)
{
	struct nlmsghdr *nlh = object(r, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, r->table);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, CHAIN);
	end(r, nlh);
}

/* ct label set 0 */
static void put_rule(struct fg_rule *r)
{
	static const uint8_t none[16];
	struct nlmsghdr *nlh =
		object(r, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	struct nlattr *list, *expr, *data, *value;

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, r->table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, CHAIN);
	list = mnl_attr_nest_start(nlh, NFTA_RULE_EXPRESSIONS);

	expr = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "immediate");
	data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	mnl_attr_put_u32(nlh, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_1));
	value = mnl_attr_nest_start(nlh, NFTA_IMMEDIATE_DATA);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, sizeof(none), none);
	mnl_attr_nest_end(nlh, value);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, expr);

	expr = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "ct");
	data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	mnl_attr_put_u32(nlh, NFTA_CT_KEY, htonl(NFT_CT_LABELS));
	mnl_attr_put_u32(nlh, NFTA_CT_SREG, htonl(NFT_REG_1));
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, expr);

	mnl_attr_nest_end(nlh, list);
	end(r, nlh);
}

static int commit(struct fg_rule *r)
{
	struct fg_nl_result *a = &r->answer;

	end(r, message(r, NFNL_MSG_BATCH_END, 0));
	fg_nl_transact(r->nl, r->buf, r->len, r->seq, r->count, r->reply,
		       sizeof(r->reply), a);
	if (a->sent)
		return a->sent;
	if (a->received)
		return a->received;
	return a->errors ? -a->error[0].error : 0;
}

static int load(struct fg_rule *r, uint32_t flags)
{
	begin(r);
	/* made, removed and made: whatever was there, it is new afterwards */
	put_table(r, NFT_MSG_NEWTABLE, flags);
	put_table(r, NFT_MSG_DELTABLE, flags);
	put_table(r, NFT_MSG_NEWTABLE, flags);
	put_chain(r);
	put_rule(r);
	return commit(r);
}

int fg_rule_load(struct fg_rule *r)
{
	int err = load(r, TABLE_OWNER);

	/* kernels before 5.12 know no owners */
	if (err == -EOPNOTSUPP || err == -EINVAL)
		err = load(r, 0);
	return err;
}

int fg_rule_new(struct fg_rule **out)
{
	struct fg_rule *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	err = fg_nl_open(&r->nl, 0);
	if (err)
		goto fail;
	snprintf(r->table, sizeof(r->table), "flowgate_labels_%u",
		 fg_nl_portid(r->nl));
	err = fg_rule_load(r);
	if (err)
		goto fail;
	*out = r;
	return 0;
fail:
	fg_nl_close(r->nl);
	free(r);
	return err;
}

void fg_rule_free(struct fg_rule *r)
{
	if (!r)
		return;
	begin(r);
	put_table(r, NFT_MSG_DELTABLE, 0);
	commit(r);
	fg_nl_close(r->nl);
	free(r);
}
