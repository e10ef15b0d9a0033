/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * member.h - flows enter targets and leave them.
 */
#ifndef DRIVER_MEMBER_H
#define DRIVER_MEMBER_H

#include "driver.h"

/*
 * By an action of the configuration with what it binds, or NULL: by one that
 * binds nothing.
 */
void member_enter(struct driver *d, struct target *t, struct flow *flow,
		  const char *action, bool observe, enum fg_reason reason);
/* As it entered. */
void member_leave(struct driver *d, struct target *t, struct flow *flow,
		  enum fg_reason reason);
/* The flow of a member was old. */
void member_rekey(struct driver *d, struct target *t, struct flow *flow,
		  const struct fg_flow *old);
/*
 * count flows without a name, from the nth: TCP from 10.0.0.1 to port 443 of
 * 100.64.0.0 + n.
 */
void member_crowd(struct driver *d, struct target *t, uint32_t from,
		  uint32_t count, bool enter);

#endif
