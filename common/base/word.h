/* SPDX-License-Identifier: GPL-2.0-or-later */
/* word.h - a key of the configuration whose value is one of some words. */
#ifndef FG_BASE_WORD_H
#define FG_BASE_WORD_H

#include <flowgate/plugin.h>

/*
 * 1: *out is the index of the word; 0: absent, *out untouched; -EINVAL: none
 * of them, said with all that are and the nearest.
 */
int fg_word_read(const struct fg_host *host, const struct fg_node *object,
		 const char *key, const char *const *words, size_t n,
		 unsigned *out);

/* The index of one that stands in a list; -EINVAL, said. what: "an event". */
int fg_word_at(const struct fg_host *host, const struct fg_node *at,
	       const char *what, const char *const *words, size_t n,
	       unsigned *out);

#endif
