/* SPDX-License-Identifier: GPL-2.0-or-later */
/* render.h - counters as Prometheus text, history as JSON. */
#ifndef FG_STATS_RENDER_H
#define FG_STATS_RENDER_H

#include "counts.h"
#include "history.h"

/* The text exposition format, version 0.0.4: whole families. */
void fg_render_prometheus(const struct fg_counts *c, fg_write *write,
			  void *ctx);

/*
 * One object:
 *
 *	{"version": 1, "start_ms": of the first slot, "slot_ms": 600000,
 *"now_ms", "applications": [{"name", "up": [bytes, 144 of them], "down":
 *[...]}], "devices": [{"name", "address", "applications": [[index, bytes],
 *...]}], "actions": [{"name", "targets", "observe", "flows": [144 of them],
 *		      "applications": [[index, flows], ...],
 *		      "devices": [[index, flows], ...]}],
 *	 "delay": {"bounds_ms": [...], "flows": [...], "sum_ms"}}
 *
 * Index is the place in "applications" or "devices" above; index 0 is "other".
 * now: epoch ms, the moment that the report ends with.
 */
void fg_render_report(const struct fg_counts *c, const struct fg_history *h,
		      int64_t now, fg_write *write, void *ctx);

#endif
