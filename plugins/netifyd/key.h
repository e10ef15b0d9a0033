/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * key.h - the keys of a message: FG_ATTRIBUTES, and a few more, to be found by
 * the object they are in and their name.
 */
#ifndef FG_NETIFYD_KEY_H
#define FG_NETIFYD_KEY_H

#include <flowgate/plugin.h>

#include "message.h"

/* What a key is of: an attribute, or one of these. */
enum fg_subject {
	FG_SUBJECT_TYPE = FG_ATTR_COUNT,
	FG_SUBJECT_DIGEST,
	FG_SUBJECT_PARTS, /* from here on: enum fg_part */
	FG_SUBJECT_NODES = FG_SUBJECT_PARTS + FG_PART_COUNT, /* by number */
	FG_SUBJECT_MAX = FG_SUBJECT_NODES + 32,
};

/* A kind beyond enum fg_kind: an object that is taken as a whole. */
#define FG_KIND_OBJECT 64

/* Nodes: objects that hold keys. */
#define FG_NODE_NONE 0 /* nothing in it is known */
#define FG_NODE_ROOT 1

#define FG_KEY_MAX  192
#define FG_KEY_SIZE 32 /* of "name": with its quotes and colon */

/*
 * followers: the two keys that came after it lately, known or not (then they
 * match no text). An agent writes its keys in one order, some of them not
 * always: nearly all are found by comparing one or two.
 */
struct fg_key {
	struct fg_key *followers[2];
	uint64_t text[FG_KEY_SIZE / 8]; /* "name": and zeroes */
	uint64_t mask[FG_KEY_SIZE / 8]; /* ones where text has a byte */
	uint8_t len;			/* of it, quotes and colon included */
	uint8_t parent;			/* node that it is in */
	uint8_t node;			/* node that its value is, or NONE */
	uint8_t kind;			/* enum fg_kind, of an attribute */
	uint16_t subject;
};

struct fg_keys;

/* 0, or -ENOMEM. */
int fg_keys_new(struct fg_keys **out);
void fg_keys_free(struct fg_keys *k);

/* name is without its quotes. NULL: nobody asks for it. */
struct fg_key *fg_keys_find(struct fg_keys *k, unsigned parent,
			    const char *name, size_t len);
/* What is before the first key: no key, but it has followers. */
struct fg_key *fg_keys_begin(struct fg_keys *k);
/* key came after last. */
void fg_key_follow(struct fg_key *last, struct fg_key *key);

#endif
