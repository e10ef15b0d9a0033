/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.h - slices of text, and the numbers written in them. */
#ifndef FG_BASE_TEXT_H
#define FG_BASE_TEXT_H

#include <flowgate/plugin.h>

#include "addr.h"
#include "hash.h"

static inline struct fg_slice fg_slice(const char *ptr, size_t len)
{
	return (struct fg_slice){ptr, (uint32_t)len, 0};
}

/* "1 flow", "2 flows": printf("%u flow%s", n, FG_S(n)). */
#define FG_S(n) ((n) == 1 ? "" : "s")

/* Same bytes; fg_slice_is_nocase ignores the case of ASCII letters. */
bool fg_slice_is(struct fg_slice s, const char *text);
bool fg_slice_is_nocase(struct fg_slice s, const char *text);

/*
 * Takes JSON escapes out (\uXXXX with surrogates to UTF-8; a lone surrogate
 * and \u0000 become U+FFFD). Writes at most size bytes, no NUL, never half a
 * character; returns the bytes that the whole text needs.
 */
size_t fg_text_decode(struct fg_slice in, char *out, size_t size);

/* Length of the valid UTF-8 character at p, and its number; 0: invalid. */
size_t fg_text_char(const char *p, const char *end, uint32_t *code);
/*
 * False for characters that move the cursor, or reorder what is around them;
 * all of these are below U+10000.
 */
bool fg_text_shows(uint32_t code);

/*
 * Makes text fit for a terminal and a log line: control characters (C0, DEL,
 * C1), invalid UTF-8 and bidi overrides become \xNN. Always NUL-terminated
 * when size > 0; returns the length written.
 */
size_t fg_text_printable(struct fg_slice in, char *out, size_t size);

/*
 * A JSON string with its quotes: characters that don't show as \uNNNN, invalid
 * UTF-8 as U+FFFD. Writes at most size bytes, no NUL, never half a character;
 * returns the bytes that the whole needs, at most 6 * in.len + 2.
 */
size_t fg_text_json(struct fg_slice in, char *out, size_t size);

/* Digits only: no sign, no space; capped at UINT64_MAX. False: not a number. */
bool fg_text_uint(const char *p, size_t len, uint64_t *out);
/* "0x1f", "0X1F" or digits. */
bool fg_text_uint_any(const char *p, size_t len, uint64_t *out);
/* A JSON number, fraction and exponent included. */
bool fg_text_real(const char *p, size_t len, double *out);
/* 0 to 15, or -1. */
int fg_hex_digit(char c);
/* Exactly 2 * n hexadecimal digits. */
bool fg_text_hex(const char *p, size_t len, uint8_t *out, size_t n);

/*
 * Edit distance (insert, delete, replace, swap of neighbours; ASCII case
 * ignored), or UINT_MAX when it is no typing error: more than a third of word
 * is different, or either is longer than 64. A word that is the first or last
 * part of the other ("vpn" of "vpn-and-proxy") is as far as that third.
 */
unsigned fg_text_distance(const char *word, size_t len, const char *other,
			  size_t other_len);
/*
 * The candidate nearest to word by that distance (the first of equals), or NULL
 * when none is near enough. NULL candidates are passed over.
 */
const char *fg_text_nearest(const char *word, size_t len,
			    const char *const *candidates, size_t n);

#endif
