/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buffer.h - bytes that grow, up to a limit; failing to is remembered. */
#ifndef FG_STATS_BUFFER_H
#define FG_STATS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Far more than any rendering or state has. */
#define FG_BUFFER_MAX (64u << 20)

struct fg_buffer {
	char *bytes;
	size_t len;
	size_t room;
	bool failed;
};

void fg_buffer_fini(struct fg_buffer *b);
/* Empty again; memory is kept. */
void fg_buffer_begin(struct fg_buffer *b);
/* Room for so many bytes in all. */
bool fg_buffer_reserve(struct fg_buffer *b, size_t room);
/* An fg_write whose ctx is the buffer. */
void fg_buffer_add(void *buffer, const char *bytes, size_t len);

#endif
