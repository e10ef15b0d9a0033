/* SPDX-License-Identifier: GPL-2.0-or-later */
/* class.c - a small hash table of actions, chained by index. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "class.h"

#define BUCKETS 256

struct class
{
	uint32_t refs;
	uint32_t rank;
	uint32_t data;
	uint16_t next; /* in its bucket, or of the free ones */
	char name[FG_CLASS_NAME];
};

struct fg_classes {
	uint32_t max;
	uint32_t used; /* slots that were ever used */
	uint16_t free;
	uint16_t bucket[BUCKETS];
	struct class class[];
};

int fg_classes_new(struct fg_classes **out, uint32_t max)
{
	struct fg_classes *c;

	if (max > UINT16_MAX - 1)
		max = UINT16_MAX - 1;
	c = calloc(1, sizeof(*c) + ((size_t)max + 1) * sizeof(c->class[0]));
	if (!c)
		return -ENOMEM;
	c->max = max;
	*out = c;
	return 0;
}

void fg_classes_free(struct fg_classes *c)
{
	free(c);
}

static uint32_t bucket_of(uint32_t rank, uint32_t data)
{
	/* numbers of our own configuration: no seed is needed */
	return (uint32_t)fg_hash((uint32_t[]){rank, data}, 8, 0) % BUCKETS;
}

uint16_t fg_class_find(const struct fg_classes *c, uint32_t rank, uint32_t data,
		       const char *name)
{
	uint16_t i = c->bucket[bucket_of(rank, data)];

	for (; i; i = c->class[i].next)
		if (c->class[i].rank == rank && c->class[i].data == data &&
		    !strncmp(c->class[i].name, name, FG_CLASS_NAME - 1))
			break;
	return i;
}

uint16_t fg_class_get(struct fg_classes *c, uint32_t rank, uint32_t data,
		      const char *name)
{
	uint16_t i = fg_class_find(c, rank, data, name);
	struct class *class;
	uint16_t *bucket;

	if (i)
		return i;
	if (c->free) {
		i = c->free;
		c->free = c->class[i].next;
	} else if (c->used < c->max) {
		i = (uint16_t)++c->used;
	} else {
		return 0;
	}
	bucket = &c->bucket[bucket_of(rank, data)];
	class = &c->class[i];
	*class = (struct class){.rank = rank, .data = data, .next = *bucket};
	snprintf(class->name, sizeof(class->name), "%s", name);
	*bucket = i;
	return i;
}

void fg_class_ref(struct fg_classes *c, uint16_t class)
{
	if (class)
		c->class[class].refs++;
}

void fg_class_unref(struct fg_classes *c, uint16_t class)
{
	uint16_t *link;

	if (!class || --c->class[class].refs)
		return;
	link = &c->bucket[bucket_of(c->class[class].rank,
				    c->class[class].data)];
	while (*link != class)
		link = &c->class[*link].next;
	*link = c->class[class].next;
	c->class[class].next = c->free;
	c->free = class;
}

uint32_t fg_class_rank(const struct fg_classes *c, uint16_t class)
{
	return c->class[class].rank;
}

uint32_t fg_class_data(const struct fg_classes *c, uint16_t class)
{
	return c->class[class].data;
}

const char *fg_class_name(const struct fg_classes *c, uint16_t class)
{
	return c->class[class].name;
}
