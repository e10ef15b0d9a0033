/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - what the configuration says of a target of type "stats". */
#ifndef FG_STATS_OPTIONS_H
#define FG_STATS_OPTIONS_H

#include <flowgate/plugin.h>

/*
 * Six tables of as many names, in five lines each of some 90 bytes: what a
 * reply of the host (8 MiB) has room for.
 */
#define FG_TOP_MAX 2000

enum fg_sides { FG_SIDES_LAN, FG_SIDES_WAN, FG_SIDES_BOTH, FG_SIDES_COUNT };

/* Text is the configuration's; NULL: not wanted. */
struct fg_options {
	const char *listen;   /* "unix:///path" or "address:port" */
	const char *textfile; /* absolute paths */
	const char *state;
	int64_t interval_ms; /* of the textfile */
	uint32_t top;
	enum fg_sides sides;
};

/* 0, or -EINVAL (said). */
int fg_options_read(struct fg_options *o, const struct fg_host *host,
		    const struct fg_node *cfg);

/* Does a flow count? With lan, those that were seen inside. */
bool fg_options_take(const struct fg_options *o, const struct fg_flow *flow);

#endif
