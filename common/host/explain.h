/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h - what the configuration makes of recorded flows, without a
 * kernel: "flowgated -t --explain FILE".
 */
#ifndef FG_HOST_EXPLAIN_H
#define FG_HOST_EXPLAIN_H

#include "gate.h"

/*
 * To standard output, for each message that announces or updates a flow: the
 * flow, and a line for each action. path: "-" is standard input. 0, or -errno
 * said already.
 */
int fg_explain_file(struct fg_gate *g, const char *path);
/* A flow, and what the policy in force makes of it; indented for comments. */
void fg_explain_flow(struct fg_gate *g, const struct fg_flow *flow,
		     const char *indent);

#endif
