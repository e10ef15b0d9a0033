/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd */
/*
 * bench_stream - what it costs to turn a stream's bytes into messages, beside
 * what jsmn alone takes to tokenise the same messages.
 *
 * bench_stream [-r ROUNDS] [-m MEGABYTES] FILE...
 *
 * The files are repeated up to that size. Rounds of all rows are interleaved,
 * and the medians compared: CPU time, one thread, chunks of 64 KiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <flowgate/plugin.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "../../plugins/netifyd/key.h"

#define CHUNK	   65536
#define TOKENS	   (1 << 17)
#define ROUNDS_MAX 101

extern const struct fg_plugin flowgate_plugin_v1;

struct bench {
	char *text;
	size_t len;
	size_t limit;
	/* where the messages are in it */
	struct fg_slice *message;
	size_t messages;
	size_t room;
	size_t bytes; /* of all of them */
	jsmntok_t *tokens;
	uint8_t *node; /* of each token that is an object */
	struct fg_keys *keys;
	void *input;
	bool collect;
	uint64_t got;
	uint64_t skipped;
	uint64_t found;
};

static void on_message(void *source, const struct fg_message *m)
{
	struct bench *b = source;

	b->got++;
	if (!b->collect)
		return;
	if (b->messages == b->room) {
		b->room = b->room ? 2 * b->room : 4096;
		b->message = realloc(b->message, b->room * sizeof(*b->message));
		if (!b->message)
			abort();
	}
	b->message[b->messages++] = m->text;
	b->bytes += m->text.len;
}

static void on_skipped(void *source, const char *why, size_t bytes)
{
	struct bench *b = source;

	(void)why;
	(void)bytes;
	b->skipped++;
}

static void on_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag)
{
	(void)source;
	(void)kind;
	(void)id;
	(void)tag;
}

static void on_interface(void *source, struct fg_slice name,
			 struct fg_slice role)
{
	(void)source;
	(void)name;
	(void)role;
}

static const struct fg_host host = {
	.size = sizeof(host),
	.max_message = 1 << 20,
	.max_tokens = TOKENS,
	.message = on_message,
	.skipped = on_skipped,
	.learn = on_learn,
	.learn_interface = on_interface,
};

/* ----------------------------------------------------------------- rows */

static int tokenise(struct bench *b, size_t i)
{
	jsmn_parser parser;
	int n;

	jsmn_init(&parser);
	n = jsmn_parse(&parser, b->message[i].ptr, b->message[i].len, b->tokens,
		       TOKENS);
	if (n < 1)
		abort();
	return n;
}

static void row_jsmn(struct bench *b)
{
	for (size_t i = 0; i < b->messages; i++)
		tokenise(b, i);
}

/*
 * What a reader on top of jsmn does at the least: finds each key that has a
 * meaning where it is. No value is read.
 */
static void row_look_up(struct bench *b)
{
	for (size_t i = 0; i < b->messages; i++) {
		const char *text = b->message[i].ptr;
		int n = tokenise(b, i);

		b->node[0] = FG_NODE_ROOT;
		for (int t = 1; t + 1 < n; t++) {
			const jsmntok_t *key = &b->tokens[t];
			const struct fg_key *k = NULL;

			if (key->type != JSMN_STRING || key->size != 1)
				continue;
			if (b->node[key->parent] != FG_NODE_NONE)
				k = fg_keys_find(
					b->keys, b->node[key->parent],
					text + key->start,
					(size_t)(key->end - key->start));
			b->node[t + 1] = k ? k->node : FG_NODE_NONE;
			b->found += k != NULL;
		}
	}
}

static void feed(struct bench *b, size_t chunk)
{
	const struct fg_input_type *type = flowgate_plugin_v1.inputs[0];

	for (size_t at = 0, n; at < b->len; at += n) {
		n = b->len - at < chunk ? b->len - at : chunk;
		type->feed(b->input, b->text + at, n);
	}
}

static void row_input(struct bench *b)
{
	feed(b, CHUNK);
}

static const struct {
	const char *name;
	void (*run)(struct bench *b);
} rows[] = {
	{"bare jsmn", row_jsmn},
	{"jsmn, keys looked up", row_look_up},
	{"frame + message", row_input},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int load(struct bench *b, int count, char **files)
{
	size_t once;

	b->text = malloc(b->limit);
	if (!b->text)
		return -1;
	for (int i = 0; i < count; i++) {
		FILE *f = fopen(files[i], "re");

		if (!f) {
			perror(files[i]);
			return -1;
		}
		b->len += fread(b->text + b->len, 1, b->limit - b->len, f);
		fclose(f);
	}
	once = b->len;
	while (once && b->limit - b->len >= once) {
		memcpy(b->text + b->len, b->text, once);
		b->len += once;
	}
	return once ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct fg_input_type *type = flowgate_plugin_v1.inputs[0];
	struct bench b = {.limit = 16 << 20};
	static double took[ROWS][ROUNDS_MAX];
	int rounds = 11, opt;

	while ((opt = getopt(argc, argv, "r:m:")) != -1) {
		if (opt == 'r')
			rounds = atoi(optarg);
		else if (opt == 'm')
			b.limit = (size_t)atoi(optarg) << 20;
		else
			return 2;
	}
	if (rounds < 1 || rounds > ROUNDS_MAX || optind == argc) {
		fprintf(stderr,
			"bench_stream [-r 1..%d] [-m MEGABYTES] FILE...\n",
			ROUNDS_MAX);
		return 2;
	}
	b.tokens = malloc(TOKENS * sizeof(*b.tokens));
	b.node = calloc(TOKENS, 1);
	if (!b.tokens || !b.node || fg_keys_new(&b.keys) < 0 ||
	    load(&b, argc - optind, argv + optind) < 0 ||
	    type->open(&host, &b, "bench", NULL, &b.input) < 0)
		return 1;
	/* all in one piece: the messages stay where they are in the text */
	b.collect = true;
	feed(&b, b.len);
	b.collect = false;
	for (int i = 0; i < rounds; i++) {
		for (size_t r = 0; r < ROWS; r++) {
			double start = cpu();

			rows[r].run(&b);
			took[r][i] = cpu() - start;
		}
	}
	printf("%zu messages, %.1f MB, %llu skipped, %d rounds\n", b.messages,
	       (double)b.len / 1e6, (unsigned long long)b.skipped, rounds);
	for (size_t r = 0; r < ROWS; r++)
		qsort(took[r], (size_t)rounds, sizeof(**took), by_value);
	for (size_t r = 0; r < ROWS; r++) {
		double t = took[r][rounds / 2];

		printf("%-24s %8.0f MB/s %8.0f ns/message %6.2f x\n",
		       rows[r].name, (double)b.len / t / 1e6,
		       t * 1e9 / (double)b.messages, t / took[0][rounds / 2]);
	}
	type->close(b.input);
	free(b.message);
	fg_keys_free(b.keys);
	free(b.node);
	free(b.tokens);
	free(b.text);
	return 0;
}
