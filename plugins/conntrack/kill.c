/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill.c - target type ctkill: a member's connection is forgotten by the
 * kernel, so that its next packet is judged by the ruleset as it is now.
 *
 * For connections that were let through, or handed to a flowtable, before they
 * were identified. Acts after the sets of the same burst are in force, and
 * "after_ms" later.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "types.h"
#include "updater.h"

#define AFTER_MAX_MS 3600000

struct ctkill {
	const struct fg_host *host;
	struct fg_updater *updater;
	const char *name;
	uint32_t after_ms;
	uint64_t held;
};

static size_t build(void *ctx, void *buf, uint32_t seq,
		    const struct fg_tuple *t, const struct fg_change *c)
{
	(void)ctx;
	/* a younger connection with the same ports is not the one meant */
	return fg_ct_delete(buf, seq, t, c->has_id ? &c->id : NULL);
}

static void print(void *ctx, char *text, size_t size, const char *tuple,
		  const struct fg_change *c)
{
	(void)ctx, (void)c;
	snprintf(text, size, "conntrack -D %s", tuple);
}

static bool result(void *ctx, const struct fg_change *c, int err)
{
	struct ctkill *k = ctx;

	(void)c;
	if (err != -EBUSY)
		return false;
	k->host->log(k->host, FG_LOG_WARNING,
		     "target \"%s\": this kernel does not end connections "
		     "that are in a flowtable; keep them out of it, or use a "
		     "newer one",
		     k->name);
	return true;
}

static void put(struct ctkill *k, const struct fg_flow *flow)
{
	struct fg_change *c = fg_updater_put(k->updater, flow, FG_CHANGE_KILL);

	/* a second flow of the same connection does not put it off */
	if (c && !c->due && k->after_ms)
		c->due = k->host->now(k->host) + k->after_ms;
}

static void renew(void *ctx, const struct fg_flow *flow,
		  const struct fg_member *member)
{
	(void)member;
	put(ctx, flow);
}

static const struct fg_updater_ops ops = {build, print, result, renew};

static int kill_open(const struct fg_host *host, const void *self,
		     const char *name, const struct fg_node *cfg,
		     const struct fg_node *globals, void **target)
{
	struct ctkill *k = calloc(1, sizeof(*k));
	uint64_t after = 0;
	int err = -EINVAL;

	(void)globals;
	if (!k)
		return -ENOMEM;
	k->host = host;
	k->name = name;
	if (host->config->uint(cfg, "after_ms", 0, AFTER_MAX_MS, &after) >= 0)
		err = fg_updater_new(&k->updater, host, self, name, &ops, k);
	if (err) {
		free(k);
		return err;
	}
	k->after_ms = (uint32_t)after;
	*target = k;
	return 0;
}

static void kill_enter(void *target, const struct fg_flow *flow,
		       const struct fg_member *member, enum fg_reason reason)
{
	struct ctkill *k = target;

	(void)member;
	k->held++;
	/* the run before did it: what goes on was judged since */
	if (reason != FG_REASON_RESTART)
		put(k, flow);
}

static void kill_leave(void *target, const struct fg_flow *flow,
		       const struct fg_member *member, enum fg_reason reason)
{
	struct ctkill *k = target;

	(void)member, (void)reason;
	k->held--;
	fg_updater_cancel(k->updater, flow);
}

static bool kill_flush(void *target, int64_t now)
{
	struct ctkill *k = target;

	return fg_updater_flush(k->updater, now);
}

static void kill_status(void *target, struct fg_status *out)
{
	struct ctkill *k = target;

	fg_updater_status(k->updater, out);
	out->elements = k->held;
}

static void kill_explain(void *target, const struct fg_flow *flow,
			 void (*line)(void *ctx, const char *text), void *ctx)
{
	struct ctkill *k = target;
	struct fg_ct_entry e;
	char text[128];
	int err = fg_updater_get(k->updater, flow, &e);

	if (err)
		fg_entry_unknown(err, text, sizeof(text));
	else
		snprintf(text, sizeof(text),
			 "connection %u is in the kernel's table%s", e.id,
			 flow->flags & FG_FLOW_HAS_CT_ID && e.id != flow->ct_id
				 ? ", another one than the agent saw"
				 : "");
	line(ctx, text);
}

static void kill_close(void *target, bool stopping)
{
	struct ctkill *k = target;

	(void)stopping;
	fg_updater_free(k->updater);
	free(k);
}

const struct fg_target_type fg_ctkill_type = {
	.size = sizeof(fg_ctkill_type),
	.name = "ctkill",
	.flags = FG_TYPE_AFTER,
	.open = kill_open,
	.enter = kill_enter,
	.leave = kill_leave,
	.flush = kill_flush,
	.status = kill_status,
	.explain = kill_explain,
	.close = kill_close,
};
