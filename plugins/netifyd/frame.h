/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h - bytes of a stream -> one JSON object at a time.
 *
 * Three framings, told apart for every object anew:
 *
 *	{"length": N}\n and N bytes that hold one whole object
 *	an object a line
 *	objects back to back, each over any number of lines
 *
 * What is none of them is skipped and reported, and the next object found. The
 * objects, and what is reported, depend on the bytes alone, not on how they
 * were cut. Of what is fed, only what later bytes must complete is copied.
 */
#ifndef FG_NETIFYD_FRAME_H
#define FG_NETIFYD_FRAME_H

#include <stddef.h>

struct fg_frame;

struct fg_frame_sink {
	/*
	 * An object begins at text, which is valid until this returns:
	 *	0		it is a message, whole, with nothing but space
	 *			behind it (used or not)
	 *	-ENOMSG		an object, whole, but no message
	 *	-EBADMSG	not one whole object
	 */
	int (*object)(void *ctx, const char *text, size_t len);
	/* once a run of skipped bytes, and once every max_message of them */
	void (*skipped)(void *ctx, const char *why, size_t bytes);
	void *ctx;
};

/* max_message: bytes, at least 64; taken here. 0, -EINVAL or -ENOMEM. */
int fg_frame_new(struct fg_frame **out, size_t max_message,
		 const struct fg_frame_sink *sink);
void fg_frame_free(struct fg_frame *f);

void fg_frame_feed(struct fg_frame *f, const char *bytes, size_t len);
/*
 * The stream ends here: what is half read is skipped, and whole objects in it
 * (behind a length that was too long) still come out. Ready for a new stream.
 */
void fg_frame_end(struct fg_frame *f);

#endif
