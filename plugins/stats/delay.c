/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delay.c - a histogram of detection delays. */
#include "delay.h"

/* An agent that is tuned takes 1 to 70 ms, one that is not 66 to 594. */
const uint32_t fg_delay_bounds[FG_DELAY_BUCKETS] = {
	5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000, 60000};

void fg_delay_add(struct fg_delay *d, int64_t ms)
{
	unsigned i = 0;

	if (ms < FG_DELAY_MIN_MS || ms > FG_DELAY_MAX_MS) {
		d->ignored++;
		return;
	}
	if (ms < 0)
		ms = 0;
	while (i < FG_DELAY_BUCKETS && ms > fg_delay_bounds[i])
		i++;
	d->count[i]++;
	d->sum_ms += (uint64_t)ms;
}
