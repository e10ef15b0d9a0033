/* SPDX-License-Identifier: GPL-2.0-or-later */
/* type.c - tables of names and numbers. */
#include <string.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "type.h"

static const char *const type_names[] = {
	"?",	       "verdict",      "nf_proto",
	"bitmask",     "integer",      "string",
	"ll_addr",     "ipv4_addr",    "ipv6_addr",
	"ether_addr",  "ether_type",   "arp_op",
	"inet_proto",  "inet_service", "icmp_type",
	"tcp_flag",    "dccp_pkttype", "mh_type",
	"time",	       "mark",	       "iface_index",
	"iface_type",  "realm",	       "classid",
	"uid",	       "gid",	       "ct_state",
	"ct_dir",      "ct_status",    "icmpv6_type",
	"ct_label",    "pkt_type",     "icmp_code",
	"icmpv6_code", "icmpx_code",   "devgroup",
	"dscp",	       "ecn",	       "fib_addrtype",
	"boolean",     "ct_event",     "ifname",
	"igmp_type",
};
#define TYPE_NAMES (sizeof(type_names) / sizeof(*type_names))

const char *fg_type_name(uint32_t type)
{
	return type < TYPE_NAMES ? type_names[type] : "?";
}

uint32_t fg_type_number(const char *name)
{
	for (uint32_t i = 1; i < TYPE_NAMES; i++)
		if (!strcmp(type_names[i], name))
			return i;
	return FG_TYPE_INVALID;
}

static const struct {
	const char *name;
	uint8_t family;
} families[] = {
	{"inet", NFPROTO_INET}, {"ip", NFPROTO_IPV4},
	{"ip6", NFPROTO_IPV6},	{"bridge", NFPROTO_BRIDGE},
	{"arp", NFPROTO_ARP},	{"netdev", NFPROTO_NETDEV},
};
#define FAMILIES (sizeof(families) / sizeof(*families))

const char *fg_family_name(uint8_t family)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (families[i].family == family)
			return families[i].name;
	return NULL;
}

int fg_family(const char *name)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (!strcmp(families[i].name, name))
			return families[i].family;
	return -1;
}

const char *const *fg_family_names(size_t *count)
{
	static const char *const names[] = {"inet",   "ip",  "ip6",
					    "bridge", "arp", "netdev"};

	*count = sizeof(names) / sizeof(*names);
	return names;
}

/* What a map is called in the configuration and what the kernel keeps of it. */
static const struct {
	const char *name;
	uint32_t type;
	uint32_t len;
} maps[] = {
	[FG_MAP_NONE] = {"", 0, 0},
	[FG_MAP_MARK] = {"mark", FG_TYPE_MARK, 4},
	[FG_MAP_CLASSID] = {"classid", FG_TYPE_CLASSID, 4},
	[FG_MAP_VERDICT] = {"verdict", NFT_DATA_VERDICT, 16},
};
_Static_assert(sizeof(maps) / sizeof(*maps) == FG_MAP_COUNT, "a map's row");

const char *fg_map_name(enum fg_map map)
{
	return maps[map].name;
}

uint32_t fg_map_type(enum fg_map map)
{
	return maps[map].type;
}

uint32_t fg_map_len(enum fg_map map)
{
	return maps[map].len;
}

uint32_t fg_type_of_key(const struct fg_key_shape *s)
{
	uint32_t type = 0;

	for (int i = 0; i < s->count; i++)
		type = type << FG_TYPE_BITS | fg_type_number(fg_key_field_type(
						      s->field[i], s->version));
	return type;
}
