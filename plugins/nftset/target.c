/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.c - members of an nftset target, and the elements they hold. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "set.h"
#include "target.h"

/* For how long all members must be left out before that is said. */
#define LEFT_OUT_MS 60000

#define OTHER_SIDE (1u << FG_KEY_OTHER_ADDR)
#define LOCAL_SIDE (1u << FG_KEY_LOCAL_ADDR)
#define BY_ORIGIN  (1u << FG_KEY_SRC_ADDR | 1u << FG_KEY_DST_ADDR)

/* Why a member has no element. */
enum left_out {
	OUT_NOT,
	OUT_SIDE,
	OUT_OTHER_TYPE,
	OUT_VERSION,
	OUT_KEY, /* it lacks a field of the key */
	OUT_NEVER,
	OUT_COUNT
};

static const struct {
	const char *name; /* of its counter */
	const char *why;
} outs[] = {
	[OUT_NOT] = {"", ""},
	[OUT_SIDE] = {"left_out_side",
		      "they are of the side that \"sides\" leaves out"},
	[OUT_OTHER_TYPE] = {"left_out_other_type",
			    "their other side is of a type that "
			    "\"other_types\" leaves out"},
	[OUT_VERSION] = {"left_out_ip_version",
			 "they are of the IP version that \"set_family\" "
			 "leaves out"},
	[OUT_KEY] = {"left_out_key",
		     "the agent does not say all that \"type\" needs (a MAC "
		     "address, a mark, or which side began)"},
	[OUT_NEVER] = {"left_out_never", "their address is on the never list"},
};
_Static_assert(sizeof(outs) / sizeof(*outs) == OUT_COUNT, "a row for each");

struct target {
	const struct fg_host *host;
	const char *name;
	const struct fg_node *cfg;
	struct fg_options o;
	struct fg_set *set[2]; /* IPv4, IPv6; or NULL */
	bool needs_interface;

	uint64_t members;
	uint64_t out[OUT_COUNT];
	/* since when all members were left out, and how many */
	int64_t out_since;
	uint64_t out_count;
	enum left_out out_why;
	struct fg_timer out_timer;

	char reason[FG_SCHEMA_WHY];
};

static struct fg_set *set_of(const struct target *t, const struct fg_flow *f)
{
	return f->ip_version == 4   ? t->set[0]
	       : f->ip_version == 6 ? t->set[1]
				    : NULL;
}

/*
 * The never list protects an address from what an element does to it. One that
 * has the other side's address strikes that; one that has only the local
 * side's strikes everything that this host does. A pair of both strikes one
 * connection, which is the other side's matter: the local side is there in
 * every one, and what must not be done to a host of one's own is an exemption.
 */
static bool is_never(const struct target *t, const struct fg_flow *f,
		     const struct fg_key_shape *shape)
{
	const struct fg_host *h = t->host;

	if (h->size < offsetof(struct fg_host, never) + sizeof(h->never) ||
	    !h->never)
		return false;
	if (fg_key_has(shape, OTHER_SIDE | BY_ORIGIN))
		return h->never(h, f->ip_version, f->other_addr);
	if (fg_key_has(shape, LOCAL_SIDE))
		return h->never(h, f->ip_version, f->local_addr);
	return false;
}

/* Depends on nothing but the key part of the flow: leave() asks it again. */
static enum left_out key_of(const struct target *t, const struct fg_flow *f,
			    bool mirror, uint8_t key[FG_KEY_SIZE_MAX])
{
	bool internal = f->flags & FG_FLOW_INTERNAL;
	const struct fg_set *set = set_of(t, f);
	const struct fg_key_shape *shape;
	const char *interface = "";

	if (t->o.sides != FG_SIDE_BOTH &&
	    internal != (t->o.sides == FG_SIDE_LAN))
		return OUT_SIDE;
	if (!(t->o.other_types >> f->other_type & 1))
		return OUT_OTHER_TYPE;
	if (!set)
		return OUT_VERSION;
	shape = &fg_set_schema(set)->shape;
	if (t->needs_interface)
		interface = t->host->interface_name(t->host, f->interface);
	if (fg_key_build(shape, f, interface, mirror, key) != FG_KEY_OK)
		return OUT_KEY;
	return is_never(t, f, shape) ? OUT_NEVER : OUT_NOT;
}

static uint32_t data_of(const struct target *t, const struct fg_member *m)
{
	const uint32_t *override = m->binding;

	return override ? *override : t->o.data;
}

/* ------------------------------------------------------------ left out */

static void left_out(struct target *t, enum left_out why)
{
	t->out[why]++;
	t->out_count++;
	t->out_why = why;
	if (t->out_since)
		return;
	t->out_since = t->host->now(t->host);
	t->host->timer_set(t->host, &t->out_timer, t->out_since + LEFT_OUT_MS);
}

static void not_left_out(struct target *t)
{
	if (!t->out_since)
		return;
	t->out_since = 0;
	t->out_count = 0;
	t->host->timer_cancel(t->host, &t->out_timer);
}

static void out_expired(struct fg_timer *timer, int64_t now)
{
	struct target *t = timer->ctx;

	(void)now;
	t->host->log(t->host, FG_LOG_WARNING,
		     "target \"%s\": all %llu members of the last minute are "
		     "left out: %s",
		     t->name, (unsigned long long)t->out_count,
		     outs[t->out_why].why);
	t->out_since = 0;
	t->out_count = 0;
}

/* ----------------------------------------------------------- membership */

static void hold(struct target *t, const struct fg_flow *f,
		 const struct fg_member *m, bool on)
{
	uint8_t key[FG_KEY_SIZE_MAX];

	for (int mirror = 0; mirror <= t->o.set.mirror; mirror++) {
		enum left_out out = key_of(t, f, mirror, key);

		if (out != OUT_NOT) {
			if (on && !mirror)
				left_out(t, out);
			return;
		}
		if (on)
			fg_set_hold(set_of(t, f), key, m, data_of(t, m),
				    f->application);
		else
			fg_set_release(set_of(t, f), key, m, data_of(t, m));
	}
	if (on)
		not_left_out(t);
}

static void nftset_enter(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	(void)reason;
	hold(target, flow, member, true);
}

static void nftset_leave(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	(void)reason;
	hold(target, flow, member, false);
}

static bool nftset_flush(void *target, int64_t now)
{
	struct target *t = target;
	bool more = false;

	for (int i = 0; i < 2; i++)
		if (t->set[i])
			more |= fg_set_flush(t->set[i], now);
	return more;
}

/* -------------------------------------------------------------- opening */

static void nftset_close(void *target, bool stopping)
{
	struct target *t = target;

	t->host->timer_cancel(t->host, &t->out_timer);
	for (int i = 0; i < 2; i++)
		fg_set_close(t->set[i], t, stopping);
	free(t);
}

static int open_set(struct target *t, int version)
{
	struct fg_set_options o = t->o.set;
	char name[512];
	int err;

	snprintf(name, sizeof(name), "%s.v%d", t->o.set_name, version);
	o.schema.set = name;
	err = fg_key_shape(&o.schema.shape, t->o.field, t->o.fields, version);
	if (err)
		return err;
	return fg_set_open(&t->set[version == 6], t->host, t, &o, t->o.at_type);
}

static int nftset_open(const struct fg_host *host, const void *self,
		       const char *name, const struct fg_node *cfg,
		       const struct fg_node *globals, void **target)
{
	struct target *t = calloc(1, sizeof(*t));
	int err;

	(void)self, (void)globals;
	if (!t)
		return -ENOMEM;
	t->host = host;
	t->name = name;
	t->cfg = cfg;
	t->out_timer = (struct fg_timer){.expired = out_expired, .ctx = t};
	err = fg_options_read(&t->o, host, cfg);
	if (!err && t->o.ipv4)
		err = open_set(t, 4);
	if (!err && t->o.ipv6)
		err = open_set(t, 6);
	if (err) {
		nftset_close(t, false);
		return err;
	}
	for (size_t i = 0; i < t->o.fields; i++)
		t->needs_interface |= t->o.field[i] == FG_KEY_INTERFACE;
	*target = t;
	return 0;
}

static int nftset_bind(void *target, const struct fg_node *override,
		       const void **binding)
{
	struct target *t = target;
	enum fg_map map = t->o.set.schema.map;
	uint32_t *data;
	int ret;

	if (map == FG_MAP_NONE) {
		t->host->config->error(
			override,
			"the target is a set, not a map: an action has "
			"nothing to set (give the target \"data\")");
		return -EINVAL;
	}
	data = malloc(sizeof(*data));
	if (!data)
		return -ENOMEM;
	*data = t->o.data;
	ret = fg_options_data(t->host, override, &map, data);
	if (ret < 0) {
		free(data);
		return ret;
	}
	*binding = data;
	return 0;
}

static void nftset_unbind(void *target, const void *binding)
{
	(void)target;
	free((void *)binding);
}

/* -------------------------------------------------------------- looking */

static void nftset_status(void *target, struct fg_status *out)
{
	struct target *t = target;
	uint64_t count[FG_SET_COUNTS] = {0};
	struct fg_caps caps = {true, true};

	out->state = "ok";
	out->reason = "";
	for (int i = 0; i < 2; i++) {
		if (!t->set[i])
			continue;
		fg_set_status(t->set[i], out, count, t->reason);
		caps = fg_set_caps(t->set[i]);
	}
	if (!out->more)
		return;
	for (int i = 0; i < FG_SET_COUNTS; i++)
		out->more(out->ctx, fg_set_count_names[i], count[i]);
	for (int i = OUT_NOT + 1; i < OUT_COUNT; i++)
		out->more(out->ctx, outs[i].name, t->out[i]);
	out->more(out->ctx, "kernel_destroys", caps.destroy);
	out->more(out->ctx, "kernel_updates_timeouts", caps.update);
}

static void nftset_explain(void *target, const struct fg_flow *flow,
			   void (*line)(void *ctx, const char *text), void *ctx)
{
	struct target *t = target;
	uint8_t key[FG_KEY_SIZE_MAX];
	char text[256];

	for (int mirror = 0; mirror <= t->o.set.mirror; mirror++) {
		enum left_out out = key_of(t, flow, mirror, key);

		if (out == OUT_NOT) {
			fg_set_explain(set_of(t, flow), key, line, ctx);
			continue;
		}
		snprintf(text, sizeof(text), "left out: %s", outs[out].why);
		line(ctx, text);
		return;
	}
}

const struct fg_target_type fg_nftset_type = {
	.size = sizeof(struct fg_target_type),
	.name = "nftset",
	.open = nftset_open,
	.bind = nftset_bind,
	.unbind = nftset_unbind,
	.enter = nftset_enter,
	.leave = nftset_leave,
	.flush = nftset_flush,
	.status = nftset_status,
	.explain = nftset_explain,
	.close = nftset_close,
};
