/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/flow */
/*
 * fuzz_flow.c - the flow table against a model of a few lines: random messages,
 * touches, verdicts, renames, evictions and removals; after each step who is
 * there, what they say, and who is quietest must be the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

#define FLOWS	12
#define DIGESTS 32 /* names for them, of two sources */
#define TEXT	600

struct model {
	bool live;
	struct fg_flow *flow;
	uint32_t verdict;
	uint32_t touched;
	uint32_t application;
	bool has_text;
	size_t len;
	char text[TEXT];
};

struct state {
	const uint8_t *p, *end;
	struct fg_flow_table *table;
	struct model model[DIGESTS];
	unsigned live;
	int64_t now;
	struct fg_message message;
};

static unsigned take(struct state *s)
{
	return s->p < s->end ? *s->p++ : 0;
}

static uint16_t source_of(unsigned name)
{
	return (uint16_t)(name % 2);
}

static const uint8_t *digest_of(unsigned name)
{
	static uint8_t digest[FG_DIGEST_SIZE];

	memset(digest, (int)(name / 2), sizeof(digest));
	return digest;
}

static void say(struct state *s, enum fg_attr a)
{
	s->message.has[a / 64] |= UINT64_C(1) << a % 64;
}

static void forget(struct state *s, struct model *m)
{
	fg_flow_remove(s->table, m->flow);
	memset(m, 0, sizeof(*m));
	s->live--;
}

/* Somebody has to go: no member, of the others the longest quiet. */
static bool make_room(struct state *s)
{
	struct fg_flow *victim = fg_flow_victim(s->table);
	uint32_t oldest = UINT32_MAX;
	unsigned idle = 0;

	for (int i = 0; i < DIGESTS; i++) {
		if (!s->model[i].live || s->model[i].verdict)
			continue;
		idle++;
		if (s->model[i].touched < oldest)
			oldest = s->model[i].touched;
	}
	CHECK((oldest == UINT32_MAX) == !victim);
	for (int i = 0; i < DIGESTS; i++) {
		if (!victim || s->model[i].flow != victim)
			continue;
		CHECK(!s->model[i].verdict);
		/* eight of one client, and it is about that client's */
		CHECK(idle >= 8 || s->model[i].touched == oldest);
		forget(s, &s->model[i]);
	}
	return victim;
}

static void message(struct state *s, unsigned name)
{
	static char text[TEXT];
	struct model *m = &s->model[name];
	struct fg_message *msg = &s->message;
	uint32_t changed;
	unsigned bits = take(s);

	memset(msg->has, 0, sizeof(msg->has));
	msg->type = bits & 1 ? FG_MESSAGE_FLOW : FG_MESSAGE_FLOW_DPI_UPDATE;
	msg->digest_count = 1;
	memcpy(msg->digest[0], digest_of(name), FG_DIGEST_SIZE);
	if (!m->flow) {
		m->flow = fg_flow_insert(s->table, source_of(name),
					 digest_of(name));
		CHECK(!m->flow == (s->live == FLOWS));
		if (!m->flow && make_room(s))
			m->flow = fg_flow_insert(s->table, source_of(name),
						 digest_of(name));
		if (!m->flow)
			return;
		m->live = true;
		m->touched = (uint32_t)(s->now / 1000);
		s->live++;
	}
	if (msg->type == FG_MESSAGE_FLOW) {
		m->application = 0;
		m->has_text = false;
	}
	if (bits & 2) {
		say(s, FG_ATTR_APPLICATION);
		msg->value[FG_ATTR_APPLICATION].u = m->application = take(s);
	}
	if (bits & 4) {
		m->len = (take(s) * 7u) % TEXT;
		memset(text, (int)take(s), m->len);
		memcpy(m->text, text, m->len);
		m->has_text = true;
		say(s, FG_ATTR_HTTP_URL);
		msg->value[FG_ATTR_HTTP_URL].text = fg_slice(text, m->len);
	}
	if (bits & 8) {
		say(s, FG_ATTR_RISK_SCORE);
		msg->value[FG_ATTR_RISK_SCORE].u = take(s);
	}
	if (bits & 16) {
		say(s, FG_ATTR_LOCAL_IP);
		memset(msg->value[FG_ATTR_LOCAL_IP].addr, 0, 16);
		msg->value[FG_ATTR_LOCAL_IP].addr[3] = (uint8_t)take(s);
		say(s, FG_ATTR_IP_VERSION);
		msg->value[FG_ATTR_IP_VERSION].u = take(s);
	}
	if (bits & 32) {
		say(s, FG_ATTR_TOTAL_BYTES);
		msg->value[FG_ATTR_TOTAL_BYTES].u = take(s) * 1000u;
		say(s, FG_ATTR_LOCAL_BYTES);
		msg->value[FG_ATTR_LOCAL_BYTES].u = take(s) * 1000u;
	}
	fg_flow_update(s->table, m->flow, msg, NULL);
	/* the same again changes nothing */
	if (!(bits & 32)) {
		changed = fg_flow_update(s->table, m->flow, msg, NULL);
		CHECK(!(changed & ~FG_CHANGED_DETAIL));
	}
}

static void check_flow(const struct state *s, unsigned name)
{
	const struct model *m = &s->model[name];
	struct fg_flow_counts counts;
	union fg_value v;
	bool has;

	CHECK(fg_flow_find(s->table, source_of(name), digest_of(name)) ==
	      m->flow);
	if (!m->live)
		return;
	CHECK(m->flow->application == m->application);
	CHECK(fg_flow_verdict(s->table, m->flow) == m->verdict);
	CHECK(fg_flow_touched(s->table, m->flow) == m->touched * INT64_C(1000));
	has = fg_flow_get(s->table, m->flow, FG_ATTR_HTTP_URL, &v);
	fg_flow_counts(s->table, &counts);
	/* left out, or an older one, only if there was no room */
	if (!counts.detail_dropped) {
		CHECK(has == m->has_text);
		CHECK(!has || (v.text.len == m->len &&
			       memcmp(v.text.ptr, m->text, m->len) == 0));
	}
}

static void check(struct state *s)
{
	struct fg_flow *quietest = fg_flow_quietest(s->table), *f;
	uint32_t oldest = UINT32_MAX, cursor = 0;
	struct fg_flow_counts counts;
	unsigned walked = 0;

	for (unsigned i = 0; i < DIGESTS; i++) {
		check_flow(s, i);
		if (s->model[i].live && s->model[i].touched < oldest)
			oldest = s->model[i].touched;
	}
	CHECK(!quietest == (s->live == 0));
	CHECK(!quietest ||
	      fg_flow_touched(s->table, quietest) / 1000 == oldest);
	while ((f = fg_flow_next(s->table, &cursor)) != NULL)
		walked++;
	fg_flow_counts(s->table, &counts);
	CHECK(walked == s->live && counts.live == s->live);
	CHECK(s->live || counts.detail_used == 0);
}

static void rename_flow(struct state *s, unsigned name)
{
	/* of the same source */
	unsigned to = (take(s) * 2u + source_of(name)) % DIGESTS;
	struct model *m = &s->model[name];
	int ret = fg_flow_rename(s->table, m->flow, digest_of(to));

	if (to == name)
		CHECK(ret == 0);
	else if (s->model[to].live)
		CHECK(ret < 0);
	else {
		CHECK(ret == 0);
		s->model[to] = *m;
		memset(m, 0, sizeof(*m));
	}
}

static void step(struct state *s)
{
	unsigned what = take(s), name = take(s) % DIGESTS;
	struct model *m = &s->model[name];

	switch (what % 8) {
	case 0:
		if (m->live)
			forget(s, m);
		break;
	case 1:
		if (m->live)
			rename_flow(s, name);
		break;
	case 2:
	case 3:
		if (!m->live)
			break;
		m->verdict = take(s) % 3;
		fg_flow_set_verdict(s->table, m->flow, m->verdict);
		break;
	case 4:
		if (!m->live)
			break;
		s->now += take(s) * 100;
		fg_flow_touch(s->table, m->flow, (uint16_t)what, s->now);
		m->touched = (uint32_t)(s->now / 1000);
		break;
	default:
		message(s, name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct state s;
	struct fg_flow_limits limits = {
		.max_flows = FLOWS, .max_interfaces = 2, .seed = 1};
	uint32_t cursor = 0;
	struct fg_flow *f;

	memset(&s, 0, sizeof(s));
	s.p = data;
	s.end = data + size;
	/* with little room half of the time */
	limits.detail_bytes = take(&s) & 1 ? 2048 : 65536;
	CHECK(fg_flow_table_new(&s.table, &limits) == 0);
	while (s.p < s.end) {
		step(&s);
		check(&s);
	}
	while ((f = fg_flow_next(s.table, &cursor)) != NULL)
		fg_flow_remove(s.table, f);
	memset(s.model, 0, sizeof(s.model));
	s.live = 0;
	check(&s);
	fg_flow_table_free(s.table);
	return 0;
}
