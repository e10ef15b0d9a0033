/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings.c - a list of the allocations of one target: there are as many as
 * actions with settings of their own, and they are made and freed at a reload.
 */
#include "base/bindings.h"

#include <stdlib.h>

struct fg_binding {
	struct fg_binding *next;
	max_align_t data[];
};

void *fg_binding_new(struct fg_bindings *of, size_t size)
{
	struct fg_binding *b = calloc(1, sizeof(*b) + size);

	if (!b)
		return NULL;
	b->next = of->first;
	of->first = b;
	return b->data;
}

void fg_binding_free(struct fg_bindings *of, const void *binding)
{
	struct fg_binding **link = &of->first, *b;

	while (*link && (const void *)(*link)->data != binding)
		link = &(*link)->next;
	b = *link;
	if (!b)
		return;
	*link = b->next;
	free(b);
}

void fg_bindings_free(struct fg_bindings *of)
{
	struct fg_binding *b;

	while ((b = of->first)) {
		of->first = b->next;
		free(b);
	}
}
