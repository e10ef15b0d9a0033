/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.h - a recorded stream, taken apart into its messages.
 *
 * For trusted input, tests/data and the like: what is not a message ends the
 * program with the place. Headers ({"length": N}) stay with the message that
 * follows them, so that a recording can be played byte for byte.
 */
#ifndef TOOLS_RECORDING_H
#define TOOLS_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *ptr;
	size_t len;
};

struct recorded {
	struct span raw;    /* header, text and what follows it */
	struct span text;   /* the JSON object */
	struct span type;   /* "flow" */
	struct span digest; /* or empty */
	int64_t at; /* ms of the agent's clock; the previous one's if none */
};

struct recording {
	struct recorded *messages;
	size_t count;
	size_t greeting; /* how many come before the first one of a flow */
	char *bytes;
};

/* Ends the program when path cannot be read or makes no sense. */
struct recording recording_load(const char *path);
void recording_free(struct recording *r);

/*
 * The value of a key in a JSON object: of the object itself (depth 1), or of
 * one in it (depth 2: flow.*). Text comes without its quotes; empty when there
 * is no such key.
 */
struct span recording_value(struct span json, const char *key, int depth);

bool span_is(struct span s, const char *text);

#endif
