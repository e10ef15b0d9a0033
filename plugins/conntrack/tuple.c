/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tuple.c - what a connection is found by in the kernel's table, from a flow.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "tuple.h"

_Static_assert(sizeof(struct fg_tuple) == 40, "compared as bytes: no padding");

#define IPPROTO_DCCP_	 33 /* not in every libc */
#define IPPROTO_UDPLITE_ 136

bool fg_tuple_has_ports(const struct fg_tuple *t)
{
	switch (t->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP_:
	case IPPROTO_UDPLITE_:
	case IPPROTO_GRE: /* its keys travel in the attributes of ports */
		return true;
	default:
		return false;
	}
}

struct fg_tuple fg_tuple_reverse(const struct fg_tuple *t)
{
	struct fg_tuple r = *t;

	memcpy(r.src, t->dst, sizeof(r.src));
	memcpy(r.dst, t->src, sizeof(r.dst));
	r.sport = t->dport;
	r.dport = t->sport;
	r.reply = !t->reply;
	return r;
}

/* The reply direction, word for word as the agent had it from the kernel. */
static bool told(struct fg_tuple *out, const struct fg_flow *flow,
		 const struct fg_host *host)
{
	union fg_value src, dst, sport, dport;

	if (!host || !host->flow_get ||
	    !host->flow_get(host, flow, FG_ATTR_REPLY_SRC_IP, &src) ||
	    !host->flow_get(host, flow, FG_ATTR_REPLY_DST_IP, &dst) ||
	    !host->flow_get(host, flow, FG_ATTR_REPLY_SRC_PORT, &sport) ||
	    !host->flow_get(host, flow, FG_ATTR_REPLY_DST_PORT, &dport) ||
	    sport.u > UINT16_MAX || dport.u > UINT16_MAX)
		return false;
	memcpy(out->src, src.addr, sizeof(out->src));
	memcpy(out->dst, dst.addr, sizeof(out->dst));
	out->sport = (uint16_t)sport.u;
	out->dport = (uint16_t)dport.u;
	out->reply = 1;
	return true;
}

int fg_tuple_of(struct fg_tuple *out, const struct fg_flow *flow,
		const struct fg_host *host)
{
	bool local_first = !(flow->flags & FG_FLOW_HAS_ORIGIN) ||
			   flow->flags & FG_FLOW_LOCAL_ORIGIN;

	if (flow->ip_version != 4 && flow->ip_version != 6)
		return -EAFNOSUPPORT;
	if (!flow->ip_protocol || flow->ip_protocol == IPPROTO_ICMP ||
	    flow->ip_protocol == IPPROTO_ICMPV6)
		return -EPROTONOSUPPORT;
	memset(out, 0, sizeof(*out));
	out->version = flow->ip_version;
	out->protocol = flow->ip_protocol;
	if (told(out, flow, host))
		return 0;
	memcpy(out->src, flow->local_addr, sizeof(out->src));
	memcpy(out->dst, flow->other_addr, sizeof(out->dst));
	out->sport = flow->local_port;
	out->dport = flow->other_port;
	if (!local_first) {
		*out = fg_tuple_reverse(out);
		out->reply = 0;
	}
	/* on the WAN side of a source NAT only the answers look as they are */
	if (!(flow->flags & FG_FLOW_INTERNAL) && local_first)
		*out = fg_tuple_reverse(out);
	return 0;
}

const char *fg_tuple_format(const struct fg_tuple *t, char text[FG_TUPLE_TEXT])
{
	char src[FG_ADDR_TEXT], dst[FG_ADDR_TEXT];
	const char *s = t->reply ? "-r" : "-s", *d = t->reply ? "-q" : "-d";

	fg_addr_format(t->version, t->src, src);
	fg_addr_format(t->version, t->dst, dst);
	if (!fg_tuple_has_ports(t))
		snprintf(text, FG_TUPLE_TEXT, "-p %u %s %s %s %s", t->protocol,
			 s, src, d, dst);
	else if (t->reply)
		snprintf(text, FG_TUPLE_TEXT,
			 "-p %u %s %s %s %s --reply-port-src %u "
			 "--reply-port-dst %u",
			 t->protocol, s, src, d, dst, t->sport, t->dport);
	else
		snprintf(text, FG_TUPLE_TEXT,
			 "-p %u %s %s %s %s --sport %u --dport %u", t->protocol,
			 s, src, d, dst, t->sport, t->dport);
	return text;
}
