/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.c - the flow table, the catalog and membership, sized by limits. */
#include "tables.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "setup.h"

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
	return seed;
}

static void retired(void *ctx, struct fg_generation *old)
{
	struct fg_gate *g = ctx;

	g->moving = false;
	fg_setup_free(old->ctx, g);
}

static bool busy(void *ctx)
{
	struct fg_gate *g = ctx;

	return fg_setup_busy(g->setup);
}

static bool same_limits(const struct fg_limits *a, const struct fg_limits *b)
{
	return a->max_flows == b->max_flows &&
	       a->detail_bytes == b->detail_bytes &&
	       a->max_message == b->max_message &&
	       a->max_tokens == b->max_tokens &&
	       a->flow_idle_ms == b->flow_idle_ms &&
	       a->max_names == b->max_names;
}

int fg_tables_make(struct fg_gate *g, const struct fg_limits *limits)
{
	const struct fg_flow_limits flow = {.max_flows = limits->max_flows,
					    .detail_bytes =
						    limits->detail_bytes,
					    .seed = random_seed()};
	struct fg_membership_setup membership = {
		.flow_idle_ms = limits->flow_idle_ms,
		.busy = busy,
		.retired = retired,
		.watch = fg_gate_watch,
		.ctx = g,
	};
	int ret;

	if (g->membership) {
		if (!same_limits(limits, &g->limits))
			fg_setup_say(g, FG_LOG_WARNING,
				     "other \"limits\" are in force only after "
				     "a restart");
		return 0;
	}
	g->limits = *limits;
	ret = fg_catalog_new(&g->catalog, limits->max_names, random_seed());
	if (ret == 0)
		ret = fg_flow_table_new(&g->table, &flow);
	if (ret == 0)
		ret = fg_announcer_new(&g->announcer, g->table, g->catalog);
	if (ret == 0) {
		membership.table = g->table;
		membership.catalog = g->catalog;
		ret = fg_membership_new(&g->membership, &membership);
	}
	if (ret < 0)
		fg_setup_error(
			g,
			"no memory for %u flows: %s (lower limits.max_flows)",
			limits->max_flows, strerror(-ret));
	return ret;
}

void fg_tables_load_names(struct fg_gate *g, const struct fg_settings *settings)
{
	const struct fg_node *list = settings->catalog;
	size_t n = list ? fg_node_count(list) : 0;
	char err[512];

	if (list && fg_node_kind(list) == FG_NODE_TEXT)
		n = 1;
	for (size_t i = 0; i < n; i++) {
		const struct fg_node *at = fg_node_kind(list) == FG_NODE_TEXT
						   ? list
						   : fg_node_at(list, i);
		const char *path = fg_node_as_text(at);

		if (!path)
			fg_node_error(at, "\"catalog\" lists paths, in quotes");
		else if (fg_catalog_load(g->catalog, path, err, sizeof(err)) <
			 0)
			fg_node_error(at, "%s", err);
	}
	if (list)
		return;
	for (const char *const *p = fg_catalog_paths; *p; p++)
		if (access(*p, F_OK) == 0 &&
		    fg_catalog_load(g->catalog, *p, err, sizeof(err)) < 0)
			fg_log_say(g->log, FG_LOG_WARNING,
				   "%s: its names are not known", err);
}
