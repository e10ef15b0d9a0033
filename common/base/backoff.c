/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backoff.c - how long to wait before the next try. */
#include "backoff.h"

void fg_backoff_init(struct fg_backoff *b, uint64_t seed)
{
	b->random = seed;
	fg_backoff_reset(b);
}

void fg_backoff_reset(struct fg_backoff *b)
{
	b->ms = FG_BACKOFF_FIRST_MS;
}

int64_t fg_backoff_next(struct fg_backoff *b)
{
	int64_t ms = b->ms;

	/* xorshift64: chance enough for this */
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	b->ms *= 2;
	if (b->ms > FG_BACKOFF_LAST_MS)
		b->ms = FG_BACKOFF_LAST_MS;
	return ms - (int64_t)(b->random % ((uint64_t)ms / 4 + 1));
}
