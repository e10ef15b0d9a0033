/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dpi-agent.c - a stand-in for netifyd for tests and demos.
 *
 * Watches one interface (or reads a capture), has nDPI look into it, and says
 * what it sees on a socket as netifyd v3, v4 or v5 does. It knows a few dozen
 * applications, does no NAT look-up and no DNS hints: it is not a DPI agent
 * for use.
 */
/* LINK: tests/tools/dpi tests/tools/lib */
/* LIBS: -lndpi -lpcap */
#include "dpi/flow.h"
#include "dpi/say.h"
#include "lib/server.h"

#include <err.h>
#include <getopt.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct agent {
	struct tracker_options track;
	struct speaker out;
	struct tracker *tracker;
	struct server *server; /* NULL: standard output */
	pcap_t *pcap;
	unsigned int read_timeout; /* ms; 0: packet by packet */
	unsigned int tick_ms;
	bool dump_established;
	uint64_t now; /* wall ms: the clock's, or a capture's */
};

static const char usage[] =
	"usage: dpi-agent [options] -i INTERFACE URL\n"
	"       dpi-agent [options] -r FILE.pcap [URL]\n"
	"  what it sees, as netifyd says it, on URL (unix:///path or\n"
	"  tcp://address:port), for a capture also on standard output\n"
	"  -p, --protocol N     speak as version 3, 4 (default) or 5\n"
	"  -f, --framing WHAT   length (default), lines, bare\n"
	"  -R, --role ROLE      lan (default) or wan\n"
	"  -N, --nat            on wan: say that flows are masqueraded\n"
	"  -L, --local-net NET  an address or network of the local side; "
	"repeatable\n"
	"                       (default: the interface's own)\n"
	"  -t, --ttl SECONDS    purge closed and idle flows after (30)\n"
	"  -T, --tcp-ttl SECONDS  idle TCP connections (300)\n"
	"  -k, --tick SECONDS   how often counters and purges are said (15)\n"
	"  -o, --read-timeout MS  netifyd's capture delay (0: none)\n"
	"  -e, --established    v3: say live flows again when a client comes\n"
	"  -d, --drift          v5: digests change when details come late\n";

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	stopping = sig;
}

static uint64_t wall(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000;
}

/* ------------------------------------------------------------- what it says */

static void to_all(void *ctx, const char *bytes, size_t len)
{
	struct agent *a = ctx;

	if (a->server)
		server_send(a->server, bytes, len);
	else
		fwrite(bytes, 1, len, stdout);
}

static void to_one(void *ctx, const char *bytes, size_t len)
{
	server_send_to(ctx, bytes, len);
}

static void say_established(void *ctx, struct flow *f)
{
	struct agent *a = ctx;

	say_flow(&a->out, f, true);
}

static void greet(struct server *s, struct server_client *c, void *ctx)
{
	struct agent *a = ctx;
	struct speaker one = a->out;

	(void)s;
	one.write = to_one;
	one.ctx = c;
	if (one.dialect == DIALECT_V5) /* says nothing before its next tick */
		return;
	say_hello(&one);
	say_status(&one, a->now, tracker_count(a->tracker));
	say_definitions(&one);
	if (a->dump_established)
		tracker_each(a->tracker, say_established, a);
}

static void announced(void *ctx, const struct flow *f)
{
	say_flow(&((struct agent *)ctx)->out, f, false);
}

static void updated(void *ctx, const struct flow *f)
{
	say_update(&((struct agent *)ctx)->out, f);
}

static void completed(void *ctx, const struct flow *f)
{
	say_complete(&((struct agent *)ctx)->out, f);
}

static void purged(void *ctx, const struct flow *f, const char *reason)
{
	say_purge(&((struct agent *)ctx)->out, f, reason);
}

static void count_flow(void *ctx, struct flow *f)
{
	struct agent *a = ctx;

	if (f->local_sent.new_packets || f->other_sent.new_packets)
		say_stats(&a->out, f);
	f->local_sent.new_bytes = f->local_sent.new_packets = 0;
	f->other_sent.new_bytes = f->other_sent.new_packets = 0;
}

static void tick(struct agent *a)
{
	tracker_each(a->tracker, count_flow, a);
	tracker_expire(a->tracker, a->now);
	if (a->out.dialect == DIALECT_V5)
		say_hello(&a->out);
	say_status(&a->out, a->now, tracker_count(a->tracker));
}

/* ------------------------------------------------------------ what it sees */

static void on_packet(uint8_t *ctx, const struct pcap_pkthdr *h,
		      const uint8_t *bytes)
{
	struct agent *a = (struct agent *)ctx;
	struct packet p = {0};

	if (!packet_parse(&p, pcap_datalink(a->pcap), bytes, h->caplen))
		return;
	p.at = (uint64_t)h->ts.tv_sec * 1000 + (uint64_t)h->ts.tv_usec / 1000;
	tracker_packet(a->tracker, &p);
}

static void capture_open(struct agent *a, const char *interface)
{
	char errbuf[PCAP_ERRBUF_SIZE];

	a->pcap = pcap_create(interface, errbuf);
	if (!a->pcap)
		errx(1, "%s", errbuf);
	pcap_set_snaplen(a->pcap, 65535);
	pcap_set_timeout(a->pcap, (int)a->read_timeout);
	pcap_set_immediate_mode(a->pcap, !a->read_timeout);
	if (pcap_activate(a->pcap) < 0)
		errx(1, "%s: %s", interface, pcap_geterr(a->pcap));
	pcap_setnonblock(a->pcap, 1, errbuf);
}

static void watch(struct agent *a)
{
	int fd = pcap_get_selectable_fd(a->pcap);
	uint64_t next = wall() + a->tick_ms;

	while (!stopping) {
		a->now = wall();
		if (a->now >= next) {
			tick(a);
			next += a->tick_ms;
			continue;
		}
		server_wait(a->server, fd, (int)(next - a->now));
		pcap_dispatch(a->pcap, -1, on_packet, (uint8_t *)a);
	}
}

static void replay(struct agent *a, const char *path)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const uint8_t *bytes;
	uint64_t next = 0;

	a->pcap = pcap_open_offline(path, errbuf);
	if (!a->pcap)
		errx(1, "%s", errbuf);
	while (!stopping && pcap_next_ex(a->pcap, &h, &bytes) == 1) {
		a->now = (uint64_t)h->ts.tv_sec * 1000 +
			 (uint64_t)h->ts.tv_usec / 1000;
		if (!next) {
			a->out.started = a->now;
			next = a->now + a->tick_ms;
			if (!a->server) {
				say_hello(&a->out);
				say_status(&a->out, a->now, 0);
				say_definitions(&a->out);
			}
		}
		while (a->now >= next) {
			tick(a);
			next += a->tick_ms;
		}
		on_packet((uint8_t *)a, h, bytes);
		if (a->server)
			server_wait(a->server, -1, 0);
	}
}

static const char *mac_of(const char *interface)
{
	static char text[18];
	struct ifreq ifr = {0};
	const unsigned char *m = (const unsigned char *)ifr.ifr_hwaddr.sa_data;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", interface);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		err(1, "%s", interface);
	close(fd);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0],
		 m[1], m[2], m[3], m[4], m[5]);
	return text;
}

/* -------------------------------------------------------------------- main */

static unsigned int seconds(const char *text)
{
	return (unsigned int)(atof(text) * 1000);
}

static void option(struct agent *a, int c, char *arg)
{
	switch (c) {
	case 'p':
		if (strlen(arg) != 1 || *arg < '3' || *arg > '5')
			errx(1, "--protocol %s: 3, 4 or 5", arg);
		a->out.dialect = (enum dialect)(*arg - '0');
		break;
	case 'f':
		a->out.framing = !strcmp(arg, "lines")	? FRAMING_LINES
				 : !strcmp(arg, "bare") ? FRAMING_BARE
							: FRAMING_LENGTH;
		break;
	case 'R':
		a->out.internal = strcmp(arg, "wan") != 0;
		break;
	case 'N':
		a->out.nat = true;
		break;
	case 'L':
		if (!networks_add(&a->track.local, arg))
			errx(1, "--local-net %s: not an address or network",
			     arg);
		break;
	case 't':
		a->track.ttl_ms = seconds(arg);
		break;
	case 'T':
		a->track.tcp_ttl_ms = seconds(arg);
		break;
	case 'k':
		a->tick_ms = seconds(arg);
		break;
	case 'o':
		a->read_timeout = (unsigned int)atoi(arg);
		break;
	case 'e':
		a->dump_established = true;
		break;
	case 'd':
		a->track.drift = true;
		break;
	default:
		fputs(usage, c == 'h' ? stdout : stderr);
		exit(c == 'h' ? 0 : 1);
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"interface", required_argument, NULL, 'i'},
		{"read", required_argument, NULL, 'r'},
		{"protocol", required_argument, NULL, 'p'},
		{"framing", required_argument, NULL, 'f'},
		{"role", required_argument, NULL, 'R'},
		{"nat", no_argument, NULL, 'N'},
		{"local-net", required_argument, NULL, 'L'},
		{"ttl", required_argument, NULL, 't'},
		{"tcp-ttl", required_argument, NULL, 'T'},
		{"tick", required_argument, NULL, 'k'},
		{"read-timeout", required_argument, NULL, 'o'},
		{"established", no_argument, NULL, 'e'},
		{"drift", no_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct agent a = {
		.track = {.ttl_ms = 30000,
			  .tcp_ttl_ms = 300000,
			  .announced = announced,
			  .updated = updated,
			  .completed = completed,
			  .purged = purged},
		.out = {.dialect = DIALECT_V4,
			.internal = true,
			.write = to_all},
		.tick_ms = 15000,
	};
	const char *file = NULL;
	struct sigaction sa = {.sa_handler = on_signal};
	int c;

	while ((c = getopt_long(argc, argv, "i:r:p:f:R:NL:t:T:k:o:edh", longs,
				NULL)) != -1) {
		if (c == 'i')
			a.track.interface = optarg;
		else if (c == 'r')
			file = optarg;
		else
			option(&a, c, optarg);
	}
	if (!a.track.interface == !file || argc - optind > 1 ||
	    (!file && argc == optind) || !a.tick_ms)
		option(&a, 0, NULL);
	a.track.ctx = a.out.ctx = &a;
	a.now = a.out.started = wall();
	if (a.track.interface) {
		a.out.interface = a.track.interface;
		a.out.mac = mac_of(a.track.interface);
		if (!a.track.local.count)
			networks_add_interface(&a.track.local,
					       a.track.interface,
					       !a.out.internal);
		capture_open(&a, a.track.interface);
	}
	a.tracker = tracker_new(&a.track);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (optind < argc)
		a.server = server_open(argv[optind], greet, &a);
	if (file) {
		while (a.server && !server_seen(a.server) && !stopping)
			server_wait(a.server, -1, -1);
		replay(&a, file);
	} else {
		watch(&a);
	}
	tracker_terminate(a.tracker);
	while (a.server && server_clients(a.server) &&
	       server_queued(a.server) && stopping < 2)
		server_wait(a.server, -1, 10);
	if (a.server)
		server_close(a.server);
	tracker_free(a.tracker);
	pcap_close(a.pcap);
	return 0;
}
