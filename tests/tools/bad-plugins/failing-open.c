/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failing-open.c - refuses to open, without a word. */
#include "bad.h"

#include <errno.h>

static int refuse(const struct fg_host *host, const void *self,
		  const char *name, const struct fg_node *cfg,
		  const struct fg_node *globals, void **target)
{
	(void)bad_open(host, self, name, cfg, globals, target);
	return -ENODEV;
}

static const struct fg_target_type type = {
	.size = sizeof(type),
	.name = "failing-open",
	.open = refuse,
	.enter = bad_member,
	.leave = bad_member,
	.close = bad_close,
};
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("failing-open", "1", "wrong"),
	.targets = targets,
};
