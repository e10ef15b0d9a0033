/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor.h - what others do to nftables: notifications of the kernel.
 *
 * Only of others: a socket filter drops those of our own transactions before
 * they cost anything. Expiry makes no notification, and a deleted table none
 * for its elements.
 */
#ifndef FG_NFTSET_MONITOR_H
#define FG_NFTSET_MONITOR_H

#include "netlink/socket.h"

enum fg_monitor_kind {
	FG_MONITOR_TABLE,   /* a table appeared or went */
	FG_MONITOR_SET,	    /* a set did */
	FG_MONITOR_REMOVED, /* an element was taken out of a set */
};

/* Valid during the callback. */
struct fg_monitor_event {
	enum fg_monitor_kind kind;
	uint8_t family;
	const char *table;
	const char *set;    /* NULL for a table */
	const uint8_t *key; /* of an element, else NULL */
	size_t key_len;
};

/* Pure: what one datagram says. Any bytes are safe. */
void fg_monitor_parse(const void *buf, size_t len,
		      void (*event)(void *ctx,
				    const struct fg_monitor_event *event),
		      void *ctx);

/*
 * Listens with nl, but not to senders whose address is portid in all but its
 * lowest byte. 0 or -errno.
 */
int fg_monitor_listen(struct fg_nl *nl, uint32_t portid);

#endif
