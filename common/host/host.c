/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host.c - struct fg_host: each call of the plugin ABI, on the gate's parts. */
#include "host.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "gate.h"
#include "metrics.h"
#include "setup.h"
#include "source.h"
#include "target.h"

static struct fg_client *client_of(const struct fg_host *host)
{
	return host->host_private;
}

static struct fg_gate *gate_of(const struct fg_host *host)
{
	return client_of(host)->gate;
}

/* ------------------------------------------------------ log, print, clock */

static void host_log(const struct fg_host *host, enum fg_level level,
		     const char *fmt, ...) FG_PRINTF(3, 4);

static void host_log(const struct fg_host *host, enum fg_level level,
		     const char *fmt, ...)
{
	struct fg_client *c = client_of(host);
	struct fg_gate *g = c->gate;
	char text[1024];
	va_list ap;

	if (level == FG_LOG_ERROR)
		c->errors++;
	va_start(ap, fmt);
	if (g->state == FG_GATE_STARTING || g->building) {
		/* about the configuration: whoever asks for a reload hears it
		 */
		vsnprintf(text, sizeof(text), fmt, ap);
		fg_log_say(g->log, level, "%s", text);
		if (g->also)
			g->also(g->also_ctx, level, text);
	} else {
		fg_log_repeated(g->log, c, "", fg_loop_now(g->loop), level, fmt,
				ap);
		if (!g->log_timer.deadline)
			fg_loop_timer_set(g->loop, &g->log_timer,
					  fg_loop_now(g->loop) + 5000);
	}
	va_end(ap);
}

static bool host_log_enabled(const struct fg_host *host, enum fg_level level)
{
	return fg_log_enabled(gate_of(host)->log, level);
}

static void host_print(const struct fg_host *host, const char *fmt, ...)
	FG_PRINTF(2, 3);

static void host_print(const struct fg_host *host, const char *fmt, ...)
{
	char text[8192], shown[sizeof(text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* one line and no more, whatever a name was: it goes into nft -f - */
	fg_text_printable(fg_slice(text, strlen(text)), shown, sizeof(shown));
	puts(shown);
	gate_of(host)->printed = true;
}

static int64_t host_now(const struct fg_host *host)
{
	return fg_loop_now(gate_of(host)->loop);
}

static int64_t host_wall(const struct fg_host *host)
{
	return fg_loop_wall(gate_of(host)->loop);
}

/* ------------------------------------------------------------------- loop */

static int host_watch(const struct fg_host *host, struct fg_watch *watch)
{
	return fg_loop_watch(gate_of(host)->loop, watch);
}

static void host_unwatch(const struct fg_host *host, struct fg_watch *watch)
{
	fg_loop_unwatch(gate_of(host)->loop, watch);
}

static void host_timer_set(const struct fg_host *host, struct fg_timer *timer,
			   int64_t deadline)
{
	struct fg_gate *g = gate_of(host);

	if (fg_loop_timer_set(g->loop, timer, deadline) < 0)
		fg_log_say(g->log, FG_LOG_ERROR,
			   "out of memory for a timer: what it was for is late "
			   "until the next change");
}

static void host_timer_cancel(const struct fg_host *host,
			      struct fg_timer *timer)
{
	fg_loop_timer_cancel(gate_of(host)->loop, timer);
}

static int host_submit(const struct fg_host *host, struct fg_job *job)
{
	struct fg_client *c = client_of(host);

	return fg_loop_submit(c->gate->loop, job, &c->jobs);
}

/* ------------------------------------------------------------ flows, names */

static bool host_flow_get(const struct fg_host *host,
			  const struct fg_flow *flow, enum fg_attr attr,
			  union fg_value *out)
{
	return fg_flow_get(gate_of(host)->table, flow, attr, out);
}

static const char *host_name(const struct fg_host *host, enum fg_name kind,
			     uint32_t id)
{
	/* Several, since callers format two names in one line. */
	static _Thread_local char digits[4][12];
	static _Thread_local unsigned turn;
	const char *name;

	if (id == 0)
		return "unknown";
	name = fg_catalog_name(gate_of(host)->catalog, kind, id);
	if (name)
		return name;
	turn = (turn + 1) % 4;
	snprintf(digits[turn], sizeof(digits[turn]), "%u", id);
	return digits[turn];
}

static const char *host_category(const struct fg_host *host,
				 enum fg_category kind, uint32_t id)
{
	static _Thread_local char digits[4][12];
	static _Thread_local unsigned turn;
	const char *name = NULL;

	if (id == 0)
		return "unknown";
	if (id <= UINT16_MAX)
		name = fg_catalog_category_name(gate_of(host)->catalog, kind,
						(uint16_t)id);
	if (name)
		return name;
	turn = (turn + 1) % 4;
	snprintf(digits[turn], sizeof(digits[turn]), "%u", id);
	return digits[turn];
}

static const char *host_interface_name(const struct fg_host *host, uint16_t id)
{
	return fg_flow_interface_name(gate_of(host)->table, id);
}

static const char *host_source_name(const struct fg_host *host, uint16_t id)
{
	return id < FG_SLOTS_MAX ? gate_of(host)->slots[id].name : "";
}

static void host_members(const struct fg_host *host, const void *self,
			 bool (*each)(const struct fg_flow *,
				      const struct fg_member *, void *),
			 void *ctx)
{
	struct fg_gate *g = gate_of(host);

	if (g->membership)
		fg_membership_members(g->membership, self, each, ctx);
}

static void host_flows(const struct fg_host *host,
		       bool (*each)(const struct fg_flow *, void *), void *ctx)
{
	struct fg_gate *g = gate_of(host);

	if (g->membership)
		fg_membership_flows(g->membership, each, ctx);
}

static const void *host_target_find(const struct fg_host *host,
				    const char *name)
{
	struct fg_gate *g = gate_of(host);

	return fg_setup_find_target(g->building ? g->building : g->setup, name);
}

static void host_delegate(const struct fg_host *host, const void *self,
			  const void *other, const struct fg_flow *flow,
			  const struct fg_member *member, bool on)
{
	/* const to plugins, which only hand them back to us */
	fg_membership_delegate(gate_of(host)->membership, self,
			       (struct fg_target *)other, flow, member, on);
}

static void host_render(const struct fg_host *host, const char *format,
			fg_write *write, void *ctx)
{
	fg_metrics_render(gate_of(host), format, write, ctx);
}

struct memberships {
	void (*each)(void *ctx, const char *target,
		     const struct fg_member *member);
	void *ctx;
};

static void each_membership(void *ctx, const struct fg_target *t,
			    const struct fg_member *member)
{
	const struct memberships *m = ctx;

	m->each(m->ctx, t->name, member);
}

static void host_memberships(const struct fg_host *host,
			     const struct fg_flow *flow,
			     void (*each)(void *ctx, const char *target,
					  const struct fg_member *member),
			     void *ctx)
{
	struct fg_gate *g = gate_of(host);
	struct memberships m = {each, ctx};

	if (g->membership)
		fg_membership_of(g->membership, flow, each_membership, &m);
}

static bool host_never(const struct fg_host *host, int version,
		       const uint8_t addr[16])
{
	struct fg_gate *g = gate_of(host);

	return g->setup &&
	       fg_policy_never(fg_setup_policy(g->setup), version, addr);
}

static bool host_never_listed(const struct fg_host *host, int version,
			      const uint8_t addr[16])
{
	struct fg_gate *g = gate_of(host);

	return g->setup && fg_policy_never_listed(fg_setup_policy(g->setup),
						  version, addr);
}

static size_t host_announce(const struct fg_host *host,
			    const struct fg_flow *flow,
			    enum fg_message_type type, const char *reason,
			    char *buf, size_t size)
{
	return fg_announcer_say(gate_of(host)->announcer, flow, type, reason,
				buf, size);
}

/* ------------------------------------------------------------------------- */

static const struct fg_host template = {
	.size = sizeof(struct fg_host),
	.abi_major = FG_ABI_MAJOR,
	.abi_minor = FG_ABI_MINOR,
	.version = FG_VERSION,
	.config = &fg_json_config,
	.log = host_log,
	.log_enabled = host_log_enabled,
	.print = host_print,
	.now = host_now,
	.wall = host_wall,
	.watch = host_watch,
	.unwatch = host_unwatch,
	.timer_set = host_timer_set,
	.timer_cancel = host_timer_cancel,
	.submit = host_submit,
	.message = fg_source_message,
	.skipped = fg_source_skipped,
	.learn = fg_source_learn,
	.learn_interface = fg_source_learn_interface,
	.source_up = fg_source_up,
	.source_down = fg_source_down,
	.flow_get = host_flow_get,
	.name = host_name,
	.interface_name = host_interface_name,
	.source_name = host_source_name,
	.decode = fg_text_decode,
	.members = host_members,
	.flows = host_flows,
	.target_find = host_target_find,
	.delegate = host_delegate,
	.never = host_never,
	.never_listed = host_never_listed,
	.render = host_render,
	.category = host_category,
	.memberships = host_memberships,
	.source_part = fg_source_part,
	.source_idle = fg_source_idle,
	.source_next_part = fg_source_part_after,
	.announce = host_announce,
};

void fg_client_init(struct fg_client *c, struct fg_gate *gate)
{
	c->host = template;
	c->host.flags = gate->options->flags;
	c->host.runtime_dir = gate->runtime_dir;
	c->host.max_flows = gate->limits.max_flows;
	c->host.max_message = gate->limits.max_message;
	c->host.max_tokens = gate->limits.max_tokens;
	c->host.host_private = c;
	c->gate = gate;
	c->jobs = 0;
	c->errors = 0;
}

void fg_client_fini(struct fg_client *c)
{
	fg_log_forget(c->gate->log, c);
}
