/* SPDX-License-Identifier: GPL-2.0-or-later */
/* no-name.c - has a type, but no name of its own. */
#include "bad.h"

static const struct fg_target_type type = BAD_TYPE("no-name");
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("", "1", "wrong"),
	.targets = targets,
};
