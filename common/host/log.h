/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - what flowgated says, one line a message, on standard error.
 *
 * Under systemd (JOURNAL_STREAM names our stderr) every line begins with the
 * journal's priority, "<4>". Text is made printable, since parts of it come
 * from the network. A line that could not be written without blocking is
 * dropped and counted: nothing may hold up the loop.
 */
#ifndef FG_HOST_LOG_H
#define FG_HOST_LOG_H

#include <stdarg.h>
#include <flowgate/plugin.h>

struct fg_log;

/* 0 or -ENOMEM. Messages above threshold (less urgent) are not said. */
int fg_log_new(struct fg_log **out, enum fg_level threshold);
void fg_log_free(struct fg_log *log);
/* "error", "warning", "notice", "info", "debug", or 3 to 7; false: neither. */
bool fg_log_level(const char *text, enum fg_level *out);
void fg_log_set_level(struct fg_log *log, enum fg_level threshold);
bool fg_log_enabled(const struct fg_log *log, enum fg_level level);

/* Says it, always. */
void fg_log_say(struct fg_log *log, enum fg_level level, const char *fmt, ...)
	FG_PRINTF(3, 4);
/* As it is, for messages that begin with a place: "file:line:col: ...". */
void fg_log_text(struct fg_log *log, enum fg_level level, const char *text);

/*
 * Says it, but thins out what one place repeats: a place is an owner and a
 * format. Once at first (and a few more while the text differs), then at
 * intervals that double from 5 s to an hour, with the number left out, and
 * once more when it is over. Debugging is never thinned. prefix, may be "", is
 * put before the text. now is monotonic ms.
 */
void fg_log_repeated(struct fg_log *log, const void *owner, const char *prefix,
		     int64_t now, enum fg_level level, const char *fmt,
		     va_list ap) FG_PRINTF(6, 0);
/* Says what is over. Returns when to call again, INT64_MAX: no need. */
int64_t fg_log_tick(struct fg_log *log, int64_t now);
/* owner is gone: its places are free. */
void fg_log_forget(struct fg_log *log, const void *owner);

#endif
