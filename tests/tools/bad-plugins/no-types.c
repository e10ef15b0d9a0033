/* SPDX-License-Identifier: GPL-2.0-or-later */
/* no-types.c - neither an input nor a target. */
#include "bad.h"

FG_PLUGIN = {
	FG_PLUGIN_HEADER("no-types", "1", "wrong"),
};
