/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reply.c - builds the text of a reply. */
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void fg_reply_fini(struct fg_reply *r)
{
	free(r->text);
	*r = (struct fg_reply){0};
}

/* Room for n more bytes and a NUL. */
static char *grow(struct fg_reply *r, size_t n)
{
	size_t room = r->room ? r->room : 1024;
	char *more;

	if (r->failed)
		return NULL;
	while (room < r->len + n + 1)
		room *= 2;
	if (room > FG_REPLY_MAX) {
		r->failed = true;
		return NULL;
	}
	if (room != r->room) {
		more = realloc(r->text, room);
		if (!more) {
			r->failed = true;
			return NULL;
		}
		r->text = more;
		r->room = room;
	}
	return r->text + r->len;
}

void fg_reply_write(void *reply, const char *text, size_t len)
{
	struct fg_reply *r = reply;
	char *p = grow(r, len);

	if (!p)
		return;
	memcpy(p, text, len);
	p[len] = '\0';
	r->len += len;
}

void fg_reply_printf(struct fg_reply *r, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = n < 0 ? NULL : grow(r, (size_t)n);
	if (p) {
		vsnprintf(p, (size_t)n + 1, fmt, again);
		r->len += (size_t)n;
	}
	va_end(again);
}

void fg_reply_json(struct fg_reply *r, struct fg_slice text)
{
	/* \u00XX is the longest that a byte becomes. */
	size_t room = (size_t)text.len * 6 + 2;
	char *p = grow(r, room);

	if (!p)
		return;
	r->len += fg_text_json(text, p, room);
	r->text[r->len] = '\0';
}

void fg_reply_json_text(struct fg_reply *r, const char *text)
{
	fg_reply_json(r, fg_slice(text, strlen(text)));
}

void fg_reply_shown(struct fg_reply *r, struct fg_slice text)
{
	/* \xNN is the longest that a byte becomes. */
	size_t room = (size_t)text.len * 4 + 1;
	char *p = grow(r, room);

	if (p)
		r->len += fg_text_printable(text, p, room);
}

void fg_reply_state(struct fg_reply *r, const char *word, bool good)
{
	/* padded inside, since colours have no width */
	if (r->colour)
		fg_reply_printf(r, "\033[%sm%-12s\033[0m", good ? "32" : "1;31",
				word);
	else
		fg_reply_printf(r, "%-12s", word);
}
