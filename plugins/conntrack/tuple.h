/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tuple.h - what a connection is found by in the kernel's table, from a flow.
 *
 * The kernel finds an entry by the tuple of either of its directions. Which of
 * the two an agent saw depends on where it looked and on who translates:
 *
 *			seen on the LAN		seen on the WAN
 *	no NAT		original		original
 *	source NAT	original		reversed, it is the reply
 *	port forward	reversed, the reply	original
 *
 * so the likelier one is tried first, and its reverse when that is unknown.
 */
#ifndef FG_CONNTRACK_TUPLE_H
#define FG_CONNTRACK_TUPLE_H

#include <flowgate/plugin.h>

/* One direction. No padding: compared and hashed as bytes. */
struct fg_tuple {
	uint8_t src[16]; /* network order, IPv4 in the first four, rest zero */
	uint8_t dst[16];
	uint16_t sport; /* host order */
	uint16_t dport;
	uint8_t version;  /* 4, 6 */
	uint8_t protocol; /* IPPROTO_* */
	uint8_t reply;	  /* believed to be the reply direction */
	uint8_t zero;
};

/*
 * The likelier tuple of the flow. host is asked for conntrack.reply_*, which
 * settles it; NULL: do not ask. 0, -EAFNOSUPPORT when the agent gave no IP
 * version, -EPROTONOSUPPORT for protocols whose entries are found by more
 * than a stream tells (the id of an ICMP echo).
 */
int fg_tuple_of(struct fg_tuple *out, const struct fg_flow *flow,
		const struct fg_host *host);

struct fg_tuple fg_tuple_reverse(const struct fg_tuple *t);

/* Does the kernel tell connections of this protocol apart by ports? */
bool fg_tuple_has_ports(const struct fg_tuple *t);

/* Room for fg_tuple_format(), with its NUL. */
#define FG_TUPLE_TEXT 192

/* As options of conntrack(8), "-p 6 -s 10.0.0.2 -d ...". Returns text. */
const char *fg_tuple_format(const struct fg_tuple *t, char text[FG_TUPLE_TEXT]);

#endif
