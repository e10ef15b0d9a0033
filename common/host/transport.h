/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transport.h - the bytes of a source: connect, read, connect again.
 *
 * Never writes to the other side nor half-closes: netifyd hangs up on that.
 * Reads as much as there is (bounded by a turn of the loop), whatever else
 * goes on: netifyd buffers without limit for a slow reader.
 *
 * Reconnects after 0.25 s, doubling to 15 s, by chance up to a quarter less;
 * from the start again once a connection has brought something.
 */
#ifndef FG_HOST_TRANSPORT_H
#define FG_HOST_TRANSPORT_H

#include "loop.h"
#include "policy/url.h"

struct fg_transport;

/* None may call back into the transport. */
struct fg_transport_events {
	void (*up)(void *ctx);
	/* valid until it returns */
	void (*bytes)(void *ctx, const char *bytes, size_t len);
	/* was up, is not any more; another try follows */
	void (*down)(void *ctx, const char *why);
	/* could not come up; said for each try, failures since the last up */
	void (*failed)(void *ctx, const char *why, unsigned failures);
	/* a file ended; nothing follows */
	void (*end)(void *ctx);
	void *ctx;
};

/*
 * What one read() takes at most, and what the buffer needs: a unix socket holds
 * up to 208 KiB, and each read is a system call.
 */
#define FG_TRANSPORT_READ (128u * 1024)

/*
 * url: not FG_URL_OTHER. buffer: of FG_TRANSPORT_READ bytes, may be shared by
 * all transports of a loop. 0, or -errno with a sentence in err (a file that
 * cannot be read, a path too long for a socket).
 */
int fg_transport_new(struct fg_transport **out, struct fg_loop *loop,
		     const struct fg_url *url, char *buffer,
		     const struct fg_transport_events *events, char *err,
		     size_t len);
/* The first try. */
void fg_transport_start(struct fg_transport *t);
void fg_transport_free(struct fg_transport *t);
/* Does it come to an end by itself: a file, standard input? */
bool fg_transport_ends(const struct fg_transport *t);

#endif
