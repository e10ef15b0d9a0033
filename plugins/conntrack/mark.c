/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mark.c - target type ctmark: the mark of a member's connection.
 *
 * The value is (mark << shift) & mask, and only the bits of mask are changed:
 * the connection's mark becomes (old & ~mask) | value. An action may name the
 * target with a "mark" of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bindings.h"
#include "types.h"
#include "updater.h"

struct ctmark {
	const struct fg_host *host;
	struct fg_updater *updater;
	const char *name;
	uint32_t value;
	uint32_t mask;
	unsigned shift;
	bool clear;		     /* clear_on_leave */
	uint64_t held;		     /* members */
	struct fg_bindings bindings; /* uint32_t: "mark" of actions */
};

/* "mark" of cfg; the same sum for the target and for an action's override. */
static int read_value(struct ctmark *m, const struct fg_node *cfg,
		      uint32_t *out)
{
	const struct fg_config *c = m->host->config;
	uint64_t mark = 0, value;
	int got = c->uint(cfg, "mark", 0, UINT32_MAX, &mark);

	if (got < 0)
		return got;
	if (!got) {
		c->error(cfg, "\"mark\" is missing: the value to set, such as "
			      "\"0x10\"");
		return -EINVAL;
	}
	value = mark << m->shift;
	*out = (uint32_t)value & m->mask;
	if (*out != value)
		c->warning(cfg,
			   "mark 0x%llx << %u does not fit mask 0x%x: 0x%x is "
			   "what will be set",
			   (unsigned long long)mark, m->shift, m->mask, *out);
	return 0;
}

static int read_config(struct ctmark *m, const struct fg_node *cfg)
{
	const struct fg_config *c = m->host->config;
	uint64_t mask = UINT32_MAX, shift = 0;

	if (c->uint(cfg, "mask", 0, UINT32_MAX, &mask) < 0 ||
	    c->uint(cfg, "shift", 0, 31, &shift) < 0 ||
	    c->boolean(cfg, "clear_on_leave", &m->clear) < 0)
		return -EINVAL;
	if (!mask) {
		c->error(cfg, "\"mask\" is 0: no bit of the mark would change; "
			      "leave it out to set all of them");
		return -EINVAL;
	}
	m->mask = (uint32_t)mask;
	m->shift = (unsigned)shift;
	return read_value(m, cfg, &m->value);
}

static size_t build(void *ctx, void *buf, uint32_t seq,
		    const struct fg_tuple *t, const struct fg_change *c)
{
	struct ctmark *m = ctx;

	return fg_ct_mark(buf, seq, t, c->to.mark, m->mask);
}

static void print(void *ctx, char *text, size_t size, const char *tuple,
		  const struct fg_change *c)
{
	struct ctmark *m = ctx;

	snprintf(text, size, "conntrack -U %s --mark 0x%x/0x%x", tuple,
		 c->to.mark, m->mask);
}

static bool result(void *ctx, const struct fg_change *c, int err)
{
	(void)ctx, (void)c, (void)err;
	return false;
}

static void put(struct ctmark *m, const struct fg_flow *flow,
		const struct fg_member *member)
{
	const uint32_t *value = member->binding ? member->binding : &m->value;
	struct fg_change *c = fg_updater_put(m->updater, flow, FG_CHANGE_SET);

	if (c)
		c->to.mark = *value;
}

static void renew(void *ctx, const struct fg_flow *flow,
		  const struct fg_member *member)
{
	put(ctx, flow, member);
}

static const struct fg_updater_ops ops = {build, print, result, renew};

static int mark_open(const struct fg_host *host, const void *self,
		     const char *name, const struct fg_node *cfg,
		     const struct fg_node *globals, void **target)
{
	struct ctmark *m = calloc(1, sizeof(*m));
	int err;

	(void)globals;
	if (!m)
		return -ENOMEM;
	m->host = host;
	m->name = name;
	err = read_config(m, cfg);
	if (!err)
		err = fg_updater_new(&m->updater, host, self, name, &ops, m);
	if (err) {
		free(m);
		return err;
	}
	*target = m;
	return 0;
}

static int mark_bind(void *target, const struct fg_node *override,
		     const void **binding)
{
	struct ctmark *m = target;
	uint32_t *value = fg_binding_new(&m->bindings, sizeof(*value));
	int err;

	if (!value)
		return -ENOMEM;
	err = read_value(m, override, value);
	if (err) {
		fg_binding_free(&m->bindings, value);
		return err;
	}
	*binding = value;
	return 0;
}

static void mark_unbind(void *target, const void *binding)
{
	fg_binding_free(&((struct ctmark *)target)->bindings, binding);
}

static void mark_enter(void *target, const struct fg_flow *flow,
		       const struct fg_member *member, enum fg_reason reason)
{
	struct ctmark *m = target;

	(void)reason;
	m->held++;
	put(m, flow, member);
}

static void mark_leave(void *target, const struct fg_flow *flow,
		       const struct fg_member *member, enum fg_reason reason)
{
	struct ctmark *m = target;
	struct fg_change *c;

	(void)member, (void)reason;
	m->held--;
	if (!m->clear) {
		fg_updater_cancel(m->updater, flow);
		return;
	}
	c = fg_updater_put(m->updater, flow, FG_CHANGE_CLEAR);
	if (c)
		c->to.mark = 0;
}

static bool mark_flush(void *target, int64_t now)
{
	struct ctmark *m = target;

	return fg_updater_flush(m->updater, now);
}

static void mark_status(void *target, struct fg_status *out)
{
	struct ctmark *m = target;

	fg_updater_status(m->updater, out);
	out->elements = m->held;
}

static void mark_explain(void *target, const struct fg_flow *flow,
			 void (*line)(void *ctx, const char *text), void *ctx)
{
	struct ctmark *m = target;
	struct fg_ct_entry e;
	char text[128];
	int err = fg_updater_get(m->updater, flow, &e);

	if (err)
		fg_entry_unknown(err, text, sizeof(text));
	else
		snprintf(text, sizeof(text),
			 "connection %u has mark 0x%x, of which 0x%x is this "
			 "target's (mask 0x%x)",
			 e.id, e.mark, e.mark & m->mask, m->mask);
	line(ctx, text);
}

static void mark_close(void *target, bool stopping)
{
	struct ctmark *m = target;

	(void)stopping;
	if (m->clear)
		fg_updater_drain(m->updater);
	fg_updater_free(m->updater);
	fg_bindings_free(&m->bindings);
	free(m);
}

const struct fg_target_type fg_ctmark_type = {
	.size = sizeof(fg_ctmark_type),
	.name = "ctmark",
	.open = mark_open,
	.bind = mark_bind,
	.unbind = mark_unbind,
	.enter = mark_enter,
	.leave = mark_leave,
	.flush = mark_flush,
	.status = mark_status,
	.explain = mark_explain,
	.close = mark_close,
};
