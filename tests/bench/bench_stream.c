/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd common/flow common/policy common/lease/key.c */
/* LINK: tests/bench/lib/stream.c tests/bench/lib/bare-jsmn.c */
/* LINK: tests/bench/lib/clock.c */
/* LIBS: -lpcre2-8 */
/*
 * bench_stream - what it costs to turn a stream's bytes into memberships,
 * beside what jsmn alone takes to tokenise the same messages.
 *
 * bench_stream [-r ROUNDS] [-m MEGABYTES] [-q] FILE...
 *
 * The files are repeated up to that size. Rounds of all rows are interleaved,
 * and the medians compared: CPU time, one thread, chunks of 64 KiB. -q: only
 * numbers, a line for each row, ns for all bytes in each round.
 *
 * bench_stream -1 ROW [-r ROUNDS] FILE... does one row, for profilers.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/bare-jsmn.h"
#include "lib/clock.h"
#include "lib/stream.h"
#include "policy/membership.h"

#define CHUNK	   65536
#define ROUNDS_MAX 101
#define FLOWS_MAX  (1 << 16)

/* Everything behind the input, with a policy of so many actions. */
struct path {
	struct fg_flow_table *table;
	struct fg_catalog *catalog;
	struct fg_policy *policy;
	struct fg_membership *membership;
	struct fg_generation generation;
	struct fg_target target, *targets[1];
	void *input;
};

struct bench {
	struct stream stream;
	void *input;
	uint64_t got, entered;
};

/* ---------------------------------------------------------------- target */

static void enter(void *target, const struct fg_flow *flow,
		  const struct fg_member *member, enum fg_reason reason)
{
	(void)flow;
	(void)member;
	(void)reason;
	++*(uint64_t *)target;
}

static void leave(void *target, const struct fg_flow *flow,
		  const struct fg_member *member, enum fg_reason reason)
{
	(void)target;
	(void)flow;
	(void)member;
	(void)reason;
}

static bool flush(void *target, int64_t now)
{
	(void)target;
	(void)now;
	return false;
}

static const struct fg_target_type counting = {
	.size = sizeof(counting),
	.name = "counting",
	.enter = enter,
	.leave = leave,
	.flush = flush,
};

/* ------------------------------------------------------------------ path */

static void hear(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	if (level == FG_LOG_ERROR)
		errx(1, "%s", text);
}

static void retired(void *ctx, struct fg_generation *old)
{
	(void)ctx;
	(void)old;
}

/* One action takes what is Netflix; the others, what the stream has not. */
static char *policy_text(unsigned actions)
{
	size_t size = 256 + 96 * (size_t)actions;
	char *text = malloc(size), *p = text;

	if (!text)
		err(1, NULL);
	p += sprintf(p, "{\"targets\":{\"t\":{\"target_type\":\"counting\"}},"
			"\"actions\":{");
	for (unsigned i = 0; i < actions; i++)
		p += sprintf(p,
			     "%s\"a%u\":{\"criteria\":\"ai:%u\","
			     "\"targets\":[\"t\"]}",
			     i ? "," : "", i, i ? 20000 + i : 133);
	sprintf(p, "}}");
	return text;
}

static void on_message(void *source, const struct fg_message *m)
{
	struct path *p = source;

	fg_membership_message(p->membership, 0, 1, m, 1000);
}

static void on_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag)
{
	struct path *p = source;

	fg_catalog_learn(p->catalog, kind, id, tag);
}

static struct path *path_new(struct bench *b, unsigned actions)
{
	const struct fg_flow_limits limits = {.max_flows = FLOWS_MAX,
					      .seed = 1};
	struct fg_host host = stream_deaf_host, *kept;
	const struct fg_report report = {hear, NULL};
	struct fg_membership_setup setup = {.flow_idle_ms = 3600000,
					    .retired = retired};
	struct path *p = calloc(1, sizeof(*p));
	struct fg_settings *settings;
	char *text = policy_text(actions);

	host.message = on_message;
	host.learn = on_learn;
	kept = malloc(sizeof(*kept));
	if (!p || !kept)
		err(1, NULL);
	memcpy(kept, &host, sizeof(host));
	if (fg_flow_table_new(&p->table, &limits) ||
	    fg_catalog_new(&p->catalog, 0, 1) ||
	    fg_settings_parse(&settings, "bench", text, strlen(text), NULL, 0,
			      report) ||
	    fg_policy_new(&p->policy, settings, p->catalog))
		errx(1, "no policy");
	setup.table = p->table;
	setup.catalog = p->catalog;
	p->target = (struct fg_target){
		.name = "t", .type = &counting, .instance = &b->entered};
	p->targets[0] = &p->target;
	p->generation = (struct fg_generation){
		.settings = settings,
		.policy = p->policy,
		.targets = p->targets,
	};
	if (fg_membership_new(&p->membership, &setup) ||
	    fg_membership_configure(p->membership, &p->generation, 0))
		errx(1, "no membership");
	p->input = stream_input(kept, p);
	free(text);
	return p;
}

/* ----------------------------------------------------------------- rows */

static void row_jsmn(struct bench *b, struct path *p)
{
	(void)p;
	b->got += bare_jsmn(&b->stream);
}

static void row_input(struct bench *b, struct path *p)
{
	(void)p;
	stream_feed(&b->stream, b->input, CHUNK);
}

static void row_path(struct bench *b, struct path *p)
{
	stream_feed(&b->stream, p->input, CHUNK);
	fg_membership_flush(p->membership, 1000);
}

static const struct {
	const char *name;
	const char *key;
	unsigned actions; /* 0: no path */
	void (*run)(struct bench *b, struct path *p);
} rows[] = {
	{"bare jsmn", "jsmn", 0, row_jsmn},
	{"frame + message", "input", 0, row_input},
	{"  + flows + policy, 1 action", "path1", 1, row_path},
	{"  + flows + policy, 10 actions", "path10", 10, row_path},
	{"  + flows + policy, 1000 actions", "path1000", 1000, row_path},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static struct path *path_of(struct bench *b, size_t row)
{
	return rows[row].actions ? path_new(b, rows[row].actions) : NULL;
}

static void measure(struct bench *b, int rounds, bool quiet)
{
	static int64_t took[ROWS][ROUNDS_MAX];
	struct path *path[ROWS];
	int64_t floor;

	for (size_t r = 0; r < ROWS; r++)
		path[r] = path_of(b, r);
	/* the first fills flow tables and caches */
	for (int i = -1; i < rounds; i++) {
		for (size_t r = 0; r < ROWS; r++) {
			int64_t start = clock_cpu(0);

			rows[r].run(b, path[r]);
			took[r][i < 0 ? 0 : i] = clock_cpu(0) - start;
		}
	}
	if (!quiet)
		printf("%zu messages, %.1f MB, %d rounds\n", b->stream.count,
		       (double)b->stream.len / 1e6, rounds);
	for (size_t r = 0; quiet && r < ROWS; r++) {
		printf("%s", rows[r].key);
		for (int i = 0; i < rounds; i++)
			printf(" %lld", (long long)took[r][i]);
		puts("");
	}
	floor = clock_quantile(took[0], (size_t)rounds, 0.5);
	for (size_t r = 0; !quiet && r < ROWS; r++) {
		double t = (double)clock_quantile(took[r], (size_t)rounds, 0.5);

		printf("%-34s %8.0f MB/s %8.0f ns/message %6.2f x\n",
		       rows[r].name, (double)b->stream.len / t * 1e3,
		       t / (double)b->stream.count, t / (double)floor);
	}
}

int main(int argc, char **argv)
{
	static struct bench b;
	const char *once = NULL;
	bool quiet = false;
	size_t limit = 16 << 20, size;
	int rounds = 0, opt;
	struct path *p;

	while ((opt = getopt(argc, argv, "r:m:q1:")) != -1) {
		if (opt == 'r')
			rounds = atoi(optarg);
		else if (opt == 'm')
			limit = (size_t)atoi(optarg) << 20;
		else if (opt == 'q')
			quiet = true;
		else if (opt == '1')
			once = optarg;
		else
			return 2;
	}
	if (!rounds)
		rounds = once ? 1 : 11;
	if (rounds < 1 || rounds > ROUNDS_MAX || optind == argc)
		errx(2,
		     "bench_stream [-r 1..%d] [-m MEGABYTES] [-q] [-1 ROW] "
		     "FILE...",
		     ROUNDS_MAX);
	do {
		size = b.stream.len;
		for (int i = optind; i < argc; i++)
			stream_append(&b.stream, argv[i]);
		/* once more, if all fit again */
	} while (!once && 2 * b.stream.len - size <= limit);
	stream_read(&b.stream);
	b.input = stream_input(&stream_deaf_host, NULL);
	for (size_t r = 0; once && r < ROWS; r++) {
		if (strcmp(rows[r].key, once) != 0)
			continue;
		p = path_of(&b, r);
		for (int i = 0; i < rounds; i++)
			rows[r].run(&b, p);
		printf("%zu messages\n", b.stream.count);
		return 0;
	}
	if (once)
		errx(2, "no row \"%s\"", once);
	measure(&b, rounds, quiet);
	return 0;
}
