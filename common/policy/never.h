/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * never.h - addresses that no target may ever hold, whatever matches.
 *
 * Some are on it by themselves, each with a word: own (the gateway's
 * addresses), loopback, multicast, broadcast, unspecified, link-local. The list
 * of the configuration adds addresses, prefixes and @groups to them; "!WORD"
 * takes one off again, "!default" all of them.
 */
#ifndef FG_POLICY_NEVER_H
#define FG_POLICY_NEVER_H

#include "group.h"

struct fg_never;

/* list may be NULL. 0; -EINVAL, said; -ENOMEM. */
int fg_never_new(struct fg_never **out, struct fg_groups *groups,
		 const struct fg_node *list);
void fg_never_free(struct fg_never *n);

/* Replaces what was said of that IP version before. Not in the data path. */
void fg_never_own(struct fg_never *n, int version, const uint8_t (*addrs)[16],
		  size_t count);
bool fg_never_has(const struct fg_never *n, int version,
		  const uint8_t addr[16]);
/* By the configuration's list, rather than by itself. */
bool fg_never_listed(const struct fg_never *n, int version,
		     const uint8_t addr[16]);
/* Why: "127.0.0.0/8", "the gateway's own"; NULL: it is not. */
const char *fg_never_show(const struct fg_never *n, int version,
			  const uint8_t addr[16], char *out, size_t size);

#endif
