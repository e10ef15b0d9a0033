/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sink.h - where records go: a file, a file for each interval, standard
 * output, or a datagram socket (syslog, journal).
 *
 * Records gather in a buffer while a job of the host writes those before them.
 * A disk that is full, or a logger that is gone, costs records and never time:
 * what was not written is kept and tried again each second, and what finds no
 * room in the buffer is dropped and counted. It is said once when that begins
 * and once when it is over. Nothing is allocated after fg_sink_open().
 */
#ifndef FG_LOG_SINK_H
#define FG_LOG_SINK_H

#include <flowgate/plugin.h>

struct fg_sink;

enum fg_sink_kind {
	FG_SINK_FILE,	  /* appended to; made if absent */
	FG_SINK_INTERVAL, /* DIR/PREFIX-YYYYMMDD-HHMMSSSUFFIX, in UTC */
	FG_SINK_STDOUT,
	FG_SINK_DATAGRAM, /* records end with a NUL, which is not sent */
};

struct fg_sink_setup {
	const struct fg_host *host;
	const char *name; /* of the target */
	enum fg_sink_kind kind;
	const char *path; /* file, folder, or socket */
	const char *prefix;
	const char *suffix;
	uint32_t interval_s;
	const char *header; /* first line of every new file, or NULL */
	size_t size;	    /* bytes of records that may wait, twice */
};

/*
 * Opens a file or socket when there is just one, so that a wrong path is an
 * error of the configuration: 0 or -errno, with a sentence in err. What is
 * appended to must be a regular file of one name, of root or of this user:
 * else whoever can write to the folder could have any file written to.
 */
int fg_sink_open(struct fg_sink **out, const struct fg_sink_setup *setup,
		 char *err, size_t errlen);
/*
 * Would it open, and could files be made in its folder? Changes nothing. A
 * socket is not looked for: it may come later.
 */
int fg_sink_check(const struct fg_sink_setup *setup, char *err, size_t errlen);
/* Writes what waits, waiting for it. */
void fg_sink_close(struct fg_sink *s);

/* Where the next record can be written to, and how much of it there is. */
char *fg_sink_room(struct fg_sink *s, size_t *size);
/* len bytes are a record; 0: it did not fit and is dropped. */
void fg_sink_commit(struct fg_sink *s, size_t len);
/* Hands what waits to a job, unless one is under way. */
void fg_sink_flush(struct fg_sink *s);
/* The file was renamed: open it by its name again. */
void fg_sink_reopen(struct fg_sink *s);

struct fg_sink_counts {
	uint64_t written; /* records */
	uint64_t dropped;
	uint64_t bytes;
	uint64_t failures; /* of writing; each is tried again */
	size_t waiting;	   /* bytes */
	int error;	   /* the errno it is failing with now, or 0 */
};
void fg_sink_counts(const struct fg_sink *s, struct fg_sink_counts *out);

#endif
