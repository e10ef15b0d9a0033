/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criteria.h - expression text -> program; program x flow -> bool; explain.
 *
 * A program is a row of tests, each with the places to go on at when it is true
 * and when it is false, both further down; running it needs no stack, allocates
 * nothing, ends after at most as many tests as there are, and reads only the
 * attributes that decide. struct fg_criteria and fg_criteria_match() are in
 * policy.h.
 */
#ifndef FG_POLICY_CRITERIA_H
#define FG_POLICY_CRITERIA_H

#include "expression.h"
#include "group.h"
#include "policy.h"
#include "regex.h"

/* What the names in expressions mean; shared by all of a policy, counted. */
struct fg_scope {
	unsigned refs;
	const struct fg_catalog *catalog;
	struct fg_groups *groups;
	struct fg_regex_engine *regex;
};

/* Takes over groups, also when it fails. 0 or -ENOMEM. */
int fg_scope_new(struct fg_scope **out, const struct fg_catalog *catalog,
		 struct fg_groups *groups);
void fg_scope_put(struct fg_scope *scope);

/*
 * 0; -EINVAL, said through report at the character; -ENOMEM. Copies text, holds
 * scope until fg_criteria_free(). Notices and warnings are said, too, among
 * them the application and protocol tags that nobody knows yet.
 */
int fg_criteria_new(struct fg_criteria **out, struct fg_scope *scope,
		    const char *text, size_t len,
		    const struct fg_expr_report *report);

/* The same of a text node, where all is said at its place. */
int fg_criteria_read(struct fg_criteria **out, struct fg_scope *scope,
		     const struct fg_node *text);

/* fg_criteria_match() for whoever has a view already. */
bool fg_criteria_run(const struct fg_criteria *c, const struct fg_view *v);

/* Looks tags up again; true when some means another id, or one at last. */
bool fg_criteria_learn(struct fg_criteria *c);
/* FG_CHANGED_* that can change the result. */
uint32_t fg_criteria_depends(const struct fg_criteria *c);
/* Matches of regular expressions that were given up. */
uint64_t fg_criteria_limited(const struct fg_criteria *c);
/*
 * The nth tag that is not known, as they stand in the text, or NULL beyond the
 * last; *offset (or NULL): where in the text.
 */
const char *fg_criteria_unknown(const struct fg_criteria *c, size_t n,
				size_t *offset);
const char *fg_criteria_text(const struct fg_criteria *c);

/*
 * Why it is true or false for the flow: the tests that decided, each with what
 * the flow has. Printable, NUL-terminated, shortened to size. Returns the
 * result.
 */
bool fg_criteria_explain(const struct fg_criteria *c, const struct fg_view *v,
			 char *out, size_t size);

/* ------------------------------------------------------------------ index */

/* Ids of a flow that expressions can be found by. */
enum fg_key_kind {
	FG_KEY_APPLICATION,
	FG_KEY_PROTOCOL,
	FG_KEY_CATEGORY, /* + enum fg_flow_category */
	FG_KEY_COUNT = FG_KEY_CATEGORY + FG_CAT_COUNT
};

enum fg_cover {
	FG_COVER_NONE,	/* can match any flow */
	FG_COVER_SOME,	/* matches only flows with one of the keys, not all */
	FG_COVER_EXACT, /* matches exactly the flows with one of the keys */
};

enum fg_cover fg_criteria_cover(const struct fg_criteria *c);
/* At most how many calls fg_criteria_keys() will ever make. */
size_t fg_criteria_key_count(const struct fg_criteria *c);
/* Calls key() for each, as far as ids are known. Not with FG_COVER_NONE. */
void fg_criteria_keys(const struct fg_criteria *c,
		      void (*key)(void *ctx, enum fg_key_kind kind,
				  uint32_t id),
		      void *ctx);

#endif
