/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup.h - one configuration, opened: settings, policy, targets, sources.
 *
 * The next one takes over from the one before whatever it says in the same
 * words; the rest is opened anew. Until it is put into force it can be dropped
 * and nothing has happened.
 */
#ifndef FG_HOST_SETUP_H
#define FG_HOST_SETUP_H

#include "policy/membership.h"

struct fg_gate;
struct fg_setup;
struct fg_source;
struct fg_open_target;

/* Settings, kept while anything points into their text. */
struct fg_conf {
	struct fg_settings *settings;
	unsigned users;
};

struct fg_conf *fg_conf_hold(struct fg_conf *c);
void fg_conf_drop(struct fg_conf *c);

/*
 * Reads the gate's configuration file and opens all of it, taking over from
 * gate->setup what is the same. 0, or -errno: every error is said.
 */
int fg_setup_load(struct fg_setup **out, struct fg_gate *g);
/*
 * Puts it into force instead of gate->setup; sources that are gone are closed.
 * 0 or -errno (said), then the old one goes on.
 */
int fg_setup_enforce(struct fg_setup *s, struct fg_gate *g);
/* Starts the sources that are not. */
void fg_setup_start_sources(struct fg_setup *s);
/* It was never put into force, or is retired: closes what no other has. */
void fg_setup_free(struct fg_setup *s, struct fg_gate *g);
/* flowgated stops: closes the sources (targets go on), */
void fg_setup_stop_sources(struct fg_setup *s);
/* then everything, the gate's membership with it. No job is in flight. */
void fg_setup_close(struct fg_setup *s, struct fg_gate *g);
/* Closes targets that have committed all they had to; true: some have not. */
bool fg_setup_close_waiting(struct fg_gate *g);

/* About the configuration: to the log, and to whoever asked for a reload. */
void fg_setup_say(void *gate, enum fg_level level, const char *text);
/* An error without a place in a file; counted as one of the configuration. */
void fg_setup_error(struct fg_gate *g, const char *fmt, ...) FG_PRINTF(2, 3);

const struct fg_settings *fg_setup_settings(const struct fg_setup *s);
struct fg_policy *fg_setup_policy(const struct fg_setup *s);
struct fg_target *fg_setup_find_target(const struct fg_setup *s,
				       const char *name);
size_t fg_setup_target_count(const struct fg_setup *s);
struct fg_target *fg_setup_target(const struct fg_setup *s, size_t n);
size_t fg_setup_source_count(const struct fg_setup *s);
struct fg_source *fg_setup_source(const struct fg_setup *s, size_t n);
/*
 * All sources, each followed by its parts: the one after, the first after NULL;
 * NULL at the end.
 */
const struct fg_source *fg_setup_next_source(const struct fg_setup *s,
					     const struct fg_source *after);
/* "1 source, 3 targets (1 disabled, 2 unchanged), 5 actions". */
void fg_setup_summary(const struct fg_setup *s, char *text, size_t len);
/* Tells all targets that host->never() may answer otherwise. */
void fg_setup_never_changed(struct fg_setup *s);
/* Tells all targets that the flows of the run before are where they belong. */
void fg_setup_restored(struct fg_setup *s);
/* Is a job of any target in flight? */
bool fg_setup_busy(const struct fg_setup *s);
/* reload() of the targets that were taken over. */
void fg_setup_reload_kept(struct fg_setup *s);

#endif
