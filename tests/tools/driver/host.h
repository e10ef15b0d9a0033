/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.h - the calls of struct fg_host, as a driver answers them.
 */
#ifndef DRIVER_HOST_H
#define DRIVER_HOST_H

#include "driver.h"

/* d->host, complete but for what options change. */
void host_init(struct driver *d);

#endif
