/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack.c - the plugin: marks, labels and kills of connections, in the
 * kernel's connection tracking table.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "types.h"

void fg_entry_unknown(int err, char *text, size_t size)
{
	switch (err) {
	case -ENOENT:
		snprintf(text, size, "the kernel has no such connection");
		break;
	case -EAFNOSUPPORT:
	case -EPROTONOSUPPORT:
		snprintf(text, size,
			 "not a connection that can be looked up: the agent "
			 "gives no ports or ids for it");
		break;
	default:
		snprintf(text, size,
			 "the connection could not be asked for: "
			 "%s",
			 strerror(-err));
	}
}

static const struct fg_target_type *const targets[] = {
	&fg_ctmark_type, &fg_ctlabel_type, &fg_ctkill_type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("conntrack", FG_VERSION,
			 "marks, labels and ends connections"),
	.targets = targets,
};
