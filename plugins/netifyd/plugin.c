/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plugin.c - the input "netifyd": bytes of an agent's socket -> messages. */
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

struct input {
	const struct fg_host *host;
	void *source;
	struct fg_frame *frame;
	struct fg_reader *reader;
	struct learnt learnt[FG_NAME_COUNT][LEARNT];
};

static void learn_name(void *ctx, enum fg_name kind, uint32_t id,
		       struct fg_slice tag)
{
	struct input *in = ctx;

	in->host->learn(in->source, kind, id, tag);
}

static void learn_interface(void *ctx, struct fg_slice name,
			    struct fg_slice role)
{
	struct input *in = ctx;

	in->host->learn_interface(in->source, name, role);
}

static void learn_from_flow(struct input *in, const struct fg_message *m,
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
	l = &in->learnt[kind][id % LEARNT];
	if (l->id == id && l->len == tag.len &&
	    memcmp(l->tag, tag.ptr, tag.len) == 0)
		return;
	learn_name(in, kind, (uint32_t)id, tag);
	if (tag.len <= sizeof(l->tag)) {
		l->id = (uint32_t)id;
		l->len = (uint8_t)tag.len;
		memcpy(l->tag, tag.ptr, tag.len);
	}
}

/* What a message teaches comes first: the host uses it with the message. */
static void learn(struct input *in, const struct fg_message *m)
{
	switch (m->type) {
	case FG_MESSAGE_FLOW:
	case FG_MESSAGE_FLOW_DPI_UPDATE:
		learn_from_flow(in, m, FG_NAME_APPLICATION, FG_ATTR_APPLICATION,
				FG_ATTR_APPLICATION_NAME);
		learn_from_flow(in, m, FG_NAME_PROTOCOL, FG_ATTR_PROTOCOL,
				FG_ATTR_PROTOCOL_NAME);
		break;
	case FG_MESSAGE_DEFINITIONS:
	case FG_MESSAGE_PROTOCOLS:
		fg_names_each(fg_message_part(in->reader, FG_PART_PROTOCOLS),
			      fg_message_part(in->reader, FG_PART_APPLICATIONS),
			      learn_name, in);
		break;
	case FG_MESSAGE_AGENT_STATUS:
		fg_roles_each(fg_message_part(in->reader, FG_PART_INTERFACES),
			      learn_interface, in);
		break;
	default:
		break;
	}
}

static int object(void *ctx, const char *text, size_t len)
{
	const struct fg_message *m;
	struct input *in = ctx;
	int err;

	err = fg_message_read(in->reader, text, len, &m);
	if (err == -EBADMSG || err == -ENOMSG)
		return err;
	if (err < 0) {
		in->host->skipped(in->source, fg_message_why(err), len);
		return 0;
	}
	learn(in, m);
	in->host->message(in->source, m);
	return 0;
}

static void skipped(void *ctx, const char *why, size_t bytes)
{
	struct input *in = ctx;

	in->host->skipped(in->source, why, bytes);
}

static void input_close(void *input)
{
	struct input *in = input;

	if (!in)
		return;
	fg_frame_free(in->frame);
	fg_reader_free(in->reader);
	free(in);
}

static int input_open(const struct fg_host *host, void *source, const char *url,
		      const struct fg_node *cfg, void **out)
{
	struct fg_frame_sink sink = {.object = object, .skipped = skipped};
	struct input *in = calloc(1, sizeof(*in));
	int err = -ENOMEM;

	(void)cfg;
	if (!in)
		goto fail;
	in->host = host;
	in->source = source;
	sink.ctx = in;
	err = fg_frame_new(&in->frame, host->max_message, &sink);
	if (err < 0)
		goto fail;
	err = fg_reader_new(&in->reader, host->max_tokens);
	if (err < 0)
		goto fail;
	*out = in;
	return 0;
fail:
	host->log(host, FG_LOG_ERROR,
		  "source %s: no buffers for messages of %u bytes and %u "
		  "tokens (%s): check limits.max_message and limits.max_tokens",
		  url, host->max_message, host->max_tokens, strerror(-err));
	input_close(in);
	return err;
}

static void input_feed(void *input, const char *bytes, size_t len)
{
	struct input *in = input;

	fg_frame_feed(in->frame, bytes, len);
}

static void input_reset(void *input)
{
	struct input *in = input;

	fg_frame_end(in->frame);
	/* another agent may come, with other names for the same ids */
	memset(in->learnt, 0, sizeof(in->learnt));
}

static const struct fg_input_type netifyd = {
	.size = sizeof(netifyd),
	.name = "netifyd",
	.open = input_open,
	.feed = input_feed,
	.reset = input_reset,
	.close = input_close,
};

static const struct fg_input_type *const inputs[] = {&netifyd, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("netifyd", FG_VERSION,
			 "reads the stream of a netifyd agent (v3, v4, v5)"),
	.inputs = inputs,
};
