/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - the configuration of an nftset target, read and checked. */
#ifndef FG_NFTSET_OPTIONS_H
#define FG_NFTSET_OPTIONS_H

#include "lease/scope.h"
#include "set.h"

/* What to do with an endpoint that others use, too. */
enum fg_shared { FG_SHARED_ALLOW, FG_SHARED_SKIP };

struct fg_options {
	struct fg_set_options set; /* schema.set and .shape are per version */
	const char *set_name;
	bool ipv4;
	bool ipv6;
	uint8_t field[FG_KEY_FIELDS_MAX];
	size_t fields;
	struct fg_scope scope;
	bool has_data; /* the target has data of its own */
	uint32_t data;
	enum fg_shared shared;
	const char *else_name;	       /* or NULL */
	const struct fg_node *at_type; /* for errors about the key */
};

/* 0 or -EINVAL, said. Text points into the configuration. */
int fg_options_read(struct fg_options *out, const struct fg_host *host,
		    const struct fg_node *cfg);

/*
 * "data" of object (a target or an override). 1: read; 0: absent; -EINVAL,
 * said. map FG_MAP_NONE: any kind, which is then stored there; else it must be
 * that kind.
 */
int fg_options_data(const struct fg_host *host, const struct fg_node *object,
		    enum fg_map *map, uint32_t *data);

#endif
