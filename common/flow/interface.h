/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interface.h - names of interfaces, each a small number.
 *
 * 0 is "" (not said), 1 is "?": names beyond the limit, or longer than
 * 126 bytes. Names are never forgotten.
 */
#ifndef FG_FLOW_INTERFACE_H
#define FG_FLOW_INTERFACE_H

#include <flowgate/plugin.h>

struct fg_interfaces;

/* max: distinct names, at most 32,767. 0, -EINVAL, -ENOMEM. */
int fg_interfaces_new(struct fg_interfaces **out, uint16_t max, uint64_t seed);
void fg_interfaces_free(struct fg_interfaces *t);

/* The number of name, which is learnt when it is new. */
uint16_t fg_interfaces_id(struct fg_interfaces *t, struct fg_slice name);
/* "?" for a number that is none */
const char *fg_interfaces_name(const struct fg_interfaces *t, uint16_t id);
/* 'l', 'w', or 0: never said */
void fg_interfaces_set_role(struct fg_interfaces *t, uint16_t id, char role);
char fg_interfaces_role(const struct fg_interfaces *t, uint16_t id);

#endif
