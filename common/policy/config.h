/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h - the configuration file -> sources, targets, actions, limits.
 *
 * Reads and checks the shape; what a target's keys mean is its plugin's, what
 * an expression means is criteria's. Text and nodes point into the document,
 * which the settings own.
 */
#ifndef FG_POLICY_CONFIG_H
#define FG_POLICY_CONFIG_H

#include "json.h"

#define FG_DEFAULT_SOURCE "unix:///var/run/netifyd/netifyd.sock"

struct fg_source_config {
	const char *name;  /* given, or made of the url; unique */
	const char *url;
	const char *input; /* plugin's input type, "netifyd" */
	const struct fg_node *node; /* its object, or NULL (a plain string) */
};

struct fg_target_config {
	const char *name;
	const char *type;
	bool enabled;
	const struct fg_node *node;    /* target_defaults are behind it */
	const struct fg_node *globals; /* target_globals of the type, or NULL */
};

struct fg_action_target {
	uint16_t target; /* index in settings.targets */
	const struct fg_node *override; /* {"target": ..., other keys}, or NULL */
};

struct fg_action_config {
	const char *name;
	const struct fg_node *node;
	bool enabled;
	bool observe;	/* mode */
	bool halt;	/* halt_on_match; allow implies it */
	bool allow;
	const struct fg_node *criteria;	  /* text or list; never NULL */
	const struct fg_node *interface;  /* text or list, or NULL: any */
	const struct fg_node *exemptions; /* list, or NULL */
	const struct fg_node *time_of_day;/* list, or NULL */
	const struct fg_action_target *targets;
	size_t target_count;
};

struct fg_limits {
	uint32_t max_flows;	/* 65536 */
	uint64_t detail_bytes;	/* 0: by max_flows */
	uint32_t max_message;	/* bytes of one message, 1 MiB */
	uint32_t max_tokens;	/* jsmn tokens of one message, 131072 */
	uint32_t flow_idle_ms;	/* 1 h; the file says seconds */
	uint32_t max_names;	/* catalog, each kind, 8192 */
};

struct fg_settings {
	struct fg_json *doc;
	const struct fg_source_config *sources;
	size_t source_count;
	const char *const *plugins; /* names or paths; NULL: all that are used */
	size_t plugin_count;
	const struct fg_target_config *targets;
	size_t target_count;
	const struct fg_action_config *actions;
	size_t action_count;
	struct fg_limits limits;
	uint32_t grace_ms;	/* 30 s; the file says seconds */
	bool reprocess_flows;	/* true */
	const char *timezone;	/* NULL: the system's */
	const char *user;	/* NULL: stay */
	const struct fg_node *exemptions;	  /* global; or NULL */
	const struct fg_node *never;		  /* or NULL */
	const struct fg_node *address_groups;	  /* object, or NULL */
	const struct fg_node *application_groups; /* object, or NULL */
	const struct fg_node *catalog;		  /* or NULL */
};

/*
 * 0, or -EINVAL with every error said. sources replaces the file's own (from
 * -s; NULL: keep). Unknown keys are not yet looked for: plugins and policy
 * read their parts first, then call fg_json_unknown_keys(settings->doc).
 * path NULL: an empty configuration ("{}").
 */
int fg_settings_load(struct fg_settings **out, const char *path,
		     const char *const *sources, size_t source_count,
		     struct fg_report report);
int fg_settings_parse(struct fg_settings **out, const char *name,
		      const char *text, size_t len, const char *const *sources,
		      size_t source_count, struct fg_report report);
void fg_settings_free(struct fg_settings *s);

#endif
