/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cover.c - by which ids of a flow an expression can be found. */
#include "program.h"

static bool is_id_test(const struct fg_expr_node *n)
{
	return n->kind == FG_EXPR_TEST && n->op == FG_OP_EQ &&
	       fg_terms[n->term].kind >= FG_TERM_APPLICATION &&
	       (n->value == FG_VALUE_NUMBER || n->value == FG_VALUE_TEXT ||
		n->value == FG_VALUE_GROUP);
}

/* How well a part narrows things down: fewer keys, and of rarer kinds. */
#define WEIGHT_NONE UINT64_MAX

static uint64_t weight_of_test(const struct fg_criteria *c,
			       const struct fg_expr_node *n)
{
	uint64_t keys = 1;

	if (!is_id_test(n))
		return WEIGHT_NONE;
	if (n->value == FG_VALUE_GROUP)
		keys = fg_appset_size(c->program[n->code].apps);
	else if (fg_terms[n->term].kind == FG_TERM_CATEGORY)
		keys = (uint64_t)__builtin_popcount(fg_terms[n->term].arg);
	/* an application before any number of protocols or categories */
	return fg_terms[n->term].kind == FG_TERM_APPLICATION ? keys
							     : keys + 1000000;
}

static uint32_t lightest(const struct fg_criteria *c,
			 const struct fg_expr_node *and, uint64_t *weight);

static uint64_t weight_of(const struct fg_criteria *c, uint32_t node)
{
	const struct fg_expr_node *nodes = c->tree.nodes, *n = &nodes[node];
	uint64_t sum = 0, w;

	switch (n->kind) {
	case FG_EXPR_TEST:
		return weight_of_test(c, n);
	case FG_EXPR_AND:
		lightest(c, n, &w);
		return w;
	case FG_EXPR_OR:
		for (uint32_t i = n->first; i != FG_EXPR_NONE;
		     i = nodes[i].next) {
			w = weight_of(c, i);
			if (w == WEIGHT_NONE)
				return WEIGHT_NONE;
			sum += w;
		}
		return sum;
	default:
		return WEIGHT_NONE;
	}
}

static uint32_t lightest(const struct fg_criteria *c,
			 const struct fg_expr_node *and, uint64_t *weight)
{
	uint32_t best = and->first;

	*weight = WEIGHT_NONE;
	for (uint32_t i = and->first; i != FG_EXPR_NONE;
	     i = c->tree.nodes[i].next) {
		uint64_t w = weight_of(c, i);

		if (w >= *weight)
			continue;
		*weight = w;
		best = i;
	}
	return best;
}

/* Nothing but || and tests of ids? */
static bool is_exact(const struct fg_criteria *c, uint32_t node)
{
	const struct fg_expr_node *nodes = c->tree.nodes, *n = &nodes[node];

	if (n->kind != FG_EXPR_OR)
		return is_id_test(n);
	for (uint32_t i = n->first; i != FG_EXPR_NONE; i = nodes[i].next) {
		if (!is_exact(c, i))
			return false;
	}
	return true;
}

enum fg_cover fg_criteria_cover(const struct fg_criteria *c)
{
	if (is_exact(c, c->tree.root))
		return FG_COVER_EXACT;
	return weight_of(c, c->tree.root) == WEIGHT_NONE ? FG_COVER_NONE
							 : FG_COVER_SOME;
}

struct keys {
	void (*key)(void *ctx, enum fg_key_kind kind, uint32_t id);
	void *ctx;
	size_t room; /* counted instead, when key is NULL */
};

static void emit_categories(const struct fg_criteria *c,
			    const struct fg_insn *i, const struct keys *k)
{
	for (unsigned cat = 0; cat < FG_CAT_COUNT; cat++) {
		enum fg_key_kind kind = FG_KEY_CATEGORY + cat;

		if (!(fg_terms[i->term].arg >> cat & 1))
			continue;
		if (i->value == FG_VALUE_NUMBER) {
			k->key(k->ctx, kind, (uint32_t)i->number);
		} else if (cat == FG_CAT_PROTOCOL) {
			if (c->symbols[i->symbol].protocol_known)
				k->key(k->ctx, kind,
				       c->symbols[i->symbol].protocol_id);
		} else if (c->symbols[i->symbol].known) {
			k->key(k->ctx, kind, c->symbols[i->symbol].id);
		}
	}
}

static void emit_test(const struct fg_criteria *c, const struct fg_insn *i,
		      struct keys *k)
{
	enum fg_key_kind kind = i->kind == FG_TERM_APPLICATION
					? FG_KEY_APPLICATION
					: FG_KEY_PROTOCOL;
	const uint32_t *ids;
	size_t n;

	if (!k->key) {
		k->room += i->value == FG_VALUE_GROUP ? fg_appset_size(i->apps)
			   : i->kind == FG_TERM_CATEGORY ? FG_CAT_COUNT
							 : 1;
	} else if (i->kind == FG_TERM_CATEGORY) {
		emit_categories(c, i, k);
	} else if (i->value == FG_VALUE_GROUP) {
		n = fg_appset_ids(i->apps, &ids);
		for (size_t j = 0; j < n; j++)
			k->key(k->ctx, kind, ids[j]);
	} else if (i->value == FG_VALUE_NUMBER) {
		k->key(k->ctx, kind, (uint32_t)i->number);
	} else if (c->symbols[i->symbol].known) {
		k->key(k->ctx, kind, c->symbols[i->symbol].id);
	}
}

static void emit(const struct fg_criteria *c, uint32_t node, struct keys *k)
{
	const struct fg_expr_node *nodes = c->tree.nodes, *n = &nodes[node];
	uint64_t weight;

	switch (n->kind) {
	case FG_EXPR_TEST:
		emit_test(c, &c->program[n->code], k);
		break;
	case FG_EXPR_AND:
		emit(c, lightest(c, n, &weight), k);
		break;
	case FG_EXPR_OR:
		for (uint32_t i = n->first; i != FG_EXPR_NONE;
		     i = nodes[i].next)
			emit(c, i, k);
		break;
	default:
		break;
	}
}

size_t fg_criteria_key_count(const struct fg_criteria *c)
{
	struct keys k = {NULL, NULL, 0};

	if (fg_criteria_cover(c) != FG_COVER_NONE)
		emit(c, c->tree.root, &k);
	return k.room;
}

void fg_criteria_keys(const struct fg_criteria *c,
		      void (*key)(void *ctx, enum fg_key_kind kind,
				  uint32_t id),
		      void *ctx)
{
	struct keys k = {key, ctx, 0};

	emit(c, c->tree.root, &k);
}
