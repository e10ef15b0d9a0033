/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply.h - text that grows, up to a limit, with JSON and columns in mind.
 *
 * Failing to grow is remembered, not returned: look at .failed at the end.
 */
#ifndef FG_HOST_REPLY_H
#define FG_HOST_REPLY_H

#include <flowgate/plugin.h>

/* What one reply may hold in memory: a client that wants more gets pieces. */
#define FG_REPLY_MAX (8u << 20)

struct fg_reply {
	char *text;
	size_t len;
	size_t room;
	bool failed;
	bool colour; /* states may be coloured */
};

void fg_reply_fini(struct fg_reply *r);
void fg_reply_printf(struct fg_reply *r, const char *fmt, ...) FG_PRINTF(2, 3);
/* As is; an fg_write whose ctx is the reply. */
void fg_reply_write(void *reply, const char *text, size_t len);
/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void fg_reply_json(struct fg_reply *r, struct fg_slice text);
void fg_reply_json_text(struct fg_reply *r, const char *text);
/* A word that says whether all is well: green, or red. */
void fg_reply_state(struct fg_reply *r, const char *word, bool good);
/* For a terminal: control characters made visible. */
void fg_reply_shown(struct fg_reply *r, struct fg_slice text);

#endif
