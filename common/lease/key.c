/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key.c - flow to key bytes, and key bytes to text. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "key.h"

enum kind { ADDR, PORT, PROTO, MAC, MARK, IFNAME };

/* Which end of the connection a field is of. */
enum end { LOCAL, OTHER, SRC, DST, NONE };

static const struct {
	enum kind kind;
	enum end end;
} fields[] = {
	[FG_KEY_LOCAL_ADDR] = {ADDR, LOCAL},
	[FG_KEY_OTHER_ADDR] = {ADDR, OTHER},
	[FG_KEY_LOCAL_PORT] = {PORT, LOCAL},
	[FG_KEY_OTHER_PORT] = {PORT, OTHER},
	[FG_KEY_IP_PROTO] = {PROTO, NONE},
	[FG_KEY_LOCAL_MAC] = {MAC, LOCAL},
	[FG_KEY_OTHER_MAC] = {MAC, OTHER},
	[FG_KEY_MARK] = {MARK, NONE},
	[FG_KEY_INTERFACE] = {IFNAME, NONE},
	[FG_KEY_SRC_ADDR] = {ADDR, SRC},
	[FG_KEY_DST_ADDR] = {ADDR, DST},
	[FG_KEY_SRC_PORT] = {PORT, SRC},
	[FG_KEY_DST_PORT] = {PORT, DST},
};
_Static_assert(sizeof(fields) / sizeof(*fields) == FG_KEY_FIELD_COUNT,
	       "a field without its kind");

static const char *const names[] = {
#define NAME(name, text, v4, v6) text,
	FG_KEY_FIELDS(NAME)
#undef NAME
};

static const char *const types[][2] = {
#define TYPE(name, text, v4, v6) {v4, v6},
	FG_KEY_FIELDS(TYPE)
#undef TYPE
};

/* IFNAMSIZ: what meta iifname puts into the registers */
#define IFNAME_SIZE 16

int fg_key_field(const char *name)
{
	for (int i = 0; i < FG_KEY_FIELD_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *fg_key_field_name(enum fg_key_field field)
{
	return names[field];
}

const char *const *fg_key_field_names(void)
{
	return names;
}

const char *fg_key_field_type(enum fg_key_field field, int version)
{
	return types[field][version == 6];
}

uint8_t fg_key_field_len(enum fg_key_field field, int version)
{
	switch (fields[field].kind) {
	case ADDR:
		return version == 6 ? 16 : 4;
	case PORT:
		return 2;
	case PROTO:
		return 1;
	case MAC:
		return 6;
	case MARK:
		return 4;
	case IFNAME:
		return IFNAME_SIZE;
	}
	return 0;
}

static uint8_t padded(uint8_t len)
{
	return (uint8_t)((len + 3) & ~3);
}

int fg_key_shape(struct fg_key_shape *out, const uint8_t *field, size_t count,
		 int version)
{
	size_t len = 0;

	if (count == 0 || count > FG_KEY_FIELDS_MAX)
		return -EINVAL;
	*out = (struct fg_key_shape){.version = (uint8_t)version,
				     .count = (uint8_t)count};
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes = fg_key_field_len(field[i], version);

		if (len + padded(bytes) > FG_KEY_SIZE_MAX)
			return -E2BIG;
		out->field[i] = field[i];
		out->offset[i] = (uint8_t)len;
		len += count == 1 ? bytes : padded(bytes);
	}
	out->len = (uint8_t)len;
	return 0;
}

bool fg_key_has(const struct fg_key_shape *shape, uint32_t mask)
{
	for (int i = 0; i < shape->count; i++)
		if (mask >> shape->field[i] & 1)
			return true;
	return false;
}

/*
 * What a packet's interface can be called, and nft can list and read back: "*"
 * is a wildcard there. Anything else would be an element that matches nothing,
 * or, were it cut off, another interface's.
 */
static bool is_ifname(const char *name)
{
	size_t len = strnlen(name, IFNAME_SIZE);

	if (len == 0 || len == IFNAME_SIZE || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return false;
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"\\*/:?", *p))
			return false;
	return true;
}

enum fg_key_result fg_key_build(const struct fg_key_shape *shape,
				const struct fg_flow *flow,
				const char *interface, bool mirror,
				uint8_t *key)
{
	const uint32_t size = shape->version == 6 ? 16 : 4;

	if (flow->ip_version != shape->version)
		return FG_KEY_OTHER_VERSION;
	memset(key, 0, shape->len);
	for (int i = 0; i < shape->count; i++) {
		enum end end = fields[shape->field[i]].end;
		uint8_t *to = key + shape->offset[i];
		bool local;
		uint16_t port;

		if (end == SRC || end == DST) {
			if (!(flow->flags & FG_FLOW_HAS_ORIGIN))
				return FG_KEY_NO_ORIGIN;
			local = (end == SRC) ==
				!!(flow->flags & FG_FLOW_LOCAL_ORIGIN);
		} else {
			local = end == LOCAL;
		}
		local ^= mirror;
		switch (fields[shape->field[i]].kind) {
		case ADDR:
			memcpy(to, local ? flow->local_addr : flow->other_addr,
			       size);
			break;
		case PORT:
			port = local ? flow->local_port : flow->other_port;
			to[0] = (uint8_t)(port >> 8);
			to[1] = (uint8_t)port;
			break;
		case PROTO:
			to[0] = flow->ip_protocol;
			break;
		case MAC:
			if (!(flow->flags & (local ? FG_FLOW_HAS_LOCAL_MAC
						   : FG_FLOW_HAS_OTHER_MAC)))
				return FG_KEY_NO_MAC;
			memcpy(to, local ? flow->local_mac : flow->other_mac,
			       6);
			break;
		case MARK:
			if (!(flow->flags & FG_FLOW_HAS_CT_MARK))
				return FG_KEY_NO_MARK;
			memcpy(to, &flow->ct_mark, 4);
			break;
		case IFNAME:
			if (!is_ifname(interface))
				return FG_KEY_NO_INTERFACE;
			memcpy(to, interface, strlen(interface));
			break;
		}
	}
	return FG_KEY_OK;
}

/* ---------------------------------------------------------------- text */

struct writer {
	char *text;
	size_t len;
};

static void put(struct writer *w, const char *fmt, ...) FG_PRINTF(2, 3);
static void put(struct writer *w, const char *fmt, ...)
{
	size_t room = FG_KEY_TEXT - w->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->text + w->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n < room ? (size_t)n : room - 1;
}

/*
 * Quoted, and without the bytes that would end the quotes or the line: a name
 * comes from a message.
 */
static void put_ifname(struct writer *w, const uint8_t *name)
{
	put(w, "\"");
	for (int i = 0; i < IFNAME_SIZE && name[i]; i++)
		put(w, "%c",
		    name[i] > ' ' && name[i] < 0x7f && name[i] != '"' &&
				    name[i] != '\\'
			    ? name[i]
			    : '?');
	put(w, "\"");
}

static void put_proto(struct writer *w, uint8_t proto)
{
	static const char *const known[] = {
		[1] = "icmp", [6] = "tcp", [17] = "udp"};

	if (proto < sizeof(known) / sizeof(*known) && known[proto])
		put(w, "%s", known[proto]);
	else
		put(w, "%u", proto);
}

bool fg_key_matches(const struct fg_key_shape *shape, const uint8_t *key,
		    int version, const uint8_t addr[16], uint16_t port)
{
	bool has_addr = false, has_port = false, ports = false;

	if (shape->version != version)
		return false;
	for (int i = 0; i < shape->count; i++) {
		const uint8_t *p = key + shape->offset[i];

		if (fields[shape->field[i]].kind == ADDR) {
			has_addr |= !memcmp(p, addr, version == 6 ? 16 : 4);
		} else if (fields[shape->field[i]].kind == PORT) {
			ports = true;
			has_port |= (p[0] << 8 | p[1]) == port;
		}
	}
	return has_addr && (!port || !ports || has_port);
}

const char *fg_key_format(const struct fg_key_shape *shape, const uint8_t *key,
			  char text[FG_KEY_TEXT])
{
	struct writer w = {.text = text};
	char addr[FG_ADDR_TEXT], mac[FG_MAC_TEXT];
	uint8_t full[16];
	uint32_t mark;

	text[0] = '\0';
	for (int i = 0; i < shape->count; i++) {
		const uint8_t *p = key + shape->offset[i];

		if (i)
			put(&w, " . ");
		switch (fields[shape->field[i]].kind) {
		case ADDR:
			memset(full, 0, sizeof(full));
			memcpy(full, p, shape->version == 6 ? 16 : 4);
			put(&w, "%s",
			    fg_addr_format(shape->version, full, addr));
			break;
		case PORT:
			put(&w, "%u", p[0] << 8 | p[1]);
			break;
		case PROTO:
			put_proto(&w, p[0]);
			break;
		case MAC:
			put(&w, "%s", fg_mac_format(p, mac));
			break;
		case MARK:
			memcpy(&mark, p, 4);
			put(&w, "0x%08x", mark);
			break;
		case IFNAME:
			put_ifname(&w, p);
			break;
		}
	}
	return text;
}

const char *fg_key_format_types(const struct fg_key_shape *shape,
				char text[FG_KEY_TEXT])
{
	struct writer w = {.text = text};

	text[0] = '\0';
	for (int i = 0; i < shape->count; i++)
		put(&w, "%s%s", i ? " . " : "",
		    fg_key_field_type(shape->field[i], shape->version));
	return text;
}

const char *fg_key_format_fields(const struct fg_key_shape *shape,
				 char text[FG_KEY_TEXT])
{
	struct writer w = {.text = text};

	text[0] = '\0';
	for (int i = 0; i < shape->count; i++)
		put(&w, "%s%s", i ? ", " : "", names[shape->field[i]]);
	return text;
}
