/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.c - the socket of a stand-in agent, which behaves as netifyd's does.
 */
#include "server.h"

#include <err.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64

struct server_client {
	int fd;
	char *queue;
	size_t head; /* first byte that is not written yet */
	size_t tail;
	size_t size;
};

struct server {
	int fd;
	char *path; /* of a unix socket, to remove it */
	server_greet_fn greet;
	void *ctx;
	size_t seen;
	size_t count;
	struct server_peak peak;
	struct server_client clients[CLIENTS_MAX];
};

int64_t server_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		errx(1, "%s: too long for a unix socket", path);
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		err(1, "%s", path);
	return fd;
}

/* address:port, the address of IPv6 in brackets */
static int listen_tcp(const char *where)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE};
	struct addrinfo *ai;
	const char *colon = strrchr(where, ':');
	char *host;
	int fd, on = 1, rc;

	if (!colon)
		errx(1, "tcp://%s: no port", where);
	if (where[0] == '[' && colon[-1] == ']')
		host = strndup(where + 1, (size_t)(colon - where) - 2);
	else
		host = strndup(where, (size_t)(colon - where));
	rc = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &ai);
	if (rc)
		errx(1, "tcp://%s: %s", where, gai_strerror(rc));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		err(1, "tcp://%s", where);
	freeaddrinfo(ai);
	free(host);
	return fd;
}

struct server *server_open(const char *url, server_greet_fn greet, void *ctx)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s)
		err(1, NULL);
	s->greet = greet;
	s->ctx = ctx;
	if (!strncmp(url, "unix://", 7)) {
		s->fd = listen_unix(url + 7);
		s->path = strdup(url + 7);
	} else if (!strncmp(url, "tcp://", 6)) {
		s->fd = listen_tcp(url + 6);
	} else {
		errx(1, "%s: not unix:///path nor tcp://address:port", url);
	}
	if (listen(s->fd, CLIENTS_MAX) < 0)
		err(1, "%s", url);
	return s;
}

static void hang_up(struct server *s, struct server_client *c)
{
	close(c->fd);
	free(c->queue);
	*c = s->clients[--s->count];
}

void server_close(struct server *s)
{
	while (s->count)
		hang_up(s, &s->clients[0]);
	close(s->fd);
	if (s->path)
		unlink(s->path);
	free(s->path);
	free(s);
}

void server_send_to(struct server_client *c, const void *data, size_t len)
{
	if (c->tail + len > c->size && c->head) {
		memmove(c->queue, c->queue + c->head, c->tail - c->head);
		c->tail -= c->head;
		c->head = 0;
	}
	if (c->tail + len > c->size) {
		c->size = (c->tail + len) * 2;
		c->queue = realloc(c->queue, c->size);
		if (!c->queue)
			err(1, NULL);
	}
	memcpy(c->queue + c->tail, data, len);
	c->tail += len;
}

void server_send(struct server *s, const void *data, size_t len)
{
	for (size_t i = 0; i < s->count; i++)
		server_send_to(&s->clients[i], data, len);
}

static size_t in_kernel(const struct server_client *c)
{
	int n = 0;

	return ioctl(c->fd, SIOCOUTQ, &n) < 0 || n < 0 ? 0 : (size_t)n;
}

static void note_peak(struct server *s, const struct server_client *c)
{
	size_t kernel = in_kernel(c);

	if (kernel > s->peak.kernel)
		s->peak.kernel = kernel;
	if (c->tail - c->head > s->peak.queue)
		s->peak.queue = c->tail - c->head;
}

/* false: the client is gone */
static bool write_some(struct server *s, struct server_client *c)
{
	bool alive = true;

	while (c->head < c->tail) {
		size_t len = c->tail - c->head;
		ssize_t n = send(c->fd, c->queue + c->head,
				 len < SERVER_CHUNK ? len : SERVER_CHUNK,
				 MSG_NOSIGNAL);

		if (n < 0) {
			alive = errno == EAGAIN || errno == EINTR;
			break;
		}
		c->head += (size_t)n;
	}
	note_peak(s, c);
	if (c->head == c->tail)
		c->head = c->tail = 0;
	return alive;
}

static void accept_one(struct server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct server_client *c;

	if (fd < 0)
		return;
	if (s->count == CLIENTS_MAX) {
		close(fd);
		return;
	}
	c = &s->clients[s->count++];
	*c = (struct server_client){.fd = fd};
	s->seen++;
	if (s->greet)
		s->greet(s, c, s->ctx);
}

bool server_wait(struct server *s, int extra_fd, int timeout_ms)
{
	struct pollfd p[CLIENTS_MAX + 2];
	size_t n = s->count;

	p[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
	p[1] = (struct pollfd){.fd = extra_fd, .events = POLLIN};
	for (size_t i = 0; i < n; i++) {
		const struct server_client *c = &s->clients[i];

		p[i + 2].fd = c->fd;
		p[i + 2].events =
			POLLIN | POLLRDHUP | (c->head < c->tail ? POLLOUT : 0);
	}
	if (poll(p, n + 2, timeout_ms) <= 0)
		return false;
	/* backwards: hang_up() moves the last one into the gap */
	for (size_t i = n; i-- > 0;) {
		short got = p[i + 2].revents;

		/* anything that comes from a client is its end */
		if ((got & ~POLLOUT) || (got && !write_some(s, &s->clients[i])))
			hang_up(s, &s->clients[i]);
	}
	if (p[0].revents)
		accept_one(s);
	return p[1].revents;
}

size_t server_clients(const struct server *s)
{
	return s->count;
}

size_t server_seen(const struct server *s)
{
	return s->seen;
}

size_t server_queued(const struct server *s)
{
	size_t max = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct server_client *c = &s->clients[i];
		size_t n = c->tail - c->head + in_kernel(c);

		if (n > max)
			max = n;
	}
	return max;
}

struct server_peak server_peak(const struct server *s)
{
	return s->peak;
}
