/* SPDX-License-Identifier: GPL-2.0-or-later */
/* token.c - the words that expressions are made of. */
#include "token.h"

#include <string.h>

#include "base/text.h"

struct fg_shown fg_show(struct fg_slice text)
{
	struct fg_shown out = {""};

	fg_text_printable(text, out.s, sizeof(out.s));
	return out;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("_.:/@+-", c));
}

/* Quoted text; t->begin is at its quote. */
static void read_text(struct fg_token *t, const char *text, uint32_t len,
		      const struct fg_expr_report *report)
{
	const char *end =
		memchr(text + t->begin + 1, text[t->begin], len - t->begin - 1);

	if (!end) {
		t->kind = FG_TOKEN_BAD;
		if (report)
			fg_expr_say(report, FG_LOG_ERROR, t->begin,
				    "text begins here, but its closing %c is "
				    "missing",
				    text[t->begin]);
		return;
	}
	t->kind = FG_TOKEN_TEXT;
	t->end = (uint32_t)(end - text) + 1;
	t->value = fg_slice(text + t->begin + 1, t->end - t->begin - 2);
}

static const struct {
	const char *text;
	enum fg_token_kind kind;
	enum fg_expr_op op;
} symbols[] = {
	/* the longer first */
	{"==", FG_TOKEN_OP, FG_OP_EQ}, {"!=", FG_TOKEN_OP, FG_OP_NE},
	{">=", FG_TOKEN_OP, FG_OP_GE}, {"<=", FG_TOKEN_OP, FG_OP_LE},
	{"&&", FG_TOKEN_AND, 0},       {"||", FG_TOKEN_OR, 0},
	{">", FG_TOKEN_OP, FG_OP_GT},  {"<", FG_TOKEN_OP, FG_OP_LT},
	{"!", FG_TOKEN_NOT, 0},	       {"(", FG_TOKEN_OPEN, 0},
	{")", FG_TOKEN_CLOSE, 0},      {";", FG_TOKEN_SEMICOLON, 0},
	{"*", FG_TOKEN_STAR, 0},
};

static void read_symbol(struct fg_token *t, const char *text, uint32_t len,
			const struct fg_expr_report *report)
{
	const char *at = text + t->begin;
	size_t left = len - t->begin;

	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		size_t n = strlen(symbols[i].text);

		if (n > left || memcmp(at, symbols[i].text, n) != 0)
			continue;
		t->kind = symbols[i].kind;
		t->op = symbols[i].op;
		t->end = t->begin + (uint32_t)n;
		return;
	}
	t->kind = FG_TOKEN_BAD;
	if (!report)
		return;
	if (strchr("=&|", *at) && *at != '\0')
		fg_expr_say(report, FG_LOG_ERROR, t->begin,
			    "a single %c: write %c%c", *at, *at, *at);
	else
		fg_expr_say(report, FG_LOG_ERROR, t->begin,
			    "\"%s\" has no place in an expression",
			    fg_show(fg_slice(at, left < 4 ? left : 4)).s);
}

void fg_token_read(struct fg_token *t, const char *text, uint32_t len,
		   uint32_t pos, const struct fg_expr_report *report)
{
	uint32_t end;

	while (pos < len && strchr(" \t\r\n", text[pos]) && text[pos] != '\0')
		pos++;
	*t = (struct fg_token){.begin = pos, .end = pos};
	if (pos == len) {
		t->kind = FG_TOKEN_END;
		return;
	}
	for (end = pos; end < len && is_word(text[end]); end++)
		;
	if (end > pos) {
		t->kind = FG_TOKEN_WORD;
		t->end = end;
		t->value = fg_slice(text + pos, end - pos);
		if (fg_slice_is_nocase(t->value, "and"))
			t->kind = FG_TOKEN_AND;
		else if (fg_slice_is_nocase(t->value, "or"))
			t->kind = FG_TOKEN_OR;
	} else if (text[pos] == '\'' || text[pos] == '"') {
		read_text(t, text, len, report);
	} else {
		read_symbol(t, text, len, report);
	}
}
