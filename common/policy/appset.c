/* SPDX-License-Identifier: GPL-2.0-or-later */
/* appset.c - a set of applications. */
#include "appset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct app {
	char *tag; /* NULL: only the id is given */
	uint32_t id;
	bool known;
};

struct fg_appset {
	struct app *apps;
	size_t count, size;
	uint32_t *ids; /* in order, each once; room for count */
	size_t id_count;
};

int fg_appset_new(struct fg_appset **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void fg_appset_free(struct fg_appset *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->apps[i].tag);
	free(s->apps);
	free(s->ids);
	free(s);
}

int fg_appset_add(struct fg_appset *s, const char *tag, uint32_t id)
{
	struct app app = {NULL, id, !tag};

	if (s->count == s->size) {
		size_t size = s->size ? s->size * 2 : 8;
		void *apps = reallocarray(s->apps, size, sizeof(*s->apps));

		if (!apps)
			return -ENOMEM;
		s->apps = apps;
		s->size = size;
	}
	if (tag) {
		app.tag = strdup(tag);
		if (!app.tag)
			return -ENOMEM;
	}
	s->apps[s->count++] = app;
	return 0;
}

int fg_appset_add_set(struct fg_appset *s, const struct fg_appset *other)
{
	int err = 0;

	for (size_t i = 0; i < other->count && !err; i++)
		err = fg_appset_add(s, other->apps[i].tag, other->apps[i].id);
	return err;
}

static void insert_id(struct fg_appset *s, uint32_t id)
{
	size_t at = s->id_count;

	while (at > 0 && s->ids[at - 1] > id)
		at--;
	if (at > 0 && s->ids[at - 1] == id)
		return;
	memmove(&s->ids[at + 1], &s->ids[at],
		(s->id_count - at) * sizeof(*s->ids));
	s->ids[at] = id;
	s->id_count++;
}

/* In place: it also runs when names are learnt, where nothing may allocate. */
bool fg_appset_learn(struct fg_appset *s, const struct fg_catalog *catalog)
{
	bool changed = false;

	s->id_count = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct app *a = &s->apps[i], was = *a;

		if (a->tag)
			a->known = fg_catalog_id(
				catalog, FG_NAME_APPLICATION,
				fg_slice(a->tag, strlen(a->tag)), &a->id);
		if (a->known)
			insert_id(s, a->id);
		changed |=
			a->known != was.known || (a->known && a->id != was.id);
	}
	return changed;
}

int fg_appset_seal(struct fg_appset *s, const struct fg_catalog *catalog)
{
	s->ids = calloc(s->count + 1, sizeof(*s->ids));
	if (!s->ids)
		return -ENOMEM;
	fg_appset_learn(s, catalog);
	return 0;
}

bool fg_appset_has(const struct fg_appset *s, uint32_t id)
{
	size_t low = 0, high = s->id_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->ids[middle] == id)
			return true;
		if (s->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

size_t fg_appset_ids(const struct fg_appset *s, const uint32_t **ids)
{
	*ids = s->ids;
	return s->id_count;
}

size_t fg_appset_size(const struct fg_appset *s)
{
	return s->count;
}
