/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - the control socket: a line of text in, text or JSON out.
 *
 * One request a connection, so that it can be used by hand:
 *
 *	request	[-j |-c ]COMMAND[ ARGUMENTS]\n	at most 4,096 bytes
 *	reply	ok\n BODY			until the connection is closed
 *		error SENTENCE\n BODY
 *
 * Commands and their arguments are in command.h. With -c, words that tell a
 * state are coloured. With -j the body is one JSON value, or, for lists that
 * may be long (flows, explain), one object a line.
 * Pieces of a long body are made as the client takes them, so the state of
 * flows that come and go meanwhile may or may not be in it.
 *
 * The socket is of mode 0660; besides, the peer must be root, our user, or of
 * the socket's group. A client that is slow, or says nothing, costs nothing but
 * its buffer, and is closed after a while.
 */
#ifndef FG_HOST_CONTROL_H
#define FG_HOST_CONTROL_H

#include <flowgate/plugin.h>

struct fg_control;
struct fg_gate;

/*
 * 0; -EADDRINUSE when another flowgated has it; or -errno; with a sentence in
 * err.
 */
int fg_control_new(struct fg_control **out, struct fg_gate *g, const char *path,
		   char *err, size_t len);
void fg_control_free(struct fg_control *c);
/* Hands the socket to a user that we are going to be. 0 or -errno. */
int fg_control_chown(struct fg_control *c, uint32_t uid, uint32_t gid);

/* To whoever waits for a reload: what is said about it, */
void fg_control_collect(void *control, enum fg_level level, const char *text);
/* and how it ended. */
void fg_control_reloaded(struct fg_control *c, bool ok, const char *text);

/* To whoever follows flows. */
void fg_control_flow(struct fg_control *c, enum fg_event event,
		     const struct fg_flow *flow, enum fg_reason reason);

#endif
