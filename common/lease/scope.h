/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scope.h - which members of a target get an element: seen on which side, with
 * what on the far side ("sides", "other_types"), and none on the never list.
 *
 * A connection that is masqueraded is two flows, of which only the one seen on
 * the LAN has the client's own address; and what is multicast or local is
 * hardly ever meant. Hence the defaults: "lan" and ["remote"].
 */
#ifndef FG_LEASE_SCOPE_H
#define FG_LEASE_SCOPE_H

#include "key.h"

enum fg_side { FG_SIDE_LAN, FG_SIDE_WAN, FG_SIDE_BOTH };

struct fg_scope {
	enum fg_side sides;
	uint32_t other_types; /* bits 1u << enum fg_other_type */
};

/* 0 or -EINVAL, said. */
int fg_scope_read(struct fg_scope *out, const struct fg_host *host,
		  const struct fg_node *cfg);

bool fg_scope_side(const struct fg_scope *s, const struct fg_flow *flow);
bool fg_scope_other_type(const struct fg_scope *s, const struct fg_flow *flow);

/*
 * No element has an address that is on the never list. Only of the local side
 * of a pair what is there by default does not count: the gateway's own address
 * is that of each of its connections. mirror: there is an element with the sides swapped, too.
 */
bool fg_scope_never(const struct fg_host *host, const struct fg_flow *flow,
		    const struct fg_key_shape *shape, bool mirror);

/*
 * The same of a key that nobody holds any more. Where it does not tell which side
 * is the far one, either may be.
 */
bool fg_scope_never_key(const struct fg_host *host,
			const struct fg_key_shape *shape, bool mirror,
			const uint8_t *key);

#endif
