/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.c - the flows of a script: each has a name, and is set key by key.
 */
#include "flow.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static const struct {
	const char *path;
	enum fg_kind kind;
} attributes[] = {
#define ATTRIBUTE(name, path, kind, store) {path, FG_KIND_##kind},
	FG_ATTRIBUTES(ATTRIBUTE)
#undef ATTRIBUTE
};

/* Keys whose value is a number. */
static const struct number {
	const char *key;
	size_t offset;
	size_t size;   /* 0: no field, only the flag */
	uint16_t flag; /* that says that there is one */
} numbers[] = {
#define NUMBER(key, field, flag)                                               \
	{                                                                      \
		key, offsetof(struct fg_flow, field),                          \
			sizeof(((struct fg_flow *)NULL)->field), flag          \
	}
	NUMBER("ct_id", ct_id, FG_FLOW_HAS_CT_ID),
	NUMBER("mark", ct_mark, FG_FLOW_HAS_CT_MARK),
	NUMBER("other_type", other_type, 0),
	NUMBER("app", application, 0),
	NUMBER("protocol", protocol, 0),
	NUMBER("local_bytes", local_bytes, 0),
	NUMBER("other_bytes", other_bytes, 0),
	NUMBER("local_packets", local_packets, 0),
	NUMBER("other_packets", other_packets, 0),
	NUMBER("first_seen", first_seen, 0),
	NUMBER("age", age_ms, 0),
	{"internal", 0, 0, FG_FLOW_INTERNAL},
	{"nat", 0, 0, FG_FLOW_IP_NAT},
};

static uint16_t interface_named(struct flows *fs, const char *name)
{
	for (int i = 0; i < fs->interfaces; i++)
		if (!strcmp(fs->interface[i], name))
			return (uint16_t)i;
	if (fs->interfaces == COUNT(fs->interface))
		return 0;
	fs->interface[fs->interfaces] = strdup(name);
	return (uint16_t)fs->interfaces++;
}

bool flows_init(struct flows *fs)
{
	*fs = (struct flows){.flow = calloc(FLOWS_MAX, sizeof(*fs->flow))};
	interface_named(fs, "");
	return fs->flow;
}

void flows_free(struct flows *fs)
{
	for (int i = 0; i < fs->count; i++)
		for (int j = 0; j < fs->flow[i].extras; j++)
			free(fs->flow[i].extra[j].text);
	free(fs->flow);
	for (int i = 0; i < fs->interfaces; i++)
		free(fs->interface[i]);
}

struct flow *flow_named(struct flows *fs, const char *id, bool create)
{
	struct flow *f;
	uint64_t h;

	for (int i = 0; i < fs->count; i++)
		if (!strcmp(fs->flow[i].id, id))
			return &fs->flow[i];
	if (!create || fs->count == FLOWS_MAX)
		return NULL;
	f = &fs->flow[fs->count++];
	snprintf(f->id, sizeof(f->id), "%s", id);
	h = fg_hash(id, strlen(id), 0);
	memcpy(f->f.digest, &h, sizeof(h));
	f->f.flags =
		FG_FLOW_INTERNAL | FG_FLOW_HAS_ORIGIN | FG_FLOW_LOCAL_ORIGIN;
	f->f.ip_protocol = 6;
	f->f.other_type = FG_OTHER_REMOTE;
	return f;
}

struct flow *flow_of(const struct flows *fs, const struct fg_flow *f)
{
	uintptr_t first = (uintptr_t)fs->flow, at = (uintptr_t)f;

	if (at < first || at >= (uintptr_t)(fs->flow + fs->count))
		return NULL;
	return &fs->flow[(at - first) / sizeof(*fs->flow)];
}

bool flow_get(const struct flow *flow, enum fg_attr attr, union fg_value *out)
{
	for (int i = 0; i < flow->extras; i++)
		if (flow->extra[i].attr == attr) {
			*out = flow->extra[i].value;
			return true;
		}
	return false;
}

/* --------------------------------------------------------------- setting */

static bool set_endpoint(struct fg_flow *f, char *value, uint8_t addr[16],
			 uint16_t *port)
{
	char *colon = strrchr(value, ':');
	size_t len;

	if (*value == '[') {
		char *end = strchr(++value, ']');

		if (!end)
			return false;
		len = (size_t)(end - value);
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (strchr(value, ':') != colon) {
		len = strlen(value);
		colon = NULL;
	} else {
		len = colon ? (size_t)(colon - value) : strlen(value);
	}
	f->ip_version = (uint8_t)fg_addr_parse(value, len, addr);
	*port = colon ? (uint16_t)atoi(colon + 1) : 0;
	return f->ip_version;
}

static void set_flag(struct fg_flow *f, uint16_t bit, bool on)
{
	f->flags = (uint16_t)(on ? f->flags | bit : f->flags & ~bit);
}

static bool set_mac(struct fg_flow *f, const char *value, uint8_t mac[6],
		    uint16_t flag)
{
	set_flag(f, flag, true);
	return fg_mac_parse(value, strlen(value), mac);
}

static bool set_protocol(struct fg_flow *f, const char *value)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = {{"tcp", 6}, {"udp", 17}, {"icmp", 1}};
	uint64_t u;

	for (int i = 0; i < COUNT(names); i++)
		if (!strcmp(names[i].name, value)) {
			f->ip_protocol = names[i].number;
			return true;
		}
	if (!fg_text_uint_any(value, strlen(value), &u))
		return false;
	f->ip_protocol = (uint8_t)u;
	return f->ip_protocol;
}

static bool set_extra(struct flow *f, const char *path, const char *value)
{
	struct extra *e;
	int a = 0;

	while (a < FG_ATTR_COUNT && strcmp(attributes[a].path, path))
		a++;
	if (a == FG_ATTR_COUNT || f->extras == COUNT(f->extra))
		return false;
	e = &f->extra[f->extras++];
	e->attr = (enum fg_attr)a;
	switch (attributes[a].kind) {
	case FG_KIND_TEXT:
	case FG_KIND_LIST:
		e->text = strdup(value);
		e->value.text = fg_slice(e->text, strlen(e->text));
		return true;
	case FG_KIND_ADDR:
		return fg_addr_parse(value, strlen(value), e->value.addr);
	case FG_KIND_MAC:
		return fg_mac_parse(value, strlen(value), e->value.mac);
	default:
		return fg_text_uint_any(value, strlen(value), &e->value.u);
	}
}

static void set_number(struct fg_flow *f, const struct number *n, uint64_t u)
{
	char *at = (char *)f + n->offset;

	set_flag(f, n->flag, n->size || u);
	switch (n->size) {
	case sizeof(uint8_t):
		*(uint8_t *)at = (uint8_t)u;
		break;
	case sizeof(uint32_t):
		memcpy(at, &(uint32_t){(uint32_t)u}, sizeof(uint32_t));
		break;
	case sizeof(uint64_t):
		memcpy(at, &u, sizeof(u));
		break;
	}
}

bool flow_set(struct flows *fs, struct flow *flow, char *text)
{
	struct fg_flow *f = &flow->f;
	const char *key = text;
	char *value = strchr(text, '=');
	uint64_t u;

	if (!value)
		return false;
	*value++ = '\0';
	if (!strcmp(key, "local"))
		return set_endpoint(f, value, f->local_addr, &f->local_port);
	if (!strcmp(key, "other"))
		return set_endpoint(f, value, f->other_addr, &f->other_port);
	if (!strcmp(key, "local_mac"))
		return set_mac(f, value, f->local_mac, FG_FLOW_HAS_LOCAL_MAC);
	if (!strcmp(key, "other_mac"))
		return set_mac(f, value, f->other_mac, FG_FLOW_HAS_OTHER_MAC);
	if (!strcmp(key, "proto"))
		return set_protocol(f, value);
	if (!strcmp(key, "origin")) {
		set_flag(f, FG_FLOW_HAS_ORIGIN, true);
		set_flag(f, FG_FLOW_LOCAL_ORIGIN, !strcmp(value, "local"));
		return true;
	}
	if (!strcmp(key, "iface")) {
		f->interface = interface_named(fs, value);
		return true;
	}
	if (strchr(key, '.'))
		return set_extra(flow, key, value);
	for (int i = 0; i < COUNT(numbers); i++)
		if (!strcmp(numbers[i].key, key) &&
		    fg_text_uint_any(value, strlen(value), &u)) {
			set_number(f, &numbers[i], u);
			return true;
		}
	return false;
}
