/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h - one place that messages come from: a transport, an input, and
 * the life of its connections.
 *
 * A connection that is lost leaves its flows in force for the grace period;
 * those that no later connection mentions are left then.
 */
#ifndef FG_HOST_SOURCE_H
#define FG_HOST_SOURCE_H

#include "gate.h"

struct fg_source;
struct fg_conf;

/*
 * A source may have parts, each a source of its own to all but the
 * configuration: those that one connection to a broker brings together. They
 * come and go with the source that they are a part of, the whole.
 */

struct fg_source_status {
	const char *name;
	const char *url;
	const char *input;
	const char *state;  /* "connected", "connecting", "lost", "ended" */
	const char *reason; /* why it is not connected, or "" */
	const char *agent;  /* its version, "" while unknown */
	uint64_t messages;
	uint64_t bytes;
	uint64_t skipped; /* pieces that were no message */
	uint64_t reconnects;
	uint64_t types[FG_MESSAGE_TYPE_COUNT];
};

/*
 * Opened, not started. The error is said where the configuration has the
 * source.
 */
int fg_source_new(struct fg_source **out, struct fg_gate *g,
		  struct fg_conf *conf, const struct fg_source_config *config);
void fg_source_start(struct fg_source *s);
/*
 * Before it is started: from here to restored(), messages are of flows that an
 * earlier run of ours left. They are in force at once, and as those of a source
 * that was lost just then: kept, when the agent that comes says that it was
 * running when it was last heard (then, monotonic ms); left after grace, if
 * they are not announced again, when it was not, does not say, or none comes.
 */
void fg_source_restoring(struct fg_source *s);
void fg_source_restored(struct fg_source *s, int64_t heard);
/* Its flows are to be left, those of its parts, too. */
void fg_source_void(struct fg_source *s);
/*
 * Closes it, with its parts; what their flows become is the caller's business.
 * While a job of its input is out, what is left of it waits for that in
 * gate->lingering.
 */
void fg_source_free(struct fg_source *s);
/* Frees what lingers no longer. */
void fg_source_bury(struct fg_gate *g);

/*
 * The part after this one, the first one of a whole; NULL: no more. *whole is
 * what they are parts of, or the source itself.
 */
const struct fg_source *fg_source_next_part(const struct fg_source *s,
					    const struct fg_source **whole);
void fg_source_status(const struct fg_source *s, struct fg_source_status *out);
uint16_t fg_source_slot(const struct fg_source *s);
/* Monotonic ms, 0: never. */
int64_t fg_source_heard(const struct fg_source *s);
/* Is it one that ends by itself, and has it? */
bool fg_source_ends(const struct fg_source *s);
bool fg_source_ended(const struct fg_source *s);

/* agent_status says that interface name is on the side role: "LAN", "WAN". */
void fg_source_note_role(struct fg_gate *g, struct fg_slice name,
			 struct fg_slice role);

/* As struct fg_host has them; source is a struct fg_source. */
void fg_source_message(void *source, const struct fg_message *message);
void fg_source_skipped(void *source, const char *why, size_t bytes);
void fg_source_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag);
void fg_source_learn_interface(void *source, struct fg_slice name,
			       struct fg_slice role);
void fg_source_up(void *source);
void fg_source_down(void *source, const char *why);
void *fg_source_part(void *source, const char *name);
void fg_source_idle(void *source, uint32_t ms);
void *fg_source_part_after(void *source, void *part, const char **name);

#endif
