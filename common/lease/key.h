/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * key.h - the bytes that a set element is found by, built from a flow.
 *
 * Pure. A shape is a list of fields, in the order of the set's declaration,
 * for one IP version. Of several fields each is padded with zeros to a
 * multiple of four bytes, as the kernel's registers are; one field alone is
 * just as long as it is. Byte order is the wire's, but for marks, which the
 * kernel keeps in its own.
 */
#ifndef FG_LEASE_KEY_H
#define FG_LEASE_KEY_H

#include <flowgate/plugin.h>

/* name in the configuration, nft's name of the type (IPv4, IPv6) */
#define FG_KEY_FIELDS(X)                                                       \
	X(LOCAL_ADDR, "local_addr", "ipv4_addr", "ipv6_addr")                  \
	X(OTHER_ADDR, "other_addr", "ipv4_addr", "ipv6_addr")                  \
	X(LOCAL_PORT, "local_port", "inet_service", "inet_service")            \
	X(OTHER_PORT, "other_port", "inet_service", "inet_service")            \
	X(IP_PROTO, "ip_proto", "inet_proto", "inet_proto")                    \
	X(LOCAL_MAC, "local_mac", "ether_addr", "ether_addr")                  \
	X(OTHER_MAC, "other_mac", "ether_addr", "ether_addr")                  \
	X(MARK, "mark", "mark", "mark")                                        \
	X(INTERFACE, "interface", "ifname", "ifname")                          \
	X(SRC_ADDR, "src_addr", "ipv4_addr", "ipv6_addr")                      \
	X(DST_ADDR, "dst_addr", "ipv4_addr", "ipv6_addr")                      \
	X(SRC_PORT, "src_port", "inet_service", "inet_service")                \
	X(DST_PORT, "dst_port", "inet_service", "inet_service")

enum fg_key_field {
#define FG_KEY_ENUM(name, text, v4, v6) FG_KEY_##name,
	FG_KEY_FIELDS(FG_KEY_ENUM)
#undef FG_KEY_ENUM
		FG_KEY_FIELD_COUNT
};

/* The kernel's largest key: 16 registers of 32 bits. */
#define FG_KEY_SIZE_MAX	  64
#define FG_KEY_FIELDS_MAX 16

/* Room for any key as text: 16 fields, the longest an address. */
#define FG_KEY_TEXT 512

struct fg_key_shape {
	uint8_t version;		  /* 4 or 6: the flows it is for */
	uint8_t count;			  /* of field[], at least 1 */
	uint8_t len;			  /* bytes of a key */
	uint8_t field[FG_KEY_FIELDS_MAX]; /* enum fg_key_field */
	uint8_t offset[FG_KEY_FIELDS_MAX];
};

/* enum fg_key_field, or -1. */
int fg_key_field(const char *name);
const char *fg_key_field_name(enum fg_key_field field);
/* all names, FG_KEY_FIELD_COUNT of them, for "did you mean" */
const char *const *fg_key_field_names(void);
/* "ipv4_addr" */
const char *fg_key_field_type(enum fg_key_field field, int version);
/* bytes, without padding */
uint8_t fg_key_field_len(enum fg_key_field field, int version);

/* 0, -EINVAL: no field or too many of them, -E2BIG: longer than the kernel's.
 */
int fg_key_shape(struct fg_key_shape *out, const uint8_t *field, size_t count,
		 int version);
/* Has the shape any of the fields (bits 1u << enum fg_key_field)? */
bool fg_key_has(const struct fg_key_shape *shape, uint32_t fields);
/*
 * Does the key have the address (as in struct fg_flow), and the port, unless
 * that is 0 or keys have none?
 */
bool fg_key_matches(const struct fg_key_shape *shape, const uint8_t *key,
		    int version, const uint8_t addr[16], uint16_t port);

/* What a key can be missing. */
enum fg_key_result {
	FG_KEY_OK,
	FG_KEY_OTHER_VERSION, /* the flow is not of the shape's IP version */
	FG_KEY_NO_MAC,
	FG_KEY_NO_MARK,
	FG_KEY_NO_ORIGIN, /* src and dst need to know who began */
	FG_KEY_NO_INTERFACE, /* it is called what no interface can be */
};

/*
 * The key of flow, exactly shape->len bytes. interface is its name, used when
 * the shape has that field. mirror: the two sides swapped, as a packet of the
 * opposite direction would have it.
 */
enum fg_key_result fg_key_build(const struct fg_key_shape *shape,
				const struct fg_flow *flow,
				const char *interface, bool mirror,
				uint8_t *key);

/*
 * As nft writes it: "10.0.0.2 . tcp . 443 . 198.51.100.9". Returns text.
 */
const char *fg_key_format(const struct fg_key_shape *shape, const uint8_t *key,
			  char text[FG_KEY_TEXT]);
/* "ipv4_addr . inet_proto"; returns text. */
const char *fg_key_format_types(const struct fg_key_shape *shape,
				char text[FG_KEY_TEXT]);
/* "local_addr, ip_proto"; returns text. */
const char *fg_key_format_fields(const struct fg_key_shape *shape,
				 char text[FG_KEY_TEXT]);

#endif
