/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.h - the socket of a stand-in agent, which behaves as netifyd's does.
 *
 * Every client gets everything that is sent while it is connected. A slow one
 * neither blocks nor is dropped: its queue grows without limit. One that sends
 * a byte, or closes its sending half, is hung up on. Writes are at most
 * SERVER_CHUNK bytes, so that messages arrive cut anywhere.
 */
#ifndef TOOLS_SERVER_H
#define TOOLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_CHUNK 8192

struct server;
struct server_client;

/* Called for each client that connects, before it gets anything else. */
typedef void (*server_greet_fn)(struct server *s, struct server_client *c,
				void *ctx);

/*
 * Listens on url, unix:///path (a socket left there by another run is
 * replaced) or tcp://address:port; exits with a message when it cannot.
 */
struct server *server_open(const char *url, server_greet_fn greet, void *ctx);

/* Drops what is still queued, closes all, removes the unix socket. */
void server_close(struct server *s);

/* Queues bytes for all clients, or for one. Nothing is written yet. */
void server_send(struct server *s, const void *data, size_t len);
void server_send_to(struct server_client *c, const void *data, size_t len);

/*
 * Accepts, writes and hangs up until timeout_ms is over (-1: for ever), or
 * something was done, or extra_fd (-1: none) is readable, which is returned.
 */
bool server_wait(struct server *s, int extra_fd, int timeout_ms);

size_t server_clients(const struct server *s);
size_t server_seen(const struct server *s); /* clients since it was opened */

/* Bytes of the worst client that its reader has not read yet: in the queue,
 * and in the kernel (SIOCOUTQ). */
size_t server_queued(const struct server *s);

/* The greatest of each that was left after a write. */
struct server_peak {
	size_t queue;
	size_t kernel;
};
struct server_peak server_peak(const struct server *s);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t server_now(void);

#endif
