/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce.h - a flow as its agent would tell it: what the flow table keeps,
 * as the JSON text of a message again.
 *
 * The text has the keys of FG_ATTRIBUTES, nested as their paths say, and the
 * shapes of netifyd: whoever reads the agent's stream reads it, and from a
 * message of type flow makes the same flow again, counters included. It is one
 * line, without a newline, and valid UTF-8 whatever the agent said: what is
 * not becomes U+FFFD.
 */
#ifndef FG_FLOW_ANNOUNCE_H
#define FG_FLOW_ANNOUNCE_H

#include <flowgate/plugin.h>

#include "catalog.h"
#include "flow.h"

struct fg_announcer;

/* Both outlive it. 0 or -ENOMEM. */
int fg_announcer_new(struct fg_announcer **out, const struct fg_flow_table *t,
		     const struct fg_catalog *c);
void fg_announcer_free(struct fg_announcer *a);

/* See host->announce(). */
size_t fg_announcer_say(const struct fg_announcer *a,
			const struct fg_flow *flow, enum fg_message_type type,
			const char *reason, char *buf, size_t size);

#endif
