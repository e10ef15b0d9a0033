/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.h - slices of text, and the numbers and addresses written in them. */
#ifndef FG_BASE_TEXT_H
#define FG_BASE_TEXT_H

#include <flowgate/plugin.h>

/* Room for any address as text, with its NUL. */
#define FG_ADDR_TEXT 46
#define FG_MAC_TEXT  18

static inline struct fg_slice fg_slice(const char *ptr, size_t len)
{
	return (struct fg_slice){ptr, (uint32_t)len, 0};
}

/* Same bytes; fg_slice_is_nocase ignores the case of ASCII letters. */
bool fg_slice_is(struct fg_slice s, const char *text);
bool fg_slice_is_nocase(struct fg_slice s, const char *text);

/*
 * Takes JSON escapes out (\uXXXX with surrogates to UTF-8; a lone surrogate
 * and \u0000 become U+FFFD). Writes at most size bytes, no NUL, never half a
 * character; returns the bytes that the whole text needs.
 */
size_t fg_text_decode(struct fg_slice in, char *out, size_t size);

/*
 * Makes text fit for a terminal and a log line: control characters (C0, DEL,
 * C1), invalid UTF-8 and bidi overrides become \xNN. Always NUL-terminated
 * when size > 0; returns the length written.
 */
size_t fg_text_printable(struct fg_slice in, char *out, size_t size);

/* Digits only: no sign, no space; capped at UINT64_MAX. False: not a number. */
bool fg_text_uint(const char *p, size_t len, uint64_t *out);
/* "0x1f", "0X1F" or digits. */
bool fg_text_uint_any(const char *p, size_t len, uint64_t *out);
/* A JSON number, fraction and exponent included. */
bool fg_text_real(const char *p, size_t len, double *out);
/* Exactly 2 * n hexadecimal digits. */
bool fg_text_hex(const char *p, size_t len, uint8_t *out, size_t n);

/*
 * 4 or 6 and the address (IPv4 in the first four bytes, the rest zero), or 0.
 * Strict: four decimal parts without leading zeros, RFC 4291 forms, no zone.
 */
int fg_addr_parse(const char *p, size_t len, uint8_t out[16]);
/* RFC 5952. Returns text. */
const char *fg_addr_format(int version, const uint8_t addr[16],
			   char text[FG_ADDR_TEXT]);
/* "198.51.100.0/24"; a missing prefix is the whole address. Version or 0. */
int fg_prefix_parse(const char *p, size_t len, uint8_t out[16],
		    uint8_t *prefix);
/* Are the first prefix bits of a and b the same? */
bool fg_prefix_match(const uint8_t a[16], const uint8_t b[16], uint8_t prefix);

/* Six pairs of hexadecimal digits, all separated by ':' or all by '-'. */
bool fg_mac_parse(const char *p, size_t len, uint8_t out[6]);
const char *fg_mac_format(const uint8_t mac[6], char text[FG_MAC_TEXT]);

/*
 * The candidate nearest to word by edit distance (case ignored), when it is
 * near enough to be a typing error, else NULL.
 */
const char *fg_text_nearest(const char *word, size_t len,
			    const char *const *candidates, size_t n);

/* 64-bit hash of bytes; seed is what keeps an attacker from choosing. */
uint64_t fg_hash(const void *p, size_t len, uint64_t seed);

#endif
