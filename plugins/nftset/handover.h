/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover.h - the leases that one run leaves to the next, as bytes.
 *
 * Pure. The bytes are for the same machine and boot only: they are in its byte
 * order, and times are of its boot clock, which no one can set.
 */
#ifndef FG_NFTSET_HANDOVER_H
#define FG_NFTSET_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What both runs must agree on. */
struct fg_handover {
	uint32_t key_len;
	uint32_t map; /* enum fg_map */
	uint64_t table_handle;
	uint64_t set_handle;
	int64_t boot_ms; /* when it was written; when it is read */
};

struct fg_handover_lease {
	const uint8_t *key;
	uint32_t data;
	uint32_t left_ms; /* to live, when it was written; when it is read */
	bool held;	  /* else it lingered */
};

size_t fg_handover_size(const struct fg_handover *h, size_t leases);
/* A writer: begin, any number of puts, end; buf has fg_handover_size(). */
struct fg_handover_writer {
	uint8_t *buf;
	size_t len;
	uint32_t count;
	uint32_t key_len;
};
void fg_handover_begin(struct fg_handover_writer *w, void *buf,
		       const struct fg_handover *h);
void fg_handover_put(struct fg_handover_writer *w,
		     const struct fg_handover_lease *lease);
/* Returns the bytes in use. */
size_t fg_handover_end(struct fg_handover_writer *w);

/*
 * Calls each() for every lease that still has time to live, which may be none.
 * 0, or why nothing was read: -EILSEQ (damaged, or of another version), -ESTALE
 * (of another set or boot). Any bytes are safe.
 */
int fg_handover_read(const void *buf, size_t len, const struct fg_handover *now,
		     void (*each)(void *ctx,
				  const struct fg_handover_lease *lease),
		     void *ctx);

#endif
