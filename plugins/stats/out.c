/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out.c - labels are printable already; what is left is what quotes need. */
#include "out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fg_out_printf(const struct fg_out *o, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	o->write(o->ctx, text, (size_t)n);
}

static void quoted(const struct fg_out *o, const struct fg_label *l, bool json)
{
	char text[2 + 6 * FG_LABEL_MAX + 1], *p = text;

	*p++ = '"';
	for (size_t i = 0; i < l->len; i++) {
		char c = l->text[i];

		if (json && strchr("\"\\<>&", c))
			p += sprintf(p, "\\u%04x", (unsigned)c);
		else if (c == '"' || c == '\\')
			p += sprintf(p, "\\%c", c);
		else
			*p++ = c;
	}
	*p++ = '"';
	o->write(o->ctx, text, (size_t)(p - text));
}

void fg_out_label(const struct fg_out *o, const struct fg_label *l)
{
	quoted(o, l, false);
}

void fg_out_json(const struct fg_out *o, const struct fg_label *l)
{
	quoted(o, l, true);
}
