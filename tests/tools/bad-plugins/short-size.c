/* SPDX-License-Identifier: GPL-2.0-or-later */
/* short-size.c - says that it is shorter than any plugin can be. */
#include "bad.h"

FG_PLUGIN = {
	.size = 12,
	.abi_major = FG_ABI_MAJOR,
	.abi_minor = FG_ABI_MINOR,
	.name = "short-size",
	.version = "1",
};
