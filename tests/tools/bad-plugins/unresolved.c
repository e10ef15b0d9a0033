/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unresolved.c - calls what no library has. */
#include "bad.h"

int there_is_no_such_function(void);

static int call_it(void *target)
{
	(void)target;
	return there_is_no_such_function();
}

static const struct fg_target_type type = {
	.size = sizeof(type),
	.name = "unresolved",
	.open = bad_open,
	.configured = call_it,
	.enter = bad_member,
	.leave = bad_member,
	.close = bad_close,
};
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("unresolved", "1", "wrong"),
	.targets = targets,
};
