/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * series.h - counters by label, a fixed number of them.
 *
 * Labels get a place first come, first served; when all are taken, what is new
 * is counted as "other". So no counter ever goes back, as the biggest changing
 * places would make it. Sized by fg_series_new(); nothing here allocates later.
 */
#ifndef FG_STATS_SERIES_H
#define FG_STATS_SERIES_H

#include "label.h"

struct fg_series;

/* From the local side (up) and to it (down). */
enum fg_direction { FG_UP, FG_DOWN, FG_DIRECTION_COUNT };

struct fg_tally {
	uint64_t flows;
	uint64_t bytes[FG_DIRECTION_COUNT];
	uint64_t packets[FG_DIRECTION_COUNT];
};

/* max: labels besides "other", at least 1. 0 or -ENOMEM. */
int fg_series_new(struct fg_series **out, uint32_t max, uint64_t seed);
void fg_series_free(struct fg_series *s);

/* The label's counters, or those of "other"; never NULL. */
struct fg_tally *fg_series_at(struct fg_series *s, const struct fg_label *l);
/* How often fg_series_at() had no place for a label. */
uint64_t fg_series_crowded(const struct fg_series *s);

/* For all i below the count; 0 is "other", the rest in order of arrival. */
uint32_t fg_series_count(const struct fg_series *s);
const struct fg_label *fg_series_label(const struct fg_series *s, uint32_t i);
const struct fg_tally *fg_series_tally(const struct fg_series *s, uint32_t i);

#endif
