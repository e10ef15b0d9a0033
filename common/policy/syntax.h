/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syntax.h - says what is wrong with a JSON text, in words for the person who
 * wrote it. jsmn, which reads the text afterwards, takes much that is not
 * JSON and cannot say what is missing where. Pure; allocates nothing.
 */
#ifndef FG_POLICY_SYNTAX_H
#define FG_POLICY_SYNTAX_H

#include <stddef.h>

#include <flowgate/plugin.h>

#define FG_SYNTAX_DEPTH 64

/* error: offset is in bytes, message valid during the call. */
struct fg_syntax_report {
	void (*error)(void *ctx, size_t offset, const char *message);
	void *ctx;
};

/*
 * Checks one object or list (text[len] is a NUL) that may hold comments (// and #, to the end of
 * the line); those are overwritten with spaces, so that what remains is JSON
 * with every byte in its place. Goes on after an error, with at most one
 * error a line, since what follows on it is mostly a consequence.
 *
 * 0, and *tokens is the number of jsmn tokens that the text has; -EINVAL when
 * errors were said; -E2BIG, said too, when nested deeper than FG_SYNTAX_DEPTH.
 */
int fg_syntax_check(char *text, size_t len, struct fg_syntax_report report,
		    size_t *tokens);

/* Line and column from 1; a column is a UTF-8 character, a tab is one. */
void fg_syntax_place(const char *text, size_t offset, unsigned *line,
		     unsigned *column);

/* Room for fg_syntax_short(). */
#define FG_SYNTAX_SHORT 160

/* text as a person may see it: printable, cut at 40 bytes. Returns out. */
const char *fg_syntax_short(struct fg_slice text, char out[FG_SYNTAX_SHORT]);

#endif
