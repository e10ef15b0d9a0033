/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.h - the ids of a flow -> the actions that ask for them.
 *
 * Actions are bits of sets that the caller has. Filling it again allocates
 * nothing, so that it can follow what names mean.
 */
#ifndef FG_POLICY_INDEX_H
#define FG_POLICY_INDEX_H

#include "criteria.h"

struct fg_index;

int fg_index_new(struct fg_index **out, size_t max_keys); /* 0 or -ENOMEM */
void fg_index_free(struct fg_index *x);

void fg_index_clear(struct fg_index *x);
/* At most max_keys since it was cleared. exact: the key is all it takes. */
void fg_index_add(struct fg_index *x, enum fg_key_kind kind, uint32_t id,
		  uint32_t action, bool exact);

/*
 * Sets the bits of the actions found by the flow's ids; exact: a part of it.
 * False: there are none.
 */
bool fg_index_find(const struct fg_index *x, const struct fg_view *v,
		   uint64_t *found, uint64_t *exact);

#endif
