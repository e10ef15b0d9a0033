/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.c - from a transport through an input to membership. */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host.h"
#include "restart.h"
#include "setup.h"
#include "transport.h"

#define AGENT_TEXT 48
/* v3 may begin with a number near 2^32. */
#define UPTIME_MAX (UINT64_C(10) * 366 * 86400)

struct fg_source {
	struct fg_client client;
	struct fg_gate *gate;
	struct fg_conf *conf; /* whose text we point into */
	uint16_t slot;
	const char *name;
	const char *url;
	const struct fg_input_type *type;
	void *input;
	struct fg_transport *transport; /* NULL: the input has its own */
	struct fg_source *whole;	/* NULL: it is no part of another */
	struct fg_source *parts;	/* newest first */
	struct fg_source *next;		/* part of the whole; lingering */
	bool connected;
	bool ended;
	bool was_up;
	bool restoring;
	bool missed;   /* a part: gone, and we were cut off since */
	bool restored; /* a part: grace is what is left of its idle_ms */
	uint32_t idle_ms;
	int64_t heard;	/* monotonic ms of the last message; 0: none */
	int64_t before; /* while grace runs: the same before the loss */
	char reason[500];
	char agent[AGENT_TEXT];
	struct fg_timer grace;
	uint64_t messages, bytes, skipped, reconnects;
	uint64_t types[FG_MESSAGE_TYPE_COUNT];
};

static void say(struct fg_source *s, enum fg_level level, const char *fmt, ...)
	FG_PRINTF(3, 4);

/* A connection that comes and goes all the time is not worth a line each. */
static void say(struct fg_source *s, enum fg_level level, const char *fmt, ...)
{
	struct fg_gate *g = s->gate;
	char prefix[FG_SLOT_NAME + 16];
	va_list ap;

	snprintf(prefix, sizeof(prefix), "source %s: ", s->name);
	va_start(ap, fmt);
	fg_log_repeated(g->log, s, prefix, fg_loop_now(g->loop), level, fmt,
			ap);
	va_end(ap);
	if (!g->log_timer.deadline)
		fg_loop_timer_set(g->loop, &g->log_timer,
				  fg_loop_now(g->loop) + 5000);
}

/* ---------------------------------------------------- what the input tells */

/*
 * An agent that was running when it was heard before the loss is the same one:
 * the digests that it told are good, though it will not announce them again. Of
 * what it says of its age, delays only make it younger.
 */
static void note_age(struct fg_source *s, const struct fg_message *m)
{
	int64_t now = fg_loop_now(s->gate->loop);
	uint64_t age = m->value[FG_ATTR_UPTIME].u;

	if (!s->connected || !s->grace.deadline ||
	    !fg_message_has(m, FG_ATTR_UPTIME) || age > UPTIME_MAX ||
	    now - (int64_t)age * 1000 > s->before)
		return;
	fg_loop_timer_cancel(s->gate->loop, &s->grace);
	say(s, FG_LOG_NOTICE,
	    "its agent was running all the while: its flows stay in force");
}

static void note_agent(struct fg_source *s, const struct fg_message *m)
{
	char raw[AGENT_TEXT];
	size_t n;

	note_age(s, m);
	if (!fg_message_has(m, FG_ATTR_AGENT_VERSION))
		return;
	n = fg_text_decode(m->value[FG_ATTR_AGENT_VERSION].text, raw,
			   sizeof(raw));
	if (n > sizeof(raw))
		n = sizeof(raw);
	fg_text_printable(fg_slice(raw, n), s->agent, sizeof(s->agent));
}

void fg_source_message(void *source, const struct fg_message *message)
{
	struct fg_source *s = source;
	struct fg_gate *g = s->gate;

	if (s->restoring) {
		if (message->type == FG_MESSAGE_FLOW)
			fg_restart_recall(g, message);
		fg_membership_message(g->membership, s->slot,
				      g->slots[s->slot].epoch, message,
				      fg_loop_now(g->loop));
		return;
	}
	s->messages++;
	s->heard = fg_loop_now(g->loop);
	if (!s->transport)
		s->bytes += message->text.len;
	if ((unsigned)message->type < FG_MESSAGE_TYPE_COUNT)
		s->types[message->type]++;
	if (message->type == FG_MESSAGE_AGENT_HELLO ||
	    message->type == FG_MESSAGE_AGENT_STATUS)
		note_agent(s, message);
	fg_membership_message(g->membership, s->slot, g->slots[s->slot].epoch,
			      message, fg_loop_now(g->loop));
	/* to show each change: within a burst, most cancel out */
	if (g->options->flags & FG_HOST_DRY_RUN)
		fg_membership_flush(g->membership, fg_loop_now(g->loop));
}

void fg_source_skipped(void *source, const char *why, size_t bytes)
{
	struct fg_source *s = source;

	s->skipped++;
	say(s, FG_LOG_WARNING, "skipped %zu byte%s: %s", bytes, FG_S(bytes),
	    why);
}

void fg_source_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag)
{
	struct fg_source *s = source;

	fg_catalog_learn(s->gate->catalog, kind, id, tag);
}

void fg_source_note_role(struct fg_gate *g, struct fg_slice name,
			 struct fg_slice role)
{
	struct fg_flow_table *t = g->table;
	char letter = 0;

	if (fg_slice_is_nocase(role, "LAN"))
		letter = 'l';
	else if (fg_slice_is_nocase(role, "WAN"))
		letter = 'w';
	fg_flow_set_role(t, fg_flow_interface(t, name), letter);
}

void fg_source_learn_interface(void *source, struct fg_slice name,
			       struct fg_slice role)
{
	struct fg_source *s = source;

	fg_source_note_role(s->gate, name, role);
}

static void wait_grace(struct fg_source *s)
{
	s->restored = false;
	/* what was lost before is still waited for */
	if (!s->grace.deadline)
		s->before = s->heard;
	fg_loop_timer_set(s->gate->loop, &s->grace,
			  fg_loop_now(s->gate->loop) +
				  fg_setup_settings(s->gate->setup)->grace_ms);
}

/*
 * Cut off, we do not know what its parts do: that one was gone is old, and when
 * it is back it may have said again what it has before we were. From then on
 * the time that it says everything again in counts, fg_source_idle(), no more
 * grace.
 */
static void parts_cut_off(struct fg_source *whole)
{
	for (struct fg_source *p = whole->parts; p; p = p->next) {
		if (!p->grace.deadline || p->restored)
			continue;
		p->missed = true;
		fg_loop_timer_cancel(p->gate->loop, &p->grace);
	}
}

static void parts_reached(struct fg_source *whole)
{
	for (struct fg_source *p = whole->parts; p; p = p->next)
		if (p->missed)
			wait_grace(p);
}

void fg_source_up(void *source)
{
	struct fg_source *s = source;

	if (s->connected)
		return;
	s->connected = true;
	s->reason[0] = '\0';
	s->gate->slots[s->slot].epoch++;
	if (s->was_up)
		s->reconnects++;
	s->was_up = true;
	if (s->whole)
		say(s, FG_LOG_NOTICE, "is there");
	else if (!s->transport || !fg_transport_ends(s->transport))
		say(s, FG_LOG_NOTICE, "connected to %s", s->url);
	/* A part has a stream no more than its flows: these come again. */
	if (s->missed)
		fg_loop_timer_cancel(s->gate->loop, &s->grace);
	else if (s->whole && s->grace.deadline && !s->restored)
		wait_grace(s);
	s->missed = false;
	parts_reached(s);
}

/* It could not come up. */
static void not_up(struct fg_source *s, const char *why, bool first)
{
	bool again = !strcmp(s->reason, why);

	snprintf(s->reason, sizeof(s->reason), "%s", why);
	if (first || !again)
		say(s, FG_LOG_WARNING,
		    "cannot connect to %s: %s; trying again, at least every 15 "
		    "s",
		    s->url, why);
}

void fg_source_down(void *source, const char *why)
{
	struct fg_source *s = source;

	if (!s->connected) {
		not_up(s, why, false);
		return;
	}
	s->connected = false;
	snprintf(s->reason, sizeof(s->reason), "%s", why);
	if (s->parts) {
		say(s, FG_LOG_WARNING,
		    "connection lost: %s; what came by it stays in force for "
		    "its time while it is tried again",
		    why);
		parts_cut_off(s);
		return;
	}
	say(s, FG_LOG_WARNING,
	    "%s: %s; its flows stay in force for %u s while it is %s",
	    s->whole ? "gone" : "connection lost", why,
	    fg_setup_settings(s->gate->setup)->grace_ms / 1000,
	    s->whole ? "waited for" : "tried again");
	wait_grace(s);
}

static void grace_over(struct fg_timer *timer, int64_t now)
{
	struct fg_source *s = timer->ctx;
	struct fg_gate *g = s->gate;
	uint16_t *epoch = &g->slots[s->slot].epoch;

	(void)now;
	s->restored = false;
	/* Still away: nothing was mentioned in the epoch that is next. */
	if (!s->connected)
		++*epoch;
	fg_membership_source_void(g->membership, s->slot, *epoch);
}

/* ------------------------------------------------ what the transport tells */

static void on_bytes(void *ctx, const char *bytes, size_t len)
{
	struct fg_source *s = ctx;

	s->bytes += len;
	s->type->feed(s->input, bytes, len);
}

static void on_down(void *ctx, const char *why)
{
	struct fg_source *s = ctx;

	if (s->type->reset)
		s->type->reset(s->input);
	fg_source_down(s, why);
}

static void on_failed(void *ctx, const char *why, unsigned failures)
{
	not_up(ctx, why, failures == 1);
}

static void on_end(void *ctx)
{
	struct fg_source *s = ctx;

	if (s->type->reset)
		s->type->reset(s->input);
	s->connected = false;
	s->ended = true;
	/* When there are sources that go on: its flows are void as any other's.
	 */
	wait_grace(s);
}

/* ---------------------------------------------------------- new and free */

static int take_slot(struct fg_source *s, const char *of, const char *name)
{
	struct fg_gate *g = s->gate;

	for (uint16_t i = 0; i < FG_SLOTS_MAX; i++) {
		struct fg_source_slot *slot = &g->slots[i];

		if (slot->used)
			continue;
		if (snprintf(slot->name, sizeof(slot->name), "%s%s%s", of,
			     *of ? "/" : "", name) >= (int)sizeof(slot->name))
			return -ENAMETOOLONG;
		slot->used = true;
		fg_membership_source_idle(g->membership, i, 0);
		s->slot = i;
		return 0;
	}
	return -ENOSPC;
}

static void make(struct fg_source *s, struct fg_gate *g, struct fg_conf *conf)
{
	s->gate = g;
	s->conf = fg_conf_hold(conf);
	s->grace.expired = grace_over;
	s->grace.ctx = s;
	fg_client_init(&s->client, g);
}

/* Nobody may know it any more, but for a job of its input. */
static void unmake(struct fg_source *s)
{
	struct fg_gate *g = s->gate;

	fg_loop_timer_cancel(g->loop, &s->grace);
	fg_log_forget(g->log, s);
	if (s->name)
		g->slots[s->slot].used = false;
	if (s->client.jobs) {
		s->next = g->lingering;
		g->lingering = s;
		return;
	}
	fg_client_fini(&s->client);
	fg_conf_drop(s->conf);
	free(s);
}

void fg_source_bury(struct fg_gate *g)
{
	struct fg_source *all = g->lingering, *s;

	g->lingering = NULL;
	while ((s = all) != NULL) {
		all = s->next;
		s->name = NULL;
		unmake(s);
	}
}

static unsigned said(const struct fg_source *s)
{
	return fg_json_errors(s->conf->settings->doc) + s->client.errors;
}

/* Said at its place in the file, when it has one: not when it is from -s. */
static void refuse(const struct fg_source *s,
		   const struct fg_source_config *config, const char *why)
{
	const struct fg_settings *settings = s->conf->settings;
	const struct fg_node *root = fg_json_root(settings->doc), *list;

	if (s->gate->options->source_count ||
	    fg_node_any(root, "sources", &list) != 1)
		fg_setup_error(s->gate, "source \"%s\": %s", config->url, why);
	else
		fg_node_error(
			fg_node_at(list, (size_t)(config - settings->sources)),
			"source \"%s\": %s", config->url, why);
}

/* The input that reads it: as configured, or the one that has the scheme. */
static const struct fg_input_type *
find_input(struct fg_gate *g, const struct fg_source_config *config,
	   const struct fg_url *url, char *err, size_t len)
{
	const struct fg_input_type *type;
	char scheme[32];

	if (url->scheme == FG_URL_OTHER) {
		snprintf(scheme, sizeof(scheme), "%.*s",
			 (int)strcspn(config->url, ":"), config->url);
		return fg_plugins_scheme(g->plugins, scheme, err, len);
	}
	type = fg_plugins_input(g->plugins, config->input, err, len);
	if (type && type->schemes) {
		snprintf(err, len,
			 "the input \"%s\" connects by itself, to \"%s\" only",
			 type->name, type->schemes);
		return NULL;
	}
	return type;
}

int fg_source_new(struct fg_source **out, struct fg_gate *g,
		  struct fg_conf *conf, const struct fg_source_config *config)
{
	struct fg_source *s = calloc(1, sizeof(*s));
	const struct fg_transport_events events = {.up = fg_source_up,
						   .bytes = on_bytes,
						   .down = on_down,
						   .failed = on_failed,
						   .end = on_end,
						   .ctx = s};
	char err[600] = "out of memory";
	struct fg_url url;
	unsigned before;
	int ret = -ENOMEM;

	if (!s)
		return -ENOMEM;
	make(s, g, conf);
	s->url = config->url;
	ret = take_slot(s, "", config->name);
	if (ret < 0) {
		snprintf(err, sizeof(err), "there are too many sources");
		goto fail;
	}
	s->name = config->name;
	ret = fg_url_parse(&url, config->url, err, sizeof(err));
	if (ret < 0)
		goto fail;
	ret = -EINVAL;
	s->type = find_input(g, config, &url, err, sizeof(err));
	if (!s->type)
		goto fail;
	if (!s->type->schemes) {
		ret = fg_transport_new(&s->transport, g->loop, &url, g->buffer,
				       &events, err, sizeof(err));
		if (ret < 0)
			goto fail;
	}
	/* now, as for a file that is not there, and not when it is opened */
	if (url.scheme == FG_URL_FILE && g->user.name[0]) {
		ret = fg_user_may_read(&g->user, url.path);
		if (ret < 0) {
			snprintf(err, sizeof(err),
				 "user %s cannot read it: %s: change its owner "
				 "or mode, or those of a directory above it",
				 g->user.name, strerror(-ret));
			goto fail;
		}
	}
	before = said(s);
	ret = s->type->open(&s->client.host, s, config->url, config->node,
			    &s->input);
	if (ret < 0) {
		snprintf(err, sizeof(err), "the input \"%s\" refuses it: %s",
			 s->type->name, strerror(-ret));
		s->type = NULL;
		if (said(s) > before)
			goto free;
		goto fail;
	}
	*out = s;
	return 0;

fail:
	refuse(s, config, err);
free:
	fg_source_free(s);
	return ret;
}

void fg_source_start(struct fg_source *s)
{
	if (s->transport)
		fg_transport_start(s->transport);
}

void fg_source_restoring(struct fg_source *s)
{
	s->restoring = true;
	fg_membership_restoring(s->gate->membership, true);
}

void fg_source_restored(struct fg_source *s, int64_t heard)
{
	s->restoring = false;
	fg_restart_recall(s->gate, NULL);
	fg_membership_restoring(s->gate->membership, false);
	s->heard = heard;
	wait_grace(s);
	if (!s->whole || !s->idle_ms)
		return;
	/*
	 * A part does not say again what it has because we are back, but in its
	 * own time: what it does not mention in that was over meanwhile.
	 */
	s->restored = true;
	fg_loop_timer_set(s->gate->loop, &s->grace, heard + s->idle_ms);
}

void fg_source_void(struct fg_source *s)
{
	struct fg_gate *g = s->gate;

	fg_membership_source_void(g->membership, s->slot,
				  ++g->slots[s->slot].epoch);
	for (struct fg_source *p = s->parts; p; p = p->next)
		fg_source_void(p);
}

void fg_source_free(struct fg_source *s)
{
	struct fg_source *p;

	fg_transport_free(s->transport);
	if (s->type && s->input)
		s->type->close(s->input);
	while ((p = s->parts) != NULL) {
		s->parts = p->next;
		unmake(p);
	}
	unmake(s);
}

/* ---------------------------------------------------------------- parts */

void *fg_source_part(void *source, const char *name)
{
	struct fg_source *s = source, *p;

	for (p = s->parts; p; p = p->next)
		if (!strcmp(p->name + strlen(s->name) + 1, name))
			return p;
	/* Once for each: how many there may be is the input's to say. */
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	make(p, s->gate, s->conf);
	p->whole = s;
	p->url = s->url;
	p->type = s->type;
	if (take_slot(p, s->name, name) < 0) {
		unmake(p);
		return NULL;
	}
	p->name = s->gate->slots[p->slot].name;
	p->next = s->parts;
	s->parts = p;
	fg_source_idle(p, s->idle_ms);
	return p;
}

void *fg_source_part_after(void *source, void *part, const char **name)
{
	struct fg_source *s = source, *p = part;

	p = p ? p->next : s->parts;
	if (p)
		*name = p->name + strlen(s->name) + 1;
	return p;
}

void fg_source_idle(void *source, uint32_t ms)
{
	struct fg_source *s = source;

	s->idle_ms = ms;
	fg_membership_source_idle(s->gate->membership, s->slot, ms);
}

const struct fg_source *fg_source_next_part(const struct fg_source *s,
					    const struct fg_source **whole)
{
	*whole = s->whole ? s->whole : s;
	return s->whole ? s->next : s->parts;
}

/* --------------------------------------------------------------- status */

bool fg_source_ends(const struct fg_source *s)
{
	return s->transport && fg_transport_ends(s->transport);
}

bool fg_source_ended(const struct fg_source *s)
{
	return s->ended;
}

uint16_t fg_source_slot(const struct fg_source *s)
{
	return s->slot;
}

int64_t fg_source_heard(const struct fg_source *s)
{
	return s->heard;
}

void fg_source_status(const struct fg_source *s, struct fg_source_status *out)
{
	bool cut_off = s->whole && !s->whole->connected;

	*out = (struct fg_source_status){
		.name = s->name,
		.url = s->url,
		.input = s->type->name,
		.state = s->connected && !cut_off ? "connected"
			 : s->ended		  ? "ended"
			 : s->was_up		  ? "lost"
						  : "connecting",
		.reason = cut_off ? s->whole->reason : s->reason,
		.agent = s->agent,
		.messages = s->messages,
		.bytes = s->bytes,
		.skipped = s->skipped,
		.reconnects = s->reconnects,
	};
	memcpy(out->types, s->types, sizeof(out->types));
}
