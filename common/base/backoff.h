/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backoff.h - how long to wait before the next try: 0.25 s, doubling to 15 s,
 * each up to a quarter less, so that the gateways of a network do not all come
 * at once. Pure.
 */
#ifndef FG_BASE_BACKOFF_H
#define FG_BASE_BACKOFF_H

#include <stdint.h>

#define FG_BACKOFF_FIRST_MS 250
#define FG_BACKOFF_LAST_MS  15000

struct fg_backoff {
	int64_t ms;
	uint64_t random;
};

/* seed: anything but 0 */
void fg_backoff_init(struct fg_backoff *b, uint64_t seed);
/* A try was worth it: the next wait is the first one again. */
void fg_backoff_reset(struct fg_backoff *b);
/* Milliseconds to wait now; the next wait will be longer. */
int64_t fg_backoff_next(struct fg_backoff *b);

#endif
