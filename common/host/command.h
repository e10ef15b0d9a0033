/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - what can be asked over the control socket.
 *
 *	status			all of it; -j: the stable format
 *	targets			one line, or object, a target, with its counters
 *	flows [-f] [EXPRESSION]	live flows, those that the expression matches;
 *				-f: what happens to flows from now on
 *	explain ADDRESS [PORT]	for each live flow of it: where it is and why
 *	top ROWS COLUMNS	one page: the most active applications and
 *devices metrics			counters as Prometheus text reload
 *reads the configuration again, tells the outcome version help
 */
#ifndef FG_HOST_COMMAND_H
#define FG_HOST_COMMAND_H

#include "reply.h"

struct fg_gate;
struct fg_criteria;
struct fg_top;

/* A request under way; owned by the connection it came on. */
struct fg_request {
	struct fg_gate *gate;
	struct fg_reply body;
	bool json;
	bool failed; /* error[] says why */
	char error[512];

	/*
	 * Adds a bounded piece to body, false when that was the last; NULL:
	 * the body is complete.
	 */
	bool (*more)(struct fg_request *r);
	uint32_t cursor;
	struct fg_criteria *filter;
	struct fg_top *top;
	bool wait_reload; /* complete when a reload has ended */
	bool follow;	  /* never complete: flow events are added */
	uint64_t missed;  /* events that a slow client did not get */

	/* of explain: */
	int version;
	uint8_t addr[16];
	uint16_t port; /* 0: any */
	bool explained; /* a flow, or an element, at least */
	bool flows_done;
	size_t target; /* the next to be asked what lingers */
};

/* line: without its newline; may be changed. */
void fg_command_run(struct fg_request *r, char *line);
/* One event of a flow, for a request that follows. */
void fg_command_event(struct fg_request *r, enum fg_event event,
		      const struct fg_flow *flow, enum fg_reason reason);
void fg_command_end(struct fg_request *r);

#endif
