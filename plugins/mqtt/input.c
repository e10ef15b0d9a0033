/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.c - the input "mqtt": what probes publish, each a part of the source.
 *
 * A probe is what the wildcards of the topic stand for, "site/source". It is
 * there when it speaks, or its site says "online"; it is gone when its site
 * says "offline", which the broker does for it by its last will. That we are
 * cut off from the broker says nothing about probes: then only ttl counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../netifyd/stream.h"
#include "base/text.h"
#include "broker.h"
#include "payload.h"
#include "recent.h"
#include "topic.h"
#include "types.h"

/* What gzip may unpack to, in largest messages. */
#define UNPACKED 16
#define PROBES	 16

struct probe {
	void *part;
	bool up;
	char site[FG_TOPIC_NAME];
	char name[FG_TOPIC_NAME];
};

struct input {
	const struct fg_host *host;
	void *source;
	struct fg_login login;
	struct fg_broker *broker;
	struct fg_stream *stream;
	struct fg_payload *payload;
	struct fg_recent *recent;
	const char *topic;
	const char *state_topic; /* "": none */
	uint32_t probe_max;
	uint32_t probe_count;
	uint32_t current;
	bool knows_left; /* find_left() */
	struct probe probes[];
};

/* --------------------------------------------------------------- messages */

/* The index of the probe, or probe_max: there are too many. */
static uint32_t find_probe(struct input *in, const struct fg_topic_match *m)
{
	struct probe *p;
	uint32_t i = 0;

	while (i < in->probe_count && strcmp(in->probes[i].name, m->name) != 0)
		i++;
	if (i < in->probe_count || i == in->probe_max)
		return i;
	p = &in->probes[i];
	p->part = in->host->source_part(in->source, m->name);
	if (!p->part)
		return in->probe_max;
	memcpy(p->site, m->site, sizeof(p->site));
	memcpy(p->name, m->name, sizeof(p->name));
	in->probe_count++;
	return i;
}

static void set_up(struct input *in, struct probe *p, bool up)
{
	if (p->up == up)
		return;
	p->up = up;
	if (up)
		in->host->source_up(p->part);
	else
		in->host->source_down(p->part, "its site says \"offline\"");
}

/*
 * Probes of the run before are there until their site says otherwise, which it
 * does next. A name begins with that of the site, if the topic has one.
 */
static void find_left(struct input *in)
{
	bool sites = strpbrk(in->topic, "+#") != NULL;
	const char *name;
	void *part = NULL;

	while ((part = in->host->source_next_part(in->source, part, &name))) {
		struct fg_topic_match m = {0};
		uint32_t i;

		snprintf(m.name, sizeof(m.name), "%s", name);
		if (sites)
			snprintf(m.site, sizeof(m.site), "%.*s",
				 (int)strcspn(name, "/"), name);
		i = find_probe(in, &m);
		if (i < in->probe_max)
			set_up(in, &in->probes[i], true);
	}
	in->knows_left = true;
}

static void on_state(struct input *in, const struct fg_topic_match *m,
		     const char *payload, size_t len)
{
	bool up = fg_slice_is(fg_slice(payload, len), FG_MQTT_ONLINE);

	if (!up && !fg_slice_is(fg_slice(payload, len), FG_MQTT_OFFLINE)) {
		/* an empty one takes back what was retained */
		if (len)
			in->host->skipped(in->source,
					  "state that is neither \"online\" "
					  "nor \"offline\"",
					  len);
		return;
	}
	for (uint32_t i = 0; i < in->probe_count; i++)
		if (!*m->site || !strcmp(in->probes[i].site, m->site))
			set_up(in, &in->probes[i], up);
}

static void feed(void *ctx, const char *bytes, size_t len)
{
	struct input *in = ctx;

	fg_stream_feed(in->stream, bytes, len);
}

static void on_flows(struct input *in, const struct fg_topic_match *m,
		     const char *payload, size_t len)
{
	uint32_t i = find_probe(in, m);
	int ret;

	if (i == in->probe_max) {
		in->host->skipped(in->source,
				  "from one probe too many: raise \"probes\"",
				  len);
		return;
	}
	in->current = i;
	set_up(in, &in->probes[i], true);
	fg_stream_of(in->stream, in->probes[i].part);
	ret = fg_payload_read(in->payload, payload, len, feed, in);
	/* a message does not go on in the next payload */
	fg_stream_end(in->stream);
	if (ret < 0)
		in->host->skipped(in->probes[i].part, fg_payload_why(ret), len);
}

static void on_message(void *ctx, const char *topic, const char *payload,
		       size_t len)
{
	struct fg_topic_match m;
	struct input *in = ctx;
	int ret = -ENOENT;

	if (*in->state_topic)
		ret = fg_topic_match(in->state_topic, topic, &m);
	if (ret == 0) {
		on_state(in, &m, payload, len);
		return;
	}
	if (ret == -ENOENT)
		ret = fg_topic_match(in->topic, topic, &m);
	if (ret == 0)
		on_flows(in, &m, payload, len);
	else if (ret == -EINVAL)
		in->host->skipped(in->source,
				  "from a topic with an empty or long name in "
				  "it, or control characters",
				  len);
}

/* What is older than what was said since is not said. */
static bool is_wanted(void *ctx, const struct fg_message *m)
{
	struct input *in = ctx;
	int64_t now = in->host->now(in->host);

	if (m->type == FG_MESSAGE_FLOW_PURGE)
		fg_recent_purged(in->recent, in->current, m, now);
	else if ((m->type == FG_MESSAGE_FLOW ||
		  m->type == FG_MESSAGE_FLOW_DPI_UPDATE) &&
		 fg_recent_is_late(in->recent, in->current, m, now)) {
		in->host->skipped(in->probes[in->current].part,
				  "announced before it was purged: delivered "
				  "late, or twice",
				  m->text.len);
		return false;
	}
	return true;
}

static void on_up(void *ctx)
{
	struct input *in = ctx;

	in->host->source_up(in->source);
	if (!in->knows_left)
		find_left(in);
}

static void on_down(void *ctx, const char *why)
{
	struct input *in = ctx;

	in->host->source_down(in->source, why);
}

/* --------------------------------------------------------- open and close */

static int refuse(const struct fg_host *host, const struct fg_node *at,
		  const char *where, const char *why)
{
	if (at)
		host->config->error(at, "%s: %s", where, why);
	else
		host->log(host, FG_LOG_ERROR, "%s: %s", where, why);
	return -EINVAL;
}

static int read_topic(const struct fg_host *host, const struct fg_node *cfg,
		      const char *key, bool optional, const char **topic,
		      const char *where)
{
	const struct fg_node *at = cfg;
	const char *why;

	if (cfg && host->config->text(cfg, key, topic) < 0)
		return -EINVAL;
	why = optional && !**topic ? NULL : fg_topic_check_filter(*topic);
	if (!why)
		return 0;
	host->config->any(cfg, key, &at);
	return refuse(host, at, where, why);
}

static void input_close(void *input)
{
	struct input *in = input;

	if (!in)
		return;
	fg_broker_free(in->broker, true);
	fg_stream_free(in->stream);
	fg_payload_free(in->payload);
	fg_recent_free(in->recent);
	free(in);
}

/* Nobody else is to notice that something is only tried. */
static bool only_looks(const struct fg_host *host)
{
	return host->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN);
}

static int connect_to(struct input *in, bool clean, char *err, size_t len)
{
	struct fg_broker_setup setup = {
		.host = in->host,
		.login = &in->login,
		.client_id = in->login.client_id,
		.keep_session = !clean,
		.filters = {in->topic,
			    *in->state_topic ? in->state_topic : NULL},
		.up = on_up,
		.down = on_down,
		.message = on_message,
		.ctx = in,
	};

	if (only_looks(in->host)) {
		setup.client_id = NULL;
		setup.keep_session = false;
	}
	return fg_broker_new(&in->broker, &setup, err, len);
}

static int input_open(const struct fg_host *host, void *source, const char *url,
		      const struct fg_node *cfg, void **out)
{
	char where[300], err[400] = "out of memory";
	uint64_t probes = PROBES, seed = 0;
	bool clean = true, bad = false;
	const char *topic = FG_MQTT_TOPIC_IN, *state = FG_MQTT_STATE_IN;
	struct input *in;
	int ret;

	snprintf(where, sizeof(where), "source \"%s\"", url);
	if (cfg) {
		bad |= host->config->uint(cfg, "probes", 1, 512, &probes) < 0;
		bad |= host->config->boolean(cfg, "clean_session", &clean) < 0;
	}
	in = calloc(1, sizeof(*in) + probes * sizeof(*in->probes));
	if (!in)
		return -ENOMEM;
	in->host = host;
	in->source = source;
	in->probe_max = (uint32_t)probes;
	ret = fg_login_read(&in->login, host, cfg, url, where);
	bad |= read_topic(host, cfg, "topic", false, &topic, where) < 0;
	bad |= read_topic(host, cfg, "state_topic", true, &state, where) < 0;
	in->topic = topic;
	in->state_topic = state;
	if (ret == 0 && !bad && !clean && !in->login.client_id)
		ret = refuse(host, cfg, where,
			     "a session that is kept needs a client_id: what "
			     "the broker knows it by");
	if (bad)
		ret = -EINVAL;
	if (ret < 0)
		goto fail;
	ret = fg_stream_new(&in->stream, host, where);
	if (ret < 0)
		goto fail;
	fg_stream_filter(in->stream, is_wanted, in);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uintptr_t)in;
	ret = fg_payload_new(&in->payload,
			     (size_t)host->max_message * UNPACKED);
	if (ret == 0)
		ret = fg_recent_new(&in->recent, seed);
	if (ret == 0)
		ret = connect_to(in, clean, err, sizeof(err));
	if (ret < 0) {
		refuse(host, cfg, where, err);
		goto fail;
	}
	host->source_idle(source, in->login.ttl_ms);
	if (!(host->flags & FG_HOST_CHECK))
		fg_broker_start(in->broker);
	*out = in;
	return 0;

fail:
	input_close(in);
	return ret;
}

const struct fg_input_type fg_mqtt_input = {
	.size = sizeof(fg_mqtt_input),
	.name = "mqtt",
	.schemes = "mqtt mqtts",
	.open = input_open,
	.close = input_close,
};
