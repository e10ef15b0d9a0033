/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * appset.h - a set of applications, some of which nobody has heard of yet.
 *
 * Filled with tags and ids, then sealed; from then on a question costs a binary
 * search, and learning allocates nothing.
 */
#ifndef FG_POLICY_APPSET_H
#define FG_POLICY_APPSET_H

#include "../flow/catalog.h"

struct fg_appset;

int fg_appset_new(struct fg_appset **out); /* 0 or -ENOMEM */
void fg_appset_free(struct fg_appset *s);

/* An application by tag (copied), or by id where tag is NULL; 0 or -ENOMEM. */
int fg_appset_add(struct fg_appset *s, const char *tag, uint32_t id);
int fg_appset_add_set(struct fg_appset *s, const struct fg_appset *other);
int fg_appset_seal(struct fg_appset *s, const struct fg_catalog *catalog);
/* Looks the tags up again; true when some id is another. */
bool fg_appset_learn(struct fg_appset *s, const struct fg_catalog *catalog);

bool fg_appset_has(const struct fg_appset *s, uint32_t id);
/* Those whose ids are known, in order. */
size_t fg_appset_ids(const struct fg_appset *s, const uint32_t **ids);
/* How many there are at most, once all are known. */
size_t fg_appset_size(const struct fg_appset *s);

#endif
