/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.c - opens and closes targets. */
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"

/* The value of its "target_type", for errors about it. */
static const struct fg_node *type_node(const struct fg_target_config *config)
{
	const struct fg_node *n = config->node;

	fg_node_any(config->node, "target_type", &n);
	return n;
}

/* Has something been said since errors were counted as before? */
static bool said(const struct fg_open_target *t, unsigned before)
{
	return fg_json_errors(t->conf->settings->doc) + t->client.errors >
	       before;
}

static int open_instance(struct fg_open_target *t, struct fg_gate *g)
{
	const struct fg_target_config *config = t->config;
	const struct fg_target_type *type;
	unsigned errors;
	char err[600];
	int ret;

	type = fg_plugins_target(g->plugins, config->type, err, sizeof(err));
	if (!type) {
		fg_node_error(type_node(config), "target \"%s\": %s",
			      config->name, err);
		fg_node_ignore(config->node);
		return -ENOENT;
	}
	errors = fg_json_errors(t->conf->settings->doc) + t->client.errors;
	ret = type->open(&t->client.host, &t->pub, config->name, config->node,
			 config->globals, &t->pub.instance);
	if (ret < 0) {
		if (!said(t, errors))
			fg_node_error(
				config->node,
				"target \"%s\": its plugin cannot open it: %s",
				config->name, strerror(-ret));
		return ret;
	}
	t->pub.type = type;
	return 0;
}

int fg_target_open(struct fg_open_target **out, struct fg_gate *g,
		   struct fg_conf *conf, const struct fg_target_config *config)
{
	struct fg_open_target *t = calloc(1, sizeof(*t));
	int ret = 0;

	if (!t)
		return -ENOMEM;
	t->pub.name = config->name;
	t->pub.host_private = t;
	t->conf = fg_conf_hold(conf);
	t->config = config;
	t->users = 1;
	fg_client_init(&t->client, g);
	if (config->enabled)
		ret = open_instance(t, g);
	else
		fg_node_ignore(config->node);
	if (ret < 0) {
		fg_target_close(t);
		return ret;
	}
	*out = t;
	return 0;
}

static bool node_same(const struct fg_node *a, const struct fg_node *b)
{
	return a && b ? fg_node_equal(a, b) : a == b;
}

bool fg_target_same(const struct fg_open_target *t,
		    const struct fg_target_config *config)
{
	return !strcmp(t->config->name, config->name) &&
	       t->config->enabled == config->enabled &&
	       !strcmp(t->config->type, config->type) &&
	       node_same(t->config->node, config->node) &&
	       node_same(t->config->globals, config->globals);
}

int fg_target_configured(struct fg_open_target *t)
{
	const struct fg_target_type *type = t->pub.type;
	unsigned errors =
		fg_json_errors(t->conf->settings->doc) + t->client.errors;
	int ret;

	if (!type || !type->configured)
		return 0;
	ret = type->configured(t->pub.instance);
	if (ret < 0 && !said(t, errors))
		fg_node_error(t->config->node,
			      "target \"%s\": its plugin refuses the "
			      "configuration: %s",
			      t->config->name, strerror(-ret));
	return ret;
}

void fg_target_stop(struct fg_open_target *t)
{
	/* Stands in for the closed: it has no unbind() that could be called. */
	static const struct fg_target_type closed = {.size = sizeof(closed)};

	if (t->pub.type)
		t->pub.type->close(t->pub.instance, true);
	t->pub.type = &closed;
}

void fg_target_close(struct fg_open_target *t)
{
	if (t->pub.type && t->pub.type->close)
		t->pub.type->close(t->pub.instance, false);
	fg_client_fini(&t->client);
	fg_conf_drop(t->conf);
	free(t);
}
