/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.c - files read by the input plugin. */
#include "stream.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/fields.h"
#include "lease/key.h"

#define TOKENS (1 << 17)

extern const struct fg_plugin flowgate_plugin_v1;

static const uint8_t tuple[] = {FG_KEY_LOCAL_ADDR, FG_KEY_IP_PROTO,
				FG_KEY_LOCAL_PORT, FG_KEY_OTHER_ADDR,
				FG_KEY_OTHER_PORT};

static void *sized(void *array, size_t count, size_t size)
{
	array = realloc(array, count * size);
	if (!array)
		err(1, NULL);
	return array;
}

/* --------------------------------------------------------------- reading */

/* The repetitions of a flow (updates) are of one key: only the first counts. */
static void add_key(struct keys *k, int version, const struct fg_flow *f)
{
	struct fg_key_shape shape;
	uint8_t key[KEY_MAX] = {0};

	fg_key_shape(&shape, tuple, sizeof(tuple), version);
	if (fg_key_build(&shape, f, "", false, key) != FG_KEY_OK)
		return;
	if (k->count && !memcmp(k->key[k->count - 1], key, KEY_MAX))
		return;
	if (k->count == k->room) {
		k->room = k->room ? 2 * k->room : 4096;
		k->key = sized(k->key, k->room, sizeof(*k->key));
	}
	k->len = shape.len;
	memcpy(k->key[k->count++], key, KEY_MAX);
}

static void collect(void *source, const struct fg_message *m)
{
	struct stream *s = source;
	struct fg_flow f = {0};
	size_t known;

	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 4096;
		s->message = sized(s->message, s->room, sizeof(*s->message));
		s->new_v4 = sized(s->new_v4, s->room, sizeof(*s->new_v4));
	}
	s->message[s->count] = m->text;
	s->new_v4[s->count++] = 0;
	if (m->type != FG_MESSAGE_FLOW)
		return;
	fg_fields_apply(&f, m);
	/* what a target of kind nftset takes, if not told otherwise */
	if (f.other_type != FG_OTHER_REMOTE)
		return;
	if (f.ip_version == 6) {
		add_key(&s->v6, 6, &f);
		return;
	}
	known = s->v4.count;
	add_key(&s->v4, 4, &f);
	if (s->v4.count > known)
		s->new_v4[s->count - 1] = (uint32_t)s->v4.count;
}

static void ignore_message(void *source, const struct fg_message *m)
{
	(void)source;
	(void)m;
}

static void ignore_skipped(void *source, const char *why, size_t bytes)
{
	(void)source;
	(void)why;
	(void)bytes;
}

static void ignore_name(void *source, enum fg_name kind, uint32_t id,
			struct fg_slice tag)
{
	(void)source;
	(void)kind;
	(void)id;
	(void)tag;
}

static void ignore_interface(void *source, struct fg_slice name,
			     struct fg_slice role)
{
	(void)source;
	(void)name;
	(void)role;
}

const struct fg_host stream_deaf_host = {
	.size = sizeof(stream_deaf_host),
	.max_message = 1 << 20,
	.max_tokens = TOKENS,
	.message = ignore_message,
	.skipped = ignore_skipped,
	.learn = ignore_name,
	.learn_interface = ignore_interface,
};

void *stream_input(const struct fg_host *host, void *source)
{
	const struct fg_input_type *type = flowgate_plugin_v1.inputs[0];
	void *input;

	if (type->open(host, source, "bench", NULL, &input) < 0)
		errx(1, "no input");
	return input;
}

void stream_feed(const struct stream *s, void *input, size_t chunk)
{
	const struct fg_input_type *type = flowgate_plugin_v1.inputs[0];

	for (size_t at = 0, n; at < s->len; at += n) {
		n = s->len - at < chunk ? s->len - at : chunk;
		type->feed(input, s->bytes + at, n);
	}
}

void stream_input_close(void *input)
{
	flowgate_plugin_v1.inputs[0]->close(input);
}

void stream_append(struct stream *s, const char *path)
{
	FILE *f = fopen(path, "re");
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
		err(1, "%s", path);
	rewind(f);
	s->bytes = sized(s->bytes, s->len + (size_t)size + 1, 1);
	if (fread(s->bytes + s->len, 1, (size_t)size, f) != (size_t)size)
		err(1, "%s", path);
	s->len += (size_t)size;
	fclose(f);
}

/* All in one piece: the messages stay where they are in the bytes. */
void stream_read(struct stream *s)
{
	struct fg_host host = stream_deaf_host;
	void *input;

	host.message = collect;
	input = stream_input(&host, s);
	stream_feed(s, input, s->len);
	stream_input_close(input);
	if (!s->count)
		errx(1, "no messages");
}

void stream_free(struct stream *s)
{
	free(s->bytes);
	free(s->message);
	free(s->new_v4);
	free(s->v4.key);
	free(s->v6.key);
	*s = (struct stream){0};
}
