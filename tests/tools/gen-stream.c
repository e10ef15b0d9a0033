/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen-stream.c - multiplies recorded flows to any number of distinct ones.
 *
 * A recorded flow's messages (flow, its updates, flow_stats, flow_purge) are a
 * template; flow n of the output is template n modulo their number, with a
 * digest, addresses and ports of its own. Sizes and mix stay what they were,
 * and the same options and seed give the same bytes.
 */
/* LINK: tests/tools/lib */
#include "lib/recording.h"
#include "lib/server.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 8
#define HOSTS	  62500u /* 10.0.0.2 and on: 250 nets of 250 */
#define PORTS	  50000u /* 10000 and on: always five digits */

/* What is replaced in a message, by its key in flow.* */
enum field {
	DIGEST,
	LOCAL_IP,
	LOCAL_PORT,
	OTHER_IP,
	OTHER_TYPE,
	APPLICATION,
	APPLICATION_NAME,
	UPDATED,
	FIELDS
};

static const char *const keys[] = {
	[DIGEST] = "digest",
	[LOCAL_IP] = "local_ip",
	[LOCAL_PORT] = "local_port",
	[OTHER_IP] = "other_ip",
	[OTHER_TYPE] = "other_type",
	[APPLICATION] = "detected_application",
	[APPLICATION_NAME] = "detected_application_name",
	[UPDATED] = "detection_updated",
};
_Static_assert(sizeof(keys) / sizeof(*keys) == FIELDS, "a key per field");

/* A recorded message, and where in it, in order, the fields are. */
struct part {
	struct span text;
	bool v6;
	size_t count;
	struct slot {
		struct span at;
		enum field field;
	} slots[FIELDS];
};

struct model {
	struct span digest;
	struct part announce[PARTS_MAX]; /* flow, flow_dpi_update, ... */
	size_t announces;
	struct part stats;
	struct part purge;
};

struct options {
	uint64_t flows; /* 0: without end */
	uint64_t first; /* those before were announced by an earlier run */
	uint64_t live;	/* 0: all stay */
	uint64_t burst;
	unsigned int stats;
	unsigned int update; /* percent */
	unsigned int servers;
	double rate;
	double purge_rate; /* flows/s; 0: as fast as they are read */
	uint64_t seed;
	bool purge;
	bool bare;  /* no greeting */
	bool as_is; /* other_type stays */
};

struct generator {
	struct options opt;
	struct model *t;
	size_t count;
	/* where it goes: one of the two */
	FILE *file;
	struct server *server;
	/* one message being made */
	char *buf;
	size_t len, size;
	uint64_t sent;
	uint64_t bytes;
};

static const char usage[] =
	"usage: gen-stream [options] [RECORDING...]\n"
	"  multiplies the flows of the recordings (tests/data/v4.stream)\n"
	"  -f, --flows N      distinct flows (1000); 0: without end\n"
	"  -F, --first N      go on where a run with --flows N ended (0)\n"
	"  -S, --stats N      flow_stats per flow after all are announced (0)\n"
	"  -u, --update PCT   announce this share again, as another "
	"application (0)\n"
	"  -p, --purge        purge them all at the end\n"
	"  -l, --live N       purge the oldest beyond N live ones\n"
	"  -b, --burst N      hold these purges back until N are due (1)\n"
	"  -R, --purge-rate N purges per second in a burst (0: as fast as it can)\n"
	"  -r, --rate N       flows per second (0: as fast as it is read)\n"
	"  -n, --servers N    distinct far addresses (131072)\n"
	"  -s, --seed N       other flows (1)\n"
	"  -B, --bare         flows only: no hello, status, definitions\n"
	"  -k, --keep-type    keep other_type; otherwise \"local\" becomes "
	"\"remote\"\n"
	"  -o, --output FILE  instead of standard output\n"
	"  -U, --serve URL    unix:///path or tcp://address:port: wait for a "
	"client,\n"
	"                     send, report what was sent and the longest "
	"queues\n";

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static struct model *model_of(struct generator *g, struct span digest)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->t[i].digest.len == digest.len &&
		    !memcmp(g->t[i].digest.ptr, digest.ptr, digest.len))
			return &g->t[i];
	return NULL;
}

static int by_place(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return (x->at.ptr > y->at.ptr) - (x->at.ptr < y->at.ptr);
}

static struct part part_of(const struct generator *g, struct span text)
{
	struct part p = {.text = text};

	p.v6 = span_is(recording_value(text, "ip_version", 2), "6");
	for (int f = 0; f < FIELDS; f++) {
		struct span at = recording_value(text, keys[f], 2);

		if (!at.len)
			continue;
		/* without ports (ICMP) addresses tell the flows apart */
		if (f == LOCAL_PORT && span_is(at, "0"))
			continue;
		if (f == OTHER_TYPE && (g->opt.as_is || !span_is(at, "local")))
			continue;
		p.slots[p.count++] = (struct slot){at, (enum field)f};
	}
	qsort(p.slots, p.count, sizeof(*p.slots), by_place);
	return p;
}

static void add_message(struct generator *g, const struct recorded *m)
{
	struct model *t = model_of(g, m->digest);
	struct part p = part_of(g, m->text);

	if (!t && span_is(m->type, "flow")) {
		g->t = realloc(g->t, (g->count + 1) * sizeof(*g->t));
		if (!g->t)
			err(1, NULL);
		t = &g->t[g->count++];
		*t = (struct model){.digest = m->digest};
	}
	if (!t)
		return;
	if (span_is(m->type, "flow_purge"))
		t->purge = p;
	else if (span_is(m->type, "flow_stats"))
		t->stats = p;
	else if (t->announces < PARTS_MAX)
		t->announce[t->announces++] = p;
}

/* A model that was recorded without its end gets that of another. */
static void complete(struct generator *g)
{
	struct part stats = {0}, purge = {0};

	for (size_t i = 0; i < g->count; i++) {
		if (g->t[i].stats.count)
			stats = g->t[i].stats;
		if (g->t[i].purge.count)
			purge = g->t[i].purge;
	}
	for (size_t i = 0; i < g->count; i++) {
		if (!g->t[i].stats.count)
			g->t[i].stats = stats;
		if (!g->t[i].purge.count)
			g->t[i].purge = purge;
	}
	if (!g->count)
		errx(1, "no flows in the recordings");
	if (!purge.count && (g->opt.purge || g->opt.live))
		errx(1, "no flow_purge in the recordings");
}

static void put(struct generator *g, const char *p, size_t len)
{
	if (g->len + len > g->size) {
		g->size = (g->len + len) * 2;
		g->buf = realloc(g->buf, g->size);
		if (!g->buf)
			err(1, NULL);
	}
	memcpy(g->buf + g->len, p, len);
	g->len += len;
}

/* Writes the message that was made, behind its header. */
static void emit(struct generator *g)
{
	char head[32];
	int n;

	put(g, "\n", 1);
	n = snprintf(head, sizeof(head), "{\"length\": %zu}\n", g->len);
	if (g->server) {
		server_send(g->server, head, (size_t)n);
		server_send(g->server, g->buf, g->len);
	} else {
		fwrite(head, 1, (size_t)n, g->file);
		fwrite(g->buf, 1, g->len, g->file);
	}
	g->sent++;
	g->bytes += g->len + (size_t)n;
	g->len = 0;
}

/* What replaces the recorded values in a flow's messages; "" keeps them. */
struct identity {
	char value[FIELDS][128];
};

static void hex64(char *out, uint64_t x)
{
	for (int i = 15; i >= 0; i--, x >>= 4)
		out[i] = "0123456789abcdef"[x & 15];
}

static void identify(const struct generator *g, uint64_t n, bool v6,
		     struct identity *id)
{
	uint64_t seed = mix(g->opt.seed);
	uint64_t h = mix(n ^ seed);
	uint32_t host = (uint32_t)(n % HOSTS);
	uint32_t other = (uint32_t)(h % g->opt.servers);
	/* distinct: a host's ports are a permutation (7919 is prime) */
	uint32_t port =
		(uint32_t)((n / HOSTS * 7919 + mix(host ^ seed)) % PORTS);
	char last[16];

	hex64(last, mix(n));
	hex64(id->value[DIGEST], h);
	hex64(id->value[DIGEST] + 16, mix(h));
	memcpy(id->value[DIGEST] + 32, last, 8);
	id->value[DIGEST][40] = '\0';
	sprintf(id->value[LOCAL_PORT], "%u", 10000 + port);
	strcpy(id->value[OTHER_TYPE], "remote");
	if (v6) {
		sprintf(id->value[LOCAL_IP], "fd00:a::%x", host + 2);
		sprintf(id->value[OTHER_IP], "2001:db8:%x::%x", other >> 16,
			other & 0xffff);
	} else {
		sprintf(id->value[LOCAL_IP], "10.0.%u.%u", host / 250,
			2 + host % 250);
		sprintf(id->value[OTHER_IP], "198.%u.%u.%u",
			18 + (other >> 16 & 1), other >> 8 & 0xff,
			other & 0xff);
	}
	for (int f = APPLICATION; f < FIELDS; f++)
		id->value[f][0] = '\0';
}

/* As if it were detected as what another model was. */
static void reclassify(struct identity *id, const struct model *as)
{
	const struct part *p = &as->announce[0];

	for (size_t i = 0; i < p->count; i++) {
		enum field f = p->slots[i].field;

		if (f == APPLICATION || f == APPLICATION_NAME)
			snprintf(id->value[f], sizeof(id->value[f]), "%.*s",
				 (int)p->slots[i].at.len, p->slots[i].at.ptr);
	}
	strcpy(id->value[UPDATED], "true");
}

static void make(struct generator *g, const struct part *p,
		 const struct identity *id)
{
	const char *from = p->text.ptr;

	for (size_t i = 0; i < p->count; i++) {
		const struct slot *s = &p->slots[i];
		const char *with = id->value[s->field];

		if (!*with)
			continue;
		put(g, from, (size_t)(s->at.ptr - from));
		put(g, with, strlen(with));
		from = s->at.ptr + s->at.len;
	}
	put(g, from, (size_t)(p->text.ptr + p->text.len - from));
	emit(g);
}

static const struct model *at(const struct generator *g, uint64_t n)
{
	return &g->t[n % g->count];
}

/*
 * Writes what is there, every 64 messages. Without a rate, no faster than it
 * is read: the queue is to be the reader's own socket buffer. With one, the
 * queue shows whether the reader keeps up.
 */
static void drain(struct generator *g, uint64_t n)
{
	if (!g->server || n % 64)
		return;
	server_wait(g->server, -1, 0);
	while (g->opt.rate <= 0 && server_clients(g->server) &&
	       server_queued(g->server) >= 1 << 18)
		server_wait(g->server, -1, 10);
}

/* Waits until flow n of so many a second is due. */
static void pace(struct generator *g, uint64_t n, double rate, int64_t start)
{
	int64_t due, now;

	if (!g->server || rate <= 0) {
		drain(g, n);
		return;
	}
	due = start + (int64_t)((double)n * 1000 / rate);
	do {
		now = server_now();
		server_wait(g->server, -1, due > now ? (int)(due - now) : 0);
	} while (due > now);
}

static void purge(struct generator *g, uint64_t from, uint64_t to)
{
	int64_t start = server_now();
	struct identity id;

	for (uint64_t n = from; n < to; n++) {
		identify(g, n, false, &id);
		make(g, &at(g, n)->purge, &id);
		pace(g, n - from, g->opt.purge_rate, start);
	}
}

static void count(struct generator *g, uint64_t from, uint64_t to)
{
	struct identity id;

	for (uint64_t n = from; n < to; n++) {
		if (!at(g, n)->stats.count)
			continue;
		identify(g, n, false, &id);
		make(g, &at(g, n)->stats, &id);
		drain(g, n);
	}
}

static void announce(struct generator *g, uint64_t n)
{
	const struct model *t = at(g, n);
	struct identity id;

	identify(g, n, t->announce[0].v6, &id);
	for (size_t i = 0; i < t->announces; i++)
		make(g, &t->announce[i], &id);
	if (mix(n * 3 + g->opt.seed) % 100 >= g->opt.update)
		return;
	reclassify(&id, at(g, n + 1 + mix(n) % g->count));
	make(g, &t->announce[0], &id);
}

static void generate(struct generator *g)
{
	const struct options *o = &g->opt;
	uint64_t gone = 0, n;
	int64_t start = server_now();

	for (n = o->first; !o->flows || n < o->flows; n++) {
		pace(g, n - o->first, o->rate, start);
		if (g->server && !server_clients(g->server))
			return;
		announce(g, n);
		if (o->live && n + 1 - gone >= o->live + o->burst) {
			int64_t before = server_now();

			purge(g, gone, n + 1 - o->live);
			gone = n + 1 - o->live;
			/* an agent does one thing after the other */
			start += server_now() - before;
		}
	}
	for (unsigned int i = 0; i < o->stats; i++)
		count(g, gone, n);
	if (o->purge)
		purge(g, gone, n);
}

static void greeting(struct generator *g, const struct recording *r)
{
	for (size_t i = 0; i < r->greeting; i++) {
		put(g, r->messages[i].text.ptr, r->messages[i].text.len);
		emit(g);
	}
}

static void report(const struct generator *g, int64_t ms)
{
	struct server_peak peak = server_peak(g->server);

	fprintf(stderr,
		"messages %" PRIu64 " bytes %" PRIu64 " ms %" PRId64
		" queue_max %zu outq_max %zu\n",
		g->sent, g->bytes, ms, peak.queue, peak.kernel);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"flows", required_argument, NULL, 'f'},
		{"first", required_argument, NULL, 'F'},
		{"stats", required_argument, NULL, 'S'},
		{"update", required_argument, NULL, 'u'},
		{"purge", no_argument, NULL, 'p'},
		{"live", required_argument, NULL, 'l'},
		{"burst", required_argument, NULL, 'b'},
		{"rate", required_argument, NULL, 'r'},
		{"purge-rate", required_argument, NULL, 'R'},
		{"servers", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"bare", no_argument, NULL, 'B'},
		{"keep-type", no_argument, NULL, 'k'},
		{"output", required_argument, NULL, 'o'},
		{"serve", required_argument, NULL, 'U'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	static char path[] = "tests/data/v4.stream";
	char *fallback[] = {path};
	struct generator g = {.opt = {.flows = 1000,
				      .burst = 1,
				      .servers = 1 << 17,
				      .seed = 1},
			      .file = stdout};
	struct recording *recs;
	const char *url = NULL;
	int64_t start;
	int c, n;

	while ((c = getopt_long(argc, argv, "f:F:S:u:pl:b:r:R:n:s:Bko:U:h", longs,
				NULL)) != -1) {
		switch (c) {
		case 'f':
			g.opt.flows = strtoull(optarg, NULL, 10);
			break;
		case 'F':
			g.opt.first = strtoull(optarg, NULL, 10);
			break;
		case 'S':
			g.opt.stats = (unsigned int)atoi(optarg);
			break;
		case 'u':
			g.opt.update = (unsigned int)atoi(optarg);
			break;
		case 'p':
			g.opt.purge = true;
			break;
		case 'l':
			g.opt.live = strtoull(optarg, NULL, 10);
			break;
		case 'b':
			g.opt.burst = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			g.opt.rate = atof(optarg);
			break;
		case 'R':
			g.opt.purge_rate = atof(optarg);
			break;
		case 'n':
			g.opt.servers = (unsigned int)atoi(optarg);
			break;
		case 's':
			g.opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'B':
			g.opt.bare = true;
			break;
		case 'k':
			g.opt.as_is = true;
			break;
		case 'o':
			g.file = fopen(optarg, "we");
			if (!g.file)
				err(1, "%s", optarg);
			break;
		case 'U':
			url = optarg;
			break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 1;
		}
	}
	if (!g.opt.servers || !g.opt.burst)
		errx(1, "--servers and --burst: at least 1");
	argv = optind < argc ? argv + optind : fallback;
	n = optind < argc ? argc - optind : 1;
	recs = calloc((size_t)n, sizeof(*recs));
	if (!recs)
		err(1, NULL);
	for (int i = 0; i < n; i++) {
		recs[i] = recording_load(argv[i]);
		for (size_t k = 0; k < recs[i].count; k++)
			if (recs[i].messages[k].digest.len)
				add_message(&g, &recs[i].messages[k]);
	}
	complete(&g);
	if (url) {
		g.server = server_open(url, NULL, NULL);
		while (!server_seen(g.server))
			server_wait(g.server, -1, -1);
	}
	start = server_now();
	if (!g.opt.bare)
		greeting(&g, &recs[0]);
	generate(&g);
	if (g.server) {
		while (server_clients(g.server) && server_queued(g.server))
			server_wait(g.server, -1, 10);
		report(&g, server_now() - start);
		server_close(g.server);
	} else if (fclose(g.file)) {
		err(1, "output");
	}
	for (int i = 0; i < n; i++)
		recording_free(&recs[i]);
	free(recs);
	free(g.t);
	free(g.buf);
	return 0;
}
