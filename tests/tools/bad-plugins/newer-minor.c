/* SPDX-License-Identifier: GPL-2.0-or-later */
/* newer-minor.c - wants what only a later minor has. */
#include "bad.h"

FG_PLUGIN = {
	.size = sizeof(struct fg_plugin),
	.abi_major = FG_ABI_MAJOR,
	.abi_minor = FG_ABI_MINOR + 1,
	.name = "newer-minor",
	.version = "1",
};
