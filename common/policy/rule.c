/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule.c - one action, read. */
#include "rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of a text or a list of texts: how many, and the nth. */
static size_t text_count(const struct fg_node *n)
{
	return fg_node_kind(n) == FG_NODE_LIST ? fg_node_count(n) : 1;
}

static const struct fg_node *text_at(const struct fg_node *n, size_t i)
{
	return fg_node_kind(n) == FG_NODE_LIST ? fg_node_at(n, i) : n;
}

static void read_interfaces(struct fg_interfaces *out, const struct fg_node *n)
{
	out->names = n;
	out->any = n == NULL;
	for (size_t i = 0; n && i < text_count(n); i++) {
		const struct fg_node *at = text_at(n, i);
		const char *text = fg_node_as_text(at);

		if (!text || *text == '\0')
			fg_node_error(at, "an interface's name is empty: leave "
					  "\"interface\" out for all of them");
		else if (strcmp(text, "*") == 0)
			out->any = true;
		else if (strcasecmp(text, "lan") == 0)
			out->lan = true;
		else if (strcasecmp(text, "wan") == 0)
			out->wan = true;
	}
	if (n && text_count(n) == 0)
		fg_node_error(n, "no interface is in the list: leave "
				 "\"interface\" out for all of them");
}

bool fg_rule_interface(const struct fg_rule *r, const struct fg_view *v)
{
	const struct fg_interfaces *in = &r->interfaces;
	const char *name;
	char role;
	bool lan;

	if (in->any)
		return true;
	if (in->lan || in->wan) {
		role = fg_flow_role(v->table, v->flow->interface);
		lan = role ? role == 'l' : v->flow->flags & FG_FLOW_INTERNAL;
		if (lan ? in->lan : in->wan)
			return true;
	}
	name = fg_flow_interface_name(v->table, v->flow->interface);
	for (size_t i = 0; i < text_count(in->names); i++) {
		if (strcmp(fg_node_as_text(text_at(in->names, i)), name) == 0)
			return true;
	}
	return false;
}

static int read_criteria(struct fg_rule *r, struct fg_scope *scope)
{
	const struct fg_node *n = r->config->criteria;
	int result = 0, err;

	r->alternatives = calloc(text_count(n) + 1, sizeof(*r->alternatives));
	if (!r->alternatives)
		return -ENOMEM;
	for (size_t i = 0; i < text_count(n) && result != -ENOMEM; i++) {
		struct fg_alternative *a = &r->alternatives[r->count];

		err = fg_criteria_read(&a->criteria, scope, text_at(n, i));
		if (err) {
			result = err; /* go on: say all errors */
			continue;
		}
		a->text = text_at(n, i);
		a->cover = fg_criteria_cover(a->criteria);
		r->count++;
	}
	return result;
}

int fg_rule_read(struct fg_rule *r, struct fg_scope *scope,
		 const struct fg_zone *zone,
		 const struct fg_action_config *config)
{
	int result, err;

	*r = (struct fg_rule){.config = config};
	result = read_criteria(r, scope);
	read_interfaces(&r->interfaces, config->interface);
	err = fg_exemptions_read(&r->exemptions, scope, config->exemptions);
	if (err)
		result = err;
	r->open = true;
	if (config->time_of_day && fg_node_count(config->time_of_day) > 0) {
		r->open = false; /* until somebody tells the time */
		err = fg_schedule_new(&r->schedule, config->time_of_day, zone);
		if (err)
			result = err;
	}
	if (config->observe && config->halt && !config->allow)
		fg_node_notice(
			config->node,
			"\"%s\" only observes: it does not halt what follows",
			config->name);
	return result;
}

void fg_rule_free(struct fg_rule *r)
{
	for (size_t i = 0; i < r->count; i++)
		fg_criteria_free(r->alternatives[i].criteria);
	free(r->alternatives);
	fg_exemptions_free(&r->exemptions);
	fg_schedule_free(r->schedule);
}

bool fg_rule_matches(const struct fg_rule *r, const struct fg_view *v,
		     bool exact)
{
	for (size_t i = 0; i < r->count && !exact; i++) {
		/* the index would have said so */
		if (r->alternatives[i].cover == FG_COVER_EXACT)
			continue;
		exact = fg_criteria_run(r->alternatives[i].criteria, v);
	}
	return exact;
}

bool fg_rule_learn(struct fg_rule *r)
{
	bool changed = fg_exemptions_learn(&r->exemptions);

	for (size_t i = 0; i < r->count; i++)
		changed |= fg_criteria_learn(r->alternatives[i].criteria);
	return changed;
}

uint32_t fg_rule_depends(const struct fg_rule *r)
{
	uint32_t depends = fg_exemptions_depends(&r->exemptions);

	if (!r->interfaces.any)
		depends |= FG_CHANGED_KEY;
	for (size_t i = 0; i < r->count; i++)
		depends |= fg_criteria_depends(r->alternatives[i].criteria);
	return depends;
}
