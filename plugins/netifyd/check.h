/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - is what begins here one whole JSON object? Byte by byte.
 *
 * Strict (RFC 8259), resumable at any byte, without memory of what it read:
 * it finds the end of an object that came without a length, and tells early
 * that one is broken. Agrees with fg_message_read() on every text.
 */
#ifndef FG_NETIFYD_CHECK_H
#define FG_NETIFYD_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* netifyd nests 4 deep; each object or array is one bit of a stack. */
#define FG_JSON_DEPTH_MAX 32

enum fg_checked {
	FG_CHECKED_PART,  /* good so far, more must follow */
	FG_CHECKED_WHOLE, /* *used bytes, to the last brace, are an object */
	FG_CHECKED_BAD,	  /* the byte at *used cannot follow */
};

struct fg_check {
	uint32_t objects; /* one bit a level, the innermost lowest */
	uint8_t depth;
	uint8_t state;
	uint8_t key;	     /* the string is one */
	uint8_t hex;	     /* digits still to come of a \u escape */
	const char *literal; /* what is left of true, false, null */
};

void fg_check_begin(struct fg_check *c);
enum fg_checked fg_check_feed(struct fg_check *c, const char *p, size_t len,
			      size_t *used);

#endif
