/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bare-mqtt.c - the floor of tests/bench/fleet: libmosquitto, and nothing done
 * with what it carries. Built by it: cc bare-mqtt.c -lmosquitto
 *
 *	bare-mqtt sub HOST PORT CA USER PASSWORD COUNT
 *		says "up"; after COUNT messages "NS P50 P99": from the first to
 *		the last, and how long they were on their way, in ns
 *	bare-mqtt pub HOST PORT CA USER PASSWORD COUNT RATE FILE
 *		the lines of FILE, again and again, RATE a second (0: as fast
 *		as they are taken)
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#define QUEUED 1000
#define STAMP  20 /* digits before each line */

struct bare {
	size_t count;
	size_t done;
	size_t handed;
	int64_t first;
	int64_t last;
	int64_t *delay;
	bool up;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void on_connect(struct mosquitto *m, void *ctx, int rc)
{
	struct bare *b = ctx;

	if (rc)
		errx(1, "%s", mosquitto_connack_string(rc));
	if (b->delay)
		mosquitto_subscribe(m, NULL, "flowgate/+/+/flows", 1);
	else
		b->up = true;
}

static void on_subscribe(struct mosquitto *m, void *ctx, int mid, int n,
			 const int *qos)
{
	(void)m;
	(void)ctx;
	(void)mid;
	if (n != 1 || qos[0] > 2)
		errx(1, "not subscribed");
	puts("up");
	fflush(stdout);
}

static void on_message(struct mosquitto *m, void *ctx,
		       const struct mosquitto_message *message)
{
	struct bare *b = ctx;

	(void)m;
	b->last = now();
	if (!b->done)
		b->first = b->last;
	b->delay[b->done++] = b->last - strtoll(message->payload, NULL, 10);
}

static void on_publish(struct mosquitto *m, void *ctx, int mid)
{
	struct bare *b = ctx;

	(void)m;
	(void)mid;
	b->done++;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void loop(struct mosquitto *m, int ms)
{
	int rc = mosquitto_loop(m, ms, 1);

	if (rc)
		errx(1, "%s", mosquitto_strerror(rc));
}

static void subscribe(struct mosquitto *m, struct bare *b)
{
	while (b->done < b->count)
		loop(m, 1000);
	qsort(b->delay, b->count, sizeof(*b->delay), by_size);
	printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", b->last - b->first,
	       b->delay[b->count / 2], b->delay[b->count * 99 / 100]);
}

static void publish(struct mosquitto *m, struct bare *b, double rate,
		    const char *path)
{
	FILE *f = fopen(path, "r");
	int64_t start, due;
	char line[65536];
	size_t len;

	if (!f)
		err(1, "%s", path);
	while (!b->up)
		loop(m, 1000);
	start = now();
	while (b->done < b->count) {
		due = rate > 0 ? start + (int64_t)((double)b->handed * 1e9 / rate) :
				 0;
		if (b->handed == b->count || b->handed - b->done >= QUEUED ||
		    now() < due) {
			loop(m, rate > 0 && b->handed < b->count ? 0 : 100);
			continue;
		}
		if (!fgets(line + STAMP, sizeof(line) - STAMP, f)) {
			rewind(f);
			continue;
		}
		len = strcspn(line + STAMP, "\n");
		snprintf(line, STAMP + 1, "%019" PRId64 " ", now());
		/* the NUL has taken the first byte, a brace */
		line[STAMP] = '{';
		if (mosquitto_publish(m, NULL, "flowgate/core/bare/flows",
				      (int)(STAMP + len), line, 1, false))
			errx(1, "not published");
		b->handed++;
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	bool sub = argc == 8 && !strcmp(argv[1], "sub");
	struct bare b = { 0 };
	struct mosquitto *m;

	if (!sub && (argc != 10 || strcmp(argv[1], "pub")))
		errx(1, "see the head of bare-mqtt.c");
	b.count = strtoul(argv[7], NULL, 10);
	if (sub)
		b.delay = calloc(b.count + 65536, sizeof(*b.delay));
	mosquitto_lib_init();
	m = mosquitto_new(NULL, true, &b);
	if (!m || (sub && !b.delay))
		err(1, "no memory");
	mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_username_pw_set(m, argv[5], argv[6]);
	mosquitto_tls_set(m, argv[4], NULL, NULL, NULL, NULL);
	mosquitto_connect_callback_set(m, on_connect);
	mosquitto_subscribe_callback_set(m, on_subscribe);
	mosquitto_message_callback_set(m, on_message);
	mosquitto_publish_callback_set(m, on_publish);
	if (mosquitto_connect(m, argv[2], atoi(argv[3]), 60))
		errx(1, "cannot connect");
	if (sub)
		subscribe(m, &b);
	else
		publish(m, &b, strtod(argv[8], NULL), argv[9]);
	mosquitto_disconnect(m);
	mosquitto_destroy(m);
	free(b.delay);
	return 0;
}
