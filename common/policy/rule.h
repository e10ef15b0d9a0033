/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule.h - one action, read: when, where, for what and for whom not; and what a
 * policy is made of, for policy.c and explain.c.
 */
#ifndef FG_POLICY_RULE_H
#define FG_POLICY_RULE_H

#include "exemption.h"
#include "index.h"
#include "never.h"
#include "policy.h"
#include "schedule.h"

/* On which interfaces; by name, or by side. */
struct fg_interfaces {
	bool any;
	bool lan, wan;
	const struct fg_node
		*names; /* text or list; the sides are in it, too */
};

/* One of the alternatives of "criteria". */
struct fg_alternative {
	struct fg_criteria *criteria;
	const struct fg_node *text;
	enum fg_cover cover;
	bool said_limited;
};

struct fg_rule {
	const struct fg_action_config *config;
	struct fg_alternative *alternatives;
	size_t count;
	struct fg_interfaces interfaces;
	struct fg_exemptions exemptions;
	struct fg_schedule *schedule; /* NULL: always */
	bool open;		      /* it is time */
	struct fg_policy_counts counts;
};

struct fg_policy {
	const struct fg_settings *settings;
	struct fg_scope *scope;
	struct fg_zone *zone;
	struct fg_never *never;
	struct fg_exemptions exemptions; /* of all actions */
	struct fg_rule *rules;		 /* settings->action_count of them */
	size_t count;
	uint32_t depends;
	uint32_t generation; /* of the catalog, when names were looked up */
	uint32_t group_changes;
	/* until when, from when, the windows are as they are; wall ms */
	int64_t time_from, time_next;

	struct fg_index *index;
	size_t words;	  /* of these sets of rules: */
	uint64_t *always; /* cannot be found by ids */
	bool any_always;
	uint64_t *active; /* enabled, and open */
	/* scratch of fg_policy_evaluate(), one after the other, zero between */
	uint64_t *found, *exact;

	uint64_t overflow; /* grants beyond FG_GRANTS_MAX */
	bool said_overflow;
	uint64_t seen_limited; /* of the regex engine, looked into already */
	bool names_missing;    /* the catalog was empty at load */
	size_t unknown_rule, unknown_name; /* told so far, once it is not */
};

/* 0; -EINVAL, all said; -ENOMEM. To be freed in any case. */
int fg_rule_read(struct fg_rule *r, struct fg_scope *scope,
		 const struct fg_zone *zone,
		 const struct fg_action_config *config);
void fg_rule_free(struct fg_rule *r);

bool fg_rule_interface(const struct fg_rule *r, const struct fg_view *v);
/* Do the criteria hold? exact: the index said that one of them does. */
bool fg_rule_matches(const struct fg_rule *r, const struct fg_view *v,
		     bool exact);
bool fg_rule_learn(struct fg_rule *r);
uint32_t fg_rule_depends(const struct fg_rule *r);

#endif
