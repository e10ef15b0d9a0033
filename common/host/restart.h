/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restart.h - what one run leaves to the next: the flows of all sources that go
 * on, beside the control socket, as messages of their agents.
 *
 * An agent announces a flow once. Without this, a flow that lives through a
 * restart of ours would be unknown from then on, and no longer in force when
 * its elements run out. See fg_source_restoring() for what becomes of them.
 */
#ifndef FG_HOST_RESTART_H
#define FG_HOST_RESTART_H

#include "gate.h"

/*
 * Before the sources are closed. Members first; never more than half of what
 * is free there, nor for longer than is good for a stop. Says what goes wrong.
 */
void fg_restart_leave(struct fg_gate *g);
/*
 * Before the sources are started. When all of them are known again, and grace
 * is over (agents tell what criteria may ask for: names, roles of interfaces),
 * targets are told to take out what nobody claimed.
 */
void fg_restart_take(struct fg_gate *g);
/*
 * m is the message of a flow that is being taken: sets what targets it was a
 * member of (all, if it does not say). NULL: that was all.
 */
void fg_restart_recall(struct fg_gate *g, const struct fg_message *m);

#endif
