/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catalog.c - all kinds of names together, and which category lists what. */
#include "catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "names.h"
#include "netify.h"

#define CATEGORIES_MAX 1024
/* ids of categories that the older file names but gives no id */
#define MADE_UP_FIRST 60000

/* id of an application or protocol -> category; open addressing */
struct listed {
	uint32_t id;
	uint16_t category;
	uint16_t used;
};

struct index {
	struct listed *slots; /* NULL: no file said any */
	size_t mask;
};

struct fg_catalog {
	struct fg_names *names[FG_NAME_COUNT];
	struct fg_names *categories[FG_CATEGORY_COUNT];
	struct index index[FG_CATEGORY_COUNT];
	struct index incoming[FG_CATEGORY_COUNT]; /* while a file is read */
	uint32_t generation;
	uint64_t refused;
	uint64_t seed;
	uint16_t made_up[FG_CATEGORY_COUNT];
};

const char *const fg_catalog_paths[] = {
	"/etc/netify.d/netify-apps.conf",
	"/etc/netify.d/netify-categories.json",
	"/etc/netifyd/netify-apps.conf",
	"/etc/netifyd/netify-categories.json",
	NULL,
};

static const struct {
	uint8_t kind;
	uint16_t id;
	const char *tag;
} built_in[] = {
#define APPLICATION(id, tag)                                                   \
	{                                                                      \
		FG_CATEGORY_APPLICATION, id, tag                               \
	}
#define PROTOCOL(id, tag)                                                      \
	{                                                                      \
		FG_CATEGORY_PROTOCOL, id, tag                                  \
	}
	APPLICATION(1, "unclassified"),
	APPLICATION(2, "adult"),
	APPLICATION(3, "advertiser"),
	APPLICATION(4, "entertainment"),
	APPLICATION(5, "business"),
	APPLICATION(6, "education"),
	APPLICATION(9, "financial"),
	APPLICATION(10, "file-sharing"),
	APPLICATION(12, "games"),
	APPLICATION(13, "government"),
	APPLICATION(15, "mail"),
	APPLICATION(16, "malware"),
	APPLICATION(17, "messaging"),
	APPLICATION(18, "news"),
	APPLICATION(19, "portal"),
	APPLICATION(20, "recreation"),
	APPLICATION(21, "reference"),
	APPLICATION(23, "shopping"),
	APPLICATION(24, "social-media"),
	APPLICATION(26, "sports"),
	APPLICATION(27, "technology"),
	APPLICATION(28, "vpn-and-proxy"),
	APPLICATION(29, "streaming-media"),
	APPLICATION(30, "cybersecurity"),
	APPLICATION(31, "os-software-updates"),
	APPLICATION(32, "voip"),
	APPLICATION(33, "device-iot"),
	APPLICATION(34, "remote-desktop"),
	APPLICATION(35, "cdn"),
	APPLICATION(36, "hosting"),
	APPLICATION(37, "telco"),
	PROTOCOL(1, "unclassified"),
	PROTOCOL(2, "database"),
	PROTOCOL(4, "file-server"),
	PROTOCOL(5, "file-sharing"),
	PROTOCOL(7, "games"),
	PROTOCOL(9, "infrastructure"),
	PROTOCOL(11, "mail"),
	PROTOCOL(12, "media"),
	PROTOCOL(13, "media-provider"),
	PROTOCOL(14, "networking"),
	PROTOCOL(16, "proxy"),
	PROTOCOL(17, "authentication"),
	PROTOCOL(18, "remote-desktop"),
	PROTOCOL(20, "voip"),
	PROTOCOL(21, "vpn"),
	PROTOCOL(22, "web"),
	PROTOCOL(24, "messaging"),
	PROTOCOL(25, "printing"),
#undef APPLICATION
#undef PROTOCOL
};

/* ------------------------------------------------------------ learning */

static bool learn(struct fg_catalog *c, struct fg_names *names, uint32_t id,
		  struct fg_slice tag)
{
	int ret = fg_names_learn(names, id, tag);

	if (ret < 0)
		c->refused++;
	if (ret > 0)
		c->generation++;
	return ret > 0;
}

bool fg_catalog_learn(struct fg_catalog *c, enum fg_name kind, uint32_t id,
		      struct fg_slice tag)
{
	return learn(c, c->names[kind], id, tag);
}

static void learn_category(struct fg_catalog *c, enum fg_category kind,
			   uint16_t id, struct fg_slice tag)
{
	learn(c, c->categories[kind], id, tag);
}

uint32_t fg_catalog_generation(const struct fg_catalog *c)
{
	return c->generation;
}

uint64_t fg_catalog_refused(const struct fg_catalog *c)
{
	return c->refused;
}

int fg_catalog_new(struct fg_catalog **out, uint32_t max_names, uint64_t seed)
{
	struct fg_catalog *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->seed = seed;
	for (int i = 0; i < FG_NAME_COUNT; i++) {
		err = fg_names_new(&c->names[i], max_names ? max_names : 8192,
				   seed);
		if (err)
			goto fail;
	}
	for (int i = 0; i < FG_CATEGORY_COUNT; i++) {
		err = fg_names_new(&c->categories[i], CATEGORIES_MAX, seed);
		if (err)
			goto fail;
		c->made_up[i] = MADE_UP_FIRST;
	}
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		learn_category(
			c, built_in[i].kind, built_in[i].id,
			fg_slice(built_in[i].tag, strlen(built_in[i].tag)));
	*out = c;
	return 0;
fail:
	fg_catalog_free(c);
	return err;
}

void fg_catalog_free(struct fg_catalog *c)
{
	if (!c)
		return;
	for (int i = 0; i < FG_NAME_COUNT; i++)
		fg_names_free(c->names[i]);
	for (int i = 0; i < FG_CATEGORY_COUNT; i++) {
		fg_names_free(c->categories[i]);
		free(c->index[i].slots);
	}
	free(c);
}

/* --------------------------------------------------------------- files */

/* The slot of id, or the free one where it would be. */
static struct listed *index_slot(const struct fg_catalog *c,
				 const struct index *index, uint32_t id)
{
	size_t i = fg_hash(&id, sizeof(id), c->seed) & index->mask;

	while (index->slots[i].used && index->slots[i].id != id)
		i = (i + 1) & index->mask;
	return &index->slots[i];
}

static int file_begin(void *ctx, enum fg_category kind, size_t members)
{
	struct fg_catalog *c = ctx;
	struct index *index = &c->incoming[kind];
	size_t size = 16;

	while (size < 2 * members)
		size *= 2;
	index->mask = size - 1;
	index->slots = calloc(size, sizeof(*index->slots));
	return index->slots ? 0 : -ENOMEM;
}

static void file_application(void *ctx, uint32_t id, struct fg_slice tag)
{
	fg_catalog_learn(ctx, FG_NAME_APPLICATION, id, tag);
}

static void file_category(void *ctx, enum fg_category kind, uint16_t id,
			  struct fg_slice tag)
{
	learn_category(ctx, kind, id, tag);
}

static uint16_t file_category_id(void *ctx, enum fg_category kind,
				 struct fg_slice tag)
{
	struct fg_catalog *c = ctx;
	uint16_t id;

	if (fg_catalog_category_id(c, kind, tag, &id))
		return id;
	id = c->made_up[kind];
	if (id < UINT16_MAX)
		c->made_up[kind]++;
	learn_category(c, kind, id, tag);
	return id;
}

/* The first category that lists an id is its category. */
static void file_member(void *ctx, enum fg_category kind, uint16_t category,
			uint32_t id)
{
	struct fg_catalog *c = ctx;
	struct listed *slot = index_slot(c, &c->incoming[kind], id);

	if (!slot->used)
		*slot = (struct listed){id, category, 1};
}

static const struct fg_netify_sink file_sink = {
	.begin = file_begin,
	.application = file_application,
	.category = file_category,
	.category_id = file_category_id,
	.member = file_member,
};

int fg_catalog_load(struct fg_catalog *c, const char *path, char *err,
		    size_t errlen)
{
	int ret = fg_netify_read(path, &file_sink, c, err, errlen);

	for (int i = 0; i < FG_CATEGORY_COUNT; i++) {
		struct index *incoming = &c->incoming[i];

		if (!incoming->slots)
			continue;
		if (ret) {
			free(incoming->slots);
		} else {
			free(c->index[i].slots);
			c->index[i] = *incoming;
			c->generation++;
		}
		*incoming = (struct index){0};
	}
	return ret;
}

/* ------------------------------------------------------------- look-up */

uint32_t fg_catalog_count(const struct fg_catalog *c, enum fg_name kind)
{
	return fg_names_count(c->names[kind]);
}

const char *fg_catalog_name(const struct fg_catalog *c, enum fg_name kind,
			    uint32_t id)
{
	return fg_names_tag(c->names[kind], id);
}

bool fg_catalog_id(const struct fg_catalog *c, enum fg_name kind,
		   struct fg_slice tag, uint32_t *id)
{
	return fg_names_id(c->names[kind], tag, id);
}

bool fg_catalog_category_id(const struct fg_catalog *c, enum fg_category kind,
			    struct fg_slice tag, uint16_t *id)
{
	uint32_t v;

	if (!fg_names_id_exact(c->categories[kind], tag, &v))
		return false;
	*id = (uint16_t)v;
	return true;
}

const char *fg_catalog_category_name(const struct fg_catalog *c,
				     enum fg_category kind, uint16_t id)
{
	return fg_names_tag(c->categories[kind], id);
}

bool fg_catalog_category_of(const struct fg_catalog *c, enum fg_category kind,
			    uint32_t id, uint16_t *category)
{
	const struct listed *slot;

	if (!c->index[kind].slots)
		return false;
	slot = index_slot(c, &c->index[kind], id);
	if (!slot->used)
		return false;
	*category = slot->category;
	return true;
}

size_t fg_catalog_near(const struct fg_catalog *c, enum fg_name kind,
		       struct fg_slice tag, const char **out, size_t max)
{
	return fg_names_near(c->names[kind], tag, out, max);
}

const char *fg_catalog_category_near(const struct fg_catalog *c,
				     enum fg_category kind, struct fg_slice tag)
{
	const char *near;

	return fg_names_near(c->categories[kind], tag, &near, 1) ? near : NULL;
}
