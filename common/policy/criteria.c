/* SPDX-License-Identifier: GPL-2.0-or-later */
/* criteria.c - expression text -> program; program x flow -> bool. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "criteria.h"
#include "program.h"

int fg_scope_new(struct fg_scope **out, const struct fg_catalog *catalog,
		 struct fg_groups *groups)
{
	struct fg_scope *s = calloc(1, sizeof(*s));

	if (!s)
		goto fail;
	s->refs = 1;
	s->catalog = catalog;
	s->groups = groups;
	if (fg_regex_engine_new(&s->regex))
		goto fail;
	*out = s;
	return 0;
fail:
	free(s);
	fg_groups_free(groups);
	return -ENOMEM;
}

void fg_scope_put(struct fg_scope *s)
{
	if (!s || --s->refs > 0)
		return;
	fg_groups_free(s->groups);
	fg_regex_engine_free(s->regex);
	free(s);
}

/* ---------------------------------------------------------------- compiling */

struct compiler {
	struct fg_criteria *c;
	const struct fg_expr_report *report;
	int err;
};

static struct fg_slice text_of(const struct fg_criteria *c,
			       const struct fg_expr_node *n)
{
	return fg_slice(c->text + n->text.begin, n->text.len);
}

static void unknown_category(struct compiler *k, const struct fg_expr_node *n)
{
	const struct fg_catalog *catalog = k->c->scope->catalog;
	struct fg_slice tag = text_of(k->c, n);
	uint16_t bits = fg_terms[n->term].arg;
	const char *near = NULL;

	if (bits & ~FG_CAT_BIT(PROTOCOL))
		near = fg_catalog_category_near(catalog,
						FG_CATEGORY_APPLICATION, tag);
	if (!near && bits & FG_CAT_BIT(PROTOCOL))
		near = fg_catalog_category_near(catalog, FG_CATEGORY_PROTOCOL,
						tag);
	if (near)
		fg_expr_say(k->report, FG_LOG_ERROR, n->value_begin,
			    "no category \"%.*s\": did you mean %s?",
			    (int)tag.len, tag.ptr, near);
	else
		fg_expr_say(k->report, FG_LOG_ERROR, n->value_begin,
			    "no category \"%.*s\": netify-categories.json has "
			    "the tags",
			    (int)tag.len, tag.ptr);
	k->err = -EINVAL;
}

/* Says so only where others are known: else the agent is yet to tell. */
static void unknown_name(struct compiler *k, const struct fg_expr_node *n,
			 enum fg_name kind)
{
	const struct fg_catalog *catalog = k->c->scope->catalog;
	struct fg_slice tag = text_of(k->c, n);
	const char *what =
		kind == FG_NAME_APPLICATION ? "application" : "protocol";
	const char *near[3];
	size_t found = fg_catalog_near(catalog, kind, tag, near, 3);
	char list[256] = "";
	size_t len = 0;

	if (fg_catalog_count(catalog, kind) == 0)
		return;
	for (size_t i = 0; i < found && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					i ? " or " : "", near[i]);
	if (found)
		fg_expr_say(k->report, FG_LOG_WARNING, n->value_begin,
			    "%s \"%.*s\" is not known: did you mean %s? It "
			    "will match once the agent names it",
			    what, (int)tag.len, tag.ptr, list);
	else
		fg_expr_say(k->report, FG_LOG_WARNING, n->value_begin,
			    "%s \"%.*s\" is not known; it will match once the "
			    "agent names it",
			    what, (int)tag.len, tag.ptr);
}

static bool resolve(const struct fg_criteria *c, struct fg_symbol *s)
{
	const struct fg_catalog *catalog = c->scope->catalog;
	struct fg_slice tag = fg_slice(s->tag, strlen(s->tag));
	struct fg_symbol was = *s;
	uint16_t category;
	uint16_t bits = fg_terms[s->term].arg;

	switch (fg_terms[s->term].kind) {
	case FG_TERM_APPLICATION:
		s->known = fg_catalog_id(catalog, FG_NAME_APPLICATION, tag,
					 &s->id);
		break;
	case FG_TERM_PROTOCOL:
		s->known =
			fg_catalog_id(catalog, FG_NAME_PROTOCOL, tag, &s->id);
		break;
	default:
		s->known = s->protocol_known = false;
		if (bits & ~FG_CAT_BIT(PROTOCOL) &&
		    fg_catalog_category_id(catalog, FG_CATEGORY_APPLICATION,
					   tag, &category)) {
			s->known = true;
			s->id = category;
		}
		if (bits & FG_CAT_BIT(PROTOCOL) &&
		    fg_catalog_category_id(catalog, FG_CATEGORY_PROTOCOL, tag,
					   &category)) {
			s->protocol_known = true;
			s->protocol_id = category;
		}
	}
	return s->known != was.known || (s->known && s->id != was.id) ||
	       s->protocol_known != was.protocol_known ||
	       (s->protocol_known && s->protocol_id != was.protocol_id);
}

static void compile_tag(struct compiler *k, const struct fg_expr_node *n,
			struct fg_insn *i)
{
	struct fg_criteria *c = k->c;
	struct fg_slice tag = text_of(c, n);
	struct fg_symbol *s = &c->symbols[c->symbol_count];

	i->symbol = c->symbol_count;
	s->term = n->term;
	s->begin = n->value_begin;
	s->tag = strndup(tag.ptr, tag.len);
	if (!s->tag) {
		k->err = -ENOMEM;
		return;
	}
	c->symbol_count++;
	resolve(c, s);
	if (s->known || s->protocol_known)
		return;
	if (fg_terms[n->term].kind == FG_TERM_CATEGORY)
		unknown_category(k, n);
	else
		unknown_name(k, n,
			     fg_terms[n->term].kind == FG_TERM_APPLICATION
				     ? FG_NAME_APPLICATION
				     : FG_NAME_PROTOCOL);
}

static void compile_regex(struct compiler *k, const struct fg_expr_node *n,
			  struct fg_insn *i)
{
	struct fg_criteria *c = k->c;
	struct fg_slice pattern = text_of(c, n);
	struct fg_regex **r = &c->regexes[c->regex_count];
	char err[128];
	size_t at = 0;

	k->err = fg_regex_new(r, pattern.ptr, pattern.len, err, sizeof(err),
			      &at);
	if (k->err == -EINVAL)
		fg_expr_say(k->report, FG_LOG_ERROR, n->text.begin + at,
			    "regular expression: %s", err);
	if (k->err)
		return;
	i->regex = *r;
	c->regex_count++;
}

static void compile_group(struct compiler *k, const struct fg_expr_node *n,
			  struct fg_insn *i)
{
	struct fg_groups *groups = k->c->scope->groups;
	struct fg_slice name = text_of(k->c, n);
	char err[256];
	bool found;

	if (fg_terms[n->term].kind == FG_TERM_APPLICATION) {
		i->apps =
			fg_groups_applications(groups, name, err, sizeof(err));
		found = i->apps != NULL;
	} else {
		i->set = fg_groups_addresses(groups, name, err, sizeof(err));
		found = i->set != NULL;
	}
	if (found)
		return;
	fg_expr_say(k->report, FG_LOG_ERROR, n->value_begin, "%s", err);
	k->err = -EINVAL;
}

static void compile_value(struct compiler *k, const struct fg_expr_node *n,
			  struct fg_insn *i)
{
	switch (n->value) {
	case FG_VALUE_NONE:
		break;
	case FG_VALUE_NUMBER:
	case FG_VALUE_BOOL:
	case FG_VALUE_CONSTANT:
		i->number = n->number;
		break;
	case FG_VALUE_TEXT:
		if (fg_terms[n->term].kind >= FG_TERM_APPLICATION)
			compile_tag(k, n, i);
		else
			i->text = text_of(k->c, n);
		break;
	case FG_VALUE_REGEX:
		compile_regex(k, n, i);
		break;
	case FG_VALUE_GROUP:
		compile_group(k, n, i);
		break;
	case FG_VALUE_PREFIX:
		memcpy(i->prefix.addr, n->prefix.addr, 16);
		i->prefix.version = n->prefix.version;
		i->prefix.len = n->prefix.prefix;
		break;
	case FG_VALUE_MAC:
		memcpy(i->mac, n->mac, 6);
		break;
	}
}

static uint32_t compile_test(struct compiler *k, struct fg_expr_node *n,
			     uint32_t yes, uint32_t no)
{
	struct fg_criteria *c = k->c;
	struct fg_insn *i = &c->program[c->program_count];

	*i = (struct fg_insn){
		.kind = (uint8_t)fg_terms[n->term].kind,
		.term = (uint8_t)n->term,
		.op = (uint8_t)n->op,
		.value = (uint8_t)n->value,
		.yes = yes,
		.no = no,
	};
	if (n->op == FG_OP_NE) { /* the negation of ==, whatever is absent */
		i->op = FG_OP_EQ;
		i->yes = no;
		i->no = yes;
	}
	compile_value(k, n, i);
	c->depends |= fg_terms[n->term].depends;
	n->code = c->program_count;
	return c->program_count++;
}

/*
 * From the last test to the first, so that where to go on is known: the program
 * runs from its end to its beginning. Recursion is as deep as parentheses are,
 * which the parser bounds.
 */
static uint32_t compile(struct compiler *k, uint32_t node, uint32_t yes,
			uint32_t no)
{
	struct fg_expr_node *nodes = k->c->tree.nodes, *n = &nodes[node];
	uint32_t entry;

	switch (n->kind) {
	case FG_EXPR_ALL:
		return yes;
	case FG_EXPR_TEST:
		return k->err ? no : compile_test(k, n, yes, no);
	case FG_EXPR_NOT:
		return compile(k, n->first, no, yes);
	case FG_EXPR_AND:
		entry = yes;
		for (uint32_t i = n->last; i != FG_EXPR_NONE; i = nodes[i].prev)
			entry = compile(k, i, entry, no);
		return entry;
	default:
		entry = no;
		for (uint32_t i = n->last; i != FG_EXPR_NONE; i = nodes[i].prev)
			entry = compile(k, i, yes, entry);
		return entry;
	}
}

/* Room for what the tree needs, exactly. */
static int make_room(struct fg_criteria *c)
{
	uint32_t tests = 0, tags = 0, patterns = 0;

	for (uint32_t i = 0; i < c->tree.count; i++) {
		const struct fg_expr_node *n = &c->tree.nodes[i];

		if (n->kind != FG_EXPR_TEST)
			continue;
		tests++;
		patterns += n->value == FG_VALUE_REGEX;
		tags += n->value == FG_VALUE_TEXT &&
			fg_terms[n->term].kind >= FG_TERM_APPLICATION;
	}
	c->program = calloc(tests + 1, sizeof(*c->program));
	c->symbols = calloc(tags + 1, sizeof(*c->symbols));
	c->regexes = calloc(patterns + 1, sizeof(*c->regexes));
	return c->program && c->symbols && c->regexes ? 0 : -ENOMEM;
}

int fg_criteria_new(struct fg_criteria **out, struct fg_scope *scope,
		    const char *text, size_t len,
		    const struct fg_expr_report *report)
{
	struct fg_criteria *c = calloc(1, sizeof(*c));
	struct compiler k = {c, report, 0};
	int err = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->scope = scope;
	scope->refs++;
	c->text = malloc(len + 1);
	if (!c->text)
		goto fail;
	memcpy(c->text, text, len);
	c->text[len] = '\0';
	err = fg_expression_parse(&c->tree, c->text, len, report);
	if (err)
		goto fail;
	err = make_room(c);
	if (err)
		goto fail;
	c->entry = compile(&k, c->tree.root, FG_PROGRAM_TRUE, FG_PROGRAM_FALSE);
	err = k.err;
	if (err)
		goto fail;
	c->generation = fg_catalog_generation(scope->catalog);
	*out = c;
	return 0;
fail:
	fg_criteria_free(c);
	return err;
}

static void say_at_node(void *ctx, enum fg_level level, size_t offset,
			const char *text)
{
	fg_node_say_at(ctx, level, offset, "%s", text);
}

int fg_criteria_read(struct fg_criteria **out, struct fg_scope *scope,
		     const struct fg_node *node)
{
	const struct fg_expr_report report = {say_at_node, (void *)node};
	const char *text = fg_node_as_text(node);

	if (!text) {
		fg_node_error(node, "expected an expression in quotes");
		return -EINVAL;
	}
	return fg_criteria_new(out, scope, text, strlen(text), &report);
}

void fg_criteria_free(struct fg_criteria *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->symbol_count; i++)
		free(c->symbols[i].tag);
	for (uint32_t i = 0; i < c->regex_count; i++)
		fg_regex_free(c->regexes[i]);
	free(c->symbols);
	free(c->regexes);
	free(c->program);
	fg_expression_free(&c->tree);
	free(c->text);
	fg_scope_put(c->scope);
	free(c);
}

bool fg_criteria_learn(struct fg_criteria *c)
{
	bool changed = false;

	c->generation = fg_catalog_generation(c->scope->catalog);
	for (uint32_t i = 0; i < c->symbol_count; i++)
		changed |= resolve(c, &c->symbols[i]);
	return changed;
}

uint32_t fg_criteria_depends(const struct fg_criteria *c)
{
	return c->depends;
}

uint64_t fg_criteria_limited(const struct fg_criteria *c)
{
	return c->limited;
}

const char *fg_criteria_text(const struct fg_criteria *c)
{
	return c->text;
}

const char *fg_criteria_unknown(const struct fg_criteria *c, size_t n,
				size_t *offset)
{
	/* compiled from the last to the first */
	for (uint32_t i = c->symbol_count; i-- > 0;) {
		const struct fg_symbol *s = &c->symbols[i];

		if (s->known || s->protocol_known || n-- > 0)
			continue;
		if (offset)
			*offset = s->begin;
		return s->tag;
	}
	return NULL;
}
