/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver.h - the smallest host that targets can live in: what it keeps, and how
 * time passes for them. The calls that it answers are in host.h.
 */
#ifndef DRIVER_DRIVER_H
#define DRIVER_DRIVER_H

#include <flowgate/plugin.h>

#include "flow.h"

#define WATCHES_MAX 16
#define TIMERS_MAX  64
#define NAMES_MAX   256
#define JOBS_MAX    32

struct target {
	const char *name;
	const struct fg_target_type *type;
	void *instance;
};

struct name {
	enum fg_name kind;
	uint32_t id;
	char *tag; /* owned */
};

struct driver {
	struct fg_host host;
	struct fg_json *doc; /* the configuration */
	struct target target[TARGETS_MAX];
	int targets;
	struct flows flows;
	struct name name[NAMES_MAX];
	int names;
	struct fg_watch *watch[WATCHES_MAX];
	int watches;
	struct fg_timer *timer[TIMERS_MAX];
	int timers;
	uint8_t never[16]; /* the one address on the never list */
	int never_version;
	struct fg_job *job[JOBS_MAX]; /* submitted, not yet run */
	int jobs;
	bool later; /* jobs are not run by submit(), but later */
	bool verbose;
	bool failed; /* something was complained about */
	size_t heap;
};

/* Also makes the exit status 1. */
void driver_complain(struct driver *d, const char *fmt, ...) FG_PRINTF(2, 3);

/* Before a callback, and after: complains when it changed what is allocated. */
void driver_heap_mark(struct driver *d);
void driver_heap_check(struct driver *d, const char *what);

int64_t driver_now(void); /* monotonic ms */

/* Runs the jobs that wait, not those that they submit. False: none did. */
bool driver_run_jobs(struct driver *d);
/* Serves jobs, timers and descriptors; waits for them for at most ms. */
void driver_serve(struct driver *d, int64_t ms);

#endif
