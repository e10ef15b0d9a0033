/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syntax.c - a strict JSON checker that recovers, to find all the errors. */
#include "syntax.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"

/* Kinds of token that are not their own character. */
#define T_END	 '\0'
#define T_STRING '"'
#define T_WORD	 'a'

/* What may come next. */
enum state {
	S_ROOT,		 /* the object or list that is the whole text */
	S_FIRST_KEY,	 /* after '{' */
	S_KEY,		 /* after ',' in an object */
	S_COLON,	 /* after a key */
	S_VALUE,	 /* after ':' */
	S_FIRST_ELEMENT, /* after '[' */
	S_ELEMENT,	 /* after ',' in a list */
	S_NEXT,		 /* after a value: ',' or the end of what it is in */
	S_DONE,
};

struct scan {
	char *text;
	size_t len;
	size_t pos;
	struct fg_syntax_report report;
	unsigned errors;
	size_t quiet; /* no more errors before this offset */

	char kind; /* the token in hand */
	size_t start;
	size_t end;
	size_t last_start; /* the one before */
	size_t last_end;

	enum state state;
	size_t tokens;
	struct fg_slice key; /* last one read, in quotes */
	unsigned depth;
	struct {
		char kind; /* '{' or '[' */
		size_t start;
	} open[FG_SYNTAX_DEPTH];
};

void fg_syntax_place(const char *text, size_t offset, unsigned *line,
		     unsigned *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

const char *fg_syntax_short(struct fg_slice text, char out[FG_SYNTAX_SHORT])
{
	/* each byte may become four */
	_Static_assert(FG_SYNTAX_SHORT > 4 * 39, "39 bytes at their worst");
	size_t n;

	if (text.len <= 39) {
		fg_text_printable(text, out, FG_SYNTAX_SHORT);
		return out;
	}
	text.len = 36;
	while (text.len > 32 &&
	       ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
		text.len--;
	n = fg_text_printable(text, out, FG_SYNTAX_SHORT - 3);
	memcpy(out + n, "...", 4);
	return out;
}

static void FG_PRINTF(3, 4)
	error(struct scan *s, size_t offset, const char *fmt, ...)
{
	char message[512];
	const char *newline;
	va_list ap;

	if (offset < s->quiet)
		return;
	newline = memchr(s->text + offset, '\n', s->len - offset);
	s->quiet = newline ? (size_t)(newline - s->text) + 1 : s->len + 1;
	s->errors++;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	s->report.error(s->report.ctx, offset, message);
}

/* ------------------------------------------------------------- tokens */

static struct fg_slice token(const struct scan *s)
{
	return fg_slice(s->text + s->start, s->end - s->start);
}

/* The token in hand, in words. */
static const char *found(const struct scan *s, char out[FG_SYNTAX_SHORT])
{
	char text[FG_SYNTAX_SHORT];

	if (s->kind == T_STRING)
		return fg_syntax_short(token(s), out);
	snprintf(out, FG_SYNTAX_SHORT, "'%.*s'", FG_SYNTAX_SHORT - 3,
		 fg_syntax_short(token(s), text));
	return out;
}

/* Length of the UTF-8 character at p; 0: invalid. */
static size_t utf8_length(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t len = *u < 0x80 ? 1 : *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : 4;

	if (*u < 0x80)
		return 1;
	if (*u < 0xc2 || *u > 0xf4 || (size_t)(end - p) < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, beyond U+10FFFF */
	if ((*u == 0xe0 && u[1] < 0xa0) || (*u == 0xed && u[1] > 0x9f) ||
	    (*u == 0xf0 && u[1] < 0x90) || (*u == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

/* The value of \uXXXX at p, or -1. */
static int unicode_escape(const char *p, const char *end)
{
	uint8_t code[2];

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u' ||
	    !fg_text_hex(p + 2, 4, code, 2))
		return -1;
	return code[0] << 8 | code[1];
}

/* The escape at p; returns its length, at least 1. */
static size_t check_escape(struct scan *s, const char *p, const char *end)
{
	size_t at = (size_t)(p - s->text);
	int code, low;
	char shown[FG_SYNTAX_SHORT];

	if (end - p < 2)
		return 1;
	if (p[1] != 'u') {
		if (p[1] && strchr("\"\\/bfnrt", p[1]))
			return 2;
		fg_syntax_short(fg_slice(p + 1, utf8_length(p + 1, end)),
				shown);
		error(s, at,
		      "unknown escape '\\%s': a backslash in text is "
		      "written twice, \\\\%s",
		      shown, shown);
		return 1;
	}
	code = unicode_escape(p, end);
	if (code < 0) {
		error(s, at, "\\u needs four hexadecimal digits");
		return 2;
	}
	if (code == 0)
		error(s, at, "\\u0000 is not allowed in text");
	if (code < 0xd800 || code > 0xdfff)
		return 6;
	low = unicode_escape(p + 6, end);
	if (code > 0xdbff || low < 0xdc00 || low > 0xdfff) {
		error(s, at,
		      "half of a surrogate pair: write the character "
		      "itself, in UTF-8");
		return 6;
	}
	return 12;
}

/*
 * Text in quotes of either kind; ends with the line if they are not closed,
 * but for a comma there, which was hardly meant to be in it.
 */
static void scan_string(struct scan *s)
{
	char quote = s->text[s->pos];
	const char *end = s->text + s->len, *p = s->text + s->pos + 1;
	size_t len;

	if (quote == '\'')
		error(s, s->start, "text needs double quotes, not single ones");
	for (; p < end && *p != quote && *p != '\n'; p += len) {
		size_t at = (size_t)(p - s->text);
		unsigned char c = (unsigned char)*p;

		len = utf8_length(p, end);
		if (c == '\\') {
			len = check_escape(s, p, end);
		} else if (c == '\t') {
			error(s, at, "a tab in text is written \\t");
		} else if (c < 0x20 &&
			   !(c == '\r' && p + 1 < end && p[1] == '\n')) {
			error(s, at, "control character 0x%02x in text", c);
		} else if (len == 0) {
			error(s, at,
			      "byte 0x%02x is not UTF-8: save the file "
			      "as UTF-8",
			      c);
			len = 1;
		}
	}
	s->kind = T_STRING;
	if (p < end && *p == quote) {
		s->pos = (size_t)(p + 1 - s->text);
		return;
	}
	error(s, s->start, "missing quote: this text has no closing '%c'",
	      quote);
	while (p > s->text + s->start + 1 && (p[-1] == ' ' || p[-1] == '\r'))
		p--;
	if (p[-1] == ',' && p > s->text + s->start + 1)
		p--;
	s->pos = (size_t)(p - s->text);
}

static void scan_word(struct scan *s)
{
	size_t i = s->pos;

	while (i < s->len && !strchr(" \t\r\n{}[],:\"#", s->text[i]) &&
	       !(s->text[i] == '/' && i + 1 < s->len && s->text[i + 1] == '/'))
		i++;
	/* at least one, also for a NUL, which strchr() finds everywhere */
	s->pos = i > s->pos ? i : i + 1;
	s->kind = T_WORD;
}

/* Space, and comments, which become space. */
static void skip_space(struct scan *s)
{
	static const char bom[] = "\xef\xbb\xbf";
	char *t = s->text;

	if (s->pos == 0 && s->len >= 3 && memcmp(t, bom, 3) == 0) {
		memset(t, ' ', 3);
		s->pos = 3;
	}
	while (s->pos < s->len) {
		char c = t[s->pos], d = s->pos + 1 < s->len ? t[s->pos + 1] : 0;

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			s->pos++;
		} else if (c == '#' || (c == '/' && d == '/')) {
			while (s->pos < s->len && t[s->pos] != '\n')
				t[s->pos++] = ' ';
		} else if (c == '/' && d == '*') {
			error(s, s->pos,
			      "comments begin with // or # and end "
			      "with the line: /* */ is not known");
			while (s->pos < s->len &&
			       !(t[s->pos] == '*' && s->pos + 1 < s->len &&
				 t[s->pos + 1] == '/'))
				s->pos++;
			s->pos = s->pos + 2 < s->len ? s->pos + 2 : s->len;
		} else {
			return;
		}
	}
}

static void next_token(struct scan *s)
{
	s->last_start = s->start;
	s->last_end = s->end;
	skip_space(s);
	s->start = s->pos;
	if (s->pos == s->len) {
		s->kind = T_END;
	} else if (s->text[s->pos] == '"' || s->text[s->pos] == '\'') {
		scan_string(s);
	} else if (s->text[s->pos] && strchr("{}[],:", s->text[s->pos])) {
		s->kind = s->text[s->pos++];
	} else {
		scan_word(s);
	}
	s->end = s->pos;
}

/* -------------------------------------------------------------- words */

static bool word_is(struct fg_slice w, const char *const *words)
{
	for (; *words; words++)
		if (fg_slice_is_nocase(w, *words))
			return true;
	return false;
}

/* A word where a value is due. */
static void check_word(struct scan *s)
{
	static const char *const truths[] = {"true", "yes", "on", NULL};
	static const char *const lies[] = {"false", "no", "off", NULL};
	static const char *const voids[] = {"null", "nil", "none", "undefined",
					    NULL};
	struct fg_slice w = token(s);
	unsigned char first = (unsigned char)*w.ptr;
	char shown[FG_SYNTAX_SHORT];
	double number;

	if (fg_slice_is(w, "true") || fg_slice_is(w, "false") ||
	    fg_slice_is(w, "null") || fg_text_real(w.ptr, w.len, &number))
		return;
	fg_syntax_short(w, shown);
	if (word_is(w, truths))
		error(s, s->start, "'%s' is not a value: write true", shown);
	else if (word_is(w, lies))
		error(s, s->start, "'%s' is not a value: write false", shown);
	else if (word_is(w, voids))
		error(s, s->start, "'%s' is not a value: leave the key out",
		      shown);
	else if (w.len > 2 && first == '0' && (w.ptr[1] | 0x20) == 'x')
		error(s, s->start,
		      "a hexadecimal number needs quotes: write "
		      "\"%s\"",
		      shown);
	else if (first == '0' && w.len > 1 &&
		 strspn(w.ptr, "0123456789") >= w.len)
		error(s, s->start, "'%s': a number has no leading zero", shown);
	else if (strchr("0123456789+-.", first) && first)
		error(s, s->start,
		      "'%s' is not a number (text needs double "
		      "quotes)",
		      shown);
	else if (first < 0x20 || first == 0x7f)
		error(s, s->start, "unexpected byte 0x%02x", first);
	else
		error(s, s->start,
		      "expected a value, found '%s' (text needs "
		      "double quotes)",
		      shown);
}

/* ------------------------------------------------------------ grammar */

static char closer(char open)
{
	return open == '{' ? '}' : ']';
}

static bool in_object(const struct scan *s)
{
	return s->depth && s->open[s->depth - 1].kind == '{';
}

static void after_value(struct scan *s)
{
	s->state = s->depth ? S_NEXT : S_DONE;
}

/*
 * A token that begins a value or key came: says what is wrong with that. May
 * turn S_NEXT into what follows a comma, which was forgotten.
 */
static void check_begin(struct scan *s)
{
	char what[FG_SYNTAX_SHORT], key[FG_SYNTAX_SHORT];

	found(s, what);
	if (s->state == S_COLON) {
		error(s, s->last_end,
		      "missing colon: expected ':' after the "
		      "key %s, found %s",
		      fg_syntax_short(s->key, key), what);
		s->state = S_VALUE;
	} else if (s->state == S_NEXT) {
		error(s, s->last_end,
		      "missing comma: expected ',' or '%c', "
		      "found %s",
		      closer(s->open[s->depth - 1].kind), what);
		s->state = !in_object(s) ? S_ELEMENT
			   : s->kind == T_STRING || s->kind == T_WORD ? S_KEY
								      : S_VALUE;
	}
}

static int open_container(struct scan *s)
{
	char what[FG_SYNTAX_SHORT];

	check_begin(s);
	if (s->state == S_KEY || s->state == S_FIRST_KEY)
		error(s, s->start, "expected a key in double quotes, found %s",
		      found(s, what));
	if (s->depth == FG_SYNTAX_DEPTH) {
		s->quiet = 0;
		error(s, s->start, "nested deeper than %d", FG_SYNTAX_DEPTH);
		return -E2BIG;
	}
	s->tokens++;
	s->open[s->depth].kind = s->kind;
	s->open[s->depth++].start = s->start;
	s->state = s->kind == '{' ? S_FIRST_KEY : S_FIRST_ELEMENT;
	return 0;
}

static void scalar(struct scan *s)
{
	char what[FG_SYNTAX_SHORT];

	check_begin(s);
	s->tokens++;
	if (s->state == S_KEY || s->state == S_FIRST_KEY) {
		if (s->kind == T_WORD)
			error(s, s->start,
			      "expected a key in double quotes, "
			      "found %s",
			      found(s, what));
		s->key = token(s);
		s->state = S_COLON;
		return;
	}
	if (s->state == S_ROOT)
		error(s, s->start, "expected '{' at the beginning, found %s",
		      found(s, what));
	else if (s->kind == T_WORD)
		check_word(s);
	after_value(s);
}

static void close_container(struct scan *s)
{
	unsigned line, column;
	char what[FG_SYNTAX_SHORT], key[FG_SYNTAX_SHORT];

	found(s, what);
	if (s->depth == 0) {
		error(s, s->start, "expected '{' at the beginning, found %s",
		      what);
		return;
	}
	if (s->state == S_KEY || s->state == S_ELEMENT)
		error(s, s->last_start, "trailing comma before %s: remove it",
		      what);
	else if (s->state == S_COLON)
		error(s, s->start,
		      "expected ':' and a value after the key "
		      "%s, found %s",
		      fg_syntax_short(s->key, key), what);
	else if (s->state == S_VALUE)
		error(s, s->start, "expected a value for the key %s, found %s",
		      fg_syntax_short(s->key, key), what);
	if (s->kind != closer(s->open[s->depth - 1].kind)) {
		char open = s->open[s->depth - 1].kind;
		bool forgot =
			s->depth > 1 && open != s->open[s->depth - 2].kind;

		fg_syntax_place(s->text, s->open[s->depth - 1].start, &line,
				&column);
		error(s, s->start,
		      "wrong bracket: expected '%c' for the '%c' "
		      "at %u:%u, found %s",
		      closer(open), open, line, column, what);
		/* it closes what is around, rather than being a slip */
		if (forgot)
			s->depth--;
	}
	s->depth--;
	after_value(s);
}

static void comma(struct scan *s)
{
	char key[FG_SYNTAX_SHORT];

	switch (s->state) {
	case S_NEXT:
		break;
	case S_COLON:
		error(s, s->start,
		      "expected ':' and a value after the key "
		      "%s, found ','",
		      fg_syntax_short(s->key, key));
		break;
	case S_VALUE:
		error(s, s->start, "expected a value for the key %s, found ','",
		      fg_syntax_short(s->key, key));
		break;
	case S_KEY:
	case S_ELEMENT:
		error(s, s->start, "two commas in a row: remove one");
		break;
	default:
		error(s, s->start, "expected %s, found ','",
		      s->state == S_ROOT ? "'{' at the beginning"
		      : s->state == S_FIRST_KEY
			      ? "a key in double quotes or '}'"
			      : "a value or ']'");
		break;
	}
	if (s->depth)
		s->state = in_object(s) ? S_KEY : S_ELEMENT;
}

static void colon(struct scan *s)
{
	if (s->state == S_COLON) {
		s->state = S_VALUE;
		return;
	}
	if (s->depth && !in_object(s)) {
		error(s, s->start,
		      "':' belongs into an object { }, this is a "
		      "list [ ]");
		s->state = S_ELEMENT;
		return;
	}
	error(s, s->start, "unexpected ':'");
	/* "a" : : 1 and "a": "b": 1, too, go on with a value */
	if (s->depth)
		s->state = S_VALUE;
}

static void finish(struct scan *s)
{
	unsigned line, column, open;

	if (s->state == S_DONE)
		return;
	if (s->depth == 0) {
		error(s, s->len, "the file is empty: expected '{'");
		return;
	}
	open = s->depth - 1;
	fg_syntax_place(s->text, s->open[open].start, &line, &column);
	error(s, s->last_end,
	      "unexpected end of the file: missing '%c' for "
	      "the '%c' at %u:%u",
	      closer(s->open[open].kind), s->open[open].kind, line, column);
}

static int run(struct scan *s)
{
	char what[FG_SYNTAX_SHORT];
	int ret;

	for (;;) {
		next_token(s);
		if (s->kind == T_END) {
			finish(s);
			return 0;
		}
		if (s->state == S_DONE) {
			error(s, s->start,
			      "expected the end of the file, "
			      "found %s",
			      found(s, what));
			return 0;
		}
		switch (s->kind) {
		case '{':
		case '[':
			ret = open_container(s);
			if (ret)
				return ret;
			break;
		case '}':
		case ']':
			close_container(s);
			break;
		case ',':
			comma(s);
			break;
		case ':':
			colon(s);
			break;
		default:
			scalar(s);
			break;
		}
	}
}

int fg_syntax_check(char *text, size_t len, struct fg_syntax_report report,
		    size_t *tokens)
{
	struct scan s = {.text = text, .len = len, .report = report};
	int ret;

	*tokens = 0;
	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 ||
			 memcmp(text, "\xfe\xff", 2) == 0)) {
		error(&s, 0, "the file is UTF-16: save it as UTF-8");
		return -EINVAL;
	}
	ret = run(&s);
	if (ret)
		return ret;
	*tokens = s.tokens;
	return s.errors ? -EINVAL : 0;
}
