/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h - members, and the interned lists of them that flows hold.
 *
 * A seat is one action's way into one target, with the struct fg_member that
 * plugins see; seats do not move while anybody refers to them. A roster is a
 * list of seats; equal rosters are one verdict, a number.
 */
#ifndef FG_POLICY_VERDICT_H
#define FG_POLICY_VERDICT_H

#include <flowgate/plugin.h>

struct fg_target;
struct fg_verdicts;

/* Memberships of one flow, delegated ones included. */
#define FG_ROSTER_MAX 32

struct fg_seat {
	struct fg_member pub; /* first: plugins hand back a pointer to it */
	struct fg_target *target;
	uint32_t id;
	uint32_t holders;    /* generations, verdicts, proxies that need it */
	uint32_t principal;  /* of a proxy, else 0 */
	uint32_t proxies;    /* first of its proxies, */
	uint32_t proxy_next; /* and the next (or the next free one) */
	char *text;	     /* backs pub.action and pub.targets; owned */
};

struct fg_roster {
	uint32_t ids[FG_ROSTER_MAX]; /* ascending */
	size_t count;
};

/* false: no room */
bool fg_roster_add(struct fg_roster *r, uint32_t id);
bool fg_roster_has(const struct fg_roster *r, uint32_t id);
void fg_roster_remove(struct fg_roster *r, uint32_t id);

/* max: distinct rosters at a time. 0 or -ENOMEM. */
int fg_verdicts_new(struct fg_verdicts **out, uint32_t max);
void fg_verdicts_free(struct fg_verdicts *vs);

/*
 * Takes over seat (its id is set) with one holder; the only call here, besides
 * fg_verdicts_new(), that allocates. 0 or -ENOMEM.
 */
int fg_seat_add(struct fg_verdicts *vs, const struct fg_seat *seat,
		uint32_t *id);
struct fg_seat *fg_seat(const struct fg_verdicts *vs, uint32_t id);
void fg_seat_hold(struct fg_verdicts *vs, uint32_t id);
/* The last holder gone, its binding is unbound and the seat freed. */
void fg_seat_drop(struct fg_verdicts *vs, uint32_t id);
/*
 * The proxy of a seat for another target: what delegate() makes of it. 0 when
 * there is none and make is false, or no more can be made (1024 in all). A new
 * one has no holder: drop follows hold as with any other.
 */
uint32_t fg_seat_proxy(struct fg_verdicts *vs, uint32_t principal,
		       struct fg_target *to, bool make);

/*
 * The verdict of a roster, without a new holder: 0 for the empty one, and,
 * with *full set, when there is no room for one more.
 */
uint32_t fg_verdict_of(struct fg_verdicts *vs, const struct fg_roster *r,
		       bool *full);
void fg_verdict_hold(struct fg_verdicts *vs, uint32_t id);
void fg_verdict_drop(struct fg_verdicts *vs, uint32_t id);
void fg_verdict_roster(const struct fg_verdicts *vs, uint32_t id,
		       struct fg_roster *out);

#endif
