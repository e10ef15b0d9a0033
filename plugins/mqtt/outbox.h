/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbox.h - what is to be published: which members are announced, when again,
 * and which purges are not through yet. Pure; sized once.
 *
 * Every flow has one entry at most, in one of these states, so that what
 * happens meanwhile leaves only the latest to be said:
 *
 *	new	a member that was not announced yet
 *	again	one whose time to be announced again has come
 *	quiet	one that was announced, until then
 *	gone	was announced and is a member no more: its purge is to be said
 *	flying	its purge is said, but the broker has not confirmed it
 *
 * At most so many are new, again, gone or flying as the queue is long. Of more,
 * the oldest of "again" waits for its next time, or else the oldest of "new",
 * which is announced when the connection is made anew; or else the oldest of
 * "gone" is forgotten. All three are counted.
 */
#ifndef FG_MQTT_OUTBOX_H
#define FG_MQTT_OUTBOX_H

#include <flowgate/plugin.h>

struct fg_outbox;

struct fg_outbox_setup {
	uint32_t max_members;
	uint32_t queue;
	uint32_t every_ms; /* between two announcements; or a quarter less */
	uint64_t seed;
	int64_t now;
};

int fg_outbox_new(struct fg_outbox **out, const struct fg_outbox_setup *setup);
void fg_outbox_free(struct fg_outbox *o);

/* A flow may enter several times; the flow that counts is the last one's. */
void fg_outbox_enter(struct fg_outbox *o, const struct fg_flow *flow);
void fg_outbox_leave(struct fg_outbox *o, const struct fg_flow *flow,
		     enum fg_reason reason, int64_t wall);

/* The next to be said, or 0: purges first, then new ones; until sent(). */
uint32_t fg_outbox_next(const struct fg_outbox *o);
/* Is it a purge, and why; else an announcement. */
bool fg_outbox_is_purge(const struct fg_outbox *o, uint32_t id,
			enum fg_reason *reason);
/*
 * The flow as it is to be said: last seen when it was a member last, by our
 * clock, and always later than it was said before, so that others can tell
 * which is newer.
 */
void fg_outbox_flow(struct fg_outbox *o, uint32_t id, int64_t wall,
		    struct fg_flow *out);
/*
 * It goes out, several of them maybe in one message. confirms: there will be a
 * confirmation, with the number of that message, which is told here once it is
 * known; FG_OUTBOX_UNSENT as long as it is not.
 */
void fg_outbox_sent(struct fg_outbox *o, uint32_t id, bool confirms,
		    int64_t now);
void fg_outbox_number(struct fg_outbox *o, int mid);
void fg_outbox_confirmed(struct fg_outbox *o, int mid);
#define FG_OUTBOX_UNSENT (-1)
/* Nothing can be said for now; what was not confirmed is to be said again. */
void fg_outbox_down(struct fg_outbox *o);
/*
 * It can again, maybe to others than before: all are announced, some 4,000 in
 * a second.
 */
void fg_outbox_up(struct fg_outbox *o, int64_t now);
/* Those whose time has come are to be said again, while there is room. */
void fg_outbox_tick(struct fg_outbox *o, int64_t now);
/* When to call that next; INT64_MAX: not by time, but when others are sent. */
int64_t fg_outbox_deadline(const struct fg_outbox *o);

struct fg_outbox_counts {
	uint64_t members;
	uint64_t pending; /* new, again, gone, flying */
	uint64_t announced;
	uint64_t announced_again;
	uint64_t purged;
	uint64_t dropped; /* announcements */
	uint64_t dropped_purges;
};
void fg_outbox_counts(const struct fg_outbox *o, struct fg_outbox_counts *out);

#endif
