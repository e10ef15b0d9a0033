/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hub.c - what all sets of a process share. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include <linux/netlink.h>

#include "hub.h"
#include "monitor.h"
#include "probe.h"
#include "set.h"

/* How many addresses to try before giving up on a free one. */
#define PORTIDS 256
/* Datagrams in one turn of the loop; the kernel makes them up to 4 KiB. */
#define READS 256

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
	struct fg_nl *monitor;
	struct fg_watch watch;
	const struct fg_host *host; /* that watches; NULL: none does */
	_Alignas(struct nlmsghdr) char buf[32768];
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
	fg_nl_close(hub->monitor);
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

/* ----------------------------------------------------------- listening */

static void event(void *ctx, const struct fg_monitor_event *e)
{
	struct fg_hub *hub = ctx;

	for (struct fg_set *s = hub->sets; s; s = *fg_set_link(s))
		fg_set_event(s, e);
}

static void ready(struct fg_watch *watch, uint32_t events)
{
	struct fg_hub *hub = watch->ctx;
	bool lost = false;

	(void)events;
	for (int i = 0; i < READS; i++) {
		ssize_t n =
			fg_nl_receive(hub->monitor, hub->buf, sizeof(hub->buf));

		if (n == 0)
			break;
		if (n > 0)
			fg_monitor_parse(hub->buf, (size_t)n, event, hub);
		else
			lost = true;
	}
	for (struct fg_set *s = hub->sets; s; s = *fg_set_link(s))
		fg_set_events_over(s, lost);
}

static int listen_on(struct fg_hub *hub, const struct fg_host *host)
{
	int err;

	hub->watch = (struct fg_watch){.fd = fg_nl_fd(hub->monitor),
				       .events = EPOLLIN,
				       .ready = ready,
				       .ctx = hub};
	err = host->watch(host, &hub->watch);
	hub->host = err ? NULL : host;
	return err;
}

static int start_listening(struct fg_hub *hub, const struct fg_host *host)
{
	int err = fg_hub_socket(hub, &hub->monitor);

	if (!err)
		err = fg_monitor_listen(hub->monitor, hub->portid);
	if (!err)
		err = listen_on(hub, host);
	if (err) {
		fg_nl_close(hub->monitor);
		hub->monitor = NULL;
	}
	return err;
}

void fg_hub_host_gone(struct fg_hub *hub, const struct fg_host *host)
{
	struct fg_set *s = hub->sets;

	if (hub->host != host)
		return;
	host->unwatch(host, &hub->watch);
	hub->host = NULL;
	while (s && fg_set_host(s) == host)
		s = *fg_set_link(s);
	if (s)
		listen_on(hub, fg_set_host(s));
}

int fg_hub_add(struct fg_hub *hub, struct fg_set *set)
{
	int err = 0;

	if (!hub->monitor)
		err = start_listening(hub, fg_set_host(set));
	else if (!hub->host)
		err = listen_on(hub, fg_set_host(set));
	if (err)
		return err;
	*fg_set_link(set) = hub->sets;
	hub->sets = set;
	return 0;
}

void fg_hub_remove(struct fg_hub *hub, struct fg_set *set)
{
	struct fg_set **link = &hub->sets;

	while (*link && *link != set)
		link = fg_set_link(*link);
	if (*link)
		*link = *fg_set_link(set);
	if (!hub->sets && hub->host) {
		hub->host->unwatch(hub->host, &hub->watch);
		hub->host = NULL;
	}
}

struct fg_set *fg_hub_first(const struct fg_hub *hub)
{
	return hub->sets;
}
