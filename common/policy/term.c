/* SPDX-License-Identifier: GPL-2.0-or-later */
/* term.c - the attributes that an expression can ask for. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "term.h"

#define FG_TERM_ROW(id, name, kind, arg, depends, max)                         \
	[FG_TERM_ID_##                                                         \
		id] = {name, max, FG_TERM_##kind, arg, FG_DEPENDS_##depends},
const struct fg_term fg_terms[FG_TERM_COUNT] = {FG_TERMS(FG_TERM_ROW)};

#define FG_TERM_NAME(id, name, kind, arg, depends, max) {name, FG_TERM_ID_##id},
const struct fg_term_name fg_term_names[] = {
	FG_TERMS(FG_TERM_NAME){"app", FG_TERM_ID_APPLICATION},
	{"app_id", FG_TERM_ID_APPLICATION},
	{"application_id", FG_TERM_ID_APPLICATION},
	{"proto", FG_TERM_ID_PROTOCOL},
	{"proto_id", FG_TERM_ID_PROTOCOL},
	{"protocol_id", FG_TERM_ID_PROTOCOL},
	{"application_category_id", FG_TERM_ID_APPLICATION_CATEGORY},
	{"app_category", FG_TERM_ID_APPLICATION_CATEGORY},
	{"app_category_id", FG_TERM_ID_APPLICATION_CATEGORY},
	{"protocol_category_id", FG_TERM_ID_PROTOCOL_CATEGORY},
	{"proto_category", FG_TERM_ID_PROTOCOL_CATEGORY},
	{"proto_category_id", FG_TERM_ID_PROTOCOL_CATEGORY},
	{"domain_category_id", FG_TERM_ID_DOMAIN_CATEGORY},
	{"dom_category", FG_TERM_ID_DOMAIN_CATEGORY},
	{"dom_category_id", FG_TERM_ID_DOMAIN_CATEGORY},
	{"network_category_id", FG_TERM_ID_NETWORK_CATEGORY},
	{"net_category", FG_TERM_ID_NETWORK_CATEGORY},
	{"net_category_id", FG_TERM_ID_NETWORK_CATEGORY},
	{"category_id", FG_TERM_ID_CATEGORY},
	{"cat", FG_TERM_ID_CATEGORY},
	{"cat_id", FG_TERM_ID_CATEGORY},
	{"vlan", FG_TERM_ID_VLAN_ID},
	{"ssl_version", FG_TERM_ID_TLS_VERSION},
	{"ssl_cipher", FG_TERM_ID_TLS_CIPHER},
	{"conntrack_id", FG_TERM_ID_CT_ID},
	{"conntrack_mark", FG_TERM_ID_CT_MARK},
	{"fwmark", FG_TERM_ID_CT_MARK},
	{NULL, FG_TERM_COUNT},
};

#define NAME_COUNT (sizeof(fg_term_names) / sizeof(fg_term_names[0]) - 1)

enum { ORIGIN_UNKNOWN, ORIGIN_LOCAL, ORIGIN_OTHER };
enum { TUNNEL_NONE, TUNNEL_GTP };

const struct fg_term_constant fg_term_constants[] = {
	{"origin_unknown", FG_TERM_ID_ORIGIN, ORIGIN_UNKNOWN},
	{"origin_local", FG_TERM_ID_ORIGIN, ORIGIN_LOCAL},
	{"origin_other", FG_TERM_ID_ORIGIN, ORIGIN_OTHER},
	{"other_unknown", FG_TERM_ID_OTHER_TYPE, FG_OTHER_UNKNOWN},
	{"other_local", FG_TERM_ID_OTHER_TYPE, FG_OTHER_LOCAL},
	{"other_remote", FG_TERM_ID_OTHER_TYPE, FG_OTHER_REMOTE},
	{"other_multicast", FG_TERM_ID_OTHER_TYPE, FG_OTHER_MULTICAST},
	{"other_broadcast", FG_TERM_ID_OTHER_TYPE, FG_OTHER_BROADCAST},
	{"other_unsupported", FG_TERM_ID_OTHER_TYPE, FG_OTHER_UNSUPPORTED},
	{"other_error", FG_TERM_ID_OTHER_TYPE, FG_OTHER_ERROR},
	{"tunnel_none", FG_TERM_ID_TUNNEL_TYPE, TUNNEL_NONE},
	{"tunnel_gtp", FG_TERM_ID_TUNNEL_TYPE, TUNNEL_GTP},
	{NULL, FG_TERM_COUNT, 0},
};

#define CONSTANT_COUNT                                                         \
	(sizeof(fg_term_constants) / sizeof(fg_term_constants[0]) - 1)

/* seven of other_type, three of origin, two of tunnel_type */
_Static_assert(CONSTANT_COUNT == FG_OTHER_COUNT + 5, "a constant is missing");

bool fg_term_find(struct fg_slice name, enum fg_term_id *out, const char **near)
{
	const char *names[NAME_COUNT];

	for (size_t i = 0; i < NAME_COUNT; i++) {
		names[i] = fg_term_names[i].name;
		if (!fg_slice_is(name, names[i]))
			continue;
		*out = fg_term_names[i].id;
		return true;
	}
	*near = fg_text_nearest(name.ptr, name.len, names, NAME_COUNT);
	return false;
}

bool fg_term_constant(struct fg_slice name, enum fg_term_id id, uint8_t *out,
		      const char **near)
{
	const char *names[CONSTANT_COUNT];
	size_t n = 0;

	for (size_t i = 0; i < CONSTANT_COUNT; i++) {
		if (fg_term_constants[i].id != id)
			continue;
		names[n++] = fg_term_constants[i].name;
		if (!fg_slice_is(name, names[n - 1]))
			continue;
		*out = fg_term_constants[i].value;
		return true;
	}
	*near = fg_text_nearest(name.ptr, name.len, names, n);
	return false;
}

/* ----------------------------------------------------- values in a flow */

static bool flag(const struct fg_flow *f, unsigned bit, uint64_t *out)
{
	*out = (f->flags & bit) != 0;
	return true;
}

bool fg_term_number(const struct fg_view *v, enum fg_term_id id, uint64_t *out)
{
	const struct fg_flow *f = v->flow;
	union fg_value value;

	switch (id) {
	case FG_TERM_ID_APPLICATION:
		*out = f->application;
		return true;
	case FG_TERM_ID_PROTOCOL:
		*out = f->protocol;
		return true;
	case FG_TERM_ID_IP_PROTOCOL:
		*out = f->ip_protocol;
		return true;
	case FG_TERM_ID_IP_VERSION:
		*out = f->ip_version;
		return f->ip_version != 0;
	case FG_TERM_ID_IP_NAT:
		return flag(f, FG_FLOW_IP_NAT, out);
	case FG_TERM_ID_DETECTION_GUESSED:
		return flag(f, FG_FLOW_GUESSED, out);
	case FG_TERM_ID_DETECTION_UPDATED:
		return flag(f, FG_FLOW_UPDATED, out);
	case FG_TERM_ID_DETECTION_COMPLETE:
		return flag(f, FG_FLOW_COMPLETE, out);
	case FG_TERM_ID_ORIGIN:
		*out = !(f->flags & FG_FLOW_HAS_ORIGIN)	 ? ORIGIN_UNKNOWN
		       : f->flags & FG_FLOW_LOCAL_ORIGIN ? ORIGIN_LOCAL
							 : ORIGIN_OTHER;
		return true;
	case FG_TERM_ID_OTHER_TYPE:
		*out = f->other_type;
		return true;
	case FG_TERM_ID_TUNNEL_TYPE:
		*out = f->flags & FG_FLOW_TUNNEL_GTP ? TUNNEL_GTP : TUNNEL_NONE;
		return true;
	case FG_TERM_ID_LOCAL_RATE:
	case FG_TERM_ID_OTHER_RATE:
		if (!fg_flow_get(v->table, f, (enum fg_attr)fg_terms[id].arg,
				 &value))
			return false;
		*out = value.r < 1e18 ? (uint64_t)value.r : UINT64_MAX;
		return true;
	default:
		if (!fg_flow_get(v->table, f, (enum fg_attr)fg_terms[id].arg,
				 &value))
			return false;
		*out = value.u;
		return true;
	}
}

bool fg_term_text(const struct fg_view *v, enum fg_term_id id,
		  struct fg_slice *out)
{
	union fg_value value;
	const char *name;

	if (id == FG_TERM_ID_IFACE) {
		name = fg_flow_interface_name(v->table, v->flow->interface);
		*out = fg_slice(name, strlen(name));
		return out->len != 0;
	}
	if (!fg_flow_get(v->table, v->flow, (enum fg_attr)fg_terms[id].arg,
			 &value))
		return false;
	*out = value.text;
	return true;
}

/* src and dst are local or other, if it is known which. */
static unsigned ends(const struct fg_flow *f, unsigned sides)
{
	bool local = f->flags & FG_FLOW_LOCAL_ORIGIN;

	if (!(f->flags & FG_FLOW_HAS_ORIGIN))
		return sides & FG_SIDE_EITHER;
	if (sides & FG_SIDE_SRC)
		sides |= local ? FG_SIDE_LOCAL : FG_SIDE_OTHER;
	if (sides & FG_SIDE_DST)
		sides |= local ? FG_SIDE_OTHER : FG_SIDE_LOCAL;
	return sides & FG_SIDE_EITHER;
}

unsigned fg_term_addresses(const struct fg_flow *f, unsigned sides,
			   const uint8_t *out[2])
{
	unsigned n = 0;

	sides = ends(f, sides);
	if (f->ip_version == 0)
		return 0;
	if (sides & FG_SIDE_LOCAL)
		out[n++] = f->local_addr;
	if (sides & FG_SIDE_OTHER)
		out[n++] = f->other_addr;
	return n;
}

unsigned fg_term_macs(const struct fg_flow *f, unsigned sides,
		      const uint8_t *out[2])
{
	unsigned n = 0;

	sides = ends(f, sides);
	if (sides & FG_SIDE_LOCAL && f->flags & FG_FLOW_HAS_LOCAL_MAC)
		out[n++] = f->local_mac;
	if (sides & FG_SIDE_OTHER && f->flags & FG_FLOW_HAS_OTHER_MAC)
		out[n++] = f->other_mac;
	return n;
}

unsigned fg_term_ports(const struct fg_flow *f, unsigned sides, uint16_t out[2])
{
	unsigned n = 0;

	sides = ends(f, sides);
	if (sides & FG_SIDE_LOCAL)
		out[n++] = f->local_port;
	if (sides & FG_SIDE_OTHER)
		out[n++] = f->other_port;
	return n;
}

uint16_t fg_term_category(const struct fg_view *v, enum fg_flow_category c)
{
	static const enum fg_attr detail[FG_CAT_COUNT] = {
		[FG_CAT_OVERLAY] = FG_ATTR_CAT_OVERLAY,
		[FG_CAT_LOCAL_NETWORK] = FG_ATTR_CAT_LOCAL_NETWORK,
		[FG_CAT_OTHER_NETWORK] = FG_ATTR_CAT_OTHER_NETWORK,
	};
	const struct fg_flow *f = v->flow;
	union fg_value value;
	uint16_t id = 0;

	switch (c) {
	case FG_CAT_APPLICATION:
		id = f->cat_application;
		if (id == 0 && f->application != 0)
			fg_catalog_category_of(v->catalog,
					       FG_CATEGORY_APPLICATION,
					       f->application, &id);
		return id;
	case FG_CAT_PROTOCOL:
		id = f->cat_protocol;
		if (id == 0 && f->protocol != 0)
			fg_catalog_category_of(v->catalog, FG_CATEGORY_PROTOCOL,
					       f->protocol, &id);
		return id;
	case FG_CAT_DOMAIN:
		return f->cat_domain;
	case FG_CAT_NETWORK:
		return f->cat_network;
	default:
		if (!fg_flow_get(v->table, f, detail[c], &value))
			return 0;
		return value.u <= UINT16_MAX ? (uint16_t)value.u : 0;
	}
}

bool fg_list_next(struct fg_slice *rest, struct fg_slice *out)
{
	const char *p = rest->ptr, *end = p + rest->len;
	char quote;

	while (p < end && *p != '"' && *p != '-' && (*p < '0' || *p > '9'))
		p++;
	if (p == end)
		return false;
	quote = *p;
	if (quote == '"')
		p++;
	*out = fg_slice(p, 0);
	if (quote == '"') {
		for (; p < end && *p != '"'; p++) {
			if (*p != '\\')
				continue;
			out->flags = FG_SLICE_ESCAPED;
			if (++p == end)
				break;
		}
	} else {
		while (p < end && *p != ',' && *p != ']' && *p > ' ')
			p++;
	}
	out->len = (uint32_t)(p - out->ptr);
	if (p < end)
		p++;
	rest->len = (uint32_t)(end - p);
	rest->ptr = p;
	return true;
}

/* --------------------------------------------------------------- for people */

struct out {
	char *p;
	size_t size;
	size_t len;
};

static void put(struct out *o, const char *fmt, ...) FG_PRINTF(2, 3);
static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->p + o->len, o->size - o->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += (size_t)n;
	if (o->len >= o->size)
		o->len = o->size - 1;
}

static void put_text(struct out *o, struct fg_slice text)
{
	/* enough to recognise it by */
	char shown[121];
	size_t n = fg_text_printable(text, shown, sizeof(shown));

	put(o, "\"%s%s\"", shown, n + 1 == sizeof(shown) ? "..." : "");
}

static void put_id(struct out *o, const char *name, uint64_t id)
{
	char shown[65];

	if (!name) {
		put(o, "%" PRIu64, id);
		return;
	}
	fg_text_printable(fg_slice(name, strlen(name)), shown, sizeof(shown));
	put(o, "%s (%" PRIu64 ")", shown, id);
}

static void show_number(const struct fg_view *v, enum fg_term_id id,
			struct out *o)
{
	uint64_t n;

	if (!fg_term_number(v, id, &n))
		return;
	switch (fg_terms[id].kind) {
	case FG_TERM_APPLICATION:
		put_id(o,
		       fg_catalog_name(v->catalog, FG_NAME_APPLICATION,
				       (uint32_t)n),
		       n);
		return;
	case FG_TERM_PROTOCOL:
		put_id(o,
		       fg_catalog_name(v->catalog, FG_NAME_PROTOCOL,
				       (uint32_t)n),
		       n);
		return;
	case FG_TERM_BOOL:
		put(o, "%s", n ? "true" : "false");
		return;
	case FG_TERM_CONSTANT:
		for (size_t i = 0; i < CONSTANT_COUNT; i++) {
			if (fg_term_constants[i].id == id &&
			    fg_term_constants[i].value == n)
				put(o, "%s", fg_term_constants[i].name);
		}
		return;
	default:
		break;
	}
	/* these are written in hexadecimal wherever people meet them */
	if (id == FG_TERM_ID_TLS_VERSION || id == FG_TERM_ID_TLS_CIPHER ||
	    id == FG_TERM_ID_TLS_ECH || id == FG_TERM_ID_CT_MARK)
		put(o, "0x%04" PRIx64, n);
	else
		put(o, "%" PRIu64, n);
}

static void show_sides(const struct fg_view *v, enum fg_term_id id,
		       struct out *o)
{
	const uint8_t *bytes[2];
	uint16_t ports[2];
	char text[FG_ADDR_TEXT];
	unsigned sides = fg_terms[id].arg, n;

	switch (fg_terms[id].kind) {
	case FG_TERM_ADDRESS:
		n = fg_term_addresses(v->flow, sides, bytes);
		for (unsigned i = 0; i < n; i++)
			put(o, "%s%s", i ? " and " : "",
			    fg_addr_format(v->flow->ip_version, bytes[i],
					   text));
		return;
	case FG_TERM_MAC:
		n = fg_term_macs(v->flow, sides, bytes);
		for (unsigned i = 0; i < n; i++)
			put(o, "%s%s", i ? " and " : "",
			    fg_mac_format(bytes[i], text));
		return;
	default:
		n = fg_term_ports(v->flow, sides, ports);
		for (unsigned i = 0; i < n; i++)
			put(o, "%s%u", i ? " and " : "", ports[i]);
	}
}

static void show_categories(const struct fg_view *v, enum fg_term_id id,
			    struct out *o)
{
	for (unsigned c = 0; c < FG_CAT_COUNT; c++) {
		uint16_t n;

		if (!(fg_terms[id].arg >> c & 1))
			continue;
		n = fg_term_category(v, c);
		if (n == 0)
			continue;
		if (o->len > 0)
			put(o, ", ");
		put_id(o,
		       fg_catalog_category_name(
			       v->catalog,
			       c == FG_CAT_PROTOCOL ? FG_CATEGORY_PROTOCOL
						    : FG_CATEGORY_APPLICATION,
			       n),
		       n);
	}
}

size_t fg_term_show(const struct fg_view *v, enum fg_term_id id, char *buf,
		    size_t size)
{
	struct out o = {buf, size, 0};
	struct fg_slice text;

	if (size == 0)
		return 0;
	buf[0] = '\0';
	switch (fg_terms[id].kind) {
	case FG_TERM_TEXT:
	case FG_TERM_NAME:
	case FG_TERM_TEXTS:
	case FG_TERM_NUMBERS:
		if (fg_term_text(v, id, &text))
			put_text(&o, text);
		break;
	case FG_TERM_PORT:
	case FG_TERM_ADDRESS:
	case FG_TERM_MAC:
		show_sides(v, id, &o);
		break;
	case FG_TERM_CATEGORY:
		show_categories(v, id, &o);
		break;
	default:
		show_number(v, id, &o);
		break;
	}
	if (o.len == 0)
		put(&o, "not known");
	return o.len;
}
