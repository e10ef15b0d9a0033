/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out.h - text on its way to an fg_write, with what must be escaped in it. */
#ifndef FG_STATS_OUT_H
#define FG_STATS_OUT_H

#include "label.h"

struct fg_out {
	fg_write *write;
	void *ctx;
};

/* At most 511 bytes a call. */
void fg_out_printf(const struct fg_out *o, const char *fmt, ...)
	FG_PRINTF(2, 3);
/* In quotes, as the value of a Prometheus label. */
void fg_out_label(const struct fg_out *o, const struct fg_label *l);
/*
 * In quotes, as a JSON string without '<', '>' and '&': it may stand in HTML.
 */
void fg_out_json(const struct fg_out *o, const struct fg_label *l);

#endif
