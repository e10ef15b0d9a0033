/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leftout.h - members that have no element, by why; and a word about it when
 * that is all of them for a minute.
 */
#ifndef FG_NFTSET_LEFTOUT_H
#define FG_NFTSET_LEFTOUT_H

#include <flowgate/plugin.h>

enum fg_out {
	FG_OUT_NOT,
	FG_OUT_SIDE,
	FG_OUT_OTHER_TYPE,
	FG_OUT_VERSION,
	FG_OUT_KEY, /* it lacks a field of the key */
	FG_OUT_NEVER,
	FG_OUT_COUNT
};

struct fg_leftout;

/* name: the target's, kept. 0 or -ENOMEM. */
int fg_leftout_new(struct fg_leftout **out, const struct fg_host *host,
		   const char *name);
void fg_leftout_free(struct fg_leftout *l);

/* A member was left out; one was not. */
void fg_leftout_count(struct fg_leftout *l, enum fg_out why);
void fg_leftout_end(struct fg_leftout *l);

/* "they are of ..." */
const char *fg_leftout_why(enum fg_out why);
/* Its counters, by status->more(). */
void fg_leftout_status(const struct fg_leftout *l, struct fg_status *status);

#endif
