/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.c - what the configuration file says, checked for its shape. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "settings.h"

#define NAME_MAX_BYTES 64

/* -------------------------------------------------------------- pieces */

void *fg_settings_array(size_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

const char *fg_settings_quote(const char *text, char out[FG_SYNTAX_SHORT])
{
	return fg_syntax_short(fg_slice(text, strlen(text)), out);
}

/* A text, or a list of texts. */
int fg_settings_texts(const struct fg_node *object, const char *key,
		      const struct fg_node **out)
{
	const struct fg_node *n, *item;

	if (!fg_node_any(object, key, &n))
		return 0;
	if (fg_node_kind(n) == FG_NODE_TEXT) {
		*out = n;
		return 1;
	}
	if (fg_node_kind(n) != FG_NODE_LIST) {
		fg_node_error(n,
			      "\"%s\" must be text in quotes or a list of "
			      "such",
			      key);
		return -EINVAL;
	}
	for (size_t i = 0; i < fg_node_count(n); i++) {
		item = fg_node_at(n, i);
		if (fg_node_kind(item) != FG_NODE_TEXT)
			fg_node_error(item,
				      "\"%s\" lists texts in quotes "
				      "only",
				      key);
	}
	*out = n;
	return 1;
}

/* Names end up in logs, in status lines and in metrics. */
void fg_settings_check_name(const struct fg_node *at, const char *what)
{
	const char *name = fg_node_as_text(at);
	size_t len = strlen(name);

	if (len == 0)
		fg_node_error(at, "%s needs a name", what);
	else if (len > NAME_MAX_BYTES)
		fg_node_error(at,
			      "the name of %s has at most %d bytes, this "
			      "one %zu",
			      what, NAME_MAX_BYTES, len);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) {
			fg_node_error(at,
				      "control character in the name of "
				      "%s",
				      what);
			return;
		}
	}
}

/* --------------------------------------------------------------- keys */

static void read_limits(struct fg_settings *s, const struct fg_node *root)
{
	struct fg_limits *l = &s->limits;
	const struct {
		const char *key;
		uint64_t min, max, usual;
		uint32_t *out;
		uint64_t *wide;
		uint32_t unit;
	} limits[] = {
		{"max_flows", 64, 16u << 20, 65536, &l->max_flows, NULL, 1},
		{"detail_bytes", 0, 1ull << 36, 0, NULL, &l->detail_bytes, 1},
		{"max_message", 4096, 64u << 20, 1u << 20, &l->max_message,
		 NULL, 1},
		{"max_tokens", 256, 16u << 20, 131072, &l->max_tokens, NULL, 1},
		{"max_names", 64, 1u << 20, 8192, &l->max_names, NULL, 1},
		/* seconds; a week */
		{"flow_idle", 1, 604800, 3600, &l->flow_idle_ms, NULL, 1000},
	};
	const struct fg_node *object = NULL;

	fg_node_object(root, "limits", &object);
	for (size_t i = 0; i < N(limits); i++) {
		uint64_t value = limits[i].usual;

		fg_node_uint(object, limits[i].key, limits[i].min,
			     limits[i].max, &value);
		if (limits[i].wide)
			*limits[i].wide = value;
		else
			*limits[i].out = (uint32_t)value * limits[i].unit;
	}
}

static int read_plugins(struct fg_settings_parts *o, const struct fg_node *root)
{
	const struct fg_node *list;
	size_t count;

	if (fg_node_list(root, "plugins", &list) != 1)
		return 0;
	count = fg_node_count(list);
	o->plugins = fg_settings_array(count, sizeof(*o->plugins));
	o->settings.plugins = o->plugins;
	if (!o->plugins)
		return -ENOMEM;
	o->settings.plugin_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct fg_node *n = fg_node_at(list, i);

		o->plugins[i] = fg_node_as_text(n);
		if (!o->plugins[i] || !*o->plugins[i])
			fg_node_error(n, "expected the name of a plugin, or "
					 "its file, in quotes");
	}
	return 0;
}

static void read_rest(struct fg_settings *s, const struct fg_node *root)
{
	uint64_t version = 1, grace = 30;
	const struct fg_node *at;
	const char *schema;

	/* where editors look for the schema */
	fg_node_text(root, "$schema", &schema);

	if (fg_node_uint(root, "version", 0, UINT32_MAX, &version) == 1 &&
	    version != 1) {
		fg_node_any(root, "version", &at);
		fg_node_error(at,
			      "version %llu of the configuration is not "
			      "known: this flowgated reads version 1",
			      (unsigned long long)version);
	}
	fg_node_uint(root, "grace", 0, 86400, &grace);
	s->grace_ms = (uint32_t)grace * 1000;
	s->reprocess_flows = true;
	fg_node_boolean(root, "reprocess_flows", &s->reprocess_flows);
	fg_node_text(root, "timezone", &s->timezone);
	fg_node_text(root, "user", &s->user);
	fg_node_list(root, "exemptions", &s->exemptions);
	fg_node_list(root, "never", &s->never);
	fg_node_object(root, "address_groups", &s->address_groups);
	fg_node_object(root, "application_groups", &s->application_groups);
	fg_settings_texts(root, "catalog", &s->catalog);
}

static int read_all(struct fg_settings_parts *o, const char *const *urls,
		    size_t url_count)
{
	const struct fg_node *root = fg_json_root(o->settings.doc), *limits;
	int ret;

	if (fg_node_kind(root) != FG_NODE_OBJECT) {
		fg_node_error(root, "the configuration is an object { }");
		return -EINVAL;
	}
	ret = fg_sources_read(o, root, urls, url_count);
	if (!ret)
		ret = fg_targets_read(o, root);
	if (!ret)
		ret = fg_actions_read(o, root);
	if (!ret)
		ret = read_plugins(o, root);
	if (ret)
		return ret;
	read_limits(&o->settings, root);
	read_rest(&o->settings, root);
	if (!o->failed && fg_json_errors(o->settings.doc) == 0)
		return 0;
	/* It ends here, so say what can be said already of unknown keys. */
	fg_node_unknown_keys(root);
	if (fg_node_any(root, "limits", &limits))
		fg_node_unknown_keys(limits);
	for (size_t i = 0; i < o->settings.action_count; i++)
		fg_node_unknown_keys(o->actions[i].node);
	return -EINVAL;
}

/* Takes doc over. */
static int settings_new(struct fg_settings **out, struct fg_json *doc,
			const char *const *urls, size_t url_count,
			struct fg_report report)
{
	struct fg_settings_parts *o;
	int ret;

	o = calloc(1, sizeof(*o));
	if (!o) {
		fg_json_free(doc);
		report.say(report.ctx, FG_LOG_ERROR, "out of memory");
		return -ENOMEM;
	}
	o->report = report;
	o->settings.doc = doc;
	ret = read_all(o, urls, url_count);
	if (ret == -ENOMEM)
		report.say(report.ctx, FG_LOG_ERROR, "out of memory");
	if (ret) {
		fg_settings_free(&o->settings);
		return ret;
	}
	*out = &o->settings;
	return 0;
}

int fg_settings_load(struct fg_settings **out, const char *path,
		     const char *const *sources, size_t source_count,
		     struct fg_report report)
{
	struct fg_json *doc;
	int ret;

	if (path)
		ret = fg_json_load(&doc, path, report);
	else
		ret = fg_json_parse(&doc, "(no file)", "{}", 2, report);
	if (ret)
		return ret;
	return settings_new(out, doc, sources, source_count, report);
}

int fg_settings_parse(struct fg_settings **out, const char *name,
		      const char *text, size_t len, const char *const *sources,
		      size_t source_count, struct fg_report report)
{
	struct fg_json *doc;
	int ret;

	ret = fg_json_parse(&doc, name, text, len, report);
	if (ret)
		return ret;
	return settings_new(out, doc, sources, source_count, report);
}

void fg_settings_free(struct fg_settings *s)
{
	struct fg_settings_parts *o = (struct fg_settings_parts *)s;

	if (!o)
		return;
	for (size_t i = 0; o->source_urls && i < s->source_count; i++)
		free(o->source_urls[i]);
	free(o->source_urls);
	free(o->source_names);
	free(o->sources);
	free(o->target_names);
	free(o->targets);
	free(o->entries);
	free(o->actions);
	free(o->plugins);
	fg_json_free(s->doc);
	free(o);
}
