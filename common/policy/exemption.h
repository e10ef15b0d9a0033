/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exemption.h - whom something does not apply to: a list of addresses,
 * prefixes, MAC addresses, @groups (of either end of the flow) and expressions.
 */
#ifndef FG_POLICY_EXEMPTION_H
#define FG_POLICY_EXEMPTION_H

#include "criteria.h"

struct fg_exemptions {
	struct fg_addrset *set;
	struct fg_criteria **criteria;
	size_t criteria_count;
	const struct fg_node *list; /* for fg_exemptions_show() */
};

/*
 * list may be NULL: nobody. 0; -EINVAL, every error said at its place; -ENOMEM.
 * To be freed in any case.
 */
int fg_exemptions_read(struct fg_exemptions *e, struct fg_scope *scope,
		       const struct fg_node *list);
void fg_exemptions_free(struct fg_exemptions *e);

bool fg_exemptions_have(const struct fg_exemptions *e, const struct fg_view *v);
bool fg_exemptions_learn(struct fg_exemptions *e);
uint32_t fg_exemptions_depends(const struct fg_exemptions *e);
/* Which entry has the flow: "@staff (other_ip is 192.0.2.1)". Returns out. */
const char *fg_exemptions_show(const struct fg_exemptions *e,
			       const struct fg_scope *scope,
			       const struct fg_view *v, char *out, size_t size);

#endif
