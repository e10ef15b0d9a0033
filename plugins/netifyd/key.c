/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key.c - the table of keys, hashed. */
#include "key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 512 /* a power of two, a good deal above FG_KEY_MAX */

struct fg_keys {
	struct fg_key key[FG_KEY_MAX];
	unsigned count;
	unsigned nodes;
	uint8_t slot[SLOTS];
};

_Static_assert(FG_KEY_MAX <= UINT8_MAX, "a slot holds the number of a key");
_Static_assert(FG_ATTR_COUNT + 16 < FG_KEY_MAX, "room for every attribute");

static const struct {
	const char *path;
	uint16_t subject;
	uint8_t kind;
} paths[] = {
#define PATH(name, path, kind, store) {path, FG_ATTR_##name, FG_KIND_##kind},
	FG_ATTRIBUTES(PATH)
#undef PATH
		{"type", FG_SUBJECT_TYPE, FG_KIND_TEXT},
	{"flow.digest", FG_SUBJECT_DIGEST, FG_KIND_TEXT},
	{"flow.digest_prev", FG_SUBJECT_PARTS + FG_PART_DIGEST_PREV,
	 FG_KIND_LIST},
	{"protocols", FG_SUBJECT_PARTS + FG_PART_PROTOCOLS, FG_KIND_LIST},
	{"applications", FG_SUBJECT_PARTS + FG_PART_APPLICATIONS, FG_KIND_LIST},
	{"interfaces", FG_SUBJECT_PARTS + FG_PART_INTERFACES, FG_KIND_OBJECT},
	/* v4 wrote the header's name as it is in SSDP */
	{"flow.ssdp.user-agent", FG_ATTR_SSDP_USER_AGENT, FG_KIND_TEXT},
};

/* Names are the agent's: three of their bytes tell them apart well enough. */
static unsigned home(unsigned parent, const char *name, size_t len)
{
	unsigned h = (unsigned)len * 7 + parent * 61;

	if (len)
		h += (uint8_t)name[len - 1] * 31 + (uint8_t)name[len / 2] * 5 +
		     (uint8_t)name[0];
	return h & (SLOTS - 1);
}

struct fg_key *fg_keys_find(struct fg_keys *k, unsigned parent,
			    const char *name, size_t len)
{
	if (len + 3 > FG_KEY_SIZE)
		return NULL;
	for (unsigned i = home(parent, name, len); k->slot[i];
	     i = (i + 1) & (SLOTS - 1)) {
		struct fg_key *key = &k->key[k->slot[i]];

		if (key->len == len + 3 && key->parent == parent &&
		    memcmp((const char *)key->text + 1, name, len) == 0)
			return key;
	}
	return NULL;
}

struct fg_key *fg_keys_begin(struct fg_keys *k)
{
	return k->key;
}

void fg_key_follow(struct fg_key *last, struct fg_key *key)
{
	last->followers[1] = last->followers[0];
	last->followers[0] = key;
}

/* The tables are constants: that all fits is for the unit test to see. */
static struct fg_key *add(struct fg_keys *k, unsigned parent, const char *name,
			  size_t len)
{
	struct fg_key *key = &k->key[++k->count];
	char *text = (char *)key->text;
	unsigned i = home(parent, name, len);

	text[0] = '"';
	memcpy(text + 1, name, len);
	memcpy(text + 1 + len, "\":", 2);
	key->len = (uint8_t)(len + 3);
	memset(key->mask, 0xff, key->len);
	key->parent = (uint8_t)parent;
	while (k->slot[i])
		i = (i + 1) & (SLOTS - 1);
	k->slot[i] = (uint8_t)k->count;
	return key;
}

int fg_keys_new(struct fg_keys **out)
{
	struct fg_keys *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->nodes = FG_NODE_ROOT;
	/* number 0 is no key: with text outside its mask, it matches none */
	k->key[0].text[0] = 1;
	for (unsigned i = 0; i < FG_KEY_MAX; i++)
		k->key[i].followers[0] = k->key[i].followers[1] = k->key;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const char *name = paths[i].path, *dot;
		unsigned parent = FG_NODE_ROOT;
		struct fg_key *key;

		for (dot = strchr(name, '.'); dot; dot = strchr(name, '.')) {
			size_t len = (size_t)(dot - name);

			key = fg_keys_find(k, parent, name, len);
			if (!key) {
				key = add(k, parent, name, len);
				key->node = (uint8_t)++k->nodes;
				key->subject = (uint16_t)(FG_SUBJECT_NODES +
							  key->node);
			}
			parent = key->node;
			name = dot + 1;
		}
		key = add(k, parent, name, strlen(name));
		key->subject = paths[i].subject;
		key->kind = paths[i].kind;
	}
	*out = k;
	return 0;
}

void fg_keys_free(struct fg_keys *k)
{
	free(k);
}
