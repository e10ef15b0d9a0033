/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address.c - what an address is to the gateway: one of its own side or not.
 */
#include "address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *cidr;
	enum address_kind kind;
} special[] = {
	{"255.255.255.255", ADDRESS_BROADCAST},
	{"224.0.0.0/4", ADDRESS_MULTICAST},
	{"10.0.0.0/8", ADDRESS_PRIVATE},
	{"172.16.0.0/12", ADDRESS_PRIVATE},
	{"192.168.0.0/16", ADDRESS_PRIVATE},
	{"169.254.0.0/16", ADDRESS_PRIVATE},
	{"127.0.0.0/8", ADDRESS_PRIVATE},
	{"0.0.0.0", ADDRESS_PRIVATE},
	{"ff00::/8", ADDRESS_MULTICAST},
	{"fc00::/7", ADDRESS_PRIVATE},
	{"fe80::/10", ADDRESS_PRIVATE},
	{"::1", ADDRESS_PRIVATE},
	{"::", ADDRESS_PRIVATE},
};

static bool network_parse(struct network *n, const char *cidr)
{
	char host[64];
	const char *slash = strchr(cidr, '/');
	size_t len = slash ? (size_t)(slash - cidr) : strlen(cidr);

	if (len >= sizeof(host))
		return false;
	memcpy(host, cidr, len);
	host[len] = '\0';
	*n = (struct network){.ip_version = strchr(host, ':') ? 6 : 4};
	if (inet_pton(n->ip_version == 6 ? AF_INET6 : AF_INET, host, n->addr) !=
	    1)
		return false;
	n->bits = n->ip_version == 6 ? 128 : 32;
	if (slash && strtoul(slash + 1, NULL, 10) < n->bits)
		n->bits = (unsigned int)strtoul(slash + 1, NULL, 10);
	return true;
}

bool networks_add(struct networks *n, const char *cidr)
{
	return n->count < sizeof(n->list) / sizeof(*n->list) &&
	       network_parse(&n->list[n->count], cidr) && ++n->count;
}

void networks_add_interface(struct networks *n, const char *name, bool as_hosts)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i; i = i->ifa_next) {
		struct network net = {0};
		const uint8_t *mask;
		size_t size;

		if (strcmp(i->ifa_name, name) || !i->ifa_addr ||
		    !i->ifa_netmask ||
		    n->count == sizeof(n->list) / sizeof(*n->list))
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			memcpy(net.addr,
			       &((struct sockaddr_in *)i->ifa_addr)->sin_addr,
			       size = 4);
			mask = (void *)&((struct sockaddr_in *)i->ifa_netmask)
				       ->sin_addr;
			net.ip_version = 4;
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			memcpy(net.addr,
			       &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr,
			       size = 16);
			mask = (void *)&((struct sockaddr_in6 *)i->ifa_netmask)
				       ->sin6_addr;
			net.ip_version = 6;
		} else {
			continue;
		}
		for (size_t b = 0; b < size * 8; b++)
			net.bits += as_hosts || mask[b / 8] >> (7 - b % 8) & 1;
		n->list[n->count++] = net;
	}
	freeifaddrs(all);
}

static bool network_has(const struct network *n, const uint8_t *addr,
			uint8_t ip_version)
{
	unsigned int bytes = n->bits / 8, rest = n->bits % 8;

	return n->ip_version == ip_version && !memcmp(n->addr, addr, bytes) &&
	       (!rest || !((n->addr[bytes] ^ addr[bytes]) >> (8 - rest)));
}

/* the last address of a local IPv4 network */
static bool is_broadcast(const struct network *n, const uint8_t *addr)
{
	uint32_t a;

	memcpy(&a, addr, sizeof(a));
	return n->bits < 31 && !(~ntohl(a) << n->bits);
}

enum address_kind address_kind(const struct networks *local,
			       const uint8_t *addr, uint8_t ip_version)
{
	for (unsigned int i = 0; i < local->count; i++)
		if (network_has(&local->list[i], addr, ip_version))
			return ip_version == 4 && is_broadcast(&local->list[i],
							       addr)
				       ? ADDRESS_BROADCAST
				       : ADDRESS_OWN;
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) {
		struct network n;

		if (network_parse(&n, special[i].cidr) &&
		    network_has(&n, addr, ip_version))
			return special[i].kind;
	}
	return ADDRESS_REMOTE;
}
