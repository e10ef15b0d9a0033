/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.c - one request to a running flowgated, and its reply. */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BODY_MAX (64u << 20)

struct reply {
	fg_client_take *take;
	void *ctx;
	char head[600]; /* the first line, as far as it has come */
	size_t head_len;
	bool headed;
	bool ok;
};

static int fail(char *err, size_t errlen, int error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(char *err, size_t errlen, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, errlen, fmt, ap);
	va_end(ap);
	return error;
}

static int connect_to(const char *path, char *err, size_t errlen)
{
	static const struct timeval patience = {.tv_sec = 5};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(sa.sun_path))
		return fail(err, errlen, -ENAMETOOLONG,
			    "%s: longer than a socket's path may be (%zu)",
			    path, sizeof(sa.sun_path) - 1);
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(err, errlen, -errno, "socket: %s", strerror(errno));
	/* a queue that nobody takes from would hold up connect() for ever */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	error = -errno;
	close(fd);
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return fail(err, errlen, error,
			    "%s: no flowgated there: start it, or say where "
			    "its socket is with -S",
			    path);
	case -EAGAIN:
		return fail(err, errlen, error,
			    "%s: flowgated takes no connections: is it stuck?",
			    path);
	case -EACCES:
	case -EPERM:
		return fail(err, errlen, error,
			    "%s: not allowed: be root, or of the socket's "
			    "group",
			    path);
	default:
		return fail(err, errlen, error, "%s: %s", path,
			    strerror(-error));
	}
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Bytes of a reply; 1: enough. */
static int take_bytes(struct reply *r, const char *text, size_t len, char *err,
		      size_t errlen)
{
	const char *end;
	size_t n;

	if (!r->headed) {
		end = memchr(text, '\n', len);
		n = end ? (size_t)(end - text) : len;
		if (r->head_len + n >= sizeof(r->head))
			return fail(err, errlen, -EPROTO,
				    "not the reply of a flowgated");
		memcpy(r->head + r->head_len, text, n);
		r->head_len += n;
		if (!end)
			return 0;
		r->head[r->head_len] = '\0';
		r->headed = true;
		r->ok = !strcmp(r->head, "ok");
		if (!r->ok && strncmp(r->head, "error ", 6) != 0)
			return fail(err, errlen, -EPROTO,
				    "not the reply of a flowgated");
		text += n + 1;
		len -= n + 1;
	}
	return len > 0 && !r->take(r->ctx, text, len);
}

int fg_client_ask(const char *path, const char *request, fg_client_take *take,
		  void *ctx, char *err, size_t errlen)
{
	struct reply reply = {.take = take, .ctx = ctx};
	char buffer[65536];
	int fd, error;

	if (strchr(request, '\n'))
		return fail(err, errlen, -EINVAL,
			    "a request is one line: no newline in arguments");
	fd = connect_to(path, err, errlen);
	if (fd < 0)
		return fd;
	error = send_all(fd, request, strlen(request));
	if (!error)
		error = send_all(fd, "\n", 1);
	/* refused before it was asked: what it said is there all the same */
	if (error == -EPIPE)
		error = 0;
	while (!error) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			error = -errno;
		if (n <= 0)
			break;
		error = take_bytes(&reply, buffer, (size_t)n, err, errlen);
	}
	close(fd);
	if (error == 1)
		return 0;
	if (error == -EPROTO)
		return error;
	if (reply.headed && !reply.ok)
		return fail(err, errlen,
			    !strncmp(reply.head + 6, "busy: ", 6) ? -EBUSY
								  : -EREMOTEIO,
			    "%s", reply.head + 6);
	if (error || !reply.headed)
		return fail(err, errlen, error ? error : -EPIPE,
			    "%s: flowgated hung up%s%s", path,
			    error ? ": " : "", error ? strerror(-error) : "");
	return 0;
}

struct body {
	char *text;
	size_t len;
	size_t room;
	int error;
};

static bool keep(void *ctx, const char *text, size_t len)
{
	struct body *b = ctx;

	if (!b->text || b->len + len + 1 > b->room) {
		size_t room = (b->room ? b->room * 2 : 65536) + len;
		char *grown = room > BODY_MAX ? NULL : realloc(b->text, room);

		if (!grown) {
			b->error = room > BODY_MAX ? -EFBIG : -ENOMEM;
			return false;
		}
		b->text = grown;
		b->room = room;
	}
	memcpy(b->text + b->len, text, len);
	b->len += len;
	b->text[b->len] = '\0';
	return true;
}

int fg_client_body(const char *path, const char *request, char **body,
		   size_t *len, char *err, size_t errlen)
{
	struct body b = {0};
	int error;

	error = fg_client_ask(path, request, keep, &b, err, errlen);
	if (!error && b.error)
		error = fail(err, errlen, b.error, "%s: a reply too long: %s",
			     path, strerror(-b.error));
	if (!error && !b.text)
		b.text = calloc(1, 1);
	if (error) {
		free(b.text);
		return error;
	}
	*body = b.text;
	*len = b.len;
	return 0;
}
