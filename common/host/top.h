/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top.h - one page of what is going on: sources, targets, and the applications
 * and devices with the most traffic.
 *
 * Flows are added up in bounded pieces, so that a large table does not hold up
 * the loop; the page is made when all have been looked at.
 */
#ifndef FG_HOST_TOP_H
#define FG_HOST_TOP_H

#include "reply.h"

struct fg_gate;
struct fg_top;

/* rows and columns: of the terminal. NULL when out of memory. */
struct fg_top *fg_top_new(struct fg_gate *g, unsigned rows, unsigned columns);
void fg_top_free(struct fg_top *top);
/* Looks at some more flows; false: that was all, and the page is in r. */
bool fg_top_more(struct fg_top *top, struct fg_reply *r);

#endif
