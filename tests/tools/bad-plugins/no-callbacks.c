/* SPDX-License-Identifier: GPL-2.0-or-later */
/* no-callbacks.c - a target type that nothing could be told. */
#include "bad.h"

static const struct fg_target_type type = {
	.size = sizeof(type),
	.name = "no-callbacks",
	.open = bad_open,
};
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("no-callbacks", "1", "wrong"),
	.targets = targets,
};
