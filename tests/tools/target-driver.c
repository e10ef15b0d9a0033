/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clang-format off */
/*
 * target-driver.c - opens the targets of one plugin in the smallest host there
 * can be, and tells them what it reads on standard input.
 *
 *	target-driver [-n|-t] [-a] [-v] [-m MAX_FLOWS] PLUGIN.so CONFIG.json
 *
 * -a: jobs are not run by submit(), but later, as a busy host would.
 *
 * CONFIG.json is an ordinary configuration file: of "targets" those are opened
 * whose type the plugin has, and of "actions" only the names and overrides are
 * used. Lines of input, "#" starts a comment:
 *
 *	name application|protocol ID TAG
 *	flow ID KEY=VALUE...		defines a flow, or changes it
 *	enter TARGET ID [action=A] [reason=R] [observe=1]
 *	leave TARGET ID [reason=R]	mirrors the enter
 *	rekey TARGET ID KEY=VALUE...	changes a flow that is a member
 *	event EVENT ID [reason=R]	announced updated counted removed
 *	crowd TARGET enter|leave FROM COUNT	many flows without a name
 *	flush				the end of a burst
 *	status [TARGET]			"status NAME KEY=VALUE...", a line each
 *	until TARGET KEY VALUE [MS]	serves timers, descriptors and jobs
 *					until the status says so; fails after
 *					5 s, or MS
 *	run MS				serves them for that long
 *	explain TARGET ID
 *	lingering TARGET ADDRESS [PORT]
 *	echo WORD			prints it: all before it is done
 *	never ADDRESS			is the never list
 *	reload				as at SIGHUP
 *	sh COMMAND			in a shell; must succeed
 *	stop				close(stopping); so does end of input
 *
 * Keys of flow: local, other (ADDRESS:PORT or [ADDRESS]:PORT), proto (number,
 * tcp, udp, icmp), local_mac, other_mac, origin (local, other), internal,
 * other_type (number; remote unless said), nat, ct_id, mark, iface, app,
 * protocol, and any attribute path of plugin.h with a text, number or address
 * value, such as flow.host_server_name=example.net.
 * "~xNN" in a value is the byte NN.
 *
 * Exit status: 0, or 1 when a target refused its configuration, a line made no
 * sense, "until" ran out of time, or a callback changed what is allocated.
 */
/* clang-format on */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "policy/json.h"

/* LINK: common/policy/json.c common/policy/node.c common/policy/syntax.c */
/* LIBS: -ldl */

#define FLOWS_MAX   4096
#define TARGETS_MAX 16
#define WATCHES_MAX 16
#define TIMERS_MAX  64
#define NAMES_MAX   256
#define WORDS_MAX   64
#define JOBS_MAX    32

struct extra { /* an attribute that struct fg_flow has no room for */
	enum fg_attr attr;
	union fg_value value;
	char *text;
};

struct flow {
	struct fg_flow f;
	char id[64];
	struct extra extra[8];
	int extras;
	/* the member that it entered each target by; action NULL: not in */
	struct fg_member member[TARGETS_MAX];
};

struct target {
	const char *name;
	const struct fg_target_type *type;
	void *instance;
};

struct name {
	enum fg_name kind;
	uint32_t id;
	char *tag;
};

struct driver {
	struct fg_host host;
	struct fg_json *doc;
	struct target target[TARGETS_MAX];
	int targets;
	struct flow *flow;
	int flows;
	struct name name[NAMES_MAX];
	int names;
	char *iface[32];
	int ifaces;
	struct fg_watch *watch[WATCHES_MAX];
	int watches;
	struct fg_timer *timer[TIMERS_MAX];
	int timers;
	uint8_t never[16]; /* the one address on the never list */
	int never_version;
	struct fg_job *job[JOBS_MAX]; /* -a: submitted, not yet run */
	int jobs;
	bool later;
	bool verbose;
	bool failed;
	size_t heap;
};

static struct driver *driver_of(const struct fg_host *h)
{
	return h->host_private;
}

static void complain(struct driver *d, const char *fmt, ...) FG_PRINTF(2, 3);
static void complain(struct driver *d, const char *fmt, ...)
{
	va_list ap;

	fputs("target-driver: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	d->failed = true;
}

/* A callback may not allocate: what is in use before and after is the same. */
static size_t heap_used(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void heap_mark(struct driver *d)
{
	d->heap = heap_used();
}

static void heap_check(struct driver *d, const char *what)
{
	size_t now = heap_used();

	if (now != d->heap)
		complain(d, "%s changed the heap by %td bytes", what,
			 (ptrdiff_t)(now - d->heap));
}

/* ---------------------------------------------------------------- host */

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...) FG_PRINTF(3, 4);
static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...)
{
	va_list ap;

	if (level == FG_LOG_DEBUG && !driver_of(h)->verbose)
		return;
	fprintf(stderr, "<%d>", (int)level);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool host_log_enabled(const struct fg_host *h, enum fg_level level)
{
	return level != FG_LOG_DEBUG || driver_of(h)->verbose;
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
	return clock_ms(CLOCK_MONOTONIC);
}

static int64_t host_wall(const struct fg_host *h)
{
	(void)h;
	return clock_ms(CLOCK_REALTIME);
}

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
		complain(d, "more than %d timers", TIMERS_MAX);
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

/* Those that were submitted before; what they submit waits for the next time.
 */
static bool run_jobs(struct driver *d)
{
	struct fg_job *job[JOBS_MAX];
	int n = d->jobs;

	memcpy(job, d->job, sizeof(job));
	d->jobs = 0;
	for (int i = 0; i < n; i++) {
		job[i]->run(job[i]);
		job[i]->done(job[i]);
	}
	return n;
}

static bool host_never(const struct fg_host *h, int version,
		       const uint8_t addr[16])
{
	const struct driver *d = driver_of(h);

	return d->never_version == version &&
	       !memcmp(d->never, addr, sizeof(d->never));
}

static bool host_flow_get(const struct fg_host *h, const struct fg_flow *flow,
			  enum fg_attr attr, union fg_value *out)
{
	const struct flow *f = (const void *)flow; /* its first member */

	(void)h;
	for (int i = 0; i < f->extras; i++)
		if (f->extra[i].attr == attr) {
			*out = f->extra[i].value;
			return true;
		}
	return false;
}

static const char *host_name(const struct fg_host *h, enum fg_name kind,
			     uint32_t id)
{
	struct driver *d = driver_of(h);

	for (int i = 0; i < d->names; i++)
		if (d->name[i].kind == kind && d->name[i].id == id)
			return d->name[i].tag;
	return "unknown";
}

static const char *host_category(const struct fg_host *h,
				 enum fg_category kind, uint32_t id)
{
	(void)h, (void)kind;
	return id ? "some" : "unknown";
}

static const char *host_interface_name(const struct fg_host *h, uint16_t i)
{
	struct driver *d = driver_of(h);

	return i < d->ifaces ? d->iface[i] : "?";
}

static const char *host_source_name(const struct fg_host *h, uint16_t source)
{
	(void)h, (void)source;
	return "driver";
}

static void host_members(const struct fg_host *h, const void *self,
			 bool (*each)(const struct fg_flow *,
				      const struct fg_member *, void *),
			 void *ctx)
{
	struct driver *d = driver_of(h);
	ptrdiff_t t = (const struct target *)self - d->target;

	for (int i = 0; i < d->flows; i++)
		if (d->flow[i].member[t].action &&
		    !each(&d->flow[i].f, &d->flow[i].member[t], ctx))
			return;
}

static void host_flows(const struct fg_host *h,
		       bool (*each)(const struct fg_flow *, void *), void *ctx)
{
	struct driver *d = driver_of(h);

	for (int i = 0; i < d->flows; i++)
		if (!each(&d->flow[i].f, ctx))
			return;
}

static void host_memberships(const struct fg_host *h,
			     const struct fg_flow *flow,
			     void (*each)(void *ctx, const char *target,
					  const struct fg_member *member),
			     void *ctx)
{
	struct driver *d = driver_of(h);
	const struct flow *f = (const void *)flow; /* its first member */

	for (int t = 0; t < d->targets; t++)
		if (f->member[t].action)
			each(ctx, d->target[t].name, &f->member[t]);
}

static struct target *target_named(struct driver *d, const char *name)
{
	for (int i = 0; i < d->targets; i++)
		if (!strcmp(d->target[i].name, name))
			return &d->target[i];
	return NULL;
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

/* Serves timers and descriptors for at most ms; false: nothing was ready. */
static bool serve(struct driver *d, int64_t ms)
{
	struct pollfd fds[WATCHES_MAX];
	struct fg_watch *w[WATCHES_MAX];
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	int n = d->watches;
	bool served = false;

	for (int i = 0; i < d->timers; i++)
		if (d->timer[i]->deadline - now < ms)
			ms = d->timer[i]->deadline - now;
	for (int i = 0; i < n; i++) {
		w[i] = d->watch[i];
		fds[i] = (struct pollfd){
			w[i]->fd,
			(w[i]->events & EPOLLIN ? POLLIN : 0) |
				(w[i]->events & EPOLLOUT ? POLLOUT : 0),
			0};
	}
	if (poll(fds, (nfds_t)n, ms < 0 || d->jobs ? 0 : (int)ms) < 0)
		return false;
	heap_mark(d);
	served = run_jobs(d);
	for (int i = 0; i < n; i++)
		if (fds[i].revents) {
			w[i]->ready(w[i], (uint32_t)fds[i].revents);
			served = true;
		}
	now = clock_ms(CLOCK_MONOTONIC);
	for (int i = 0; i < d->timers; i++) {
		struct fg_timer *t = d->timer[i];

		if (t->deadline > now)
			continue;
		host_timer_cancel(&d->host, t);
		t->expired(t, now);
		served = true;
		i = -1;
	}
	heap_check(d, "a timer or descriptor");
	return served;
}

/*
 * The next line of the script. While there is none, time passes for targets as
 * it does in flowgated; stdin is not buffered, so that poll() knows.
 */
static bool next_line(struct driver *d, char *text, int size)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};

	while (poll(&in, 1, 100) == 0)
		serve(d, 0);
	return fgets(text, size, stdin) != NULL;
}

static void flush(struct driver *d)
{
	static const uint32_t order[] = {0, FG_TYPE_AFTER};
	bool more;

	for (size_t o = 0; o < sizeof(order) / sizeof(*order); o++)
		do {
			more = false;
			for (int i = 0; i < d->targets; i++) {
				struct target *t = &d->target[i];

				if ((t->type->flags & FG_TYPE_AFTER) !=
				    order[o])
					continue;
				heap_mark(d);
				if (t->type->flush(t->instance,
						   host_now(&d->host)))
					more = true;
				heap_check(d, "flush");
			}
		} while (more);
}

/* ------------------------------------------------------------- status */

struct printing {
	FILE *out;
};

static void print_more(void *ctx, const char *name, uint64_t value)
{
	struct printing *p = ctx;

	fprintf(p->out, " %s=%llu", name, (unsigned long long)value);
}

/* "status NAME key=value ..." into out. */
static void status_text(struct target *t, FILE *out)
{
	struct printing p = {out};
	struct fg_status s = {.size = sizeof(s),
			      .state = "ok",
			      .reason = "",
			      .more = print_more,
			      .ctx = &p};

	fprintf(out, "status %s", t->name);
	t->type->status(t->instance, &s);
	fprintf(out,
		" elements=%llu adds=%llu deletes=%llu renewals=%llu"
		" errors=%llu rebuilds=%llu pending=%llu state=%s",
		(unsigned long long)s.elements, (unsigned long long)s.adds,
		(unsigned long long)s.deletes, (unsigned long long)s.renewals,
		(unsigned long long)s.errors, (unsigned long long)s.rebuilds,
		(unsigned long long)s.pending, s.state);
	fprintf(out, " reason=\"%s\"\n", s.reason);
}

static bool status_is(struct target *t, const char *key, const char *value)
{
	char line[2048] = "", want[128];
	FILE *out = fmemopen(line, sizeof(line), "w");

	if (!out)
		return false;
	status_text(t, out);
	fclose(out);
	snprintf(want, sizeof(want), " %s=%s ", key, value);
	return strstr(line, want);
}

static void until(struct driver *d, struct target *t, const char *key,
		  const char *value, int64_t ms)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + ms;

	while (!status_is(t, key, value)) {
		if (clock_ms(CLOCK_MONOTONIC) >= end) {
			complain(d, "%s is not %s after %lld ms:", key, value,
				 (long long)ms);
			status_text(t, stderr);
			return;
		}
		serve(d, 20);
		flush(d);
	}
}

/* --------------------------------------------------------------- flows */

static const struct {
	const char *path;
	enum fg_kind kind;
} attributes[] = {
#define ATTRIBUTE(name, path, kind, store) {path, FG_KIND_##kind},
	FG_ATTRIBUTES(ATTRIBUTE)
#undef ATTRIBUTE
};

/* "~xNN" becomes a byte: a line of input can't hold them all. */
static void unescape(char *s)
{
	char *to = s;
	uint8_t byte;

	for (; *s; s++)
		if (s[0] == '~' && s[1] == 'x' &&
		    fg_text_hex(s + 2, strnlen(s + 2, 2), &byte, 1)) {
			*to++ = (char)byte;
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

static bool endpoint(struct fg_flow *f, char *value, uint8_t addr[16],
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

static uint16_t interface(struct driver *d, const char *name)
{
	for (int i = 0; i < d->ifaces; i++)
		if (!strcmp(d->iface[i], name))
			return (uint16_t)i;
	if (d->ifaces == (int)(sizeof(d->iface) / sizeof(*d->iface)))
		return 0;
	d->iface[d->ifaces] = strdup(name);
	return (uint16_t)d->ifaces++;
}

static bool flow_extra(struct flow *f, const char *path, char *value)
{
	struct extra *e;
	size_t a = 0;
	uint64_t u = 0;

	while (a < FG_ATTR_COUNT && strcmp(attributes[a].path, path))
		a++;
	if (a == FG_ATTR_COUNT ||
	    f->extras == (int)(sizeof(f->extra) / sizeof(*f->extra)))
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
		if (!fg_text_uint_any(value, strlen(value), &u))
			return false;
		e->value.u = u;
		return true;
	}
}

static void flag(struct fg_flow *f, uint16_t bit, bool on)
{
	f->flags = (uint16_t)(on ? f->flags | bit : f->flags & ~bit);
}

static bool flow_set(struct driver *d, struct flow *flow, const char *key,
		     char *value)
{
	struct fg_flow *f = &flow->f;
	size_t len;
	uint64_t u = 0;
	bool number;

	unescape(value);
	len = strlen(value);
	number = fg_text_uint_any(value, len, &u);
	if (!strcmp(key, "local"))
		return endpoint(f, value, f->local_addr, &f->local_port);
	if (!strcmp(key, "other"))
		return endpoint(f, value, f->other_addr, &f->other_port);
	if (!strcmp(key, "proto")) {
		f->ip_protocol = (uint8_t)(!strcmp(value, "tcp")    ? 6
					   : !strcmp(value, "udp")  ? 17
					   : !strcmp(value, "icmp") ? 1
								    : u);
		return f->ip_protocol;
	}
	if (!strcmp(key, "local_mac")) {
		flag(f, FG_FLOW_HAS_LOCAL_MAC, true);
		return fg_mac_parse(value, len, f->local_mac);
	}
	if (!strcmp(key, "other_mac")) {
		flag(f, FG_FLOW_HAS_OTHER_MAC, true);
		return fg_mac_parse(value, len, f->other_mac);
	}
	if (!strcmp(key, "origin")) {
		flag(f, FG_FLOW_HAS_ORIGIN, true);
		flag(f, FG_FLOW_LOCAL_ORIGIN, !strcmp(value, "local"));
		return true;
	}
	if (!strcmp(key, "iface")) {
		f->interface = interface(d, value);
		return true;
	}
	if (strchr(key, '.'))
		return flow_extra(flow, key, value);
	if (!number)
		return false;
	if (!strcmp(key, "internal")) {
		flag(f, FG_FLOW_INTERNAL, u);
	} else if (!strcmp(key, "nat")) {
		flag(f, FG_FLOW_IP_NAT, u);
	} else if (!strcmp(key, "ct_id")) {
		flag(f, FG_FLOW_HAS_CT_ID, true);
		f->ct_id = (uint32_t)u;
	} else if (!strcmp(key, "mark")) {
		flag(f, FG_FLOW_HAS_CT_MARK, true);
		f->ct_mark = (uint32_t)u;
	} else if (!strcmp(key, "other_type")) {
		f->other_type = (uint8_t)u;
	} else if (!strcmp(key, "app")) {
		f->application = (uint32_t)u;
	} else if (!strcmp(key, "protocol")) {
		f->protocol = (uint32_t)u;
	} else if (!strcmp(key, "local_bytes")) {
		f->local_bytes = u;
	} else if (!strcmp(key, "other_bytes")) {
		f->other_bytes = u;
	} else if (!strcmp(key, "local_packets")) {
		f->local_packets = (uint32_t)u;
	} else if (!strcmp(key, "other_packets")) {
		f->other_packets = (uint32_t)u;
	} else if (!strcmp(key, "first_seen")) {
		f->first_seen = u;
	} else if (!strcmp(key, "age")) {
		f->age_ms = (uint32_t)u;
	} else {
		return false;
	}
	return true;
}

static struct flow *flow_named(struct driver *d, const char *id, bool create)
{
	struct flow *f;
	uint64_t h;

	for (int i = 0; i < d->flows; i++)
		if (!strcmp(d->flow[i].id, id))
			return &d->flow[i];
	if (!create || d->flows == FLOWS_MAX)
		return NULL;
	f = &d->flow[d->flows++];
	snprintf(f->id, sizeof(f->id), "%s", id);
	h = fg_hash(id, strlen(id), 0);
	memcpy(f->f.digest, &h, sizeof(h));
	f->f.flags =
		FG_FLOW_INTERNAL | FG_FLOW_HAS_ORIGIN | FG_FLOW_LOCAL_ORIGIN;
	f->f.ip_protocol = 6;
	f->f.other_type = FG_OTHER_REMOTE;
	return f;
}

static const char *const reasons[] = {
	"detected", "reclassified", "rekeyed", "purged", "idle",   "evicted",
	"lost",	    "schedule",	    "reload",  "names",	 "target", "stop",
	"restart"};
_Static_assert(sizeof(reasons) / sizeof(*reasons) == FG_REASON_COUNT,
	       "a word for each reason");
static const char *const events[] = {"announced", "updated", "counted",
				     "removed"};

static int word_index(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

static const char *option(char **word, int n, const char *key)
{
	size_t len = strlen(key);

	for (int i = 0; i < n; i++)
		if (!strncmp(word[i], key, len) && word[i][len] == '=')
			return word[i] + len + 1;
	return NULL;
}

/* What the action's entry for this target binds, made at first use. */
static bool member_of(struct driver *d, struct target *t, const char *action,
		      struct fg_member *m)
{
	const struct fg_node *actions, *a, *list;
	const char *name;

	m->size = sizeof(*m);
	m->action = action ? action : "test";
	m->targets = t->name;
	if (!action)
		return true;
	if (fg_node_object(fg_json_root(d->doc), "actions", &actions) != 1)
		return true;
	for (size_t i = 0; i < fg_node_count(actions); i++) {
		if (strcmp(fg_node_key_at(actions, i), action))
			continue;
		a = fg_node_at(actions, i);
		m->action = fg_node_key_at(actions, i);
		m->rank = (uint32_t)i;
		if (fg_node_list(a, "targets", &list) != 1)
			return true;
		for (size_t j = 0; j < fg_node_count(list); j++) {
			const struct fg_node *e = fg_node_at(list, j);

			if (fg_node_kind(e) != FG_NODE_OBJECT ||
			    fg_node_text(e, "target", &name) != 1 ||
			    strcmp(name, t->name))
				continue;
			return t->type->bind &&
			       !t->type->bind(t->instance, e, &m->binding);
		}
		return true;
	}
	complain(d, "no action %s in the configuration", action);
	return false;
}

/* --------------------------------------------------------------- lines */

static void membership(struct driver *d, char **w, int n, bool enter)
{
	struct target *t = target_named(d, w[1]);
	struct flow *f = flow_named(d, w[2], false);
	const char *r = option(w + 3, n - 3, "reason");
	const char *action = option(w + 3, n - 3, "action");
	int reason = r ? word_index(r, reasons, FG_REASON_COUNT)
		       : (enter ? FG_REASON_DETECTED : FG_REASON_PURGED);
	struct fg_member *m;

	if (!t || !f || reason < 0) {
		complain(d, "%s: no such target, flow or reason", w[0]);
		return;
	}
	m = &f->member[t - d->target];
	if (enter) {
		*m = (struct fg_member){0};
		if (!member_of(d, t, action, m))
			return;
		m->observe = option(w + 3, n - 3, "observe");
	}
	heap_mark(d);
	if (enter)
		t->type->enter(t->instance, &f->f, m, (enum fg_reason)reason);
	else
		t->type->leave(t->instance, &f->f, m, (enum fg_reason)reason);
	heap_check(d, w[0]);
	if (!enter) {
		if (m->binding && t->type->unbind)
			t->type->unbind(t->instance, m->binding);
		*m = (struct fg_member){0};
	}
}

/* Members without a name: TCP from 10.0.0.1 to port 443 of 100.64.0.0 + n. */
static void crowd(struct driver *d, struct target *t, uint32_t from,
		  uint32_t count, bool enter)
{
	const struct fg_member m = {
		.size = sizeof(m), .action = "crowd", .targets = t->name};
	struct fg_flow f = {
		.ip_version = 4,
		.ip_protocol = 6,
		.local_addr = {10, 0, 0, 1},
		.local_port = 4000,
		.other_port = 443,
		.other_type = FG_OTHER_REMOTE,
		.flags = FG_FLOW_INTERNAL | FG_FLOW_HAS_ORIGIN |
			 FG_FLOW_LOCAL_ORIGIN,
	};

	heap_mark(d);
	for (uint32_t n = from; n < from + count; n++) {
		uint32_t addr = 0x64400000 + n;

		for (int i = 0; i < 4; i++)
			f.other_addr[i] = (uint8_t)(addr >> (24 - 8 * i));
		memcpy(f.digest, &n, sizeof(n));
		if (enter)
			t->type->enter(t->instance, &f, &m, FG_REASON_DETECTED);
		else
			t->type->leave(t->instance, &f, &m, FG_REASON_PURGED);
		/* as many as a read of the socket brings */
		if (n % 512 == 511)
			t->type->flush(t->instance, host_now(&d->host));
	}
	heap_check(d, "a crowd");
}

static void rekey(struct driver *d, struct target *t, struct flow *f,
		  const struct fg_flow *old)
{
	const struct fg_target_type *type = t->type;
	const struct fg_member *m = &f->member[t - d->target];

	heap_mark(d);
	if (type->rekey) {
		type->rekey(t->instance, old, &f->f, m);
	} else {
		type->leave(t->instance, old, m, FG_REASON_REKEYED);
		type->enter(t->instance, &f->f, m, FG_REASON_REKEYED);
	}
	heap_check(d, "rekey");
}

static void flow_change(struct driver *d, struct flow *f, char **w, int n)
{
	for (int i = 0; i < n; i++) {
		char *eq = strchr(w[i], '=');

		if (eq)
			*eq++ = '\0';
		if (!eq || !flow_set(d, f, w[i], eq))
			complain(d, "flow %s: %s?", f->id, w[i]);
	}
}

static void print_line(void *ctx, const char *text)
{
	(void)ctx;
	puts(text);
}

static void line(struct driver *d, char *text)
{
	char *w[WORDS_MAX], *save = NULL;
	int n = 0;
	struct target *t;
	struct flow *f;

	for (char *p = strtok_r(text, " \t\n", &save); p && n < WORDS_MAX;
	     p = strtok_r(NULL, " \t\n", &save))
		w[n++] = p;
	if (!n || *w[0] == '#')
		return;
	t = n > 1 ? target_named(d, w[1]) : NULL;
	if (!strcmp(w[0], "name") && n == 4 && d->names < NAMES_MAX) {
		unescape(w[3]);
		d->name[d->names++] = (struct name){
			*w[1] == 'a' ? FG_NAME_APPLICATION : FG_NAME_PROTOCOL,
			(uint32_t)atoi(w[2]), strdup(w[3])};
	} else if (!strcmp(w[0], "flow") && n > 1) {
		f = flow_named(d, w[1], true);
		if (f)
			flow_change(d, f, w + 2, n - 2);
	} else if (!strcmp(w[0], "rekey") && n > 2 && t) {
		struct fg_flow old;

		f = flow_named(d, w[2], false);
		if (!f) {
			complain(d, "rekey: no flow %s", w[2]);
			return;
		}
		old = f->f;
		flow_change(d, f, w + 3, n - 3);
		rekey(d, t, f, &old);
	} else if ((!strcmp(w[0], "enter") || !strcmp(w[0], "leave")) &&
		   n > 2) {
		membership(d, w, n, *w[0] == 'e');
	} else if (!strcmp(w[0], "event") && n > 2) {
		int event = word_index(w[1], events, 4);
		const char *r = option(w + 3, n - 3, "reason");
		int reason = r ? word_index(r, reasons, FG_REASON_COUNT) : 0;

		f = flow_named(d, w[2], false);
		if (!f || event < 0 || reason < 0) {
			complain(d, "event: no such flow, event or reason");
			return;
		}
		for (int i = 0; i < d->targets; i++)
			if (d->target[i].type->event)
				d->target[i].type->event(
					d->target[i].instance,
					(enum fg_event)event, &f->f,
					(enum fg_reason)reason);
	} else if (!strcmp(w[0], "flush")) {
		flush(d);
	} else if (!strcmp(w[0], "status")) {
		for (int i = 0; i < d->targets; i++)
			if (n == 1 || t == &d->target[i])
				status_text(&d->target[i], stdout);
	} else if (!strcmp(w[0], "until") && n > 3 && t) {
		until(d, t, w[2], w[3], n > 4 ? atoi(w[4]) : 5000);
	} else if (!strcmp(w[0], "run") && n > 1) {
		int64_t end = clock_ms(CLOCK_MONOTONIC) + atoi(w[1]), left;

		while ((left = end - clock_ms(CLOCK_MONOTONIC)) > 0) {
			serve(d, left);
			flush(d);
		}
	} else if (!strcmp(w[0], "explain") && n > 2 && t) {
		f = flow_named(d, w[2], false);
		if (f && t->type->explain)
			t->type->explain(t->instance, &f->f, print_line, NULL);
	} else if (!strcmp(w[0], "lingering") && n > 2 && t) {
		uint8_t addr[16] = {0};
		int version = fg_addr_parse(w[2], strlen(w[2]), addr);

		if (t->type->explain_lingering)
			t->type->explain_lingering(
				t->instance, version, addr,
				n > 3 ? (uint16_t)atoi(w[3]) : 0, print_line,
				NULL);
	} else if (!strcmp(w[0], "crowd") && n > 4 && t) {
		crowd(d, t, (uint32_t)atoi(w[3]), (uint32_t)atoi(w[4]),
		      !strcmp(w[2], "enter"));
	} else if (!strcmp(w[0], "never") && n > 1) {
		d->never_version = fg_addr_parse(w[1], strlen(w[1]), d->never);
	} else if (!strcmp(w[0], "echo") && n > 1) {
		puts(w[1]);
	} else if (!strcmp(w[0], "reload")) {
		for (int i = 0; i < d->targets; i++)
			if (d->target[i].type->reload)
				d->target[i].type->reload(
					d->target[i].instance);
	} else {
		complain(d, "%s: not understood", w[0]);
	}
	fflush(stdout);
}

/* ---------------------------------------------------------------- main */

static void say(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	fprintf(stderr, "<%d>%s\n", (int)level, text);
}

static const struct fg_target_type *type_named(const struct fg_plugin *p,
					       const char *name)
{
	for (const struct fg_target_type *const *t = p->targets; t && *t; t++)
		if (!strcmp((*t)->name, name))
			return *t;
	return NULL;
}

static int open_targets(struct driver *d, const struct fg_plugin *p)
{
	const struct fg_node *root = fg_json_root(d->doc), *list,
			     *globals = NULL;
	const struct fg_node *defaults = NULL, *of_type;
	const char *type;

	if (fg_node_object(root, "targets", &list) != 1)
		return -EINVAL;
	fg_node_object(root, "target_globals", &globals);
	fg_node_object(root, "target_defaults", &defaults);
	for (size_t i = 0; i < fg_node_count(list); i++) {
		const struct fg_node *node = fg_node_at(list, i);
		struct target *t = &d->target[d->targets];
		int err;

		if (fg_node_text(node, "target_type", &type) != 1)
			return -EINVAL;
		t->type = type_named(p, type);
		if (!t->type || d->targets == TARGETS_MAX)
			continue;
		t->name = fg_node_key_at(list, i);
		of_type = NULL;
		if (defaults && fg_node_object(defaults, type, &of_type) == 1)
			fg_node_set_defaults(node, of_type);
		of_type = NULL;
		if (globals)
			fg_node_object(globals, type, &of_type);
		err = t->type->open(&d->host, t, t->name, node, of_type,
				    &t->instance);
		if (err) {
			fprintf(stderr, "target-driver: %s: open: %s\n",
				t->name, strerror(-err));
			return err;
		}
		d->targets++;
	}
	for (int i = 0; i < d->targets; i++)
		if (d->target[i].type->configured) {
			int err = d->target[i].type->configured(
				d->target[i].instance);
			if (err)
				return err;
		}
	return fg_json_errors(d->doc) ? -EINVAL : 0;
}

static void close_targets(struct driver *d)
{
	while (run_jobs(d))
		;
	while (d->targets) {
		struct target *t = &d->target[--d->targets];

		t->type->close(t->instance, true);
	}
}

int main(int argc, char **argv)
{
	static struct driver d;
	const struct fg_plugin *plugin;
	char text[4096];
	void *so;
	int opt, err;

	d.host = (struct fg_host){
		.size = sizeof(d.host),
		.abi_major = FG_ABI_MAJOR,
		.abi_minor = FG_ABI_MINOR,
		.version = "driver",
		.runtime_dir = getenv("FG_RUNTIME") ?: "",
		.max_flows = FLOWS_MAX,
		.max_message = 1 << 20,
		.max_tokens = 131072,
		.config = &fg_json_config,
		.host_private = &d,
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
	while ((opt = getopt(argc, argv, "antvm:")) != -1)
		switch (opt) {
		case 'a':
			d.later = true;
			break;
		case 'n':
			d.host.flags |= FG_HOST_DRY_RUN;
			break;
		case 't':
			d.host.flags |= FG_HOST_CHECK;
			break;
		case 'v':
			d.verbose = true;
			d.host.flags |= FG_HOST_VERBOSE;
			break;
		case 'm':
			d.host.max_flows = (uint32_t)atoi(optarg);
			break;
		default:
			return 1;
		}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: target-driver [-n|-t] [-v] "
				"[-m MAX_FLOWS] PLUGIN.so CONFIG.json\n");
		return 1;
	}
	so = dlopen(argv[optind], RTLD_NOW | RTLD_LOCAL);
	plugin = so ? dlsym(so, FG_PLUGIN_SYMBOL) : NULL;
	if (!plugin) {
		fprintf(stderr, "target-driver: %s\n", dlerror());
		return 1;
	}
	if (fg_json_load(&d.doc, argv[optind + 1],
			 (struct fg_report){say, NULL}))
		return 1;
	d.flow = calloc(FLOWS_MAX, sizeof(*d.flow));
	if (!d.flow)
		return 1;
	interface(&d, "");
	setvbuf(stdin, NULL, _IONBF, 0);
	/* whatever stdio allocates, it does before callbacks are measured */
	host_print(&d.host, "driver %s", plugin->name);
	err = open_targets(&d, plugin);
	if (!err && !(d.host.flags & FG_HOST_CHECK))
		flush(&d); /* into force */
	while (!err && !(d.host.flags & FG_HOST_CHECK) &&
	       next_line(&d, text, sizeof(text))) {
		if (!strcmp(text, "stop\n"))
			break;
		if (!strncmp(text, "sh ", 3)) {
			fflush(NULL);
			if (system(text + 3))
				complain(&d, "failed: %s", text);
			continue;
		}
		line(&d, text);
	}
	close_targets(&d);
	fg_json_free(d.doc);
	for (int i = 0; i < d.flows; i++)
		for (int j = 0; j < d.flow[i].extras; j++)
			free(d.flow[i].extra[j].text);
	free(d.flow);
	for (int i = 0; i < d.names; i++)
		free(d.name[i].tag);
	for (int i = 0; i < d.ifaces; i++)
		free(d.iface[i]);
	return err || d.failed;
}
