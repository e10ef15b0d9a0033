/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * type.h - the types of keys and data, maps and families: nft's names, and the
 * numbers that the kernel keeps of them.
 */
#ifndef FG_NFTSET_TYPE_H
#define FG_NFTSET_TYPE_H

#include "lease/key.h"

/* nft's own numbers of data types, six bits each in a set's key type. */
#define FG_TYPE_BITS 6
#define FG_TYPE_MASK ((1u << FG_TYPE_BITS) - 1)
/* five of them fit into the 32 bits that the kernel keeps */
#define FG_TYPES_KEPT 5

#define FG_TYPE_INVALID 0
#define FG_TYPE_INTEGER 4
#define FG_TYPE_MARK	19
#define FG_TYPE_CLASSID 23

/* "ipv4_addr", "?" for what is not known; and back, FG_TYPE_INVALID. */
const char *fg_type_name(uint32_t type);
uint32_t fg_type_number(const char *name);
/* The types of its fields, as far as they fit. */
uint32_t fg_type_of_key(const struct fg_key_shape *s);

/* What a map leads to. */
enum fg_map {
	FG_MAP_NONE, /* a set */
	FG_MAP_MARK,
	FG_MAP_CLASSID,
	FG_MAP_VERDICT,
	FG_MAP_COUNT
};

/* "inet", "ip", "ip6", "bridge", "arp", "netdev", or NULL. */
const char *fg_family_name(uint8_t family);
/* NFPROTO_*, or -1; names: all of them, for "did you mean". */
int fg_family(const char *name);
const char *const *fg_family_names(size_t *count);
/* "mark", "classid", "verdict" */
const char *fg_map_name(enum fg_map map);
/* What the kernel keeps of it: type and bytes of the data. */
uint32_t fg_map_type(enum fg_map map);
uint32_t fg_map_len(enum fg_map map);

#endif
