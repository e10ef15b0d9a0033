/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reply.c - reads NLMSG_ERROR messages with their extended ACK. */
#include <errno.h>
#include <string.h>
#include <linux/netlink.h>

#include "reply.h"

/* Above the errno values are those of ipset, from 4096 to some 4500. */
#define ERROR_MAX 65535

/* NLMSGERR_ATTR_OFFS of the attributes behind the error, or 0. */
static uint32_t extack_offset(const uint8_t *p, size_t len)
{
	struct nlattr attr;
	uint32_t offset;
	size_t step;

	while (len >= sizeof(attr)) {
		memcpy(&attr, p, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > len)
			return 0;
		if ((attr.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_OFFS &&
		    attr.nla_len >= sizeof(attr) + sizeof(offset)) {
			memcpy(&offset, p + sizeof(attr), sizeof(offset));
			return offset;
		}
		step = (size_t)NLA_ALIGN(attr.nla_len);
		if (step >= len)
			return 0;
		p += step;
		len -= step;
	}
	return 0;
}

static void read_error(const uint8_t *p, size_t len, uint16_t flags,
		       uint32_t seq, struct fg_nl_result *result)
{
	struct nlmsgerr err;
	size_t skip = sizeof(err);

	memcpy(&err, p, sizeof(err));
	if (err.error == 0) {
		result->acks++;
		return;
	}
	/* without NLM_F_CAPPED the whole failed message is repeated */
	if (!(flags & NLM_F_CAPPED) && err.msg.nlmsg_len > sizeof(err.msg))
		skip += NLMSG_ALIGN((size_t)err.msg.nlmsg_len -
				    sizeof(err.msg));
	if (result->errors < FG_NL_ERRORS_MAX)
		result->error[result->errors] = (struct fg_nl_error){
			.seq = seq,
			/* INT_MIN has no positive counterpart */
			.error = err.error < 0 && err.error >= -ERROR_MAX
					 ? -err.error
					 : EPROTO,
			.offset = flags & NLM_F_ACK_TLVS && skip < len
					  ? extack_offset(p + skip, len - skip)
					  : 0,
		};
	result->errors++;
}

const struct nlmsghdr *fg_nl_message(const void *buf, size_t len, size_t *at)
{
	const struct nlmsghdr *nlh = (const void *)((const uint8_t *)buf + *at);
	size_t left = *at < len ? len - *at : 0;

	if (left < sizeof(*nlh) || nlh->nlmsg_len < sizeof(*nlh) ||
	    nlh->nlmsg_len > left)
		return NULL;
	/* the last one need not be padded */
	*at += NLMSG_ALIGN((size_t)nlh->nlmsg_len);
	return nlh;
}

uint32_t fg_nl_reply(const void *buf, size_t len, uint32_t first,
		     uint32_t count, struct fg_nl_result *result)
{
	const struct nlmsghdr *nlh;
	size_t at = 0;
	uint32_t n = 0;

	while ((nlh = fg_nl_message(buf, len, &at))) {
		if (nlh->nlmsg_seq - first >= count)
			continue;
		n++;
		if (nlh->nlmsg_type == NLMSG_ERROR &&
		    nlh->nlmsg_len >= sizeof(*nlh) + sizeof(struct nlmsgerr))
			read_error((const uint8_t *)(nlh + 1),
				   nlh->nlmsg_len - sizeof(*nlh),
				   nlh->nlmsg_flags, nlh->nlmsg_seq, result);
	}
	return n;
}
