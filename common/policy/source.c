/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.c - where messages come from: URLs, names, inputs. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "url.h"

static void FG_PRINTF(2, 3)
	command_line_error(struct fg_settings_parts *o, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	o->failed = true;
	o->report.say(o->report.ctx, FG_LOG_ERROR, line);
}

/* at: NULL for one of the command line. */
static void source_error(struct fg_settings_parts *o, const struct fg_node *at,
			 const char *url, const char *why)
{
	char shown[FG_SYNTAX_SHORT];

	if (at)
		fg_node_error(at, "source \"%s\": %s",
			      fg_settings_quote(url, shown), why);
	else
		command_line_error(o, "source \"%s\": %s",
				   fg_settings_quote(url, shown), why);
}

/*
 * The URL as others shall see it: scheme:///path, also for scheme:/path; and
 * on the command line, where paths are the shell's, for scheme:path as well.
 */
static char *full_url(const char *text, bool command_line)
{
	bool path = strncmp(text, "unix:", 5) == 0 ||
		    strncmp(text, "file:", 5) == 0;
	const char *rest = text + 5;
	char directory[FG_URL_PATH] = "", *out;
	int n;

	if (!path || strncmp(rest, "//", 2) == 0 || *rest == '\0' ||
	    (*rest != '/' && !command_line))
		return strdup(text);
	if (*rest != '/') {
		if (!getcwd(directory, sizeof(directory) - 1))
			return strdup(text);
		strcat(directory, "/");
	}
	n = asprintf(&out, "%.5s//%s%s", text, directory, rest);
	return n < 0 ? NULL : out;
}

static int read_source(struct fg_settings_parts *o, size_t i,
		       const struct fg_node *at, const char *url,
		       bool command_line)
{
	struct fg_source_config *s = &o->sources[i];
	char *name = o->source_names[i], base[FG_SOURCE_NAME - 12], why[256];
	struct fg_url parsed;

	s->input = "netifyd";
	if (at && fg_node_kind(at) == FG_NODE_OBJECT) {
		s->node = at;
		if (fg_node_text(at, "url", &url) == 0)
			fg_node_error(at, "a source needs a \"url\"");
		fg_node_text(at, "name", &s->name);
		fg_node_text(at, "input", &s->input);
		fg_node_any(at, "url", &at);
	} else if (at) {
		url = fg_node_as_text(at);
		if (!url)
			fg_node_error(at, "a source is a URL in quotes, or an "
					  "object with a \"url\"");
	}
	if (!url)
		return 0;
	o->source_urls[i] = full_url(url, command_line);
	if (!o->source_urls[i])
		return -ENOMEM;
	s->url = o->source_urls[i];
	if (fg_url_parse(&parsed, s->url, why, sizeof(why)))
		source_error(o, at, url, why);
	for (size_t k = 0; k < i; k++)
		/* with settings of its own it may be another one */
		if (o->sources[k].url &&
		    strcmp(o->sources[k].url, s->url) == 0 &&
		    parsed.scheme != FG_URL_OTHER)
			source_error(o, at, url,
				     "is here twice: each of its "
				     "flows would count twice");
	if (s->name)
		return 0;
	fg_url_name(s->url, base, sizeof(base));
	snprintf(name, FG_SOURCE_NAME, "%s", base);
	s->name = name;
	return 0;
}

static bool name_given(const struct fg_settings_parts *o, size_t i)
{
	return o->sources[i].name && o->sources[i].name != o->source_names[i];
}

/* By an earlier one, or by any that was named by hand. */
static bool name_taken(const struct fg_settings_parts *o, size_t count,
		       size_t i)
{
	for (size_t k = 0; k < count; k++)
		if (k != i && (k < i || name_given(o, k)) &&
		    o->sources[k].name &&
		    strcmp(o->sources[k].name, o->sources[i].name) == 0)
			return true;
	return false;
}

/* Names that were given stay as they are; those that were made up give way. */
static void name_sources(struct fg_settings_parts *o, size_t count)
{
	const struct fg_node *at;

	for (size_t i = 0; i < count; i++) {
		struct fg_source_config *s = &o->sources[i];
		size_t len;

		if (!s->name)
			continue;
		if (name_given(o, i)) {
			fg_node_any(s->node, "name", &at);
			fg_settings_check_name(at, "a source");
			for (size_t k = 0; k < i; k++)
				if (name_given(o, k) &&
				    strcmp(o->sources[k].name, s->name) == 0)
					fg_node_error(at, "another source has "
							  "this name, too");
			continue;
		}
		len = strlen(s->name);
		for (unsigned n = 2; name_taken(o, count, i); n++)
			snprintf(o->source_names[i] + len, FG_SOURCE_NAME - len,
				 "-%u", n);
	}
}

int fg_sources_read(struct fg_settings_parts *o, const struct fg_node *root,
		    const char *const *urls, size_t url_count)
{
	static const char *const fallback[] = {FG_DEFAULT_SOURCE};
	const struct fg_node *list = NULL;
	bool command_line = urls != NULL;
	size_t count = url_count;
	int ret;

	ret = fg_node_any(root, "sources", &list);
	if (ret == 1 && command_line) {
		fg_node_ignore(list);
		list = NULL;
	} else if (ret == 1 && fg_node_list(root, "sources", &list) != 1) {
		return 0;
	}
	if (list) {
		count = fg_node_count(list);
		if (count == 0)
			fg_node_error(list, "\"sources\" is empty: leave it "
					    "out for " FG_DEFAULT_SOURCE);
	} else if (!command_line) {
		urls = fallback;
		count = 1;
	}
	if (count > UINT16_MAX) {
		fg_node_error(root, "more than %d sources", UINT16_MAX);
		return 0;
	}
	o->sources = fg_settings_array(count, sizeof(*o->sources));
	o->source_names = fg_settings_array(count, sizeof(*o->source_names));
	o->source_urls = fg_settings_array(count, sizeof(*o->source_urls));
	o->settings.sources = o->sources;
	if (!o->sources || !o->source_names || !o->source_urls)
		return -ENOMEM;
	o->settings.source_count = count;
	for (size_t i = 0; i < count; i++) {
		ret = read_source(o, i, list ? fg_node_at(list, i) : NULL,
				  list ? NULL : urls[i], command_line);
		if (ret)
			return ret;
	}
	name_sources(o, count);
	return 0;
}
