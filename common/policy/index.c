/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.c - the ids of a flow -> the actions that ask for them. */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct key {
	uint32_t kind;
	uint32_t id;
};

/* One action of one key; those of a key are a chain. Entry 0 is not used. */
struct entry {
	struct key key;
	uint32_t next;
	uint32_t action : 31;
	uint32_t exact : 1;
};

struct fg_index {
	struct entry *entries;
	size_t count, max;
	uint32_t *slots; /* of chains; 0 is free */
	size_t mask;
	unsigned kinds; /* those that have keys */
};

int fg_index_new(struct fg_index **out, size_t max_keys)
{
	struct fg_index *x = calloc(1, sizeof(*x));
	size_t slots = 16;

	if (!x)
		return -ENOMEM;
	while (slots < 2 * max_keys)
		slots *= 2;
	x->max = max_keys;
	x->mask = slots - 1;
	x->entries = calloc(max_keys + 1, sizeof(*x->entries));
	x->slots = calloc(slots, sizeof(*x->slots));
	if (!x->entries || !x->slots) {
		fg_index_free(x);
		return -ENOMEM;
	}
	*out = x;
	return 0;
}

void fg_index_free(struct fg_index *x)
{
	if (!x)
		return;
	free(x->entries);
	free(x->slots);
	free(x);
}

void fg_index_clear(struct fg_index *x)
{
	memset(x->slots, 0, (x->mask + 1) * sizeof(*x->slots));
	x->count = 0;
	x->kinds = 0;
}

/* The slot of the key's chain, or the free one where it would begin. */
static uint32_t *slot_of(const struct fg_index *x, struct key key)
{
	/* keys are the administrator's: nobody chooses them to collide */
	size_t i = fg_hash(&key, sizeof(key), 0) & x->mask;

	for (;; i = (i + 1) & x->mask) {
		const struct entry *e = &x->entries[x->slots[i]];

		if (x->slots[i] == 0 ||
		    (e->key.kind == key.kind && e->key.id == key.id))
			return &x->slots[i];
	}
}

void fg_index_add(struct fg_index *x, enum fg_key_kind kind, uint32_t id,
		  uint32_t action, bool exact)
{
	struct key key = {kind, id};
	uint32_t *slot = slot_of(x, key);
	struct entry *e;

	if (x->count == x->max)
		return; /* never, when the caller counted */
	e = &x->entries[++x->count];
	*e = (struct entry){key, *slot, action & INT32_MAX, exact};
	*slot = (uint32_t)x->count;
	x->kinds |= 1u << kind;
}

static bool find(const struct fg_index *x, enum fg_key_kind kind, uint32_t id,
		 uint64_t *found, uint64_t *exact)
{
	uint32_t first = *slot_of(x, (struct key){kind, id});

	for (uint32_t i = first; i; i = x->entries[i].next) {
		const struct entry *e = &x->entries[i];
		uint64_t bit = UINT64_C(1) << e->action % 64;

		found[e->action / 64] |= bit;
		if (e->exact)
			exact[e->action / 64] |= bit;
	}
	return first != 0;
}

bool fg_index_find(const struct fg_index *x, const struct fg_view *v,
		   uint64_t *found, uint64_t *exact)
{
	bool any = false;

	if (x->kinds >> FG_KEY_APPLICATION & 1)
		any |= find(x, FG_KEY_APPLICATION, v->flow->application, found,
			    exact);
	if (x->kinds >> FG_KEY_PROTOCOL & 1)
		any |= find(x, FG_KEY_PROTOCOL, v->flow->protocol, found,
			    exact);
	if (!(x->kinds >> FG_KEY_CATEGORY))
		return any;
	for (unsigned c = 0; c < FG_CAT_COUNT; c++) {
		uint16_t id;

		if (!(x->kinds >> (FG_KEY_CATEGORY + c) & 1))
			continue;
		id = fg_term_category(v, c);
		if (id != 0) /* it has none */
			any |= find(x, FG_KEY_CATEGORY + c, id, found, exact);
	}
	return any;
}
