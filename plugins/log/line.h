/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line.h - text in a buffer of fixed size, with the escapes of each format.
 *
 * What does not fit makes the line overfull: then nothing of it counts. All
 * text may come from the network: each function says what it lets through.
 */
#ifndef FG_LOG_LINE_H
#define FG_LOG_LINE_H

#include <flowgate/plugin.h>

struct fg_line {
	char *buf;
	size_t size;
	size_t len;
	bool overfull;
};

static inline struct fg_line fg_line(char *buf, size_t size)
{
	return (struct fg_line){buf, size, 0, false};
}

/* As it is: for our own text only. */
void fg_line_put(struct fg_line *l, const char *text);
void fg_line_bytes(struct fg_line *l, const char *p, size_t len);
void fg_line_uint(struct fg_line *l, uint64_t u);

/*
 * Text that may be a stranger's. In all of these, what a terminal would act
 * on or could not show (control characters, bytes that are no UTF-8) is \xNN,
 * so that it does no harm either when a reader takes the format's own quoting
 * away; and it is cut to 1 KiB.
 *
 * json		a string with its quotes
 * csv		a field as in RFC 4180; what a spreadsheet would take for a
 *		formula begins with an apostrophe
 * value	of key=value, quoted when it must be
 * plain	up to the end of the line, no quotes
 */
void fg_line_json(struct fg_line *l, struct fg_slice text);
void fg_line_csv(struct fg_line *l, struct fg_slice text);
void fg_line_value(struct fg_line *l, struct fg_slice text);
void fg_line_plain(struct fg_line *l, struct fg_slice text);

#endif
