/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd plugins/mqtt/payload.c */
/* LINK: plugins/mqtt/topic.c plugins/mqtt/recent.c */
/* LIBS: -lz */
/*
 * fuzz_mqtt - whatever is published, on whatever topic: it is read to its end,
 * no more of it than the limit, and names are fit to be shown.
 * The first line is the topic, the rest the payload.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/mqtt/payload.h"
#include "../../plugins/mqtt/recent.h"
#include "../../plugins/mqtt/topic.h"
#include "../../plugins/netifyd/stream.h"
#include "base/text.h"

#define LIMIT (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	struct fg_stream *stream;
	struct fg_recent *recent;
	size_t fed;
	int64_t now;
};

static struct told told;

static void on_message(void *source, const struct fg_message *m)
{
	if (source != &told || m->size != sizeof(*m))
		abort();
}

static void on_skipped(void *source, const char *why, size_t bytes)
{
	if (source != &told || !*why)
		abort();
	(void)bytes;
}

static void on_name(void *source, enum fg_name kind, uint32_t id,
		    struct fg_slice tag)
{
	(void)source;
	(void)kind;
	(void)id;
	(void)tag;
}

static void on_interface(void *source, struct fg_slice name,
			 struct fg_slice role)
{
	(void)source;
	(void)name;
	(void)role;
}

/* As the input has it. */
static bool is_wanted(void *ctx, const struct fg_message *m)
{
	struct told *t = ctx;

	if (m->type == FG_MESSAGE_FLOW_PURGE) {
		fg_recent_purged(t->recent, 1, m, ++t->now);
		/* nothing is later than itself */
		return !fg_recent_is_late(t->recent, 1, m, t->now);
	}
	return !fg_recent_is_late(t->recent, 1, m, t->now);
}

static void feed(void *ctx, const char *bytes, size_t len)
{
	struct told *t = ctx;

	t->fed += len;
	fg_stream_feed(t->stream, bytes, len);
}

static void check_topic(const char *topic)
{
	static const char *const filters[] = {"flowgate/+/+/flows", "#",
					      "+/a/#", "flowgate/+/state"};
	struct fg_topic_match m;
	char made[FG_TOPIC], shown[4 * FG_TOPIC];

	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		if (fg_topic_match(filters[i], topic, &m) != 0)
			continue;
		fg_text_printable(fg_slice(m.name, strlen(m.name)), shown,
				  sizeof(shown));
		if (!*m.name || !*m.site || strcmp(shown, m.name) != 0)
			abort();
	}
	(void)fg_topic_check_filter(topic);
	if (!fg_topic_check_template(topic)) {
		fg_topic_make(topic, topic, topic, made);
		if (strlen(made) >= FG_TOPIC || strpbrk(made, "+#\n"))
			abort();
	}
	fg_topic_make("a/SITE/SOURCE", topic, topic, made);
	if (strpbrk(made, "+#\n") ||
	    strchr(strchr(made, '/') + 1, '/') != strrchr(made, '/'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_host host = {.size = sizeof(host),
				      .max_message = 65536,
				      .max_tokens = 4096,
				      .message = on_message,
				      .skipped = on_skipped,
				      .learn = on_name,
				      .learn_interface = on_interface};
	static struct fg_payload *payload;
	const uint8_t *end = memchr(data, '\n', size);
	char topic[FG_TOPIC];
	size_t len = end ? (size_t)(end - data) : size;

	if (!payload) {
		if (fg_payload_new(&payload, LIMIT) < 0 ||
		    fg_recent_new(&told.recent, 1) < 0 ||
		    fg_stream_new(&told.stream, &host, "fuzz") < 0)
			abort();
		fg_stream_of(told.stream, &told);
		fg_stream_filter(told.stream, is_wanted, &told);
	}
	snprintf(topic, sizeof(topic), "%.*s",
		 (int)(len < sizeof(topic) ? len : sizeof(topic) - 1),
		 (const char *)data);
	check_topic(topic);
	data += end ? len + 1 : size;
	size -= end ? len + 1 : size;
	told.fed = 0;
	(void)fg_payload_read(payload, (const char *)data, size, feed, &told);
	if (told.fed > LIMIT && told.fed > size)
		abort();
	fg_stream_end(told.stream);
	return 0;
}
