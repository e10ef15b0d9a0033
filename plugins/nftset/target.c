/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.c - members of an nftset target, and the elements they hold. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/bindings.h"
#include "base/hash.h"
#include "endpoint.h"
#include "leftout.h"
#include "options.h"
#include "set.h"
#include "target.h"

struct target {
	const struct fg_host *host;
	const char *name;
	const struct fg_node *cfg;
	struct fg_options o;
	struct fg_set *set[2];	     /* IPv4, IPv6; or NULL */
	struct fg_bindings bindings; /* uint32_t: "data" of actions */
	/* of its own keys: a set is shared by all whose keys look the same */
	struct fg_key_shape shape[2];
	bool needs_interface;

	const void *self;
	uint64_t seed;
	struct fg_endpoints *ends[2]; /* by version; NULL unless skip */
	const void *instead;	      /* "else", or NULL */
	int64_t move_at; /* us: members are not gone through before that */
	struct fg_timer move_timer;

	struct fg_leftout *out;
	char reason[FG_SCHEMA_WHY];
};

static const struct fg_key_shape *shape_of(const struct target *t,
					   const struct fg_flow *f)
{
	return &t->shape[f->ip_version == 6];
}

static struct fg_set *set_of(const struct target *t, const struct fg_flow *f)
{
	return f->ip_version == 4   ? t->set[0]
	       : f->ip_version == 6 ? t->set[1]
				    : NULL;
}

/*
 * Depends on nothing but the key part of the flow: leave() asks it again. The
 * never list is not asked here: it may change in between.
 */
static enum fg_out key_of(const struct target *t, const struct fg_flow *f,
			  bool mirror, uint8_t key[FG_KEY_SIZE_MAX])
{
	const char *interface = "";

	if (!fg_scope_side(&t->o.scope, f))
		return FG_OUT_SIDE;
	if (!fg_scope_other_type(&t->o.scope, f))
		return FG_OUT_OTHER_TYPE;
	if (!set_of(t, f))
		return FG_OUT_VERSION;
	if (t->needs_interface)
		interface = t->host->interface_name(t->host, f->interface);
	if (fg_key_build(shape_of(t, f), f, interface, mirror, key) !=
	    FG_KEY_OK)
		return FG_OUT_KEY;
	return FG_OUT_NOT;
}

static bool is_never(const struct target *t, const struct fg_flow *f)
{
	return fg_scope_never(t->host, f, shape_of(t, f), t->o.set.mirror);
}

static uint32_t data_of(const struct target *t, const struct fg_member *m)
{
	const uint32_t *override = m->binding;

	return override ? *override : t->o.data;
}

static struct fg_endpoints *ends_of(const struct target *t,
				    const struct fg_flow *f)
{
	return t->ends[f->ip_version == 6];
}

/* --------------------------------------------------------------- shared */

/* How much of the time may go into moving members: one part in this. */
#define MOVE_SHARE 20

static uint64_t flow_id(const struct target *t, const struct fg_flow *f)
{
	return fg_hash(f->digest, sizeof(f->digest), t->seed ^ f->source);
}

static int64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void instead(struct target *t, const struct fg_flow *f,
		    const struct fg_member *m, bool on)
{
	if (t->instead)
		t->host->delegate(t->host, t->self, t->instead, f, m, on);
}

/* One member of an endpoint that is to go by the other way. */
static bool move(const struct fg_flow *f, const struct fg_member *m, void *ctx)
{
	struct target *t = ctx;
	uint8_t key[FG_KEY_SIZE_MAX];
	enum fg_way is, should;

	if (key_of(t, f, false, key) != FG_OUT_NOT)
		return true;
	fg_endpoint_ways(ends_of(t, f), key, &is, &should);
	if (is == should)
		return true;
	if (should == FG_WAY_INSTEAD) {
		/* first struck there, then spared here: no gap */
		instead(t, f, m, true);
		fg_set_release(set_of(t, f), key, m, data_of(t, m));
	} else {
		if (!is_never(t, f))
			fg_set_hold(set_of(t, f), key, m, data_of(t, m),
				    f->application);
		instead(t, f, m, false);
	}
	return true;
}

static void move_members(struct target *t)
{
	bool pending = false;
	int64_t start, now;

	for (int i = 0; i < 2; i++)
		pending |= t->ends[i] && fg_endpoints_pending(t->ends[i]);
	if (!pending)
		return;
	start = clock_us();
	if (start < t->move_at) {
		if (!t->move_timer.deadline)
			t->host->timer_set(t->host, &t->move_timer,
					   t->host->now(t->host) +
						   (t->move_at - start) / 1000 +
						   1);
		return;
	}
	t->host->members(t->host, t->self, move, t);
	for (int i = 0; i < 2; i++)
		if (t->ends[i])
			fg_endpoints_moved(t->ends[i]);
	now = clock_us();
	t->move_at = now + (now - start) * MOVE_SHARE;
}

static void count_flow(struct target *t, const struct fg_flow *f, bool there)
{
	uint8_t key[FG_KEY_SIZE_MAX];

	if (key_of(t, f, false, key) == FG_OUT_NOT)
		fg_endpoint_flow(ends_of(t, f), key, there);
}

static void nftset_event(void *target, enum fg_event event,
			 const struct fg_flow *flow, enum fg_reason reason)
{
	struct target *t = target;

	(void)reason;
	if (t->o.shared == FG_SHARED_ALLOW)
		return;
	if (event == FG_EVENT_ANNOUNCED || event == FG_EVENT_REMOVED)
		count_flow(t, flow, event == FG_EVENT_ANNOUNCED);
}

/* ----------------------------------------------------------- membership */

/*
 * Takes the element, or what is there instead of it; or lets go of it, even if
 * it did not take it since it was on the never list then. False: it is now.
 */
static bool strike(struct target *t, const struct fg_flow *f,
		   const struct fg_member *m, const uint8_t *key, bool on)
{
	enum fg_way way = FG_WAY_ELEMENT;

	if (t->o.shared == FG_SHARED_SKIP)
		way = on ? fg_endpoint_join(ends_of(t, f), key, flow_id(t, f))
			 : fg_endpoint_part(ends_of(t, f), key, flow_id(t, f));
	if (way == FG_WAY_INSTEAD)
		instead(t, f, m, on);
	else if (!on)
		fg_set_release(set_of(t, f), key, m, data_of(t, m));
	else if (is_never(t, f))
		return false;
	else
		fg_set_hold(set_of(t, f), key, m, data_of(t, m),
			    f->application);
	return true;
}

static void hold(struct target *t, const struct fg_flow *f,
		 const struct fg_member *m, bool on)
{
	uint8_t key[FG_KEY_SIZE_MAX];

	for (int mirror = 0; mirror <= t->o.set.mirror; mirror++) {
		enum fg_out out = key_of(t, f, mirror, key);

		if (out == FG_OUT_NOT && !strike(t, f, m, key, on))
			out = FG_OUT_NEVER;
		if (out != FG_OUT_NOT) {
			if (on && !mirror)
				fg_leftout_count(t->out, out);
			return;
		}
	}
	if (on)
		fg_leftout_end(t->out);
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

	if (t->o.shared == FG_SHARED_SKIP)
		move_members(t);
	for (int i = 0; i < 2; i++)
		if (t->set[i])
			more |= fg_set_flush(t->set[i], now);
	return more;
}

static void move_expired(struct fg_timer *timer, int64_t now)
{
	nftset_flush(timer->ctx, now);
}

/* The never list may be another one: who holds what, from the beginning. */
struct recount {
	struct target *t;
	struct fg_set *set;
};

static bool recount_each(const struct fg_flow *f, const struct fg_member *m,
			 void *ctx)
{
	const struct recount *r = ctx;
	struct target *t = r->t;
	uint8_t key[FG_KEY_SIZE_MAX];
	enum fg_way is = FG_WAY_ELEMENT, should;

	for (int mirror = 0; mirror <= t->o.set.mirror; mirror++) {
		if (set_of(t, f) != r->set ||
		    key_of(t, f, mirror, key) != FG_OUT_NOT || is_never(t, f))
			return true;
		if (t->o.shared == FG_SHARED_SKIP)
			fg_endpoint_ways(ends_of(t, f), key, &is, &should);
		if (is == FG_WAY_ELEMENT)
			fg_set_hold(r->set, key, m, data_of(t, m),
				    f->application);
	}
	return true;
}

static void recount(void *user, struct fg_set *set)
{
	struct recount r = {user, set};

	r.t->host->members(r.t->host, r.t->self, recount_each, &r);
}

static void nftset_reload(void *target)
{
	struct target *t = target;

	for (int i = 0; i < 2; i++)
		if (t->set[i])
			fg_set_recount(t->set[i]);
}

/* -------------------------------------------------------------- opening */

static void nftset_close(void *target, bool stopping)
{
	struct target *t = target;

	t->host->timer_cancel(t->host, &t->move_timer);
	for (int i = 0; i < 2; i++) {
		fg_set_close(t->set[i], t, stopping);
		fg_endpoints_free(t->ends[i]);
	}
	fg_bindings_free(&t->bindings);
	fg_leftout_free(t->out);
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
	t->shape[version == 6] = o.schema.shape;
	if (t->o.shared == FG_SHARED_SKIP)
		err = fg_endpoints_new(&t->ends[version == 6],
				       t->host->max_flows, o.schema.shape.len,
				       t->seed);
	if (err)
		return err;
	return fg_set_open(&t->set[version == 6], t->host, t, recount, &o,
			   t->o.at_type);
}

static int nftset_open(const struct fg_host *host, const void *self,
		       const char *name, const struct fg_node *cfg,
		       const struct fg_node *globals, void **target)
{
	struct target *t = calloc(1, sizeof(*t));
	int err;

	(void)globals;
	if (!t)
		return -ENOMEM;
	t->self = self;
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
		t->seed = (uint64_t)(uintptr_t)t;
	t->host = host;
	t->name = name;
	t->cfg = cfg;
	t->move_timer = (struct fg_timer){.expired = move_expired, .ctx = t};
	err = fg_leftout_new(&t->out, host, name);
	if (!err)
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

static bool count_each(const struct fg_flow *flow, void *ctx)
{
	count_flow(ctx, flow, true);
	return true;
}

/* Is it of the configuration that is being looked at? */
static bool counts(const void *user)
{
	const struct target *t = user;

	return t->host->target_find(t->host, t->name) == t->self;
}

static int agree(const struct target *t)
{
	for (int i = 0; i < 2; i++) {
		const struct target *other;
		const char *key;

		if (!t->set[i])
			continue;
		other = fg_set_rival(t->set[i], t, counts, &key);
		if (!other)
			continue;
		t->host->config->error(
			t->cfg,
			"target \"%s\" has the same set as \"%s\", but "
			"another \"%s\": make that the same, or give each a "
			"set of its own",
			t->name, other->name, key);
		return -EINVAL;
	}
	return 0;
}

static int nftset_configured(void *target)
{
	struct target *t = target;
	int err = agree(t);

	if (err)
		return err;
	if (t->o.shared != FG_SHARED_SKIP)
		return 0;
	if (t->o.else_name) {
		t->instead = t->host->target_find(t->host, t->o.else_name);
		if (!t->instead || t->instead == t->self) {
			t->host->config->error(
				t->cfg,
				"\"else\" names \"%s\", which is not another "
				"target: name the one that takes the members "
				"of endpoints that others use, too",
				t->o.else_name);
			return -EINVAL;
		}
	}
	/* flows that are there already, when this is a reload */
	t->host->flows(t->host, count_each, t);
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
	data = fg_binding_new(&t->bindings, sizeof(*data));
	if (!data)
		return -ENOMEM;
	*data = t->o.data;
	ret = fg_options_data(t->host, override, &map, data);
	if (ret < 0) {
		fg_binding_free(&t->bindings, data);
		return ret;
	}
	*binding = data;
	return 0;
}

static void nftset_unbind(void *target, const void *binding)
{
	fg_binding_free(&((struct target *)target)->bindings, binding);
}

/* -------------------------------------------------------------- looking */

static const char *caps_text(struct fg_caps caps)
{
	static const char *const text[2][2] = {
		{"neither destroys elements nor updates their timeouts: they "
		 "are added, deleted and added again",
		 "updates timeouts, but does not destroy elements: they are "
		 "added and deleted"},
		{"destroys elements, but does not update their timeouts: they "
		 "are destroyed and added again",
		 "destroys elements, updates their timeouts"}};

	return text[caps.destroy][caps.update];
}

static void nftset_status(void *target, struct fg_status *out)
{
	struct target *t = target;
	uint64_t count[FG_SET_COUNTS] = {0};
	struct fg_caps caps = {true, true};
	struct fg_endpoint_counts ends = {0};

	out->state = "ok";
	out->reason = "";
	for (int i = 0; i < 2; i++) {
		if (!t->set[i])
			continue;
		fg_set_status(t->set[i], out, count, t->reason);
		caps = fg_set_caps(t->set[i]);
	}
	if (!(t->host->flags & FG_HOST_DRY_RUN))
		out->kernel = caps_text(caps);
	if (!out->more)
		return;
	for (int i = 0; i < FG_SET_COUNTS; i++)
		out->more(out->ctx, fg_set_count_names[i], count[i]);
	fg_leftout_status(t->out, out);
	for (int i = 0; i < 2; i++) {
		struct fg_endpoint_counts c;

		if (!t->ends[i])
			continue;
		fg_endpoints_counts(t->ends[i], &c);
		ends.endpoints += c.endpoints;
		ends.shared += c.shared;
		ends.moves += c.moves;
	}
	if (t->o.shared == FG_SHARED_SKIP) {
		out->more(out->ctx, "endpoints", ends.endpoints);
		out->more(out->ctx, "endpoints_shared", ends.shared);
		out->more(out->ctx, "endpoints_moved", ends.moves);
	}
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
		enum fg_out out = key_of(t, flow, mirror, key);

		if (out == FG_OUT_NOT && is_never(t, flow))
			out = FG_OUT_NEVER;
		if (out == FG_OUT_NOT) {
			fg_set_explain(set_of(t, flow), key, line, ctx);
			continue;
		}
		snprintf(text, sizeof(text), "left out: %s",
			 fg_leftout_why(out));
		line(ctx, text);
		return;
	}
}

static void nftset_explain_lingering(void *target, int version,
				     const uint8_t addr[16], uint16_t port,
				     void (*line)(void *ctx, const char *text),
				     void *ctx)
{
	struct target *t = target;

	for (int i = 0; i < 2; i++)
		if (t->set[i])
			fg_set_explain_lingering(t->set[i], version, addr, port,
						 line, ctx);
}

static void nftset_never_changed(void *target)
{
	struct target *t = target;

	for (int i = 0; i < 2; i++)
		if (t->set[i])
			fg_set_never_changed(t->set[i]);
}

static void nftset_restored(void *target)
{
	struct target *t = target;

	for (int i = 0; i < 2; i++)
		if (t->set[i])
			fg_set_restored(t->set[i]);
}

const struct fg_target_type fg_nftset_type = {
	.size = sizeof(struct fg_target_type),
	.name = "nftset",
	.open = nftset_open,
	.bind = nftset_bind,
	.unbind = nftset_unbind,
	.configured = nftset_configured,
	.enter = nftset_enter,
	.leave = nftset_leave,
	.event = nftset_event,
	.flush = nftset_flush,
	.status = nftset_status,
	.explain = nftset_explain,
	.explain_lingering = nftset_explain_lingering,
	.never_changed = nftset_never_changed,
	.restored = nftset_restored,
	.reload = nftset_reload,
	.close = nftset_close,
};
