/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h - captured bytes -> who talks to whom.
 */
#ifndef DPI_PACKET_H
#define DPI_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint {
	uint8_t addr[16]; /* IPv4 in the first four, the rest zero */
	uint8_t mac[6];
	uint16_t port;
};

struct packet {
	struct endpoint from;
	struct endpoint to;
	uint8_t ip_version;
	uint8_t ip_protocol;
	uint8_t tcp_flags;
	uint16_t vlan;
	const uint8_t *ip; /* the IP header and on */
	uint16_t ip_len;
	uint64_t at; /* wall ms */
};

/*
 * linktype is libpcap's DLT_*. false: not IP, or a fragment, or cut short.
 */
bool packet_parse(struct packet *p, int linktype, const uint8_t *bytes,
		  size_t len);

#endif
