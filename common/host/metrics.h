/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.h - what host and targets have to tell to monitors and reports. */
#ifndef FG_HOST_METRICS_H
#define FG_HOST_METRICS_H

#include "reply.h"

struct fg_gate;

/*
 * host->render(): "prometheus" is the host's own counters, then what each
 * target adds; "report" one object, {"version", "wall_ms", "targets": [{"name",
 * "type", "report"}]}, of those targets that have one.
 */
void fg_metrics_render(struct fg_gate *g, const char *format, fg_write *write,
		       void *ctx);

#endif
