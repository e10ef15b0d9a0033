/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr.h - IP addresses, prefixes and MAC addresses, as text and as bytes.
 *
 * Bytes are in network order; an IPv4 address is in the first four of
 * sixteen, the rest zero.
 */
#ifndef FG_BASE_ADDR_H
#define FG_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any address as text, with its NUL. */
#define FG_ADDR_TEXT 46
#define FG_MAC_TEXT  18

/*
 * 4 or 6 and the address (IPv4 in the first four bytes, the rest zero), or 0,
 * and then out is not touched. Strict: four decimal parts without leading
 * zeros, RFC 4291 forms, no zone.
 */
int fg_addr_parse(const char *p, size_t len, uint8_t out[16]);
/* RFC 5952. Returns text; "-" when version is neither 4 nor 6. */
const char *fg_addr_format(int version, const uint8_t addr[16],
			   char text[FG_ADDR_TEXT]);
/*
 * "198.51.100.0/24"; a missing prefix is the whole address. Bits beyond the
 * prefix are left as written. Version or 0.
 */
int fg_prefix_parse(const char *p, size_t len, uint8_t out[16],
		    uint8_t *prefix);
/* Are the first prefix bits (at most 128) of a and b the same? */
bool fg_prefix_match(const uint8_t a[16], const uint8_t b[16], uint8_t prefix);

/* Six pairs of hexadecimal digits, all separated by ':' or all by '-'. */
bool fg_mac_parse(const char *p, size_t len, uint8_t out[6]);
/* Lower case, with ':'. Returns text. */
const char *fg_mac_format(const uint8_t mac[6], char text[FG_MAC_TEXT]);

#endif
