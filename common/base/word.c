/* SPDX-License-Identifier: GPL-2.0-or-later */
/* word.c - a key of the configuration whose value is one of some words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "word.h"

static bool find(const char *text, const char *const *words, size_t n,
		 unsigned *out)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(words[i], text)) {
			*out = i;
			return true;
		}
	return false;
}

/* "\"lan\", \"wan\"", as far as there is room */
static void list(const char *const *words, size_t n, char *all, size_t size)
{
	size_t used = 0;

	*all = '\0';
	for (size_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(all + used, size - used, "%s\"%s\"",
					 i ? ", " : "", words[i]);
}

int fg_word_at(const struct fg_host *host, const struct fg_node *at,
	       const char *what, const char *const *words, size_t n,
	       unsigned *out)
{
	const struct fg_config *c = host->config;
	const char *text = c->as_text(at), *near;
	char all[256];

	if (text && find(text, words, n, out))
		return 0;
	list(words, n, all, sizeof(all));
	near = text ? c->nearest(text, words, n) : NULL;
	c->error(at, "\"%s\" is not %s%sone of %s%s%s%s", text ? text : "?",
		 what, *what ? ", " : "", all, near ? ": did you mean \"" : "",
		 near ? near : "", near ? "\"?" : "");
	return -EINVAL;
}

int fg_word_read(const struct fg_host *host, const struct fg_node *object,
		 const char *key, const char *const *words, size_t n,
		 unsigned *out)
{
	const struct fg_node *at;
	const char *text;
	int ret = host->config->text(object, key, &text);

	if (ret <= 0)
		return ret;
	if (find(text, words, n, out))
		return 1;
	if (host->config->any(object, key, &at) <= 0)
		at = object;
	return fg_word_at(host, at, "", words, n, out);
}
