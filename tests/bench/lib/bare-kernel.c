/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bare-kernel.c - NFT_MSG_NEWSETELEM, DELSETELEM and GETSETELEM by libmnl. */
#include "bare-kernel.h"

#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

#define BUFFER (1 << 20)
#define TTL_MS 900000

struct bare {
	struct mnl_socket *nl;
	uint32_t seq;
	char buf[BUFFER];
};

struct bare *bare_open(void)
{
	struct bare *b = calloc(1, sizeof(*b));
	int size = 4 << 20;

	if (!b)
		err(1, NULL);
	b->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!b->nl || mnl_socket_bind(b->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink");
	setsockopt(mnl_socket_get_fd(b->nl), SOL_SOCKET, SO_SNDBUFFORCE, &size,
		   sizeof(size));
	return b;
}

static struct nlmsghdr *header(struct bare *b, size_t at, uint16_t type,
			       uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(b->buf + at);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++b->seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(res_id);
	return nlh;
}

static size_t bracket(struct bare *b, size_t at, uint16_t type)
{
	return at + header(b, at, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)
			    ->nlmsg_len;
}

static void put_key(struct nlmsghdr *nlh, const struct keys *k, size_t i)
{
	struct nlattr *key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, k->len, k->key[i]);
	mnl_attr_nest_end(nlh, key);
}

static size_t elements(struct bare *b, size_t at, const char *set,
		       const struct keys *k, size_t first, size_t count,
		       bool add)
{
	uint16_t type = add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
	struct nlmsghdr *nlh;
	struct nlattr *list;

	nlh = header(b, at, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
		     add ? NLM_F_CREATE : 0, NFPROTO_INET, 0);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, BARE_TABLE);
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = first; i < first + count; i++) {
		struct nlattr *e = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);

		if (add)
			mnl_attr_put_u64(nlh, NFTA_SET_ELEM_TIMEOUT,
					 htobe64(TTL_MS));
		put_key(nlh, k, i);
		mnl_attr_nest_end(nlh, e);
	}
	mnl_attr_nest_end(nlh, list);
	return at + nlh->nlmsg_len;
}

/* No answer to a request without NLM_F_ACK: it was done. */
static void refused(struct bare *b)
{
	ssize_t n = recv(mnl_socket_get_fd(b->nl), b->buf, sizeof(b->buf),
			 MSG_DONTWAIT);
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)b->buf;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < (ssize_t)sizeof(*nlh) || nlh->nlmsg_type != NLMSG_ERROR)
		errx(1, "netlink: no sense in the answer");
	errno = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
	err(1, "the kernel refuses");
}

void bare_commit(struct bare *b, const char *set, const struct keys *k,
		 size_t first, size_t count, size_t batch, bool add)
{
	for (size_t end = first + count; first < end; first += batch) {
		size_t n = end - first < batch ? end - first : batch, at;

		at = bracket(b, 0, NFNL_MSG_BATCH_BEGIN);
		at = elements(b, at, set, k, first, n, add);
		at = bracket(b, at, NFNL_MSG_BATCH_END);
		if (mnl_socket_sendto(b->nl, b->buf, at) < 0)
			err(1, "netlink");
		refused(b);
	}
}

bool bare_has(struct bare *b, const char *set, const struct keys *k, size_t i)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)b->buf;
	struct nlmsghdr *ask =
		header(b, 0, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, 0,
		       NFPROTO_INET, 0);
	struct nlattr *list, *e;
	ssize_t n;

	mnl_attr_put_strz(ask, NFTA_SET_ELEM_LIST_SET, set);
	mnl_attr_put_strz(ask, NFTA_SET_ELEM_LIST_TABLE, BARE_TABLE);
	list = mnl_attr_nest_start(ask, NFTA_SET_ELEM_LIST_ELEMENTS);
	e = mnl_attr_nest_start(ask, NFTA_LIST_ELEM);
	put_key(ask, k, i);
	mnl_attr_nest_end(ask, e);
	mnl_attr_nest_end(ask, list);
	if (mnl_socket_sendto(b->nl, ask, ask->nlmsg_len) < 0)
		err(1, "netlink");
	n = mnl_socket_recvfrom(b->nl, b->buf, sizeof(b->buf));
	if (n < 0)
		err(1, "netlink");
	return nlh->nlmsg_type != NLMSG_ERROR;
}
