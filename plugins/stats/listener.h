/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener.h - a listening socket, on a path or on an address and port. */
#ifndef FG_STATS_LISTENER_H
#define FG_STATS_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * where: "unix:///path", "127.0.0.1:9469", "[::1]:9469". 0, or -EINVAL with
 * words in why.
 */
int fg_listen_check(const char *where, char *why, size_t size);
/* Is it an address that other machines can reach? */
bool fg_listen_is_public(const char *where);

/* The file of a path is known by dev and ino, so that only ours is removed. */
struct fg_listener {
	int fd; /* close-on-exec, not blocking; the caller's to close */
	dev_t dev;
	ino_t ino;
};

/*
 * 0, or -errno with words in why. A path that a dead server left behind is
 * taken over, one that answers is not; the socket is for owner and group
 * (0660).
 */
int fg_listen_open(struct fg_listener *out, const char *where, char *why,
		   size_t size);
/* Another descriptor of the same socket. 0 or -errno. */
int fg_listen_share(struct fg_listener *out, const struct fg_listener *other);
/* Takes the path away if it is still that of the socket. Does not close. */
void fg_listen_remove(const struct fg_listener *l, const char *where);

#endif
