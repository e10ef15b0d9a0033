/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * play-agent.c - a stand-in for netifyd that plays a recording on a socket.
 *
 * Everybody who connects gets what the recording begins with (hello, status,
 * definitions), then, at the pace that the messages' own times give, what
 * follows. The clock starts with the first client.
 */
/* LINK: tests/tools/lib */
#include "lib/recording.h"
#include "lib/server.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct player {
	struct recording rec;
	size_t next; /* message to send */
	bool *live;  /* message i announced a flow that is not purged yet */
	bool repeat;
	size_t sent;
};

static const char usage[] =
	"usage: play-agent [options] FILE URL\n"
	"  plays the recording FILE on URL (unix:///path, tcp://address:port)\n"
	"  and ends when all of it is read\n"
	"  -s, --speed N       N times as fast (1); 0: all at once\n"
	"  -l, --loop          again from the first flow, for ever\n"
	"  -H, --hang          at the end keep the connections open, silent\n"
	"  -d, --die-after N   exit after N messages to all, without a word\n"
	"  -r, --repeat        as v3 does for each client that connects: send "
	"the\n"
	"                      live flows again, as established, to everybody\n"
	"  -n, --now           start the clock at once, not with the first "
	"client\n";

/* A flow again, with "established":true where the agent says so (v3, v4). */
static void send_established(struct server *s, const struct recorded *m)
{
	static const char key[] = "\"established\":false";
	const char *at = memmem(m->text.ptr, m->text.len, key, sizeof(key) - 1);
	const char *rest;
	char *out;
	int len;

	if (!at) {
		server_send(s, m->raw.ptr, m->raw.len);
		return;
	}
	rest = at + sizeof(key) - 1;
	/* "true" is a byte shorter than "false"; +1 for the newline */
	len = asprintf(
		&out, "{\"length\": %zu}\n%.*s\"established\":true%.*s\n",
		m->text.len - 1 + 1, (int)(at - m->text.ptr), m->text.ptr,
		(int)(m->text.ptr + m->text.len - rest), rest);
	if (len < 0)
		err(1, NULL);
	server_send(s, out, (size_t)len);
	free(out);
}

static void greet(struct server *s, struct server_client *c, void *ctx)
{
	struct player *p = ctx;

	for (size_t i = 0; i < p->rec.greeting; i++)
		server_send_to(c, p->rec.messages[i].raw.ptr,
			       p->rec.messages[i].raw.len);
	if (p->repeat)
		for (size_t i = 0; i < p->next; i++)
			if (p->live[i])
				send_established(s, &p->rec.messages[i]);
}

static void note(struct player *p, size_t n)
{
	const struct recorded *m = &p->rec.messages[n];

	if (!m->digest.len)
		return;
	/* the latest word on a flow counts, none after its purge */
	for (size_t i = 0; i < n; i++)
		if (p->live[i] &&
		    p->rec.messages[i].digest.len == m->digest.len &&
		    !memcmp(p->rec.messages[i].digest.ptr, m->digest.ptr,
			    m->digest.len) &&
		    (span_is(m->type, "flow") ||
		     span_is(m->type, "flow_purge")))
			p->live[i] = false;
	p->live[n] = span_is(m->type, "flow");
}

static void play(struct player *p, struct server *s, double speed, bool loop,
		 size_t die_after)
{
	const struct recorded *m = p->rec.messages;
	int64_t start = server_now(), from = m[p->rec.greeting].at;

	p->next = p->rec.greeting;
	while (p->next < p->rec.count) {
		int64_t due =
			speed > 0 ? start + (int64_t)((double)(m[p->next].at -
							       from) /
						      speed)
				  : 0;
		int64_t now = server_now();

		if (due > now) {
			server_wait(s, -1, (int)(due - now));
			continue;
		}
		server_send(s, m[p->next].raw.ptr, m[p->next].raw.len);
		if (p->repeat)
			note(p, p->next);
		p->next++;
		if (++p->sent == die_after) {
			/* what was sent leaves, the rest never comes */
			while (server_clients(s) && server_queued(s))
				server_wait(s, -1, 10);
			_exit(0);
		}
		server_wait(s, -1, 0);
		if (loop && p->next == p->rec.count) {
			p->next = p->rec.greeting;
			start = server_now();
		}
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"speed", required_argument, NULL, 's'},
		{"loop", no_argument, NULL, 'l'},
		{"hang", no_argument, NULL, 'H'},
		{"die-after", required_argument, NULL, 'd'},
		{"repeat", no_argument, NULL, 'r'},
		{"now", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct player p = {0};
	struct server *s;
	double speed = 1;
	size_t die_after = 0;
	bool loop = false, hang = false, now = false;
	int c;

	while ((c = getopt_long(argc, argv, "s:lHd:rnh", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			speed = atof(optarg);
			break;
		case 'l':
			loop = true;
			break;
		case 'H':
			hang = true;
			break;
		case 'd':
			die_after = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			p.repeat = true;
			break;
		case 'n':
			now = true;
			break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 1;
		}
	}
	if (argc - optind != 2) {
		fputs(usage, stderr);
		return 1;
	}
	p.rec = recording_load(argv[optind]);
	if (p.rec.greeting == p.rec.count)
		errx(1, "%s: no flows", argv[optind]);
	p.live = calloc(p.rec.count, sizeof(*p.live));
	if (!p.live)
		err(1, NULL);
	s = server_open(argv[optind + 1], greet, &p);
	while (!now && !server_seen(s))
		server_wait(s, -1, -1);
	play(&p, s, speed, loop, die_after);
	while (server_clients(s) && (hang || server_queued(s)))
		server_wait(s, -1, hang ? -1 : 10);
	while (hang)
		server_wait(s, -1, -1);
	server_close(s);
	free(p.live);
	recording_free(&p.rec);
	return 0;
}
