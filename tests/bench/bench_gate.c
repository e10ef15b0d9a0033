/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd common/flow common/lease tests/bench/lib */
/* LIBS: -lmnl */
/*
 * bench_gate - the agent that flowgated reads from, with a clock; and the same
 * work done bare: bench_gate [OWN-CPU OTHER-CPU]. Told what to do by lines on
 *standard input, answers each with a line of numbers (ns). Used by
 *tests/bench/run.
 *
 *	load NAME FILE...	into memory; messages, bytes, elements
 *	listen PATH		becomes the agent there
 *	client			waits for flowgated to connect: 1, or 0
 *	send NAME		until all is in its socket
 *	pipe COMMAND		likewise, what a command prints; bytes
 *	burst NAME KEYS add|gone PID
 *		sends, until the last elements of KEYS are there, or gone:
 *		wall, CPU of the process
 *	last-burst NAME		sends and ends the stream, until all are there:
 *		wall
 *	end			ends the stream
 *	await KEYS add|gone	wall
 *	paced NAME HZ COUNT	sends new flows, one at a time, each until its
 *		packets are dropped: p50, p90, p99
 *	jsmn NAME		bare: wall
 *	commit KEYS add|gone BATCH
 *		bare: wall
 *	commit-paced KEYS HZ COUNT
 *		bare, as paced
 *	listener 1|0		somebody listens to nftables, or not
 *	sizes			bytes that a flow with its element has to take
 *	wake-paced HZ COUNT	a byte to another process, which sends one back
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

#include "flow/flow.h"
#include "lease/lease.h"
#include "lib/bare-jsmn.h"
#include "lib/clock.h"
#include "lib/bare-kernel.h"
#include "lib/packet.h"
#include "lib/stream.h"

#define STREAMS	   16
#define WORDS	   16
#define CHUNK	   8192 /* as netifyd writes */
#define PACED_MAX  100000
#define PATIENCE_S 120
#define DROPPED_S  20 /* a peer may have to wait for a CPU */
#define POLL_NS	   200000
#define CONNECT_MS 15000
/* Enough that the one who reads never waits for this side to wake up. */
#define SEND_BUFFER (4 << 20)

struct gate {
	struct {
		char name[32];
		struct stream stream;
	} streams[STREAMS];
	size_t stream_count;
	int cpu, other_cpu; /* -1: any */
	int listener, client, raw;
	struct bare *bare;
	struct mnl_socket *monitor; /* NULL: none */
	int64_t took[PACED_MAX];
};

static struct stream *stream_of(struct gate *g, const char *name)
{
	for (size_t i = 0; name && i < g->stream_count; i++)
		if (!strcmp(g->streams[i].name, name))
			return &g->streams[i].stream;
	errx(1, "no stream \"%s\"", name ? name : "");
}

static void do_load(struct gate *g, char **word)
{
	struct stream *s = &g->streams[g->stream_count].stream;

	if (g->stream_count == STREAMS)
		errx(1, "too many streams");
	snprintf(g->streams[g->stream_count++].name, sizeof(g->streams->name),
		 "%s", word[0]);
	for (int i = 1; word[i]; i++)
		stream_append(s, word[i]);
	stream_read(s);
	printf("%zu %zu %zu\n", s->count, s->len, s->v4.count + s->v6.count);
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (cpu >= 0 && sched_setaffinity(0, sizeof(set), &set) < 0)
		err(1, "CPU %d", cpu);
}

/* ----------------------------------------------------------------- agent */

static void do_listen(struct gate *g, char **word)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (g->listener >= 0)
		close(g->listener);
	unlink(word[0]);
	strncpy(addr.sun_path, word[0], sizeof(addr.sun_path) - 1);
	g->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (g->listener < 0 ||
	    bind(g->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(g->listener, 1) < 0)
		err(1, "%s", word[0]);
	puts("0");
}

static void do_client(struct gate *g, char **word)
{
	struct pollfd waiting = {.fd = g->listener, .events = POLLIN};
	int size = SEND_BUFFER;

	(void)word;
	if (g->client >= 0)
		close(g->client);
	g->client = -1;
	if (poll(&waiting, 1, CONNECT_MS) == 1)
		g->client = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);
	if (g->client >= 0)
		setsockopt(g->client, SOL_SOCKET, SO_SNDBUFFORCE, &size,
			   sizeof(size));
	puts(g->client < 0 ? "0" : "1");
}

static void send_all(const struct gate *g, const char *p, size_t len)
{
	while (len) {
		ssize_t n = send(g->client, p, len < CHUNK ? len : CHUNK,
				 MSG_NOSIGNAL);

		if (n < 0)
			err(1, "flowgated");
		p += n;
		len -= (size_t)n;
	}
}

static void do_send(struct gate *g, char **word)
{
	const struct stream *s = stream_of(g, word[0]);

	send_all(g, s->bytes, s->len);
	puts("0");
}

static void do_pipe(struct gate *g, char **word)
{
	char command[4096] = "", buf[65536];
	size_t total = 0, n;
	FILE *f;

	for (; *word; word++) {
		strncat(command, *word, sizeof(command) - strlen(command) - 2);
		strcat(command, " ");
	}
	f = popen(command, "re");
	if (!f)
		err(1, "%s", command);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0) {
		send_all(g, buf, n);
		total += n;
	}
	if (pclose(f))
		errx(1, "%s: failed", command);
	printf("%zu\n", total);
}

/* ---------------------------------------------------------------- bursts */

static bool is_add(const char *word)
{
	if (word && (!strcmp(word, "add") || !strcmp(word, "gone")))
		return *word == 'a';
	errx(1, "add or gone?");
}

/* Elements go in and out in the order of their flows: the last one tells. */
static void await_last(struct gate *g, const char *set, const struct keys *k,
		       bool add, int64_t start)
{
	const struct timespec pause = {0, POLL_NS};

	while (k->count && bare_has(g->bare, set, k, k->count - 1) != add) {
		if (clock_wall() - start > INT64_C(1000000000) * PATIENCE_S)
			errx(1, "the last element of %s did not come", set);
		nanosleep(&pause, NULL);
	}
}

static void await(struct gate *g, const struct stream *s, bool add,
		  int64_t start)
{
	await_last(g, "tuple.v4", &s->v4, add, start);
	await_last(g, "tuple.v6", &s->v6, add, start);
}

static void do_burst(struct gate *g, char **word)
{
	const struct stream *s = stream_of(g, word[0]);
	const struct stream *keys = stream_of(g, word[1]);
	bool add = is_add(word[2]);
	pid_t pid = (pid_t)atoi(word[3]);
	int64_t cpu = clock_cpu(pid), start = clock_wall(), wall;

	send_all(g, s->bytes, s->len);
	await(g, keys, add, start);
	wall = clock_wall() - start;
	printf("%lld %lld\n", (long long)wall, (long long)clock_cpu(pid) - cpu);
}

/* The end of the stream is what some peers wait for. */
static void do_last_burst(struct gate *g, char **word)
{
	const struct stream *s = stream_of(g, word[0]);
	int64_t start = clock_wall();

	send_all(g, s->bytes, s->len);
	shutdown(g->client, SHUT_WR);
	await(g, s, true, start);
	printf("%lld\n", (long long)(clock_wall() - start));
	close(g->client);
	g->client = -1;
}

static void do_end(struct gate *g, char **word)
{
	(void)word;
	if (g->client >= 0)
		close(g->client);
	g->client = -1;
	puts("0");
}

static void do_await(struct gate *g, char **word)
{
	int64_t start = clock_wall();

	await(g, stream_of(g, word[0]), is_add(word[1]), start);
	printf("%lld\n", (long long)(clock_wall() - start));
}

static void do_jsmn(struct gate *g, char **word)
{
	int64_t start = clock_wall();

	bare_jsmn(stream_of(g, word[0]));
	printf("%lld\n", (long long)(clock_wall() - start));
}

static void do_commit(struct gate *g, char **word)
{
	const struct stream *s = stream_of(g, word[0]);
	bool add = is_add(word[1]);
	size_t batch = (size_t)atoi(word[2]);
	int64_t start = clock_wall();

	bare_commit(g->bare, "tuple.v4", &s->v4, 0, s->v4.count, batch, add);
	bare_commit(g->bare, "tuple.v6", &s->v6, 0, s->v6.count, batch, add);
	printf("%lld\n", (long long)(clock_wall() - start));
}

/*
 * The kernel makes notifications as soon as anybody wants them, in whatever
 * namespace, and for any set: to read them would be another matter.
 */
static void do_listener(struct gate *g, char **word)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &none};
	int group = NFNLGRP_NFTABLES;

	if (g->monitor)
		mnl_socket_close(g->monitor);
	g->monitor = NULL;
	if (!atoi(word[0])) {
		puts("0");
		return;
	}
	g->monitor = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!g->monitor || mnl_socket_bind(g->monitor, 0, 0) < 0 ||
	    setsockopt(mnl_socket_get_fd(g->monitor), SOL_SOCKET,
		       SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    mnl_socket_setsockopt(g->monitor, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)) < 0)
		err(1, "listening to nftables");
	puts("1");
}

/* ----------------------------------------------------------------- paced */

static void pace(int64_t at)
{
	struct timespec t = {at / 1000000000, at % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

static void report(struct gate *g, size_t count)
{
	if (!count)
		errx(1, "no new flows");
	printf("%lld %lld %lld\n",
	       (long long)clock_quantile(g->took, count, 0.5),
	       (long long)clock_quantile(g->took, count, 0.9),
	       (long long)clock_quantile(g->took, count, 0.99));
}

/* Its packets pass until they don't. */
static int64_t until_dropped(struct gate *g, const uint8_t *key, int64_t start)
{
	int64_t now;

	do {
		bool dropped = packet_dropped(g->raw, key);

		now = clock_wall();
		if (dropped)
			return now - start;
		sched_yield();
	} while (now - start < INT64_C(1000000000) * DROPPED_S);
	errx(1, "its packets are not dropped");
}

/* How often this CPU was taken away. */
static long switches(void)
{
	struct rusage used;

	getrusage(RUSAGE_THREAD, &used);
	return used.ru_nivcsw;
}

static void do_paced(struct gate *g, char **word)
{
	const struct stream *s = stream_of(g, word[0]);
	int64_t step = 1000000000 / atoi(word[1]), due = clock_wall();
	size_t count = (size_t)atoi(word[2]), n = 0;

	for (size_t i = 0; i < s->count && n < count && n < PACED_MAX; i++) {
		const struct fg_slice *m = &s->message[i];
		int64_t before, start;
		char buf[CHUNK];
		long switched;
		int len;

		if (!s->new_v4[i])
			continue;
		len = snprintf(buf, sizeof(buf), "{\"length\": %u}\n%.*s\n",
			       m->len + 1, (int)m->len, m->ptr);
		due += step;
		pace(due);
		switched = switches();
		before = clock_wall();
		send_all(g, buf, (size_t)len);
		start = clock_wall();
		/*
		 * The last byte is written, unless who was woken by it ran
		 * before the write was over.
		 */
		if (switches() != switched)
			start = before;
		/* where it shares this CPU, it has it now */
		sched_yield();
		g->took[n++] =
			until_dropped(g, s->v4.key[s->new_v4[i] - 1], start);
	}
	report(g, n);
}

static void do_commit_paced(struct gate *g, char **word)
{
	const struct stream *s = stream_of(g, word[0]);
	int64_t step = 1000000000 / atoi(word[1]), due = clock_wall();
	size_t count = (size_t)atoi(word[2]), n = 0;

	for (; n < s->v4.count && n < count && n < PACED_MAX; n++) {
		int64_t start;

		due += step;
		pace(due);
		start = clock_wall();
		bare_commit(g->bare, "tuple.v4", &s->v4, n, 1, 1, true);
		g->took[n] = until_dropped(g, s->v4.key[n], start);
	}
	report(g, n);
}

static void do_wake_paced(struct gate *g, char **word)
{
	int64_t step = 1000000000 / atoi(word[0]), due = clock_wall();
	size_t count = (size_t)atoi(word[1]), n = 0;
	int fd[2];
	char byte = 0;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
		err(1, "socketpair");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		close(fd[0]);
		stay_on(g->other_cpu);
		while (read(fd[1], &byte, 1) == 1)
			(void)!write(fd[1], &byte, 1);
		_exit(0);
	}
	close(fd[1]);
	for (; n < count && n < PACED_MAX; n++) {
		int64_t start;

		due += step;
		pace(due);
		start = clock_wall();
		(void)!write(fd[0], &byte, 1);
		/* awake, as the one who sends packets is */
		while (recv(fd[0], &byte, 1, MSG_DONTWAIT) != 1)
			sched_yield();
		g->took[n] = clock_wall() - start;
	}
	close(fd[0]);
	waitpid(child, NULL, 0);
	report(g, n);
}

/*
 * What the design needs for a flow: its slot and part of the hash table, and
 * the lease of an element. Text that is kept with it (names) comes on top.
 */
static void do_sizes(struct gate *g, char **word)
{
	struct fg_leases_setup setup = {.max = 4096, .key_len = 20};
	struct fg_classes *classes;
	struct fg_leases *leases;

	(void)g;
	(void)word;
	if (fg_classes_new(&classes, 0))
		errx(1, "no classes");
	setup.classes = classes;
	if (fg_leases_new(&leases, &setup))
		errx(1, "no leases");
	printf("%zu\n", fg_flow_size() + fg_lease_size(leases));
	fg_leases_free(leases);
	fg_classes_free(classes);
}

/* -------------------------------------------------------------- commands */

static const struct {
	const char *name;
	int words; /* that it needs */
	void (*run)(struct gate *g, char **word);
} commands[] = {
	{"load", 2, do_load},
	{"listen", 1, do_listen},
	{"client", 0, do_client},
	{"send", 1, do_send},
	{"pipe", 1, do_pipe},
	{"burst", 4, do_burst},
	{"last-burst", 1, do_last_burst},
	{"end", 0, do_end},
	{"await", 2, do_await},
	{"paced", 3, do_paced},
	{"jsmn", 1, do_jsmn},
	{"commit", 3, do_commit},
	{"commit-paced", 3, do_commit_paced},
	{"listener", 1, do_listener},
	{"sizes", 0, do_sizes},
	{"wake-paced", 2, do_wake_paced},
};

static void run(struct gate *g, char *line)
{
	char *word[WORDS + 1] = {NULL};
	int words = 0;

	for (char *w = strtok(line, " \n"); w && words < WORDS;
	     w = strtok(NULL, " \n"))
		word[words++] = w;
	for (size_t i = 0; words && i < sizeof(commands) / sizeof(*commands);
	     i++) {
		if (strcmp(commands[i].name, word[0]) != 0)
			continue;
		if (words - 1 < commands[i].words)
			errx(1, "%s: too few words", word[0]);
		commands[i].run(g, word + 1);
		fflush(stdout);
		return;
	}
	errx(1, "%s?", words ? word[0] : "");
}

int main(int argc, char **argv)
{
	static struct gate g = {.listener = -1, .client = -1};
	char line[4096];

	g.cpu = argc > 2 ? atoi(argv[1]) : -1;
	g.other_cpu = argc > 2 ? atoi(argv[2]) : -1;
	stay_on(g.cpu);
	g.bare = bare_open();
	g.raw = packet_socket();
	while (fgets(line, sizeof(line), stdin))
		run(&g, line);
	return 0;
}
