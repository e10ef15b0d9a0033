/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.h - bytes that agents wrote -> what a host is told: messages, names,
 * what was skipped. The whole of reading netifyd, for any input that gets its
 * bytes from somewhere.
 */
#ifndef FG_NETIFYD_STREAM_H
#define FG_NETIFYD_STREAM_H

#include <stddef.h>

#include <flowgate/plugin.h>

struct fg_stream;

/*
 * All memory is taken here, by host->max_message and host->max_tokens. where:
 * what an error is about, "source tcp://...". 0, or -errno said.
 */
int fg_stream_new(struct fg_stream **out, const struct fg_host *host,
		  const char *where);
void fg_stream_free(struct fg_stream *s);

/*
 * Whose bytes are next: a host's handle of a source, or of a part of one. When
 * it is another than before, no message may be half read.
 */
void fg_stream_of(struct fg_stream *s, void *source);
/* Which messages to tell of; all, when it was never called. */
void fg_stream_filter(struct fg_stream *s,
		      bool (*wanted)(void *ctx, const struct fg_message *m),
		      void *ctx);

/* any number of bytes, cut anywhere */
void fg_stream_feed(struct fg_stream *s, const char *bytes, size_t len);
/* What is half read is skipped: what follows is not its rest. */
void fg_stream_end(struct fg_stream *s);
/* And it may be from another agent, with other names for the same ids. */
void fg_stream_forget(struct fg_stream *s);

#endif
