/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink.c - preloaded, makes calls on netlink sockets fail as the file FAULT
 * says while it says so: "send 12 3" is every third sendto() with errno 12, and
 * "recv 105 1" every recvmsg() with 105 (ENOBUFS), what was to be received
 * lost, as it is when that happens. A negative number is a signal for the
 * program itself, once: "send -15 3" before the third sendto(), "recv -9 1"
 * behind the first recvmsg().
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int file = -1;
static _Atomic unsigned calls;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("FAULT");

	if (path)
		file = open(path, O_RDONLY | O_CLOEXEC);
}

/* The errno that this call is to fail with, or 0. */
static int fault(int fd, const char *call)
{
	int domain, error;
	socklen_t len = sizeof(domain);
	char text[64], which[8];
	unsigned every;
	ssize_t n;

	if (file < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    domain != AF_NETLINK)
		return 0;
	n = pread(file, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (sscanf(text, "%7s %d %u", which, &error, &every) != 3 ||
	    strcmp(which, call) != 0 || !every)
		return 0;
	if (error < 0 && ++calls == every)
		kill(getpid(), -error);
	if (error < 0)
		return 0;
	return ++calls % every ? 0 : error;
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags,
	       const struct sockaddr *to, socklen_t to_len)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *,
			socklen_t) = dlsym(RTLD_NEXT, "sendto");
	int error = fault(fd, "send");

	if (!error)
		return real(fd, buf, len, flags, to, to_len);
	errno = error;
	return -1;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) =
		dlsym(RTLD_NEXT, "recvmsg");
	ssize_t n = real(fd, msg, flags);
	int error = n > 0 ? fault(fd, "recv") : 0;

	if (!error)
		return n;
	errno = error;
	return -1;
}
