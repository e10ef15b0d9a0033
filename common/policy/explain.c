/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.c - why a flow belongs to its targets, and not to the others. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rule.h"

struct explanation {
	const struct fg_policy *p;
	struct fg_view view;
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

static void say(const struct explanation *e, const char *fmt, ...)
	FG_PRINTF(2, 3);
static void say(const struct explanation *e, const char *fmt, ...)
{
	char text[2048], shown[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fg_text_printable(fg_slice(text, strlen(text)), shown, sizeof(shown));
	e->line(e->ctx, shown);
}

static void explain_never(const struct explanation *e)
{
	const struct fg_flow *f = e->view.flow;
	const uint8_t *addrs[] = {f->local_addr, f->other_addr};
	static const char *const names[] = {"local_ip", "other_ip"};
	char text[FG_ADDR_TEXT], why[FG_PREFIX_TEXT];

	for (size_t i = 0; f->ip_version && i < 2; i++) {
		if (fg_never_show(e->p->never, f->ip_version, addrs[i], why,
				  sizeof(why)))
			say(e, "never: no target may hold %s %s%s, which is %s",
			    names[i],
			    fg_addr_format(f->ip_version, addrs[i], text),
			    i == 0 && !fg_never_listed(e->p->never,
						       f->ip_version, addrs[i])
				    ? " alone"
				    : "",
			    why);
	}
}

/* What the criteria say: those that hold, or why the first few do not. */
static bool explain_criteria(const struct explanation *e,
			     const struct fg_rule *r, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (fg_criteria_explain(r->alternatives[i].criteria, &e->view,
					out, size))
			return true;
	}
	out[0] = '\0';
	for (size_t i = 0; i < r->count && i < 3 && len < size; i++) {
		len += (size_t)snprintf(out + len, size - len, "%s",
					i ? " nor " : "");
		if (len >= size)
			break;
		fg_criteria_explain(r->alternatives[i].criteria, &e->view,
				    out + len, size - len);
		len += strlen(out + len);
	}
	if (r->count > 3 && len < size)
		snprintf(out + len, size - len, " nor %zu more", r->count - 3);
	return false;
}

static void put_targets(const struct explanation *e, const struct fg_rule *r,
			char *out, size_t size)
{
	const struct fg_action_config *a = r->config;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < a->target_count && len < size; i++) {
		const char *name =
			e->p->settings->targets[a->targets[i].target].name;

		len += (size_t)snprintf(out + len, size - len, "%s%s",
					i ? ", " : "", name);
	}
}

static void explain_match(const struct explanation *e, const struct fg_rule *r,
			  const char *why)
{
	const struct fg_action_config *a = r->config;
	char targets[256], window[256] = "";

	put_targets(e, r, targets, sizeof(targets));
	if (r->schedule) {
		char text[200];

		snprintf(window, sizeof(window), ", in its window %s",
			 fg_schedule_show(r->schedule, text, sizeof(text)));
	}
	if (a->observe)
		say(e, "%s: only observed, matched by %s%s -> (%s)", a->name,
		    why, window, a->target_count ? targets : "allow");
	else if (a->allow)
		say(e, "%s: allowed by %s%s; later actions are not looked at",
		    a->name, why, window);
	else
		say(e, "%s: matched by %s%s -> %s%s", a->name, why, window,
		    targets,
		    a->halt ? "; later actions are not looked at" : "");
}

static void explain_closed(const struct explanation *e, const struct fg_rule *r)
{
	int64_t now = e->p->time_from / 1000, next;
	char window[200], when[32];

	fg_schedule_show(r->schedule, window, sizeof(window));
	next = e->p->time_from == INT64_MAX
		       ? INT64_MAX
		       : fg_schedule_next(r->schedule, now);
	if (next == INT64_MAX)
		say(e, "%s: outside of its window %s", r->config->name, window);
	else
		say(e, "%s: outside of its window %s, opens %s",
		    r->config->name, window,
		    fg_schedule_show_time(r->schedule, next, when));
}

/* True: it matched and halts what follows. */
static bool explain_rule(const struct explanation *e, const struct fg_rule *r,
			 bool exempt)
{
	const struct fg_action_config *a = r->config;
	char why[1024];
	const char *name;

	if (!a->enabled) {
		say(e, "%s: not enabled", a->name);
		return false;
	}
	if (!r->open) {
		explain_closed(e, r);
		return false;
	}
	if (!fg_rule_interface(r, &e->view)) {
		name = fg_flow_interface_name(e->view.table,
					      e->view.flow->interface);
		say(e, "%s: not for interface %s (%s side)", a->name,
		    *name ? name : "?",
		    e->view.flow->flags & FG_FLOW_INTERNAL ? "LAN" : "WAN");
		return false;
	}
	if (!explain_criteria(e, r, why, sizeof(why))) {
		say(e, "%s: not matched by %s", a->name, why);
		return false;
	}
	if (exempt) {
		say(e, "%s: would match by %s, but the flow is exempt from all",
		    a->name, why);
		return false;
	}
	if (fg_exemptions_have(&r->exemptions, &e->view)) {
		char by[512];

		say(e, "%s: exempted by %s; would match by %s", a->name,
		    fg_exemptions_show(&r->exemptions, e->p->scope, &e->view,
				       by, sizeof(by)),
		    why);
		return false;
	}
	explain_match(e, r, why);
	return a->halt && !a->observe;
}

void fg_policy_explain(const struct fg_policy *p,
		       const struct fg_flow_table *table,
		       const struct fg_flow *flow,
		       void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct explanation e = {
		p, {table, flow, p->scope->catalog}, line, ctx};
	bool exempt = fg_exemptions_have(&p->exemptions, &e.view);
	const char *halted = NULL;
	char by[512];

	explain_never(&e);
	if (exempt)
		say(&e, "exempt from all actions by %s",
		    fg_exemptions_show(&p->exemptions, p->scope, &e.view, by,
				       sizeof(by)));
	for (size_t i = 0; i < p->count; i++) {
		const struct fg_rule *r = &p->rules[i];

		if (halted)
			say(&e, "%s: not looked at, since \"%s\" matched",
			    r->config->name, halted);
		else if (explain_rule(&e, r, exempt))
			halted = r->config->name;
	}
}
