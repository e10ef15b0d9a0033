/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h - what an agent says of its names: applications, protocols, and the
 * roles of its interfaces. Takes parts of messages that were read, that is,
 * valid JSON; a part that is not there is empty.
 */
#ifndef FG_NETIFYD_NAMES_H
#define FG_NETIFYD_NAMES_H

#include <flowgate/plugin.h>

typedef void fg_name_fn(void *ctx, enum fg_name kind, uint32_t id,
			struct fg_slice tag);
typedef void fg_role_fn(void *ctx, struct fg_slice name, struct fg_slice role);

/*
 * Calls each() for all names in the lists [{"id": 0, "tag": "Unknown"}, ...].
 * v4's applications begin with a copy of all its protocols, under ids that
 * mean other applications: that copy is left out, as are names with escapes.
 */
void fg_names_each(struct fg_slice protocols, struct fg_slice applications,
		   fg_name_fn *each, void *ctx);

/* The same for {"eth0": {"role": "LAN"}, ...}. */
void fg_roles_each(struct fg_slice interfaces, fg_role_fn *each, void *ctx);

/* v3 puts the id in front: "133.netify.netflix" -> "netify.netflix". */
struct fg_slice fg_name_without_id(struct fg_slice tag);

#endif
