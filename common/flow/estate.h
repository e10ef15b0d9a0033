/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * estate.h - the flows of one source that a run leaves to the next: a line
 * that says whose they are, then bytes that its input reads.
 *
 * Pure. For the same machine only: times are of its clocks, the sum is in its
 * byte order. The line is text, for people to read, too:
 *
 *	FGFLOWS 1 SUM BYTES FLOWS BOOT WALL HEARD "name" "part" "url" "agent"
 */
#ifndef FG_FLOW_ESTATE_H
#define FG_FLOW_ESTATE_H

#include <flowgate/plugin.h>

/* No line is longer, newline included. */
#define FG_ESTATE_LINE 16384
/* The bytes that follow it are summed in pieces of this, the last one less. */
#define FG_ESTATE_BLOCK 65536

struct fg_estate {
	uint64_t bytes; /* of messages that follow the line */
	uint64_t flows; /* that there were; maybe not all of them follow */
	int64_t boot_ms;  /* CLOCK_BOOTTIME when it was written */
	int64_t wall_ms;  /* and the epoch's */
	int64_t heard_ms; /* boot time when the agent was heard last */
	struct fg_slice name; /* of the source; once read, maybe with escapes */
	struct fg_slice part; /* empty: the source itself */
	struct fg_slice url;
	struct fg_slice agent; /* its version, or empty */
};

/* Begin with 0, then for one block after the other. */
uint64_t fg_estate_sum(uint64_t sum, const void *block, size_t len);

/*
 * The line, with its newline, no NUL. Its length does not depend on numbers: it
 * can be written first and again when they are known. 0: too long.
 */
size_t fg_estate_write(const struct fg_estate *e, uint64_t sum,
		       char line[FG_ESTATE_LINE]);

/*
 * Reads the line that text begins with; *len is its length then. 0; -EILSEQ:
 * there is none, or it is damaged; -EPROTO: of another version.
 */
int fg_estate_read(struct fg_estate *e, const char *text, size_t room,
		   size_t *len);
/* Is sum that of the bytes which the line was written for, and the line? */
bool fg_estate_is(const char *line, size_t len, uint64_t sum);

/*
 * With each flow, its message says which targets it was a member of (1: only
 * observed), as its last key: ,"targets":{"block":0,"log":1}}
 *
 * begin() adds none to a JSON object of len bytes in buf, add() one to these;
 * both return the new length, which is the old one when there is no room.
 */
size_t fg_estate_targets_begin(char *buf, size_t len, size_t size);
size_t fg_estate_targets_add(char *buf, size_t len, size_t size,
			     const char *name, bool observe);
/* What follows the key, for next(); false: it was not said. */
bool fg_estate_targets(struct fg_slice message, struct fg_slice *rest);
bool fg_estate_targets_next(struct fg_slice *rest, struct fg_slice *name,
			    bool *observe);

/*
 * 0, or -ESTALE: by either clock it is longer than most_ms since the agent was
 * heard, or it is of before a boot.
 */
int fg_estate_age(const struct fg_estate *e, int64_t boot_ms, int64_t wall_ms,
		  int64_t most_ms);

#endif
