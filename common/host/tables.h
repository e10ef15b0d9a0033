/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables.h - what is known of flows and names, and who is a member of what:
 * made once, with the limits of the first configuration.
 */
#ifndef FG_HOST_TABLES_H
#define FG_HOST_TABLES_H

#include "gate.h"

/*
 * gate->catalog, ->table and ->membership. When they are there already, it only
 * says that other limits have to wait. 0 or -errno, said.
 */
int fg_tables_make(struct fg_gate *g, const struct fg_limits *limits);
/*
 * Names: the files that the configuration lists (errors are the
 * configuration's), or else those in known places.
 */
void fg_tables_load_names(struct fg_gate *g,
			  const struct fg_settings *settings);

#endif
