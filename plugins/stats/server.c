/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.c - libmicrohttpd without threads: its epoll descriptor is watched by
 * the host, as is the listening socket, which we accept from ourselves.
 */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "buffer.h"
#include "listener.h"

#define IDLE_SECONDS	10
#define FRESH_MS	1000
#define CONNECTION_SIZE 16384 /* for a request's lines and a reply's head */
/* Out of descriptors: what waits to be accepted waits on. */
#define PAUSE_MS 1000

struct fg_server {
	const struct fg_host *host;
	const char *where;
	struct fg_listener listener;
	struct MHD_Daemon *daemon;
	struct fg_watch accepting;
	struct fg_watch working;
	struct fg_timer timer;	/* connections that time out */
	struct fg_timer paused; /* accepting again */
	struct MHD_Response *metrics;
	int64_t made; /* when, monotonic ms */
	uint64_t served;
};

/* -------------------------------------------------------------- the answer */

static struct MHD_Response *typed(struct MHD_Response *r, const char *type)
{
	if (r)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return r;
}

/* NULL: no memory. */
static struct MHD_Response *metrics(struct fg_server *s)
{
	int64_t now = s->host->now(s->host);
	struct fg_buffer b = {0};

	if (s->metrics && now - s->made < FRESH_MS)
		return s->metrics;
	if (s->metrics)
		MHD_destroy_response(s->metrics);
	s->metrics = NULL;
	s->made = now;
	s->host->render(s->host, "prometheus", fg_buffer_add, &b);
	if (!b.failed && b.len)
		s->metrics = MHD_create_response_from_buffer(
			b.len, b.bytes, MHD_RESPMEM_MUST_FREE);
	if (!s->metrics)
		fg_buffer_fini(&b);
	return typed(s->metrics, "text/plain; version=0.0.4; charset=utf-8");
}

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned status,
				   const char *text)
{
	struct MHD_Response *r = typed(
		MHD_create_response_from_buffer(strlen(text), (void *)text,
						MHD_RESPMEM_PERSISTENT),
		"text/plain; charset=utf-8");
	enum MHD_Result ret;

	if (!r)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *data_size, void **request)
{
	struct fg_server *s = ctx;
	struct MHD_Response *r;

	(void)version, (void)data, (void)request;
	if (*data_size) { /* a body, of which we have no use */
		*data_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED,
				   "Only GET and HEAD.\n");
	if (!strcmp(url, "/"))
		return answer_text(c, MHD_HTTP_OK,
				   "flowgated. Metrics are at /metrics.\n");
	if (strcmp(url, "/metrics") != 0)
		return answer_text(c, MHD_HTTP_NOT_FOUND,
				   "Metrics are at /metrics.\n");
	r = metrics(s);
	if (!r)
		return answer_text(c, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "Out of memory.\n");
	s->served++;
	return MHD_queue_response(c, MHD_HTTP_OK, r);
}

/* ---------------------------------------------------------------- the loop */

static void work(struct fg_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &ms) != MHD_YES)
		return;
	if (ms > 1000 * IDLE_SECONDS)
		ms = 1000 * IDLE_SECONDS;
	s->host->timer_set(s->host, &s->timer,
			   s->host->now(s->host) + (int64_t)ms);
}

static void on_work(struct fg_watch *w, uint32_t events)
{
	(void)events;
	work(w->ctx);
}

static void on_timer(struct fg_timer *t, int64_t now)
{
	(void)now;
	work(t->ctx);
}

static void on_accept(struct fg_watch *w, uint32_t events)
{
	struct fg_server *s = w->ctx;
	struct sockaddr_storage from;
	socklen_t len;
	int fd;

	(void)events;
	for (int i = 0; i < 2 * FG_SERVER_CLIENTS; i++) {
		len = sizeof(from);
		fd = accept4(s->listener.fd, (struct sockaddr *)&from, &len,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			/* closes it when there are too many */
			MHD_add_connection(s->daemon, fd,
					   (struct sockaddr *)&from, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			s->host->log(s->host, FG_LOG_WARNING,
				     "%s: cannot accept connections: %s",
				     s->where, strerror(errno));
			s->host->unwatch(s->host, &s->accepting);
			s->host->timer_set(s->host, &s->paused,
					   s->host->now(s->host) + PAUSE_MS);
		}
		break;
	}
	work(s);
}

static void on_unpaused(struct fg_timer *t, int64_t now)
{
	struct fg_server *s = t->ctx;

	if (s->host->watch(s->host, &s->accepting) < 0)
		s->host->timer_set(s->host, &s->paused, now + PAUSE_MS);
}

/* -------------------------------------------------------------------------- */

static FG_PRINTF(2, 0) void on_message(void *ctx, const char *fmt, va_list ap)
{
	struct fg_server *s = ctx;
	char text[256];

	if (!s->host->log_enabled(s->host, FG_LOG_DEBUG))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	s->host->log(s->host, FG_LOG_DEBUG, "%s: %.*s", s->where,
		     (int)strcspn(text, "\n"), text);
}

static int start(struct fg_server *s)
{
	const union MHD_DaemonInfo *info;
	int err;

	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0,
		NULL, NULL, answer, s, MHD_OPTION_EXTERNAL_LOGGER, on_message,
		s, MHD_OPTION_CONNECTION_LIMIT, (unsigned)FG_SERVER_CLIENTS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_SIZE,
		MHD_OPTION_END);
	if (!s->daemon)
		return -ENOMEM;
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -ENOTSUP;
	s->working =
		(struct fg_watch){info->epoll_fd, EPOLLIN, on_work, s, NULL};
	s->accepting =
		(struct fg_watch){s->listener.fd, EPOLLIN, on_accept, s, NULL};
	s->timer.expired = on_timer;
	s->timer.ctx = s;
	s->paused.expired = on_unpaused;
	s->paused.ctx = s;
	err = s->host->watch(s->host, &s->working);
	if (err)
		return err;
	return s->host->watch(s->host, &s->accepting);
}

int fg_server_new(struct fg_server **out, const struct fg_host *host,
		  const char *where, const struct fg_server *other, char *why,
		  size_t size)
{
	struct fg_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s) {
		snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	s->host = host;
	s->where = where;
	s->listener.fd = -1;
	if (other) {
		err = fg_listen_share(&s->listener, &other->listener);
		snprintf(why, size, "%s", strerror(-err));
	} else {
		err = fg_listen_open(&s->listener, where, why, size);
	}
	if (!err) {
		err = start(s);
		if (err)
			snprintf(why, size, "libmicrohttpd: %s",
				 strerror(-err));
	}
	if (err) {
		fg_server_free(s, !other);
		return err;
	}
	*out = s;
	return 0;
}

void fg_server_free(struct fg_server *s, bool last)
{
	if (!s)
		return;
	s->host->unwatch(s->host, &s->accepting);
	s->host->unwatch(s->host, &s->working);
	s->host->timer_cancel(s->host, &s->timer);
	s->host->timer_cancel(s->host, &s->paused);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	if (s->metrics)
		MHD_destroy_response(s->metrics);
	if (s->listener.fd >= 0) {
		if (last)
			fg_listen_remove(&s->listener, s->where);
		close(s->listener.fd);
	}
	free(s);
}

const char *fg_server_where(const struct fg_server *s)
{
	return s->where;
}

uint64_t fg_server_served(const struct fg_server *s)
{
	return s->served;
}
