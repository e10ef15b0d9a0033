/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - tells the service manager what we are doing (sd_notify's
 * protocol, without its library). All calls are no-ops without NOTIFY_SOCKET.
 */
#ifndef FG_HOST_NOTIFY_H
#define FG_HOST_NOTIFY_H

#include <stdint.h>

struct fg_notify;

/* 0 or -ENOMEM. Reads and removes NOTIFY_SOCKET and WATCHDOG_USEC. */
int fg_notify_new(struct fg_notify **out);
void fg_notify_free(struct fg_notify *n);

void fg_notify_ready(struct fg_notify *n, const char *status);
/* Followed by fg_notify_ready(). */
void fg_notify_reloading(struct fg_notify *n);
void fg_notify_stopping(struct fg_notify *n);
void fg_notify_watchdog(struct fg_notify *n);
/* How often fg_notify_watchdog() is to be called, ms; 0: not. */
int64_t fg_notify_interval(const struct fg_notify *n);

#endif
