/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.c - the netlink messages of ipset, and its keys as text. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/addr.h"
#include "message.h"

/*
 * The oldest that all kernels since 2.6.39 speak; newer ones only add commands
 * that are not used here.
 */
#define PROTOCOL IPSET_PROTOCOL_MIN

/* Of 6.18: what is made is what the tool makes by default. */
#define HASH_SIZE 1024

const char *const fg_ipset_types[FG_IPSET_TYPES] = {
	[FG_IPSET_IP] = "hash:ip",
	[FG_IPSET_IP_PORT] = "hash:ip,port",
	[FG_IPSET_IP_PORT_IP] = "hash:ip,port,ip",
	[FG_IPSET_MAC] = "hash:mac",
};

/* ------------------------------------------------------------------ keys */

/* Fields of a shape, in its order. */
enum { ADDR, PROTO, PORT, ADDR2 };

static bool is_addr(uint8_t field)
{
	return field == FG_KEY_LOCAL_ADDR || field == FG_KEY_OTHER_ADDR ||
	       field == FG_KEY_SRC_ADDR || field == FG_KEY_DST_ADDR;
}

static bool is_port(uint8_t field)
{
	return field == FG_KEY_LOCAL_PORT || field == FG_KEY_OTHER_PORT ||
	       field == FG_KEY_SRC_PORT || field == FG_KEY_DST_PORT;
}

static bool is_mac(uint8_t field)
{
	return field == FG_KEY_LOCAL_MAC || field == FG_KEY_OTHER_MAC;
}

size_t fg_ipset_fields(enum fg_ipset_type type, uint8_t field[4])
{
	static const uint8_t ip[] = {FG_KEY_OTHER_ADDR, FG_KEY_OTHER_PORT,
				     FG_KEY_LOCAL_ADDR};

	if (type == FG_IPSET_MAC) {
		field[0] = FG_KEY_LOCAL_MAC;
		return 1;
	}
	memcpy(field, ip, sizeof(ip));
	return (size_t)type + 1;
}

int fg_ipset_shape(struct fg_key_shape *out, enum fg_ipset_type type,
		   int version, const uint8_t *field, size_t count)
{
	uint8_t all[4];

	if (type == FG_IPSET_MAC)
		return count == 1 && is_mac(field[0])
			       ? fg_key_shape(out, field, 1, version)
			       : -EINVAL;
	if (count != (size_t)type + 1 || !is_addr(field[0]) ||
	    (count > 1 && !is_port(field[1])) ||
	    (count > 2 && !is_addr(field[2])))
		return -EINVAL;
	/* a port belongs to a protocol */
	all[ADDR] = field[0];
	all[PROTO] = FG_KEY_IP_PROTO;
	if (count > 1)
		all[PORT] = field[1];
	if (count > 2)
		all[ADDR2] = field[2];
	return fg_key_shape(out, all, count > 1 ? count + 1 : 1, version);
}

static const char *address(const struct fg_ipset_schema *s, const uint8_t *p,
			   char text[FG_ADDR_TEXT])
{
	uint8_t addr[16] = {0};

	memcpy(addr, p, s->version == 6 ? 16 : 4);
	return fg_addr_format(s->version, addr, text);
}

static const char *protocol(uint8_t p, char text[4])
{
	switch (p) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		snprintf(text, 4, "%u", p);
		return text;
	}
}

const char *fg_ipset_format(const struct fg_ipset_schema *s, const uint8_t *key,
			    char text[FG_KEY_TEXT])
{
	const uint8_t *at = s->shape.offset;
	char a[FG_ADDR_TEXT], b[FG_ADDR_TEXT] = "", p[4];
	uint16_t port;

	if (s->type == FG_IPSET_MAC) {
		fg_mac_format(key, text);
		return text;
	}
	address(s, key + at[ADDR], a);
	if (s->type == FG_IPSET_IP) {
		snprintf(text, FG_KEY_TEXT, "%s", a);
		return text;
	}
	memcpy(&port, key + at[PORT], sizeof(port));
	if (s->type == FG_IPSET_IP_PORT_IP)
		address(s, key + at[ADDR2], b);
	snprintf(text, FG_KEY_TEXT, "%s,%s:%u%s%s", a,
		 protocol(key[at[PROTO]], p), ntohs(port), *b ? "," : "", b);
	return text;
}

/* -------------------------------------------------------------- messages */

static struct nlmsghdr *put_header(void *buf, uint32_t seq, uint16_t command,
				   uint16_t flags, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_IPSET << 8 | command);
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	mnl_attr_put_u8(nlh, IPSET_ATTR_PROTOCOL, PROTOCOL);
	return nlh;
}

static uint8_t family_of(const struct fg_ipset_schema *s)
{
	return s->version == 4	 ? NFPROTO_IPV4
	       : s->version == 6 ? NFPROTO_IPV6
				 : NFPROTO_UNSPEC;
}

static void put_u32(struct nlmsghdr *nlh, uint16_t type, uint32_t u)
{
	mnl_attr_put_u32(nlh, type | NLA_F_NET_BYTEORDER, htonl(u));
}

static void put_u16(struct nlmsghdr *nlh, uint16_t type, uint16_t u)
{
	mnl_attr_put_u16(nlh, type | NLA_F_NET_BYTEORDER, htons(u));
}

static void put_address(struct nlmsghdr *nlh, uint16_t type, uint8_t version,
			const uint8_t *p)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	if (version == 6)
		mnl_attr_put(nlh, IPSET_ATTR_IPADDR_IPV6 | NLA_F_NET_BYTEORDER,
			     16, p);
	else
		mnl_attr_put(nlh, IPSET_ATTR_IPADDR_IPV4 | NLA_F_NET_BYTEORDER,
			     4, p);
	mnl_attr_nest_end(nlh, nest);
}

static void put_key(struct nlmsghdr *nlh, const struct fg_ipset_schema *s,
		    const uint8_t *key)
{
	const uint8_t *at = s->shape.offset;
	uint16_t port;

	if (s->type == FG_IPSET_MAC) {
		mnl_attr_put(nlh, IPSET_ATTR_ETHER, 6, key);
		return;
	}
	put_address(nlh, IPSET_ATTR_IP, s->version, key + at[ADDR]);
	if (s->type == FG_IPSET_IP)
		return;
	memcpy(&port, key + at[PORT], sizeof(port));
	mnl_attr_put_u16(nlh, IPSET_ATTR_PORT | NLA_F_NET_BYTEORDER, port);
	mnl_attr_put_u8(nlh, IPSET_ATTR_PROTO, key[at[PROTO]]);
	if (s->type == FG_IPSET_IP_PORT_IP)
		put_address(nlh, IPSET_ATTR_IP2, s->version, key + at[ADDR2]);
}

static void put_skb(struct nlmsghdr *nlh, const struct fg_ipset_schema *s)
{
	uint64_t mark = (uint64_t)s->skb_mark << 32 | s->skb_mask;

	mnl_attr_put_u64(nlh, IPSET_ATTR_SKBMARK | NLA_F_NET_BYTEORDER,
			 htobe64(mark));
	if (s->skb_prio)
		put_u32(nlh, IPSET_ATTR_SKBPRIO, s->skb_prio);
	if (s->skb_queue)
		put_u16(nlh, IPSET_ATTR_SKBQUEUE, s->skb_queue);
}

static size_t element(void *buf, uint32_t seq, uint16_t command,
		      const struct fg_ipset_schema *s, const uint8_t *key)
{
	/* without NLM_F_EXCL what is there, or is not, is no error */
	struct nlmsghdr *nlh = put_header(buf, seq, command, 0, family_of(s));
	struct nlattr *data;

	mnl_attr_put_strz(nlh, IPSET_ATTR_SETNAME, s->name);
	data = mnl_attr_nest_start(nlh, IPSET_ATTR_DATA);
	put_key(nlh, s, key);
	if (command == IPSET_CMD_ADD && s->timeouts)
		put_u32(nlh, IPSET_ATTR_TIMEOUT, s->ttl_s);
	if (command == IPSET_CMD_ADD && s->skb)
		put_skb(nlh, s);
	mnl_attr_nest_end(nlh, data);
	return nlh->nlmsg_len;
}

size_t fg_ipset_add(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		    const uint8_t *key)
{
	return element(buf, seq, IPSET_CMD_ADD, s, key);
}

size_t fg_ipset_del(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		    const uint8_t *key)
{
	return element(buf, seq, IPSET_CMD_DEL, s, key);
}

size_t fg_ipset_test(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		     const uint8_t *key)
{
	return element(buf, seq, IPSET_CMD_TEST, s, key);
}

size_t fg_ipset_flush(void *buf, uint32_t seq, const char *name)
{
	struct nlmsghdr *nlh =
		put_header(buf, seq, IPSET_CMD_FLUSH, 0, NFPROTO_UNSPEC);

	/* without a name the kernel would flush all sets */
	mnl_attr_put_strz(nlh, IPSET_ATTR_SETNAME, name);
	return nlh->nlmsg_len;
}

size_t fg_ipset_create(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		       uint8_t revision)
{
	struct nlmsghdr *nlh = put_header(buf, seq, IPSET_CMD_CREATE,
					  NLM_F_CREATE, family_of(s));
	struct nlattr *data;

	mnl_attr_put_strz(nlh, IPSET_ATTR_SETNAME, s->name);
	mnl_attr_put_strz(nlh, IPSET_ATTR_TYPENAME, fg_ipset_types[s->type]);
	mnl_attr_put_u8(nlh, IPSET_ATTR_REVISION, revision);
	mnl_attr_put_u8(nlh, IPSET_ATTR_FAMILY, family_of(s));
	data = mnl_attr_nest_start(nlh, IPSET_ATTR_DATA);
	put_u32(nlh, IPSET_ATTR_HASHSIZE, HASH_SIZE);
	put_u32(nlh, IPSET_ATTR_MAXELEM, s->size);
	/* "0" is for elements that bring none: those of other hands stay */
	if (s->timeouts)
		put_u32(nlh, IPSET_ATTR_TIMEOUT, 0);
	if (s->skb)
		put_u32(nlh, IPSET_ATTR_CADT_FLAGS, IPSET_FLAG_WITH_SKBINFO);
	mnl_attr_nest_end(nlh, data);
	return nlh->nlmsg_len;
}

size_t fg_ipset_list(void *buf, uint32_t seq, const char *name)
{
	struct nlmsghdr *nlh = put_header(buf, seq, IPSET_CMD_LIST, NLM_F_DUMP,
					  NFPROTO_UNSPEC);

	mnl_attr_put_strz(nlh, IPSET_ATTR_SETNAME, name);
	put_u32(nlh, IPSET_ATTR_FLAGS, IPSET_FLAG_LIST_HEADER);
	return nlh->nlmsg_len;
}

size_t fg_ipset_type(void *buf, uint32_t seq, const struct fg_ipset_schema *s)
{
	struct nlmsghdr *nlh =
		put_header(buf, seq, IPSET_CMD_TYPE, 0, family_of(s));

	mnl_attr_put_strz(nlh, IPSET_ATTR_TYPENAME, fg_ipset_types[s->type]);
	mnl_attr_put_u8(nlh, IPSET_ATTR_FAMILY, family_of(s));
	return nlh->nlmsg_len;
}

/* --------------------------------------------------------------- answers */

static uint32_t get_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) < sizeof(uint32_t)
		       ? 0
		       : ntohl(mnl_attr_get_u32(attr));
}

static int take_data(const struct nlattr *attr, void *ctx)
{
	struct fg_ipset_found *f = ctx;

	switch (mnl_attr_get_type(attr)) {
	case IPSET_ATTR_TIMEOUT:
		f->timeouts = true;
		break;
	case IPSET_ATTR_MAXELEM:
		f->maxelem = get_u32(attr);
		break;
	case IPSET_ATTR_CADT_FLAGS:
		f->skb = get_u32(attr) & IPSET_FLAG_WITH_SKBINFO;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int take(const struct nlattr *attr, void *ctx)
{
	struct fg_ipset_found *f = ctx;
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case IPSET_ATTR_TYPENAME:
		if (len > sizeof(f->type) - 1)
			len = sizeof(f->type) - 1;
		memcpy(f->type, mnl_attr_get_payload(attr), len);
		f->type[len] = '\0';
		break;
	case IPSET_ATTR_FAMILY:
		f->family = len ? mnl_attr_get_u8(attr) : 0;
		break;
	case IPSET_ATTR_REVISION:
		f->revision = len ? mnl_attr_get_u8(attr) : 0;
		break;
	case IPSET_ATTR_DATA:
		mnl_attr_parse_nested(attr, take_data, f);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

int fg_ipset_parse(const void *message, size_t len, struct fg_ipset_found *out)
{
	const struct nlmsghdr *nlh = message;
	uint16_t subsystem;

	memset(out, 0, sizeof(*out));
	if (len > INT32_MAX || !mnl_nlmsg_ok(nlh, (int)len) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return -EBADMSG;
	subsystem = (uint16_t)(nlh->nlmsg_type >> 8);
	if (subsystem != NFNL_SUBSYS_IPSET ||
	    mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take, out) < 0)
		return -EBADMSG;
	return 0;
}
