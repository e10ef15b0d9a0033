/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener.c - a listening socket, on a path or on an address and port. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

#define UNIX "unix://"

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static const char *path_of(const char *where)
{
	size_t len = strlen(UNIX);

	return strncmp(where, UNIX, len) ? NULL : where + len;
}

static int parse_path(const char *path, union address *a, socklen_t *len,
		      char *why, size_t size)
{
	size_t n = strlen(path);

	if (*path != '/' || n >= sizeof(a->un.sun_path)) {
		snprintf(why, size,
			 "after unix:// comes an absolute path of at most %zu "
			 "bytes",
			 sizeof(a->un.sun_path) - 1);
		return -EINVAL;
	}
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, path, n + 1);
	*len = sizeof(a->un);
	return 0;
}

static int parse(const char *where, union address *a, socklen_t *len, char *why,
		 size_t size)
{
	const char *path = path_of(where), *colon = strrchr(where, ':');
	const char *host = where;
	uint8_t bytes[16];
	uint64_t port;
	size_t n;

	memset(a, 0, sizeof(*a));
	if (path)
		return parse_path(path, a, len, why, size);
	if (!colon || !fg_text_uint(colon + 1, strlen(colon + 1), &port) ||
	    port < 1 || port > UINT16_MAX)
		goto wrong;
	n = (size_t)(colon - where);
	if (*host == '[' && n > 2 && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	switch (fg_addr_parse(host, n, bytes)) {
	case 4:
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		memcpy(&a->in.sin_addr, bytes, 4);
		*len = sizeof(a->in);
		return 0;
	case 6:
		if (host == where)
			goto wrong;
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		memcpy(&a->in6.sin6_addr, bytes, 16);
		*len = sizeof(a->in6);
		return 0;
	}
wrong:
	snprintf(why, size, "write unix:///path, 127.0.0.1:9469 or [::1]:9469");
	return -EINVAL;
}

int fg_listen_check(const char *where, char *why, size_t size)
{
	union address a;
	socklen_t len;

	return parse(where, &a, &len, why, size);
}

bool fg_listen_is_public(const char *where)
{
	char why[160];
	union address a;
	socklen_t len;

	if (parse(where, &a, &len, why, sizeof(why)) < 0)
		return false;
	if (a.any.sa_family == AF_INET)
		return ntohl(a.in.sin_addr.s_addr) >> 24 != 127;
	return a.any.sa_family == AF_INET6 &&
	       !IN6_IS_ADDR_LOOPBACK(&a.in6.sin6_addr);
}

/* What is at the path: 0: nothing any more, or -errno. */
static int make_way(const union address *a, socklen_t len)
{
	struct stat st;
	int fd, err;

	if (lstat(a->un.sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, &a->any, len) < 0 ? errno : 0;
	close(fd);
	if (err != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(a->un.sun_path) < 0 ? -errno : 0;
}

/*
 * With its mode from the beginning: to change it afterwards, by its path, would
 * be to change whatever somebody has put there meanwhile.
 */
static int bind_path(int fd, const union address *a, socklen_t len,
		     struct stat *st)
{
	mode_t mask = umask(0117);
	int err = bind(fd, &a->any, len) < 0 ? -errno : 0;

	umask(mask);
	if (!err && lstat(a->un.sun_path, st) < 0)
		err = -errno;
	return err ? err : S_ISSOCK(st->st_mode) ? 0 : -EEXIST;
}

int fg_listen_open(struct fg_listener *out, const char *where, char *why,
		   size_t size)
{
	static const int one = 1;
	const char *what;
	struct stat st = {0};
	union address a;
	socklen_t len;
	int fd, err;

	err = parse(where, &a, &len, why, size);
	if (err)
		return err;
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		goto fail;
	if (a.any.sa_family == AF_UNIX) {
		err = make_way(&a, len);
		if (!err)
			err = bind_path(fd, &a, len, &st);
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		err = bind(fd, &a.any, len) < 0 ? -errno : 0;
	}
	if (err) {
		errno = -err;
		goto fail;
	}
	if (listen(fd, 16) < 0)
		goto fail;
	*out = (struct fg_listener){fd, st.st_dev, st.st_ino};
	return 0;

fail:
	err = -errno;
	what = err == -EEXIST	    ? "something else is in its place"
	       : err == -EADDRINUSE ? "another program listens there already"
				    : strerror(-err);
	snprintf(why, size, "%s", what);
	if (fd >= 0)
		close(fd);
	return err;
}

int fg_listen_share(struct fg_listener *out, const struct fg_listener *other)
{
	*out = *other;
	out->fd = fcntl(other->fd, F_DUPFD_CLOEXEC, 0);
	return out->fd < 0 ? -errno : 0;
}

void fg_listen_remove(const struct fg_listener *l, const char *where)
{
	const char *path = path_of(where);
	struct stat st;

	if (path && lstat(path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(path);
}
