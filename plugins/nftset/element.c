/* SPDX-License-Identifier: GPL-2.0-or-later */
/* element.c - NFT_MSG_GETSETELEM of one key. */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

#include "element.h"

static void read_counter(const struct nlattr *expr, struct fg_element *out)
{
	const struct nlattr *attr, *value;

	mnl_attr_for_each_nested (attr, expr) {
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 &&
		    strcmp(mnl_attr_get_str(attr), "counter") != 0)
			return;
		if (mnl_attr_get_type(attr) != NFTA_EXPR_DATA)
			continue;
		out->counted = true;
		mnl_attr_for_each_nested (value, attr) {
			if (mnl_attr_validate(value, MNL_TYPE_U64) < 0)
				continue;
			if (mnl_attr_get_type(value) == NFTA_COUNTER_BYTES)
				out->bytes = be64toh(mnl_attr_get_u64(value));
			if (mnl_attr_get_type(value) == NFTA_COUNTER_PACKETS)
				out->packets = be64toh(mnl_attr_get_u64(value));
		}
	}
}

static void read_data(const struct nlattr *data, struct fg_element *out)
{
	const struct nlattr *attr, *code;

	mnl_attr_for_each_nested (attr, data) {
		if (mnl_attr_get_type(attr) == NFTA_DATA_VALUE &&
		    mnl_attr_get_payload_len(attr) >= sizeof(out->data))
			out->data = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) != NFTA_DATA_VERDICT)
			continue;
		mnl_attr_for_each_nested (code, attr)
			if (mnl_attr_get_type(code) == NFTA_VERDICT_CODE &&
			    mnl_attr_validate(code, MNL_TYPE_U32) == 0)
				out->data = ntohl(mnl_attr_get_u32(code));
	}
}

static void read_element(const struct nlattr *element, struct fg_element *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, element) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_TIMEOUT:
			if (mnl_attr_validate(attr, MNL_TYPE_U64) == 0)
				out->timeout_ms =
					be64toh(mnl_attr_get_u64(attr));
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			if (mnl_attr_validate(attr, MNL_TYPE_U64) == 0)
				out->left_ms = be64toh(mnl_attr_get_u64(attr));
			break;
		case NFTA_SET_ELEM_DATA:
			read_data(attr, out);
			break;
		case NFTA_SET_ELEM_EXPR:
			read_counter(attr, out);
			break;
		}
	}
}

static int read_answer(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *element;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested (element, attr)
			read_element(element, ctx);
	}
	return 0;
}

int fg_element_get(struct fg_nl *nl, const struct fg_schema *schema,
		   const uint8_t *key, struct fg_element *out)
{
	_Alignas(struct nlmsghdr) char buf[1024] = {0}; /* padding is sent */
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlattr *list, *element, *nest;
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = schema->family;
	nfg->version = NFNETLINK_V0;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, schema->set);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, schema->table);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, schema->shape.len, key);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, element);
	mnl_attr_nest_end(nlh, list);
	*out = (struct fg_element){0};
	return fg_nl_request(nl, nlh, read_answer, out);
}
