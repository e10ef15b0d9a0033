/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gate.c - the life of flowgated: start, turns, reload, stop. */
#include "gate.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "confine.h"
#include "control.h"
#include "explain.h"
#include "own.h"
#include "restart.h"
#include "setup.h"
#include "source.h"
#include "transport.h"

#define DEFAULT_CONFIG FG_SYSCONFDIR "/flowgate/flowgate.json"
#define DEFAULT_SOCKET FG_RUNDIR "/flowgate/control.sock"
/* One leads, one may be stuck in the kernel, two in a name server. */
#define THREADS 3
/* Jobs that are stuck for longer than this do not keep us from stopping. */
#define DRAIN_MS 5000

/* ------------------------------------------------------------------ turns */

static void flush_stdout(struct fg_gate *g)
{
	if (!g->printed)
		return;
	g->printed = false;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	clearerr(stdout);
	if (g->state == FG_GATE_RUNNING) {
		/* Whoever read it ("| head") has gone: no use to go on. */
		if (errno != EPIPE) {
			fg_log_say(g->log, FG_LOG_ERROR,
				   "cannot write to standard output: %s",
				   strerror(errno));
			g->status = 2;
		}
		fg_gate_stop(g);
	}
}

static bool all_sources_ended(const struct fg_gate *g)
{
	for (size_t i = 0; i < fg_setup_source_count(g->setup); i++)
		if (!fg_source_ended(fg_setup_source(g->setup, i)))
			return false;
	return true;
}

static void drain(struct fg_gate *g)
{
	fg_notify_stopping(g->notify);
	g->state = FG_GATE_DRAINING;
	g->drain_until = INT64_MAX;
}

void fg_gate_stop(struct fg_gate *g)
{
	if (g->state == FG_GATE_RUNNING) {
		drain(g);
		fg_restart_leave(g);
	}
	g->drain_until = fg_loop_now(g->loop) + DRAIN_MS;
	fg_setup_stop_sources(g->setup);
}

static void try_reload(struct fg_gate *g)
{
	struct fg_setup *next;
	char text[200], what[160];
	int ret;

	/* The one before still moves its flows: later. */
	if (g->moving)
		return;
	g->reload_wanted = false;
	fg_notify_reloading(g->notify);
	g->also = fg_control_collect;
	g->also_ctx = g->control;
	ret = fg_setup_load(&next, g);
	if (ret == 0) {
		g->moving = true;
		ret = fg_setup_enforce(next, g);
		if (ret < 0) {
			g->moving = false;
			fg_setup_free(next, g);
		}
	}
	if (ret == 0) {
		fg_setup_start_sources(next);
		fg_setup_reload_kept(next);
		fg_setup_summary(next, what, sizeof(what));
		snprintf(text, sizeof(text), "reloaded: %s", what);
	} else {
		snprintf(text, sizeof(text),
			 "not reloaded: the old configuration stays in force");
	}
	g->also = NULL;
	fg_log_say(g->log, ret < 0 ? FG_LOG_ERROR : FG_LOG_NOTICE, "%s", text);
	fg_control_reloaded(g->control, ret == 0, text);
	fg_notify_ready(g->notify, text);
}

void fg_gate_reload(struct fg_gate *g)
{
	if (g->state == FG_GATE_RUNNING)
		g->reload_wanted = true;
}

/* True when nothing is left to do, or it has taken too long. */
static bool drained(struct fg_gate *g, bool more)
{
	if (!more && fg_loop_jobs(g->loop) == 0)
		return true;
	if (fg_loop_now(g->loop) < g->drain_until)
		return false;
	fg_log_say(g->log, FG_LOG_WARNING,
		   "stopping, though not all changes could be made in %d s",
		   DRAIN_MS / 1000);
	if (fg_loop_jobs(g->loop)) {
		/*
		 * A thread is stuck in the kernel, maybe the first one: it
		 * can't be joined, nor what it uses be freed.
		 */
		fg_control_free(g->control);
		flush_stdout(g);
		_exit(2);
	}
	return true;
}

/* What the policy finds out about itself while it runs. */
static void complain(struct fg_gate *g)
{
	char text[512];

	while (fg_policy_complaint(fg_setup_policy(g->setup), text,
				   sizeof(text)))
		fg_log_say(g->log, FG_LOG_WARNING, "%s", text);
}

static bool turn(void *ctx, int64_t *deadline)
{
	struct fg_gate *g = ctx;
	int64_t now = fg_loop_now(g->loop), wall = fg_loop_wall(g->loop);
	bool more, stuck;

	more = fg_membership_step(g->membership, now, wall);
	complain(g);
	if (fg_membership_flush(g->membership, now)) {
		/*
		 * Jobs that are still out at this point of a turn are stuck;
		 * their end wakes us, so no need to ask all the time.
		 */
		stuck = fg_loop_jobs(g->loop) > 0;
		if (stuck)
			*deadline = now + 10;
		else
			more = true;
	}
	if (g->closing && fg_setup_close_waiting(g))
		*deadline = now + 10;
	if (g->lingering)
		fg_source_bury(g);
	if (g->reload_wanted)
		try_reload(g);
	flush_stdout(g);
	if (!more) {
		int64_t next = fg_membership_deadline(g->membership, now, wall);

		if (next < *deadline)
			*deadline = next;
	}
	if (g->state == FG_GATE_RUNNING && g->ends && all_sources_ended(g))
		drain(g);
	if (g->state == FG_GATE_DRAINING) {
		if (drained(g, more)) {
			g->state = FG_GATE_STOPPED;
			fg_loop_stop(g->loop);
		} else if (g->drain_until < *deadline) {
			*deadline = g->drain_until;
		}
	}
	return more;
}

/* ---------------------------------------------------------------- watching */

void fg_gate_watch(void *gate, enum fg_event event, const struct fg_flow *flow,
		   enum fg_reason reason)
{
	const uint32_t verbose = FG_HOST_DRY_RUN | FG_HOST_VERBOSE;
	struct fg_gate *g = gate;

	if ((g->options->flags & verbose) == verbose &&
	    (event == FG_EVENT_ANNOUNCED || event == FG_EVENT_UPDATED))
		/* comments among the commands */
		fg_explain_flow(g, flow, "# ");
	if (g->control)
		fg_control_flow(g->control, event, flow, reason);
}

/* ------------------------------------------------------- signals and timers */

static void signalled(struct fg_watch *watch, uint32_t events)
{
	struct fg_gate *g = watch->ctx;
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			fg_gate_reload(g);
		} else {
			fg_log_say(g->log, FG_LOG_NOTICE, "%s: stopping",
				   info.ssi_signo == SIGINT ? "interrupted"
							    : "terminated");
			fg_gate_stop(g);
		}
	}
}

static void log_due(struct fg_timer *timer, int64_t now)
{
	struct fg_gate *g = timer->ctx;
	int64_t next = fg_log_tick(g->log, now);

	if (next != INT64_MAX)
		fg_loop_timer_set(g->loop, timer, next);
}

static void watchdog_due(struct fg_timer *timer, int64_t now)
{
	struct fg_gate *g = timer->ctx;

	fg_notify_watchdog(g->notify);
	fg_loop_timer_set(g->loop, timer, now + fg_notify_interval(g->notify));
}

static int watch_signals(struct fg_gate *g)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	g->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signals.fd < 0)
		return -errno;
	g->signals.events = EPOLLIN;
	g->signals.ready = signalled;
	g->signals.ctx = g;
	return fg_loop_watch(g->loop, &g->signals);
}

/* ----------------------------------------------------------- start and stop */

/* The directory of the control socket; made when it is the default one. */
static void find_runtime_dir(struct fg_gate *g)
{
	const char *slash = strrchr(g->socket, '/');
	struct stat st;

	if (!slash || slash == g->socket ||
	    (size_t)(slash - g->socket) >= sizeof(g->runtime_dir))
		return;
	snprintf(g->runtime_dir, sizeof(g->runtime_dir), "%.*s",
		 (int)(slash - g->socket), g->socket);
	if (!(g->options->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN)) &&
	    !g->options->socket)
		g->made_runtime_dir = mkdir(g->runtime_dir, 0755) == 0;
	if (stat(g->runtime_dir, &st) < 0 || !S_ISDIR(st.st_mode))
		g->runtime_dir[0] = '\0';
}

int fg_gate_new(struct fg_gate **out, const struct fg_gate_options *options,
		struct fg_log *log)
{
	struct fg_gate *g = calloc(1, sizeof(*g));
	int ret = -ENOMEM;

	if (!g)
		return -ENOMEM;
	g->options = options;
	g->log = log;
	g->config = options->config ? options->config : DEFAULT_CONFIG;
	g->socket = options->socket ? options->socket : DEFAULT_SOCKET;
	g->signals.fd = -1;
	g->ends = true;
	g->log_timer.expired = log_due;
	g->log_timer.ctx = g;
	g->watchdog.expired = watchdog_due;
	g->watchdog.ctx = g;
	find_runtime_dir(g);
	g->buffer = malloc(FG_TRANSPORT_READ);
	if (!g->buffer)
		goto fail;
	ret = fg_loop_new(&g->loop, turn, g);
	if (ret == 0)
		ret = fg_notify_new(&g->notify);
	if (ret == 0)
		ret = fg_plugins_new(&g->plugins, options->plugin_dir);
	if (ret == 0)
		ret = watch_signals(g);
	if (ret == 0)
		ret = fg_own_new(&g->own, g);
	if (ret < 0)
		goto fail;
	g->started = fg_loop_now(g->loop);
	*out = g;
	return 0;

fail:
	fg_log_say(log, FG_LOG_ERROR, "cannot start: %s", strerror(-ret));
	fg_gate_free(g);
	return ret;
}

int fg_gate_load(struct fg_gate *g)
{
	struct fg_setup *setup;
	int ret = fg_setup_load(&setup, g);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < fg_setup_source_count(setup); i++)
		g->ends &= fg_source_ends(fg_setup_source(setup, i));
	if (g->options->explain) {
		g->setup = setup;
		return 0;
	}
	ret = fg_setup_enforce(setup, g);
	if (ret < 0)
		fg_setup_free(setup, g);
	return ret;
}

static void confine(struct fg_gate *g)
{
	const char *wanted = getenv("FLOWGATE_CONFINE");
	int ret;

	if (wanted && !strcmp(wanted, "0"))
		return;
	ret = fg_confine();
	if (ret < 0 && ret != -ENOSYS)
		fg_log_say(g->log, FG_LOG_WARNING,
			   "system calls are not confined: %s", strerror(-ret));
}

/* What root opened stays open; what the user must reach is handed to it. */
static int drop_privileges(struct fg_gate *g)
{
	char err[400];
	int ret;

	if (g->user.name[0]) {
		if (g->control && geteuid() == 0)
			fg_control_chown(g->control, g->user.uid, g->user.gid);
		if (g->made_runtime_dir)
			(void)!lchown(g->runtime_dir, g->user.uid, g->user.gid);
		ret = fg_privilege_drop(&g->user, err, sizeof(err));
		if (ret < 0) {
			fg_log_say(g->log, FG_LOG_ERROR, "%s", err);
			return ret;
		}
	}
	fg_privilege_no_new();
	confine(g);
	return 0;
}

void fg_gate_free(struct fg_gate *g)
{
	if (!g)
		return;
	fg_control_free(g->control);
	if (g->setup) {
		fg_setup_stop_sources(g->setup);
		fg_setup_close(g->setup, g);
	}
	fg_source_bury(g);
	fg_own_free(g->own);
	fg_membership_free(g->membership);
	fg_announcer_free(g->announcer);
	if (g->table)
		fg_flow_table_free(g->table);
	if (g->catalog)
		fg_catalog_free(g->catalog);
	fg_plugins_free(g->plugins);
	fg_notify_free(g->notify);
	if (g->loop)
		fg_loop_unwatch(g->loop, &g->signals);
	if (g->signals.fd >= 0)
		close(g->signals.fd);
	fg_loop_free(g->loop);
	free(g->buffer);
	free(g);
}

void fg_gate_summary(const struct fg_gate *g)
{
	char text[160];

	fg_setup_summary(g->setup, text, sizeof(text));
	printf("%s: ok: %s\n", g->config, text);
}

static void print_counters(struct fg_gate *g)
{
	struct fg_membership_counts n;

	fg_membership_counts(g->membership, &n);
	for (const struct fg_source *source = NULL;
	     (source = fg_setup_next_source(g->setup, source)) != NULL;) {
		struct fg_source_status s;

		fg_source_status(source, &s);
		fg_log_say(g->log, FG_LOG_NOTICE,
			   "source %s: %" PRIu64 " message%s, %" PRIu64
			   " byte%s, %" PRIu64 " skipped",
			   s.name, s.messages, FG_S(s.messages), s.bytes,
			   FG_S(s.bytes), s.skipped);
	}
	fg_log_say(g->log, FG_LOG_NOTICE,
		   "flows: %" PRIu64 " announced, %" PRIu64 " updated, %" PRIu64
		   " purged, %" PRIu64 " unknown, %" PRIu64 " evicted",
		   n.announced, n.updated, n.purged, n.unknown, n.evicted);
	for (size_t i = 0; i < fg_setup_target_count(g->setup); i++) {
		const struct fg_target *t = fg_setup_target(g->setup, i);
		struct fg_status s = {
			.size = sizeof(s), .state = "ok", .reason = ""};

		if (!t->type)
			continue;
		if (t->type->status)
			t->type->status(t->instance, &s);
		fg_log_say(g->log, FG_LOG_NOTICE,
			   "target %s: %" PRIu64 " member%s, %" PRIu64
			   " element%s, %" PRIu64 " add%s, %" PRIu64
			   " delete%s, %" PRIu64 " error%s",
			   t->name, t->members, FG_S(t->members), s.elements,
			   FG_S(s.elements), s.adds, FG_S(s.adds), s.deletes,
			   FG_S(s.deletes), s.errors, FG_S(s.errors));
	}
}

/*
 * Asked for by -S: needed. By default: good to have; but a second daemon by
 * mistake is refused, unlike a recording that is played beside the first.
 */
static int open_control(struct fg_gate *g)
{
	enum fg_level level = g->ends ? FG_LOG_INFO : FG_LOG_WARNING;
	bool asked_for = g->options->socket != NULL;
	char err[320];
	int ret;

	if (g->options->flags & FG_HOST_DRY_RUN && !asked_for)
		return 0;
	ret = fg_control_new(&g->control, g, g->socket, err, sizeof(err));
	if (ret == 0)
		return 0;
	if (asked_for || (ret == -EADDRINUSE && !g->ends))
		level = FG_LOG_ERROR;
	fg_log_say(g->log, level, "%s", err);
	return level == FG_LOG_ERROR ? ret : 0;
}

int fg_gate_run(struct fg_gate *g)
{
	char text[160];
	int ret;

	if (open_control(g) < 0)
		return 2;
	if (drop_privileges(g) < 0)
		return 2;
	ret = fg_loop_start(g->loop, THREADS);
	if (ret < 0)
		fg_log_say(g->log, FG_LOG_WARNING,
			   "no threads (%s): a kernel that is slow holds up "
			   "reading",
			   strerror(-ret));
	g->state = FG_GATE_RUNNING;
	fg_restart_take(g);
	if (fg_notify_interval(g->notify))
		watchdog_due(&g->watchdog, fg_loop_now(g->loop));
	fg_setup_summary(g->setup, text, sizeof(text));
	fg_log_say(g->log, FG_LOG_NOTICE, "flowgated %s: %s", FG_VERSION, text);
	fg_notify_ready(g->notify, text);
	fg_setup_start_sources(g->setup);
	fg_loop_run(g->loop);
	if (g->ends)
		print_counters(g);
	return g->status;
}
