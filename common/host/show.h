/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.h - flows, sources and targets as text for people and as JSON. */
#ifndef FG_HOST_SHOW_H
#define FG_HOST_SHOW_H

#include "policy/membership.h"
#include "reply.h"

struct fg_gate;

/* One flow on one line (with the newline); event: NULL, or what happened. */
void fg_show_flow(struct fg_reply *r, struct fg_gate *g,
		  const struct fg_flow *flow, bool json, const char *event,
		  const char *reason);
/* The object of one flow, or its line, without a newline. */
void fg_show_flow_object(struct fg_reply *r, struct fg_gate *g,
			 const struct fg_flow *flow);
void fg_show_flow_text(struct fg_reply *r, struct fg_gate *g,
		       const struct fg_flow *flow);
void fg_show_status(struct fg_reply *r, struct fg_gate *g, bool json);
void fg_show_targets(struct fg_reply *r, struct fg_gate *g, bool json);

/* A target's status with its own counters. */
#define FG_SHOW_COUNTERS 48
struct fg_show_counters {
	size_t count;
	struct {
		char name[48];
		uint64_t value;
	} counters[FG_SHOW_COUNTERS];
};
void fg_show_target_status(const struct fg_target *t, struct fg_status *s,
			   struct fg_show_counters *own);

extern const char *const fg_event_names[]; /* by enum fg_event */
extern const char *const fg_reason_names[FG_REASON_COUNT];

#endif
