/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd */
/*
 * fuzz_frame - any stream, whole and cut: the same messages in the same order,
 * the same bytes skipped for the same reasons.
 * The first byte says how it is cut.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/netifyd/frame.h"
#include "../../plugins/netifyd/message.h"
#include "base/text.h"

#define MAX 512 /* small, so that its edges are met */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct out {
	struct fg_reader *reader;
	uint64_t hash;
	uint64_t messages;
	size_t skipped;
};

static int on_object(void *ctx, const char *text, size_t len)
{
	const struct fg_message *m;
	struct out *o = ctx;
	int err;

	if (len > MAX || text[0] != '{')
		abort();
	err = fg_message_read(o->reader, text, len, &m);
	if (err == -EBADMSG || err == -ENOMSG)
		return err;
	o->messages++;
	o->hash = fg_hash(text, len, o->hash);
	return 0;
}

static void on_skipped(void *ctx, const char *why, size_t bytes)
{
	struct out *o = ctx;

	if (!bytes || bytes > MAX)
		abort();
	o->skipped += bytes;
	o->hash = fg_hash(why, strlen(why), o->hash ^ bytes);
}

static void run(struct out *o, const char *text, size_t len, size_t chunk)
{
	struct fg_frame_sink sink = {on_object, on_skipped, o};
	struct fg_frame *f;

	if (fg_frame_new(&f, MAX, &sink) < 0)
		abort();
	for (size_t at = 0, n; at < len; at += n) {
		/* a copy, so that the sanitizer sees where it ends */
		char *piece;

		n = len - at < chunk ? len - at : chunk;
		piece = malloc(n);
		if (!piece)
			abort();
		memcpy(piece, text + at, n);
		fg_frame_feed(f, piece, n);
		free(piece);
	}
	fg_frame_end(f);
	if (o->skipped > len)
		abort();
	fg_frame_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_reader *r;
	struct out whole = {0}, cut = {0};

	if (!r && fg_reader_new(&r, 1024) < 0)
		abort();
	if (!size)
		return 0;
	whole.reader = cut.reader = r;
	run(&whole, (const char *)data + 1, size - 1, size);
	run(&cut, (const char *)data + 1, size - 1, 1u + data[0] % 64);
	if (whole.hash != cut.hash || whole.messages != cut.messages) {
		fprintf(stderr, "it matters where it is cut\n");
		abort();
	}
	return 0;
}
