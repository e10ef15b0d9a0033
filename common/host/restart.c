/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restart.c - flows written at the stop, read at the start. */
#include "restart.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/kept.h"
#include "base/text.h"
#include "flow/estate.h"
#include "host.h"
#include "setup.h"
#include "source.h"

/* A stop takes no longer, however many flows there are. */
#define LEAVE_MS 15000
/* What reads it: it is text in the shape of netifyd's. */
#define INPUT "netifyd"

static int64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* "": nothing is left, nor looked for. */
static const char *path_of(const struct fg_gate *g, char path[PATH_MAX])
{
	path[0] = '\0';
	/* whoever has the socket has what is beside it */
	if (g->control && !g->ends &&
	    !(g->options->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN)))
		snprintf(path, PATH_MAX, "%s.flows", g->socket);
	return path;
}

static struct fg_slice slice(const char *text)
{
	return fg_slice(text, strlen(text));
}

/* Whose flows a source's are; text is the source's. */
static void identify(const struct fg_source *s, struct fg_estate *e)
{
	const struct fg_source *whole;
	struct fg_source_status mine, its;
	size_t len;

	fg_source_next_part(s, &whole);
	fg_source_status(s, &mine);
	fg_source_status(whole, &its);
	len = strlen(its.name);
	e->name = slice(its.name);
	e->part = slice(whole == s ? "" : mine.name + len + 1);
	e->url = slice(its.url);
	e->agent = slice(mine.agent);
}

/* ------------------------------------------------------------------- leave */

struct leaving {
	struct fg_gate *g;
	struct fg_kept file;
	uint64_t room;	/* bytes that may yet be written */
	int64_t until;	/* monotonic ms */
	int64_t beat;	/* of the next watchdog */
	uint64_t flows; /* written, of all sources */
	uint64_t bytes; /* of this source */
	uint64_t sum;
	bool enough;
	size_t len; /* of buf */
	char line[FG_ESTATE_LINE];
	char buf[FG_ESTATE_BLOCK + 2 * FG_ANNOUNCE_SIZE];
};

static int put(struct leaving *l, const char *p, size_t len)
{
	l->room -= len;
	return fg_kept_write(&l->file, p, len);
}

static int put_block(struct leaving *l, size_t len)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	int err;

	l->sum = fg_estate_sum(l->sum, l->buf, len);
	l->bytes += len;
	err = put(l, l->buf, len);
	l->len -= len;
	memmove(l->buf, l->buf + len, l->len);
	if (now >= l->beat) {
		fg_notify_watchdog(l->g->notify);
		l->beat = now + 1000;
	}
	if (now >= l->until || l->room < 2 * sizeof(l->buf))
		l->enough = true;
	return err;
}

struct text {
	char *buf;
	size_t len;
	size_t size;
};

static void add_target(void *ctx, const struct fg_target *t,
		       const struct fg_member *member)
{
	struct text *x = ctx;

	x->len = fg_estate_targets_add(x->buf, x->len, x->size, t->name,
				       member->observe);
}

static void say(struct leaving *l, const struct fg_flow *flow,
		enum fg_message_type type)
{
	struct text x = {.buf = l->buf + l->len,
			 .size = sizeof(l->buf) - l->len};
	size_t n;

	n = fg_announcer_say(l->g->announcer, flow, type, NULL, x.buf, x.size);
	if (!n)
		return;
	x.size--; /* a newline follows, instead of the NUL */
	x.len = n;
	if (type == FG_MESSAGE_FLOW)
		x.len = fg_estate_targets_begin(x.buf, n, x.size);
	if (x.len > n)
		fg_membership_of(l->g->membership, flow, add_target, &x);
	x.buf[x.len++] = '\n';
	l->len += x.len;
}

static int put_flows(struct leaving *l, uint16_t slot, bool members,
		     uint64_t *flows)
{
	struct fg_flow_table *t = l->g->table;
	struct fg_flow *flow;
	uint32_t cursor = 0;
	int err = 0;

	while (!err && (flow = fg_flow_next(t, &cursor)) != NULL) {
		if (flow->source != slot ||
		    !fg_flow_verdict(t, flow) == members)
			continue;
		++*flows;
		if (l->enough)
			continue;
		say(l, flow, FG_MESSAGE_FLOW);
		if (flow->flags & FG_FLOW_COMPLETE)
			say(l, flow, FG_MESSAGE_FLOW_DPI_COMPLETE);
		l->flows++;
		while (!err && l->len >= FG_ESTATE_BLOCK)
			err = put_block(l, FG_ESTATE_BLOCK);
	}
	return err;
}

static int put_source(struct leaving *l, const struct fg_source *s)
{
	struct fg_estate e = {.boot_ms = clock_ms(CLOCK_BOOTTIME),
			      .wall_ms = clock_ms(CLOCK_REALTIME)};
	off_t begin = lseek(l->file.fd, 0, SEEK_CUR);
	size_t len;
	int err;

	identify(s, &e);
	e.heard_ms =
		e.boot_ms - (clock_ms(CLOCK_MONOTONIC) - fg_source_heard(s));
	if (e.heard_ms < 0)
		e.heard_ms = 0;
	len = fg_estate_write(&e, 0, l->line);
	if (!len)
		return 0; /* a name that nobody would give */
	l->bytes = l->sum = 0;
	/* the line's place, until its numbers are known */
	err = put(l, l->line, len);
	if (!err)
		err = put_flows(l, fg_source_slot(s), true, &e.flows);
	if (!err)
		err = put_flows(l, fg_source_slot(s), false, &e.flows);
	if (!err && l->len)
		err = put_block(l, l->len);
	if (err)
		return err;
	if (!e.flows) {
		if (ftruncate(l->file.fd, begin) < 0 ||
		    lseek(l->file.fd, begin, SEEK_SET) < 0)
			return -errno;
		return 0;
	}
	e.bytes = l->bytes;
	len = fg_estate_write(&e, l->sum, l->line);
	if (pwrite(l->file.fd, l->line, len, begin) != (ssize_t)len)
		return errno ? -errno : -ENOSPC;
	return 0;
}

void fg_restart_leave(struct fg_gate *g)
{
	const struct fg_source *s = NULL;
	struct fg_flow_counts counts;
	char path[PATH_MAX];
	struct leaving *l;
	struct statvfs disk;
	int err;

	if (!path_of(g, path)[0])
		return;
	fg_flow_counts(g->table, &counts);
	l = counts.live ? calloc(1, sizeof(*l)) : NULL;
	if (!l)
		return;
	l->g = g;
	err = fg_kept_create(&l->file, path);
	if (err)
		goto out;
	l->until = clock_ms(CLOCK_MONOTONIC) + LEAVE_MS;
	if (fstatvfs(l->file.fd, &disk) == 0)
		l->room = (uint64_t)disk.f_bavail * disk.f_frsize / 2;
	l->enough = l->room < 2 * sizeof(l->buf);
	while (!err && (s = fg_setup_next_source(g->setup, s)) != NULL)
		if (!fg_source_ends(s))
			err = put_source(l, s);
	err = fg_kept_end(&l->file, err);
	if (!err && !l->flows)
		unlink(path);
out:
	if (err)
		fg_log_say(g->log, FG_LOG_WARNING,
			   "flows are not left to the next run: %s: %s",
			   strerror(-err), path);
	else if (l->enough)
		fg_log_say(g->log, FG_LOG_WARNING,
			   "only %" PRIu64
			   " of %u flow%s left to the next run, "
			   "members first: no more room, or time: %s",
			   l->flows, counts.live, FG_S(counts.live), path);
	else
		fg_log_say(g->log, FG_LOG_INFO,
			   "%" PRIu64 " flow%s left to the next run: %s",
			   l->flows, FG_S(l->flows), path);
	free(l);
	fg_loop_tell_time(g->loop);
}

/* -------------------------------------------------------------------- take */

struct taking {
	struct fg_client client;
	struct fg_gate *g;
	int fd;
	uint64_t at; /* offset of what is read next */
	uint64_t size;
	int64_t boot, wall;
	bool whole; /* all that there was is known again */
	char line[FG_ESTATE_LINE];
	char buf[FG_ESTATE_BLOCK];
};

static int read_at(const struct taking *t, void *p, size_t len)
{
	if (lseek(t->fd, (off_t)t->at, SEEK_SET) < 0)
		return -errno;
	return fg_kept_read(t->fd, p, len);
}

/* Block by block: the bytes that follow the line. */
static int each_block(struct taking *t, uint64_t bytes,
		      void (*each)(void *ctx, const char *p, size_t len),
		      void *ctx)
{
	uint64_t begin = t->at;
	int err = 0;

	while (!err && bytes) {
		size_t len =
			bytes < sizeof(t->buf) ? (size_t)bytes : sizeof(t->buf);

		err = read_at(t, t->buf, len);
		if (err)
			break;
		each(ctx, t->buf, len);
		t->at += len;
		bytes -= len;
	}
	t->at = begin;
	return err;
}

static void add_up(void *ctx, const char *p, size_t len)
{
	uint64_t *sum = ctx;

	*sum = fg_estate_sum(*sum, p, len);
}

static bool same(struct fg_slice read, struct fg_slice own)
{
	char text[FG_ESTATE_LINE];
	size_t len = fg_text_decode(read, text, sizeof(text));

	return len == own.len && memcmp(text, own.ptr, len) == 0;
}

/* The source that it is of; parts are made, as their names come up. */
static struct fg_source *find(struct taking *t, const struct fg_estate *e)
{
	char part[FG_SLOT_NAME];
	size_t len;

	for (size_t i = 0; i < fg_setup_source_count(t->g->setup); i++) {
		struct fg_source *s = fg_setup_source(t->g->setup, i);
		struct fg_estate own;

		identify(s, &own);
		if (fg_source_ends(s) || !same(e->name, own.name) ||
		    !same(e->url, own.url))
			continue;
		if (!e->part.len)
			return s;
		len = fg_text_decode(e->part, part, sizeof(part) - 1);
		if (len >= sizeof(part))
			return NULL;
		part[len] = '\0';
		return fg_source_part(s, part);
	}
	return NULL;
}

void fg_restart_recall(struct fg_gate *g, const struct fg_message *m)
{
	struct fg_slice rest, name;
	bool said = m && fg_estate_targets(m->text, &rest), observe;
	char text[256];
	size_t len;

	for (size_t i = 0; i < fg_setup_target_count(g->setup); i++) {
		struct fg_target *t = fg_setup_target(g->setup, i);

		t->before[false] = t->before[true] = m && !said;
	}
	while (said && fg_estate_targets_next(&rest, &name, &observe)) {
		struct fg_target *t;

		len = fg_text_decode(name, text, sizeof(text) - 1);
		if (len >= sizeof(text))
			continue;
		text[len] = '\0';
		t = fg_setup_find_target(g->setup, text);
		if (t)
			t->before[observe] = true;
	}
}

struct feeding {
	const struct fg_input_type *type;
	void *input;
};

static void feed(void *ctx, const char *p, size_t len)
{
	const struct feeding *f = ctx;

	f->type->feed(f->input, p, len);
}

/* What is left to source s, into force. A sentence if it cannot be. */
static const char *feed_all(struct taking *t, struct fg_source *s,
			    const struct fg_estate *e)
{
	int64_t gone = t->boot - e->heard_ms;
	struct feeding f;
	char err[600];
	int ret;

	f.type = fg_plugins_input(t->g->plugins, INPUT, err, sizeof(err));
	if (!f.type || !f.type->feed)
		return "the input \"" INPUT "\" is not there to read it";
	if (f.type->open(&t->client.host, s, "", NULL, &f.input) < 0)
		return "there is no memory to read it";
	fg_source_restoring(s);
	ret = each_block(t, e->bytes, feed, &f);
	f.type->close(f.input);
	fg_source_restored(s, fg_loop_now(t->g->loop) - gone);
	return ret ? strerror(-ret) : NULL;
}

/* One source's. False: nothing behind it can be read. */
static bool take_source(struct taking *t)
{
	struct fg_gate *g = t->g;
	uint64_t rest = t->size - t->at, sum = 0;
	size_t room = rest < sizeof(t->line) ? (size_t)rest : sizeof(t->line);
	struct fg_flow_counts before = {0}, after = {0};
	struct fg_source *s = NULL;
	struct fg_source_status status;
	struct fg_estate e;
	const char *why = NULL;
	char name[200] = "";
	bool sound = false;
	size_t len;
	int err;

	err = read_at(t, t->line, room);
	if (!err)
		err = fg_estate_read(&e, t->line, room, &len);
	if (err) {
		why = err == -EPROTO ? "it is of another version of flowgated"
				     : "it is damaged";
		goto out;
	}
	t->at += len;
	if (e.bytes > t->size - t->at || each_block(t, e.bytes, add_up, &sum) ||
	    !fg_estate_is(t->line, len, sum)) {
		why = "it is damaged";
		goto out;
	}
	sound = true;
	fg_text_printable(e.name, name, sizeof(name));
	if (fg_estate_age(&e, t->boot, t->wall, g->limits.flow_idle_ms))
		why = "it is older than limits.flow_idle, or of before a boot";
	s = why ? NULL : find(t, &e);
	if (!s && !why)
		why = "there is no such source with that URL any more";
	fg_flow_counts(g->table, &before);
	if (!why)
		why = feed_all(t, s, &e);
	fg_flow_counts(g->table, &after);
	t->whole &= after.live - before.live == e.flows;
	t->at += e.bytes;
out:
	t->whole &= !why;
	if (why) {
		fg_log_say(g->log, FG_LOG_WARNING,
			   "%s%s%s.flows, left by the run before, is not used: "
			   "%s: its flows are known when they are announced",
			   name, *name ? ": " : "", g->socket, why);
	} else {
		fg_source_status(s, &status);
		fg_log_say(g->log, FG_LOG_NOTICE,
			   "source %s: %u flow%s of the run before go%s on",
			   status.name, after.live - before.live,
			   FG_S(after.live - before.live),
			   after.live - before.live == 1 ? "es" : "");
	}
	return sound;
}

static void grace_over(struct fg_timer *timer, int64_t now)
{
	struct fg_gate *g = timer->ctx;

	(void)now;
	fg_setup_restored(g->setup);
}

void fg_restart_take(struct fg_gate *g)
{
	char path[PATH_MAX];
	struct taking *t;
	int err;

	if (!path_of(g, path)[0])
		return;
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	t->g = g;
	t->whole = true;
	err = fg_kept_take(path, &t->fd, &t->size);
	if (err) {
		if (err != -ENOENT)
			fg_log_say(
				g->log, FG_LOG_WARNING,
				"%s, left by the run before, is not used: %s",
				path,
				err == -EINVAL ? "it is no file of ours"
					       : strerror(-err));
		free(t);
		return;
	}
	fg_client_init(&t->client, g);
	t->boot = clock_ms(CLOCK_BOOTTIME);
	t->wall = clock_ms(CLOCK_REALTIME);
	fg_loop_tell_time(g->loop);
	while (t->at < t->size && take_source(t))
		;
	close(t->fd);
	fg_client_fini(&t->client);
	fg_loop_tell_time(g->loop);
	g->restored.expired = grace_over;
	g->restored.ctx = g;
	if (t->whole)
		fg_loop_timer_set(
			g->loop, &g->restored,
			fg_loop_now(g->loop) +
				fg_setup_settings(g->setup)->grace_ms);
	free(t);
	fg_membership_flush(g->membership, fg_loop_now(g->loop));
}
