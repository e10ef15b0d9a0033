/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * label.h - what a thing is called wherever it is counted.
 *
 * A label is printable: what came from the stream with control characters or
 * invalid UTF-8 in it has them as \xNN. Things that look the same are the same,
 * so that no two lines of a rendering can have equal labels.
 */
#ifndef FG_STATS_LABEL_H
#define FG_STATS_LABEL_H

#include <flowgate/plugin.h>

/* Applications have at most 83 bytes, addresses 45; actions are cut. */
#define FG_LABEL_MAX 95

struct fg_label {
	uint8_t len;
	char text[FG_LABEL_MAX + 1]; /* NUL-terminated */
};

/* The name of everything that has no place of its own. */
#define FG_LABEL_OTHER "other"

/* Cut to FG_LABEL_MAX bytes; "unknown" when there is nothing. */
void fg_label_set(struct fg_label *l, const char *text);
/* The local side of a flow: its MAC address, else its address. */
void fg_label_device(struct fg_label *l, const struct fg_flow *flow);
/* Its address alone. */
void fg_label_address(struct fg_label *l, const struct fg_flow *flow);
bool fg_label_equal(const struct fg_label *a, const struct fg_label *b);

#endif
