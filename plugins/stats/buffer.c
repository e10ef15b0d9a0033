/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buffer.c - bytes that grow, up to a limit. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

void fg_buffer_fini(struct fg_buffer *b)
{
	free(b->bytes);
	*b = (struct fg_buffer){0};
}

void fg_buffer_begin(struct fg_buffer *b)
{
	b->len = 0;
	b->failed = false;
}

bool fg_buffer_reserve(struct fg_buffer *b, size_t room)
{
	char *more;

	if (room <= b->room)
		return true;
	more = room > FG_BUFFER_MAX ? NULL : realloc(b->bytes, room);
	if (!more) {
		b->failed = true;
		return false;
	}
	b->bytes = more;
	b->room = room;
	return true;
}

void fg_buffer_add(void *buffer, const char *bytes, size_t len)
{
	struct fg_buffer *b = buffer;
	size_t room = b->room ? b->room : 16384;

	if (b->failed || len > FG_BUFFER_MAX - b->len) {
		b->failed = true;
		return;
	}
	while (room < b->len + len)
		room *= 2;
	if (!fg_buffer_reserve(b, room))
		return;
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}
