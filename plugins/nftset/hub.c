/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hub.c - what all sets of a process share. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "hub.h"
#include "probe.h"
#include "set.h"

/* How many addresses to try before giving up on a free one. */
#define PORTIDS 256

struct fg_hub {
	unsigned refs;
	struct fg_nl *query;
	struct fg_set *sets;
	struct fg_caps caps;
	bool probed;
	/*
	 * All sockets here have addresses that differ in the lowest byte alone,
	 * so that a socket filter knows them from others. The kernel gives out
	 * process ids (22 bits) and numbers near 2^32: nothing in between.
	 */
	uint32_t portid;
	uint8_t next;
};

static struct fg_hub *the_hub;

int fg_hub_socket(struct fg_hub *hub, struct fg_nl **out)
{
	int err = -EADDRINUSE;

	for (int i = 0; err == -EADDRINUSE && i < PORTIDS; i++)
		err = fg_nl_open(out, hub->portid | hub->next++);
	return err;
}

int fg_hub_get(struct fg_hub **out)
{
	struct fg_hub *hub = the_hub;
	int err;

	if (hub) {
		hub->refs++;
		*out = hub;
		return 0;
	}
	hub = calloc(1, sizeof(*hub));
	if (!hub)
		return -ENOMEM;
	if (getrandom(&hub->portid, sizeof(hub->portid), GRND_NONBLOCK) < 0)
		hub->portid = 0x55aa5500;
	hub->portid = (hub->portid & 0x3fffff00) | 0x40000000;
	hub->refs = 1;
	err = fg_hub_socket(hub, &hub->query);
	if (err) {
		free(hub);
		return err;
	}
	the_hub = hub;
	*out = hub;
	return 0;
}

void fg_hub_put(struct fg_hub *hub)
{
	if (!hub || --hub->refs)
		return;
	fg_nl_close(hub->query);
	free(hub);
	the_hub = NULL;
}

struct fg_nl *fg_hub_query(struct fg_hub *hub)
{
	return hub->query;
}

int fg_hub_caps(struct fg_hub *hub, struct fg_caps *out)
{
	int err = 0;

	if (!hub->probed)
		err = fg_probe(hub->query, &hub->caps);
	hub->probed = !err;
	*out = hub->caps;
	return err;
}

void fg_hub_add(struct fg_hub *hub, struct fg_set *set)
{
	*fg_set_link(set) = hub->sets;
	hub->sets = set;
}

void fg_hub_remove(struct fg_hub *hub, struct fg_set *set)
{
	struct fg_set **link = &hub->sets;

	while (*link != set)
		link = fg_set_link(*link);
	*link = *fg_set_link(set);
}

struct fg_set *fg_hub_first(const struct fg_hub *hub)
{
	return hub->sets;
}
