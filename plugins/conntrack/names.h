/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h - the names of connection labels, as connlabel.conf has them: one
 * "BIT NAME" a line, "#" starts a comment.
 */
#ifndef FG_CONNTRACK_NAMES_H
#define FG_CONNTRACK_NAMES_H

#include "message.h"

struct fg_names;

/*
 * Reads the file at path. Bits above max_bits, lines that are something else
 * and a name for two bits are errors. 0, or -errno with a sentence in err
 * ("PATH:LINE: ...").
 */
int fg_names_load(struct fg_names **out, const char *path, unsigned max_bits,
		  char *err, size_t errlen);
/* The same from text that was read from path. */
int fg_names_parse(struct fg_names **out, const char *path, const char *text,
		   size_t len, unsigned max_bits, char *err, size_t errlen);
void fg_names_free(struct fg_names *n);

/* The bit of a name, or -1. n may be NULL. */
int fg_names_bit(const struct fg_names *n, const char *name);
/* Names in order of the alphabet, for "did you mean". */
size_t fg_names_all(const struct fg_names *n, const char *const **out);
/* The bit of the nth name. */
unsigned fg_names_bit_at(const struct fg_names *n, size_t i);

#endif
