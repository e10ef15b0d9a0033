/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expression.c - the text of an expression -> a tree. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "expression.h"
#include "precedence.h"
#include "token.h"

struct parser {
	struct fg_expression *e;
	const struct fg_expr_report *report;
	struct fg_token token;
	unsigned depth;
	int err;
};

void fg_expr_say(const struct fg_expr_report *report, enum fg_level level,
		 size_t offset, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report->say(report->ctx, level, offset, text);
}

/* Only the first error is said: the others would follow from it. */
#define FAIL(p, offset, ...)                                                   \
	do {                                                                   \
		if ((p)->err)                                                  \
			break;                                                 \
		(p)->err = -EINVAL;                                            \
		fg_expr_say((p)->report, FG_LOG_ERROR, (offset), __VA_ARGS__); \
	} while (0)

/* A token that is none is said by who reads it, once. */
static void next(struct parser *p)
{
	fg_token_read(&p->token, p->e->text, p->e->len, p->token.end,
		      p->err ? NULL : p->report);
	if (p->token.kind == FG_TOKEN_BAD)
		p->err = -EINVAL;
}

/* What was found, for "expected ..., found %s". */
static struct fg_shown found(const struct parser *p)
{
	const struct fg_token *t = &p->token;
	struct fg_shown out = {"the end"}, word;

	if (t->kind == FG_TOKEN_END)
		return out;
	word = fg_show(fg_slice(p->e->text + t->begin, t->end - t->begin));
	snprintf(out.s, sizeof(out.s), "%.60s", word.s);
	return out;
}

/* ----------------------------------------------------------------- nodes */

static uint32_t node_new(struct parser *p, enum fg_expr_kind kind,
			 uint32_t begin)
{
	struct fg_expression *e = p->e;

	if (e->count == e->size) {
		uint32_t size = e->size ? e->size * 2 : 8;
		void *nodes = realloc(e->nodes, size * sizeof(*e->nodes));

		if (!nodes) {
			p->err = -ENOMEM;
			return FG_EXPR_NONE;
		}
		e->nodes = nodes;
		e->size = size;
	}
	e->nodes[e->count] = (struct fg_expr_node){
		.kind = kind,
		.begin = begin,
		.first = FG_EXPR_NONE,
		.last = FG_EXPR_NONE,
		.next = FG_EXPR_NONE,
		.prev = FG_EXPR_NONE,
	};
	return e->count++;
}

/* ---------------------------------------------------------------- values */

#define CAN(v) (1u << FG_VALUE_##v)

/* What each kind of attribute can be compared with. */
static const struct {
	unsigned can;
	const char *wants;
} kinds[] = {
	[FG_TERM_NUMBER] = {CAN(NUMBER), "a number"},
	[FG_TERM_BOOL] = {CAN(BOOL) | CAN(NUMBER), "true or false"},
	[FG_TERM_CONSTANT] = {CAN(CONSTANT), "one of its constants"},
	[FG_TERM_PORT] = {CAN(NUMBER), "a port number"},
	[FG_TERM_ADDRESS] =
		{CAN(PREFIX) | CAN(GROUP),
		 "an address, a prefix such as 192.0.2.0/24, or @group"},
	[FG_TERM_MAC] = {CAN(MAC) | CAN(GROUP),
			 "a MAC address such as 02:00:00:00:00:01, or @group"},
	[FG_TERM_TEXT] = {CAN(TEXT) | CAN(REGEX), "'text' or 'rx:REGEX'"},
	[FG_TERM_NAME] = {CAN(TEXT) | CAN(REGEX), "'text' or 'rx:REGEX'"},
	[FG_TERM_TEXTS] = {CAN(TEXT) | CAN(REGEX), "'text' or 'rx:REGEX'"},
	[FG_TERM_NUMBERS] = {CAN(NUMBER), "a number"},
	[FG_TERM_APPLICATION] = {CAN(NUMBER) | CAN(TEXT) | CAN(REGEX) |
					 CAN(GROUP),
				 "a 'tag', an id, 'rx:REGEX' or @group"},
	[FG_TERM_PROTOCOL] = {CAN(NUMBER) | CAN(TEXT) | CAN(REGEX),
			      "a 'tag', an id or 'rx:REGEX'"},
	[FG_TERM_CATEGORY] = {CAN(NUMBER) | CAN(TEXT) | CAN(REGEX),
			      "a 'tag', an id or 'rx:REGEX'"},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == FG_TERM_KIND_COUNT,
	       "every kind of attribute needs a row");

static bool can(const struct fg_expr_node *n, enum fg_expr_value value)
{
	return kinds[fg_terms[n->term].kind].can >> value & 1;
}

static bool has_id(enum fg_term_kind kind)
{
	return kind == FG_TERM_APPLICATION || kind == FG_TERM_PROTOCOL ||
	       kind == FG_TERM_CATEGORY;
}

static void set_text(struct parser *p, struct fg_expr_node *n,
		     enum fg_expr_value value, struct fg_slice text)
{
	n->value = value;
	n->text.begin = (uint32_t)(text.ptr - p->e->text);
	n->text.len = text.len;
	if (text.len == 0 && value != FG_VALUE_TEXT)
		FAIL(p, n->value_begin, "%s is empty",
		     value == FG_VALUE_GROUP ? "the name of the group"
					     : "the regular expression");
	else if (text.len == 0 && has_id(fg_terms[n->term].kind))
		FAIL(p, n->value_begin, "the tag is empty");
}

static bool all_digits(struct fg_slice s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	}
	return s.len > 0;
}

/* True: word was a number, an address, ... and is the value of n. */
static bool literal(struct parser *p, struct fg_expr_node *n,
		    struct fg_slice word)
{
	if (word.len == 0)
		return false;
	if (word.ptr[0] == '@') {
		set_text(p, n, FG_VALUE_GROUP,
			 fg_slice(word.ptr + 1, word.len - 1));
		return true;
	}
	if (fg_slice_is(word, "true") || fg_slice_is(word, "false")) {
		n->value = FG_VALUE_BOOL;
		n->number = word.ptr[0] == 't';
		return true;
	}
	if (fg_text_uint_any(word.ptr, word.len, &n->number)) {
		n->value = FG_VALUE_NUMBER;
		/* capped there */
		if (n->number == UINT64_MAX)
			FAIL(p, n->value_begin, "%s is too large a number",
			     fg_show(word).s);
		return true;
	}
	if (fg_mac_parse(word.ptr, word.len, n->mac)) {
		n->value = FG_VALUE_MAC;
		return true;
	}
	n->prefix.version = (uint8_t)fg_prefix_parse(
		word.ptr, word.len, n->prefix.addr, &n->prefix.prefix);
	n->value = FG_VALUE_PREFIX;
	return n->prefix.version != 0;
}

static void bad_word(struct parser *p, const struct fg_expr_node *n,
		     struct fg_slice word)
{
	const struct fg_term *term = &fg_terms[n->term];
	const char *near;
	uint8_t constant;

	if (term->kind == FG_TERM_CONSTANT) {
		char list[256] = "";
		size_t len = 0;

		fg_term_constant(word, n->term, &constant, &near);
		for (size_t i = 0; fg_term_constants[i].name; i++) {
			if (fg_term_constants[i].id != n->term)
				continue;
			len += (size_t)snprintf(list + len, sizeof(list) - len,
						"%s%s", len ? ", " : "",
						fg_term_constants[i].name);
		}
		if (near)
			FAIL(p, n->value_begin,
			     "%s has no value \"%s\": did you mean %s?",
			     term->name, fg_show(word).s, near);
		else
			FAIL(p, n->value_begin,
			     "%s has no value \"%s\": expected one of %s",
			     term->name, fg_show(word).s, list);
	} else if (can(n, FG_VALUE_TEXT)) {
		FAIL(p, n->value_begin, "text wants quotes: '%s'",
		     fg_show(word).s);
	} else {
		FAIL(p, n->value_begin, "%s is compared with %s, not with %s",
		     term->name, kinds[term->kind].wants, fg_show(word).s);
	}
}

static void value_text(struct parser *p, struct fg_expr_node *n,
		       struct fg_slice text)
{
	enum fg_term_kind kind = fg_terms[n->term].kind;

	if (text.len >= 3 && memcmp(text.ptr, "rx:", 3) == 0) {
		set_text(p, n, FG_VALUE_REGEX,
			 fg_slice(text.ptr + 3, text.len - 3));
	} else if (!can(n, FG_VALUE_TEXT)) {
		/* a quoted number or address can only mean one thing */
		if (fg_terms[n->term].kind == FG_TERM_CONSTANT ||
		    !literal(p, n, text))
			set_text(p, n, FG_VALUE_TEXT, text);
	} else if (has_id(kind) && all_digits(text)) {
		literal(p, n, text);
	} else {
		set_text(p, n, FG_VALUE_TEXT, text);
	}
}

static void value_word(struct parser *p, struct fg_expr_node *n,
		       struct fg_slice word)
{
	uint8_t constant;
	const char *near;

	if (fg_terms[n->term].kind == FG_TERM_CONSTANT &&
	    fg_term_constant(word, n->term, &constant, &near)) {
		n->value = FG_VALUE_CONSTANT;
		n->number = constant;
		return;
	}
	if (fg_terms[n->term].kind == FG_TERM_CONSTANT || !literal(p, n, word))
		bad_word(p, n, word);
}

/* Does the value fit the attribute and the operator? */
static void check_value(struct parser *p, const struct fg_expr_node *n,
			struct fg_slice written)
{
	const struct fg_term *term = &fg_terms[n->term];
	uint64_t max = term->kind == FG_TERM_NUMBERS ? UINT32_MAX : term->max;

	if (p->err)
		return;
	if (!can(n, n->value)) {
		FAIL(p, n->value_begin, "%s is compared with %s, not with %s",
		     term->name, kinds[term->kind].wants, fg_show(written).s);
	} else if (n->op > FG_OP_NE && n->value != FG_VALUE_NUMBER) {
		FAIL(p, n->value_begin,
		     "only numbers have an order: use == or != with %s",
		     fg_show(written).s);
	} else if (n->op > FG_OP_NE && term->kind == FG_TERM_BOOL) {
		FAIL(p, n->value_begin,
		     "%s is true or false: use == or !=", term->name);
	} else if (n->value == FG_VALUE_NUMBER && n->number > max) {
		FAIL(p, n->value_begin, "%s is at most %llu", term->name,
		     (unsigned long long)max);
	}
}

/* --------------------------------------------------------------- grammar */

static void parse_or(struct parser *p, uint32_t *out);

static void parse_test(struct parser *p, uint32_t *out)
{
	struct fg_slice word = p->token.value;
	enum fg_term_id term;
	struct fg_expr_node *n;
	const char *near;

	if (!fg_term_find(word, &term, &near)) {
		for (size_t i = 0; fg_term_constants[i].name; i++) {
			if (fg_slice_is(word, fg_term_constants[i].name)) {
				FAIL(p, p->token.begin,
				     "%s is a value: write %s == %s",
				     fg_term_constants[i].name,
				     fg_terms[fg_term_constants[i].id].name,
				     fg_term_constants[i].name);
				return;
			}
		}
		if (near)
			FAIL(p, p->token.begin,
			     "no attribute \"%s\": did you mean %s?",
			     fg_show(word).s, near);
		else
			FAIL(p, p->token.begin,
			     "no attribute \"%s\": flowgate-expressions(7) "
			     "lists them",
			     fg_show(word).s);
		return;
	}
	*out = node_new(p, FG_EXPR_TEST, p->token.begin);
	if (p->err)
		return;
	n = &p->e->nodes[*out];
	n->term = term;
	n->end = p->token.end;
	next(p);
	if (p->token.kind != FG_TOKEN_OP)
		return;
	n->op = p->token.op;
	next(p);
	n->value_begin = p->token.begin;
	n->end = p->token.end;
	if (p->token.kind == FG_TOKEN_TEXT)
		value_text(p, n, p->token.value);
	else if (p->token.kind == FG_TOKEN_WORD)
		value_word(p, n, p->token.value);
	else
		FAIL(p, p->token.begin, "expected %s, found %s",
		     kinds[fg_terms[term].kind].wants, found(p).s);
	check_value(p, n, p->token.value);
	next(p);
}

static void parse_compact(struct parser *p, uint32_t *out)
{
	static const struct {
		const char *prefix;
		enum fg_term_id term;
	} compact[] = {
		{"ai", FG_TERM_ID_APPLICATION},
		{"ac", FG_TERM_ID_APPLICATION_CATEGORY},
		{"pi", FG_TERM_ID_PROTOCOL},
		{"pc", FG_TERM_ID_PROTOCOL_CATEGORY},
	};
	struct fg_slice word = p->token.value, value;
	const char *colon = memchr(word.ptr, ':', word.len);
	size_t len = (size_t)(colon - word.ptr), i = 0;
	struct fg_expr_node *n;

	while (i < 4 &&
	       !fg_slice_is(fg_slice(word.ptr, len), compact[i].prefix))
		i++;
	if (i == 4) {
		FAIL(p, p->token.begin,
		     "expected an attribute, or ai:, ac:, pi: or pc:, found %s",
		     fg_show(word).s);
		return;
	}
	*out = node_new(p, FG_EXPR_TEST, p->token.begin);
	if (p->err)
		return;
	n = &p->e->nodes[*out];
	n->term = compact[i].term;
	n->op = FG_OP_EQ;
	n->value_begin = p->token.begin + (uint32_t)len + 1;
	n->end = p->token.end;
	value = fg_slice(colon + 1, word.len - len - 1);
	if (value.len == 0 && p->token.end < p->e->len &&
	    strchr("'\"", p->e->text[p->token.end]) &&
	    p->e->text[p->token.end] != '\0') {
		next(p); /* ai:'a tag with spaces' */
		value = p->token.value;
		n->end = p->token.end;
	}
	if (value.len > 0 && (value.ptr[0] == '@' || all_digits(value)))
		literal(p, n, value);
	else
		set_text(p, n, FG_VALUE_TEXT, value);
	check_value(p, n, value);
	next(p);
}

static void parse_primary(struct parser *p, uint32_t *out)
{
	uint32_t open = p->token.begin;

	switch (p->token.kind) {
	case FG_TOKEN_OPEN:
		if (p->depth == FG_EXPRESSION_DEPTH_MAX) {
			FAIL(p, open,
			     "parentheses are nested more than %d deep here",
			     FG_EXPRESSION_DEPTH_MAX);
			return;
		}
		p->depth++;
		next(p);
		parse_or(p, out);
		p->depth--;
		if (p->err)
			return;
		if (p->token.kind != FG_TOKEN_CLOSE) {
			FAIL(p, p->token.begin,
			     "expected && or || or ) for the ( at character "
			     "%u, found %s",
			     open + 1, found(p).s);
			return;
		}
		p->e->nodes[*out].begin = open;
		p->e->nodes[*out].end = p->token.end;
		p->e->nodes[*out].paren = true;
		next(p);
		return;
	case FG_TOKEN_WORD:
		if (memchr(p->token.value.ptr, ':', p->token.value.len))
			parse_compact(p, out);
		else
			parse_test(p, out);
		return;
	case FG_TOKEN_STAR:
		FAIL(p, open, "* means everything, and stands alone");
		return;
	default:
		FAIL(p, open,
		     "expected an attribute such as application, found %s",
		     found(p).s);
		return;
	}
}

static void parse_not(struct parser *p, uint32_t *out)
{
	uint32_t begin = p->token.begin, child;
	bool negate = false;

	for (; p->token.kind == FG_TOKEN_NOT; next(p))
		negate = !negate;
	parse_primary(p, &child);
	if (p->err)
		return;
	*out = child;
	if (negate) {
		*out = node_new(p, FG_EXPR_NOT, begin);
		if (p->err)
			return;
		p->e->nodes[*out].first = child;
		p->e->nodes[*out].last = child;
		p->e->nodes[*out].end = p->e->nodes[child].end;
	} else {
		p->e->nodes[child].begin = begin;
	}
}

/* One level: operand { separator operand }; one operand is itself. */
static void parse_level(struct parser *p, enum fg_expr_kind kind, uint32_t *out)
{
	enum fg_token_kind separator =
		kind == FG_EXPR_OR ? FG_TOKEN_OR : FG_TOKEN_AND;
	uint32_t first = 0, last = 0, child = 0;

	for (bool more = false;; more = true) {
		if (kind == FG_EXPR_OR)
			parse_level(p, FG_EXPR_AND, &child);
		else
			parse_not(p, &child);
		if (p->err)
			return;
		if (more) {
			p->e->nodes[last].next = child;
			p->e->nodes[child].prev = last;
		} else {
			first = child;
		}
		last = child;
		if (p->token.kind != separator)
			break;
		next(p);
	}
	*out = first;
	if (first == last)
		return;
	*out = node_new(p, kind, p->e->nodes[first].begin);
	if (p->err)
		return;
	p->e->nodes[*out].first = first;
	p->e->nodes[*out].last = last;
	p->e->nodes[*out].end = p->e->nodes[last].end;
}

/* ------------------------------------------------------------------- whole */

static void parse_or(struct parser *p, uint32_t *out)
{
	parse_level(p, FG_EXPR_OR, out);
	if (!p->err)
		fg_precedence_notice(p->e, *out, p->report);
}

static void parse_expression(struct parser *p)
{
	struct fg_expression *e = p->e;

	next(p);
	if (p->token.kind == FG_TOKEN_END) {
		FAIL(p, 0, "an empty expression: use \"*\" for everything");
		return;
	}
	if (p->token.kind == FG_TOKEN_STAR) {
		e->root = node_new(p, FG_EXPR_ALL, p->token.begin);
		if (p->err)
			return;
		e->nodes[e->root].end = p->token.end;
		next(p);
	} else {
		parse_or(p, &e->root);
	}
	if (p->err)
		return;
	if (p->token.kind == FG_TOKEN_SEMICOLON) {
		do
			next(p);
		while (p->token.kind == FG_TOKEN_SEMICOLON);
		if (p->token.kind != FG_TOKEN_END)
			FAIL(p, p->token.begin,
			     "a second statement: use || or an array of "
			     "criteria");
	} else if (p->token.kind == FG_TOKEN_STAR ||
		   e->nodes[e->root].kind == FG_EXPR_ALL) {
		if (p->token.kind != FG_TOKEN_END)
			FAIL(p, p->token.begin,
			     "* means everything, and stands alone");
	} else if (p->token.kind != FG_TOKEN_END) {
		FAIL(p, p->token.begin,
		     "expected && or || or the end, found %s", found(p).s);
	}
}

int fg_expression_parse(struct fg_expression *e, const char *text, size_t len,
			const struct fg_expr_report *report)
{
	struct parser p = {.e = e, .report = report};

	*e = (struct fg_expression){.text = text, .len = (uint32_t)len};
	if (len > FG_EXPRESSION_MAX)
		FAIL(&p, FG_EXPRESSION_MAX,
		     "the expression is %zu characters long, at most %d are "
		     "read: use an array of criteria, or groups",
		     len, FG_EXPRESSION_MAX);
	else
		parse_expression(&p);
	return p.err;
}

void fg_expression_free(struct fg_expression *e)
{
	free(e->nodes);
	*e = (struct fg_expression){0};
}
