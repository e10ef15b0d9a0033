/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plugin.c - nftset: what flowgated sees of this plugin. */
#include "target.h"

static const struct fg_target_type *const types[] = {&fg_nftset_type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("nftset", FG_VERSION,
			 "elements of nftables sets and maps"),
	.targets = types,
};
