/* SPDX-License-Identifier: GPL-2.0-or-later */
/* token.h - the words that expressions are made of. */
#ifndef FG_POLICY_TOKEN_H
#define FG_POLICY_TOKEN_H

#include "expression.h"

enum fg_token_kind {
	FG_TOKEN_END,
	FG_TOKEN_WORD,
	FG_TOKEN_TEXT,
	FG_TOKEN_OP,
	FG_TOKEN_NOT,
	FG_TOKEN_AND,
	FG_TOKEN_OR,
	FG_TOKEN_OPEN,
	FG_TOKEN_CLOSE,
	FG_TOKEN_SEMICOLON,
	FG_TOKEN_STAR,
	FG_TOKEN_BAD, /* said already */
};

struct fg_token {
	enum fg_token_kind kind;
	enum fg_expr_op op;
	uint32_t begin, end;   /* in the text */
	struct fg_slice value; /* of a word or text: without its quotes */
};

/*
 * Reads the token at or after pos. One that is none is said, unless report is
 * NULL, and has the kind FG_TOKEN_BAD.
 */
void fg_token_read(struct fg_token *t, const char *text, uint32_t len,
		   uint32_t pos, const struct fg_expr_report *report);

/* Text of an expression for a message: "%s" of fg_show(...).s */
struct fg_shown {
	char s[64];
};

struct fg_shown fg_show(struct fg_slice text);

#endif
