/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload.h - what was published -> the bytes of a stream: as they are, or
 * unpacked when they are gzip. Pure.
 *
 * Unpacking stops at a limit, and goes through a small buffer: a payload that
 * unpacks to gigabytes costs no more memory than any other.
 */
#ifndef FG_MQTT_PAYLOAD_H
#define FG_MQTT_PAYLOAD_H

#include <stddef.h>

struct fg_payload;

/* limit: bytes that one payload may unpack to. 0 or -ENOMEM. */
int fg_payload_new(struct fg_payload **out, size_t limit);
void fg_payload_free(struct fg_payload *p);

/*
 * Calls feed() for all bytes there are, in order. 0; -EFBIG: there are more
 * than the limit; -EBADMSG: not whole, or damaged. On an error, what came
 * before it was fed.
 */
int fg_payload_read(struct fg_payload *p, const char *bytes, size_t len,
		    void (*feed)(void *ctx, const char *bytes, size_t len),
		    void *ctx);
/* A sentence for each of these. */
const char *fg_payload_why(int error);

#endif
