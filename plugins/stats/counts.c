/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counts.c - a table of counters for each dimension. */
#include "counts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

int fg_counts_new(struct fg_counts **out, uint32_t top)
{
	struct fg_counts *c = calloc(1, sizeof(*c));
	uint64_t seed = 0;
	int err = 0;

	if (!c)
		return -ENOMEM;
	c->top = top;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uintptr_t)c;
	for (int i = 0; !err && i < FG_DIMENSION_COUNT; i++)
		err = fg_series_new(&c->by[i], top, seed);
	if (err) {
		fg_counts_free(c);
		return err;
	}
	*out = c;
	return 0;
}

void fg_counts_free(struct fg_counts *c)
{
	if (!c)
		return;
	for (int i = 0; i < FG_DIMENSION_COUNT; i++)
		fg_series_free(c->by[i]);
	free(c);
}
