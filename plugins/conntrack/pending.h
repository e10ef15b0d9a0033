/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pending.h - changes that wait to be sent, at most one a connection, in the
 * order in which their connections first came.
 *
 * A later change of a connection that still waits takes the place of the
 * earlier: within a burst only the last one counts. Sized once.
 */
#ifndef FG_CONNTRACK_PENDING_H
#define FG_CONNTRACK_PENDING_H

#include "message.h"

enum fg_change_kind {
	FG_CHANGE_SET,
	FG_CHANGE_CLEAR,
	FG_CHANGE_KILL,
};

struct fg_change {
	struct fg_tuple tuple; /* the key; not to be changed */
	uint64_t owner;	       /* which flow wants it */
	uint64_t serial;       /* when it was put or replaced */
	int64_t due;	       /* monotonic ms; 0: at once */
	enum fg_change_kind kind;
	uint32_t id; /* valid with has_id */
	uint8_t has_id;
	uint8_t reversed; /* the other direction is tried */
	uint8_t tries;	  /* after failures that pass */
	union {
		uint32_t mark;
		struct fg_labels labels;
	} to;
};

struct fg_pending;

/* 0 or -ENOMEM. Memory is touched only as changes come. */
int fg_pending_new(struct fg_pending **out, uint32_t max);
void fg_pending_free(struct fg_pending *p);

/*
 * The change of the connection, new ones (all zero but the tuple) at the end;
 * NULL when it is full. Valid until the next call.
 */
struct fg_change *fg_pending_put(struct fg_pending *p,
				 const struct fg_tuple *key);
/* The one that waits, or NULL. */
struct fg_change *fg_pending_find(struct fg_pending *p,
				  const struct fg_tuple *key);
/* The oldest, or NULL. */
struct fg_change *fg_pending_first(struct fg_pending *p);
void fg_pending_remove(struct fg_pending *p, struct fg_change *change);
uint32_t fg_pending_count(const struct fg_pending *p);

#endif
