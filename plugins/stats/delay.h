/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delay.h - how long it takes until a flow's application is known.
 *
 * From its first packet, by the agent's clock, until flowgated hears of it, by
 * ours: only what two clocks that agree can say is counted.
 */
#ifndef FG_STATS_DELAY_H
#define FG_STATS_DELAY_H

#include <stdint.h>

/* Longer is no delay but an old recording, or a clock that was set. */
#define FG_DELAY_MAX_MS 300000
/* Clocks of one machine, read at different moments: counted as 0. */
#define FG_DELAY_MIN_MS (-100)

#define FG_DELAY_BUCKETS 11

/* Upper bounds of the buckets, ms, inclusive; all beyond is in one more. */
extern const uint32_t fg_delay_bounds[FG_DELAY_BUCKETS];

struct fg_delay {
	uint64_t count[FG_DELAY_BUCKETS + 1]; /* not cumulative */
	uint64_t sum_ms;
	uint64_t ignored;
};

void fg_delay_add(struct fg_delay *d, int64_t ms);

#endif
