/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.h - the netlink messages of ipset, and its keys as text. Pure.
 *
 * Unlike nftables, ipset has no transactions: each message does one thing and
 * fails alone, an ADD of what is there gives it its time again, and a DEL of
 * what is not there is no error.
 */
#ifndef FG_IPSET_MESSAGE_H
#define FG_IPSET_MESSAGE_H

#include <linux/netfilter/ipset/ip_set.h>

#include "lease/key.h"

/* Set types that a flow has a key for. */
enum fg_ipset_type {
	FG_IPSET_IP,
	FG_IPSET_IP_PORT,
	FG_IPSET_IP_PORT_IP,
	FG_IPSET_MAC,
	FG_IPSET_TYPES
};

/* "hash:ip,port" */
extern const char *const fg_ipset_types[FG_IPSET_TYPES];

/* Longest of ipset's timeouts, in s: it counts ms in 31 bits. */
#define FG_IPSET_TIMEOUT_MAX 2147483

struct fg_ipset_schema {
	char name[IPSET_MAXNAMELEN];
	enum fg_ipset_type type;
	uint8_t version; /* 4, 6; 0 for hash:mac, which has no family */
	/* of the key: address, protocol, port, second address; or MAC alone */
	struct fg_key_shape shape;
	uint32_t ttl_s; /* 0: elements stay */
	bool timeouts;	/* the set has them: always say one */
	uint32_t size;	/* maxelem, when it is made */
	bool skb;	/* elements carry what follows */
	uint32_t skb_mark;
	uint32_t skb_mask;
	uint32_t skb_prio; /* MAJ << 16 | MIN */
	uint16_t skb_queue;
};

/*
 * The key's shape for flows of a version, of the fields that a configuration
 * names: an address; address and port; address, port and address; or a MAC. 0,
 * or -EINVAL when they do not fit the type.
 */
int fg_ipset_shape(struct fg_key_shape *out, enum fg_ipset_type type,
		   int version, const uint8_t *field, size_t count);
/* The fields of a type when a configuration names none; returns how many. */
size_t fg_ipset_fields(enum fg_ipset_type type, uint8_t field[4]);

/* Room for one message: a name of 31 bytes and two IPv6 addresses. */
#define FG_IPSET_MESSAGE_MAX 256

/* Each writes a message at buf and returns its length. */
size_t fg_ipset_add(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		    const uint8_t *key);
size_t fg_ipset_del(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		    const uint8_t *key);
size_t fg_ipset_test(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		     const uint8_t *key);
size_t fg_ipset_flush(void *buf, uint32_t seq, const char *name);
/* revision: of the set's type, which the kernel was asked for */
size_t fg_ipset_create(void *buf, uint32_t seq, const struct fg_ipset_schema *s,
		       uint8_t revision);
/* asks for the set, without its elements */
size_t fg_ipset_list(void *buf, uint32_t seq, const char *name);
/* asks which revisions of the type the kernel has */
size_t fg_ipset_type(void *buf, uint32_t seq, const struct fg_ipset_schema *s);

/* What the kernel says of a set, or of a type. */
struct fg_ipset_found {
	char type[IPSET_MAXNAMELEN];
	uint8_t family;	  /* NFPROTO_* */
	uint8_t revision; /* of a type: the highest that it has */
	bool timeouts;
	bool skb;
	uint32_t maxelem;
};

/* Reads an answer to list or type: 0 or -EBADMSG. */
int fg_ipset_parse(const void *message, size_t len, struct fg_ipset_found *out);

/* As ipset(8) writes it: "198.51.100.9,tcp:443,10.0.0.2". Returns text. */
const char *fg_ipset_format(const struct fg_ipset_schema *s, const uint8_t *key,
			    char text[FG_KEY_TEXT]);

#endif
