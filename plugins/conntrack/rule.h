/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule.h - the rule that makes the kernel keep room for connection labels.
 *
 * Entries get a label area only when they are created while some rule sets
 * labels. This one sits in a table of its own, in a chain that no packet ever
 * passes: that it is loaded is enough. The table belongs to the socket that
 * made it, where the kernel knows owners (5.12): then it survives "nft flush
 * ruleset", and goes with the process even when that is killed.
 */
#ifndef FG_CONNTRACK_RULE_H
#define FG_CONNTRACK_RULE_H

struct fg_rule;

/* Loads it. 0 or -errno. */
int fg_rule_new(struct fg_rule **out);
/* Loads it anew, in place of what is left of it; allocates nothing. */
int fg_rule_load(struct fg_rule *r);
/* Removes it. */
void fg_rule_free(struct fg_rule *r);

#endif
