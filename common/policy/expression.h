/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expression.h - the text of an expression -> a tree, checked for grammar and
 * types; what names and groups mean is criteria's business.
 *
 * The grammar, with ! before && before ||:
 *
 *	expression := "*" | or [";"]
 *	or	   := and { ("||" | "or") and }
 *	and	   := not { ("&&" | "and") not }
 *	not	   := { "!" } ( "(" or ")" | test | compact )
 *	test	   := attribute [ op value ]
 *	op	   := == | != | > | >= | < | <=
 *	value	   := number | 0xHEX | 'text' | "text" | 'rx:REGEX' | MAC |
 *		      address[/n] | @group | constant | true | false
 *	compact	   := ("ai:" | "ac:" | "pi:" | "pc:") (tag | id | @group)
 */
#ifndef FG_POLICY_EXPRESSION_H
#define FG_POLICY_EXPRESSION_H

#include "term.h"

#define FG_EXPRESSION_MAX	65536 /* bytes; longer ones belong in groups */
#define FG_EXPRESSION_DEPTH_MAX 64    /* parentheses: bounds all recursion */

enum fg_expr_kind {
	FG_EXPR_ALL, /* "*" */
	FG_EXPR_TEST,
	FG_EXPR_NOT, /* one child */
	FG_EXPR_AND, /* two or more */
	FG_EXPR_OR,
};

enum fg_expr_op {
	FG_OP_IS, /* the attribute alone: known, and not zero or empty */
	FG_OP_EQ,
	FG_OP_NE,
	FG_OP_GT,
	FG_OP_GE,
	FG_OP_LT,
	FG_OP_LE,
};

enum fg_expr_value {
	FG_VALUE_NONE,	 /* with FG_OP_IS */
	FG_VALUE_NUMBER, /* .number; true, false and constants are numbers, too
			  */
	FG_VALUE_BOOL,
	FG_VALUE_CONSTANT,
	FG_VALUE_TEXT,	/* .text */
	FG_VALUE_REGEX, /* .text, without "rx:" */
	FG_VALUE_GROUP, /* .text, without "@" */
	FG_VALUE_PREFIX,
	FG_VALUE_MAC,
};

#define FG_EXPR_NONE UINT32_MAX

struct fg_expr_node {
	enum fg_expr_kind kind;
	uint32_t begin, end; /* in the text, parentheses included */
	/* children, both ways, and siblings, or FG_EXPR_NONE */
	uint32_t first, last, next, prev;
	bool paren;
	/* FG_EXPR_TEST */
	enum fg_term_id term;
	enum fg_expr_op op;
	enum fg_expr_value value;
	uint32_t value_begin; /* where it is written */
	uint32_t code;	      /* for whoever compiles it */
	union {
		uint64_t number;
		struct {
			uint32_t begin, len;
		} text;
		struct {
			uint8_t addr[16];
			uint8_t version, prefix;
		} prefix;
		uint8_t mac[6];
	};
};

struct fg_expression {
	const char *text; /* the caller's */
	uint32_t len;
	uint32_t root;
	uint32_t count;
	uint32_t size;
	struct fg_expr_node *nodes;
};

/* Receives what is to be said about the text, offset bytes into it. */
struct fg_expr_report {
	void (*say)(void *ctx, enum fg_level level, size_t offset,
		    const char *text);
	void *ctx;
};

/*
 * 0; -EINVAL (said: one error, at the character); -ENOMEM. Notices are said,
 * too. text must stay while the expression does. Free it in any case.
 */
int fg_expression_parse(struct fg_expression *e, const char *text, size_t len,
			const struct fg_expr_report *report);
void fg_expression_free(struct fg_expression *e);

/* Formats and says; for whoever goes on checking the tree. */
void fg_expr_say(const struct fg_expr_report *report, enum fg_level level,
		 size_t offset, const char *fmt, ...) FG_PRINTF(4, 5);

#endif
