/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hub.h - what all sets of a process share: what the kernel can do, a socket to
 * ask it, and the list of sets by name.
 *
 * The ABI has no place for what belongs to a plugin rather than to a target, so
 * this is the one thing here that lives in a static variable; it is there from
 * the first get() to the last put().
 */
#ifndef FG_NFTSET_HUB_H
#define FG_NFTSET_HUB_H

#include "batch.h"
#include "netlink/socket.h"

struct fg_hub;
struct fg_host;
struct fg_set;

/* 0, or -errno of opening sockets. */
int fg_hub_get(struct fg_hub **out);
void fg_hub_put(struct fg_hub *hub);

/* A socket of its own to commit with. */
int fg_hub_socket(struct fg_hub *hub, struct fg_nl **out);
/* The loop's, for questions. */
struct fg_nl *fg_hub_query(struct fg_hub *hub);
/* Probed when first asked for; 0 or -errno. */
int fg_hub_caps(struct fg_hub *hub, struct fg_caps *out);

/*
 * The list of sets, through fg_set_link(). Those in it are told what others do
 * to them, by way of their host. add(): 0 or -errno of listening.
 */
int fg_hub_add(struct fg_hub *hub, struct fg_set *set);
void fg_hub_remove(struct fg_hub *hub, struct fg_set *set);
/*
 * Around every transaction of elements. Under load the hub stops listening:
 * with a listener, the kernel describes each element to it, which costs as much
 * as adding it does. Then the hub looks at the ruleset's generation instead,
 * ten times a second: when it grew by more than the transactions told here,
 * others did something, and all sets are told that news was lost.
 */
void fg_hub_sending(struct fg_hub *hub, size_t elements, int64_t now);
void fg_hub_sent(struct fg_hub *hub, bool committed);

/* This host is about to go; another set's takes over the listening. */
void fg_hub_host_gone(struct fg_hub *hub, const struct fg_host *host);
struct fg_set *fg_hub_first(const struct fg_hub *hub);

#endif
