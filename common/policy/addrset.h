/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addrset.h - a set of prefixes and MAC addresses, asked whether it has one.
 *
 * Filled, then sealed; from then on a question costs a binary search. Who an
 * address is (its entry as written) can be asked, too, slowly.
 */
#ifndef FG_POLICY_ADDRSET_H
#define FG_POLICY_ADDRSET_H

#include "base/text.h"

struct fg_addrset;

int fg_addrset_new(struct fg_addrset **out); /* 0 or -ENOMEM */
void fg_addrset_free(struct fg_addrset *s);

/* 0 or -ENOMEM; only before sealing. version is 4 or 6. */
int fg_addrset_add(struct fg_addrset *s, int version, const uint8_t addr[16],
		   uint8_t prefix);
int fg_addrset_add_mac(struct fg_addrset *s, const uint8_t mac[6]);
/* An address, a prefix or a MAC as text; -EINVAL when it is none of these. */
int fg_addrset_add_text(struct fg_addrset *s, struct fg_slice text);
/* All of other, which is sealed or not. */
int fg_addrset_add_set(struct fg_addrset *s, const struct fg_addrset *other);
int fg_addrset_seal(struct fg_addrset *s);

bool fg_addrset_empty(const struct fg_addrset *s);
bool fg_addrset_has(const struct fg_addrset *s, int version,
		    const uint8_t addr[16]);
bool fg_addrset_has_mac(const struct fg_addrset *s, const uint8_t mac[6]);

#define FG_PREFIX_TEXT (FG_ADDR_TEXT + 4)

/* The entry that has the address, "192.0.2.0/24"; NULL when none does. */
const char *fg_addrset_entry(const struct fg_addrset *s, int version,
			     const uint8_t addr[16], char text[FG_PREFIX_TEXT]);

#endif
