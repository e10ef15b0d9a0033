/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hub.c - what all sets of a process share. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <libmnl/libmnl.h>

#include "hub.h"
#include "monitor.h"
#include "probe.h"
#include "set.h"

/* How many addresses to try before giving up on a free one. */
#define PORTIDS 256
/* Datagrams in one turn of the loop; the kernel makes them up to 4 KiB. */
#define READS 256

/*
 * How many elements are too many for a listener. It doubles what a transaction
 * of one element takes, 5 us in each of 600 a second; without it, what others
 * do is noticed a tenth of a second later, and only that they did something.
 * Where they do, it stays up to 6,400 a second, of which it costs half a
 * percent of a CPU. It is back when there were less than half of either.
 */
#define WINDOW_MS    20
#define POLL_MS	     100
#define POLL_BUSY_MS 10
#define ALONE_MS     10000 /* without others: then nobody is expected */

static const struct load {
	size_t window; /* more than these in WINDOW_MS: stop listening */
	size_t poll;   /* not more than these in POLL_MS: listen again */
} alone = {12, 30}, among_others = {128, 320};

enum mode {
	LISTENING,
	LEAVING, /* after the transaction in flight */
	POLLING,
};

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
	enum mode mode;
	struct fg_timer timer;
	uint32_t generation; /* as of the last look */
	uint32_t commits;    /* our own since then */
	unsigned flights;    /* transactions */
	int64_t others;	     /* when they last did something */
	int64_t window;	     /* its beginning */
	size_t in_window;    /* elements */
	size_t since_poll;
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
	hub->others = hub->host->now(hub->host);
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

/* ---------------------------------------------------------- under load */

static int read_generation(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	uint32_t *id = ctx;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			*id = ntohl(mnl_attr_get_u32(attr));
	return 0;
}

static int generation(struct fg_hub *hub, uint32_t *id)
{
	_Alignas(struct nlmsghdr) char buf[64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	*id = 0;
	return fg_nl_request(hub->query, nlh, read_generation, id);
}

static const struct load *load(const struct fg_hub *hub, int64_t now)
{
	return now - hub->others < ALONE_MS ? &among_others : &alone;
}

/*
 * Who commits holds a lock until its notifications are sent. So whatever is
 * part of the generation that is read before a transaction of ours has been
 * told when that is through; only then it is safe to stop listening.
 */
void fg_hub_sending(struct fg_hub *hub, size_t elements, int64_t now)
{
	if (now - hub->window >= WINDOW_MS) {
		hub->window = now;
		hub->in_window = 0;
	}
	hub->in_window += elements;
	hub->since_poll += elements;
	if (hub->mode == LISTENING && hub->in_window > load(hub, now)->window &&
	    !hub->flights && hub->host &&
	    generation(hub, &hub->generation) == 0) {
		hub->mode = LEAVING;
		hub->commits = 0;
	}
	hub->flights++;
}

void fg_hub_sent(struct fg_hub *hub, bool committed)
{
	hub->flights--;
	hub->commits += committed;
	if (hub->mode != LEAVING)
		return;
	hub->mode = LISTENING;
	if (!hub->host || fg_nl_leave(hub->monitor, NFNLGRP_NFTABLES) < 0)
		return;
	hub->mode = POLLING;
	hub->since_poll = 0;
	hub->host->timer_set(hub->host, &hub->timer,
			     hub->host->now(hub->host) + POLL_MS);
}

/* Did others do anything since the last look? */
static bool look(struct fg_hub *hub)
{
	uint32_t id, expected = hub->generation + hub->commits;
	bool quiet;

	/*
	 * One of ours that changed nothing did not count: then the number is
	 * too low, and nobody can tell.
	 */
	quiet = generation(hub, &id) == 0 && id == expected;
	hub->generation = id;
	hub->commits = 0;
	return !quiet;
}

static void poll_expired(struct fg_timer *timer, int64_t now)
{
	struct fg_hub *hub = timer->ctx;
	bool few, others;

	if (hub->flights) {
		hub->host->timer_set(hub->host, timer, now + POLL_BUSY_MS);
		return;
	}
	few = hub->since_poll <= load(hub, now)->poll;
	if (few && fg_nl_listen(hub->monitor, NFNLGRP_NFTABLES, NULL, 0) == 0)
		hub->mode = LISTENING;
	others = look(hub);
	if (others)
		hub->others = now;
	hub->since_poll = 0;
	if (hub->mode == POLLING)
		hub->host->timer_set(hub->host, timer, now + POLL_MS);
	if (others)
		for (struct fg_set *s = hub->sets; s; s = *fg_set_link(s))
			fg_set_events_over(s, true);
}

static int listen_on(struct fg_hub *hub, const struct fg_host *host)
{
	int err;

	hub->watch = (struct fg_watch){.fd = fg_nl_fd(hub->monitor),
				       .events = EPOLLIN,
				       .ready = ready,
				       .ctx = hub};
	hub->timer = (struct fg_timer){.expired = poll_expired, .ctx = hub};
	err = host->watch(host, &hub->watch);
	hub->host = err ? NULL : host;
	if (!err && hub->mode == POLLING)
		host->timer_set(host, &hub->timer, host->now(host) + POLL_MS);
	return err;
}

static void stop_listening(struct fg_hub *hub)
{
	hub->host->timer_cancel(hub->host, &hub->timer);
	hub->host->unwatch(hub->host, &hub->watch);
	hub->host = NULL;
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

	if (hub->host && hub->host != host)
		return;
	if (hub->host)
		stop_listening(hub);
	while (s && fg_set_host(s) == host)
		s = *fg_set_link(s);
	if (s)
		listen_on(hub, fg_set_host(s));
}

int fg_hub_add(struct fg_hub *hub, struct fg_set *set)
{
	int err = 0;

	/* a check ends before anything could happen, and may lack the rights */
	if (fg_set_host(set)->flags & FG_HOST_CHECK)
		;
	else if (!hub->monitor)
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
	if (!hub->sets && hub->host)
		stop_listening(hub);
}

struct fg_set *fg_hub_first(const struct fg_hub *hub)
{
	return hub->sets;
}
