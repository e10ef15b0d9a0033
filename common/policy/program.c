/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.c - runs the program of an expression over a flow, and explains. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

struct run {
	const struct fg_criteria *c;
	const struct fg_view *v;
};

static bool compare(enum fg_expr_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case FG_OP_IS:
		return a != 0;
	case FG_OP_EQ:
		return a == b;
	case FG_OP_NE:
		return a != b;
	case FG_OP_GT:
		return a > b;
	case FG_OP_GE:
		return a >= b;
	case FG_OP_LT:
		return a < b;
	case FG_OP_LE:
		return a <= b;
	}
	return false;
}

static bool regex(const struct run *r, const struct fg_insn *i,
		  struct fg_slice text)
{
	/* a counter, no part of what the criteria mean */
	uint64_t *limited = (uint64_t *)&r->c->limited;

	return fg_regex_match(r->c->scope->regex, i->regex, text, limited);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool same_text(struct fg_slice a, struct fg_slice b, bool nocase)
{
	if (a.len != b.len)
		return false;
	if (!nocase)
		return a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0;
	for (uint32_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

static bool test_number(const struct run *r, const struct fg_insn *i)
{
	uint64_t n;

	return fg_term_number(r->v, i->term, &n) &&
	       compare(i->op, n, i->number);
}

static bool test_port(const struct run *r, const struct fg_insn *i)
{
	uint16_t ports[2];
	unsigned n = fg_term_ports(r->v->flow, fg_terms[i->term].arg, ports);

	while (n-- > 0) {
		if (compare(i->op, ports[n], i->number))
			return true;
	}
	return false;
}

static bool test_address(const struct run *r, const struct fg_insn *i)
{
	static const uint8_t zero[16];
	const uint8_t *addrs[2];
	int version = r->v->flow->ip_version;
	unsigned n =
		fg_term_addresses(r->v->flow, fg_terms[i->term].arg, addrs);

	while (n-- > 0) {
		bool is;

		if (i->value == FG_VALUE_GROUP)
			is = fg_addrset_has(i->set, version, addrs[n]);
		else if (i->value == FG_VALUE_PREFIX)
			is = version == i->prefix.version &&
			     fg_prefix_match(addrs[n], i->prefix.addr,
					     i->prefix.len);
		else
			is = memcmp(addrs[n], zero, 16) != 0;
		if (is)
			return true;
	}
	return false;
}

static bool test_mac(const struct run *r, const struct fg_insn *i)
{
	static const uint8_t zero[6];
	const uint8_t *macs[2];
	unsigned n = fg_term_macs(r->v->flow, fg_terms[i->term].arg, macs);

	while (n-- > 0) {
		bool is;

		if (i->value == FG_VALUE_GROUP)
			is = fg_addrset_has_mac(i->set, macs[n]);
		else if (i->value == FG_VALUE_MAC)
			is = memcmp(macs[n], i->mac, 6) == 0;
		else
			is = memcmp(macs[n], zero, 6) != 0;
		if (is)
			return true;
	}
	return false;
}

static bool test_piece(const struct run *r, const struct fg_insn *i,
		       struct fg_slice text)
{
	if (i->value == FG_VALUE_REGEX)
		return regex(r, i, text);
	if (i->value == FG_VALUE_TEXT)
		return same_text(text, i->text, i->kind == FG_TERM_NAME);
	return text.len > 0;
}

static bool test_text(const struct run *r, const struct fg_insn *i)
{
	struct fg_slice text;

	return fg_term_text(r->v, i->term, &text) && test_piece(r, i, text);
}

static bool test_texts(const struct run *r, const struct fg_insn *i)
{
	struct fg_slice list, item;
	char decoded[512]; /* ALPN names and tags have at most 255 */

	if (!fg_term_text(r->v, i->term, &list))
		return false;
	while (fg_list_next(&list, &item)) {
		if (item.flags & FG_SLICE_ESCAPED) {
			size_t n =
				fg_text_decode(item, decoded, sizeof(decoded));

			if (n > sizeof(decoded))
				continue;
			item = fg_slice(decoded, n);
		}
		if (test_piece(r, i, item))
			return true;
	}
	return false;
}

static bool test_numbers(const struct run *r, const struct fg_insn *i)
{
	struct fg_slice list, item;
	uint64_t n;

	if (!fg_term_text(r->v, i->term, &list))
		return false;
	while (fg_list_next(&list, &item)) {
		if (i->op == FG_OP_IS)
			return true;
		if (fg_text_uint(item.ptr, item.len, &n) &&
		    compare(i->op, n, i->number))
			return true;
	}
	return false;
}

static bool test_name(const struct run *r, const struct fg_insn *i,
		      const char *name)
{
	return name && regex(r, i, fg_slice(name, strlen(name)));
}

static bool test_id(const struct run *r, const struct fg_insn *i)
{
	enum fg_name kind = i->kind == FG_TERM_APPLICATION ? FG_NAME_APPLICATION
							   : FG_NAME_PROTOCOL;
	const struct fg_symbol *s;
	uint64_t id;

	if (!fg_term_number(r->v, i->term, &id))
		return false;
	switch (i->value) {
	case FG_VALUE_TEXT:
		s = &r->c->symbols[i->symbol];
		return s->known && s->id == id;
	case FG_VALUE_GROUP:
		return fg_appset_has(i->apps, (uint32_t)id);
	case FG_VALUE_REGEX:
		return test_name(
			r, i,
			fg_catalog_name(r->v->catalog, kind, (uint32_t)id));
	default:
		return compare(i->op, id, i->number);
	}
}

static bool test_one_category(const struct run *r, const struct fg_insn *i,
			      enum fg_flow_category cat, uint16_t id)
{
	bool protocol = cat == FG_CAT_PROTOCOL;
	const struct fg_symbol *s;

	switch (i->value) {
	case FG_VALUE_TEXT:
		s = &r->c->symbols[i->symbol];
		return protocol ? s->protocol_known && s->protocol_id == id
				: s->known && s->id == id;
	case FG_VALUE_REGEX:
		return test_name(r, i,
				 fg_catalog_category_name(
					 r->v->catalog,
					 protocol ? FG_CATEGORY_PROTOCOL
						  : FG_CATEGORY_APPLICATION,
					 id));
	default:
		return compare(i->op, id, i->number);
	}
}

static bool test_category(const struct run *r, const struct fg_insn *i)
{
	for (unsigned cat = 0; cat < FG_CAT_COUNT; cat++) {
		uint16_t id;

		if (!(fg_terms[i->term].arg >> cat & 1))
			continue;
		id = fg_term_category(r->v, cat);
		if (id != 0 && test_one_category(r, i, cat, id))
			return true;
	}
	return false;
}

static bool (*const tests[])(const struct run *r, const struct fg_insn *i) = {
	[FG_TERM_NUMBER] = test_number,	    [FG_TERM_BOOL] = test_number,
	[FG_TERM_CONSTANT] = test_number,   [FG_TERM_PORT] = test_port,
	[FG_TERM_ADDRESS] = test_address,   [FG_TERM_MAC] = test_mac,
	[FG_TERM_TEXT] = test_text,	    [FG_TERM_NAME] = test_text,
	[FG_TERM_TEXTS] = test_texts,	    [FG_TERM_NUMBERS] = test_numbers,
	[FG_TERM_APPLICATION] = test_id,    [FG_TERM_PROTOCOL] = test_id,
	[FG_TERM_CATEGORY] = test_category,
};
_Static_assert(sizeof(tests) / sizeof(tests[0]) == FG_TERM_KIND_COUNT,
	       "every kind of attribute needs a test");

bool fg_criteria_run(const struct fg_criteria *c, const struct fg_view *v)
{
	const struct run r = {c, v};
	uint32_t at = c->entry;

	while (at < c->program_count) {
		const struct fg_insn *i = &c->program[at];

		at = tests[i->kind](&r, i) ? i->yes : i->no;
	}
	return at == FG_PROGRAM_TRUE;
}

bool fg_criteria_match(const struct fg_criteria *c,
		       const struct fg_flow_table *table,
		       const struct fg_flow *flow)
{
	const struct fg_catalog *catalog = c->scope->catalog;
	struct fg_view v = {table, flow, catalog};

	/* alone, nobody tells it that there are new names */
	if (c->generation != fg_catalog_generation(catalog)) {
		fg_groups_learn(c->scope->groups);
		fg_criteria_learn((struct fg_criteria *)c);
	}
	return fg_criteria_run(c, &v);
}

/* ---------------------------------------------------------------- explain */

#define WHY_MAX 4 /* equally good reasons; more are counted */

struct why {
	const struct fg_criteria *c;
	const struct fg_view *v;
	char *out;
	size_t size, len;
	unsigned term; /* of the value shown last */
};

static void put(struct why *w, const char *fmt, ...) FG_PRINTF(2, 3);
static void put(struct why *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->out + w->len, w->size - w->len, fmt, ap);
	va_end(ap);
	w->len += n > 0 ? (size_t)n : 0;
	if (w->len >= w->size)
		w->len = w->size - 1;
}

static bool value_of(const struct why *w, uint32_t node)
{
	const struct run r = {w->c, w->v};
	const struct fg_expr_node *nodes = w->c->tree.nodes, *n = &nodes[node];
	const struct fg_insn *i;

	switch (n->kind) {
	case FG_EXPR_ALL:
		return true;
	case FG_EXPR_TEST:
		i = &w->c->program[n->code];
		return tests[i->kind](&r, i) != (n->op == FG_OP_NE);
	case FG_EXPR_NOT:
		return !value_of(w, n->first);
	default:
		for (uint32_t c = n->first; c != FG_EXPR_NONE;
		     c = nodes[c].next) {
			if (value_of(w, c) == (n->kind == FG_EXPR_OR))
				return n->kind == FG_EXPR_OR;
		}
		return n->kind == FG_EXPR_AND;
	}
}

/* One test, as written (with its !), and what the flow has. */
static void put_test(struct why *w, const struct fg_expr_node *written,
		     const struct fg_expr_node *test)
{
	char text[256];

	fg_text_printable(fg_slice(w->c->text + written->begin,
				   written->end - written->begin),
			  text, sizeof(text));
	put(w, "%s", text);
	if (w->term == test->term)
		return;
	w->term = test->term;
	fg_term_show(w->v, test->term, text, sizeof(text));
	put(w, " (%s is %s)", fg_terms[test->term].name, text);
}

static void put_why(struct why *w, uint32_t node, bool value)
{
	const struct fg_expr_node *nodes = w->c->tree.nodes, *n = &nodes[node];
	unsigned said = 0, more = 0;

	switch (n->kind) {
	case FG_EXPR_ALL:
		put(w, "*");
		return;
	case FG_EXPR_TEST:
		put_test(w, n, n);
		return;
	case FG_EXPR_NOT:
		if (nodes[n->first].kind == FG_EXPR_TEST) {
			put_test(w, n, &nodes[n->first]);
		} else {
			put(w, "!(");
			put_why(w, n->first, !value);
			put(w, ")");
		}
		return;
	default:
		break;
	}
	if (value == (n->kind == FG_EXPR_OR)) { /* one child decided */
		for (uint32_t c = n->first; c != FG_EXPR_NONE;
		     c = nodes[c].next) {
			if (value_of(w, c) != value)
				continue;
			put_why(w, c, value);
			return;
		}
	}
	for (uint32_t c = n->first; c != FG_EXPR_NONE; c = nodes[c].next) {
		if (said == WHY_MAX) {
			more++;
			continue;
		}
		put(w, "%s", said++ ? value ? " and " : " nor " : "");
		put_why(w, c, value);
	}
	if (more)
		put(w, " %s %u more", value ? "and" : "nor", more);
}

bool fg_criteria_explain(const struct fg_criteria *c, const struct fg_view *v,
			 char *out, size_t size)
{
	struct why w = {c, v, out, size, 0, FG_TERM_COUNT};
	bool value = value_of(&w, c->tree.root);

	if (size > 0) {
		out[0] = '\0';
		put_why(&w, c->tree.root, value);
	}
	return value;
}
