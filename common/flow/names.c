/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c - a table of tags, chained by id and by the short form of the tag. */
#include "names.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

#define NEAR_MAX 8

struct name {
	uint32_t id;
	uint32_t next_id; /* chains; 0: end */
	uint32_t next_tag;
	char tag[FG_NAME_MAX];
};

struct fg_names {
	struct name *names; /* [0] is not used */
	uint32_t count;
	uint32_t max;
	uint32_t *by_id;
	uint32_t *by_tag;
	uint32_t mask;
	uint64_t seed;
};

int fg_names_new(struct fg_names **out, uint32_t max, uint64_t seed)
{
	struct fg_names *t;
	uint32_t buckets = 16;

	if (max == 0 || max > UINT32_C(1) << 24)
		return -EINVAL;
	while (buckets < max)
		buckets *= 2;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->names = calloc((size_t)max + 1, sizeof(*t->names));
	t->by_id = calloc(buckets, sizeof(*t->by_id));
	t->by_tag = calloc(buckets, sizeof(*t->by_tag));
	if (!t->names || !t->by_id || !t->by_tag) {
		fg_names_free(t);
		return -ENOMEM;
	}
	t->max = max;
	t->mask = buckets - 1;
	t->seed = seed;
	*out = t;
	return 0;
}

void fg_names_free(struct fg_names *t)
{
	if (!t)
		return;
	free(t->names);
	free(t->by_id);
	free(t->by_tag);
	free(t);
}

uint32_t fg_names_count(const struct fg_names *t)
{
	return t->count;
}

/* The part after the first dot, or all of it. */
static const char *short_form(const char *tag)
{
	const char *dot = strchr(tag, '.');

	return dot ? dot + 1 : tag;
}

static const char *without_netify(const char *tag)
{
	return strncasecmp(tag, "netify.", 7) == 0 ? tag + 7 : tag;
}

static uint32_t *id_bucket(const struct fg_names *t, uint32_t id)
{
	return &t->by_id[fg_hash(&id, sizeof(id), t->seed) & t->mask];
}

/* Of the short form, in lower case. */
static uint32_t *tag_bucket(const struct fg_names *t, const char *part)
{
	char low[FG_NAME_MAX];
	size_t len;

	for (len = 0; part[len] != '\0'; len++)
		low[len] = part[len] >= 'A' && part[len] <= 'Z'
				   ? (char)(part[len] | 0x20)
				   : part[len];
	return &t->by_tag[fg_hash(low, len, t->seed) & t->mask];
}

/* A tag as text with a NUL; false when it is empty, too long or has one. */
static bool take_tag(struct fg_slice tag, char out[FG_NAME_MAX])
{
	size_t len = fg_text_decode(tag, out, FG_NAME_MAX - 1);

	if (len == 0 || len >= FG_NAME_MAX || memchr(out, '\0', len))
		return false;
	out[len] = '\0';
	return true;
}

static uint32_t find(const struct fg_names *t, uint32_t id)
{
	uint32_t at = *id_bucket(t, id);

	while (at && t->names[at].id != id)
		at = t->names[at].next_id;
	return at;
}

int fg_names_learn(struct fg_names *t, uint32_t id, struct fg_slice slice)
{
	char tag[FG_NAME_MAX];
	struct name *name;
	uint32_t at, *link;

	if (!take_tag(slice, tag))
		return -ENOSPC;
	at = find(t, id);
	if (at) {
		name = &t->names[at];
		if (strcmp(name->tag, tag) == 0)
			return 0;
		link = tag_bucket(t, short_form(name->tag));
		while (*link != at)
			link = &t->names[*link].next_tag;
		*link = name->next_tag;
	} else {
		if (t->count == t->max)
			return -ENOSPC;
		at = ++t->count;
		name = &t->names[at];
		name->id = id;
		link = id_bucket(t, id);
		name->next_id = *link;
		*link = at;
	}
	memcpy(name->tag, tag, strlen(tag) + 1);
	link = tag_bucket(t, short_form(tag));
	name->next_tag = *link;
	*link = at;
	return 1;
}

const char *fg_names_tag(const struct fg_names *t, uint32_t id)
{
	uint32_t at = find(t, id);

	return at ? t->names[at].tag : NULL;
}

/* How well does a known tag answer to word? 0: not at all. */
static int rank(const char *known, const char *word)
{
	if (strcasecmp(known, word) == 0)
		return 3;
	if (strcasecmp(without_netify(known), without_netify(word)) == 0)
		return 2;
	return strcasecmp(short_form(known), word) == 0;
}

bool fg_names_id(const struct fg_names *t, struct fg_slice slice, uint32_t *id)
{
	char word[FG_NAME_MAX];
	/* the word may be a whole tag, or already be the short form of one */
	const char *parts[2];
	int best = 0, r;

	if (!take_tag(slice, word))
		return false;
	parts[0] = short_form(word);
	parts[1] = word;
	for (int i = 0; i < 2; i++) {
		uint32_t at = *tag_bucket(t, parts[i]);

		for (; at; at = t->names[at].next_tag) {
			r = rank(t->names[at].tag, word);
			if (r > best) {
				best = r;
				*id = t->names[at].id;
			}
		}
		if (parts[0] == word)
			break;
	}
	return best;
}

bool fg_names_id_exact(const struct fg_names *t, struct fg_slice slice,
		       uint32_t *id)
{
	char word[FG_NAME_MAX];
	const char *bare;
	uint32_t at;

	if (!take_tag(slice, word))
		return false;
	bare = without_netify(word);
	at = *tag_bucket(t, short_form(bare));
	for (; at; at = t->names[at].next_tag) {
		if (strcmp(without_netify(t->names[at].tag), bare) == 0) {
			*id = t->names[at].id;
			return true;
		}
	}
	return false;
}

size_t fg_names_near(const struct fg_names *t, struct fg_slice slice,
		     const char **out, size_t max)
{
	unsigned distances[NEAR_MAX], d, whole;
	char word[FG_NAME_MAX];
	const char *bare;
	size_t n = 0, i;

	if (max > NEAR_MAX)
		max = NEAR_MAX;
	if (!max || !take_tag(slice, word))
		return 0;
	bare = without_netify(word);
	for (uint32_t at = 1; at <= t->count; at++) {
		const char *tag = t->names[at].tag;
		const char *part = without_netify(tag);

		whole = fg_text_distance(bare, strlen(bare), part,
					 strlen(part));
		part = short_form(tag); /* which is a name for it, too */
		d = fg_text_distance(bare, strlen(bare), part, strlen(part));
		if (whole < d)
			d = whole;
		if (d == UINT_MAX || (n == max && d >= distances[n - 1]))
			continue;
		for (i = n < max ? n++ : n - 1; i && distances[i - 1] > d;
		     i--) {
			distances[i] = distances[i - 1];
			out[i] = out[i - 1];
		}
		distances[i] = d;
		out[i] = tag;
	}
	return n;
}
