/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counts.h - the counters since the start, by everything they are counted by.
 */
#ifndef FG_STATS_COUNTS_H
#define FG_STATS_COUNTS_H

#include "delay.h"
#include "series.h"

enum fg_dimension {
	FG_BY_APPLICATION,
	FG_BY_CATEGORY,
	FG_BY_DEVICE,
	FG_BY_ACTION,
	FG_BY_OBSERVED, /* actions that only observe */
	FG_BY_TARGET,
	FG_DIMENSION_COUNT
};

struct fg_counts {
	uint32_t top; /* labels of each */
	struct fg_series *by[FG_DIMENSION_COUNT];
	struct fg_delay delay;
};

/* 0 or -ENOMEM */
int fg_counts_new(struct fg_counts **out, uint32_t top);
void fg_counts_free(struct fg_counts *c);

#endif
