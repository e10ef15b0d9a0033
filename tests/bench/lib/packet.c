/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - IPv4 headers by hand, through a raw socket. */
#include "packet.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>

int packet_socket(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		err(1, "raw socket");
	return fd;
}

/* A key's fields stand at multiples of four: addresses, protocol, ports. */
bool packet_dropped(int fd, const uint8_t key[KEY_MAX])
{
	struct {
		struct iphdr ip;
		uint16_t source, dest;
		uint8_t rest[16];
	} p = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = key[4]}};
	struct sockaddr_in to = {.sin_family = AF_INET};

	p.ip.tot_len = htons(sizeof(p));
	memcpy(&p.ip.saddr, key, 4);
	memcpy(&p.source, key + 8, 2);
	memcpy(&p.ip.daddr, key + 12, 4);
	memcpy(&p.dest, key + 16, 2);
	/* TCP, as far as anyone looks: a data offset of 20 bytes */
	p.rest[8] = 0x50;
	to.sin_addr.s_addr = p.ip.daddr;
	if (sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) >=
	    0)
		return false;
	if (errno != EPERM)
		err(1, "sending a packet");
	return true;
}
