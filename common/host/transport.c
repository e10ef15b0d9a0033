/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transport.c - sockets and files that sources are read from. */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/backoff.h"

/* In one turn: some 500 flows, which is what one transaction takes well. */
#define TURN_BYTES (768u << 10)
/* So many are worth the next transaction, if the last has come back. */
#define HALF_TURN (TURN_BYTES / 2)
/* After so much there is probably more by now; after less, ask epoll. */
#define MUCH_BYTES	 (32u << 10)
#define CONNECT_MS	 10000
#define UNIX_PATH	 sizeof(((struct sockaddr_un *)0)->sun_path)

/* Looks a name up; outlives its transport while getaddrinfo() takes long. */
struct lookup {
	struct fg_job job;
	struct fg_transport *owner; /* NULL: nobody wants it any more */
	char host[256];
	char port[6];
	unsigned in_flight;
	int error;
	struct addrinfo *found;
};

struct fg_transport {
	struct fg_loop *loop;
	struct fg_url url;
	struct fg_transport_events events;
	char *buffer;
	struct fg_watch watch; /* .fd is -1 while there is none */
	struct fg_timer timer; /* next try, or the end of this one */
	bool connected;
	bool fruitful; /* this connection has brought bytes */
	unsigned failures;
	struct fg_backoff backoff;
	struct lookup *lookup;
	struct addrinfo *addresses, *next;
};

bool fg_transport_ends(const struct fg_transport *t)
{
	return t->url.scheme == FG_URL_FILE || t->url.scheme == FG_URL_STDIN;
}

static void try_again(struct fg_transport *t)
{
	fg_loop_timer_set(t->loop, &t->timer,
			  fg_loop_now(t->loop) + fg_backoff_next(&t->backoff));
}

static void close_fd(struct fg_transport *t)
{
	fg_loop_unwatch(t->loop, &t->watch);
	if (t->watch.fd >= 0 && t->url.scheme != FG_URL_STDIN)
		close(t->watch.fd);
	t->watch.fd = -1;
	t->connected = false;
}

static void failed(struct fg_transport *t, const char *why)
{
	close_fd(t);
	t->events.failed(t->events.ctx, why, ++t->failures);
	try_again(t);
}

static void failed_errno(struct fg_transport *t, int error)
{
	char why[160];

	if (error == ENOENT && t->url.scheme == FG_URL_UNIX)
		snprintf(why, sizeof(why),
			 "there is no such socket (is netifyd running, and set "
			 "to listen there?)");
	else if (error == ECONNREFUSED)
		snprintf(why, sizeof(why),
			 "nobody listens there (is netifyd running?)");
	else if (error == EACCES && t->url.scheme == FG_URL_UNIX)
		snprintf(why, sizeof(why),
			 "permission denied (flowgated's user needs write "
			 "permission on the socket)");
	else if (error == EAGAIN)
		snprintf(
			why, sizeof(why),
			"its queue of connections is full (is netifyd stuck?)");
	else
		snprintf(why, sizeof(why), "%s", strerror(error));
	failed(t, why);
}

/* --------------------------------------------------------------- reading */

static void ended(struct fg_transport *t, const char *why)
{
	close_fd(t);
	if (fg_transport_ends(t)) {
		t->events.end(t->events.ctx);
		return;
	}
	if (t->fruitful)
		fg_backoff_reset(&t->backoff);
	t->events.down(t->events.ctx, why);
	try_again(t);
}

static void read_some(struct fg_transport *t)
{
	size_t left = TURN_BYTES;
	ssize_t n;

	do {
		n = read(t->watch.fd, t->buffer, FG_TRANSPORT_READ);
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			ended(t, strerror(errno));
			return;
		}
		if (n == 0) {
			ended(t, "the agent closed it");
			return;
		}
		t->fruitful = true;
		t->events.bytes(t->events.ctx, t->buffer, (size_t)n);
		left -= (size_t)n < left ? (size_t)n : left;
		/* a standard input may block */
		if (n < MUCH_BYTES || t->url.scheme == FG_URL_STDIN)
			return;
	} while (left > HALF_TURN || (left && !fg_loop_job_back(t->loop)));
	fg_loop_more(t->loop);
}

static void read_ready(struct fg_watch *watch, uint32_t events)
{
	(void)events; /* errors and hang-ups show in read() */
	read_some(watch->ctx);
}

static void came_up(struct fg_transport *t)
{
	int ret;

	fg_loop_timer_cancel(t->loop, &t->timer);
	t->watch.events = EPOLLIN;
	t->watch.ready = read_ready;
	ret = fg_loop_watch(t->loop, &t->watch);
	if (ret < 0) {
		failed_errno(t, -ret);
		return;
	}
	t->connected = true;
	t->fruitful = false;
	t->failures = 0;
	t->events.up(t->events.ctx);
}

/* ------------------------------------------------------------ connecting */

static void next_address(struct fg_transport *t, int error);

static void connect_ready(struct fg_watch *watch, uint32_t events)
{
	struct fg_transport *t = watch->ctx;
	socklen_t len = sizeof(int);
	int error = 0;

	(void)events;
	if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		close_fd(t);
		next_address(t, error);
		return;
	}
	came_up(t);
}

/* 0: connected; EINPROGRESS; or an error. */
static int begin(struct fg_transport *t, int family,
		 const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	t->watch.fd = fd;
	if (family != AF_UNIX) {
		/*
		 * We never write, so only keep-alive tells that the other
		 * side has gone without a word: after a minute.
		 */
		int on = 1, idle = 30, interval = 10, count = 3;

		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
			   sizeof(interval));
		setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	}
	if (connect(fd, addr, len) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		t->watch.events = EPOLLOUT;
		t->watch.ready = connect_ready;
		error = -fg_loop_watch(t->loop, &t->watch);
		if (!error)
			return EINPROGRESS;
	}
	if (error)
		close_fd(t);
	return error;
}

static void connect_unix(struct fg_transport *t)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int error;

	/* its length was checked with the url */
	memcpy(addr.sun_path, t->url.path, strnlen(t->url.path, UNIX_PATH - 1));
	error = begin(t, AF_UNIX, (struct sockaddr *)&addr, sizeof(addr));
	if (error)
		failed_errno(t, error);
	else
		came_up(t);
}

static void free_addresses(struct fg_transport *t)
{
	if (t->addresses)
		freeaddrinfo(t->addresses);
	t->addresses = t->next = NULL;
}

/* The next of a name's addresses; error: why the one before did not do. */
static void next_address(struct fg_transport *t, int error)
{
	while (t->next) {
		struct addrinfo *a = t->next;

		t->next = a->ai_next;
		error = begin(t, a->ai_family, a->ai_addr, a->ai_addrlen);
		if (error == EINPROGRESS) {
			fg_loop_timer_set(t->loop, &t->timer,
					  fg_loop_now(t->loop) + CONNECT_MS);
			return;
		}
		if (!error) {
			free_addresses(t);
			came_up(t);
			return;
		}
	}
	free_addresses(t);
	failed_errno(t, error);
}

static void lookup_run(struct fg_job *job)
{
	struct lookup *l = job->ctx;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};

	/* An address needs no name server, nor an address of that kind. */
	hints.ai_flags |= AI_NUMERICHOST;
	l->error = getaddrinfo(l->host, l->port, &hints, &l->found);
	if (l->error) {
		hints.ai_flags &= ~AI_NUMERICHOST;
		l->error = getaddrinfo(l->host, l->port, &hints, &l->found);
	}
	if (l->error)
		l->found = NULL;
}

static void lookup_done(struct fg_job *job)
{
	struct lookup *l = job->ctx;
	struct fg_transport *t = l->owner;
	char why[320];

	if (!t) {
		if (l->found)
			freeaddrinfo(l->found);
		free(l);
		return;
	}
	if (l->error) {
		snprintf(why, sizeof(why),
			 "cannot find the address of \"%s\": %s", l->host,
			 gai_strerror(l->error));
		failed(t, why);
		return;
	}
	free_addresses(t);
	t->addresses = t->next = l->found;
	l->found = NULL;
	next_address(t, EADDRNOTAVAIL);
}

static void open_file(struct fg_transport *t)
{
	int fd = STDIN_FILENO;

	if (t->url.scheme == FG_URL_FILE)
		fd = open(t->url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		failed_errno(t, errno);
		return;
	}
	t->watch.fd = fd;
	came_up(t);
}

void fg_transport_start(struct fg_transport *t)
{
	switch (t->url.scheme) {
	case FG_URL_UNIX:
		connect_unix(t);
		break;
	case FG_URL_TCP:
		/* -EBUSY: the last look-up is not back yet */
		if (fg_loop_submit(t->loop, &t->lookup->job,
				   &t->lookup->in_flight) < 0)
			failed(t, "its name is still being looked up");
		break;
	default:
		open_file(t);
		break;
	}
}

static void timer_expired(struct fg_timer *timer, int64_t now)
{
	struct fg_transport *t = timer->ctx;

	(void)now;
	if (t->watch.fd >= 0) {
		close_fd(t);
		next_address(t, ETIMEDOUT);
	} else {
		fg_transport_start(t);
	}
}

/* ---------------------------------------------------------- new and free */

static int check_file(const char *path, char *err, size_t len)
{
	struct stat st;

	if (stat(path, &st) < 0 || access(path, R_OK) < 0) {
		int error = errno;

		snprintf(err, len, "cannot read it: %s", strerror(error));
		return -error;
	}
	if (S_ISDIR(st.st_mode)) {
		snprintf(err, len,
			 "it is a directory: name a file with a recorded "
			 "stream");
		return -EISDIR;
	}
	if (S_ISSOCK(st.st_mode)) {
		snprintf(err, len, "it is a socket: write unix://%s", path);
		return -EINVAL;
	}
	return 0;
}

int fg_transport_new(struct fg_transport **out, struct fg_loop *loop,
		     const struct fg_url *url, char *buffer,
		     const struct fg_transport_events *events, char *err,
		     size_t len)
{
	struct fg_transport *t;
	uint64_t seed;
	int ret;

	if (url->scheme == FG_URL_FILE) {
		ret = check_file(url->path, err, len);
		if (ret < 0)
			return ret;
	}
	if (url->scheme == FG_URL_UNIX && strlen(url->path) >= UNIX_PATH) {
		snprintf(err, len,
			 "the path of a unix socket has at most %zu bytes",
			 UNIX_PATH - 1);
		return -ENAMETOOLONG;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->loop = loop;
	t->url = *url;
	t->buffer = buffer;
	t->events = *events;
	t->watch.fd = -1;
	t->watch.ctx = t;
	t->timer.expired = timer_expired;
	t->timer.ctx = t;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0 || seed == 0)
		seed = (uint64_t)getpid() << 16 | 1;
	fg_backoff_init(&t->backoff, seed);
	if (url->scheme == FG_URL_TCP) {
		t->lookup = calloc(1, sizeof(*t->lookup));
		if (!t->lookup) {
			free(t);
			return -ENOMEM;
		}
		t->lookup->job.run = lookup_run;
		t->lookup->job.done = lookup_done;
		t->lookup->job.ctx = t->lookup;
		t->lookup->owner = t;
		memcpy(t->lookup->host, url->host, sizeof(url->host));
		snprintf(t->lookup->port, sizeof(t->lookup->port), "%u",
			 url->port);
	}
	*out = t;
	return 0;
}

void fg_transport_free(struct fg_transport *t)
{
	if (!t)
		return;
	fg_loop_timer_cancel(t->loop, &t->timer);
	close_fd(t);
	free_addresses(t);
	if (t->lookup && t->lookup->in_flight)
		t->lookup->owner = NULL; /* frees itself when done */
	else
		free(t->lookup);
	free(t);
}
