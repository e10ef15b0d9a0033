/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bare-jsmn.c - alone in its file, and aligned: where its loops come to lie
 * makes 15 % of its speed, and a floor has to stay where it is.
 */
#include "bare-jsmn.h"

#include <err.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define TOKENS (1 << 17)

__attribute__((aligned(4096))) uint64_t bare_jsmn(const struct stream *s)
{
	static jsmntok_t tokens[TOKENS];
	uint64_t sum = 0;

	for (size_t i = 0; i < s->count; i++) {
		jsmn_parser parser;
		int n;

		jsmn_init(&parser);
		n = jsmn_parse(&parser, s->message[i].ptr, s->message[i].len,
			       tokens, TOKENS);
		if (n < 1)
			errx(1, "jsmn: %d", n);
		sum += (uint64_t)n;
	}
	return sum;
}
