/* SPDX-License-Identifier: GPL-2.0-or-later */
/* broker.c - libmosquitto in the host's loop. */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/ssl.h>

#include "base/backoff.h"
#include "prepare.h"
#include "reason.h"
#include "tls.h"

/* For one address: to connect, to agree on TLS, to be let in. */
#define CONNECT_MS 10000
/* Packets of one turn: other sources and targets want theirs. */
#define TURN_PACKETS 256
/* A connection that lasted so long was worth it. */
#define LASTING_MS 5000
/* Keep-alive is looked at so often. */
#define TICK_MS 1000
/*
 * On their way and not acknowledged, of QoS 1. The broker, too, goes by what we
 * say; with the library's 20, a round trip of 20 ms lets 1,000 a second
 * through.
 */
#define IN_FLIGHT 100

struct fg_broker {
	struct fg_broker_setup setup;
	const struct fg_host *host;
	char client_id[160];
	struct mosquitto *mosq; /* NULL: no connection, and none begun */
	struct fg_watch watch;	/* of a duplicate: the library closes its own */
	struct fg_timer timer;	/* the next try, the end of one, or a tick */
	struct fg_backoff backoff;
	struct fg_prepare *prepare;
	struct addrinfo *addresses, *next;
	struct fg_tls *tls;
	char password[FG_PASSWORD];
	bool up;
	int64_t up_since;
	bool old_protocol; /* this broker does not know MQTT 5 */
	bool reading;	   /* the library calls us back */
	char why[500];	   /* the connection ends because of this, or "" */
	char hint[160];	   /* what the library logged last */
	char denied[200];  /* what may be older than its file, or "" */
};

/* ------------------------------------------------------------- the end of it
 */

static void unwatch(struct fg_broker *b)
{
	if (b->watch.fd < 0)
		return;
	b->host->unwatch(b->host, &b->watch);
	close(b->watch.fd);
	b->watch.fd = -1;
}

static void disconnect(struct fg_broker *b)
{
	unwatch(b);
	if (b->mosq)
		mosquitto_destroy(b->mosq);
	b->mosq = NULL;
	b->up = false;
}

static void free_addresses(struct fg_broker *b)
{
	if (b->addresses)
		freeaddrinfo(b->addresses);
	b->addresses = b->next = NULL;
}

static void try_again(struct fg_broker *b, const char *why)
{
	disconnect(b);
	free_addresses(b);
	b->host->timer_set(b->host, &b->timer,
			   b->host->now(b->host) +
				   fg_backoff_next(&b->backoff));
	b->setup.down(b->setup.ctx, why);
}

static void next_address(struct fg_broker *b, const char *why);

/* Who is not let in, or does not believe, may do so with what was renewed. */
static void add_denied(const struct fg_broker *b, char *why, size_t len)
{
	size_t n = strlen(why);

	if (*b->denied)
		snprintf(why + n, len - n,
			 "; %s, so what was read at the start is used",
			 b->denied);
}

/* The library says rc, and errno may say more. */
static void explain(struct fg_broker *b, int rc, int error, char *why,
		    size_t len)
{
	char certificate[300] = "";

	if (b->tls)
		fg_tls_why(b->tls, certificate, sizeof(certificate));
	if (*b->why)
		snprintf(why, len, "%s", b->why);
	else
		fg_reason_lost(&(struct fg_loss){.rc = rc,
						 .error = error,
						 .was_up = b->up,
						 .tls = b->tls != NULL,
						 .certificate = certificate,
						 .hint = b->hint},
			       why, len);
	if (*certificate)
		add_denied(b, why, len);
	b->why[0] = b->hint[0] = '\0';
}

static void lost(struct fg_broker *b, int rc, int error)
{
	char why[sizeof(b->why)];

	explain(b, rc, error, why, sizeof(why));
	/* one that lets us in only to throw us out is none to hurry for */
	if (b->up && b->host->now(b->host) - b->up_since >= LASTING_MS)
		fg_backoff_reset(&b->backoff);
	disconnect(b);
	next_address(b, why);
}

/* ------------------------------------------------- what the library calls */

static void on_connect(struct mosquitto *mosq, void *ctx, int code, int flags,
		       const mosquitto_property *props)
{
	struct fg_broker *b = ctx;
	char *filters[FG_BROKER_FILTERS];
	int n = 0;

	(void)mosq;
	(void)flags;
	(void)props;
	if (code) {
		fg_reason_refused(code, b->why, sizeof(b->why));
		add_denied(b, b->why, sizeof(b->why));
		if (!b->old_protocol &&
		    code == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION)
			b->old_protocol = true;
		return;
	}
	for (int i = 0; i < FG_BROKER_FILTERS; i++)
		if (b->setup.filters[i])
			filters[n++] = (char *)(uintptr_t)b->setup.filters[i];
	if (!n)
		b->up = true;
	else if (mosquitto_subscribe_multiple(b->mosq, NULL, n, filters,
					      b->setup.login->qos, 0, NULL))
		snprintf(b->why, sizeof(b->why),
			 "subscribing to \"%s\" is not possible",
			 b->setup.filters[0]);
}

static void on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int count,
			 const int *granted, const mosquitto_property *props)
{
	struct fg_broker *b = ctx;

	(void)mosq;
	(void)mid;
	(void)props;
	for (int i = 0, n = 0; i < FG_BROKER_FILTERS && n < count; i++) {
		if (!b->setup.filters[i])
			continue;
		if (granted[n++] < 0x80)
			continue;
		snprintf(b->why, sizeof(b->why),
			 "the broker does not let it read \"%s\": the right "
			 "to is missing there (an ACL)",
			 b->setup.filters[i]);
		return;
	}
	b->up = true;
}

static void on_disconnect(struct mosquitto *mosq, void *ctx, int code,
			  const mosquitto_property *props)
{
	struct fg_broker *b = ctx;

	(void)mosq;
	(void)props;
	/* from 0x80 on: the broker's own words, of MQTT 5 */
	if (code >= 0x80 && !*b->why)
		fg_reason_refused(code, b->why, sizeof(b->why));
}

static void on_message(struct mosquitto *mosq, void *ctx,
		       const struct mosquitto_message *m)
{
	struct fg_broker *b = ctx;

	(void)mosq;
	b->setup.message(b->setup.ctx, m->topic, m->payload,
			 (size_t)m->payloadlen);
}

static void on_publish(struct mosquitto *mosq, void *ctx, int mid, int code,
		       const mosquitto_property *props)
{
	struct fg_broker *b = ctx;

	(void)mosq;
	(void)props;
	if (code >= 0x80 && !*b->why)
		fg_reason_unpublished(code, b->why, sizeof(b->why));
	else
		b->setup.published(b->setup.ctx, mid);
}

static void on_log(struct mosquitto *mosq, void *ctx, int level,
		   const char *text)
{
	struct fg_broker *b = ctx;

	(void)mosq;
	if (level == MOSQ_LOG_ERR || level == MOSQ_LOG_WARNING)
		snprintf(b->hint, sizeof(b->hint), "%s", text);
}

/* --------------------------------------------------------------- the loop */

/*
 * What the library waits for. Until TLS is agreed on it always has something
 * to write, but can't before the other side has spoken.
 */
static uint32_t wanted(const struct fg_broker *b)
{
	SSL *ssl = mosquitto_ssl_get(b->mosq);
	bool write = mosquitto_want_write(b->mosq);

	if (ssl && SSL_in_init(ssl))
		write = !SSL_want_read(ssl);
	/* what TLS has read ahead does not wake us, so this must */
	if (ssl && SSL_pending(ssl))
		write = true;
	return EPOLLIN | (write ? (uint32_t)EPOLLOUT : 0);
}

static void settle(struct fg_broker *b)
{
	uint32_t events = wanted(b);

	if (b->watch.events == events)
		return;
	b->watch.events = events;
	b->host->watch(b->host, &b->watch);
}

/* 0, or what the library said; *error is errno. */
static int read_some(struct fg_broker *b, int *error)
{
	int rc = MOSQ_ERR_SUCCESS;

	for (int i = 0; i < TURN_PACKETS && !rc && !*b->why; i++) {
		errno = 0;
		rc = mosquitto_loop_read(b->mosq, 1);
		*error = errno;
		if (mosquitto_socket(b->mosq) < 0 && !rc)
			rc = MOSQ_ERR_CONN_LOST;
		/* and what it makes nothing of, while it shakes hands */
		if (*error == EAGAIN || (*error && !b->up))
			break;
	}
	return rc;
}

static int write_some(struct fg_broker *b, int *error)
{
	int rc;

	errno = 0;
	rc = mosquitto_loop_write(b->mosq, 1);
	*error = errno;
	if (mosquitto_socket(b->mosq) < 0 && !rc)
		rc = MOSQ_ERR_CONN_LOST;
	return rc;
}

static void became_up(struct fg_broker *b)
{
	b->hint[0] = '\0';
	b->up_since = b->host->now(b->host);
	free_addresses(b);
	b->host->timer_set(b->host, &b->timer, b->host->now(b->host) + TICK_MS);
	b->setup.up(b->setup.ctx);
}

/*
 * 0, or why there is nobody to talk to: with TLS, the library passes over that.
 * What was reset may have said something before.
 */
static int failed_to_connect(const struct fg_broker *b)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(b->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error == ECONNRESET || error == EPIPE ? 0 : error;
}

static void ready(struct fg_watch *watch, uint32_t events)
{
	struct fg_broker *b = watch->ctx;
	bool was_up = b->up;
	int rc = 0, error = 0;

	if (!b->up && events & EPOLLERR)
		error = failed_to_connect(b);
	if (error) {
		lost(b, MOSQ_ERR_ERRNO, error);
		return;
	}
	b->reading = true;
	if (events & ~(uint32_t)EPOLLOUT ||
	    (mosquitto_ssl_get(b->mosq) &&
	     SSL_pending(mosquitto_ssl_get(b->mosq))))
		rc = read_some(b, &error);
	if (!rc && !*b->why && mosquitto_want_write(b->mosq))
		rc = write_some(b, &error);
	b->reading = false;
	if (!rc && !b->up && events & EPOLLHUP) {
		rc = MOSQ_ERR_ERRNO;
		error = ECONNRESET;
	}
	if (rc || *b->why) {
		b->up = was_up;
		lost(b, rc, error);
		return;
	}
	if (b->up && !was_up)
		became_up(b);
	if (b->up && b->setup.ready)
		b->setup.ready(b->setup.ctx);
	if (b->mosq)
		settle(b);
}

/* ------------------------------------------------------------- connecting */

static struct mosquitto *make(struct fg_broker *b)
{
	const struct fg_login *l = b->setup.login;
	bool v5 = !b->old_protocol && !b->setup.keep_session;
	struct mosquitto *m =
		mosquitto_new(b->client_id, !b->setup.keep_session, b);

	if (!m)
		return NULL;
	/*
	 * A session that outlives its connection is, in MQTT 5, asked for by a
	 * property, which this library can't send when it does not block.
	 */
	mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION,
			     v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, IN_FLIGHT);
	mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, IN_FLIGHT);
	if (l->username)
		mosquitto_username_pw_set(m, l->username,
					  *b->password ? b->password : NULL);
	if (b->tls) {
		mosquitto_void_option(m, MOSQ_OPT_SSL_CTX,
				      fg_tls_context(b->tls));
		mosquitto_int_option(m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
	}
	if (b->setup.will)
		mosquitto_will_set(m, b->setup.will_topic,
				   (int)strlen(b->setup.will), b->setup.will, 1,
				   true);
	mosquitto_connect_v5_callback_set(m, on_connect);
	mosquitto_subscribe_v5_callback_set(m, on_subscribe);
	mosquitto_disconnect_v5_callback_set(m, on_disconnect);
	if (b->setup.message)
		mosquitto_message_callback_set(m, on_message);
	if (l->qos && b->setup.published)
		mosquitto_publish_v5_callback_set(m, on_publish);
	mosquitto_log_callback_set(m, on_log);
	return m;
}

/* 0: under way. Else why not, in why. */
static int begin(struct fg_broker *b, const struct addrinfo *a, char *why,
		 size_t len)
{
	char address[NI_MAXHOST];
	int rc;

	snprintf(why, len, "out of memory");
	if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address),
			NULL, 0, NI_NUMERICHOST))
		return -EINVAL;
	b->mosq = make(b);
	if (!b->mosq)
		return -ENOMEM;
	errno = 0;
	rc = mosquitto_connect_async(b->mosq, address, b->setup.login->port,
				     b->setup.login->keepalive);
	/* with TLS, the latter is as good as the former */
	if (rc || errno == ECONNREFUSED) {
		explain(b, rc, errno, why, len);
		return -EIO;
	}
	b->watch.fd = fcntl(mosquitto_socket(b->mosq), F_DUPFD_CLOEXEC, 0);
	b->watch.events = wanted(b);
	if (b->watch.fd >= 0 && b->host->watch(b->host, &b->watch) == 0)
		return 0;
	return -ENOMEM;
}

/* why: the one before did not do. */
static void next_address(struct fg_broker *b, const char *why)
{
	char text[sizeof(b->why)];

	snprintf(text, sizeof(text), "%s", why);
	while (b->next) {
		struct addrinfo *a = b->next;

		b->next = a->ai_next;
		if (begin(b, a, text, sizeof(text)) == 0) {
			b->host->timer_set(b->host, &b->timer,
					   b->host->now(b->host) + CONNECT_MS);
			return;
		}
		disconnect(b);
	}
	try_again(b, text);
}

/* What the job has found; of what it could not read, what there was goes on. */
static void prepared(void *ctx, struct fg_prepared *p)
{
	struct fg_broker *b = ctx;

	if (*p->warning)
		b->host->log(b->host, FG_LOG_WARNING,
			     "%s: %s; what was read before is used",
			     b->setup.login->url, p->warning);
	if (p->tls) {
		fg_tls_free(b->tls);
		b->tls = p->tls;
		p->tls = NULL;
	}
	snprintf(b->denied, sizeof(b->denied), "%.199s", p->denied);
	if (p->has_password)
		memcpy(b->password, p->password, sizeof(b->password));
	if (!p->addresses) {
		try_again(b, p->error);
		return;
	}
	free_addresses(b);
	b->addresses = b->next = p->addresses;
	p->addresses = NULL;
	next_address(b, "it has no address");
}

static void expired(struct fg_timer *timer, int64_t now)
{
	struct fg_broker *b = timer->ctx;
	int rc;

	if (!b->mosq) {
		/* busy: the last look-up is not back yet */
		if (fg_prepare_start(b->prepare) < 0)
			try_again(b, "its name is still being looked up");
		return;
	}
	if (!b->up) {
		snprintf(b->why, sizeof(b->why), "no answer in %d s",
			 CONNECT_MS / 1000);
		lost(b, MOSQ_ERR_CONN_LOST, ETIMEDOUT);
		return;
	}
	b->host->timer_set(b->host, &b->timer, now + TICK_MS);
	rc = mosquitto_loop_misc(b->mosq);
	if (rc || *b->why)
		lost(b, rc, errno);
	else if (mosquitto_socket(b->mosq) < 0)
		lost(b, MOSQ_ERR_KEEPALIVE, 0);
	else
		settle(b);
}

/* ------------------------------------------------------------- publishing */

bool fg_broker_is_up(const struct fg_broker *b)
{
	return b->up && !*b->why;
}

bool fg_broker_takes(const struct fg_broker *b)
{
	return fg_broker_is_up(b) && !mosquitto_want_write(b->mosq);
}

int fg_broker_publish(struct fg_broker *b, const char *topic, const char *text,
		      size_t len, bool retain, uint32_t lasts, int *mid)
{
	mosquitto_property *props = NULL;
	int rc;

	if (!fg_broker_is_up(b))
		return -ENOTCONN;
	if (lasts && !b->old_protocol)
		mosquitto_property_add_int32(
			&props, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, lasts);
	rc = mosquitto_publish_v5(b->mosq, mid, topic, (int)len, text,
				  b->setup.login->qos, retain, props);
	mosquitto_property_free_all(&props);
	if (rc == MOSQ_ERR_PAYLOAD_SIZE || rc == MOSQ_ERR_OVERSIZE_PACKET)
		return -EMSGSIZE;
	if (rc && rc != MOSQ_ERR_NO_CONN && rc != MOSQ_ERR_CONN_LOST)
		return -EIO;
	if (rc)
		return -ENOTCONN;
	if (!b->reading)
		settle(b);
	return 0;
}

void fg_broker_drop(struct fg_broker *b, const char *why)
{
	if (!b->mosq || *b->why)
		return;
	snprintf(b->why, sizeof(b->why), "%s", why);
	if (!b->reading)
		lost(b, MOSQ_ERR_CONN_LOST, 0);
}

/* ---------------------------------------------------------- new and free */

static void name_client(struct fg_broker *b)
{
	char machine[64] = "";
	uint32_t chance = 0;

	if (b->setup.client_id) {
		snprintf(b->client_id, sizeof(b->client_id), "%s",
			 b->setup.client_id);
		return;
	}
	gethostname(machine, sizeof(machine) - 1);
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = (uint32_t)getpid();
	snprintf(b->client_id, sizeof(b->client_id), "flowgate-%s-%08x",
		 machine, chance);
}

int fg_broker_new(struct fg_broker **out, const struct fg_broker_setup *setup,
		  char *err, size_t len)
{
	struct fg_broker *b = calloc(1, sizeof(*b));
	uint64_t seed;
	int ret;

	if (!b) {
		snprintf(err, len, "out of memory");
		return -ENOMEM;
	}
	mosquitto_lib_init();
	b->setup = *setup;
	b->host = setup->host;
	b->watch.fd = -1;
	b->watch.ready = ready;
	b->watch.ctx = b;
	b->timer.expired = expired;
	b->timer.ctx = b;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0 || seed == 0)
		seed = (uint64_t)getpid() << 16 | 1;
	fg_backoff_init(&b->backoff, seed);
	name_client(b);
	if (setup->login->password_file) {
		ret = fg_password_read(setup->login->password_file, b->password,
				       err, len);
		if (ret < 0)
			goto fail;
	}
	if (setup->login->tls) {
		ret = fg_tls_new(&b->tls, setup->login, err, len);
		if (ret < 0)
			goto fail;
	}
	ret = fg_prepare_new(&b->prepare, b->host, setup->login, prepared, b);
	if (ret < 0) {
		snprintf(err, len, "out of memory");
		goto fail;
	}
	*out = b;
	return 0;

fail:
	fg_broker_free(b, false);
	return ret;
}

void fg_broker_start(struct fg_broker *b)
{
	b->host->timer_set(b->host, &b->timer, b->host->now(b->host));
}

void fg_broker_free(struct fg_broker *b, bool politely)
{
	if (!b)
		return;
	b->host->timer_cancel(b->host, &b->timer);
	unwatch(b);
	if (b->mosq) {
		mosquitto_message_callback_set(b->mosq, NULL);
		mosquitto_publish_v5_callback_set(b->mosq, NULL);
		if (politely && b->up)
			mosquitto_disconnect(b->mosq);
	}
	disconnect(b);
	free_addresses(b);
	fg_prepare_free(b->prepare);
	fg_tls_free(b->tls);
	explicit_bzero(b->password, sizeof(b->password));
	free(b);
	mosquitto_lib_cleanup();
}
