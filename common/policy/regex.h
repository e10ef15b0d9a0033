/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regex.h - regular expressions over text that strangers chose: compiled once,
 * matched without allocating, and given up when they cost too much.
 *
 * Patterns are PCRE2's, search anywhere in the text, and do not regard the
 * case of letters. Text is bytes, not UTF-8: it may be anything.
 */
#ifndef FG_POLICY_REGEX_H
#define FG_POLICY_REGEX_H

#include <flowgate/plugin.h>

/* What matching needs, shared by any number of patterns. One thread. */
struct fg_regex_engine;
struct fg_regex;

int fg_regex_engine_new(struct fg_regex_engine **out); /* 0 or -ENOMEM */
void fg_regex_engine_free(struct fg_regex_engine *e);
/* Matches given up so far, of any pattern. */
uint64_t fg_regex_engine_limited(const struct fg_regex_engine *e);

/*
 * 0; -EINVAL with a sentence in err and where in the pattern it is wrong;
 * -ENOMEM. Independent of the engine, but for what matching needs.
 */
int fg_regex_new(struct fg_regex **out, const char *pattern, size_t len,
		 char *err, size_t errlen, size_t *at);
void fg_regex_free(struct fg_regex *r);

/*
 * False: no match, or given up at the limit of 100,000 steps (about a
 * millisecond), which counts in *limited.
 */
bool fg_regex_match(struct fg_regex_engine *e, const struct fg_regex *r,
		    struct fg_slice text, uint64_t *limited);

#endif
