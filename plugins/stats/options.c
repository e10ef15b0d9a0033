/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - reads the configuration of a target of type "stats". */
#include "options.h"

#include <errno.h>
#include <string.h>

#include "base/place.h"
#include "listener.h"

static int check_path(const struct fg_config *c, const struct fg_node *cfg,
		      const char *key, const char *path)
{
	if (!path || *path == '/')
		return 0;
	c->error(cfg,
		 "\"%s\" is \"%s\": give an absolute path, flowgated changes "
		 "its directory",
		 key, path);
	return -EINVAL;
}

/* Nothing else depends on what is written there: a word, and no error. */
static void check_folder(const struct fg_config *c, const struct fg_node *cfg,
			 const char *key, const char *path)
{
	char why[512];

	if (!path || fg_place_check_file(path, why, sizeof(why)) == 0)
		return;
	c->any(cfg, key, &cfg);
	c->warning(cfg, "\"%s\" cannot be written: %s", key, why);
}

/* The collector reads files of that name only, and says nothing of others. */
static int check_name(const struct fg_config *c, const struct fg_node *cfg,
		      const char *path)
{
	size_t len = path ? strlen(path) : 0;

	if (!path || (len > 5 && !strcmp(path + len - 5, ".prom")))
		return 0;
	c->error(cfg,
		 "\"textfile\" is \"%s\": node_exporter reads files whose "
		 "names end in .prom",
		 path);
	return -EINVAL;
}

static int read_sides(const struct fg_config *c, const struct fg_node *cfg,
		      enum fg_sides *out)
{
	static const char *const words[FG_SIDES_COUNT] = {"lan", "wan", "both"};
	const char *word = NULL, *near;
	int got = c->text(cfg, "sides", &word);

	if (got <= 0)
		return got;
	for (int i = 0; i < FG_SIDES_COUNT; i++)
		if (!strcmp(word, words[i])) {
			*out = (enum fg_sides)i;
			return 0;
		}
	near = c->nearest(word, words, FG_SIDES_COUNT);
	c->error(cfg, "\"sides\" is \"%s\": it is lan, wan or both%s%s%s", word,
		 near ? " (did you mean \"" : "", near ? near : "",
		 near ? "\"?)" : "");
	return -EINVAL;
}

int fg_options_read(struct fg_options *o, const struct fg_host *host,
		    const struct fg_node *cfg)
{
	const struct fg_config *c = host->config;
	uint64_t interval = 15, top = 100;
	char why[160];

	*o = (struct fg_options){.sides = FG_SIDES_LAN};
	if (c->text(cfg, "listen", &o->listen) < 0 ||
	    c->text(cfg, "textfile", &o->textfile) < 0 ||
	    c->text(cfg, "state", &o->state) < 0 ||
	    c->uint(cfg, "textfile_interval", 1, 3600, &interval) < 0 ||
	    c->uint(cfg, "top", 1, FG_TOP_MAX, &top) < 0 ||
	    read_sides(c, cfg, &o->sides) < 0 ||
	    check_path(c, cfg, "textfile", o->textfile) < 0 ||
	    check_name(c, cfg, o->textfile) < 0 ||
	    check_path(c, cfg, "state", o->state) < 0)
		return -EINVAL;
	check_folder(c, cfg, "textfile", o->textfile);
	check_folder(c, cfg, "state", o->state);
	if (o->listen && fg_listen_check(o->listen, why, sizeof(why)) < 0) {
		c->error(cfg, "\"listen\" is \"%s\": %s", o->listen, why);
		return -EINVAL;
	}
	o->interval_ms = (int64_t)interval * 1000;
	o->top = (uint32_t)top;
	return 0;
}

bool fg_options_take(const struct fg_options *o, const struct fg_flow *flow)
{
	bool internal = flow->flags & FG_FLOW_INTERNAL;

	return o->sides == FG_SIDES_BOTH ||
	       internal == (o->sides == FG_SIDES_LAN);
}
