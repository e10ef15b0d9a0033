/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * membership.h - which targets every live flow is a member of.
 *
 * The one idea behind everything: a message, a reload, the edge of a schedule,
 * a lost source each only recompute a flow's targets, and the difference is
 * told to the targets as enter and leave. Sits between the flow table and the
 * policy on one side and the target plugins on the other; pure: calls no
 * kernel, allocates only in fg_membership_configure().
 *
 * A configuration in force is a generation: policy, targets and the bindings
 * of actions to targets. After a reload the flows move over from the old one
 * in bounded steps; its last flow gone, it is retired and handed back.
 */
#ifndef FG_POLICY_MEMBERSHIP_H
#define FG_POLICY_MEMBERSHIP_H

#include "policy.h"

struct fg_membership;

/* A target as configured; self in plugin.h is a pointer to one of these. */
struct fg_target {
	const char *name;
	const struct fg_target_type *type; /* NULL: disabled or not loaded */
	void *instance;			   /* what open() gave */
	void *host_private;
	uint64_t members; /* kept by membership, as are these: */
	uint64_t observed;
	uint64_t refused; /* grants beyond FG_GRANTS_MAX or the verdict table */
	bool dirty;	  /* was told something since its last flush() */
	/*
	 * While flows of the run before are told: was this one a member then,
	 * or [true]: observed? It enters with FG_REASON_RESTART; one that was
	 * none, as by a reload.
	 */
	bool before[2];
};

/* What goes into force together. Owned by the caller, who keeps it until
 * retired() hands it back. targets are by pointer: a target that a reload
 * does not change is in the old generation and in the new one. */
struct fg_generation {
	const struct fg_settings *settings;
	struct fg_policy *policy;
	struct fg_target **targets; /* settings->target_count of them */
	void *ctx;
};

struct fg_membership_setup {
	struct fg_flow_table *table;
	struct fg_catalog *catalog;
	uint32_t max_verdicts; /* distinct sets of targets; 0: 65536 */
	uint32_t flow_idle_ms;
	/* is a job of any target in flight? for FG_TYPE_AFTER; or NULL */
	bool (*busy)(void *ctx);
	/* no flow refers to it any more; called from configure() and step() */
	void (*retired)(void *ctx, struct fg_generation *old);
	/* every flow event, for those who watch (flowgatectl flows -f); or NULL
	 */
	void (*watch)(void *ctx, enum fg_event event,
		      const struct fg_flow *flow, enum fg_reason reason);
	void *ctx;
};

int fg_membership_new(struct fg_membership **out,
		      const struct fg_membership_setup *setup);
/* Nothing is told to the targets. */
void fg_membership_free(struct fg_membership *m);

/*
 * Binds all actions to their targets and puts the generation into force for
 * whatever comes; live flows move over in step(). 0, or -EINVAL when a bind()
 * failed (said), -EBUSY while an earlier one is still moving: then nothing
 * changed.
 */
int fg_membership_configure(struct fg_membership *m, struct fg_generation *g,
			    int64_t wall_ms);

/* One message of a source; epoch: which connection of it. */
void fg_membership_message(struct fg_membership *m, uint16_t source,
			   uint16_t epoch, const struct fg_message *message,
			   int64_t now);
/*
 * Messages are of flows that were there before we were: what their counters say
 * did not grow now.
 */
void fg_membership_restoring(struct fg_membership *m, bool on);
/* grace is over: flows of source not mentioned in epoch are left (in steps). */
void fg_membership_source_void(struct fg_membership *m, uint16_t source,
			       uint16_t epoch);

/*
 * Flows of source that no message mentions for ms are left, whatever
 * flow_idle_ms is; 0: as all others. To a sixteenth of it late.
 */
void fg_membership_source_idle(struct fg_membership *m, uint16_t source,
			       uint32_t ms);

/*
 * Targets ask the never list when a flow enters, and must get the same answer
 * when it leaves: so when the answer for some addresses is going to change, the
 * flows that have one leave before (suspend), and are judged again after
 * (resume, with the same test). Both walk over all flows.
 */
typedef bool fg_flow_test(const void *ctx, const struct fg_flow *flow);
void fg_membership_suspend(struct fg_membership *m, fg_flow_test *test,
			   const void *ctx, enum fg_reason reason);
void fg_membership_resume(struct fg_membership *m, fg_flow_test *test,
			  const void *ctx, enum fg_reason reason);

/*
 * Does a bounded piece of whatever waits: idle flows, void ones, schedule
 * edges, learnt names, moving to a new generation. True: call again soon.
 */
bool fg_membership_step(struct fg_membership *m, int64_t now, int64_t wall_ms);
/* When step() is next needed, monotonic ms; INT64_MAX: not by time. */
int64_t fg_membership_deadline(const struct fg_membership *m, int64_t now,
			       int64_t wall_ms);

/*
 * flush() of all targets that were told something, those of FG_TYPE_AFTER last;
 * true: some want more. Call it again when a job is done, too.
 */
bool fg_membership_flush(struct fg_membership *m, int64_t now);

/* host->members, host->flows, host->delegate */
void fg_membership_members(struct fg_membership *m, const struct fg_target *t,
			   bool (*each)(const struct fg_flow *,
					const struct fg_member *, void *),
			   void *ctx);
void fg_membership_flows(struct fg_membership *m,
			 bool (*each)(const struct fg_flow *, void *),
			 void *ctx);
void fg_membership_delegate(struct fg_membership *m,
			    const struct fg_target *from, struct fg_target *to,
			    const struct fg_flow *flow,
			    const struct fg_member *member, bool on);
/* The memberships of one flow, for explain; returns how many. */
size_t fg_membership_of(const struct fg_membership *m,
			const struct fg_flow *flow,
			void (*each)(void *ctx, const struct fg_target *t,
				     const struct fg_member *member),
			void *ctx);

struct fg_membership_counts {
	uint64_t announced;
	uint64_t updated;
	uint64_t purged;
	uint64_t unknown; /* messages about flows never heard of */
	uint64_t evicted;
	uint64_t refused; /* announced while full of members */
	uint64_t idle;
	uint64_t source_lost;
};
void fg_membership_counts(const struct fg_membership *m,
			  struct fg_membership_counts *out);

#endif
