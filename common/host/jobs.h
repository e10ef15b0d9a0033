/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jobs.h - work that may block, without a thread hop when it does not.
 *
 * Leader and followers: whoever leads the loop holds the baton, and only the
 * holder touches the state of the program. To run a job the leader lays the
 * baton down, runs it right there and takes the baton up again: an atomic
 * store and a compare-and-swap, nothing more. Only when the job is stuck for
 * FG_JOBS_PATIENCE_MS, a standby thread takes the baton and leads on; the
 * stuck one hands in its result when it comes back, and is the standby then.
 *
 * A leader with more to read does not even wait that long: it lends its jobs,
 * one at a time, to the helper, a thread that never leads, and the kernel works
 * on one while the leader reads what the next will be made of. That pays for
 * the hop, on another CPU, if there is one.
 *
 * Without fg_jobs_start() there are no other threads, and jobs simply run.
 */
#ifndef FG_HOST_JOBS_H
#define FG_HOST_JOBS_H

#include <flowgate/plugin.h>

/* With 0 (CFLAGS="-O2 -DFG_JOBS_PATIENCE_MS=0") any job may count as stuck. */
#ifndef FG_JOBS_PATIENCE_MS
#define FG_JOBS_PATIENCE_MS 20
#endif

struct fg_jobs;

/*
 * lead(ctx) runs the loop: true when it is to end, false when fg_jobs_run()
 * said that another thread leads now. 0 or -errno.
 */
int fg_jobs_new(struct fg_jobs **out, bool (*lead)(void *ctx), void *ctx);
/* No job may be pending. */
void fg_jobs_free(struct fg_jobs *j);
/*
 * Starts the standby threads, and where this process has more than one CPU the
 * helper. 0 or -errno: none run, jobs just run inline.
 */
int fg_jobs_start(struct fg_jobs *j, unsigned threads);
/* Leads, and stands by, until lead() returned true; ends all threads. */
void fg_jobs_serve(struct fg_jobs *j);

/* All below: by the leader only. */

/*
 * Queues the job; *in_flight counts up now and down just before its done().
 * 0, -EBUSY when it is pending already, -ENOMEM.
 */
int fg_jobs_submit(struct fg_jobs *j, struct fg_job *job, unsigned *in_flight);
/*
 * Runs what is queued at this moment (not what done() adds to it), or lends it
 * when the leader is busy: it has other work, and will be here again soon.
 * False: the caller leads no longer and must return from lead() at once.
 */
bool fg_jobs_run(struct fg_jobs *j, bool busy);
/* Is there something that fg_jobs_run() could run? */
bool fg_jobs_runnable(const struct fg_jobs *j);
/* Queued, running, or not yet done(). */
unsigned fg_jobs_pending(const struct fg_jobs *j);
/* Readable when a job has come back: then call fg_jobs_collect(). */
int fg_jobs_fd(const struct fg_jobs *j);
/* Is there something to collect? */
bool fg_jobs_back(const struct fg_jobs *j);
void fg_jobs_collect(struct fg_jobs *j);
/* How often a job was stuck. */
uint64_t fg_jobs_stuck(const struct fg_jobs *j);

#endif
