/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c - actions, exemptions, groups; flow -> set of targets. */
#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule.h"

/* --------------------------------------------------------------- building */

static int read_zone(struct fg_policy *p)
{
	const struct fg_node *at = fg_json_root(p->settings->doc);
	char err[256];
	int result =
		fg_zone_load(&p->zone, p->settings->timezone, err, sizeof(err));

	if (result == -EINVAL) {
		fg_node_any(at, "timezone", &at);
		fg_node_error(at, "%s", err);
	}
	return result;
}

static int read_scope(struct fg_policy *p, const struct fg_catalog *catalog)
{
	struct fg_groups *groups;
	int result = fg_groups_new(
		&groups, catalog, p->settings->address_groups,
		p->settings->application_groups, fg_group_folders);

	return result ? result : fg_scope_new(&p->scope, catalog, groups);
}

static int read_rules(struct fg_policy *p)
{
	int result = 0, err;

	p->rules = calloc(p->settings->action_count + 1, sizeof(*p->rules));
	if (!p->rules)
		return -ENOMEM;
	for (size_t i = 0; i < p->settings->action_count; i++) {
		p->count = i + 1;
		err = fg_rule_read(&p->rules[i], p->scope, p->zone,
				   &p->settings->actions[i]);
		if (err == -ENOMEM)
			return err;
		if (err)
			result = err;
	}
	return result;
}

/* Nobody will read them: their keys are not unknown for that. */
static void pass_over_windows(const struct fg_settings *settings)
{
	for (size_t i = 0; i < settings->action_count; i++)
		if (settings->actions[i].time_of_day)
			fg_node_ignore(settings->actions[i].time_of_day);
}

static void set_bit(uint64_t *set, size_t i, bool on)
{
	uint64_t bit = UINT64_C(1) << i % 64;

	if (on)
		set[i / 64] |= bit;
	else
		set[i / 64] &= ~bit;
}

static bool has_bit(const uint64_t *set, size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

struct adder {
	struct fg_index *index;
	uint32_t rule;
	bool exact;
};

static void add_key(void *ctx, enum fg_key_kind kind, uint32_t id)
{
	const struct adder *a = ctx;

	fg_index_add(a->index, kind, id, a->rule, a->exact);
}

static void fill_index(struct fg_policy *p)
{
	fg_index_clear(p->index);
	for (size_t i = 0; i < p->count; i++) {
		const struct fg_rule *r = &p->rules[i];

		for (size_t n = 0; n < r->count; n++) {
			const struct fg_alternative *alt = &r->alternatives[n];
			struct adder a = {p->index, (uint32_t)i,
					  alt->cover == FG_COVER_EXACT};

			if (alt->cover == FG_COVER_NONE) {
				set_bit(p->always, i, true);
				p->any_always |= r->config->enabled;
			} else {
				fg_criteria_keys(alt->criteria, add_key, &a);
			}
		}
	}
}

static int build_index(struct fg_policy *p)
{
	size_t keys = 0;
	int result;

	for (size_t i = 0; i < p->count; i++) {
		const struct fg_rule *r = &p->rules[i];

		for (size_t n = 0; n < r->count; n++)
			keys += fg_criteria_key_count(
				r->alternatives[n].criteria);
	}
	p->words = (p->count + 63) / 64;
	p->always = calloc(4 * p->words + 1, sizeof(*p->always));
	if (!p->always)
		return -ENOMEM;
	p->active = p->always + p->words;
	p->found = p->active + p->words;
	p->exact = p->found + p->words;
	result = fg_index_new(&p->index, keys);
	if (result)
		return result;
	fill_index(p);
	for (size_t i = 0; i < p->count; i++)
		set_bit(p->active, i,
			p->rules[i].config->enabled && p->rules[i].open);
	return 0;
}

/*
 * Where no file says what applications there are, no tag can be checked. Said
 * once, at the first of them.
 */
static void say_unchecked(struct fg_policy *p)
{
	size_t unknown = 0, offset = 0, at;
	const struct fg_node *node = NULL;
	const char *first = NULL, *tag;

	for (size_t i = 0; i < p->count; i++) {
		const struct fg_rule *r = &p->rules[i];

		for (size_t n = 0; n < r->count; n++) {
			const struct fg_alternative *a = &r->alternatives[n];

			for (size_t k = 0;; k++) {
				tag = fg_criteria_unknown(a->criteria, k, &at);
				if (!tag)
					break;
				if (unknown++)
					continue;
				first = tag;
				node = a->text;
				offset = at;
			}
		}
	}
	if (!unknown)
		return;
	p->names_missing = true;
	fg_node_say_at(
		node, FG_LOG_NOTICE, offset,
		"%zu tag%s (\"%s\"%s) cannot be checked yet: no file names the "
		"agent's applications; they are looked up when it is connected",
		unknown, FG_S(unknown), first, unknown == 1 ? "" : ", ...");
}

int fg_policy_new(struct fg_policy **out, const struct fg_settings *settings,
		  const struct fg_catalog *catalog)
{
	struct fg_policy *p = calloc(1, sizeof(*p));
	int result, err;

	if (!p)
		return -ENOMEM;
	p->settings = settings;
	p->generation = fg_catalog_generation(catalog);
	p->time_from = INT64_MAX; /* no time was told */
	/* without a zone, the windows are read for their errors only */
	result = read_zone(p);
	err = read_scope(p, catalog);
	if (err) {
		/* without groups, nothing can be said of who names them */
		result = err;
		pass_over_windows(settings);
		goto fail;
	}
	err = read_rules(p);
	if (err)
		result = err;
	err = fg_exemptions_read(&p->exemptions, p->scope,
				 settings->exemptions);
	if (err)
		result = err;
	err = fg_never_new(&p->never, p->scope->groups, settings->never);
	if (err)
		result = err;
	if (!result && fg_json_errors(settings->doc) > 0)
		result = -EINVAL;
	if (!result)
		result = build_index(p);
	if (result)
		goto fail;
	for (size_t i = 0; i < p->count; i++) {
		if (p->rules[i].config->enabled)
			p->depends |= fg_rule_depends(&p->rules[i]);
	}
	p->depends |= fg_exemptions_depends(&p->exemptions);
	if (fg_catalog_count(catalog, FG_NAME_APPLICATION) == 0)
		say_unchecked(p);
	*out = p;
	return 0;
fail:
	fg_policy_free(p);
	return result;
}

void fg_policy_free(struct fg_policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		fg_rule_free(&p->rules[i]);
	free(p->rules);
	free(p->always);
	fg_index_free(p->index);
	fg_exemptions_free(&p->exemptions);
	fg_never_free(p->never);
	fg_scope_put(p->scope);
	fg_zone_free(p->zone);
	free(p);
}

/* ------------------------------------------------------------- evaluation */

/* Keeps out[] in order; a target that is there was granted earlier. */
static size_t grant(struct fg_policy *p, struct fg_grant out[FG_GRANTS_MAX],
		    size_t n, struct fg_grant g)
{
	size_t at = n;

	while (at > 0 && (out[at - 1].target > g.target ||
			  (out[at - 1].target == g.target &&
			   out[at - 1].observe > g.observe)))
		at--;
	if (at > 0 && out[at - 1].target == g.target &&
	    out[at - 1].observe == g.observe)
		return n;
	if (n == FG_GRANTS_MAX) {
		p->overflow++;
		return n;
	}
	memmove(&out[at + 1], &out[at], (n - at) * sizeof(out[0]));
	out[at] = g;
	return n + 1;
}

static size_t grant_all(struct fg_policy *p, size_t rule,
			struct fg_grant out[FG_GRANTS_MAX], size_t n)
{
	const struct fg_action_config *a = p->rules[rule].config;

	for (size_t i = 0; i < a->target_count; i++)
		n = grant(p, out, n,
			  (struct fg_grant){
				  .target = a->targets[i].target,
				  .action = (uint16_t)rule,
				  .entry = (uint8_t)i,
				  .observe = a->observe,
			  });
	return n;
}

/* Those of p->found that are in force, in order of the file. */
static size_t evaluate_found(struct fg_policy *p, const struct fg_view *v,
			     struct fg_grant out[FG_GRANTS_MAX])
{
	size_t n = 0;

	for (size_t w = 0; w < p->words; w++) {
		uint64_t bits = (p->found[w] | p->always[w]) & p->active[w];

		for (; bits; bits &= bits - 1) {
			size_t i = w * 64 + (size_t)__builtin_ctzll(bits);
			struct fg_rule *r = &p->rules[i];

			if (!fg_rule_interface(r, v) ||
			    !fg_rule_matches(r, v, has_bit(p->exact, i)))
				continue;
			if (fg_exemptions_have(&p->exemptions, v)) {
				r->counts.exempted++;
				return 0; /* whatever else matches */
			}
			if (fg_exemptions_have(&r->exemptions, v)) {
				r->counts.exempted++;
				continue;
			}
			n = grant_all(p, i, out, n);
			if (r->config->observe) {
				r->counts.observed++;
				continue; /* it changes nothing, halts nothing
					   */
			}
			r->counts.matched++;
			if (r->config->halt)
				return n;
		}
	}
	return n;
}

size_t fg_policy_evaluate(const struct fg_policy *policy,
			  const struct fg_flow_table *table,
			  const struct fg_flow *flow,
			  struct fg_grant out[FG_GRANTS_MAX])
{
	/* counters and scratch: what it means stays as it is */
	struct fg_policy *p = (struct fg_policy *)policy;
	const struct fg_view v = {table, flow, p->scope->catalog};
	bool found = fg_index_find(p->index, &v, p->found, p->exact);
	size_t n;

	if (!found && !p->any_always)
		return 0; /* most flows, however many actions there are */
	n = evaluate_found(p, &v, out);
	if (found) /* for the next one */
		memset(p->found, 0, 2 * p->words * sizeof(*p->found));
	return n;
}

uint32_t fg_policy_depends(const struct fg_policy *p)
{
	return p->depends;
}

void fg_policy_counts(const struct fg_policy *p, size_t action,
		      struct fg_policy_counts *out)
{
	const struct fg_rule *r = &p->rules[action];

	*out = r->counts;
	out->limited = 0;
	for (size_t i = 0; i < r->count; i++)
		out->limited +=
			fg_criteria_limited(r->alternatives[i].criteria);
	for (size_t i = 0; i < r->exemptions.criteria_count; i++)
		out->limited += fg_criteria_limited(r->exemptions.criteria[i]);
}

/* ---------------------------------------------------------- time and names */

bool fg_policy_set_time(struct fg_policy *p, int64_t wall_ms, int64_t *next)
{
	int64_t now = wall_ms / 1000 - (wall_ms % 1000 < 0), edge;
	bool changed = false;

	*next = p->time_next;
	if (wall_ms >= p->time_from && wall_ms < p->time_next)
		return false;
	p->time_from = wall_ms;
	p->time_next = INT64_MAX;
	for (size_t i = 0; i < p->count; i++) {
		struct fg_rule *r = &p->rules[i];
		bool open;

		if (!r->schedule || !r->config->enabled)
			continue;
		open = fg_schedule_open(r->schedule, now);
		changed |= open != r->open;
		r->open = open;
		set_bit(p->active, i, open);
		edge = fg_schedule_next(r->schedule, now);
		if (edge < INT64_MAX / 1000 && edge * 1000 < p->time_next)
			p->time_next = edge * 1000;
	}
	*next = p->time_next;
	return changed;
}

bool fg_policy_learn(struct fg_policy *p)
{
	uint32_t generation = fg_catalog_generation(p->scope->catalog);
	uint32_t group_changes;
	bool changed;

	if (generation == p->generation)
		return false;
	p->generation = generation;
	group_changes = fg_groups_learn(p->scope->groups);
	changed = group_changes != p->group_changes;
	p->group_changes = group_changes;
	changed |= fg_exemptions_learn(&p->exemptions);
	for (size_t i = 0; i < p->count; i++)
		changed |= fg_rule_learn(&p->rules[i]);
	if (changed)
		fill_index(p);
	return changed;
}

/*
 * From so many names on, one that is missing is worth a word. An agent that
 * tells its names lists hundreds at once; one that does not names applications
 * as they come.
 */
#define NAMES_ENOUGH 64

/* The nth unknown tag in the criteria of a rule, or NULL. */
static const char *unknown_of_rule(const struct fg_rule *r, size_t n)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct fg_criteria *c = r->alternatives[i].criteria;
		size_t count = 0;

		while (fg_criteria_unknown(c, count, NULL))
			count++;
		if (n < count)
			return fg_criteria_unknown(c, n, NULL);
		n -= count;
	}
	return NULL;
}

static bool next_unknown(struct fg_policy *p, char *out, size_t size)
{
	const struct fg_catalog *catalog = p->scope->catalog;
	const char *tag, *near;

	while (p->unknown_rule < p->count) {
		const struct fg_rule *r = &p->rules[p->unknown_rule];

		tag = unknown_of_rule(r, p->unknown_name++);
		if (!tag) {
			p->unknown_rule++;
			p->unknown_name = 0;
			continue;
		}
		if (fg_catalog_near(catalog, FG_NAME_APPLICATION,
				    fg_slice(tag, strlen(tag)), &near, 1) ||
		    fg_catalog_near(catalog, FG_NAME_PROTOCOL,
				    fg_slice(tag, strlen(tag)), &near, 1))
			snprintf(out, size,
				 "action \"%s\": the agent has not named "
				 "\"%s\" so far: did you mean \"%s\"?",
				 r->config->name, tag, near);
		else
			snprintf(out, size,
				 "action \"%s\": the agent has not named "
				 "\"%s\" so far: nothing matches it",
				 r->config->name, tag);
		return true;
	}
	p->names_missing = false; /* all were said */
	return false;
}

static bool next_limited(struct fg_policy *p, char *out, size_t size)
{
	for (size_t i = 0; i < p->count; i++) {
		struct fg_rule *r = &p->rules[i];

		for (size_t n = 0; n < r->count; n++) {
			struct fg_alternative *a = &r->alternatives[n];

			if (a->said_limited ||
			    fg_criteria_limited(a->criteria) == 0)
				continue;
			a->said_limited = true;
			snprintf(out, size,
				 "action \"%s\": a regular expression takes "
				 "too many steps for some text, which then "
				 "does not match: simplify %.100s",
				 r->config->name,
				 fg_criteria_text(a->criteria));
			return true;
		}
	}
	p->seen_limited = fg_regex_engine_limited(p->scope->regex);
	return false;
}

bool fg_policy_complaint(struct fg_policy *p, char *out, size_t size)
{
	const struct fg_scope *s = p->scope;

	if (fg_regex_engine_limited(s->regex) != p->seen_limited &&
	    next_limited(p, out, size))
		return true;
	if (p->overflow && !p->said_overflow) {
		p->said_overflow = true;
		snprintf(out, size,
			 "a flow matches more than %d targets: the others are "
			 "left out",
			 FG_GRANTS_MAX);
		return true;
	}
	return p->names_missing &&
	       fg_catalog_count(s->catalog, FG_NAME_APPLICATION) >=
		       NAMES_ENOUGH &&
	       next_unknown(p, out, size);
}

/* -------------------------------------------------------------- never list */

bool fg_policy_never(const struct fg_policy *p, int version,
		     const uint8_t addr[16])
{
	return fg_never_has(p->never, version, addr);
}

bool fg_policy_never_listed(const struct fg_policy *p, int version,
			    const uint8_t addr[16])
{
	return fg_never_listed(p->never, version, addr);
}

void fg_policy_never_own(struct fg_policy *p, int version,
			 const uint8_t (*addrs)[16], size_t n)
{
	fg_never_own(p->never, version, addrs, n);
}

/* ----------------------------------------------------------------- filters */

struct first_error {
	char *err;
	size_t size;
};

static void keep_error(void *ctx, enum fg_level level, size_t offset,
		       const char *text)
{
	const struct first_error *e = ctx;

	if (level == FG_LOG_ERROR)
		snprintf(e->err, e->size, "character %zu: %s", offset + 1,
			 text);
}

int fg_policy_filter(const struct fg_policy *p, struct fg_criteria **out,
		     const char *text, char *err, size_t errlen)
{
	struct first_error e = {err, errlen};
	const struct fg_expr_report report = {keep_error, &e};
	int result =
		fg_criteria_new(out, p->scope, text, strlen(text), &report);

	if (result == -ENOMEM)
		snprintf(err, errlen, "out of memory");
	return result;
}
