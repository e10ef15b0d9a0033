/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - messages to standard error or the journal, repeats thinned out. */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* Below PIPE_BUF (4096), so that a line on a pipe is whole or not at all. */
#define LINE_MAX_BYTES 2048
#define TEXT_KEPT      160

#define PLACES	       64
#define FIRST_INTERVAL 5000
#define LAST_INTERVAL  3600000
/* So many differing texts of one place are said before it is thinned out. */
#define DIFFERING 4

struct place {
	const void *owner;
	const char *fmt; /* NULL: free */
	enum fg_level level;
	int differing;
	uint64_t said; /* hash of the text last said */
	uint64_t held; /* not said since then */
	int64_t interval;
	int64_t until; /* end of the interval */
	int64_t last;
	char text[TEXT_KEPT];
};

struct fg_log {
	enum fg_level threshold;
	bool journal;
	uint64_t dropped;
	struct place places[PLACES];
};

static const char *const level_names[] = {
	[FG_LOG_ERROR] = "error",   [FG_LOG_WARNING] = "warning",
	[FG_LOG_NOTICE] = "notice", [FG_LOG_INFO] = "info",
	[FG_LOG_DEBUG] = "debug",
};

/* systemd sets JOURNAL_STREAM to "device:inode" of the stream it made. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return !strcmp(stream, own);
}

int fg_log_new(struct fg_log **out, enum fg_level threshold)
{
	struct fg_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->threshold = threshold;
	log->journal = is_journal(STDERR_FILENO);
	*out = log;
	return 0;
}

void fg_log_free(struct fg_log *log)
{
	free(log);
}

bool fg_log_level(const char *text, enum fg_level *out)
{
	for (int l = FG_LOG_ERROR; l <= FG_LOG_DEBUG; l++) {
		char digit[2] = {(char)('0' + l), 0};

		if (!strcmp(text, level_names[l]) || !strcmp(text, digit)) {
			*out = l;
			return true;
		}
	}
	return false;
}

void fg_log_set_level(struct fg_log *log, enum fg_level threshold)
{
	log->threshold = threshold;
}

bool fg_log_enabled(const struct fg_log *log, enum fg_level level)
{
	return level <= log->threshold;
}

/* False when that could have blocked: nobody reads our stderr. */
static bool write_line(const char *line, size_t len)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return false;
	do {
		n = write(STDERR_FILENO, line, len);
	} while (n < 0 && errno == EINTR);
	return n >= 0;
}

static void put(struct fg_log *log, enum fg_level level, bool named,
		const char *text)
{
	char line[LINE_MAX_BYTES];
	const char *urgency = "";
	size_t len, room;
	int n;

	if (level > log->threshold)
		return;
	/* What begins with a place needs no label to be an error. */
	if (level == FG_LOG_WARNING || level == FG_LOG_DEBUG ||
	    (named && level == FG_LOG_ERROR))
		urgency = level_names[level];
	n = log->journal ? snprintf(line, sizeof(line), "<%d>", (int)level)
			 : snprintf(line, sizeof(line), "%s%s%s",
				    named ? "flowgated: " : "", urgency,
				    *urgency ? ": " : "");
	room = sizeof(line) - (size_t)n - 1;
	len = (size_t)n +
	      fg_text_printable(fg_slice(text, strlen(text)), line + n, room);
	line[len++] = '\n';
	if (!write_line(line, len)) {
		log->dropped++;
		return;
	}
	if (log->dropped) {
		n = snprintf(line, sizeof(line),
			     "flowgated: %llu message%s before this one %s "
			     "lost: standard error was not read\n",
			     (unsigned long long)log->dropped,
			     FG_S(log->dropped),
			     log->dropped == 1 ? "was" : "were");
		if (write_line(line, (size_t)n))
			log->dropped = 0;
	}
}

void fg_log_text(struct fg_log *log, enum fg_level level, const char *text)
{
	put(log, level, false, text);
}

void fg_log_say(struct fg_log *log, enum fg_level level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(log, level, true, text);
}

static struct place *find_place(struct fg_log *log, const void *owner,
				const char *fmt)
{
	struct place *oldest = &log->places[0];

	for (size_t i = 0; i < PLACES; i++) {
		struct place *p = &log->places[i];

		if (p->fmt == fmt && p->owner == owner)
			return p;
		if (!p->fmt || (oldest->fmt && p->last < oldest->last))
			oldest = p;
	}
	*oldest = (struct place){.owner = owner, .fmt = fmt};
	return oldest;
}

void fg_log_repeated(struct fg_log *log, const void *owner, const char *prefix,
		     int64_t now, enum fg_level level, const char *fmt,
		     va_list ap)
{
	char text[LINE_MAX_BYTES];
	struct place *p;
	uint64_t hash;
	size_t len;

	if (level > log->threshold)
		return;
	len = (size_t)snprintf(text, sizeof(text) / 2, "%s", prefix);
	if (len >= sizeof(text) / 2)
		len = sizeof(text) / 2 - 1;
	vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	if (level == FG_LOG_DEBUG) {
		put(log, level, true, text);
		return;
	}

	p = find_place(log, owner, fmt);
	hash = fg_hash(text, strlen(text), 0);
	p->level = level;
	p->last = now;
	if (!p->interval) {
		p->interval = FIRST_INTERVAL;
		p->until = now + p->interval;
		p->differing = DIFFERING;
	} else if (now >= p->until) {
		if (p->held)
			fg_log_say(log, level,
				   "%s (and %llu time%s more since)", text,
				   (unsigned long long)p->held, FG_S(p->held));
		else
			put(log, level, true, text);
		p->held = 0;
		p->interval *= 2;
		if (p->interval > LAST_INTERVAL)
			p->interval = LAST_INTERVAL;
		p->until = now + p->interval;
		p->said = hash;
		return;
	} else if (hash == p->said || p->differing == 0) {
		p->held++;
		snprintf(p->text, sizeof(p->text), "%.*s",
			 (int)sizeof(p->text) - 1, text);
		return;
	} else {
		p->differing--;
	}
	p->said = hash;
	put(log, level, true, text);
}

static int64_t place_end(const struct place *p)
{
	return p->last + (p->interval > 2 * FIRST_INTERVAL
				  ? p->interval
				  : 2 * FIRST_INTERVAL);
}

int64_t fg_log_tick(struct fg_log *log, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < PLACES; i++) {
		struct place *p = &log->places[i];

		if (!p->fmt)
			continue;
		if (place_end(p) > now) {
			if (place_end(p) < next)
				next = place_end(p);
			continue;
		}
		if (p->held)
			fg_log_say(log, p->level,
				   "%s (%llu time%s more, the last %lld s ago; "
				   "over since)",
				   p->text, (unsigned long long)p->held,
				   FG_S(p->held),
				   (long long)(now - p->last) / 1000);
		p->fmt = NULL;
	}
	return next;
}

void fg_log_forget(struct fg_log *log, const void *owner)
{
	for (size_t i = 0; i < PLACES; i++)
		if (log->places[i].owner == owner)
			log->places[i].fmt = NULL;
}
