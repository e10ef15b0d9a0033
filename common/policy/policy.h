/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - actions, exemptions, groups; flow -> set of targets.
 *
 * Built once from the settings, then immutable but for the clock (which time
 * windows are open) and the names (which ids a tag means). Evaluation
 * allocates nothing and costs by the actions that can match the flow's ids,
 * not by all there are.
 */
#ifndef FG_POLICY_POLICY_H
#define FG_POLICY_POLICY_H

#include "config.h"
#include "../flow/catalog.h"
#include "../flow/flow.h"

struct fg_policy;

/* That a flow belongs to a target, and by which of its entries. */
struct fg_grant {
	uint16_t target; /* index in settings.targets */
	uint16_t action; /* index in settings.actions */
	uint8_t entry;	 /* index in that action's targets */
	uint8_t observe;
};

#define FG_GRANTS_MAX 64 /* more targets for one flow are left out, counted */

/*
 * 0, or -EINVAL with every error said through the settings' report. settings
 * and catalog must outlive the policy. Disabled actions are checked, too.
 */
int fg_policy_new(struct fg_policy **out, const struct fg_settings *settings,
		  const struct fg_catalog *catalog);
void fg_policy_free(struct fg_policy *p);

/*
 * The targets of a flow, at most one grant a target (the earliest action
 * wins; enforcing and observing are apart), ordered by target, then observe.
 * Returns how many.
 */
size_t fg_policy_evaluate(const struct fg_policy *p,
			  const struct fg_flow_table *table,
			  const struct fg_flow *flow,
			  struct fg_grant out[FG_GRANTS_MAX]);

/* FG_CHANGED_*: a message that changes none of these can't change a verdict. */
uint32_t fg_policy_depends(const struct fg_policy *p);

/*
 * Tells the time: until then, actions with a time_of_day are closed. Cheap while
 * no edge is passed, and right after any jump. True: a window opened or closed, verdicts may differ.
 * *next: wall ms of the next edge, INT64_MAX when there is none.
 */
bool fg_policy_set_time(struct fg_policy *p, int64_t wall_ms, int64_t *next);
/* Looks names up again after the catalog learnt; true: verdicts may differ. */
bool fg_policy_learn(struct fg_policy *p);

/* May no target ever hold this address? version 4 or 6. */
bool fg_policy_never(const struct fg_policy *p, int version,
		     const uint8_t addr[16]);
bool fg_policy_never_listed(const struct fg_policy *p, int version,
			    const uint8_t addr[16]);
/* The gateway's own addresses, part of the default never list. */
void fg_policy_never_own(struct fg_policy *p, int version,
			 const uint8_t (*addrs)[16], size_t n);

/*
 * One line for each action (and global exemption, never list): matched or not,
 * by which part, exempted by what, halted where, in which window.
 */
void fg_policy_explain(const struct fg_policy *p,
		       const struct fg_flow_table *table,
		       const struct fg_flow *flow,
		       void (*line)(void *ctx, const char *text), void *ctx);

/* Of one action, each time that a flow is evaluated. */
struct fg_policy_counts {
	uint64_t matched;  /* it applied */
	uint64_t observed; /* it would have */
	uint64_t exempted;
	uint64_t limited; /* regular expressions given up: no match */
};
void fg_policy_counts(const struct fg_policy *p, size_t action,
		      struct fg_policy_counts *out);

/*
 * Something that the administrator should hear of, each only once: a regular
 * expression that takes too long, a tag that the agent did not name. False:
 * nothing (more), which costs next to nothing.
 */
bool fg_policy_complaint(struct fg_policy *p, char *out, size_t size);

/*
 * An expression alone, for "flowgatectl flows EXPRESSION". 0; -EINVAL with a
 * sentence in err ("character 5: ..."); -ENOMEM. It may outlive the policy, but
 * not the catalog.
 */
struct fg_criteria;
int fg_policy_filter(const struct fg_policy *p, struct fg_criteria **out,
		     const char *text, char *err, size_t errlen);
bool fg_criteria_match(const struct fg_criteria *c,
		       const struct fg_flow_table *table,
		       const struct fg_flow *flow);
void fg_criteria_free(struct fg_criteria *c);

#endif
