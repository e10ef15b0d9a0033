/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema.h - what a set must be like, what it is like, and how to make it so.
 *
 * What nft itself stores with a set (user data that nft list needs) is stored
 * in those made here too: by libnftnl, which allocates, so that is for open().
 */
#ifndef FG_NFTSET_SCHEMA_H
#define FG_NFTSET_SCHEMA_H

#include "lease/key.h"
#include "netlink/socket.h"
#include "type.h"

struct fg_schema {
	uint8_t family; /* NFPROTO_* */
	const char *table;
	const char *set;
	struct fg_key_shape shape;
	enum fg_map map;
	uint32_t ttl_ms;
	uint32_t size; /* elements, of a set that is made here */
	bool counter;  /* each element has one, by the set's declaration */
};

/* A set as it is. */
struct fg_schema_found {
	uint64_t table_handle; /* the two tell it from a later one */
	uint64_t set_handle;
	uint32_t size; /* 0: unlimited */
	bool timeouts;
	uint64_t timeout_ms; /* the default of its elements; 0: none */
	bool counter;	     /* its elements have counters by themselves */
};

/* Room for any sentence about a set. */
#define FG_SCHEMA_WHY 768

/*
 * Looks the set up and compares it; allocates nothing. 0: it fits; -ENOENT: set
 * or table are not there; -EINVAL: it does not fit; else -errno of the look-up
 * (-EPERM). why says what is wrong and what to do, "" when it fits.
 */
int fg_schema_check(struct fg_nl *nl, const struct fg_schema *want,
		    struct fg_schema_found *found, char why[FG_SCHEMA_WHY]);

/*
 * The bytes of a transaction that makes table and set where they are missing,
 * of FG_SCHEMA_BYTES at most; *count: its sequence numbers from first on.
 * 0: no memory.
 */
#define FG_SCHEMA_BYTES 4096
size_t fg_schema_create(const struct fg_schema *want, uint32_t first,
			uint32_t *count, void *buf);
/* Likewise, one that empties the set. */
size_t fg_schema_flush(const struct fg_schema *want, uint32_t first,
		       uint32_t *count, void *buf);
/* The same as lines for nft -f, without newline; text of FG_SCHEMA_WHY. */
const char *fg_schema_create_table_text(const struct fg_schema *want,
					char *text);
const char *fg_schema_create_set_text(const struct fg_schema *want, char *text);

#endif
