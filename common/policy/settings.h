/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings.h - the parts of the configuration as they are put together:
 * config.c reads the whole, source.c the sources, action.c targets and
 * actions. Nobody else's business.
 *
 * Functions return 0 or -ENOMEM; whatever is wrong with the file is said, and
 * counted by the document (or as failed), and reading goes on.
 */
#ifndef FG_POLICY_SETTINGS_H
#define FG_POLICY_SETTINGS_H

#include "config.h"
#include "syntax.h"

#define FG_SOURCE_NAME 80
#define N(array) (sizeof(array) / sizeof(*(array)))

/* Settings, and what they point to that is not in the document. */
struct fg_settings_parts {
	struct fg_settings settings;
	struct fg_source_config *sources;
	char (*source_names)[FG_SOURCE_NAME];
	char **source_urls;
	struct fg_target_config *targets;
	const char **target_names; /* for near misses */
	struct fg_action_config *actions;
	struct fg_action_target *entries; /* of all actions */
	const char **plugins;
	struct fg_report report;
	bool failed; /* an error that is not the document's was said */
};

/* urls: of the command line, or NULL. */
int fg_sources_read(struct fg_settings_parts *o, const struct fg_node *root,
		    const char *const *urls, size_t url_count);
int fg_targets_read(struct fg_settings_parts *o, const struct fg_node *root);
/* after the targets */
int fg_actions_read(struct fg_settings_parts *o, const struct fg_node *root);

/* calloc() of at least one, so that NULL is always "no memory". */
void *fg_settings_array(size_t n, size_t size);
/* A text, or a list of texts: 1, 0 or -EINVAL, as the getters of json.h. */
int fg_settings_texts(const struct fg_node *object, const char *key,
		      const struct fg_node **out);
/* What something ("a target") is called by, which others have to print. */
void fg_settings_check_name(const struct fg_node *at, const char *what);
/* text for a message */
const char *fg_settings_quote(const char *text, char out[FG_SYNTAX_SHORT]);

#endif
