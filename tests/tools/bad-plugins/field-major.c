/* SPDX-License-Identifier: GPL-2.0-or-later */
/* field-major.c - our symbol, but another major inside. */
#include "bad.h"

FG_PLUGIN = {
	.size = sizeof(struct fg_plugin),
	.abi_major = FG_ABI_MAJOR + 1,
	.name = "field-major",
	.version = "1",
};
