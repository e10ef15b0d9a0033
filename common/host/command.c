/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.c - the commands of the control socket. */
#include "command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/text.h"
#include "gate.h"
#include "metrics.h"
#include "setup.h"
#include "show.h"
#include "top.h"

/* Slots looked at for one piece of a body. */
#define PIECE_FLOWS 256

static void fail(struct fg_request *r, const char *fmt, ...) FG_PRINTF(2, 3);

static void fail(struct fg_request *r, const char *fmt, ...)
{
	char text[sizeof(r->error)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->failed = true;
	/* It may quote what was asked: one line, printable. */
	fg_text_printable(fg_slice(text, strlen(text)), r->error,
			  sizeof(r->error));
}

/* Takes the next word off the arguments, NULL at their end. */
static char *word(char **args)
{
	char *w = *args + strspn(*args, " \t");

	if (!*w)
		return NULL;
	*args = w + strcspn(w, " \t");
	if (**args)
		*(*args)++ = '\0';
	return w;
}

/* ------------------------------------------------------------- one-shot */

static void status(struct fg_request *r, char *args)
{
	(void)args;
	fg_show_status(&r->body, r->gate, r->json);
}

static void targets(struct fg_request *r, char *args)
{
	(void)args;
	fg_show_targets(&r->body, r->gate, r->json);
}

static void metrics(struct fg_request *r, char *args)
{
	(void)args;
	fg_metrics_render(r->gate, "prometheus", fg_reply_write, &r->body);
}

static void report(struct fg_request *r, char *args)
{
	(void)args;
	fg_metrics_render(r->gate, "report", fg_reply_write, &r->body);
}

static void version(struct fg_request *r, char *args)
{
	(void)args;
	fg_reply_printf(&r->body,
			r->json ? "{\"version\":\"%s\",\"abi\":\"%d.%d\"}\n"
				: "flowgated %s (plugin ABI %d.%d)\n",
			FG_VERSION, FG_ABI_MAJOR, FG_ABI_MINOR);
}

static void reload(struct fg_request *r, char *args)
{
	(void)args;
	if (r->gate->state != FG_GATE_RUNNING) {
		fail(r, "flowgated is stopping");
		return;
	}
	r->wait_reload = true;
	fg_gate_reload(r->gate);
}

/* ------------------------------------------------------------------ flows */

static bool more_flows(struct fg_request *r)
{
	const struct fg_flow *flow;

	for (unsigned i = 0; i < PIECE_FLOWS; i++) {
		flow = fg_flow_next(r->gate->table, &r->cursor);
		if (!flow)
			return false;
		if (r->filter &&
		    !fg_criteria_match(r->filter, r->gate->table, flow))
			continue;
		fg_show_flow(&r->body, r->gate, flow, r->json, NULL, NULL);
	}
	return true;
}

static void flows(struct fg_request *r, char *args)
{
	char err[400];

	args += strspn(args, " \t");
	if (!strncmp(args, "-f", 2) && (args[2] == ' ' || !args[2])) {
		r->follow = true;
		args += 2;
		args += strspn(args, " \t");
	}
	if (*args && fg_policy_filter(fg_setup_policy(r->gate->setup),
				      &r->filter, args, err, sizeof(err)) < 0) {
		r->follow = false;
		fail(r, "%s", err);
		return;
	}
	if (!r->follow)
		r->more = more_flows;
}

void fg_command_event(struct fg_request *r, enum fg_event event,
		      const struct fg_flow *flow, enum fg_reason reason)
{
	if (event == FG_EVENT_COUNTED)
		return;
	if (r->filter && !fg_criteria_match(r->filter, r->gate->table, flow))
		return;
	if (r->missed) {
		fg_reply_printf(&r->body,
				r->json ? "{\"missed\":%llu}\n"
					: "(%llu missed here)\n",
				(unsigned long long)r->missed);
		r->missed = 0;
	}
	fg_show_flow(&r->body, r->gate, flow, r->json, fg_event_names[event],
		     fg_reason_names[reason]);
}

/* ---------------------------------------------------------------- explain */

/* Lines of text, or strings of a JSON list. */
struct lines {
	struct fg_reply *reply;
	bool json;
	const char *separator;
};

static void add_line(void *ctx, const char *text)
{
	struct lines *l = ctx;

	if (l->json) {
		fg_reply_printf(l->reply, "%s", l->separator);
		fg_reply_json_text(l->reply, text);
		l->separator = ",";
	} else {
		fg_reply_printf(l->reply, "%s", l->separator);
		fg_reply_shown(l->reply, fg_slice(text, strlen(text)));
		fg_reply_printf(l->reply, "\n");
	}
}

struct explained {
	struct fg_request *request;
	const struct fg_flow *flow;
	const char *separator;
};

static void explain_member(void *ctx, const struct fg_target *t,
			   const struct fg_member *member)
{
	struct explained *e = ctx;
	struct fg_request *r = e->request;
	struct lines lines = {&r->body, r->json, r->json ? "" : "      "};

	if (r->json) {
		fg_reply_printf(&r->body, "%s{\"target\":", e->separator);
		fg_reply_json_text(&r->body, t->name);
		fg_reply_printf(&r->body, ",\"action\":");
		fg_reply_json_text(&r->body, member->action);
		fg_reply_printf(&r->body, ",\"observe\":%s,\"in_force\":[",
				member->observe ? "true" : "false");
		e->separator = ",";
	} else {
		fg_reply_printf(&r->body, "    %s target %s, by action %s\n",
				member->observe ? "would be in" : "in", t->name,
				member->action);
	}
	if (t->type && t->type->explain)
		t->type->explain(t->instance, e->flow, add_line, &lines);
	if (r->json)
		fg_reply_printf(&r->body, "]}");
}

static void explain_flow(struct fg_request *r, const struct fg_flow *flow)
{
	struct explained e = {r, flow, ""};
	struct lines lines = {&r->body, r->json, r->json ? "" : "    "};
	struct fg_gate *g = r->gate;

	if (r->json) {
		fg_reply_printf(&r->body, "{\"flow\":");
		fg_show_flow_object(&r->body, g, flow);
		fg_reply_printf(&r->body, ",\"members\":[");
		fg_membership_of(g->membership, flow, explain_member, &e);
		fg_reply_printf(&r->body, "],\"policy\":[");
	} else {
		fg_show_flow_text(&r->body, g, flow);
		fg_reply_printf(&r->body, "\n");
		if (fg_membership_of(g->membership, flow, explain_member, &e) ==
		    0)
			fg_reply_printf(&r->body, "    in no target\n");
	}
	fg_policy_explain(fg_setup_policy(g->setup), g->table, flow, add_line,
			  &lines);
	fg_reply_printf(&r->body, "%s", r->json ? "]}\n" : "\n");
}

static bool is_asked_for(const struct fg_request *r, const struct fg_flow *f)
{
	if (f->ip_version != r->version)
		return false;
	if (memcmp(f->local_addr, r->addr, 16) != 0 &&
	    memcmp(f->other_addr, r->addr, 16) != 0)
		return false;
	return !r->port || f->local_port == r->port || f->other_port == r->port;
}

static void explain_nothing(struct fg_request *r)
{
	char addr[FG_ADDR_TEXT];

	fg_reply_printf(&r->body, "no live flow has the address %s",
			fg_addr_format(r->version, r->addr, addr));
	if (r->port)
		fg_reply_printf(&r->body, " and the port %u", r->port);
	fg_reply_printf(&r->body, "\n");
}

/* .explain_lingering came after the first types were built. */
static bool tells_lingering(const struct fg_target_type *type)
{
	return type->size >=
		       offsetof(struct fg_target_type, explain_lingering) +
			       sizeof(type->explain_lingering) &&
	       type->explain_lingering;
}

struct lingering {
	struct fg_request *request;
	const struct fg_target *target;
	struct lines lines;
	bool begun;
};

static void add_lingering(void *ctx, const char *text)
{
	struct lingering *l = ctx;
	struct fg_request *r = l->request;

	if (!l->begun && r->json) {
		fg_reply_printf(&r->body, "{\"target\":");
		fg_reply_json_text(&r->body, l->target->name);
		fg_reply_printf(&r->body, ",\"lingering\":[");
	} else if (!l->begun) {
		fg_reply_printf(&r->body,
				"lingering in target %s, after its flows\n",
				l->target->name);
	}
	l->begun = true;
	add_line(&l->lines, text);
}

/* What ended flows left behind, a target at a time. */
static bool more_lingering(struct fg_request *r)
{
	struct fg_setup *s = r->gate->setup;
	struct lingering l = {r, NULL, {&r->body, r->json, ""}, false};

	if (r->target >= fg_setup_target_count(s)) {
		if (!r->explained && !r->json)
			explain_nothing(r);
		return false;
	}
	l.target = fg_setup_target(s, r->target++);
	l.lines.separator = r->json ? "" : "    ";
	if (!l.target->instance || !tells_lingering(l.target->type))
		return true;
	l.target->type->explain_lingering(l.target->instance, r->version,
					  r->addr, r->port, add_lingering, &l);
	if (l.begun)
		fg_reply_printf(&r->body, "%s", r->json ? "]}\n" : "\n");
	r->explained |= l.begun;
	return true;
}

static bool more_explained(struct fg_request *r)
{
	const struct fg_flow *flow;

	if (r->flows_done)
		return more_lingering(r);
	for (unsigned i = 0; i < PIECE_FLOWS; i++) {
		flow = fg_flow_next(r->gate->table, &r->cursor);
		if (!flow) {
			r->flows_done = true;
			return true;
		}
		if (is_asked_for(r, flow)) {
			r->explained = true;
			explain_flow(r, flow);
			return true;
		}
	}
	return true;
}

static void explain(struct fg_request *r, char *args)
{
	char *addr = word(&args), *port = word(&args);
	uint64_t n = 0;

	if (!addr) {
		fail(r, "explain what? explain ADDRESS [PORT]");
		return;
	}
	r->version = fg_addr_parse(addr, strlen(addr), r->addr);
	if (!r->version) {
		fail(r, "\"%s\" is no IPv4 or IPv6 address", addr);
		return;
	}
	if (port && (!fg_text_uint(port, strlen(port), &n) || n == 0 ||
		     n > UINT16_MAX)) {
		fail(r, "\"%s\" is no port: 1 to 65535", port);
		return;
	}
	r->port = (uint16_t)n;
	r->more = more_explained;
}

/* -------------------------------------------------------------------- top */

static bool more_top(struct fg_request *r)
{
	return fg_top_more(r->top, &r->body);
}

static bool small_number(const char *text, unsigned *out)
{
	uint64_t n;

	if (!text || !fg_text_uint(text, strlen(text), &n) || n < 1 || n > 1000)
		return false;
	*out = (unsigned)n;
	return true;
}

static void top(struct fg_request *r, char *args)
{
	unsigned rows, columns;

	if (!small_number(word(&args), &rows) ||
	    !small_number(word(&args), &columns)) {
		fail(r, "top ROWS COLUMNS, each 1 to 1000");
		return;
	}
	r->top = fg_top_new(r->gate, rows, columns);
	if (r->top)
		r->more = more_top;
	else
		fail(r, "out of memory");
}

/* ------------------------------------------------------------------------- */

static void help(struct fg_request *r, char *args);

static const struct command {
	const char *name;
	void (*run)(struct fg_request *r, char *args);
	bool arguments;
	const char *help;
} commands[] = {
	{"status", status, false, "sources, flows and targets at a glance"},
	{"targets", targets, false, "every target with all of its counters"},
	{"flows", flows, true,
	 "[-f] [EXPRESSION]: live flows; -f: as they come"},
	{"explain", explain, true,
	 "ADDRESS [PORT]: where its flows are, and why"},
	{"top", top, true, "ROWS COLUMNS: the most active, one page"},
	{"metrics", metrics, false, "counters as Prometheus text"},
	{"report", report, false, "the last 24 hours, as JSON"},
	{"reload", reload, false, "read the configuration again"},
	{"version", version, false, "of flowgated"},
	{"help", help, false, "this list"},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void help(struct fg_request *r, char *args)
{
	(void)args;
	for (size_t i = 0; i < COMMANDS; i++)
		fg_reply_printf(&r->body, "%-8s %s\n", commands[i].name,
				commands[i].help);
}

void fg_command_run(struct fg_request *r, char *line)
{
	const char *names[COMMANDS], *near;
	char *name = word(&line);

	if (name && (!strcmp(name, "-j") || !strcmp(name, "-c"))) {
		r->json = name[1] == 'j';
		r->body.colour = name[1] == 'c';
		name = word(&line);
	}
	if (!name) {
		fail(r, "no command (help lists them)");
		return;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		names[i] = commands[i].name;
		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (!commands[i].arguments && word(&line))
			fail(r, "\"%s\" takes no arguments", name);
		else
			commands[i].run(r, line);
		return;
	}
	near = fg_text_nearest(name, strlen(name), names, COMMANDS);
	fail(r, "unknown command \"%.64s\"%s%s%s", name,
	     near ? ": did you mean \"" : " (help lists them)",
	     near ? near : "", near ? "\"?" : "");
}

void fg_command_end(struct fg_request *r)
{
	if (r->filter)
		fg_criteria_free(r->filter);
	r->filter = NULL;
	fg_top_free(r->top);
	r->top = NULL;
	fg_reply_fini(&r->body);
}
