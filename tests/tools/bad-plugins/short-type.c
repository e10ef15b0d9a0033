/* SPDX-License-Identifier: GPL-2.0-or-later */
/* short-type.c - a target type that is shorter than any can be. */
#include "bad.h"

static const struct fg_target_type type = {.size = 8, .name = "short-type"};
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("short-type", "1", "wrong"),
	.targets = targets,
};
