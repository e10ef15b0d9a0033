/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scope.c - which members of a target get an element. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/word.h"
#include "scope.h"

#define OTHER_SIDE (1u << FG_KEY_OTHER_ADDR | 1u << FG_KEY_OTHER_MAC)
#define LOCAL_SIDE (1u << FG_KEY_LOCAL_ADDR | 1u << FG_KEY_LOCAL_MAC)

#define ADDRESSES                                                              \
	(1u << FG_KEY_LOCAL_ADDR | 1u << FG_KEY_OTHER_ADDR |                   \
	 1u << FG_KEY_SRC_ADDR | 1u << FG_KEY_DST_ADDR)

static const char *const sides[] = {"lan", "wan", "both"};

static const char *const types[FG_OTHER_COUNT] = {
	[FG_OTHER_UNKNOWN] = "unknown",
	[FG_OTHER_LOCAL] = "local",
	[FG_OTHER_REMOTE] = "remote",
	[FG_OTHER_MULTICAST] = "multicast",
	[FG_OTHER_BROADCAST] = "broadcast",
	[FG_OTHER_UNSUPPORTED] = "unsupported",
	[FG_OTHER_ERROR] = "error",
};

static int read_other_types(struct fg_scope *s, const struct fg_host *host,
			    const struct fg_node *cfg)
{
	const struct fg_config *c = host->config;
	const struct fg_node *node;
	const char *text;
	int err = 0;

	if (c->any(cfg, "other_types", &node) <= 0)
		return 0;
	text = c->as_text(node);
	if (text && !strcmp(text, "*")) {
		s->other_types = UINT32_MAX;
		return 0;
	}
	if (c->list(cfg, "other_types", &node) <= 0)
		return -EINVAL;
	s->other_types = 0;
	for (size_t i = 0; i < c->count(node); i++) {
		unsigned type = 0;

		text = c->as_text(c->at(node, i));
		if (text && !strcmp(text, "*"))
			s->other_types = UINT32_MAX;
		else if (fg_word_at(host, c->at(node, i),
				    "a type of the other side", types,
				    FG_OTHER_COUNT, &type) < 0)
			err = -EINVAL;
		s->other_types |= 1u << type;
	}
	return err;
}

int fg_scope_read(struct fg_scope *out, const struct fg_host *host,
		  const struct fg_node *cfg)
{
	unsigned side = FG_SIDE_LAN;
	int err = 0;

	out->other_types = 1u << FG_OTHER_REMOTE;
	if (fg_word_read(host, cfg, "sides", sides, 3, &side) < 0)
		err = -EINVAL;
	out->sides = (enum fg_side)side;
	if (read_other_types(out, host, cfg) < 0)
		err = -EINVAL;
	return err;
}

bool fg_scope_side(const struct fg_scope *s, const struct fg_flow *flow)
{
	bool lan = flow->flags & FG_FLOW_INTERNAL;

	return s->sides == FG_SIDE_BOTH || lan == (s->sides == FG_SIDE_LAN);
}

bool fg_scope_other_type(const struct fg_scope *s, const struct fg_flow *flow)
{
	return s->other_types >> flow->other_type & 1;
}

/* Of the local side of a pair: see scope.h. */
static bool is_listed(const struct fg_host *host, int version,
		      const uint8_t addr[16])
{
	return host->size >= offsetof(struct fg_host, never_listed) +
				     sizeof(host->never_listed) &&
	       host->never_listed && host->never_listed(host, version, addr);
}

static bool can_ask(const struct fg_host *host)
{
	return host->size >=
		       offsetof(struct fg_host, never) + sizeof(host->never) &&
	       host->never;
}

bool fg_scope_never(const struct fg_host *host, const struct fg_flow *flow,
		    const struct fg_key_shape *shape, bool mirror)
{
	bool local_first = flow->flags & FG_FLOW_LOCAL_ORIGIN;
	bool src = fg_key_has(shape, 1u << FG_KEY_SRC_ADDR);
	bool dst = fg_key_has(shape, 1u << FG_KEY_DST_ADDR);
	bool local, other;

	if (!can_ask(host))
		return false;
	local = fg_key_has(shape, LOCAL_SIDE) || (local_first ? src : dst);
	other = fg_key_has(shape, OTHER_SIDE) || (local_first ? dst : src);
	if (local && other)
		return is_listed(host, flow->ip_version, flow->local_addr) ||
		       host->never(host, flow->ip_version, flow->other_addr);
	if (mirror)
		local = other = local || other;
	return (local &&
		host->never(host, flow->ip_version, flow->local_addr)) ||
	       (other && host->never(host, flow->ip_version, flow->other_addr));
}

bool fg_scope_never_key(const struct fg_host *host,
			const struct fg_key_shape *shape, bool mirror,
			const uint8_t *key)
{
	bool pair = !mirror && fg_key_has(shape, 1u << FG_KEY_LOCAL_ADDR) &&
		    fg_key_has(shape, 1u << FG_KEY_OTHER_ADDR);
	size_t len = shape->version == 6 ? 16 : 4;

	for (int i = 0; can_ask(host) && i < shape->count; i++) {
		unsigned field = shape->field[i];
		uint8_t addr[16] = {0};

		if (!(1u << field & ADDRESSES))
			continue;
		memcpy(addr, key + shape->offset[i], len);
		if (pair && field == FG_KEY_LOCAL_ADDR
			    ? is_listed(host, shape->version, addr)
			    : host->never(host, shape->version, addr))
			return true;
	}
	return false;
}
