/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.h - what plugins are given: struct fg_host over the parts of the gate.
 *
 * Every user of the host (an open target, a source's input) has a copy of its
 * own, so that what it does can be told apart: its jobs, what it logs.
 */
#ifndef FG_HOST_HOST_H
#define FG_HOST_HOST_H

#include <flowgate/plugin.h>

struct fg_gate;

struct fg_client {
	struct fg_host host; /* what the plugin gets */
	struct fg_gate *gate;
	unsigned jobs;	 /* in flight */
	unsigned errors; /* logged with FG_LOG_ERROR */
};

/* The client may not move, nor go while it has jobs. */
void fg_client_init(struct fg_client *c, struct fg_gate *gate);
void fg_client_fini(struct fg_client *c);

#endif
