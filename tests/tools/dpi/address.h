/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address.h - what an address is to the gateway: one of its own side or not.
 */
#ifndef DPI_ADDRESS_H
#define DPI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum address_kind {
	ADDRESS_OWN,	 /* in a local network, or the interface's */
	ADDRESS_PRIVATE, /* not routed in the Internet */
	ADDRESS_REMOTE,
	ADDRESS_MULTICAST,
	ADDRESS_BROADCAST,
};

struct network {
	uint8_t addr[16];
	unsigned int bits;
	uint8_t ip_version;
};

struct networks {
	struct network list[64];
	unsigned int count;
};

/* "10.0.0.0/8", "fd00::/8", "192.0.2.1"; false: it is none */
bool networks_add(struct networks *n, const char *cidr);

/*
 * The networks of an interface's addresses; as_hosts: only the addresses, as
 * behind a WAN interface everything else is remote.
 */
void networks_add_interface(struct networks *n, const char *name,
			    bool as_hosts);

enum address_kind address_kind(const struct networks *local,
			       const uint8_t *addr, uint8_t ip_version);

#endif
