/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flow_recordings.c - what real agents said, through the input into the
 * flow table: after each message the flow is what the message says, and the
 * counters are what a plain sum over the ticks gives.
 */
/* LINK: common/flow plugins/netifyd */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/netifyd/frame.h"
#include "../../plugins/netifyd/message.h"
#include "base/text.h"
#include "flow/flow.h"

#define FLOWS_MAX 4096

/* The sums, made without the table. */
struct sums {
	uint8_t digest[FG_DIGEST_SIZE];
	uint64_t local, other; /* of the ticks that are over */
	bool announced;
	bool mixed;
};

struct recording {
	struct fg_reader *reader;
	struct fg_flow_table *table;
	struct sums sums[FLOWS_MAX];
	size_t count;
	unsigned flows, ticks, updates, purges, divided;
};

static struct sums *sums_of(struct recording *r, const struct fg_message *m)
{
	for (size_t i = 0; i < r->count; i++)
		if (memcmp(r->sums[i].digest, m->digest[0], FG_DIGEST_SIZE) ==
		    0)
			return &r->sums[i];
	assert_true(r->count < FLOWS_MAX);
	memcpy(r->sums[r->count].digest, m->digest[0], FG_DIGEST_SIZE);
	return &r->sums[r->count++];
}

static bool tick(const struct fg_message *m)
{
	return m->type == FG_MESSAGE_FLOW_STATS ||
	       m->type == FG_MESSAGE_FLOW_PURGE;
}

static void check_counters(struct recording *r, struct sums *s,
			   const struct fg_flow *f, const struct fg_message *m)
{
	uint64_t local, other;

	if (!fg_message_has(m, FG_ATTR_TOTAL_BYTES))
		return;
	local = m->value[FG_ATTR_LOCAL_BYTES].u;
	other = m->value[FG_ATTR_OTHER_BYTES].u;
	assert_int_equal(f->local_bytes + f->other_bytes,
			 m->value[FG_ATTR_TOTAL_BYTES].u);
	/* v3 keeps its ticks to itself: no telling which side sent what; nor
	 * is there between two ticks but in the first */
	if (!tick(m) && s->local + s->other)
		s->mixed = true;
	if (!s->mixed && s->local + s->other + local + other ==
				 m->value[FG_ATTR_TOTAL_BYTES].u) {
		assert_int_equal(f->local_bytes, s->local + local);
		assert_int_equal(f->other_bytes, s->other + other);
		r->divided++;
	}
	assert_int_equal(f->local_packets + f->other_packets,
			 m->value[FG_ATTR_TOTAL_PACKETS].u);
	r->updates += m->type == FG_MESSAGE_FLOW_DPI_UPDATE;
	if (m->type == FG_MESSAGE_FLOW_STATS) {
		s->local += local;
		s->other += other;
		r->ticks++;
	}
}

/* Everything that m says is to be had from the flow, as it says it. */
static void check_said(struct recording *r, const struct fg_flow *f,
		       const struct fg_message *m)
{
	static const enum fg_attr numbers[] = {
		FG_ATTR_APPLICATION,  FG_ATTR_PROTOCOL,
		FG_ATTR_OTHER_PORT,   FG_ATTR_IP_PROTOCOL,
		FG_ATTR_IP_VERSION,   FG_ATTR_LOCAL_ORIGIN,
		FG_ATTR_INTERNAL,     FG_ATTR_CAT_APPLICATION,
		FG_ATTR_CAT_PROTOCOL, FG_ATTR_FIRST_SEEN,
		FG_ATTR_LAST_SEEN,    FG_ATTR_RISK_SCORE,
		FG_ATTR_TLS_VERSION,  FG_ATTR_TCP_RESETS,
	};
	static const enum fg_attr texts[] = {
		FG_ATTR_INTERFACE, FG_ATTR_HOST_SERVER_NAME,
		FG_ATTR_TLS_SNI,   FG_ATTR_HTTP_URL,
		FG_ATTR_RISKS,	   FG_ATTR_DHCP_CLASS_IDENT,
	};
	static char text[4096];
	union fg_value v;
	size_t len;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!fg_message_has(m, numbers[i]))
			continue;
		if (!fg_flow_get(r->table, f, numbers[i], &v) ||
		    v.u != m->value[numbers[i]].u)
			fail_msg("attribute %d: %llu, not %llu", numbers[i],
				 (unsigned long long)v.u,
				 (unsigned long long)m->value[numbers[i]].u);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!fg_message_has(m, texts[i]))
			continue;
		assert_true(fg_flow_get(r->table, f, texts[i], &v));
		len = fg_text_decode(m->value[texts[i]].text, text,
				     sizeof(text));
		assert_int_equal(v.text.len, len);
		assert_memory_equal(v.text.ptr, text, len);
	}
}

static int object(void *ctx, const char *text, size_t len)
{
	struct recording *r = ctx;
	const struct fg_message *m;
	struct fg_flow *f;
	struct sums *s;

	assert_int_equal(fg_message_read(r->reader, text, len, &m), 0);
	if (!m->digest_count)
		return 0;
	s = sums_of(r, m);
	f = fg_flow_find(r->table, 0, m->digest[0]);
	assert_int_equal(f != NULL, s->announced);
	if (!f && m->type != FG_MESSAGE_FLOW)
		return 0; /* of before we listened, or renamed */
	if (!f) {
		f = fg_flow_insert(r->table, 0, m->digest[0]);
		assert_non_null(f);
		s->announced = true;
	}
	r->flows += m->type == FG_MESSAGE_FLOW;
	fg_flow_update(r->table, f, m, NULL);
	check_said(r, f, m);
	check_counters(r, s, f, m);
	/* told again, nothing is counted again */
	assert_int_equal(fg_flow_update(r->table, f, m, NULL), 0);
	if (m->type == FG_MESSAGE_FLOW_PURGE) {
		fg_flow_remove(r->table, f);
		memset(&s->local, 0, sizeof(*s) - offsetof(struct sums, local));
		r->purges++;
	}
	return 0;
}

static void skipped(void *ctx, const char *why, size_t bytes)
{
	(void)ctx;
	fail_msg("%zu bytes skipped: %s", bytes, why);
}

static void play(struct recording *r, const char *dir, const char *name)
{
	const struct fg_flow_limits limits = {.max_flows = FLOWS_MAX,
					      .seed = 1};
	struct fg_frame_sink sink = {object, skipped, r};
	struct fg_frame *frame;
	char path[512], bytes[8192];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	r->count = 0;
	memset(r->sums, 0, sizeof(r->sums));
	assert_int_equal(fg_flow_table_new(&r->table, &limits), 0);
	assert_int_equal(fg_reader_new(&r->reader, 131072), 0);
	assert_int_equal(fg_frame_new(&frame, 1 << 20, &sink), 0);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		fg_frame_feed(frame, bytes, n);
	fg_frame_end(frame);
	fg_frame_free(frame);
	fg_reader_free(r->reader);
	fg_flow_table_free(r->table);
	fclose(file);
}

static void play_all(const char *dir, struct recording *r)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".stream"))
			play(r, dir, e->d_name);
	closedir(d);
}

static struct recording recording;

static void in_tree(void **state)
{
	(void)state;
	memset(&recording, 0, sizeof(recording));
	play_all("tests/data", &recording);
	assert_true(recording.flows > 50);
	assert_true(recording.purges > 50);
	assert_true(recording.ticks > 5);
}

static void all_recordings(void **state)
{
	const char *dir = getenv("FG_STREAMS");

	(void)state;
	memset(&recording, 0, sizeof(recording));
	play_all(dir ? dir : "../shared/streams", &recording);
	if (!recording.flows) {
		print_message("skipped: no recordings (FG_STREAMS)\n");
		skip();
	}
	assert_true(recording.flows > 1000);
	assert_true(recording.ticks > 50);
	assert_true(recording.updates > 50);
	assert_true(recording.divided > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_tree),
		cmocka_unit_test(all_recordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
