/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.h - the targets of a plugin: from the configuration to their end, and
 * what they say of themselves.
 */
#ifndef DRIVER_TARGET_H
#define DRIVER_TARGET_H

#include <stdio.h>

#include "driver.h"

/*
 * Opens those of d->doc whose type the plugin has, in two steps as flowgated
 * does. 0 or -errno, said; then those that are open are to be closed, too.
 */
int targets_open(struct driver *d, const struct fg_plugin *p);
void targets_close(struct driver *d);
/* The end of a burst: until none wants more. */
void targets_flush(struct driver *d);

struct target *target_named(struct driver *d, const char *name);
/* "status NAME KEY=VALUE...", a line. */
void target_status(const struct target *t, FILE *out);
/* Does that line say so? */
bool target_is(const struct target *t, const char *key, const char *value);

#endif
