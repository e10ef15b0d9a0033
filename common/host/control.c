/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control.c - the control socket's server side. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "gate.h"

#define CLIENTS_MAX 32
/* Who follows stays for days: the other places are for those who just ask. */
#define FOLLOWERS_MAX 24
#define LINE_BYTES    4096
/* A body in pieces is made this far ahead of what the client has taken. */
#define AHEAD_BYTES   (64u << 10)
#define SILENCE_MS    10000 /* to say something */
#define STANDSTILL_MS 60000 /* to take something */

struct client {
	struct fg_control *control; /* NULL: free */
	struct fg_watch watch;
	struct fg_timer timer;
	struct fg_request request;
	bool asked;    /* the request was read */
	bool complete; /* nothing will be added */
	char head[600];
	size_t head_len;
	size_t sent; /* of head and body */
	size_t line_len;
	char line[LINE_BYTES + 1];
};

struct fg_control {
	struct fg_gate *gate;
	struct sockaddr_un addr;
	struct fg_watch watch;
	struct fg_timer pause; /* out of descriptors: no accept() until then */
	dev_t dev;
	ino_t ino;
	unsigned followers;
	struct client *clients[CLIENTS_MAX];
};

static void drop(struct client *c)
{
	struct fg_control *control = c->control;

	fg_loop_unwatch(control->gate->loop, &c->watch);
	fg_loop_timer_cancel(control->gate->loop, &c->timer);
	close(c->watch.fd);
	if (c->request.follow)
		control->followers--;
	fg_command_end(&c->request);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i] == c)
			control->clients[i] = NULL;
	free(c);
}

static void set_timer(struct client *c, int64_t ms)
{
	struct fg_loop *loop = c->control->gate->loop;

	fg_loop_timer_set(loop, &c->timer, fg_loop_now(loop) + ms);
}

static void timed_out(struct fg_timer *timer, int64_t now)
{
	(void)now;
	drop(timer->ctx);
}

/* ---------------------------------------------------------------- replies */

static ssize_t send_some(struct client *c, const char *text, size_t len)
{
	return send(c->watch.fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Sends what there is; 1: all of it, 0: the client must take some first. */
static int send_ready(struct client *c)
{
	struct fg_reply *body = &c->request.body;
	size_t total = c->head_len + body->len;

	while (c->sent < total) {
		ssize_t n;

		if (c->sent < c->head_len)
			n = send_some(c, c->head + c->sent,
				      c->head_len - c->sent);
		else
			n = send_some(c, body->text + (c->sent - c->head_len),
				      total - c->sent);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		c->sent += (size_t)n;
		set_timer(c, STANDSTILL_MS);
	}
	/* All was taken: the room is free for the next piece. */
	c->sent = c->head_len = body->len = 0;
	if (c->request.follow)
		fg_loop_timer_cancel(c->control->gate->loop, &c->timer);
	return 1;
}

static void begin_reply(struct client *c)
{
	struct fg_request *r = &c->request;

	if (r->body.failed) {
		r->failed = true;
		snprintf(r->error, sizeof(r->error),
			 "the reply is too long for memory");
		fg_reply_fini(&r->body);
	}
	c->head_len = (size_t)snprintf(c->head, sizeof(c->head), "%s%s\n",
				       r->failed ? "error " : "ok",
				       r->failed ? r->error : "");
	c->sent = 0;
}

/* As far as it goes without waiting. */
static void serve(struct client *c)
{
	struct fg_request *r = &c->request;
	uint32_t events = EPOLLIN | EPOLLRDHUP;
	int ret;

	for (;;) {
		ret = send_ready(c);
		if (ret < 0 || (ret && c->complete)) {
			drop(c);
			return;
		}
		if (ret == 0 || !r->more)
			break;
		while (!c->complete && r->body.len < AHEAD_BYTES)
			c->complete = !r->more(r);
		if (r->body.failed) {
			drop(c);
			return;
		}
		/*
		 * One piece a turn: a client that takes all that we make
		 * would keep us from the sources.
		 */
		events |= EPOLLOUT;
		if (send_ready(c) < 0) {
			drop(c);
			return;
		}
		break;
	}
	if (ret == 0)
		events |= EPOLLOUT;
	if (c->watch.events != events) {
		c->watch.events = events;
		fg_loop_watch(c->control->gate->loop, &c->watch);
	}
}

static void run(struct client *c)
{
	struct fg_request *r = &c->request;

	c->asked = true;
	if (!r->failed)
		fg_command_run(r, c->line);
	if (r->wait_reload && !r->failed) {
		fg_loop_timer_cancel(c->control->gate->loop, &c->timer);
		return;
	}
	if (r->follow && !r->failed && c->control->followers == FOLLOWERS_MAX) {
		r->follow = false;
		r->failed = true;
		snprintf(r->error, sizeof(r->error),
			 "busy: %d clients follow already: end one",
			 FOLLOWERS_MAX);
	}
	c->complete = r->failed || (!r->more && !r->follow);
	if (r->follow) {
		c->control->followers++;
		fg_loop_timer_cancel(c->control->gate->loop, &c->timer);
	}
	begin_reply(c);
	serve(c);
}

static void read_line(struct client *c)
{
	ssize_t n = recv(c->watch.fd, c->line + c->line_len,
			 LINE_BYTES - c->line_len, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	end = memchr(c->line + c->line_len, '\n', (size_t)n);
	c->line_len += (size_t)n;
	if (end) {
		*end = '\0';
		if (end > c->line && end[-1] == '\r')
			end[-1] = '\0';
		run(c);
	} else if (c->line_len == LINE_BYTES) {
		c->asked = c->complete = c->request.failed = true;
		snprintf(c->request.error, sizeof(c->request.error),
			 "a request is one line of at most %d bytes",
			 LINE_BYTES);
		begin_reply(c);
		serve(c);
	}
}

static void ready(struct fg_watch *watch, uint32_t events)
{
	struct client *c = watch->ctx;
	char ignored[256];
	ssize_t n;

	if (!c->asked) {
		read_line(c);
		return;
	}
	if (events & (EPOLLHUP | EPOLLERR)) {
		drop(c);
		return;
	}
	if (events & EPOLLIN) {
		/* Nothing more is expected; 0 is a half-close ("nc -N"). */
		n = recv(watch->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
		if (n == 0 && (c->request.follow || c->request.wait_reload)) {
			drop(c);
			return;
		}
		if (n == 0) {
			c->watch.events &= ~(uint32_t)(EPOLLIN | EPOLLRDHUP);
			fg_loop_watch(c->control->gate->loop, &c->watch);
		}
	}
	if (events & EPOLLOUT)
		serve(c);
}

/* ------------------------------------------------------------ who may ask */

/* Is gid one of the groups that the peer's process has? */
static bool peer_in_group(int fd, const struct ucred *peer, gid_t gid)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (peer->gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool peer_may(struct fg_control *control, int fd, char *err, size_t len)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct stat st;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		snprintf(err, len, "who asks is not known: %s",
			 strerror(errno));
		return false;
	}
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	if (lstat(control->addr.sun_path, &st) == 0 &&
	    peer_in_group(fd, &peer, st.st_gid))
		return true;
	snprintf(err, len,
		 "user %u may not ask: only root, flowgated's user and the "
		 "group of the socket may",
		 (unsigned)peer.uid);
	return false;
}

static struct client *new_client(struct fg_control *control, int fd)
{
	struct client *c = NULL;

	for (size_t i = 0; !c && i < CLIENTS_MAX; i++) {
		if (control->clients[i])
			continue;
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
		control->clients[i] = c;
	}
	if (!c)
		return NULL;
	c->control = control;
	c->request.gate = control->gate;
	c->timer.expired = timed_out;
	c->timer.ctx = c;
	c->watch = (struct fg_watch){.fd = fd,
				     .events = EPOLLIN | EPOLLRDHUP,
				     .ready = ready,
				     .ctx = c};
	return c;
}

static void refuse(int fd)
{
	char text[100];
	int n = snprintf(text, sizeof(text),
			 "error busy: %d clients ask already: try again\n",
			 CLIENTS_MAX);

	(void)!send(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void pause_over(struct fg_timer *timer, int64_t now)
{
	struct fg_control *control = timer->ctx;

	(void)now;
	fg_loop_watch(control->gate->loop, &control->watch);
}

static void accept_ready(struct fg_watch *watch, uint32_t events)
{
	struct fg_control *control = watch->ctx;
	struct fg_loop *loop = control->gate->loop;
	struct client *c;
	int fd;

	(void)events;
	fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno != EMFILE && errno != ENFILE && errno != ENOMEM &&
		    errno != ENOBUFS)
			return;
		/* It stays readable: look away, or we would spin. */
		fg_log_say(control->gate->log, FG_LOG_WARNING,
			   "control socket: %s", strerror(errno));
		fg_loop_unwatch(loop, watch);
		fg_loop_timer_set(loop, &control->pause,
				  fg_loop_now(loop) + 1000);
		return;
	}
	c = new_client(control, fd);
	if (!c) {
		refuse(fd);
		return;
	}
	if (fg_loop_watch(loop, &c->watch) < 0) {
		drop(c);
		return;
	}
	set_timer(c, SILENCE_MS);
	/* Told when it has asked: to close before would be "broken pipe". */
	c->request.failed = !peer_may(control, fd, c->request.error,
				      sizeof(c->request.error));
}

/* ---------------------------------------------------- news from the gate */

void fg_control_collect(void *ctx, enum fg_level level, const char *text)
{
	struct fg_control *control = ctx;

	if (!control || level > FG_LOG_NOTICE)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = control->clients[i];

		if (c && c->request.wait_reload) {
			fg_reply_shown(&c->request.body,
				       (struct fg_slice){text,
							 (uint32_t)strlen(text),
							 0});
			fg_reply_printf(&c->request.body, "\n");
		}
	}
}

void fg_control_reloaded(struct fg_control *control, bool ok, const char *text)
{
	for (size_t i = 0; control && i < CLIENTS_MAX; i++) {
		struct client *c = control->clients[i];

		if (!c || !c->request.wait_reload)
			continue;
		c->request.wait_reload = false;
		c->complete = true;
		c->request.failed = !ok;
		if (ok)
			fg_reply_printf(&c->request.body, "%s\n", text);
		else
			snprintf(c->request.error, sizeof(c->request.error),
				 "%s", text);
		set_timer(c, STANDSTILL_MS);
		begin_reply(c);
		serve(c);
	}
}

void fg_control_flow(struct fg_control *control, enum fg_event event,
		     const struct fg_flow *flow, enum fg_reason reason)
{
	if (!control->followers)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = control->clients[i];

		if (!c || !c->request.follow)
			continue;
		if (c->request.body.len > AHEAD_BYTES) {
			c->request.missed++;
			continue;
		}
		fg_command_event(&c->request, event, flow, reason);
		/* Sent by the loop: many events become one write. */
		if (c->request.body.len && !(c->watch.events & EPOLLOUT)) {
			c->watch.events |= EPOLLOUT;
			fg_loop_watch(control->gate->loop, &c->watch);
		}
	}
}

/* ------------------------------------------------------------ new and free */

/* Is anybody at the other end of a socket that is there already? */
static bool alive(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes;

	if (fd < 0)
		return false;
	yes = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
	      errno == EAGAIN;
	close(fd);
	return yes;
}

/* One at a time looks, removes what is stale, and binds. */
static int lock_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0 && tries < 20;
	     tries++)
		usleep(10000);
	return fd;
}

static int bind_socket(struct fg_control *control)
{
	const char *path = control->addr.sun_path;
	int lock = lock_directory(path), ret = 0;
	struct stat st;
	mode_t mask;

	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			ret = -EEXIST;
		else if (alive(&control->addr))
			ret = -EADDRINUSE;
		else
			unlink(path);
	}
	if (ret == 0) {
		/* Never, not even for a moment, open to others. */
		mask = umask(0117);
		if (bind(control->watch.fd, (struct sockaddr *)&control->addr,
			 sizeof(control->addr)) < 0 ||
		    listen(control->watch.fd, 16) < 0)
			ret = -errno;
		umask(mask);
	}
	if (ret == 0 && lstat(path, &st) < 0)
		ret = -errno;
	/* Somebody was quick: what is there now is not ours to give away. */
	if (ret == 0 && !S_ISSOCK(st.st_mode))
		ret = -EEXIST;
	if (ret == 0) {
		control->dev = st.st_dev;
		control->ino = st.st_ino;
	}
	if (lock >= 0)
		close(lock);
	return ret;
}

int fg_control_new(struct fg_control **out, struct fg_gate *g, const char *path,
		   char *err, size_t len)
{
	struct fg_control *control = calloc(1, sizeof(*control));
	int ret = -ENOMEM;

	if (!control)
		return -ENOMEM;
	control->gate = g;
	control->watch.fd = -1;
	control->pause.expired = pause_over;
	control->pause.ctx = control;
	control->addr.sun_family = AF_UNIX;
	ret = -ENAMETOOLONG;
	if (strlen(path) >= sizeof(control->addr.sun_path))
		goto fail;
	strcpy(control->addr.sun_path, path);
	control->watch = (struct fg_watch){
		.fd = socket(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.events = EPOLLIN,
		.ready = accept_ready,
		.ctx = control};
	ret = control->watch.fd < 0 ? -errno : bind_socket(control);
	if (ret == 0)
		ret = fg_loop_watch(g->loop, &control->watch);
	if (ret < 0)
		goto fail;
	*out = control;
	return 0;

fail:
	if (ret == -EADDRINUSE)
		snprintf(err, len,
			 "another flowgated runs with the control socket %s "
			 "(stop it, or use another socket: -S PATH)",
			 path);
	else
		snprintf(err, len,
			 "no control socket at %s: %s (flowgatectl cannot "
			 "reach this flowgated; -S PATH puts it elsewhere)",
			 path,
			 ret == -EEXIST ? "there is a file of that name"
					: strerror(-ret));
	if (control->watch.fd >= 0)
		close(control->watch.fd);
	free(control);
	return ret;
}

int fg_control_chown(struct fg_control *c, uint32_t uid, uint32_t gid)
{
	int fd = open(c->addr.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return -errno;
	/* Not what somebody may have put there meanwhile. */
	if (fstat(fd, &st) < 0 || st.st_dev != c->dev || st.st_ino != c->ino)
		ret = -ESTALE;
	else if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void fg_control_free(struct fg_control *control)
{
	struct stat st;

	if (!control)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i])
			drop(control->clients[i]);
	fg_loop_timer_cancel(control->gate->loop, &control->pause);
	fg_loop_unwatch(control->gate->loop, &control->watch);
	close(control->watch.fd);
	/* Only our own: someone may have put another one there. */
	if (lstat(control->addr.sun_path, &st) == 0 &&
	    st.st_dev == control->dev && st.st_ino == control->ino)
		unlink(control->addr.sun_path);
	free(control);
}
