/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h - one kind of names: ids <-> tags, both ways by hash.
 *
 * Nothing is allocated after fg_names_new(). An id has one tag, the one that
 * was said last; of several ids with one tag, the last one said is found.
 */
#ifndef FG_FLOW_NAMES_H
#define FG_FLOW_NAMES_H

#include <flowgate/plugin.h>

struct fg_names;

/* A tag is at most this long, with its NUL. */
#define FG_NAME_MAX 84

/* 0, -EINVAL, -ENOMEM. Memory is touched only as names come. */
int fg_names_new(struct fg_names **out, uint32_t max, uint64_t seed);
void fg_names_free(struct fg_names *t);

/* 1: new, or another tag for id; 0: known; -ENOSPC: full, or tag too long. */
int fg_names_learn(struct fg_names *t, uint32_t id, struct fg_slice tag);

uint32_t fg_names_count(const struct fg_names *t);
/* NULL when not known. Valid until the id gets another tag. */
const char *fg_names_tag(const struct fg_names *t, uint32_t id);
/*
 * Without regard to case: the whole tag; else with or without "netify."; else
 * the part after the first dot of a known tag.
 */
bool fg_names_id(const struct fg_names *t, struct fg_slice tag, uint32_t *id);
/* With regard to case: the whole tag, with or without "netify.". */
bool fg_names_id_exact(const struct fg_names *t, struct fg_slice tag,
		       uint32_t *id);

/* Tags nearest to a mistyped one, best first, at most 8; returns how many. */
size_t fg_names_near(const struct fg_names *t, struct fg_slice tag,
		     const char **out, size_t max);

#endif
