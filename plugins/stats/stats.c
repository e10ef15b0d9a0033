/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.c - the plugin, and its one target type "stats": what all flows come
 * to, by application, category, device, action and target.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "file.h"
#include "history.h"
#include "listener.h"
#include "options.h"
#include "render.h"
#include "server.h"
#include "state.h"

/* So much of the history can a power cut take. */
#define STATE_MS 300000

/* Memberships of one flow that are told apart; more are counted as one. */
#define ACTIONS_MAX 32

/* What goes on when a reload changes this target's configuration. */
struct shared_counts {
	unsigned users;
	struct fg_counts *counts;
};

struct shared_history {
	unsigned users;
	struct fg_history *history;
};

struct stats {
	struct stats *next; /* in the_open */
	const struct fg_host *host;
	const void *self;
	const char *name;
	const struct fg_node *cfg;
	struct fg_options o;
	bool configured;
	unsigned turn;

	struct shared_counts *counts;
	struct shared_history *history;
	struct fg_server *server;
	struct fg_file *textfile;
	struct fg_file *state;
	struct fg_timer textfile_timer;
	struct fg_timer state_timer;
	char reason[160];

	struct fg_flow before; /* what the flow was that is told anew next */
};

/*
 * All that are open: one, and for a while during a reload two, of which the
 * newer takes over what the older one has.
 */
static struct stats *the_open;
static unsigned the_turn;

/* ---------------------------------------------------------------- counting */

/* What a flow is counted by. */
struct labels {
	struct fg_label application;
	struct fg_label category;
	struct fg_label device;
};

static void labels_of(const struct stats *s, const struct fg_flow *flow,
		      struct labels *l)
{
	const struct fg_host *h = s->host;

	fg_label_set(&l->application,
		     h->name(h, FG_NAME_APPLICATION, flow->application));
	fg_label_set(&l->category, h->category(h, FG_CATEGORY_APPLICATION,
					       flow->cat_application));
	fg_label_device(&l->device, flow);
}

static struct fg_tally *tally(struct stats *s, enum fg_dimension by,
			      const struct fg_label *label)
{
	return fg_series_at(s->counts->counts->by[by], label);
}

static struct fg_tally *tally_named(struct stats *s, enum fg_dimension by,
				    const char *name)
{
	struct fg_label label;

	fg_label_set(&label, name);
	return tally(s, by, &label);
}

static uint16_t place(struct stats *s, enum fg_thing thing,
		      const struct fg_label *label)
{
	return fg_history_place(s->history->history, thing, label, false);
}

static void grow(struct fg_tally *t, const struct fg_growth *by)
{
	t->bytes[FG_UP] += by->local_bytes;
	t->bytes[FG_DOWN] += by->other_bytes;
	t->packets[FG_UP] += by->local_packets;
	t->packets[FG_DOWN] += by->other_packets;
}

static void count_delay(struct stats *s, const struct fg_flow *flow)
{
	/* what an agent repeats for a new client was detected long ago */
	if (!flow->application || flow->flags & FG_FLOW_ESTABLISHED ||
	    !flow->first_seen)
		return;
	fg_delay_add(&s->counts->counts->delay,
		     s->host->wall(s->host) - (int64_t)flow->first_seen);
}

static void count_new(struct stats *s, const struct fg_flow *flow)
{
	struct fg_history *h = s->history->history;
	const struct fg_label *note;
	struct fg_label address;
	struct labels l;
	uint16_t at;

	labels_of(s, flow, &l);
	tally(s, FG_BY_APPLICATION, &l.application)->flows++;
	tally(s, FG_BY_CATEGORY, &l.category)->flows++;
	tally(s, FG_BY_DEVICE, &l.device)->flows++;
	count_delay(s, flow);
	at = place(s, FG_THING_DEVICE, &l.device);
	note = &fg_history_at(h, FG_THING_DEVICE, at)->note;
	/* of several addresses the one that people know */
	if (flow->ip_version == 6 && strchr(note->text, '.'))
		return;
	fg_label_address(&address, flow);
	fg_history_note(h, FG_THING_DEVICE, at, &address);
}

/* The same flow with another class or key: only what is new counts. */
static void count_changed(struct stats *s, const struct fg_flow *old,
			  const struct fg_flow *flow)
{
	struct labels was, is;

	labels_of(s, old, &was);
	labels_of(s, flow, &is);
	if (!fg_label_equal(&was.application, &is.application))
		tally(s, FG_BY_APPLICATION, &is.application)->flows++;
	if (!fg_label_equal(&was.category, &is.category))
		tally(s, FG_BY_CATEGORY, &is.category)->flows++;
	if (!fg_label_equal(&was.device, &is.device))
		tally(s, FG_BY_DEVICE, &is.device)->flows++;
	if (!old->application)
		count_delay(s, flow);
}

static void stats_event(void *target, enum fg_event event,
			const struct fg_flow *flow, enum fg_reason reason)
{
	struct stats *s = target;
	bool goes_on =
		reason == FG_REASON_REKEYED || reason == FG_REASON_RECLASSIFIED;

	/* the host tells both back to back */
	if (event == FG_EVENT_REMOVED && goes_on)
		s->before = *flow;
	/* what the run before left was counted by it */
	if (event != FG_EVENT_ANNOUNCED || reason == FG_REASON_RESTART ||
	    !fg_options_take(&s->o, flow))
		return;
	if (goes_on && fg_options_take(&s->o, &s->before))
		count_changed(s, &s->before, flow);
	else
		count_new(s, flow);
}

/* ----------------------------------------------------- actions and targets */

struct growth {
	struct stats *s;
	const struct fg_growth *by;
	const char *actions[ACTIONS_MAX]; /* counted already */
	size_t count;
};

static void grow_membership(void *ctx, const char *target,
			    const struct fg_member *member)
{
	struct growth *g = ctx;

	if (!member->observe && strcmp(target, g->s->name) != 0)
		grow(tally_named(g->s, FG_BY_TARGET, target), g->by);
	for (size_t i = 0; i < g->count; i++)
		if (!strcmp(g->actions[i], member->action))
			return;
	if (g->count == ACTIONS_MAX)
		return;
	g->actions[g->count++] = member->action;
	grow(tally_named(g->s, member->observe ? FG_BY_OBSERVED : FG_BY_ACTION,
			 member->action),
	     g->by);
}

static void stats_count(void *target, const struct fg_flow *flow,
			const struct fg_growth *by)
{
	struct stats *s = target;
	struct growth g = {.s = s, .by = by};
	struct labels l;

	if (!fg_options_take(&s->o, flow))
		return;
	labels_of(s, flow, &l);
	grow(tally(s, FG_BY_APPLICATION, &l.application), by);
	grow(tally(s, FG_BY_CATEGORY, &l.category), by);
	grow(tally(s, FG_BY_DEVICE, &l.device), by);
	s->host->memberships(s->host, flow, grow_membership, &g);
	fg_history_tell_time(s->history->history, s->host->wall(s->host));
	fg_history_bytes(s->history->history,
			 place(s, FG_THING_APPLICATION, &l.application),
			 place(s, FG_THING_DEVICE, &l.device), by->local_bytes,
			 by->other_bytes);
}

struct first {
	const char *action;
	const char *target; /* of the first membership by it */
};

static void find_first(void *ctx, const char *target,
		       const struct fg_member *member)
{
	struct first *f = ctx;

	if (!f->target && !strcmp(member->action, f->action))
		f->target = target;
}

static void count_action(struct stats *s, const struct fg_flow *flow,
			 const struct fg_member *member)
{
	struct fg_history *h = s->history->history;
	struct fg_label action, targets;
	struct labels l;
	uint16_t at;

	labels_of(s, flow, &l);
	fg_label_set(&action, member->action);
	fg_label_set(&targets, member->targets);
	tally(s, member->observe ? FG_BY_OBSERVED : FG_BY_ACTION, &action)
		->flows++;
	fg_history_tell_time(h, s->host->wall(s->host));
	at = fg_history_place(h, FG_THING_ACTION, &action, member->observe);
	fg_history_note(h, FG_THING_ACTION, at, &targets);
	fg_history_hit(h, at, place(s, FG_THING_APPLICATION, &l.application),
		       place(s, FG_THING_DEVICE, &l.device));
}

static void stats_moved(void *target, const struct fg_flow *flow,
			const char *other, const struct fg_member *member,
			bool enter, enum fg_reason reason)
{
	struct stats *s = target;
	struct first first = {member->action, NULL};

	if (!enter || reason == FG_REASON_RESTART ||
	    !fg_options_take(&s->o, flow))
		return;
	if (!member->observe && strcmp(other, s->name) != 0)
		tally_named(s, FG_BY_TARGET, other)->flows++;
	/* one that a target sent on was counted as the action's already */
	if (reason == FG_REASON_TARGET)
		return;
	/* an action with several targets sends the flow once */
	s->host->memberships(s->host, flow, find_first, &first);
	if (first.target && !strcmp(first.target, other))
		count_action(s, flow, member);
}

/* Being listed as a target makes actions that only observe known to us. */
static void stats_enter(void *target, const struct fg_flow *flow,
			const struct fg_member *member, enum fg_reason reason)
{
	(void)target, (void)flow, (void)member, (void)reason;
}

/* ------------------------------------------------------------------- files */

static void write_textfile(struct fg_timer *t, int64_t now)
{
	struct stats *s = t->ctx;
	struct fg_buffer *b = fg_file_begin(s->textfile);

	s->host->timer_set(s->host, t, now + s->o.interval_ms);
	if (!b)
		return;
	s->host->render(s->host, "prometheus", fg_buffer_add, b);
	if (!b->len)
		b->failed = true; /* the host had no memory for it */
	fg_file_write(s->textfile, false);
}

static void save(struct stats *s, bool at_once)
{
	struct fg_buffer *b = fg_file_begin(s->state);

	if (!b)
		return;
	b->len = fg_state_write(s->history->history, (uint8_t *)b->bytes,
				b->room);
	fg_file_write(s->state, at_once);
}

static void save_state(struct fg_timer *t, int64_t now)
{
	struct stats *s = t->ctx;

	save(s, false);
	s->host->timer_set(s->host, t, now + STATE_MS);
}

static void load_state(struct stats *s)
{
	const char *why = NULL;
	char *text;
	size_t len;
	int err = fg_file_read(s->o.state, fg_state_size(), &text, &len);

	if (err == -ENOENT)
		return;
	if (err) {
		s->host->log(s->host, FG_LOG_WARNING,
			     "%s: cannot be read: %s (the history begins anew)",
			     s->o.state, strerror(-err));
		return;
	}
	if (fg_state_read(s->history->history, (const uint8_t *)text, len,
			  &why) < 0)
		s->host->log(s->host, FG_LOG_WARNING,
			     "%s: is not used: %s (the history begins anew, "
			     "the file is replaced)",
			     s->o.state, why);
	free(text);
}

/* ----------------------------------------------------------- open and close */

static int stats_open(const struct fg_host *host, const void *self,
		      const char *name, const struct fg_node *cfg,
		      const struct fg_node *globals, void **target)
{
	struct stats *s = calloc(1, sizeof(*s));
	int err;

	(void)globals;
	if (!s)
		return -ENOMEM;
	s->host = host;
	s->self = self;
	s->name = name;
	s->cfg = cfg;
	s->turn = the_turn++ % 8;
	s->textfile_timer =
		(struct fg_timer){.expired = write_textfile, .ctx = s};
	s->state_timer = (struct fg_timer){.expired = save_state, .ctx = s};
	err = fg_options_read(&s->o, host, cfg);
	if (err) {
		free(s);
		return err;
	}
	s->next = the_open;
	the_open = s;
	*target = s;
	return 0;
}

/* Another of the same configuration; *earlier: one of an earlier, or NULL. */
static const struct stats *look_around(const struct stats *s,
				       const struct stats **earlier)
{
	*earlier = NULL;
	for (const struct stats *o = the_open; o; o = o->next) {
		if (o == s)
			continue;
		if (s->host->target_find(s->host, o->name) == o->self)
			return o;
		if (o->configured && !*earlier)
			*earlier = o;
	}
	return NULL;
}

static int take_counts(struct stats *s, const struct stats *earlier)
{
	if (earlier && earlier->counts->counts->top == s->o.top) {
		s->counts = earlier->counts;
		s->counts->users++;
		return 0;
	}
	s->counts = calloc(1, sizeof(*s->counts));
	if (!s->counts)
		return -ENOMEM;
	s->counts->users = 1;
	return fg_counts_new(&s->counts->counts, s->o.top);
}

/* Neither serves nor reads nor writes. */
static bool is_idle(const struct stats *s)
{
	return s->host->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN);
}

static int take_history(struct stats *s, const struct stats *earlier)
{
	int err;

	if (earlier) {
		s->history = earlier->history;
		s->history->users++;
		return 0;
	}
	s->history = calloc(1, sizeof(*s->history));
	if (!s->history)
		return -ENOMEM;
	s->history->users = 1;
	err = fg_history_new(&s->history->history);
	if (!err && s->o.state && !is_idle(s))
		load_state(s);
	return err;
}

static int start_server(struct stats *s, const struct stats *earlier)
{
	const struct fg_server *other = earlier ? earlier->server : NULL;
	char why[160];
	int err;

	if (other && strcmp(fg_server_where(other), s->o.listen) != 0)
		other = NULL;
	err = fg_server_new(&s->server, s->host, s->o.listen, other, why,
			    sizeof(why));
	if (err)
		s->host->config->error(s->cfg, "cannot listen on %s: %s",
				       s->o.listen, why);
	else if (fg_listen_is_public(s->o.listen))
		s->host->log(s->host, FG_LOG_WARNING,
			     "%s: whoever can reach it sees who uses what; "
			     "127.0.0.1 is for this machine alone",
			     s->o.listen);
	return err;
}

static int start_files(struct stats *s)
{
	const struct fg_host *h = s->host;
	int64_t now = h->now(h);
	int err = 0;

	if (s->o.textfile) {
		err = fg_file_new(&s->textfile, h, s->o.textfile, s->turn,
				  0644);
		if (!err)
			h->timer_set(h, &s->textfile_timer,
				     now + s->o.interval_ms);
	}
	if (!err && s->o.state) {
		err = fg_file_new(&s->state, h, s->o.state, s->turn, 0600);
		if (!err && !fg_buffer_reserve(fg_file_begin(s->state),
					       fg_state_size()))
			err = -ENOMEM;
		if (!err)
			h->timer_set(h, &s->state_timer, now + STATE_MS);
	}
	return err;
}

static int stats_configured(void *target)
{
	struct stats *s = target;
	const struct stats *earlier, *twin;
	int err;

	if (s->configured)
		return 0;
	twin = look_around(s, &earlier);
	if (twin) {
		s->host->config->error(s->cfg,
				       "\"%s\" is of type stats, too: one "
				       "counts everything, remove the other",
				       twin->name);
		return -EINVAL;
	}
	err = take_counts(s, earlier);
	if (!err)
		err = take_history(s, earlier);
	if (err)
		return err;
	s->configured = true;
	if (is_idle(s))
		return 0;
	if (s->o.listen)
		err = start_server(s, earlier);
	return err ? err : start_files(s);
}

static void drop_shared(struct stats *s)
{
	if (s->counts && --s->counts->users == 0) {
		fg_counts_free(s->counts->counts);
		free(s->counts);
	}
	if (s->history && --s->history->users == 0) {
		fg_history_free(s->history->history);
		free(s->history);
	}
}

/* Is it the last one that serves there? */
static bool is_last(const struct stats *s)
{
	for (const struct stats *o = the_open; o; o = o->next)
		if (o != s && o->server &&
		    !strcmp(fg_server_where(o->server),
			    fg_server_where(s->server)))
			return false;
	return true;
}

static void stats_close(void *target, bool stopping)
{
	struct stats *s = target, **p;

	(void)stopping;
	s->host->timer_cancel(s->host, &s->textfile_timer);
	s->host->timer_cancel(s->host, &s->state_timer);
	if (s->server)
		fg_server_free(s->server, is_last(s));
	if (s->state && s->history->users == 1)
		save(s, true);
	fg_file_free(s->textfile);
	fg_file_free(s->state);
	drop_shared(s);
	for (p = &the_open; *p != s; p = &(*p)->next)
		;
	*p = s->next;
	free(s);
}

/* --------------------------------------------------------- status, rendering
 */

static bool stats_flush(void *target, int64_t now)
{
	(void)target, (void)now;
	return false;
}

static void stats_status(void *target, struct fg_status *out)
{
	struct stats *s = target;
	const struct fg_file *files[] = {s->textfile, s->state};
	const char *paths[] = {s->o.textfile, s->o.state};
	uint64_t written = 0;

	for (int i = 0; s->configured && i < FG_DIMENSION_COUNT; i++)
		out->elements += fg_series_count(s->counts->counts->by[i]) - 1;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (!files[i])
			continue;
		written += fg_file_written(files[i]);
		out->errors += fg_file_failures(files[i]);
		if (!fg_file_error(files[i]))
			continue;
		snprintf(s->reason, sizeof(s->reason),
			 "%s cannot be written: %s", paths[i],
			 strerror(-fg_file_error(files[i])));
		out->state = "unwritten";
		out->reason = s->reason;
	}
	if (!out->more)
		return;
	out->more(out->ctx, "files_written", written);
	out->more(out->ctx, "scrapes",
		  s->server ? fg_server_served(s->server) : 0);
}

static bool stats_render(void *target, const char *format, fg_write *write,
			 void *ctx)
{
	struct stats *s = target;
	int64_t wall = s->host->wall(s->host);

	if (!s->configured)
		return false;
	if (!strcmp(format, "prometheus")) {
		fg_render_prometheus(s->counts->counts, write, ctx);
		return true;
	}
	if (strcmp(format, "report") != 0)
		return false;
	fg_history_tell_time(s->history->history, wall);
	fg_render_report(s->counts->counts, s->history->history, wall, write,
			 ctx);
	return true;
}

static const struct fg_target_type type = {
	.size = sizeof(type),
	.name = "stats",
	.flags = FG_TYPE_OBSERVES | FG_TYPE_CLASS,
	.open = stats_open,
	.configured = stats_configured,
	.enter = stats_enter,
	.leave = stats_enter,
	.event = stats_event,
	.count = stats_count,
	.flush = stats_flush,
	.status = stats_status,
	.render = stats_render,
	.close = stats_close,
	.moved = stats_moved,
};

static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("stats", FG_VERSION, "counts, and keeps a history"),
	.targets = targets,
};
