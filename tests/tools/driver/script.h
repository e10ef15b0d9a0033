/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.h - lines of text -> what a driver does with its targets.
 */
#ifndef DRIVER_SCRIPT_H
#define DRIVER_SCRIPT_H

#include "driver.h"

/* Standard input, line by line, to its end or "stop". */
void script_run(struct driver *d);

#endif
