/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.c - captured bytes -> who talks to whom.
 */
#include "packet.h"

#include <netinet/in.h>
#include <pcap/dlt.h>
#include <string.h>

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Finds the network layer: its EtherType and offset. */
static bool link_parse(struct packet *p, int linktype, const uint8_t *b,
		       size_t len, uint16_t *type, size_t *offset)
{
	size_t at;

	switch (linktype) {
	case DLT_EN10MB:
		if (len < 14)
			return false;
		memcpy(p->to.mac, b, 6);
		memcpy(p->from.mac, b + 6, 6);
		*type = be16(b + 12);
		at = 14;
		break;
	case DLT_LINUX_SLL:
		if (len < 16)
			return false;
		*type = be16(b + 14);
		at = 16;
		break;
	case DLT_RAW:
		if (!len)
			return false;
		*type = b[0] >> 4 == 6 ? 0x86dd : 0x0800;
		at = 0;
		break;
	default:
		return false;
	}
	while ((*type == 0x8100 || *type == 0x88a8) && len >= at + 4) {
		p->vlan = be16(b + at) & 0xfff;
		*type = be16(b + at + 2);
		at += 4;
	}
	*offset = at;
	return true;
}

static bool ports_parse(struct packet *p, const uint8_t *b, size_t len)
{
	size_t need = p->ip_protocol == IPPROTO_TCP   ? 20
		      : p->ip_protocol == IPPROTO_UDP ? 8
						      : 0;

	if (len < need)
		return false;
	if (!need)
		return true;
	p->from.port = be16(b);
	p->to.port = be16(b + 2);
	if (p->ip_protocol == IPPROTO_TCP)
		p->tcp_flags = b[13];
	return true;
}

static bool ipv4_parse(struct packet *p, const uint8_t *b, size_t len)
{
	size_t header, total;

	if (len < 20)
		return false;
	header = (size_t)(b[0] & 15) * 4;
	total = be16(b + 2);
	if (header < 20 || total < header || total > len)
		return false;
	if (be16(b + 6) & 0x1fff) /* not the first fragment */
		return false;
	p->ip_version = 4;
	p->ip_protocol = b[9];
	memcpy(p->from.addr, b + 12, 4);
	memcpy(p->to.addr, b + 16, 4);
	p->ip_len = (uint16_t)total;
	return ports_parse(p, b + header, total - header);
}

static bool ipv6_parse(struct packet *p, const uint8_t *b, size_t len)
{
	size_t at = 40, total;

	if (len < 40)
		return false;
	total = 40u + be16(b + 4);
	if (total > len)
		return false;
	p->ip_version = 6;
	p->ip_protocol = b[6];
	memcpy(p->from.addr, b + 8, 16);
	memcpy(p->to.addr, b + 24, 16);
	p->ip_len = (uint16_t)total;
	/* hop-by-hop, routing, destination: all say their length alike */
	while ((p->ip_protocol == 0 || p->ip_protocol == 43 ||
		p->ip_protocol == 60) &&
	       at + 8 <= total) {
		p->ip_protocol = b[at];
		at += 8 + (size_t)b[at + 1] * 8;
	}
	return p->ip_protocol != 44 && at <= total &&
	       ports_parse(p, b + at, total - at);
}

bool packet_parse(struct packet *p, int linktype, const uint8_t *bytes,
		  size_t len)
{
	uint16_t type = 0;
	size_t at;

	if (!link_parse(p, linktype, bytes, len, &type, &at))
		return false;
	p->ip = bytes + at;
	if (type == 0x0800)
		return ipv4_parse(p, p->ip, len - at);
	if (type == 0x86dd)
		return ipv6_parse(p, p->ip, len - at);
	return false;
}
