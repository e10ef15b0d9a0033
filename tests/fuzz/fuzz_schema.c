/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/netlink/reply.c plugins/nftset/schema.c plugins/nftset/sentence.c plugins/nftset/type.c */
/* LINK: plugins/nftset/element.c common/lease/key.c */
/* LIBS: -lnftnl -lmnl */
/*
 * fuzz_schema.c - any bytes as what the kernel says of a set that was asked
 * for, and of an element of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>

#include "../../plugins/nftset/element.h"
#include "../../plugins/nftset/schema.h"
#include "netlink/reply.h"
#include "netlink/socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

/* In place of the socket: what is left of the input. */
struct fg_nl {
	uint8_t *buf;
	size_t len;
	size_t at;
};

int fg_nl_request(struct fg_nl *nl, struct nlmsghdr *msg,
		  int (*each)(void *ctx, const struct nlmsghdr *nlh), void *ctx)
{
	const struct nlmsghdr *nlh;
	int ret = 0;

	(void)msg;
	/* up to an error, as the real one; then it is another's answer */
	while ((nlh = fg_nl_message(nl->buf, nl->len, &nl->at)) != NULL) {
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return -ENOENT;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return ret;
		if (each && ret >= 0)
			ret = each(ctx, nlh);
	}
	return ret;
}

static void schema(struct fg_nl *nl, unsigned what)
{
	static const uint8_t fields[] = {FG_KEY_OTHER_ADDR, FG_KEY_OTHER_PORT};
	struct fg_schema want = {.family = NFPROTO_INET,
				 .table = "t",
				 .set = "s",
				 .map = what & 2 ? FG_MAP_MARK : FG_MAP_NONE,
				 .ttl_ms = what & 4 ? 1000 : 0};
	struct fg_schema_found found;
	char why[FG_SCHEMA_WHY] = "";
	int ret;

	CHECK(fg_key_shape(&want.shape, fields, 1 + (what & 1), 4) == 0);
	ret = fg_schema_check(nl, &want, &found, why);
	CHECK(memchr(why, '\0', sizeof(why)));
	/* what is wrong is said */
	CHECK(ret <= 0 && (ret == 0) == (why[0] == '\0'));
}

static void element(struct fg_nl *nl)
{
	static const uint8_t key[FG_KEY_SIZE_MAX];
	static const uint8_t fields[] = {FG_KEY_OTHER_ADDR};
	struct fg_schema s = {.family = NFPROTO_INET, .table = "t", .set = "s"};
	struct fg_element e;

	CHECK(fg_key_shape(&s.shape, fields, 1, 4) == 0);
	fg_element_get(nl, &s, key, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_nl nl = {0};

	if (size < 1)
		return 0;
	/* aligned as a message, and exactly as long */
	nl.len = size - 1;
	nl.buf = malloc(nl.len ? nl.len : 1);
	CHECK(nl.buf);
	memcpy(nl.buf, data + 1, nl.len);
	if (data[0] & 1)
		element(&nl);
	else
		schema(&nl, data[0] / 2);
	free(nl.buf);
	return 0;
}
