/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line.c - text in a buffer of fixed size, with the escapes of each format. */
#include <string.h>

#include "base/text.h"
#include "line.h"

/*
 * Longest text that is kept, in bytes as they come: a host name has 253, a
 * URL can be anything. fg_text_printable() makes four of one at most.
 */
#define TEXT_MAX 1024

void fg_line_bytes(struct fg_line *l, const char *p, size_t len)
{
	if (l->overfull || len > l->size - l->len) {
		l->overfull = true;
		return;
	}
	memcpy(l->buf + l->len, p, len);
	l->len += len;
}

void fg_line_put(struct fg_line *l, const char *text)
{
	fg_line_bytes(l, text, strlen(text));
}

void fg_line_uint(struct fg_line *l, uint64_t u)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	fg_line_bytes(l, digits + at, sizeof(digits) - at);
}

/* Fit to be shown, NUL-terminated, with its length. */
struct safe {
	char text[4 * TEXT_MAX + 1];
	size_t len;
};

static void make_safe(struct safe *s, struct fg_slice text)
{
	if (text.len > TEXT_MAX)
		text.len = TEXT_MAX;
	s->len = fg_text_printable(text, s->text, sizeof(s->text));
}

/* With escape before each character of special. */
static void escaped(struct fg_line *l, const struct safe *s,
		    const char *special, char escape)
{
	for (size_t i = 0; i < s->len; i++) {
		if (strchr(special, s->text[i]))
			fg_line_bytes(l, &escape, 1);
		fg_line_bytes(l, s->text + i, 1);
	}
}

void fg_line_json(struct fg_line *l, struct fg_slice text)
{
	struct safe s;

	make_safe(&s, text);
	fg_line_put(l, "\"");
	escaped(l, &s, "\"\\", '\\');
	fg_line_put(l, "\"");
}

/* What spreadsheets compute; some take the full-width forms as well. */
static bool is_formula(const struct safe *s)
{
	static const char *const first[] = {"=",       "+",	 "-",
					    "@",       "\uff1d", "\uff0b",
					    "\uff0d", "\uff20"};

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (!strncmp(s->text, first[i], strlen(first[i])))
			return true;
	return false;
}

void fg_line_csv(struct fg_line *l, struct fg_slice text)
{
	bool formula;
	struct safe s;

	make_safe(&s, text);
	formula = is_formula(&s);
	if (!formula && !strpbrk(s.text, ",\"; ")) {
		fg_line_bytes(l, s.text, s.len);
		return;
	}
	fg_line_put(l, formula ? "\"'" : "\"");
	escaped(l, &s, "\"", '"');
	fg_line_put(l, "\"");
}

void fg_line_value(struct fg_line *l, struct fg_slice text)
{
	struct safe s;

	make_safe(&s, text);
	if (s.len && !strpbrk(s.text, " \"=")) {
		fg_line_bytes(l, s.text, s.len);
		return;
	}
	fg_line_put(l, "\"");
	escaped(l, &s, "\"\\", '\\');
	fg_line_put(l, "\"");
}

void fg_line_plain(struct fg_line *l, struct fg_slice text)
{
	struct safe s;

	make_safe(&s, text);
	fg_line_bytes(l, s.text, s.len);
}
