/* SPDX-License-Identifier: GPL-2.0-or-later */
/* precedence.c - what another engine would have made of && and ||. */
#include "precedence.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "token.h"

struct writer {
	char text[400];
	size_t len;
};

static void put(struct writer *w, const char *fmt, ...) FG_PRINTF(2, 3);
static void put(struct writer *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, fmt, ap);
	va_end(ap);
	w->len += n > 0 ? (size_t)n : 0;
	if (w->len >= sizeof(w->text)) {
		w->len = sizeof(w->text) - 1;
		memcpy(w->text + w->len - 3, "...", 3);
	}
}

static void put_node(struct writer *w, const struct fg_expression *e,
		     const struct fg_expr_node *n)
{
	put(w, "%s",
	    fg_show(fg_slice(e->text + n->begin, n->end - n->begin)).s);
}

/* Is this an && of its level, rather than one in parentheses? */
static bool is_run(const struct fg_expr_node *n)
{
	return n->kind == FG_EXPR_AND && !n->paren;
}

static void write_ours(struct writer *w, const struct fg_expression *e,
		       const struct fg_expr_node * or)
{
	for (uint32_t i = or->first; i != FG_EXPR_NONE; i = e->nodes[i].next) {
		const struct fg_expr_node *n = &e->nodes[i];

		if (i != or->first)
			put(w, " || ");
		if (!is_run(n)) {
			put_node(w, e, n);
			continue;
		}
		for (uint32_t c = n->first; c != FG_EXPR_NONE;
		     c = e->nodes[c].next) {
			put(w, "%s", c == n->first ? "(" : " && ");
			put_node(w, e, &e->nodes[c]);
		}
		put(w, ")");
	}
}

/* From the right: a parenthesis wherever the operator changes. */
static void write_theirs(struct writer *w, const struct fg_expression *e,
			 const struct fg_expr_node * or)
{
	unsigned open = 0;

	for (uint32_t i = or->first; i != FG_EXPR_NONE; i = e->nodes[i].next) {
		const struct fg_expr_node *n = &e->nodes[i];
		bool last = n->next == FG_EXPR_NONE;

		if (!is_run(n)) {
			put_node(w, e, n);
			put(w, "%s", last ? "" : " || ");
			continue;
		}
		if (i != or->first) {
			put(w, "(");
			open++;
		}
		for (uint32_t c = n->first; c != FG_EXPR_NONE;
		     c = e->nodes[c].next) {
			bool final = e->nodes[c].next == FG_EXPR_NONE;

			if (final && !last) {
				put(w, "(");
				open++;
			}
			put_node(w, e, &e->nodes[c]);
			put(w, "%s", !final ? " && " : last ? "" : " || ");
		}
	}
	while (open-- > 0)
		put(w, ")");
}

void fg_precedence_notice(const struct fg_expression *e, uint32_t node,
			  const struct fg_expr_report *report)
{
	const struct fg_expr_node * or = &e->nodes[node];
	struct writer ours = {.len = 0}, theirs = {.len = 0};

	if (or->kind != FG_EXPR_OR || or->paren)
		return;
	for (uint32_t i = or->first; e->nodes[i].next != FG_EXPR_NONE;
	     i = e->nodes[i].next) {
		if (!is_run(&e->nodes[i]))
			continue;
		write_ours(&ours, e, or);
		write_theirs(&theirs, e, or);
		fg_expr_say(report, FG_LOG_NOTICE, or->begin,
			    "&& binds tighter than ||: this reads %s, where "
			    "Netify's engine reads %s; parentheses make it the "
			    "same for both",
			    ours.text, theirs.text);
		return;
	}
}
