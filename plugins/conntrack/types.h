/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.h - the target types of this plugin, and what they say alike. */
#ifndef FG_CONNTRACK_TYPES_H
#define FG_CONNTRACK_TYPES_H

#include <flowgate/plugin.h>

extern const struct fg_target_type fg_ctmark_type;
extern const struct fg_target_type fg_ctlabel_type;
extern const struct fg_target_type fg_ctkill_type;

/* Why fg_updater_get() failed, for a person. */
void fg_entry_unknown(int err, char *text, size_t size);

#endif
