/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interface.c - interned interface names with their roles. */
#include "interface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

#define NONE  0
#define OTHER 1
#define FIRST 2 /* of the names that were said */

struct name {
	char role;
	char text[127]; /* IFNAMSIZ is 16, but a capture file is one, too */
};

struct fg_interfaces {
	struct name *names;
	uint32_t count;
	uint32_t max;
	uint16_t *buckets; /* open addressing, at most half full */
	uint32_t mask;
	uint64_t seed;
	/* what was asked last, as it was written, and the answer */
	char last[32];
	uint32_t last_len;
	uint16_t last_id;
};

int fg_interfaces_new(struct fg_interfaces **out, uint16_t max, uint64_t seed)
{
	struct fg_interfaces *t;
	uint32_t buckets = 16;

	if (max > INT16_MAX)
		return -EINVAL;
	while (buckets < 2u * max)
		buckets *= 2;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->names = calloc((size_t)max + FIRST, sizeof(*t->names));
	t->buckets = calloc(buckets, sizeof(*t->buckets));
	if (!t->names || !t->buckets) {
		fg_interfaces_free(t);
		return -ENOMEM;
	}
	t->names[OTHER].text[0] = '?';
	t->count = FIRST;
	t->max = (uint32_t)max + FIRST;
	t->mask = buckets - 1;
	t->seed = seed;
	*out = t;
	return 0;
}

void fg_interfaces_free(struct fg_interfaces *t)
{
	if (!t)
		return;
	free(t->names);
	free(t->buckets);
	free(t);
}

static uint16_t look_up(struct fg_interfaces *t, struct fg_slice name)
{
	char text[sizeof(t->names->text)] = {0};
	size_t len = fg_text_decode(name, text, sizeof(text));
	uint32_t i;

	if (len == 0)
		return NONE;
	if (len >= sizeof(text) || memchr(text, '\0', len))
		return OTHER;
	i = (uint32_t)fg_hash(text, len, t->seed) & t->mask;
	for (; t->buckets[i]; i = (i + 1) & t->mask)
		if (strcmp(t->names[t->buckets[i]].text, text) == 0)
			return t->buckets[i];
	if (t->count == t->max)
		return OTHER;
	memcpy(t->names[t->count].text, text, sizeof(text));
	t->buckets[i] = (uint16_t)t->count;
	return (uint16_t)t->count++;
}

/* A gateway has few, and flows come in bursts from one. */
uint16_t fg_interfaces_id(struct fg_interfaces *t, struct fg_slice name)
{
	if (!name.len || name.flags || name.len > sizeof(t->last))
		return look_up(t, name);
	if (name.len == t->last_len &&
	    memcmp(name.ptr, t->last, name.len) == 0)
		return t->last_id;
	t->last_id = look_up(t, name);
	t->last_len = name.len;
	memcpy(t->last, name.ptr, name.len);
	return t->last_id;
}

const char *fg_interfaces_name(const struct fg_interfaces *t, uint16_t id)
{
	return t->names[id < t->count ? id : OTHER].text;
}

void fg_interfaces_set_role(struct fg_interfaces *t, uint16_t id, char role)
{
	/* what shares a number has no role in common */
	if (id >= FIRST && id < t->count)
		t->names[id].role = role;
}

char fg_interfaces_role(const struct fg_interfaces *t, uint16_t id)
{
	return id < t->count ? t->names[id].role : 0;
}
