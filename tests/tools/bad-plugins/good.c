/* SPDX-License-Identifier: GPL-2.0-or-later */
/* good.c - nothing wrong with it: what is wrong is where it lies. */
#include "bad.h"

static const struct fg_target_type type = BAD_TYPE("good");
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("good", "1", "does nothing"),
	.targets = targets,
};
