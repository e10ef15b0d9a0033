/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set.h - one set of the kernel and all leases on it.
 *
 * A set is opened by name. Who opens one that is open already (a target that a
 * reload replaces) gets the same, and its leases with it. ipset tells nobody
 * when a set is flushed or destroyed: a few of the elements that should be
 * there are asked for each second, and all are put back when one is missing.
 */
#ifndef FG_IPSET_SET_H
#define FG_IPSET_SET_H

#include "message.h"

struct fg_ipset;

struct fg_ipset_options {
	struct fg_ipset_schema schema;
	uint32_t linger_ms;
	bool managed;
	bool flush_on_create;
	bool flush_on_destroy;
};

/*
 * user: who opens it, until fg_ipset_close() with the same. 0, or -errno, said
 * through host->config->error(at, ...). A set that is missing is an error only
 * when the host checks; else it may come later.
 */
int fg_ipset_open(struct fg_ipset **out, const struct fg_host *host,
		  const void *user, const struct fg_ipset_options *options,
		  const struct fg_node *at);
/*
 * Once it is sure that the configuration is without errors: makes the set when
 * it is managed and missing, empties it when that is wanted.
 */
void fg_ipset_begin(struct fg_ipset *s);
/*
 * All users of a set want the same of it, but while a reload goes from one
 * configuration to the next. Who opened it before user, counts (is of the same
 * configuration), and wants something else: *key. NULL: nobody.
 */
const void *fg_ipset_rival(const struct fg_ipset *s, const void *user,
			   bool (*counts)(const void *user), const char **key);
/* What is pending is sent first. */
void fg_ipset_close(struct fg_ipset *s, const void *user, bool stopping);

/* One more or one less holder of key. False: no room (counted). */
bool fg_ipset_hold(struct fg_ipset *s, const uint8_t *key);
void fg_ipset_release(struct fg_ipset *s, const uint8_t *key);

/* See fg_target_type.flush. */
bool fg_ipset_commit(struct fg_ipset *s);

/* Counters beyond those of struct fg_status. */
enum fg_ipset_count {
	FG_IPSET_LEASES,
	FG_IPSET_LINGERING,
	FG_IPSET_WAITING, /* for room in the set */
	FG_IPSET_REFUSED,
	FG_IPSET_NO_ROOM, /* holders turned away here, by limits.max_flows */
	FG_IPSET_COUNTS
};
extern const char *const fg_ipset_count_names[FG_IPSET_COUNTS];

/*
 * Adds to out and count; sets state and reason when there is something worse
 * to say than what they say.
 */
void fg_ipset_status(const struct fg_ipset *s, struct fg_status *out,
		     uint64_t count[FG_IPSET_COUNTS]);
/* What nobody holds leaves where the never list, which changed, has it. */
void fg_ipset_never_changed(struct fg_ipset *s);
/* A line about the element, asked of the kernel now. */
void fg_ipset_explain(struct fg_ipset *s, const uint8_t *key,
		      void (*line)(void *ctx, const char *text), void *ctx);
/* Of each that lingers and has this address and port (0: any). */
void fg_ipset_explain_lingering(struct fg_ipset *s, int version,
				const uint8_t addr[16], uint16_t port,
				void (*line)(void *ctx, const char *text),
				void *ctx);

#endif
