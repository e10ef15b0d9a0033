/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * group.h - @groups: of addresses (address_groups, Netify's files) and of
 * applications (application_groups).
 *
 * Read once; immutable, but for the ids that application tags mean. A group
 * may name others; one that comes back to itself is an error.
 *
 * address_groups is an object: "NAME": ["192.0.2.0/24", "02:00:00:00:00:01",
 * "@other", "/etc/flowgate/kids.conf", ...] or one such text. A text with a
 * slash in front is a file of one entry a line ("#" begins a comment). A group
 * that is not in it is looked for as NN-NAME.conf in the folders of
 * fg_group_folders[], where Netify's agent has them.
 *
 * application_groups: "NAME": ["netify.netflix", 133, "@other", ...].
 */
#ifndef FG_POLICY_GROUP_H
#define FG_POLICY_GROUP_H

#include "../flow/catalog.h"
#include "addrset.h"
#include "appset.h"
#include "json.h"

struct fg_groups;

extern const char *const fg_group_folders[]; /* NULL-terminated */

/*
 * 0; -EINVAL, every error said at its node; -ENOMEM. The nodes may be NULL,
 * and must outlive the groups, like the catalog. folders: NULL for none.
 */
int fg_groups_new(struct fg_groups **out, const struct fg_catalog *catalog,
		  const struct fg_node *addresses,
		  const struct fg_node *applications,
		  const char *const *folders);
void fg_groups_free(struct fg_groups *g);

/*
 * NULL: there is none; err has a sentence ("no address group ...: did you mean
 * @kids?"). Looks into the folders, so only at load.
 */
const struct fg_addrset *fg_groups_addresses(struct fg_groups *g,
					     struct fg_slice name, char *err,
					     size_t errlen);
const struct fg_appset *fg_groups_applications(struct fg_groups *g,
					       struct fg_slice name, char *err,
					       size_t errlen);

/*
 * Looks tags up again, if there are new names. Returns how often some group's
 * ids have become others: a number to compare. Allocates nothing.
 */
uint32_t fg_groups_learn(struct fg_groups *g);

#endif
