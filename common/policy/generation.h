/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generation.h - a configuration in force: its actions bound to its targets.
 */
#ifndef FG_POLICY_GENERATION_H
#define FG_POLICY_GENERATION_H

#include "membership.h"
#include "verdict.h"

struct fg_bound {
	struct fg_generation *pub;
	uint32_t **seats; /* of each action: one for each entry, or 0 */
	uint32_t *ranks;  /* of each action */
	struct fg_target **listeners; /* with .event, NULL-terminated */
	struct fg_target **counters;  /* with .count, likewise */
	struct fg_target **movers;    /* with .moved, likewise */
};

/*
 * Binds every entry of every action. Seats of previous (or NULL) that say the
 * same serve again: their flows do not notice the reload. 0, -EINVAL (said),
 * -ENOMEM; then nothing of it stays.
 */
int fg_bound_new(struct fg_bound **out, struct fg_verdicts *vs,
		 const struct fg_bound *previous, struct fg_generation *pub);
void fg_bound_free(struct fg_bound *b, struct fg_verdicts *vs);

/*
 * next: the seats that the policy gives the flow, and those of old, the ones it
 * has, that were delegated by one of them. What there is no room for is counted
 * at its target.
 */
void fg_bound_evaluate(const struct fg_bound *b, const struct fg_verdicts *vs,
		       const struct fg_flow_table *table,
		       const struct fg_flow *flow, const struct fg_roster *old,
		       struct fg_roster *next);
/* Is the target in this one? */
bool fg_bound_has(const struct fg_bound *b, const struct fg_target *t);

#endif
