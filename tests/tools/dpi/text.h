/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - a message while it is written: JSON text, piece by piece.
 */
#ifndef DPI_TEXT_H
#define DPI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* the largest message here is definitions, some 2 kB */
struct text {
	size_t len;
	char buf[16384];
};

/* Appends; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) void text_add(struct text *t,
						    const char *fmt, ...);
/* Appends a JSON string. */
void text_quote(struct text *t, const char *s);

#endif
