/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * broker.h - a connection to a broker, in the host's loop: libmosquitto, made
 * to wait for nothing.
 *
 * What may block (looking up the name, reading files) is a job; each address
 * of the name has ten seconds. It is tried again, with the waits of
 * base/backoff, until it is freed. Each connection has a struct mosquitto of
 * its own, so that nothing of the one before is left. libmosquitto takes and
 * gives back memory for every packet, in the loop: that is the library's way.
 *
 * MQTT 5, and 3.1.1 with a broker that says it does not know that: there,
 * published() is not told that the broker let a message fall.
 */
#ifndef FG_MQTT_BROKER_H
#define FG_MQTT_BROKER_H

#include "login.h"

struct fg_broker;

#define FG_BROKER_FILTERS 2

struct fg_broker_setup {
	const struct fg_host *host;
	const struct fg_login *login; /* stays where it is */
	const char *client_id;	      /* NULL: a random one */
	bool keep_session;	      /* what comes meanwhile is kept for us */
	/* subscribed to; up() only when the broker agreed. NULL: none */
	const char *filters[FG_BROKER_FILTERS];
	/* retained on this topic when we are no more (the last will) */
	const char *will_topic;
	const char *will;

	/* from the loop, never from within a call of ours */
	void (*up)(void *ctx);
	/* it was up, or could not come up: a sentence that says what to do */
	void (*down)(void *ctx, const char *why);
	/* the next three may be NULL */
	void (*message)(void *ctx, const char *topic, const char *payload,
			size_t len);
	/* the message of that number is the broker's now (of QoS 1) */
	void (*published)(void *ctx, int mid);
	/* all of that burst was read: the time to write */
	void (*ready)(void *ctx);
	void *ctx;
};

/*
 * Reads the files that login names: 0, or -errno with a sentence in err. It
 * connects after fg_broker_start().
 */
int fg_broker_new(struct fg_broker **out, const struct fg_broker_setup *setup,
		  char *err, size_t len);
void fg_broker_start(struct fg_broker *b);
/*
 * Without a word, so that the broker sends the last will; or, politely, after
 * what was handed to it, as far as that can be written at once. Nothing is
 * told any more.
 */
void fg_broker_free(struct fg_broker *b, bool politely);

bool fg_broker_is_up(const struct fg_broker *b);
/* It is up, and what was handed to it has been written. */
bool fg_broker_takes(const struct fg_broker *b);
/*
 * Not kept beyond the call. retain: the broker gives it to those who come
 * later. lasts: seconds after which the broker may forget it, 0: never. 0 with
 * the message's number, or -errno: -ENOTCONN, -EMSGSIZE, -EIO.
 */
int fg_broker_publish(struct fg_broker *b, const char *topic, const char *text,
		      size_t len, bool retain, uint32_t lasts, int *mid);
/* As if the connection were lost; tried again later. */
void fg_broker_drop(struct fg_broker *b, const char *why);

#endif
