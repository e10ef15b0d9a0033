/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.h - the flows of a script: each has a name, and is set key by key.
 */
#ifndef DRIVER_FLOW_H
#define DRIVER_FLOW_H

#include <flowgate/plugin.h>

#define FLOWS_MAX   4096
#define TARGETS_MAX 16

struct extra { /* an attribute that struct fg_flow has no room for */
	enum fg_attr attr;
	union fg_value value;
	char *text; /* owned */
};

struct flow {
	struct fg_flow f; /* first: targets hand back a pointer to it */
	char id[64];
	struct extra extra[8];
	int extras;
	/* the member that it entered each target by; action NULL: not in */
	struct fg_member member[TARGETS_MAX];
};

struct flows {
	struct flow *flow;
	int count;
	char *interface[32]; /* the first is "" */
	int interfaces;
};

bool flows_init(struct flows *fs);
void flows_free(struct flows *fs);

/* NULL: there is none, or no room for it. A new one is of TCP, from inside. */
struct flow *flow_named(struct flows *fs, const char *id, bool create);
/* The one that a target means; NULL: it is not of ours. */
struct flow *flow_of(const struct flows *fs, const struct fg_flow *f);
/* "KEY=VALUE", which is taken apart. False: not understood. */
bool flow_set(struct flows *fs, struct flow *flow, char *text);
bool flow_get(const struct flow *flow, enum fg_attr attr, union fg_value *out);

#endif
