/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plugin.c - the input "netifyd": bytes of an agent's socket -> messages. */
#include <stdio.h>

#include "stream.h"

static int input_open(const struct fg_host *host, void *source, const char *url,
		      const struct fg_node *cfg, void **out)
{
	struct fg_stream *s;
	char where[256];
	int err;

	(void)cfg;
	snprintf(where, sizeof(where), "source %s", url);
	err = fg_stream_new(&s, host, where);
	if (err < 0)
		return err;
	fg_stream_of(s, source);
	*out = s;
	return 0;
}

static void input_feed(void *input, const char *bytes, size_t len)
{
	fg_stream_feed(input, bytes, len);
}

static void input_reset(void *input)
{
	fg_stream_forget(input);
}

static void input_close(void *input)
{
	fg_stream_free(input);
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
