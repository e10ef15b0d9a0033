/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.c - frames, messages and names, put together. */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "frame.h"
#include "message.h"
#include "names.h"

/*
 * A name that a flow brought lately, so that not every flow tells the host. v5
 * says its names nowhere else. Direct-mapped: a few hundred are in use.
 */
#define LEARNT 512

struct learnt {
	uint32_t id;
	uint8_t len;
	char tag[43];
};

struct fg_stream {
	const struct fg_host *host;
	void *source;
	struct fg_frame *frame;
	struct fg_reader *reader;
	bool (*wanted)(void *ctx, const struct fg_message *m); /* NULL: all */
	void *ctx;
	struct learnt learnt[FG_NAME_COUNT][LEARNT];
};

static void learn_name(void *ctx, enum fg_name kind, uint32_t id,
		       struct fg_slice tag)
{
	struct fg_stream *s = ctx;

	s->host->learn(s->source, kind, id, tag);
}

static void learn_interface(void *ctx, struct fg_slice name,
			    struct fg_slice role)
{
	struct fg_stream *s = ctx;

	s->host->learn_interface(s->source, name, role);
}

static void learn_from_flow(struct fg_stream *s, const struct fg_message *m,
			    enum fg_name kind, enum fg_attr id_attr,
			    enum fg_attr tag_attr)
{
	struct learnt *l;
	struct fg_slice tag;
	uint64_t id;

	if (!fg_message_has(m, id_attr) || !fg_message_has(m, tag_attr))
		return;
	id = m->value[id_attr].u;
	tag = m->value[tag_attr].text;
	if (id == 0 || id > UINT32_MAX || tag.flags & FG_SLICE_ESCAPED)
		return;
	l = &s->learnt[kind][id % LEARNT];
	if (l->id == id && l->len == tag.len &&
	    memcmp(l->tag, tag.ptr, tag.len) == 0)
		return;
	learn_name(s, kind, (uint32_t)id, tag);
	if (tag.len <= sizeof(l->tag)) {
		l->id = (uint32_t)id;
		l->len = (uint8_t)tag.len;
		memcpy(l->tag, tag.ptr, tag.len);
	}
}

/* What a message teaches comes first: the host uses it with the message. */
static void learn(struct fg_stream *s, const struct fg_message *m)
{
	switch (m->type) {
	case FG_MESSAGE_FLOW:
	case FG_MESSAGE_FLOW_DPI_UPDATE:
		learn_from_flow(s, m, FG_NAME_APPLICATION, FG_ATTR_APPLICATION,
				FG_ATTR_APPLICATION_NAME);
		learn_from_flow(s, m, FG_NAME_PROTOCOL, FG_ATTR_PROTOCOL,
				FG_ATTR_PROTOCOL_NAME);
		break;
	case FG_MESSAGE_DEFINITIONS:
	case FG_MESSAGE_PROTOCOLS:
		fg_names_each(fg_message_part(s->reader, FG_PART_PROTOCOLS),
			      fg_message_part(s->reader, FG_PART_APPLICATIONS),
			      learn_name, s);
		break;
	case FG_MESSAGE_AGENT_STATUS:
		fg_roles_each(fg_message_part(s->reader, FG_PART_INTERFACES),
			      learn_interface, s);
		break;
	default:
		break;
	}
}

static int object(void *ctx, const char *text, size_t len)
{
	const struct fg_message *m;
	struct fg_stream *s = ctx;
	int err;

	err = fg_message_read(s->reader, text, len, &m);
	if (err == -EBADMSG || err == -ENOMSG)
		return err;
	if (err < 0) {
		s->host->skipped(s->source, fg_message_why(err), len);
		return 0;
	}
	if (s->wanted && !s->wanted(s->ctx, m))
		return 0;
	learn(s, m);
	s->host->message(s->source, m);
	return 0;
}

static void skipped(void *ctx, const char *why, size_t bytes)
{
	struct fg_stream *s = ctx;

	s->host->skipped(s->source, why, bytes);
}

void fg_stream_free(struct fg_stream *s)
{
	if (!s)
		return;
	fg_frame_free(s->frame);
	fg_reader_free(s->reader);
	free(s);
}

int fg_stream_new(struct fg_stream **out, const struct fg_host *host,
		  const char *where)
{
	struct fg_frame_sink sink = {.object = object, .skipped = skipped};
	struct fg_stream *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		goto fail;
	s->host = host;
	sink.ctx = s;
	err = fg_frame_new(&s->frame, host->max_message, &sink);
	if (err < 0)
		goto fail;
	err = fg_reader_new(&s->reader, host->max_tokens);
	if (err < 0)
		goto fail;
	*out = s;
	return 0;
fail:
	host->log(host, FG_LOG_ERROR,
		  "%s: no buffers for messages of %u bytes and %u tokens (%s): "
		  "check limits.max_message and limits.max_tokens",
		  where, host->max_message, host->max_tokens, strerror(-err));
	fg_stream_free(s);
	return err;
}

void fg_stream_of(struct fg_stream *s, void *source)
{
	s->source = source;
}

void fg_stream_filter(struct fg_stream *s,
		      bool (*wanted)(void *ctx, const struct fg_message *m),
		      void *ctx)
{
	s->wanted = wanted;
	s->ctx = ctx;
}

void fg_stream_feed(struct fg_stream *s, const char *bytes, size_t len)
{
	fg_frame_feed(s->frame, bytes, len);
}

void fg_stream_end(struct fg_stream *s)
{
	fg_frame_end(s->frame);
}

void fg_stream_forget(struct fg_stream *s)
{
	fg_frame_end(s->frame);
	memset(s->learnt, 0, sizeof(s->learnt));
}
