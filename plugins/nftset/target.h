/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.h - the target type "nftset": members -> elements.
 *
 * Decides which members become elements, and of which key; the rest is
 * set.h's. What flowgate/plugin.h says of a target type is said of this one.
 */
#ifndef FG_NFTSET_TARGET_H
#define FG_NFTSET_TARGET_H

#include <flowgate/plugin.h>

extern const struct fg_target_type fg_nftset_type;

#endif
