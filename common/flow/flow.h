/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.h - the flow table: what is known of every live flow.
 *
 * A flow's identity is its digest, per source. The table is sized once; no
 * call here allocates after fg_flow_table_new(). Pointers to flows are stable
 * until fg_flow_remove().
 *
 * The text of a flow (host name, TLS names, ...) is its detail: an immutable
 * blob shared by all flows that have the same, so that a million flows to the
 * same places cost one number each.
 */
#ifndef FG_FLOW_FLOW_H
#define FG_FLOW_FLOW_H

#include <flowgate/plugin.h>

struct fg_flow_table;

struct fg_flow_limits {
	uint32_t max_flows;	 /* at least 1 */
	size_t detail_bytes;	 /* all text; 0: max_flows * 256, or 64 KiB */
	uint16_t max_interfaces; /* distinct names; 0: 1024 */
	uint64_t seed;		 /* of the hashes; random but in tests */
};

/* 0, -EINVAL, -ENOMEM. Memory is touched only as flows come. */
int fg_flow_table_new(struct fg_flow_table **out,
		      const struct fg_flow_limits *limits);
void fg_flow_table_free(struct fg_flow_table *t);

/* What fg_flow_update() changed. */
#define FG_CHANGED_KEY	    0x1u /* the part of struct fg_flow marked "key" */
#define FG_CHANGED_CLASS    0x2u /* and the flags that say how it was detected */
#define FG_CHANGED_DETAIL   0x4u
#define FG_CHANGED_COUNTERS 0x8u

struct fg_flow *fg_flow_find(struct fg_flow_table *t, uint16_t source,
			     const uint8_t digest[FG_DIGEST_SIZE]);

/*
 * Takes over all that message m says of the flow. A FG_MESSAGE_FLOW for a known
 * digest is a new announcement: class and detail of the old one do not survive
 * it, but for what it repeats; nor do counters, when it began at another time.
 * Values out of range are not said; detail that does not fit is left out and
 * counted. Counters follow the agent's totals, so that the same bytes told
 * again are not counted again. Returns what changed; *was (if not NULL) is what
 * the flow was before.
 */
uint32_t fg_flow_update(struct fg_flow_table *t, struct fg_flow *flow,
			const struct fg_message *m, struct fg_flow *was);

/* A slot for a new digest, all zero but source and digest; NULL when full. */
struct fg_flow *fg_flow_insert(struct fg_flow_table *t, uint16_t source,
			       const uint8_t digest[FG_DIGEST_SIZE]);
/*
 * Which flow to give up for another: the longest-quiet one that is a member of
 * nothing, or NULL. When one client holds a sixteenth of the table or more
 * with such flows, it is a long-quiet one of that client: whoever opens flow
 * after flow pushes out its own, not those of others.
 */
struct fg_flow *fg_flow_victim(struct fg_flow_table *t);
void fg_flow_remove(struct fg_flow_table *t, struct fg_flow *flow);
/* The digest changed (digest_prev); 0, or -EEXIST. */
int fg_flow_rename(struct fg_flow_table *t, struct fg_flow *flow,
		   const uint8_t digest[FG_DIGEST_SIZE]);

/*
 * The agent mentioned the flow: it goes to the young end. epoch tells one
 * connection of the source from the next. now is monotonic ms.
 */
void fg_flow_touch(struct fg_flow_table *t, struct fg_flow *flow,
		   uint16_t epoch, int64_t now);
uint16_t fg_flow_epoch(const struct fg_flow_table *t,
		       const struct fg_flow *flow);
/* Monotonic ms (to the second) of the last touch. */
int64_t fg_flow_touched(const struct fg_flow_table *t,
			const struct fg_flow *flow);
/* The longest-quiet flow of all, or NULL. */
struct fg_flow *fg_flow_quietest(struct fg_flow_table *t);

/*
 * What membership keeps with a flow: an opaque number, 0 for "member of
 * nothing", which is also what makes a flow a victim.
 */
uint32_t fg_flow_verdict(const struct fg_flow_table *t,
			 const struct fg_flow *flow);
void fg_flow_set_verdict(struct fg_flow_table *t, struct fg_flow *flow,
			 uint32_t verdict);

/*
 * Walks the slots: the first live flow at or after *cursor (start with 0), or
 * NULL at the end. Flows may be removed and inserted between two calls; one
 * that lives all the while is seen exactly once.
 */
struct fg_flow *fg_flow_next(struct fg_flow_table *t, uint32_t *cursor);

/*
 * See host->flow_get(). Also what only messages carry but the table counts:
 * local_bytes and its like are cumulative here. Of a copy of a flow: what the
 * table keeps of it now.
 */
bool fg_flow_get(const struct fg_flow_table *t, const struct fg_flow *flow,
		 enum fg_attr attr, union fg_value *out);

/*
 * Interface names; 0 is "". Beyond max_interfaces, and longer than 126 bytes,
 * all are one, "?".
 */
uint16_t fg_flow_interface(struct fg_flow_table *t, struct fg_slice name);
const char *fg_flow_interface_name(const struct fg_flow_table *t, uint16_t id);
/* agent_status roles: 'l' (LAN), 'w' (WAN) or 0 */
void fg_flow_set_role(struct fg_flow_table *t, uint16_t interface, char role);
char fg_flow_role(const struct fg_flow_table *t, uint16_t interface);

struct fg_flow_counts {
	uint32_t live;
	uint32_t peak;
	uint64_t detail_used;	 /* bytes */
	uint64_t detail_dropped; /* blobs or texts left out, or cut */
};
void fg_flow_counts(const struct fg_flow_table *t, struct fg_flow_counts *out);
/* bytes that one flow costs, without its detail */
size_t fg_flow_size(void);

#endif
