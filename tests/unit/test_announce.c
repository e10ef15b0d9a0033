/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_announce.c - a flow as text again: the agent's input reads it, and in an
 * empty table it is the same flow. Of every flow that recorded agents told, at
 * every moment of its life, and of texts that are there to do harm.
 */
/* LINK: common/flow plugins/netifyd */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/netifyd/check.h"
#include "../../plugins/netifyd/frame.h"
#include "../../plugins/netifyd/message.h"
#include "flow/announce.h"
#include "flows.h"

struct side {
	struct fg_flow_table *table;
	struct fg_announcer *announcer;
};

struct pair {
	struct fg_reader *reader; /* of what the agent said */
	struct fg_reader *again;  /* of what we say */
	struct fg_catalog *catalog;
	struct side one, other;
	unsigned flows, purges, complete, counted;
	bool hostile; /* texts need not be the same bytes */
};

static char text[FG_ANNOUNCE_SIZE], twice[FG_ANNOUNCE_SIZE];

static void open_side(struct side *s, const struct fg_catalog *c)
{
	const struct fg_flow_limits limits = {.max_flows = 4096, .seed = 1};

	assert_int_equal(fg_flow_table_new(&s->table, &limits), 0);
	assert_int_equal(fg_announcer_new(&s->announcer, s->table, c), 0);
}

static void close_side(struct side *s)
{
	fg_announcer_free(s->announcer);
	fg_flow_table_free(s->table);
}

static void open_pair(struct pair *p)
{
	assert_int_equal(fg_reader_new(&p->reader, 131072), 0);
	assert_int_equal(fg_reader_new(&p->again, 131072), 0);
	assert_int_equal(fg_catalog_new(&p->catalog, 0, 1), 0);
	open_side(&p->one, p->catalog);
	open_side(&p->other, p->catalog);
}

static void close_pair(struct pair *p)
{
	fg_reader_free(p->reader);
	fg_reader_free(p->again);
	close_side(&p->one);
	close_side(&p->other);
	fg_catalog_free(p->catalog);
}

/* One strict JSON object, of one line, all of it characters that show. */
static void check_text(const char *json, size_t len)
{
	struct fg_check check;
	uint32_t code;
	size_t n, used;

	assert_int_equal(strlen(json), len);
	fg_check_begin(&check);
	assert_int_equal(fg_check_feed(&check, json, len, &used),
			 FG_CHECKED_WHOLE);
	assert_int_equal(used, len);
	for (size_t i = 0; i < len; i += n) {
		n = fg_text_char(json + i, json + len, &code);
		assert_int_not_equal(n, 0);
		assert_true(fg_text_shows(code));
	}
}

/* The lists of two flows are the same but for space. */
static bool same_list(struct fg_slice a, struct fg_slice b)
{
	uint32_t i = 0, k = 0;

	for (;;) {
		while (i < a.len && strchr(" \n\t\r", a.ptr[i]))
			i++;
		while (k < b.len && strchr(" \n\t\r", b.ptr[k]))
			k++;
		if (i == a.len || k == b.len)
			return i == a.len && k == b.len;
		if (a.ptr[i++] != b.ptr[k++])
			return false;
	}
}

static const struct {
	const char *path;
	enum fg_kind kind;
} attributes[] = {
#define X(name, path, kind, store) {path, FG_KIND_##kind},
	FG_ATTRIBUTES(X)
#undef X
};

static void check_attribute(const struct pair *p, unsigned attr,
			    const union fg_value *a, const union fg_value *b)
{
	bool same = true;

	switch (attributes[attr].kind) {
	case FG_KIND_TEXT:
		same = p->hostile ||
		       (a->text.len == b->text.len &&
			!memcmp(a->text.ptr, b->text.ptr, a->text.len));
		break;
	case FG_KIND_LIST:
		same = p->hostile || same_list(a->text, b->text);
		break;
	case FG_KIND_ADDR:
		same = !memcmp(a->addr, b->addr, sizeof(a->addr));
		break;
	case FG_KIND_MAC:
		same = !memcmp(a->mac, b->mac, sizeof(a->mac));
		break;
	case FG_KIND_REAL:
		same = (float)a->r >= (float)b->r && (float)a->r <= (float)b->r;
		break;
	default:
		same = a->u == b->u;
	}
	if (!same)
		fail_msg("%s is another one", attributes[attr].path);
}

static void check_same(const struct pair *p, const struct fg_flow *a,
		       const struct fg_flow *b)
{
	struct fg_flow copy = *b;
	union fg_value x, y;

	/* numbers of interfaces are the table's own */
	copy.interface = a->interface;
	assert_memory_equal(a, &copy, sizeof(copy));
	for (unsigned i = 0; i < FG_ATTR_COUNT; i++) {
		bool has = fg_flow_get(p->one.table, a, i, &x);

		if (has != fg_flow_get(p->other.table, b, i, &y))
			fail_msg("%s is%s said", attributes[i].path,
				 has ? " not" : "");
		if (has)
			check_attribute(p, i, &x, &y);
	}
}

static const struct fg_message *read_again(struct pair *p, size_t len)
{
	const struct fg_message *m;

	assert_int_equal(fg_message_read(p->again, text, len, &m), 0);
	return m;
}

/* Says f, reads that into the other table, and says it from there. */
static void check_flow(struct pair *p, const struct fg_flow *f)
{
	const struct fg_message *m;
	struct fg_flow *twin;
	size_t len, n;

	len = fg_announcer_say(p->one.announcer, f, FG_MESSAGE_FLOW, NULL, text,
			       sizeof(text));
	assert_int_not_equal(len, 0);
	check_text(text, len);
	m = read_again(p, len);
	assert_int_equal(m->type, FG_MESSAGE_FLOW);
	assert_int_equal(m->digest_count, 1);
	assert_memory_equal(m->digest[0], f->digest, FG_DIGEST_SIZE);
	twin = fg_flow_insert(p->other.table, f->source, m->digest[0]);
	assert_non_null(twin);
	fg_flow_update(p->other.table, twin, m, NULL);
	/* told again, nothing is counted again */
	assert_int_equal(fg_flow_update(p->other.table, twin, m, NULL), 0);
	if (f->flags & FG_FLOW_COMPLETE) {
		n = fg_announcer_say(p->one.announcer, f,
				     FG_MESSAGE_FLOW_DPI_COMPLETE, NULL, twice,
				     sizeof(twice));
		check_text(twice, n);
		assert_int_equal(fg_message_read(p->again, twice, n, &m), 0);
		assert_memory_equal(m->digest[0], f->digest, FG_DIGEST_SIZE);
		fg_flow_update(p->other.table, twin, m, NULL);
		p->complete++;
	}
	check_same(p, f, twin);
	n = fg_announcer_say(p->other.announcer, twin, FG_MESSAGE_FLOW, NULL,
			     twice, sizeof(twice));
	assert_int_equal(n, len);
	assert_string_equal(text, twice);
	fg_flow_remove(p->other.table, twin);
	p->flows++;
	p->counted += f->local_bytes > 0 && f->other_bytes > 0;
}

static void check_purge(struct pair *p, const struct fg_flow *f,
			struct fg_slice reason)
{
	char word[32];
	const struct fg_message *m;
	struct fg_flow copy = *f;
	size_t len;

	snprintf(word, sizeof(word), "%.*s", (int)reason.len, reason.ptr);
	len = fg_announcer_say(p->one.announcer, f, FG_MESSAGE_FLOW_PURGE, word,
			       text, sizeof(text));
	check_text(text, len);
	m = read_again(p, len);
	assert_int_equal(m->type, FG_MESSAGE_FLOW_PURGE);
	assert_memory_equal(m->digest[0], f->digest, FG_DIGEST_SIZE);
	assert_true(fg_message_has(m, FG_ATTR_REASON));
	assert_true(fg_slice_is(m->value[FG_ATTR_REASON].text, word));
	assert_int_equal(m->value[FG_ATTR_FIRST_SEEN].u, f->first_seen);
	assert_int_equal(m->value[FG_ATTR_LAST_SEEN].u,
			 f->first_seen + f->age_ms);
	/* it says nothing new */
	assert_int_equal(
		fg_flow_update(p->one.table, (struct fg_flow *)f, m, NULL), 0);
	assert_memory_equal(f, &copy, sizeof(copy));
	p->purges++;
}

/* -------------------------------------------------------------- recordings */

static void learn(struct pair *p, const struct fg_message *m, enum fg_name kind,
		  enum fg_attr id, enum fg_attr name)
{
	if (fg_message_has(m, id) && fg_message_has(m, name) && m->value[id].u)
		fg_catalog_learn(p->catalog, kind, (uint32_t)m->value[id].u,
				 m->value[name].text);
}

static int object(void *ctx, const char *json, size_t len)
{
	struct pair *p = ctx;
	const struct fg_message *m;
	struct fg_flow *f;

	assert_int_equal(fg_message_read(p->reader, json, len, &m), 0);
	if (!m->digest_count)
		return 0;
	learn(p, m, FG_NAME_APPLICATION, FG_ATTR_APPLICATION,
	      FG_ATTR_APPLICATION_NAME);
	learn(p, m, FG_NAME_PROTOCOL, FG_ATTR_PROTOCOL, FG_ATTR_PROTOCOL_NAME);
	f = fg_flow_find(p->one.table, 0, m->digest[0]);
	if (!f && m->type != FG_MESSAGE_FLOW)
		return 0; /* of before we listened, or renamed */
	if (!f)
		f = fg_flow_insert(p->one.table, 0, m->digest[0]);
	assert_non_null(f);
	fg_flow_update(p->one.table, f, m, NULL);
	check_flow(p, f);
	if (m->type == FG_MESSAGE_FLOW) {
		/* names come back as they were */
		m = read_again(p, strlen(text));
		assert_true(fg_message_has(m, FG_ATTR_APPLICATION_NAME));
		assert_true(fg_message_has(m, FG_ATTR_PROTOCOL_NAME));
	}
	if (m->type == FG_MESSAGE_FLOW_PURGE) {
		check_purge(p, f, m->value[FG_ATTR_REASON].text);
		fg_flow_remove(p->one.table, f);
	}
	return 0;
}

static void skipped(void *ctx, const char *why, size_t bytes)
{
	(void)ctx;
	fail_msg("%zu bytes skipped: %s", bytes, why);
}

static void play(struct pair *p, const char *dir, const char *name)
{
	struct fg_frame_sink sink = {object, skipped, p};
	struct fg_frame *frame;
	char path[512], bytes[8192];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	open_pair(p);
	assert_int_equal(fg_frame_new(&frame, 1 << 20, &sink), 0);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		fg_frame_feed(frame, bytes, n);
	fg_frame_end(frame);
	fg_frame_free(frame);
	close_pair(p);
	fclose(file);
}

static void play_all(struct pair *p, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	memset(p, 0, sizeof(*p));
	if (!d)
		return;
	while ((e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".stream"))
			play(p, dir, e->d_name);
	closedir(d);
}

static void in_tree(void **state)
{
	struct pair p;

	(void)state;
	play_all(&p, "tests/data");
	assert_true(p.flows > 200);
	assert_true(p.purges > 50);
	assert_true(p.complete > 0);
	assert_true(p.counted > 50);
}

static void all_recordings(void **state)
{
	const char *dir = getenv("FG_STREAMS");
	struct pair p;

	(void)state;
	play_all(&p, dir ? dir : "../shared/streams");
	if (!p.flows) {
		print_message("skipped: no recordings (FG_STREAMS)\n");
		skip();
	}
	assert_true(p.flows > 1000);
	assert_true(p.purges > 500);
}

/* ----------------------------------------------------------------- by hand */

static void set_everything(struct world *w, const char *value)
{
	usual_flow(w);
	for (unsigned i = 0; i < FG_ATTR_COUNT; i++) {
		if (fg_message_has(&w->message, i))
			continue;
		switch (attributes[i].kind) {
		case FG_KIND_TEXT:
			set_text(w, i, value);
			break;
		case FG_KIND_LIST:
			set_text(w, i, "[ \"h2\",\n \"http/1.1\", [47] ]");
			break;
		case FG_KIND_ADDR:
			set_addr(w, i, i % 2 ? "2001:db8::" : "192.0.2.200");
			break;
		case FG_KIND_MAC:
			set_mac(w, i, "02:00:00:00:00:fe");
			break;
		case FG_KIND_REAL:
			set_r(w, i, 123456.789 + i);
			break;
		default:
			set_u(w, i, attributes[i].kind == FG_KIND_BOOL ? 1 : 5);
		}
	}
	set_u(w, FG_ATTR_GTP_IP_VERSION, 6);
	set_u(w, FG_ATTR_IP_VERSION, 4);
	set_u(w, FG_ATTR_FIRST_SEEN, 1795505435712);
	set_u(w, FG_ATTR_LAST_SEEN, 1795505436000);
}

/* The world's table is the one that says, with the world's catalog. */
static struct pair pair_of(struct world *w)
{
	struct pair p = {.hostile = false};

	open_pair(&p);
	close_side(&p.one);
	p.one.table = w->table;
	assert_int_equal(
		fg_announcer_new(&p.one.announcer, w->table, w->catalog), 0);
	fg_announcer_free(p.other.announcer);
	assert_int_equal(
		fg_announcer_new(&p.other.announcer, p.other.table, w->catalog),
		0);
	return p;
}

static void close_world_pair(struct pair *p, struct world *w)
{
	p->one.table = NULL;
	close_pair(p);
	world_close(w);
}

static void every_attribute(void **state)
{
	struct world w;
	struct pair p;
	const struct fg_flow *f;
	const struct fg_message *m;

	(void)state;
	world_open(&w, 16);
	usual_names(&w);
	set_everything(&w, "some text");
	f = end_flow(&w);
	p = pair_of(&w);
	check_flow(&p, f);
	m = read_again(&p, strlen(text));
	/* what the table has is said, under the key that it came by */
	for (unsigned i = 0; i < FG_ATTR_COUNT; i++) {
		union fg_value v;

		if (fg_flow_get(w.table, f, i, &v) && !fg_message_has(m, i))
			fail_msg("%s is not said", attributes[i].path);
	}
	assert_true(fg_slice_is(m->value[FG_ATTR_APPLICATION_NAME].text,
				"netify.netflix"));
	assert_non_null(strstr(text, "\"alpn\":[\"h2\",\"http/1.1\",[47]]"));
	assert_non_null(strstr(text, "\"version\":\"0x0005\""));
	assert_non_null(strstr(text, ",\"type\":\"flow\"}"));
	close_world_pair(&p, &w);
}

static void odd_flows(void **state)
{
	struct world w;
	struct pair p;

	(void)state;
	world_open(&w, 16);
	p = pair_of(&w);
	/* one of which nothing is known; no name for its application either */
	begin_flow(&w);
	check_flow(&p, end_flow(&w));
	assert_non_null(strstr(text, "\"detected_application_name\":"
				     "\"Unknown\""));
	usual_flow(&w);
	check_flow(&p, end_flow(&w));
	assert_null(strstr(text, "detected_application_name"));
	/* the largest numbers */
	usual_flow(&w);
	set_u(&w, FG_ATTR_FIRST_SEEN, UINT64_MAX - 5);
	set_u(&w, FG_ATTR_LAST_SEEN, UINT64_MAX);
	set_u(&w, FG_ATTR_LOCAL_BYTES, UINT64_MAX - 1);
	set_u(&w, FG_ATTR_OTHER_BYTES, 1);
	set_u(&w, FG_ATTR_TOTAL_BYTES, UINT64_MAX);
	set_r(&w, FG_ATTR_LOCAL_RATE, 3e38);
	set_r(&w, FG_ATTR_OTHER_RATE, 1e-30);
	check_flow(&p, end_flow(&w));
	/* IPv6, and an address that ends in zeros */
	usual_flow(&w);
	set_u(&w, FG_ATTR_IP_VERSION, 6);
	set_addr(&w, FG_ATTR_LOCAL_IP, "2001:db8::");
	set_addr(&w, FG_ATTR_OTHER_IP, "fe80::1");
	check_flow(&p, end_flow(&w));
	assert_non_null(strstr(text, "\"local_ip\":\"2001:db8::\""));
	close_world_pair(&p, &w);
}

static void hostile_texts(void **state)
{
	/* as they stand in JSON text; NULL: the same text comes back */
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\\\"},{\\\"type\\\":\\\"flow_purge\\\"", NULL},
		{"\\\\", NULL},
		{"a\\n\\r\\t\\u0001\\u001f\\u007f\\u009b31m", NULL},
		{"\\u202e\\u2066\\u200f", NULL},
		{"\\u20ac \xe2\x82\xac \\ud83d\\ude00", NULL},
		{"a\xff"
		 "b\xc3",
		 "a\xef\xbf\xbd"
		 "b\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\\u0000\\ud800", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"", NULL},
	};
	char decoded[256];
	struct world w;
	struct pair p;

	(void)state;
	world_open(&w, 32);
	p = pair_of(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *out = cases[i].out;
		const struct fg_flow *f;
		const struct fg_message *m;
		struct fg_slice in;
		size_t len;

		set_everything(&w, cases[i].in);
		/* a name of any bytes, and a list with such texts */
		world_name(&w, FG_NAME_PROTOCOL, 196, "a\"\\\n\xff");
		snprintf(decoded, sizeof(decoded), "[\"%s\"]", cases[i].in);
		set_text(&w, FG_ATTR_TAGS, decoded);
		f = end_flow(&w);
		p.hostile =
			out != NULL || w.message.value[FG_ATTR_TAGS].text.flags;
		check_flow(&p, f);
		in = fg_slice(cases[i].in, strlen(cases[i].in));
		in.flags = FG_SLICE_ESCAPED;
		len = fg_text_decode(in, decoded, sizeof(decoded));
		if (out) {
			len = strlen(out);
			memcpy(decoded, out, len);
		}
		m = read_again(&p, strlen(text));
		in = m->value[FG_ATTR_HTTP_URL].text;
		assert_true(fg_message_has(m, FG_ATTR_HTTP_URL));
		assert_int_equal(fg_text_decode(in, twice, sizeof(twice)), len);
		assert_memory_equal(twice, decoded, len);
	}
	close_world_pair(&p, &w);
}

/* Never past the end of the buffer, never half a message. */
static void small_buffers(void **state)
{
	struct world w;
	struct pair p;
	const struct fg_flow *f;
	size_t len;

	(void)state;
	world_open(&w, 16);
	usual_names(&w);
	set_everything(&w, "\\u0001x\xff\xe2\x82\xac");
	f = end_flow(&w);
	p = pair_of(&w);
	len = fg_announcer_say(p.one.announcer, f, FG_MESSAGE_FLOW, NULL, twice,
			       sizeof(twice));
	for (size_t size = 0; size <= len + 1; size++) {
		char *buf = malloc(size + 1); /* as ASan sees it */
		size_t n;

		buf[size] = 'x';
		n = fg_announcer_say(p.one.announcer, f, FG_MESSAGE_FLOW, NULL,
				     buf, size);
		assert_int_equal(n, size > len ? len : 0);
		assert_int_equal(buf[size], 'x');
		free(buf);
	}
	assert_int_equal(fg_announcer_say(p.one.announcer, f,
					  FG_MESSAGE_FLOW_STATS, NULL, text,
					  sizeof(text)),
			 0);
	/* without a word for it */
	len = fg_announcer_say(p.one.announcer, f, FG_MESSAGE_FLOW_PURGE, NULL,
			       text, sizeof(text));
	assert_null(strstr(text, "reason"));
	check_text(text, len);
	close_world_pair(&p, &w);
}

/* As much text as the table keeps, all of it as long as can be. */
static void largest_flow(void **state)
{
	static char most[6 * 2048 + 1];
	struct world w;
	struct pair p;
	const struct fg_flow *f;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(most) - 1; i += 6)
		memcpy(most + i, "\\u0001", 6);
	world_open(&w, 16);
	world_name(&w, FG_NAME_APPLICATION, 133, "\1\1\1\1\1\1\1\1\1\1\1\1\1");
	set_everything(&w, most);
	/* of a tunnel the flow would keep a flag, but no room for its detail */
	for (unsigned i = FG_ATTR_GTP_VERSION; i <= FG_ATTR_GTP_OTHER_TYPE; i++)
		w.message.has[i / 64] &= ~(UINT64_C(1) << i % 64);
	f = end_flow(&w);
	p = pair_of(&w);
	len = fg_announcer_say(p.one.announcer, f, FG_MESSAGE_FLOW, NULL, text,
			       sizeof(text));
	assert_true(len > 80000);
	check_flow(&p, f);
	close_world_pair(&p, &w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_tree),
		cmocka_unit_test(all_recordings),
		cmocka_unit_test(every_attribute),
		cmocka_unit_test(odd_flows),
		cmocka_unit_test(hostile_texts),
		cmocka_unit_test(small_buffers),
		cmocka_unit_test(largest_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
