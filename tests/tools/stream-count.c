/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd */
/*
 * stream-count - reads recordings through the netifyd input and prints what
 * came out: for each file "== FILE", "type count" for each type, then "learnt",
 * "interfaces", "skipped" (reasons on standard error), and "hash", which tells
 * two sequences of messages apart.
 *
 * stream-count [-c BYTES] FILE...	-c: cut into chunks of so many bytes; 0:
 *					read each file many times, until it was
 *					cut at every byte, and fail if that ever
 *					made a difference
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

extern const struct fg_plugin flowgate_plugin_v1;

#define TYPES_MAX 64

/* Longer than most messages: a cut is then the only one in its message. */
#define APART 2048

struct count {
	char name[64];
	uint64_t n;
};

struct counts {
	struct count type[TYPES_MAX];
	unsigned types;
	uint64_t learnt, interfaces, skipped;
	uint64_t hash;
	bool quiet;
};

static void mix(struct counts *c, const void *p, size_t len)
{
	c->hash = fg_hash(p, len, c->hash);
}

static void on_message(void *source, const struct fg_message *m)
{
	struct counts *c = source;
	unsigned i;

	for (i = 0; i < c->types; i++)
		if (fg_slice_is(m->type_name, c->type[i].name))
			break;
	if (i == c->types && i < TYPES_MAX) {
		snprintf(c->type[i].name, sizeof(c->type[i].name), "%.*s",
			 (int)m->type_name.len, m->type_name.ptr);
		c->types++;
	}
	if (i < TYPES_MAX)
		c->type[i].n++;
	mix(c, m->text.ptr, m->text.len);
	mix(c, m->has, sizeof(m->has));
	mix(c, m->digest, (size_t)m->digest_count * FG_DIGEST_SIZE);
}

static void on_skipped(void *source, const char *why, size_t bytes)
{
	struct counts *c = source;

	c->skipped++;
	mix(c, &bytes, sizeof(bytes));
	if (!c->quiet)
		fprintf(stderr, "skipped %zu: %s\n", bytes, why);
}

static void on_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag)
{
	struct counts *c = source;

	c->learnt++;
	mix(c, &kind, sizeof(kind));
	mix(c, &id, sizeof(id));
	mix(c, tag.ptr, tag.len);
}

static void on_interface(void *source, struct fg_slice name,
			 struct fg_slice role)
{
	struct counts *c = source;

	c->interfaces++;
	mix(c, name.ptr, name.len);
	mix(c, role.ptr, role.len);
}

static void on_log(const struct fg_host *host, enum fg_level level,
		   const char *fmt, ...)
{
	(void)host;
	(void)level;
	fprintf(stderr, "%s\n", fmt);
}

static const struct fg_host host = {
	.size = sizeof(host),
	.max_message = 1 << 20,
	.max_tokens = 1 << 17,
	.log = on_log,
	.message = on_message,
	.skipped = on_skipped,
	.learn = on_learn,
	.learn_interface = on_interface,
};

static const struct fg_input_type *input_type(void)
{
	return flowgate_plugin_v1.inputs[0];
}

/* Read in pieces: first bytes, then chunk bytes each. */
static void read_cut(void *input, struct counts *c, const char *text,
		     size_t len, size_t first, size_t chunk)
{
	bool quiet = c->quiet;

	memset(c, 0, sizeof(*c));
	c->quiet = quiet;
	for (size_t at = 0, n = first; at < len; at += n, n = chunk) {
		if (n > len - at)
			n = len - at;
		input_type()->feed(input, text + at, n);
	}
	input_type()->reset(input);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct count *)a)->name,
		      ((const struct count *)b)->name);
}

static void print(const char *path, struct counts *c)
{
	printf("== %s\n", path);
	qsort(c->type, c->types, sizeof(*c->type), by_name);
	for (unsigned i = 0; i < c->types; i++)
		printf("%s %" PRIu64 "\n", c->type[i].name, c->type[i].n);
	printf("learnt %" PRIu64 "\ninterfaces %" PRIu64 "\n", c->learnt,
	       c->interfaces);
	printf("skipped %" PRIu64 "\nhash %016" PRIx64 "\n", c->skipped,
	       c->hash);
}

static char *load(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	long size = 0;

	if (f && fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (f && size >= 0 && fseek(f, 0, SEEK_SET) == 0)
		text = malloc((size_t)size + 1);
	if (text)
		*len = fread(text, 1, (size_t)size, f);
	else
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (f)
		fclose(f);
	return text;
}

static int count(const char *path, long chunk)
{
	struct counts whole = {.quiet = false}, cut = {.quiet = true};
	void *input;
	size_t len;
	char *text;
	int err = 0;

	text = load(path, &len);
	if (!text)
		return 1;
	if (input_type()->open(&host, &whole, path, NULL, &input) < 0) {
		free(text);
		return 1;
	}
	read_cut(input, &whole, text, len, chunk ? (size_t)chunk : len,
		 chunk ? (size_t)chunk : len);
	input_type()->close(input);
	print(path, &whole);
	if (chunk || input_type()->open(&host, &cut, path, NULL, &input) < 0) {
		free(text);
		return 0;
	}
	for (size_t at = 1; at < len && !err; at++) {
		read_cut(input, &cut, text, len, at, len);
		if (cut.hash != whole.hash) {
			fprintf(stderr,
				"%s: cut at byte %zu, it reads otherwise\n",
				path, at);
			err = 1;
		}
	}
	input_type()->close(input);
	free(text);
	return err;
}

int main(int argc, char **argv)
{
	long chunk = 65536;
	int opt, err = 0;

	while ((opt = getopt(argc, argv, "c:")) != -1) {
		if (opt != 'c')
			return 2;
		chunk = strtol(optarg, NULL, 10);
	}
	for (int i = optind; i < argc && !err; i++)
		err = count(argv[i], chunk);
	return err;
}
