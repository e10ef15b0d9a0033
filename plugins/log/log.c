/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.c - target type log: a record of every flow that enters or leaves.
 *
 * The "interval", "path", "prefix" and "suffix" of Netify's Flow Actions give
 * a file for each interval; "file" gives one, and "format" says what is in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/word.h"
#include "rate.h"
#include "record.h"
#include "sink.h"

/* What may wait while a disk or a logger is slow: some 1500 records. */
#define DEFAULT_BUFFER 512 /* KiB */

struct format {
	const char *name;
	size_t (*write)(const struct fg_record *r, char *buf, size_t size);
	const char *header;
	const char *socket; /* for those that go to a logger */
	unsigned events;    /* unless "events" says otherwise */
};

#define ON(event) (1u << FG_LOG_##event)

static const struct format formats[] = {
	{"json", fg_record_json, NULL, NULL,
	 ON(ENTER) | ON(LEAVE) | ON(UPDATE)},
	{"csv", fg_record_csv, NULL, NULL, ON(ENTER) | ON(UPDATE)},
	{"syslog", fg_record_syslog, NULL, "/dev/log",
	 ON(ENTER) | ON(LEAVE) | ON(UPDATE)},
	{"journal", fg_record_journal, NULL, "/run/systemd/journal/socket",
	 ON(ENTER) | ON(LEAVE) | ON(UPDATE)},
};
#define FORMATS (sizeof(formats) / sizeof(*formats))

static const char csv_header[] =
	"time,digest,local,other,protocol,application,host_name\n";

struct log {
	const struct fg_host *host;
	const char *name;
	const struct format *format;
	struct fg_sink_setup setup;
	struct fg_sink *sink; /* NULL: nothing is written, -t and -n */
	unsigned events;
	struct fg_rate rate;
	bool limiting;
	uint64_t limited;
	uint64_t held;
};

/* -------------------------------------------------------- configuration */

static int read_format(struct log *l, const struct fg_node *cfg)
{
	const char *names[FORMATS];
	unsigned format = 0;

	for (size_t i = 0; i < FORMATS; i++)
		names[i] = formats[i].name;
	if (fg_word_read(l->host, cfg, "format", names, FORMATS, &format) < 0)
		return -EINVAL;
	l->format = &formats[format];
	return 0;
}

static int read_events(struct log *l, const struct fg_node *cfg)
{
	const struct fg_config *c = l->host->config;
	const struct fg_node *list;
	int got = c->list(cfg, "events", &list);

	l->events = l->format->events;
	if (got <= 0)
		return got;
	l->events = 0;
	for (size_t i = 0; i < c->count(list); i++) {
		unsigned event;

		if (fg_word_at(l->host, c->at(list, i), "an event",
			       fg_log_events, FG_LOG_EVENT_COUNT, &event) < 0)
			return -EINVAL;
		l->events |= 1u << event;
	}
	return 0;
}

/* A piece of a file name: it may not lead to another folder. */
static int read_piece(struct log *l, const struct fg_node *cfg, const char *key,
		      const char **out)
{
	const struct fg_config *c = l->host->config;

	if (c->text(cfg, key, out) < 0)
		return -EINVAL;
	if (!strchr(*out, '/'))
		return 0;
	c->error(cfg,
		 "\"%s\" is part of a file name and can't have a '/': put "
		 "the folder into \"path\"",
		 key);
	return -EINVAL;
}

static int read_place(struct log *l, const struct fg_node *cfg)
{
	const struct fg_config *c = l->host->config;
	struct fg_sink_setup *s = &l->setup;
	uint64_t interval = 60;
	const char *file = l->format->socket;

	s->path = "/tmp";
	s->prefix = "netify-flow-actions";
	s->suffix = l->format->write == fg_record_csv ? ".csv" : ".json";
	if (c->text(cfg, "file", &file) < 0 ||
	    c->text(cfg, "path", &s->path) < 0 ||
	    read_piece(l, cfg, "prefix", &s->prefix) ||
	    read_piece(l, cfg, "suffix", &s->suffix) ||
	    c->uint(cfg, "interval", 1, 31536000, &interval) < 0)
		return -EINVAL;
	if (l->format->socket) {
		s->kind = FG_SINK_DATAGRAM;
		s->path = file;
	} else if (!file) {
		s->kind = FG_SINK_INTERVAL;
		s->interval_s = (uint32_t)interval;
	} else if (!strcmp(file, "-")) {
		s->kind = FG_SINK_STDOUT;
	} else {
		s->kind = FG_SINK_FILE;
		s->path = file;
	}
	return 0;
}

static int read_config(struct log *l, const struct fg_node *cfg)
{
	const struct fg_config *c = l->host->config;
	uint64_t rate = 0, burst = 0, buffer = DEFAULT_BUFFER;
	bool header = false;

	if (read_format(l, cfg) || read_events(l, cfg) || read_place(l, cfg))
		return -EINVAL;
	if (c->uint(cfg, "rate", 0, 1000000, &rate) < 0 ||
	    c->uint(cfg, "burst", 1, 1000000, &burst) < 0 ||
	    c->uint(cfg, "buffer_kib", 16, 1048576, &buffer) < 0 ||
	    c->boolean(cfg, "header", &header) < 0)
		return -EINVAL;
	if (header && l->format->write != fg_record_csv) {
		c->error(cfg, "\"header\" is for \"format\": \"csv\"");
		return -EINVAL;
	}
	l->setup.header = header ? csv_header : NULL;
	l->setup.size = (size_t)buffer * 1024;
	l->rate = fg_rate((uint32_t)rate, (uint32_t)(burst ? burst : rate),
			  l->host->now(l->host));
	return 0;
}

/* --------------------------------------------------------------- records */

static bool limited(struct log *l)
{
	const struct fg_host *h = l->host;

	if (fg_rate_pass(&l->rate, h->now(h))) {
		l->limiting = false;
		return false;
	}
	l->limited++;
	if (!l->limiting)
		h->log(h, FG_LOG_NOTICE,
		       "target \"%s\": more than %u record%s a second "
		       "(\"rate\"): some are left out",
		       l->name, l->rate.per_second,
		       FG_S(l->rate.per_second));
	l->limiting = true;
	return true;
}

static void dry(struct log *l, const struct fg_record *r)
{
	char text[8192];
	size_t len = l->format->write(r, text, sizeof(text));

	if (!len)
		return;
	text[len - 1] = '\0';
	/* fields of a journal entry are lines */
	for (char *p = text; (p = strchr(p, '\n'));)
		*p = ' ';
	l->host->print(l->host, "# log %s: %s", l->name, text);
}

static void record(struct log *l, const struct fg_flow *flow,
		   const struct fg_member *member, enum fg_log_event event,
		   enum fg_reason reason)
{
	const struct fg_record r = {.host = l->host,
				    .target = l->name,
				    .flow = flow,
				    .member = member,
				    .event = event,
				    .reason = reason,
				    .wall = l->host->wall(l->host)};
	size_t size;
	char *buf;

	if (!(l->events & 1u << event) || limited(l))
		return;
	if (!l->sink) {
		if (l->host->flags & FG_HOST_DRY_RUN)
			dry(l, &r);
		return;
	}
	buf = fg_sink_room(l->sink, &size);
	fg_sink_commit(l->sink, l->format->write(&r, buf, size));
}

/* ---------------------------------------------------------------- target */

/*
 * With -t, what opening would say. A folder for files of intervals may come
 * later, each is tried again: worth a word at any time.
 */
static int check_place(struct log *l, const struct fg_node *cfg)
{
	const struct fg_config *c = l->host->config;
	bool intervals = l->setup.kind == FG_SINK_INTERVAL;
	char why[512];
	int err;

	if (!intervals && !(l->host->flags & FG_HOST_CHECK))
		return 0;
	err = fg_sink_check(&l->setup, why, sizeof(why));
	if (!err)
		return 0;
	c->any(cfg, intervals ? "path" : "file", &cfg);
	(intervals ? c->warning : c->error)(cfg, "target \"%s\": %s", l->name,
					    why);
	return intervals ? 0 : err;
}

static int log_open(const struct fg_host *host, const void *self,
		    const char *name, const struct fg_node *cfg,
		    const struct fg_node *globals, void **target)
{
	struct log *l = calloc(1, sizeof(*l));
	char why[512];
	int err;

	(void)self, (void)globals;
	if (!l)
		return -ENOMEM;
	/* the first time that is broken down would read the zone's file */
	tzset();
	l->host = host;
	l->name = name;
	l->setup.host = host;
	l->setup.name = name;
	err = read_config(l, cfg);
	if (!err)
		err = check_place(l, cfg);
	if (!err && !(host->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN))) {
		err = fg_sink_open(&l->sink, &l->setup, why, sizeof(why));
		if (err)
			host->config->error(cfg, "%s", why);
	}
	if (err) {
		free(l);
		return err;
	}
	*target = l;
	return 0;
}

static void log_enter(void *target, const struct fg_flow *flow,
		      const struct fg_member *member, enum fg_reason reason)
{
	struct log *l = target;

	l->held++;
	/* a format without reasons would say that there were two */
	if (reason == FG_REASON_RESTART && l->format->write == fg_record_csv)
		return;
	record(l, flow, member, FG_LOG_ENTER, reason);
}

static void log_leave(void *target, const struct fg_flow *flow,
		      const struct fg_member *member, enum fg_reason reason)
{
	struct log *l = target;

	l->held--;
	record(l, flow, member, FG_LOG_LEAVE, reason);
}

/* What a record shows: an agent repeats itself, and counts on. */
static bool looks_the_same(const struct fg_flow *a, const struct fg_flow *b)
{
	return a->application == b->application && a->protocol == b->protocol &&
	       a->ip_version == b->ip_version &&
	       a->ip_protocol == b->ip_protocol &&
	       a->local_port == b->local_port &&
	       a->other_port == b->other_port &&
	       !memcmp(a->local_addr, b->local_addr, sizeof(a->local_addr)) &&
	       !memcmp(a->other_addr, b->other_addr, sizeof(a->other_addr));
}

static void log_rekey(void *target, const struct fg_flow *old,
		      const struct fg_flow *flow,
		      const struct fg_member *member)
{
	if (!looks_the_same(old, flow))
		record(target, flow, member, FG_LOG_UPDATE, FG_REASON_REKEYED);
}

static bool log_flush(void *target, int64_t now)
{
	struct log *l = target;

	(void)now;
	if (l->sink)
		fg_sink_flush(l->sink);
	return false;
}

static void log_status(void *target, struct fg_status *out)
{
	struct log *l = target;
	struct fg_sink_counts c = {0};

	if (l->sink)
		fg_sink_counts(l->sink, &c);
	out->elements = l->held;
	out->adds = c.written;
	out->errors = c.failures;
	out->pending = 0;
	out->state = c.error ? "failing" : "ok";
	out->reason = c.error ? strerror(-c.error) : "";
	if (!out->more)
		return;
	out->more(out->ctx, "bytes", c.bytes);
	out->more(out->ctx, "waiting_bytes", c.waiting);
	out->more(out->ctx, "dropped", c.dropped);
	out->more(out->ctx, "limited", l->limited);
}

static void log_reload(void *target)
{
	struct log *l = target;

	if (l->sink)
		fg_sink_reopen(l->sink);
}

static void log_close(void *target, bool stopping)
{
	struct log *l = target;

	(void)stopping;
	fg_sink_close(l->sink);
	free(l);
}

static const struct fg_target_type log_type = {
	.size = sizeof(log_type),
	.name = "log",
	.flags = FG_TYPE_OBSERVES | FG_TYPE_CLASS,
	.open = log_open,
	.enter = log_enter,
	.leave = log_leave,
	.rekey = log_rekey,
	.flush = log_flush,
	.status = log_status,
	.reload = log_reload,
	.close = log_close,
};

static const struct fg_target_type *const targets[] = {&log_type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("log", FG_VERSION,
			 "records of flows that enter and leave"),
	.targets = targets,
};
