/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own.h - the gateway's own addresses, which no target may ever strike: read
 * at start, and again whenever the kernel says that they changed.
 */
#ifndef FG_HOST_OWN_H
#define FG_HOST_OWN_H

struct fg_gate;
struct fg_own;
struct fg_policy;

/* 0 or -errno. */
int fg_own_new(struct fg_own **out, struct fg_gate *g);
void fg_own_free(struct fg_own *own);
/* Tells them to a policy that is new. */
void fg_own_tell(const struct fg_own *own, struct fg_policy *policy);

#endif
