/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * detail.h - the text of flows: attributes of storage class DETAIL.
 *
 * What a flow says in such attributes is one immutable blob, and equal blobs
 * are one, with a count of who refers to it. A detail is a number; 0 is "says
 * nothing". Nothing is allocated after fg_detail_store_new().
 */
#ifndef FG_FLOW_DETAIL_H
#define FG_FLOW_DETAIL_H

#include <flowgate/plugin.h>

struct fg_detail_store;

/* One text is kept up to this, cut at a character; a longer list is not. */
#define FG_DETAIL_TEXT_MAX 2048

/* 0, -EINVAL (more than 32 GiB), -ENOMEM. */
int fg_detail_store_new(struct fg_detail_store **out, size_t bytes,
			uint64_t seed);
void fg_detail_store_free(struct fg_detail_store *s);

/* Does m say anything of this class? */
bool fg_detail_in(const struct fg_message *m);

/*
 * What old (0: nothing) becomes with what m says. The caller's reference to
 * old is used up, and it owns one to the result. When there is no room, the
 * result is old, and what m says is left out and counted.
 */
uint32_t fg_detail_update(struct fg_detail_store *s, uint32_t old,
			  const struct fg_message *m);
void fg_detail_release(struct fg_detail_store *s, uint32_t detail);

/* Text points into the blob. False: not said, or not of this class. */
bool fg_detail_get(const struct fg_detail_store *s, uint32_t detail,
		   enum fg_attr attr, union fg_value *out);

/* bytes taken, and attributes or blobs that were left out */
void fg_detail_counts(const struct fg_detail_store *s, uint64_t *used,
		      uint64_t *dropped);

#endif
