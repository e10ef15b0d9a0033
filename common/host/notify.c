/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify.c - READY, RELOADING, STOPPING and WATCHDOG to the service manager. */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

struct fg_notify {
	int fd; /* -1: nobody to tell */
	struct sockaddr_un addr;
	socklen_t addr_len;
	int64_t interval;
};

static int64_t watchdog_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t n;

	if (!usec || !fg_text_uint(usec, strlen(usec), &n) || n == 0)
		return 0;
	if (pid && strtol(pid, NULL, 10) != getpid())
		return 0;
	/* Half of it, in ms, as sd_watchdog_enabled(3) recommends. */
	return (int64_t)(n > 4000 ? n / 2000 : 1);
}

int fg_notify_new(struct fg_notify **out)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct fg_notify *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	*out = n;
	n->fd = -1;
	n->interval = watchdog_interval();
	if (!path || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(n->addr.sun_path))
		return 0;
	n->addr.sun_family = AF_UNIX;
	strcpy(n->addr.sun_path, path);
	n->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				  strlen(path));
	if (path[0] == '@')
		n->addr.sun_path[0] = '\0';
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Not for children, should a plugin have any. */
	unsetenv("NOTIFY_SOCKET");
	return 0;
}

void fg_notify_free(struct fg_notify *n)
{
	if (!n)
		return;
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}

static void tell(struct fg_notify *n, const char *text)
{
	if (n->fd >= 0)
		sendto(n->fd, text, strlen(text), MSG_NOSIGNAL,
		       (struct sockaddr *)&n->addr, n->addr_len);
}

void fg_notify_ready(struct fg_notify *n, const char *status)
{
	char text[512];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%.400s\n", status);
	tell(n, text);
}

void fg_notify_reloading(struct fg_notify *n)
{
	struct timespec ts;
	char text[96];

	/* Type=notify-reload wants to know since when. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
		 (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	tell(n, text);
}

void fg_notify_stopping(struct fg_notify *n)
{
	tell(n, "STOPPING=1\n");
}

void fg_notify_watchdog(struct fg_notify *n)
{
	tell(n, "WATCHDOG=1\n");
}

int64_t fg_notify_interval(const struct fg_notify *n)
{
	return n->fd >= 0 ? n->interval : 0;
}
