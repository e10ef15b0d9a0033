/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * catalog.h - names <-> ids of applications, protocols and categories.
 *
 * Three sources of names, the later one winning: a small built-in table of
 * categories, Netify's files on disk, and what the agent says. Ids in messages
 * always win over names. Sized at start; learning allocates nothing.
 */
#ifndef FG_FLOW_CATALOG_H
#define FG_FLOW_CATALOG_H

#include <flowgate/plugin.h>

struct fg_catalog;

/* max_names: of each kind; 0: 8192. 0, -EINVAL (over 2^24) or -ENOMEM. */
int fg_catalog_new(struct fg_catalog **out, uint32_t max_names, uint64_t seed);
void fg_catalog_free(struct fg_catalog *c);

/*
 * Reads one of Netify's files, told apart by content: netify-apps.conf or
 * netify-categories.json. 0, or -errno with a sentence in err (file and line).
 * A file with an error changes nothing.
 */
int fg_catalog_load(struct fg_catalog *c, const char *path, char *err,
		    size_t errlen);
/* The default places, v4 and v5; those that are absent are no error. */
extern const char *const fg_catalog_paths[]; /* NULL-terminated */

/* True when this name or id was new: the policy may have to look again. */
bool fg_catalog_learn(struct fg_catalog *c, enum fg_name kind, uint32_t id,
		      struct fg_slice tag);
/* Counts every change that could make a name resolve differently. */
uint32_t fg_catalog_generation(const struct fg_catalog *c);
/* Names not learnt: the catalog was full, or the name longer than 83 bytes. */
uint64_t fg_catalog_refused(const struct fg_catalog *c);

/* How many names of a kind there are: 0 until files or an agent gave some. */
uint32_t fg_catalog_count(const struct fg_catalog *c, enum fg_name kind);

/* NULL when not known. Valid until the id is learnt with another name. */
const char *fg_catalog_name(const struct fg_catalog *c, enum fg_name kind,
			    uint32_t id);
/*
 * Applications: the full tag, or the part after its first dot, without regard
 * to case, "netify." or not; protocols without regard to case.
 */
bool fg_catalog_id(const struct fg_catalog *c, enum fg_name kind,
		   struct fg_slice tag, uint32_t *id);
bool fg_catalog_category_id(const struct fg_catalog *c, enum fg_category kind,
			    struct fg_slice tag, uint16_t *id);
const char *fg_catalog_category_name(const struct fg_catalog *c,
				     enum fg_category kind, uint16_t id);
/* From netify-categories.json: the category of an application or protocol. */
bool fg_catalog_category_of(const struct fg_catalog *c, enum fg_category kind,
			    uint32_t id, uint16_t *category);

/* Nearest known names, best first, at most 8; returns how many. */
size_t fg_catalog_near(const struct fg_catalog *c, enum fg_name kind,
		       struct fg_slice tag, const char **out, size_t max);
const char *fg_catalog_category_near(const struct fg_catalog *c,
				     enum fg_category kind,
				     struct fg_slice tag);

#endif
