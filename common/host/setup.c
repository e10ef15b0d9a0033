/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup.c - opens a configuration, taking over what has not changed. */
#include "setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "gate.h"
#include "own.h"
#include "privilege.h"
#include "source.h"
#include "tables.h"
#include "target.h"

/* A target that cannot commit what it should is closed after this. */
#define CLOSE_MS 5000

struct fg_setup {
	struct fg_generation generation;
	struct fg_conf *conf;
	struct fg_target **targets;
	size_t target_count;
	struct fg_source **sources;
	bool *source_running;
	size_t source_count;
	unsigned kept; /* targets taken over */
	unsigned errors;
};

struct fg_conf *fg_conf_hold(struct fg_conf *c)
{
	c->users++;
	return c;
}

void fg_conf_drop(struct fg_conf *c)
{
	if (--c->users)
		return;
	fg_settings_free(c->settings);
	free(c);
}

void fg_setup_say(void *gate, enum fg_level level, const char *text)
{
	struct fg_gate *g = gate;

	fg_log_text(g->log, level, text);
	if (g->also)
		g->also(g->also_ctx, level, text);
}

void fg_setup_error(struct fg_gate *g, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fg_setup_say(g, FG_LOG_ERROR, text);
	if (g->building)
		g->building->errors++;
}

/* ------------------------------------------------------ sources, targets */

static void load_plugins(struct fg_setup *s, struct fg_gate *g)
{
	const struct fg_settings *settings = s->conf->settings;
	const struct fg_node *list = NULL;
	char err[600];

	fg_node_list(fg_json_root(settings->doc), "plugins", &list);
	for (size_t i = 0; i < settings->plugin_count; i++)
		if (fg_plugins_load(g->plugins, settings->plugins[i], err,
				    sizeof(err)) < 0)
			fg_node_error(fg_node_at(list, i), "%s", err);
}

static bool source_same(const struct fg_setup *old, size_t n,
			const struct fg_source_config *config)
{
	const struct fg_source_config *c = &old->conf->settings->sources[n];

	if (strcmp(c->name, config->name) || strcmp(c->url, config->url) ||
	    strcmp(c->input, config->input))
		return false;
	if (!c->node || !config->node)
		return !c->node && !config->node;
	return fg_node_equal(c->node, config->node);
}

static void open_source(struct fg_setup *s, struct fg_gate *g, size_t n)
{
	const struct fg_source_config *config = &s->conf->settings->sources[n];
	const struct fg_setup *old = g->setup;

	for (size_t i = 0; old && i < old->source_count; i++)
		if (source_same(old, i, config)) {
			s->sources[n] = old->sources[i];
			s->source_running[n] = true;
			if (config->node)
				fg_node_ignore(config->node);
			return;
		}
	if (fg_source_new(&s->sources[n], g, s->conf, config) < 0) {
		s->errors++;
		if (config->node)
			fg_node_ignore(config->node);
	}
}

static void open_target(struct fg_setup *s, struct fg_gate *g, size_t n)
{
	const struct fg_target_config *config = &s->conf->settings->targets[n];
	struct fg_open_target *t = NULL;
	const struct fg_setup *old = g->setup;

	for (size_t i = 0; old && i < old->target_count; i++) {
		t = fg_target_of(old->targets[i]);
		if (!fg_target_same(t, config))
			continue;
		t->users++;
		s->targets[n] = &t->pub;
		s->kept++;
		fg_node_ignore(config->node);
		if (config->globals)
			fg_node_ignore(config->globals);
		return;
	}
	if (fg_target_open(&t, g, s->conf, config) < 0)
		s->errors++;
	else
		s->targets[n] = &t->pub;
}

/*
 * What actions say to targets is read when they are bound, which is when the
 * configuration goes into force. So that an error is said before, and by -t,
 * and that its keys are known, it is bound here once and let go.
 */
static void check_override(struct fg_setup *s, const struct fg_action_target *a)
{
	const struct fg_target *t = s->targets[a->target];
	const void *binding = NULL;

	if (!a->override)
		return;
	if (!t || !t->type || !t->type->bind) {
		/* not open, disabled, or membership has the words for it */
		fg_node_ignore(a->override);
		return;
	}
	if (t->type->bind(t->instance, a->override, &binding) < 0)
		s->errors++;
	else if (binding && t->type->unbind)
		t->type->unbind(t->instance, binding);
}

static void check_overrides(struct fg_setup *s)
{
	const struct fg_settings *settings = s->conf->settings;

	for (size_t i = 0; i < settings->action_count; i++)
		for (size_t e = 0; e < settings->actions[i].target_count; e++)
			check_override(s, &settings->actions[i].targets[e]);
}

static int configured_all(struct fg_setup *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->target_count; i++)
		if (fg_target_configured(fg_target_of(s->targets[i])) < 0)
			ret = -EINVAL;
	return ret;
}

static unsigned all_errors(const struct fg_setup *s)
{
	return s->errors + fg_json_errors(s->conf->settings->doc);
}

static void check_user(struct fg_setup *s, struct fg_gate *g)
{
	const struct fg_node *at = fg_json_root(s->conf->settings->doc);
	const char *name = s->conf->settings->user;
	char err[200];

	if (!name || fg_user_find(&g->user, name, err, sizeof(err)) == 0)
		return;
	fg_node_any(at, "user", &at);
	fg_node_error(at, "%s", err);
}

/* --explain: no source, no target, only what the policy makes of flows. */
static int open_policy_only(struct fg_setup *s, struct fg_gate *g)
{
	const struct fg_settings *settings = s->conf->settings;
	int ret;

	for (size_t i = 0; i < settings->target_count; i++) {
		fg_node_ignore(settings->targets[i].node);
		if (settings->targets[i].globals)
			fg_node_ignore(settings->targets[i].globals);
	}
	for (size_t i = 0; i < settings->source_count; i++)
		if (settings->sources[i].node)
			fg_node_ignore(settings->sources[i].node);
	ret = fg_policy_new(&s->generation.policy, settings, g->catalog);
	fg_json_unknown_keys(settings->doc);
	if (ret == 0 && all_errors(s))
		ret = -EINVAL;
	if (ret == 0)
		fg_own_tell(g->own, s->generation.policy);
	return ret;
}

static int open_all(struct fg_setup *s, struct fg_gate *g)
{
	const struct fg_settings *settings = s->conf->settings;
	int ret;

	ret = fg_tables_make(g, &settings->limits);
	if (ret < 0)
		return ret;
	fg_tables_load_names(g, settings);
	if (g->options->explain)
		return open_policy_only(s, g);
	load_plugins(s, g);
	check_user(s, g);
	s->targets = calloc(settings->target_count + 1, sizeof(*s->targets));
	s->sources = calloc(settings->source_count + 1, sizeof(*s->sources));
	s->source_running = calloc(settings->source_count + 1, sizeof(bool));
	if (!s->targets || !s->sources || !s->source_running)
		return -ENOMEM;
	s->target_count = settings->target_count;
	s->source_count = settings->source_count;
	for (size_t i = 0; i < s->source_count; i++)
		open_source(s, g, i);
	for (size_t i = 0; i < s->target_count; i++)
		open_target(s, g, i);
	check_overrides(s);
	ret = fg_policy_new(&s->generation.policy, settings, g->catalog);
	fg_json_unknown_keys(settings->doc);
	if (ret < 0)
		return ret;
	if (all_errors(s))
		return -EINVAL;
	fg_own_tell(g->own, s->generation.policy);
	return configured_all(s);
}

int fg_setup_load(struct fg_setup **out, struct fg_gate *g)
{
	const struct fg_gate_options *o = g->options;
	struct fg_setup *s = calloc(1, sizeof(*s));
	int ret = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->conf = calloc(1, sizeof(*s->conf));
	if (!s->conf)
		goto fail;
	s->conf->users = 1;
	g->building = s;
	ret = fg_settings_load(
		&s->conf->settings, g->config,
		o->source_count ? o->sources : NULL, o->source_count,
		(struct fg_report){.say = fg_setup_say, .ctx = g});
	if (ret == 0)
		ret = open_all(s, g);
	g->building = NULL;
	if (ret < 0)
		goto fail;
	s->generation.settings = s->conf->settings;
	s->generation.targets = s->targets;
	s->generation.ctx = s;
	*out = s;
	return 0;

fail:
	fg_setup_free(s, g);
	/* What was taken over may have looked up targets that are gone now. */
	if (g->setup)
		configured_all(g->setup);
	return ret;
}

/* ----------------------------------------------------- into force, and out */

static bool has_source(const struct fg_setup *s, const struct fg_source *source)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i] == source)
			return true;
	return false;
}

struct policies {
	const struct fg_policy *old, *next;
};

/* Does the never list say something else of one of its addresses? */
static bool never_differs(const void *ctx, const struct fg_flow *f)
{
	const struct policies *p = ctx;

	return fg_policy_never(p->old, f->ip_version, f->local_addr) !=
		       fg_policy_never(p->next, f->ip_version, f->local_addr) ||
	       fg_policy_never(p->old, f->ip_version, f->other_addr) !=
		       fg_policy_never(p->next, f->ip_version, f->other_addr);
}

int fg_setup_enforce(struct fg_setup *s, struct fg_gate *g)
{
	struct policies p = {NULL, s->generation.policy};
	struct fg_setup *old = g->setup;
	int ret;

	if (old) {
		p.old = old->generation.policy;
		fg_membership_suspend(g->membership, never_differs, &p,
				      FG_REASON_RELOAD);
	}
	ret = fg_membership_configure(g->membership, &s->generation,
				      fg_loop_wall(g->loop));
	if (ret == 0)
		g->setup = s;
	if (old)
		fg_membership_resume(g->membership, never_differs, &p,
				     FG_REASON_RELOAD);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < s->target_count; i++) {
		struct fg_open_target *t = fg_target_of(s->targets[i]);

		t->pub.dirty |= !t->in_force;
		t->in_force = true;
	}
	for (size_t i = 0; old && i < old->source_count; i++)
		if (!has_source(s, old->sources[i])) {
			/* on purpose: its flows are void at once */
			fg_source_void(old->sources[i]);
			fg_source_free(old->sources[i]);
		}
	if (old)
		old->source_count = 0;
	fg_setup_never_changed(s);
	/* what targets make is there before anybody is told that all is well */
	if (!(g->options->flags & FG_HOST_CHECK))
		fg_membership_flush(g->membership, fg_loop_now(g->loop));
	return 0;
}

void fg_setup_start_sources(struct fg_setup *s)
{
	for (size_t i = 0; i < s->source_count; i++) {
		if (!s->source_running[i])
			fg_source_start(s->sources[i]);
		s->source_running[i] = true;
	}
}

/* Text of targets and sources that live on is kept by their own hold. */
void fg_setup_free(struct fg_setup *s, struct fg_gate *g)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i] && !s->source_running[i])
			fg_source_free(s->sources[i]);
	for (size_t i = 0; i < s->target_count; i++) {
		struct fg_open_target *t;

		if (!s->targets[i])
			continue;
		t = fg_target_of(s->targets[i]);
		if (--t->users)
			continue;
		t->next_closing = g->closing;
		t->close_by = fg_loop_now(g->loop) + CLOSE_MS;
		g->closing = t;
	}
	fg_setup_close_waiting(g);
	if (s->generation.policy)
		fg_policy_free(s->generation.policy);
	if (s->conf)
		fg_conf_drop(s->conf);
	free(s->targets);
	free(s->sources);
	free(s->source_running);
	free(s);
}

/* Has it still to commit that its members have left? */
static bool unfinished(struct fg_open_target *t, int64_t now)
{
	const struct fg_target_type *type = t->pub.type;

	if (type && type->flush && t->in_force && !t->client.jobs &&
	    type->flush(t->pub.instance, now) && now < t->close_by)
		return true;
	return t->client.jobs > 0;
}

bool fg_setup_close_waiting(struct fg_gate *g)
{
	struct fg_open_target **p = &g->closing, *t;

	while ((t = *p) != NULL) {
		if (unfinished(t, fg_loop_now(g->loop))) {
			p = &t->next_closing;
			continue;
		}
		*p = t->next_closing;
		fg_target_close(t);
	}
	return g->closing != NULL;
}

void fg_setup_close(struct fg_setup *s, struct fg_gate *g)
{
	for (size_t i = 0; i < s->target_count; i++)
		fg_target_stop(fg_target_of(s->targets[i]));
	fg_membership_free(g->membership);
	g->membership = NULL;
	fg_setup_free(s, g);
}

void fg_setup_stop_sources(struct fg_setup *s)
{
	for (size_t i = 0; i < s->source_count; i++)
		fg_source_free(s->sources[i]);
	s->source_count = 0;
}

void fg_setup_reload_kept(struct fg_setup *s)
{
	for (size_t i = 0; i < s->target_count; i++) {
		struct fg_target *t = s->targets[i];

		if (fg_target_of(t)->users > 1 && t->type && t->type->reload)
			t->type->reload(t->instance);
	}
}

void fg_setup_never_changed(struct fg_setup *s)
{
	for (size_t i = 0; i < s->target_count; i++) {
		struct fg_target *t = s->targets[i];
		const struct fg_target_type *type = t->type;

		/* it came after the first types were built */
		if (!type ||
		    type->size < offsetof(struct fg_target_type,
					  never_changed) +
					 sizeof(type->never_changed) ||
		    !type->never_changed)
			continue;
		type->never_changed(t->instance);
		t->dirty = true;
	}
}

void fg_setup_restored(struct fg_setup *s)
{
	for (size_t i = 0; i < s->target_count; i++) {
		struct fg_target *t = s->targets[i];
		const struct fg_target_type *type = t->type;

		if (!type ||
		    type->size < offsetof(struct fg_target_type, restored) +
					 sizeof(type->restored) ||
		    !type->restored)
			continue;
		type->restored(t->instance);
		t->dirty = true;
	}
}

bool fg_setup_busy(const struct fg_setup *s)
{
	for (size_t i = 0; i < s->target_count; i++)
		if (fg_target_of(s->targets[i])->client.jobs)
			return true;
	return false;
}

const struct fg_settings *fg_setup_settings(const struct fg_setup *s)
{
	return s->conf->settings;
}

struct fg_policy *fg_setup_policy(const struct fg_setup *s)
{
	return s->generation.policy;
}

struct fg_target *fg_setup_find_target(const struct fg_setup *s,
				       const char *name)
{
	for (size_t i = 0; s && i < s->target_count; i++)
		if (s->targets[i] && !strcmp(s->targets[i]->name, name))
			return s->targets[i];
	return NULL;
}

size_t fg_setup_target_count(const struct fg_setup *s)
{
	return s->target_count;
}

struct fg_target *fg_setup_target(const struct fg_setup *s, size_t n)
{
	return s->targets[n];
}

size_t fg_setup_source_count(const struct fg_setup *s)
{
	return s->source_count;
}

struct fg_source *fg_setup_source(const struct fg_setup *s, size_t n)
{
	return s->sources[n];
}

const struct fg_source *fg_setup_next_source(const struct fg_setup *s,
					     const struct fg_source *after)
{
	const struct fg_source *next, *whole;
	size_t i = 0;

	if (after) {
		next = fg_source_next_part(after, &whole);
		if (next)
			return next;
		while (s->sources[i++] != whole)
			;
	}
	return i < s->source_count ? s->sources[i] : NULL;
}

void fg_setup_summary(const struct fg_setup *s, char *text, size_t len)
{
	size_t actions = s->conf->settings->action_count, targets = 0;
	char aside[64] = "";
	int n = 0;

	for (size_t i = 0; i < s->target_count; i++)
		targets += s->targets[i]->type != NULL;
	if (targets < s->target_count)
		n = snprintf(aside, sizeof(aside), " (%zu disabled",
			     s->target_count - targets);
	if (s->kept)
		n += snprintf(aside + n, sizeof(aside) - (size_t)n,
			      "%s%u unchanged", n ? ", " : " (", s->kept);
	if (n)
		snprintf(aside + n, sizeof(aside) - (size_t)n, ")");
	snprintf(text, len, "%zu source%s, %zu target%s%s, %zu action%s",
		 s->source_count, FG_S(s->source_count), targets,
		 FG_S(targets), aside, actions,
		 FG_S(actions));
}
