/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink.c - where records go: files, standard output, datagram sockets. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/place.h"
#include "sink.h"

#define RETRY_MS 1000

/* How long a datagram may wait for a slow logger before the job gives up. */
#define LOGGER_MS 200

/* Names that one interval may take, when earlier runs took some. */
#define NAMES_MAX_ 1000

/* What the job works on; the loop keeps its hands off while it is in flight. */
struct writing {
	int fd;		  /* -1: not open */
	bool fresh;	  /* the file is new: it wants its header */
	bool reopen;	  /* before anything is written */
	bool torn;	  /* at is within a record that began elsewhere */
	int64_t interval; /* to write to */
	int64_t open;	  /* the interval that fd is of */
	char *buf;
	size_t len;
	size_t at; /* written so far */
	uint64_t records;
	int error;
	char path[4096];
};

struct fg_sink {
	struct fg_sink_setup setup;
	struct fg_job job;
	struct fg_timer timer;
	struct writing w;
	bool busy;
	bool reopen;
	char *fill; /* gathers records meanwhile */
	size_t filled;
	int64_t retry_at;
	uint64_t dropped_before; /* when it began to fail */
	struct fg_sink_counts counts;
};

/* --------------------------------------------------------------- opening */

/*
 * Names come and go while we look: what was opened is ours alone when at one
 * moment its only name was the path.
 */
static int trusted(int fd, const char *path, bool *fresh)
{
	struct stat opened, st;

	if (fstat(fd, &opened) < 0 || lstat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_ino != opened.st_ino || st.st_dev != opened.st_dev)
		return -EMLINK;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return -EPERM;
	*fresh = !st.st_size;
	return 0;
}

/* The descriptor, or -errno. flags: O_CREAT, or 0. */
static int open_path(const char *path, int flags, bool *fresh)
{
	/* NONBLOCK: a pipe of that name must not hold the job up */
	int fd = open(path,
		      O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC |
			      O_NONBLOCK | O_NOCTTY | flags,
		      0640);
	int err;

	if (fd < 0)
		return -errno;
	err = trusted(fd, path, fresh);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int open_file(struct fg_sink *s)
{
	int fd = open_path(s->setup.path, O_CREAT, &s->w.fresh);

	if (fd < 0)
		return fd;
	s->w.fd = fd;
	return 0;
}

static int open_interval(struct fg_sink *s)
{
	time_t start = (time_t)(s->w.interval * s->setup.interval_s);
	char stamp[32], again[16] = "";
	struct tm tm;
	int fd;

	gmtime_r(&start, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	for (int i = 1; i < NAMES_MAX_; i++) {
		int n = snprintf(s->w.path, sizeof(s->w.path), "%s/%s-%s%s%s",
				 s->setup.path, s->setup.prefix, stamp, again,
				 s->setup.suffix);

		if (n >= (int)sizeof(s->w.path))
			return -ENAMETOOLONG;
		/* EXCL: in /tmp the name may be laid out by somebody else */
		fd = open(s->w.path,
			  O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
			  0640);
		if (fd >= 0) {
			s->w.fd = fd;
			s->w.fresh = true;
			s->w.open = s->w.interval;
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
		snprintf(again, sizeof(again), "-%d", i);
	}
	return -EEXIST;
}

static int open_datagram(struct fg_sink *s)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(s->setup.path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, s->setup.path, strlen(s->setup.path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	s->w.fd = fd;
	return 0;
}

static int open_any(struct fg_sink *s)
{
	switch (s->setup.kind) {
	case FG_SINK_FILE:
		return open_file(s);
	case FG_SINK_INTERVAL:
		return open_interval(s);
	case FG_SINK_DATAGRAM:
		return open_datagram(s);
	case FG_SINK_STDOUT:
		s->w.fd = STDOUT_FILENO;
		return 0;
	}
	return -EINVAL;
}

static void close_any(struct fg_sink *s)
{
	if (s->w.fd >= 0 && s->w.fd != STDOUT_FILENO)
		close(s->w.fd);
	s->w.fd = -1;
	/* the rest of a record has no place in another file */
	s->w.torn = s->w.at && s->setup.kind != FG_SINK_DATAGRAM &&
		    s->w.buf[s->w.at - 1] != '\n';
}

static const char *where(const struct fg_sink *s)
{
	switch (s->setup.kind) {
	case FG_SINK_STDOUT:
		return "standard output";
	case FG_SINK_INTERVAL:
		return s->w.path[0] ? s->w.path : s->setup.path;
	default:
		return s->setup.path;
	}
}

static const char *why(int err)
{
	switch (err) {
	case -EMLINK:
	case -ENXIO:
		return "not a regular file with one name: remove what is there";
	case -ELOOP:
		return "a symbolic link: name the file itself";
	case -EPERM:
		return "belongs to another user: remove it, or choose a "
		       "folder that only root can write to";
	case -ENOENT:
		return "there is no such folder or socket: make it, or name "
		       "another";
	case -EACCES:
	case -EROFS:
		return "flowgated may not write there: a service can to "
		       "/var/log/flowgate";
	default:
		return strerror(-err);
	}
}

/* --------------------------------------------------------------- writing */

static int write_all(int fd, const char *p, size_t len, size_t *written)
{
	ssize_t n;

	while (*written < len) {
		n = write(fd, p + *written, len - *written);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		*written += (size_t)n;
	}
	return 0;
}

static int write_header(struct fg_sink *s)
{
	size_t written = 0;
	int err;

	if (!s->w.fresh || !s->setup.header)
		return 0;
	err = write_all(s->w.fd, s->setup.header, strlen(s->setup.header),
			&written);
	/* half a header is worse than none: begin anew */
	if (err && ftruncate(s->w.fd, 0) < 0)
		return err;
	s->w.fresh = err;
	return err;
}

static int write_stream(struct fg_sink *s)
{
	struct writing *w = &s->w;
	int err = write_header(s);

	if (err)
		return err;
	if (w->torn) {
		char *end = memchr(w->buf + w->at, '\n', w->len - w->at);

		w->at = end ? (size_t)(end - w->buf) + 1 : w->len;
		w->torn = false;
	}
	return write_all(w->fd, w->buf, w->len, &w->at);
}

static int write_datagrams(struct fg_sink *s)
{
	struct writing *w = &s->w;
	struct pollfd pfd = {.fd = w->fd, .events = POLLOUT};

	while (w->at < w->len) {
		const char *record = w->buf + w->at;
		size_t len = strlen(record);

		if (send(w->fd, record, len, MSG_NOSIGNAL) >= 0 ||
		    errno == EMSGSIZE) {
			w->at += len + 1;
			continue;
		}
		if (errno == EINTR)
			continue;
		if ((errno == EAGAIN || errno == ENOBUFS) &&
		    poll(&pfd, 1, LOGGER_MS) > 0)
			continue;
		return errno == EAGAIN ? -ENOBUFS : -errno;
	}
	return 0;
}

static void run(struct fg_job *job)
{
	struct fg_sink *s = job->ctx;
	struct writing *w = &s->w;

	if (w->fd >= 0 && (w->reopen || (s->setup.kind == FG_SINK_INTERVAL &&
					 w->open != w->interval)))
		close_any(s);
	w->reopen = false;
	w->error = w->fd < 0 ? open_any(s) : 0;
	if (w->error)
		return;
	w->error = s->setup.kind == FG_SINK_DATAGRAM ? write_datagrams(s)
						     : write_stream(s);
	/* a logger that was started anew has another socket */
	if (w->error && s->setup.kind == FG_SINK_DATAGRAM)
		close_any(s);
}

/* ---------------------------------------------------------------- results */

static uint64_t records_in(const struct fg_sink *s, const char *p, size_t len)
{
	int mark = s->setup.kind == FG_SINK_DATAGRAM ? '\0' : '\n';
	const char *end = p + len;
	uint64_t n = 0;

	while ((p = memchr(p, mark, (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

static void failed(struct fg_sink *s)
{
	const struct fg_host *h = s->setup.host;

	s->counts.failures++;
	s->retry_at = h->now(h) + RETRY_MS;
	h->timer_set(h, &s->timer, s->retry_at);
	if (s->counts.error)
		return;
	s->counts.error = s->w.error;
	s->dropped_before = s->counts.dropped;
	h->log(h, FG_LOG_ERROR,
	       "target \"%s\": %s: %s; records wait, and are dropped when "
	       "there are too many",
	       s->setup.name, where(s), why(s->w.error));
}

static void recovered(struct fg_sink *s)
{
	const struct fg_host *h = s->setup.host;

	if (!s->counts.error)
		return;
	h->log(h, FG_LOG_NOTICE,
	       "target \"%s\": %s is written to again; records lost: %llu",
	       s->setup.name, where(s),
	       (unsigned long long)(s->counts.dropped - s->dropped_before));
	s->counts.error = 0;
}

static void finish(struct fg_sink *s)
{
	struct writing *w = &s->w;

	if (w->error) {
		failed(s);
		return;
	}
	s->counts.written += w->records;
	s->counts.bytes += w->len;
	w->len = w->at = 0;
	w->records = 0;
	recovered(s);
}

static void done(struct fg_job *job)
{
	struct fg_sink *s = job->ctx;

	s->busy = false;
	finish(s);
	/* what came meanwhile: maybe nothing else comes for long */
	fg_sink_flush(s);
}

/* True: there is something for the job. */
static bool prepare(struct fg_sink *s)
{
	const struct fg_host *h = s->setup.host;
	char *empty = s->w.buf;

	if (!s->w.len) {
		if (!s->filled)
			return false;
		s->w.buf = s->fill;
		s->w.len = s->filled;
		s->w.at = 0;
		s->w.records = records_in(s, s->fill, s->filled);
		s->fill = empty;
		s->filled = 0;
	}
	s->w.reopen |= s->reopen;
	s->reopen = false;
	if (s->setup.interval_s)
		s->w.interval = h->wall(h) / 1000 / s->setup.interval_s;
	return true;
}

void fg_sink_flush(struct fg_sink *s)
{
	const struct fg_host *h = s->setup.host;

	if (s->busy || (s->counts.error && h->now(h) < s->retry_at) ||
	    !prepare(s))
		return;
	s->busy = true;
	if (h->submit(h, &s->job)) {
		s->busy = false;
		s->w.error = -EAGAIN;
		finish(s);
	}
}

static void expired(struct fg_timer *timer, int64_t now)
{
	(void)now;
	timer->deadline = 0;
	fg_sink_flush(timer->ctx);
}

/* ---------------------------------------------------------------- records */

char *fg_sink_room(struct fg_sink *s, size_t *size)
{
	*size = s->setup.size - s->filled;
	return s->fill + s->filled;
}

void fg_sink_commit(struct fg_sink *s, size_t len)
{
	if (!len) {
		s->counts.dropped++;
		return;
	}
	s->filled += len;
	/* half full: no need to wait for the burst to end */
	if (s->filled > s->setup.size / 2)
		fg_sink_flush(s);
}

void fg_sink_reopen(struct fg_sink *s)
{
	s->reopen = s->setup.kind != FG_SINK_STDOUT;
	s->retry_at = 0;
	fg_sink_flush(s);
}

void fg_sink_counts(const struct fg_sink *s, struct fg_sink_counts *out)
{
	*out = s->counts;
	out->waiting = s->filled + (s->busy || s->w.error ? s->w.len : 0);
}

/* ------------------------------------------------------------------- new */

int fg_sink_check(const struct fg_sink_setup *setup, char *err, size_t errlen)
{
	bool fresh;
	int fd;

	if (setup->kind == FG_SINK_INTERVAL)
		return fg_place_check(setup->path, err, errlen);
	if (setup->kind != FG_SINK_FILE)
		return 0;
	fd = open_path(setup->path, 0, &fresh);
	if (fd == -ENOENT)
		return fg_place_check_file(setup->path, err, errlen);
	if (fd < 0) {
		snprintf(err, errlen, "%s: %s", setup->path, why(fd));
		return fd;
	}
	close(fd);
	return 0;
}

int fg_sink_open(struct fg_sink **out, const struct fg_sink_setup *setup,
		 char *err, size_t errlen)
{
	struct fg_sink *s = calloc(1, sizeof(*s));
	int ret = -ENOMEM;

	if (!s)
		goto no_memory;
	s->setup = *setup;
	s->job = (struct fg_job){.run = run, .done = done, .ctx = s};
	s->timer = (struct fg_timer){.expired = expired, .ctx = s};
	s->w.fd = -1;
	s->w.buf = malloc(setup->size);
	s->fill = malloc(setup->size);
	if (!s->w.buf || !s->fill)
		goto no_memory;
	/* a logger may come later; a file's place is there from the start */
	if (setup->kind == FG_SINK_FILE) {
		ret = open_file(s);
		if (ret) {
			snprintf(err, errlen, "%s: %s", setup->path, why(ret));
			goto fail;
		}
	}
	*out = s;
	return 0;
no_memory:
	snprintf(err, errlen, "out of memory");
fail:
	if (s) {
		free(s->w.buf);
		free(s->fill);
	}
	free(s);
	return ret;
}

void fg_sink_close(struct fg_sink *s)
{
	const struct fg_host *h;

	if (!s)
		return;
	h = s->setup.host;
	h->timer_cancel(h, &s->timer);
	/* what a job left, and then what came after it */
	while (prepare(s)) {
		run(&s->job);
		if (s->w.error)
			s->counts.dropped += records_in(s, s->w.buf + s->w.at,
							s->w.len - s->w.at) +
					     records_in(s, s->fill, s->filled);
		finish(s);
		if (s->w.error)
			break;
	}
	h->timer_cancel(h, &s->timer);
	close_any(s);
	free(s->w.buf);
	free(s->fill);
	free(s);
}
