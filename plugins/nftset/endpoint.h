/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.h - who else uses an endpoint: for "shared": "skip".
 *
 * Pure; sized once. Counts all flows of an endpoint (a key without the local
 * side) and those that are members. While there are others besides, the members
 * are to be struck instead, one by one. The way is one for all members of an
 * endpoint: when it should be the other one, that is remembered until the
 * caller has gone through all members and moved them.
 */
#ifndef FG_NFTSET_ENDPOINT_H
#define FG_NFTSET_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct fg_endpoints;

enum fg_way {
	FG_WAY_ELEMENT, /* the endpoint is in the set */
	FG_WAY_INSTEAD, /* its members are somewhere else */
};

/* max: flows. 0 or -ENOMEM; memory is touched as it is used. */
int fg_endpoints_new(struct fg_endpoints **out, uint32_t max, uint8_t key_len,
		     uint64_t seed);
void fg_endpoints_free(struct fg_endpoints *e);

/* Some flow of the endpoint appeared, or went. */
void fg_endpoint_flow(struct fg_endpoints *e, const uint8_t *key, bool there);

/*
 * A membership began or ended. flow: a number that is one flow's alone (it may
 * be a member more than once). Returns the way that is in force for it.
 */
enum fg_way fg_endpoint_join(struct fg_endpoints *e, const uint8_t *key,
			     uint64_t flow);
enum fg_way fg_endpoint_part(struct fg_endpoints *e, const uint8_t *key,
			     uint64_t flow);

/* Are there endpoints whose members must be moved? */
bool fg_endpoints_pending(const struct fg_endpoints *e);
/* The way in force, and the one that should be. */
void fg_endpoint_ways(const struct fg_endpoints *e, const uint8_t *key,
		      enum fg_way *is, enum fg_way *should);
/* All members of all endpoints go by the way that should be now. */
void fg_endpoints_moved(struct fg_endpoints *e);

struct fg_endpoint_counts {
	uint32_t endpoints; /* with members */
	uint32_t shared;    /* of those, with others besides */
	uint64_t moves;
};
void fg_endpoints_counts(const struct fg_endpoints *e,
			 struct fg_endpoint_counts *out);

#endif
