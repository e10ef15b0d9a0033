/* SPDX-License-Identifier: GPL-2.0-or-later */
/* payload.c - gzip, piece by piece. */
#include "payload.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <zlib.h>

#define PIECE 16384

struct fg_payload {
	z_stream z;
	size_t limit;
	unsigned char piece[PIECE];
};

int fg_payload_new(struct fg_payload **out, size_t limit)
{
	struct fg_payload *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->limit = limit;
	/* 16: gzip only, 15: any window */
	if (inflateInit2(&p->z, 16 + 15) != Z_OK) {
		free(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void fg_payload_free(struct fg_payload *p)
{
	if (!p)
		return;
	inflateEnd(&p->z);
	free(p);
}

static bool is_gzip(const char *bytes, size_t len)
{
	return len >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

int fg_payload_read(struct fg_payload *p, const char *bytes, size_t len,
		    void (*feed)(void *ctx, const char *bytes, size_t len),
		    void *ctx)
{
	size_t total = 0;
	int ret = Z_OK;

	if (!is_gzip(bytes, len)) {
		feed(ctx, bytes, len);
		return 0;
	}
	if (len > UINT_MAX)
		return -EFBIG;
	inflateReset(&p->z);
	p->z.next_in = (unsigned char *)(uintptr_t)bytes;
	p->z.avail_in = (unsigned)len;
	for (;;) {
		size_t n;

		p->z.next_out = p->piece;
		p->z.avail_out = PIECE;
		ret = inflate(&p->z, Z_NO_FLUSH);
		n = PIECE - p->z.avail_out;
		total += n;
		if (total > p->limit)
			return -EFBIG;
		if (n)
			feed(ctx, (const char *)p->piece, n);
		if (ret == Z_STREAM_END && !p->z.avail_in)
			return 0;
		/* one member after another is one file */
		if (ret == Z_STREAM_END)
			ret = inflateReset(&p->z);
		if (ret != Z_OK)
			return -EBADMSG;
	}
}

const char *fg_payload_why(int error)
{
	return error == -EFBIG ? "gzip that unpacks to more than is allowed"
			       : "gzip that is damaged or cut short";
}
