/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate.h - flowgated as a whole: what its parts are, how it starts, reloads
 * and stops. The struct is open to the files of this folder, which are the
 * parts; nobody else sees it.
 */
#ifndef FG_HOST_GATE_H
#define FG_HOST_GATE_H

#include "flow/announce.h"
#include "flow/catalog.h"
#include "flow/flow.h"
#include "policy/membership.h"

#include "log.h"
#include "loop.h"
#include "notify.h"
#include "plugin.h"
#include "privilege.h"

struct fg_open_target;
struct fg_setup;
struct fg_control;
struct fg_own;
struct fg_source;

/* That are configured; each may have parts, which take slots as well. */
#define FG_SOURCES_MAX 64
#define FG_SLOTS_MAX   1024
/* "source/site/source-of-the-site" */
#define FG_SLOT_NAME 192

/* As the command line has it; text outlives the gate. */
struct fg_gate_options {
	const char *config; /* NULL: the default file */
	const char *const *sources;
	size_t source_count;
	const char *plugin_dir; /* NULL: the default places */
	const char *socket;	/* NULL: the default; not with -n */
	const char *explain;	/* -t --explain: only that; or NULL */
	uint32_t flags;		/* FG_HOST_* */
};

enum fg_gate_state {
	FG_GATE_STARTING,
	FG_GATE_RUNNING,
	FG_GATE_DRAINING, /* no more input; what is pending is still done */
	FG_GATE_STOPPED,
};

/* What a source's flows are known by; outlives the source. */
struct fg_source_slot {
	char name[FG_SLOT_NAME];
	uint16_t epoch; /* which connection */
	bool used;
};

struct fg_gate {
	const struct fg_gate_options *options;
	const char *config; /* the file */
	const char *socket; /* the control socket's path */
	enum fg_gate_state state;
	struct fg_log *log;
	struct fg_loop *loop;
	struct fg_notify *notify;
	struct fg_plugins *plugins;
	struct fg_control *control; /* NULL: no control socket */
	struct fg_own *own;	    /* the gateway's own addresses */
	char *buffer;		    /* FG_TRANSPORT_READ, for all transports */
	char runtime_dir[128];	    /* "" when there is none */
	bool made_runtime_dir;
	struct fg_user user; /* to become; name "" when none is configured */

	/* Made with the first configuration, whose limits size them. */
	struct fg_limits limits;
	struct fg_catalog *catalog;
	struct fg_flow_table *table;
	struct fg_announcer *announcer;
	struct fg_membership *membership;

	struct fg_setup *setup;		/* in force */
	struct fg_setup *building;	/* while one is read */
	struct fg_open_target *closing; /* have something to commit yet */
	struct fg_source_slot slots[FG_SLOTS_MAX];
	struct fg_source *lingering; /* closed, but a job is out */

	/* Receives what is said about a configuration, besides the log. */
	void (*also)(void *ctx, enum fg_level level, const char *text);
	void *also_ctx;

	bool printed; /* stdout has something to be flushed */
	bool ends;    /* all sources end by themselves */
	bool moving;  /* flows go over to the newest configuration */
	bool reload_wanted;
	int status;	     /* to exit with */
	int64_t started;     /* monotonic ms */
	int64_t drain_until; /* when draining has taken too long */
	struct fg_watch signals;
	struct fg_timer log_timer;
	struct fg_timer watchdog;
	struct fg_timer restored; /* see fg_restart_take() */
};

/*
 * 0, or -errno said already. Signals must not be blocked yet: they are from
 * here on, for all threads to come.
 */
int fg_gate_new(struct fg_gate **out, const struct fg_gate_options *options,
		struct fg_log *log);
void fg_gate_free(struct fg_gate *g);

/* Reads the configuration and opens all of it. 0, or -errno said already. */
int fg_gate_load(struct fg_gate *g);
/* -t: a summary on standard output. */
void fg_gate_summary(const struct fg_gate *g);
/* Until it is stopped. Returns the exit status. */
int fg_gate_run(struct fg_gate *g);

/* By the control socket and by signals. */
void fg_gate_stop(struct fg_gate *g);
/*
 * As soon as an earlier one is through; its outcome is logged, and told by
 * fg_control_reloaded().
 */
void fg_gate_reload(struct fg_gate *g);

/* As struct fg_membership_setup has it. */
void fg_gate_watch(void *gate, enum fg_event event, const struct fg_flow *flow,
		   enum fg_reason reason);

#endif
