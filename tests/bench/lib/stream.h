/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.h - a stream in memory: its messages, and the elements it asks for.
 *
 * Read once, before anything is measured. Exits with a message when it can't.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <flowgate/plugin.h>

#define KEY_MAX 64

/* Keys of one IP version, in the order in which their flows were announced. */
struct keys {
	uint8_t (*key)[KEY_MAX];
	uint8_t len;
	size_t count, room;
};

struct stream {
	char *bytes;
	size_t len;
	struct fg_slice *message; /* the JSON texts, in bytes */
	uint32_t *new_v4; /* of each: 1 + the key that is new by it, or 0 */
	size_t count, room;
	struct keys v4, v6; /* local, protocol, port, other, port */
};

/* Its bytes behind those that are there; then, once: what is in them. */
void stream_append(struct stream *s, const char *path);
void stream_read(struct stream *s);
void stream_free(struct stream *s);

/* An input "netifyd" that calls host; stream_feed() gives it all, in chunks. */
void *stream_input(const struct fg_host *host, void *source);
void stream_feed(const struct stream *s, void *input, size_t chunk);
void stream_input_close(void *input);

/* What fg_host has for an input, and nothing done by any of it. */
extern const struct fg_host stream_deaf_host;

#endif
