/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series.c - an open-addressing table of labels that only fills up. */
#include "series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct entry {
	struct fg_label label;
	struct fg_tally tally;
};

struct fg_series {
	uint64_t seed;
	uint64_t crowded;
	uint32_t max;
	uint32_t count; /* entries in use, "other" included */
	uint32_t mask;
	uint32_t *index; /* entry numbers; 0: free */
	struct entry entries[];
};

int fg_series_new(struct fg_series **out, uint32_t max, uint64_t seed)
{
	struct fg_series *s =
		calloc(1, sizeof(*s) + ((size_t)max + 1) * sizeof(*s->entries));
	uint32_t size = 16;

	if (!s)
		return -ENOMEM;
	while (size < 2 * max) /* never more than half full */
		size *= 2;
	s->index = calloc(size, sizeof(*s->index));
	if (!s->index) {
		free(s);
		return -ENOMEM;
	}
	s->seed = seed;
	s->max = max;
	s->mask = size - 1;
	s->count = 1;
	fg_label_set(&s->entries[0].label, FG_LABEL_OTHER);
	*out = s;
	return 0;
}

void fg_series_free(struct fg_series *s)
{
	if (!s)
		return;
	free(s->index);
	free(s);
}

struct fg_tally *fg_series_at(struct fg_series *s, const struct fg_label *l)
{
	uint32_t at = (uint32_t)fg_hash(l->text, l->len, s->seed) & s->mask;
	struct entry *e;

	for (; s->index[at]; at = (at + 1) & s->mask) {
		e = &s->entries[s->index[at]];
		if (fg_label_equal(&e->label, l))
			return &e->tally;
	}
	e = &s->entries[0];
	if (fg_label_equal(&e->label, l))
		return &e->tally;
	if (s->count > s->max) {
		s->crowded++;
		return &e->tally;
	}
	s->index[at] = s->count;
	e = &s->entries[s->count++];
	e->label = *l;
	return &e->tally;
}

uint64_t fg_series_crowded(const struct fg_series *s)
{
	return s->crowded;
}

uint32_t fg_series_count(const struct fg_series *s)
{
	return s->count;
}

const struct fg_label *fg_series_label(const struct fg_series *s, uint32_t i)
{
	return &s->entries[i].label;
}

const struct fg_tally *fg_series_tally(const struct fg_series *s, uint32_t i)
{
	return &s->entries[i].tally;
}
