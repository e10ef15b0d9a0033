/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.h - the host's own counters, as Prometheus text. */
#ifndef FG_HOST_METRICS_H
#define FG_HOST_METRICS_H

#include "reply.h"

struct fg_gate;

void fg_metrics_write(struct fg_reply *r, struct fg_gate *g);

#endif
