/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.c - the calls of struct fg_host, as a driver answers them.
 */
#include "host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "policy/json.h"
#include "target.h"

static struct driver *driver_of(const struct fg_host *h)
{
	return h->host_private;
}

/* ------------------------------------------------------------ words and time
 */

static bool host_log_enabled(const struct fg_host *h, enum fg_level level)
{
	return level != FG_LOG_DEBUG || driver_of(h)->verbose;
}

static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...) FG_PRINTF(3, 4);
static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...)
{
	va_list ap;

	if (!host_log_enabled(h, level))
		return;
	fprintf(stderr, "<%d>", (int)level);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void host_print(const struct fg_host *h, const char *fmt, ...)
	FG_PRINTF(2, 3);
static void host_print(const struct fg_host *h, const char *fmt, ...)
{
	va_list ap;

	(void)h;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static int64_t host_now(const struct fg_host *h)
{
	(void)h;
	return driver_now();
}

static int64_t host_wall(const struct fg_host *h)
{
	struct timespec ts;

	(void)h;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ------------------------------------------------------------- what is due */

static int host_watch(const struct fg_host *h, struct fg_watch *w)
{
	struct driver *d = driver_of(h);

	for (int i = 0; i < d->watches; i++)
		if (d->watch[i] == w)
			return 0;
	if (d->watches == WATCHES_MAX)
		return -ENOSPC;
	d->watch[d->watches++] = w;
	return 0;
}

static void host_unwatch(const struct fg_host *h, struct fg_watch *w)
{
	struct driver *d = driver_of(h);

	for (int i = 0; i < d->watches; i++)
		if (d->watch[i] == w)
			d->watch[i] = d->watch[--d->watches];
}

static void host_timer_cancel(const struct fg_host *h, struct fg_timer *t)
{
	struct driver *d = driver_of(h);

	t->deadline = 0;
	for (int i = 0; i < d->timers; i++)
		if (d->timer[i] == t)
			d->timer[i] = d->timer[--d->timers];
}

static void host_timer_set(const struct fg_host *h, struct fg_timer *t,
			   int64_t deadline)
{
	struct driver *d = driver_of(h);

	host_timer_cancel(h, t);
	if (d->timers == TIMERS_MAX) {
		driver_complain(d, "more than %d timers", TIMERS_MAX);
		return;
	}
	t->deadline = deadline;
	d->timer[d->timers++] = t;
}

static int host_submit(const struct fg_host *h, struct fg_job *job)
{
	struct driver *d = driver_of(h);

	if (d->later && d->jobs < JOBS_MAX) {
		d->job[d->jobs++] = job;
		return 0;
	}
	job->run(job);
	job->done(job);
	return 0;
}

/* ------------------------------------------------------------------- names */

static const char *host_name(const struct fg_host *h, enum fg_name kind,
			     uint32_t id)
{
	const struct driver *d = driver_of(h);

	for (int i = 0; i < d->names; i++)
		if (d->name[i].kind == kind && d->name[i].id == id)
			return d->name[i].tag;
	return "unknown";
}

static const char *host_category(const struct fg_host *h, enum fg_category kind,
				 uint32_t id)
{
	(void)h, (void)kind;
	return id ? "some" : "unknown";
}

static const char *host_interface_name(const struct fg_host *h, uint16_t i)
{
	const struct driver *d = driver_of(h);

	return i < d->flows.interfaces ? d->flows.interface[i] : "?";
}

static const char *host_source_name(const struct fg_host *h, uint16_t source)
{
	(void)h, (void)source;
	return "driver";
}

static bool host_never(const struct fg_host *h, int version,
		       const uint8_t addr[16])
{
	const struct driver *d = driver_of(h);

	return d->never_version == version &&
	       !memcmp(d->never, addr, sizeof(d->never));
}

/* -------------------------------------------------------- flows and members */

static bool host_flow_get(const struct fg_host *h, const struct fg_flow *f,
			  enum fg_attr attr, union fg_value *out)
{
	const struct flow *flow = flow_of(&driver_of(h)->flows, f);

	return flow && flow_get(flow, attr, out);
}

static void host_flows(const struct fg_host *h,
		       bool (*each)(const struct fg_flow *, void *), void *ctx)
{
	const struct flows *fs = &driver_of(h)->flows;

	for (int i = 0; i < fs->count; i++)
		if (!each(&fs->flow[i].f, ctx))
			return;
}

static void host_members(const struct fg_host *h, const void *self,
			 bool (*each)(const struct fg_flow *,
				      const struct fg_member *, void *),
			 void *ctx)
{
	const struct driver *d = driver_of(h);
	ptrdiff_t t = (const struct target *)self - d->target;

	for (int i = 0; i < d->flows.count; i++) {
		const struct flow *flow = &d->flows.flow[i];

		if (flow->member[t].action &&
		    !each(&flow->f, &flow->member[t], ctx))
			return;
	}
}

static void host_memberships(const struct fg_host *h, const struct fg_flow *f,
			     void (*each)(void *ctx, const char *target,
					  const struct fg_member *member),
			     void *ctx)
{
	const struct driver *d = driver_of(h);
	const struct flow *flow = flow_of(&d->flows, f);

	for (int t = 0; flow && t < d->targets; t++)
		if (flow->member[t].action)
			each(ctx, d->target[t].name, &flow->member[t]);
}

static const void *host_target_find(const struct fg_host *h, const char *name)
{
	return target_named(driver_of(h), name);
}

static void host_delegate(const struct fg_host *h, const void *self,
			  const void *other, const struct fg_flow *flow,
			  const struct fg_member *member, bool on)
{
	const struct target *t = other;

	(void)h, (void)self;
	if (on)
		t->type->enter(t->instance, flow, member, FG_REASON_TARGET);
	else
		t->type->leave(t->instance, flow, member, FG_REASON_TARGET);
}

void host_init(struct driver *d)
{
	d->host = (struct fg_host){
		.size = sizeof(d->host),
		.abi_major = FG_ABI_MAJOR,
		.abi_minor = FG_ABI_MINOR,
		.version = "driver",
		.runtime_dir = getenv("FG_RUNTIME") ?: "",
		.max_flows = FLOWS_MAX,
		.max_message = 1 << 20,
		.max_tokens = 131072,
		.config = &fg_json_config,
		.host_private = d,
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
		.never_listed = host_never,
		.category = host_category,
		.memberships = host_memberships,
	};
}
