/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action.c - targets, and the actions that send flows to them. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"

/* fg_grant.entry is a byte */
#define ACTION_TARGETS 255

/* ------------------------------------------------------------- targets */

/* Netify's types that cannot be had here, and what to do instead. */
static const struct {
	const char *type;
	const char *why;
} foreign_types[] = {
	{"pftable", "is for BSD's pf, which Linux does not have: use "
		    "\"nftset\""},
	{"sink", "hands flows to sinks inside of netifyd: use \"log\" here, or "
		 "configure the sink in netifyd"},
};

/* Types that target_defaults may name although no target is of them. */
static const char *const known_types[] = {
	"nftset", "ipset", "ctlabel", "ctmark", "ctkill",  "log",
	"stats",  "mqtt",  "sample",  "sink",	"pftable",
};

static void check_foreign(const struct fg_target_config *t)
{
	const struct fg_node *at = t->node;

	fg_node_any(t->node, "target_type", &at);
	for (size_t i = 0; i < N(foreign_types); i++) {
		if (strcmp(t->type, foreign_types[i].type) != 0)
			continue;
		if (t->enabled)
			fg_node_error(at,
				      "target type \"%s\" %s, or set "
				      "\"target_enabled\" to false",
				      t->type, foreign_types[i].why);
		else
			fg_node_notice(at,
				       "target \"%s\" is passed over: its "
				       "type \"%s\" is not for Linux",
				       t->name, t->type);
	}
}

static void read_target(struct fg_target_config *t, const char *name,
			const struct fg_node *node,
			const struct fg_node *all_defaults,
			const struct fg_node *all_globals)
{
	const struct fg_node *defaults;

	t->name = name;
	t->node = node;
	t->enabled = true;
	t->type = "";
	if (fg_node_kind(node) != FG_NODE_OBJECT) {
		fg_node_error(node, "a target is an object { } with a "
				    "\"target_type\"");
		return;
	}
	switch (fg_node_text(node, "target_type", &t->type)) {
	case 0:
		fg_node_error(node,
			      "target \"%s\" needs a \"target_type\", "
			      "such as \"nftset\"",
			      name);
		break;
	case 1:
		if (fg_node_object(all_defaults, t->type, &defaults) == 1)
			fg_node_set_defaults(node, defaults);
		fg_node_object(all_globals, t->type, &t->globals);
		break;
	}
	fg_node_boolean(node, "target_enabled", &t->enabled);
	check_foreign(t);
	if (t->enabled)
		return;
	/* the defaults are still others' */
	fg_node_set_defaults(node, NULL);
	fg_node_ignore(node);
}

/*
 * Parts for types that no enabled target has: nobody will ask for what is in
 * them. A type that no plugin of ours has is likely a typing error.
 */
static void pass_over_types(const struct fg_settings_parts *o,
			    const struct fg_node *all)
{
	const struct fg_settings *s = &o->settings;
	const char *type, *near;
	bool used, known;

	for (size_t i = 0; i < fg_node_count(all); i++) {
		type = fg_node_key_at(all, i);
		used = known = false;
		for (size_t k = 0; k < s->target_count; k++) {
			bool same = strcmp(s->targets[k].type, type) == 0;

			known |= same;
			used |= same && s->targets[k].enabled;
		}
		if (used)
			continue;
		for (size_t k = 0; k < N(known_types); k++)
			known |= strcmp(known_types[k], type) == 0;
		fg_node_ignore(fg_node_at(all, i));
		if (known)
			continue;
		near = fg_text_nearest(type, strlen(type), known_types,
				       N(known_types));
		fg_node_warning(fg_node_key_node(all, i),
				"no target has this type%s%s%s",
				near ? " (did you mean \"" : "",
				near ? near : "", near ? "\"?)" : "");
	}
}

int fg_targets_read(struct fg_settings_parts *o, const struct fg_node *root)
{
	const struct fg_node *all = NULL, *defaults = NULL, *globals = NULL;
	size_t count;

	fg_node_object(root, "targets", &all);
	fg_node_object(root, "target_defaults", &defaults);
	fg_node_object(root, "target_globals", &globals);
	count = fg_node_count(all);
	if (count > UINT16_MAX) {
		fg_node_error(all, "more than %d targets", UINT16_MAX);
		return 0;
	}
	o->targets = fg_settings_array(count, sizeof(*o->targets));
	o->target_names = fg_settings_array(count, sizeof(*o->target_names));
	o->settings.targets = o->targets;
	if (!o->targets || !o->target_names)
		return -ENOMEM;
	o->settings.target_count = count;
	for (size_t i = 0; i < count; i++) {
		o->target_names[i] = fg_node_key_at(all, i);
		fg_settings_check_name(fg_node_key_node(all, i), "a target");
		read_target(&o->targets[i], o->target_names[i],
			    fg_node_at(all, i), defaults, globals);
	}
	pass_over_types(o, defaults);
	pass_over_types(o, globals);
	return 0;
}

/* ------------------------------------------------------------- actions */

/*
 * One of words at key: its index in *out. Anything else is an error with the
 * nearest of them.
 */
static void read_choice(const struct fg_node *object, const char *key,
			const char *const *words, size_t n, size_t *out)
{
	const struct fg_node *at;
	const char *text, *near;
	char shown[FG_SYNTAX_SHORT], all[160] = "";

	if (fg_node_text(object, key, &text) != 1)
		return;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i;
			return;
		}
		snprintf(all + strlen(all), sizeof(all) - strlen(all),
			 "%s\"%s\"",
			 i == 0	     ? ""
			 : i + 1 < n ? ", "
				     : " or ",
			 words[i]);
	}
	fg_node_any(object, key, &at);
	near = fg_text_nearest(text, strlen(text), words, n);
	if (near)
		fg_node_error(at,
			      "\"%s\" must be %s, not \"%s\" (did you mean "
			      "\"%s\"?)",
			      key, all, fg_settings_quote(text, shown), near);
	else
		fg_node_error(at, "\"%s\" must be %s, not \"%s\"", key, all,
			      fg_settings_quote(text, shown));
}

/* One of an action's targets; false when it is to be left out. */
static bool read_entry(const struct fg_settings_parts *o,
		       const struct fg_action_config *a,
		       const struct fg_node *at, struct fg_action_target *out)
{
	const struct fg_settings *s = &o->settings;
	const char *name = fg_node_as_text(at), *near;
	char shown[FG_SYNTAX_SHORT];
	size_t t;

	if (fg_node_kind(at) == FG_NODE_OBJECT) {
		switch (fg_node_text(at, "target", &name)) {
		case 0:
			fg_node_error(at, "needs a \"target\" with the name of "
					  "one");
			return false;
		case 1:
			if (fg_node_count(at) > 1)
				out->override = at;
			fg_node_any(at, "target", &at);
			break;
		default:
			return false;
		}
	} else if (!name) {
		fg_node_error(at, "expected the name of a target in quotes, or "
				  "{\"target\": name, ...}");
		return false;
	}
	for (t = 0; t < s->target_count; t++)
		if (strcmp(s->targets[t].name, name) == 0)
			break;
	if (t == s->target_count) {
		near = fg_text_nearest(name, strlen(name), o->target_names, t);
		fg_settings_quote(name, shown);
		if (near)
			fg_node_error(at,
				      "there is no target \"%s\" (did you "
				      "mean \"%s\"?)",
				      shown, near);
		else
			fg_node_error(at,
				      "there is no target \"%s\": add it "
				      "to \"targets\"",
				      shown);
		return false;
	}
	for (size_t i = 0; i < a->target_count; i++) {
		if (a->targets[i].target == t) {
			fg_node_error(at,
				      "target \"%s\" is in this action "
				      "twice",
				      fg_settings_quote(name, shown));
			return false;
		}
	}
	out->target = (uint16_t)t;
	return true;
}

static void read_entries(const struct fg_settings_parts *o,
			 struct fg_action_config *a,
			 struct fg_action_target *entries)
{
	const struct fg_node *list;

	a->targets = entries;
	if (fg_node_list(a->node, "targets", &list) != 1)
		return;
	if (fg_node_count(list) > ACTION_TARGETS) {
		fg_node_error(list, "more than %d targets in one action",
			      ACTION_TARGETS);
		return;
	}
	for (size_t i = 0; i < fg_node_count(list); i++)
		if (read_entry(o, a, fg_node_at(list, i),
			       &entries[a->target_count]))
			a->target_count++;
}

/* What the parts of an action mean together. */
static void check_action(struct fg_action_config *a, int said_allow,
			 int said_halt, bool has_targets)
{
	if (said_allow == 1 && a->allow && has_targets)
		fg_node_error(a->node,
			      "action \"%s\" has targets, so it is no "
			      "\"allow\" rule: use \"halt_on_match\" "
			      "to end with it",
			      a->name);
	if (said_allow == 1 && a->allow && said_halt == 1 && !a->halt)
		fg_node_error(a->node,
			      "action \"%s\": \"allow\" means "
			      "\"halt_on_match\", which is false here",
			      a->name);
	/* Ending the search is all that an action without targets can do. */
	if (said_allow == 0 && !has_targets && a->halt)
		a->allow = true;
	if (a->allow)
		a->halt = true;
	/* One that is disabled may well be unfinished: no harm in it. */
	if (!has_targets && !a->allow && !a->observe)
		(a->enabled ? fg_node_error : fg_node_warning)(
			a->node,
			"action \"%s\" does nothing%s: name \"targets\", or "
			"let what matches pass with \"allow\": true",
			a->name, a->enabled ? "" : " if enabled");
}

static void read_action(const struct fg_settings_parts *o,
			struct fg_action_config *a,
			struct fg_action_target *entries)
{
	static const char *const modes[] = {"enforce", "observe"};
	const struct fg_node *targets = NULL, *n = a->node;
	const char *interface;
	int said_allow, said_halt;
	size_t mode = 0;

	a->enabled = true;
	if (fg_node_kind(n) != FG_NODE_OBJECT) {
		fg_node_error(n, "an action is an object { } with \"criteria\" "
				 "and \"targets\"");
		return;
	}
	fg_node_boolean(n, "enabled", &a->enabled);
	if (fg_settings_texts(n, "criteria", &a->criteria) == 0)
		fg_node_error(n,
			      "action \"%s\" needs \"criteria\"; \"*\" is "
			      "every flow",
			      a->name);
	else if (a->criteria && fg_node_kind(a->criteria) == FG_NODE_LIST &&
		 fg_node_count(a->criteria) == 0)
		fg_node_error(a->criteria, "\"criteria\" is empty; \"*\" is "
					   "every flow");
	fg_settings_texts(n, "interface", &a->interface);
	interface = fg_node_as_text(a->interface);
	if (interface && strcmp(interface, "*") == 0)
		a->interface = NULL;
	fg_node_list(n, "exemptions", &a->exemptions);
	fg_node_list(n, "time_of_day", &a->time_of_day);
	read_choice(n, "mode", modes, N(modes), &mode);
	a->observe = mode == 1;
	said_halt = fg_node_boolean(n, "halt_on_match", &a->halt);
	said_allow = fg_node_boolean(n, "allow", &a->allow);
	read_entries(o, a, entries);
	fg_node_any(n, "targets", &targets);
	check_action(a, said_allow, said_halt,
		     targets && fg_node_count(targets) > 0);
}

int fg_actions_read(struct fg_settings_parts *o, const struct fg_node *root)
{
	const struct fg_node *all = NULL, *n;
	size_t count, entries = 0;

	fg_node_object(root, "actions", &all);
	count = fg_node_count(all);
	if (count > UINT16_MAX) {
		fg_node_error(all, "more than %d actions", UINT16_MAX);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		if (fg_node_any(fg_node_at(all, i), "targets", &n))
			entries += fg_node_count(n);
	o->actions = fg_settings_array(count, sizeof(*o->actions));
	o->entries = fg_settings_array(entries, sizeof(*o->entries));
	o->settings.actions = o->actions;
	if (!o->actions || !o->entries)
		return -ENOMEM;
	o->settings.action_count = count;
	entries = 0;
	for (size_t i = 0; i < count; i++) {
		struct fg_action_config *a = &o->actions[i];

		a->name = fg_node_key_at(all, i);
		a->node = fg_node_at(all, i);
		fg_settings_check_name(fg_node_key_node(all, i), "an action");
		read_action(o, a, o->entries + entries);
		entries += a->target_count;
	}
	return 0;
}
