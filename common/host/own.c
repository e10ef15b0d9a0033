/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own.c - the addresses of the gateway, by getifaddrs() and rtnetlink. */
#include "own.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate.h"
#include "setup.h"

/* Many more than a gateway has; the rest would be left out, and that is said */
#define OWN_MAX 1024
/* An interface that comes up brings several changes: read them once. */
#define SETTLE_MS 50

struct list {
	uint8_t addrs[OWN_MAX][16];
	size_t count;
};

/* IPv4 and IPv6 */
struct addresses {
	struct list v[2];
};

struct fg_own {
	struct fg_gate *gate;
	struct fg_watch watch;
	struct fg_timer settle;
	struct addresses now;
	struct addresses before; /* while they change */
};

static void add(struct fg_own *own, struct list *l, const void *addr, size_t n)
{
	if (l->count == OWN_MAX) {
		fg_log_say(own->gate->log, FG_LOG_WARNING,
			   "this machine has more than %d addresses: the rest "
			   "is not on the never list",
			   OWN_MAX);
		return;
	}
	memset(l->addrs[l->count], 0, 16);
	memcpy(l->addrs[l->count++], addr, n);
}

static int read_addresses(struct fg_own *own)
{
	struct list *v = own->now.v;
	struct ifaddrs *all, *a;

	if (getifaddrs(&all) < 0)
		return -errno;
	v[0].count = v[1].count = 0;
	for (a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			add(own, &v[0],
			    &((struct sockaddr_in *)a->ifa_addr)->sin_addr, 4);
		else if (a->ifa_addr->sa_family == AF_INET6)
			add(own, &v[1],
			    &((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr,
			    16);
	}
	freeifaddrs(all);
	return 0;
}

static bool has(const struct list *l, const uint8_t addr[16])
{
	for (size_t i = 0; i < l->count; i++)
		if (!memcmp(l->addrs[i], addr, 16))
			return true;
	return false;
}

static bool same(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!has(b, a->addrs[i]))
			return false;
	return a->count == b->count;
}

/* Is one of its addresses ours now and was not, or the other way round? */
static bool is_changing(const void *ctx, const struct fg_flow *f)
{
	const struct fg_own *own = ctx;
	unsigned v = f->ip_version == 6;
	const struct list *now = &own->now.v[v], *before = &own->before.v[v];

	return has(now, f->local_addr) != has(before, f->local_addr) ||
	       has(now, f->other_addr) != has(before, f->other_addr);
}

void fg_own_tell(const struct fg_own *own, struct fg_policy *policy)
{
	const struct list *v = own->now.v;

	fg_policy_never_own(policy, 4, v[0].addrs, v[0].count);
	fg_policy_never_own(policy, 6, v[1].addrs, v[1].count);
}

static void settled(struct fg_timer *timer, int64_t now)
{
	struct fg_own *own = timer->ctx;
	struct fg_gate *g = own->gate;

	(void)now;
	own->before = own->now;
	if (read_addresses(own) < 0) {
		own->now = own->before;
		return;
	}
	if (!g->setup || (same(&own->now.v[0], &own->before.v[0]) &&
			  same(&own->now.v[1], &own->before.v[1])))
		return;
	fg_membership_suspend(g->membership, is_changing, own,
			      FG_REASON_REKEYED);
	fg_own_tell(own, fg_setup_policy(g->setup));
	fg_membership_resume(g->membership, is_changing, own,
			     FG_REASON_REKEYED);
	fg_setup_never_changed(g->setup);
}

static void changed(struct fg_watch *watch, uint32_t events)
{
	struct fg_own *own = watch->ctx;
	char ignored[4096];

	(void)events;
	/* That something changed is enough, also when some were lost. */
	while (recv(watch->fd, ignored, sizeof(ignored), MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS)
		;
	fg_loop_timer_set(own->gate->loop, &own->settle,
			  fg_loop_now(own->gate->loop) + SETTLE_MS);
}

int fg_own_new(struct fg_own **out, struct fg_gate *g)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK,
				   .nl_groups = RTMGRP_IPV4_IFADDR |
						RTMGRP_IPV6_IFADDR};
	struct fg_own *own = calloc(1, sizeof(*own));
	int ret;

	if (!own)
		return -ENOMEM;
	own->gate = g;
	own->settle.expired = settled;
	own->settle.ctx = own;
	own->watch.events = EPOLLIN;
	own->watch.ready = changed;
	own->watch.ctx = own;
	own->watch.fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       NETLINK_ROUTE);
	/* Listen first: nothing may change between reading and listening. */
	if (own->watch.fd < 0 ||
	    bind(own->watch.fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		ret = -errno;
		goto fail;
	}
	ret = read_addresses(own);
	if (ret < 0)
		goto fail;
	ret = fg_loop_watch(g->loop, &own->watch);
	if (ret < 0)
		goto fail;
	*out = own;
	return 0;

fail:
	if (own->watch.fd >= 0)
		close(own->watch.fd);
	free(own);
	return ret;
}

void fg_own_free(struct fg_own *own)
{
	if (!own)
		return;
	fg_loop_timer_cancel(own->gate->loop, &own->settle);
	fg_loop_unwatch(own->gate->loop, &own->watch);
	close(own->watch.fd);
	free(own);
}
