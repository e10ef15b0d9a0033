/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.h - one configured target, open: a plugin's instance and what the
 * host keeps with it. Lives as long as some configuration in use has it.
 */
#ifndef FG_HOST_TARGET_H
#define FG_HOST_TARGET_H

#include "host.h"
#include "setup.h"

/* What fg_target.host_private points to. */
struct fg_open_target {
	struct fg_target pub;
	struct fg_client client;
	struct fg_conf *conf; /* that it was opened with; keeps its text */
	const struct fg_target_config *config;
	unsigned users; /* configurations that have it */
	bool in_force;	/* one of them is, or was */
	struct fg_open_target *next_closing;
	int64_t close_by; /* monotonic ms; while it is among those */
};

/*
 * Opens it (or, when disabled, only stands for it). Errors are said where the
 * configuration has it. Begins with one user.
 */
int fg_target_open(struct fg_open_target **out, struct fg_gate *g,
		   struct fg_conf *conf, const struct fg_target_config *config);
/* Would opening config give the same target? */
bool fg_target_same(const struct fg_open_target *t,
		    const struct fg_target_config *config);
static inline struct fg_open_target *fg_target_of(struct fg_target *t)
{
	return t->host_private;
}
/*
 * Closes it now. No job of it may be in flight, nor a flow be a member, but at
 * the end of flowgated: then stop() it first, free what knows of it, close().
 */
void fg_target_stop(struct fg_open_target *t);
void fg_target_close(struct fg_open_target *t);
/* configured(), when it has one. 0 or -errno, said. */
int fg_target_configured(struct fg_open_target *t);

#endif
