/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/flow common/policy */
/* LIBS: -lpcre2-8 */
/*
 * fuzz_membership.c - flow table, policy and membership together against a
 * model of a few lines: random messages of two sources, reloads, steps of both
 * clocks, sources that are lost, addresses that join the never list. After each
 * step every target holds exactly the flows that the model says it does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/json.h"
#include "policy/membership.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

#define SOURCES 2
#define DIGESTS 12
#define FLOWS	8
#define TARGETS 3
#define ACTIONS 4
#define IDLE_MS 20000
#define HOUR	3600000

/* What the configuration says, as bits of one byte. */
enum {
	ENABLED = 0x0f, /* actions 0 to 3 */
	HALT = 0x10,	/* at action 0 */
	EXEMPT = 0x20,	/* action 1: 10.0.0.1 */
	OBSERVE = 0x40, /* action 2 */
	ALL = 0x80,	/* everyone: 10.0.0.2 */
};

struct model {
	bool live;
	unsigned application, port, local;
	int64_t touched; /* seconds */
	uint16_t epoch;
	/* by target and whether it is only observed: 1 + the action; 0: not in
	 */
	uint8_t in[TARGETS][2];
};

struct target {
	struct fg_target pub;
	struct state *state;
	unsigned index;
};

/* A configuration that is in force, or was until its flows moved on. */
struct config {
	struct fg_generation generation;
	bool used;
};

struct state {
	const uint8_t *p, *end;
	struct fg_flow_table *table;
	struct fg_membership *m;
	struct target target[TARGETS];
	struct fg_target *targets[TARGETS];
	struct config *config;
	unsigned bits; /* of it */
	struct model model[SOURCES][DIGESTS];
	uint16_t epoch[SOURCES];
	unsigned live;
	int64_t now, wall;
	bool evicting; /* a flow is being announced */
};

static unsigned take(struct state *s)
{
	return s->p < s->end ? *s->p++ : 0;
}

static struct model *model_of(struct state *s, const struct fg_flow *f)
{
	return &s->model[f->source][f->digest[0]];
}

/* ---------------------------------------------------------------- targets */

static void on_enter(void *instance, const struct fg_flow *flow,
		     const struct fg_member *member, enum fg_reason reason)
{
	struct target *t = instance;
	uint8_t *in = &model_of(t->state, flow)->in[t->index][member->observe];

	(void)reason;
	CHECK(*in == 0);
	CHECK(member->action[0] == 'a');
	*in = (uint8_t)(1 + member->action[1] - '0');
}

static void on_leave(void *instance, const struct fg_flow *flow,
		     const struct fg_member *member, enum fg_reason reason)
{
	struct target *t = instance;
	uint8_t *in = &model_of(t->state, flow)->in[t->index][member->observe];

	CHECK(*in == 1 + member->action[1] - '0');
	/* who is in a target is never put out for others */
	CHECK(reason != FG_REASON_EVICTED);
	*in = 0;
}

static bool on_flush(void *instance, int64_t now)
{
	(void)instance, (void)now;
	return false;
}

static const struct fg_target_type type = {
	.size = sizeof(type),
	.name = "model",
	.flags = FG_TYPE_OBSERVES,
	.enter = on_enter,
	.leave = on_leave,
	.flush = on_flush,
};

/* --------------------------------------------------------- configurations */

static void say(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	if (level != FG_LOG_ERROR)
		return;
	fprintf(stderr, "%s\n", text);
	abort();
}

static const char *word(bool b)
{
	return b ? "true" : "false";
}

/* One for all: nothing here names an application. */
static struct fg_catalog *catalog(void)
{
	static struct fg_catalog *c;

	CHECK(c || fg_catalog_new(&c, 64, 1) == 0);
	return c;
}

static void config_read(struct config *c, unsigned bits)
{
	struct fg_settings *settings;
	struct fg_policy *policy;
	char text[2048];
	int n;

	n = snprintf(
		text, sizeof(text),
		"{\"timezone\": \"UTC\", \"exemptions\": [%s],"
		"\"targets\": {\"t0\": {\"target_type\": \"model\"},"
		" \"t1\": {\"target_type\": \"model\"},"
		" \"t2\": {\"target_type\": \"model\"}},"
		"\"actions\": {"
		"\"a0\": {\"enabled\": %s, \"criteria\": \"app == 1\","
		" \"targets\": [\"t0\"], \"halt_on_match\": %s},"
		"\"a1\": {\"enabled\": %s, \"exemptions\": [%s],"
		" \"criteria\": \"local_port >= 100 && app != 3\","
		" \"targets\": [\"t0\", \"t1\"]},"
		"\"a2\": {\"enabled\": %s, \"mode\": \"%s\","
		" \"criteria\": \"*\", \"targets\": [\"t2\"]},"
		"\"a3\": {\"enabled\": %s, \"criteria\": [\"app == 2\", "
		"\"local_ip == 10.0.0.3\"],"
		" \"targets\": [\"t1\", \"t2\"], \"time_of_day\": [{\"day\": "
		"[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"],"
		" \"time_start\": \"08:00\", \"time_end\": \"18:00\","
		" \"policy\": \"inclusive\"}]}}}",
		bits & ALL ? "\"10.0.0.2\"" : "", word(bits & 1),
		word(bits & HALT), word(bits & 2),
		bits & EXEMPT ? "\"10.0.0.1\"" : "", word(bits & 4),
		bits & OBSERVE ? "observe" : "enforce", word(bits & 8));
	CHECK(fg_settings_parse(&settings, "c", text, (size_t)n, NULL, 0,
				(struct fg_report){say, NULL}) == 0);
	CHECK(fg_policy_new(&policy, settings, catalog()) == 0);
	c->generation.settings = settings;
	c->generation.policy = policy;
	c->generation.ctx = c;
}

/*
 * Made once and kept: making them takes ten times as long as all the rest.
 * Three that say the same: a reload may go from one to the other, while a third
 * is refused.
 */
static struct config *config_take(struct state *s, unsigned bits)
{
	static struct config kept[UINT8_MAX + 1][3];
	struct config *c = kept[bits];

	while (c->used)
		c++;
	CHECK(c < kept[bits + 1]);
	if (!c->generation.policy)
		config_read(c, bits);
	c->used = true;
	c->generation.targets = s->targets;
	return c;
}

static void config_put(struct config *c)
{
	c->used = false;
}

static void retired(void *ctx, struct fg_generation *old)
{
	(void)ctx;
	config_put(old->ctx);
}

/* ------------------------------------------------------------- the model */

/* The first of the actions that sends it there, as in[][] has it. */
static void should_be(const struct state *s, const struct model *m,
		      uint8_t in[TARGETS][2])
{
	static const uint8_t to[ACTIONS] = {1, 1 | 2, 4, 2 | 4};
	int64_t hour = s->wall / HOUR % 24;

	memset(in, 0, 2 * TARGETS);
	if (s->bits & ALL && m->local == 2)
		return;
	for (unsigned a = 0; a < ACTIONS; a++) {
		const bool matches[ACTIONS] = {
			m->application == 1,
			m->port >= 100 && m->application != 3 &&
				!(s->bits & EXEMPT && m->local == 1),
			true,
			(m->application == 2 || m->local == 3) && hour >= 8 &&
				hour < 18,
		};
		bool observe = a == 2 && s->bits & OBSERVE;

		if (!(s->bits >> a & 1) || !matches[a])
			continue;
		for (unsigned t = 0; t < TARGETS; t++)
			if (to[a] >> t & 1 && !in[t][observe])
				in[t][observe] = (uint8_t)(a + 1);
		if (a == 0 && s->bits & HALT)
			return;
	}
}

static void check_flow(struct state *s, uint16_t source, unsigned digest)
{
	struct model *m = &s->model[source][digest];
	uint8_t key[FG_DIGEST_SIZE] = {(uint8_t)digest}, in[TARGETS][2] = {0};
	const struct fg_flow *f = fg_flow_find(s->table, source, key);

	CHECK(m->live == !!f);
	if (f) {
		CHECK(f->application == m->application &&
		      f->local_port == m->port);
		CHECK(m->touched * 1000 + IDLE_MS > s->now);
		should_be(s, m, in);
	}
	CHECK(memcmp(in, m->in, sizeof(in)) == 0);
}

static void check(struct state *s)
{
	uint64_t members[TARGETS] = {0}, observed[TARGETS] = {0};

	for (uint16_t source = 0; source < SOURCES; source++)
		for (unsigned d = 0; d < DIGESTS; d++) {
			check_flow(s, source, d);
			for (unsigned t = 0; t < TARGETS; t++) {
				struct model *m = &s->model[source][d];

				members[t] += m->in[t][0] != 0;
				observed[t] += m->in[t][1] != 0;
			}
		}
	for (unsigned t = 0; t < TARGETS; t++) {
		CHECK(s->target[t].pub.members == members[t]);
		CHECK(s->target[t].pub.observed == observed[t]);
	}
}

/* Whoever comes and goes: told by membership, judged here. */
static void watch(void *ctx, enum fg_event event, const struct fg_flow *flow,
		  enum fg_reason reason)
{
	struct state *s = ctx;
	struct model *m = model_of(s, flow);
	int64_t touched = m->touched * 1000;

	if (event == FG_EVENT_ANNOUNCED) {
		s->live += !m->live;
		m->live = true;
		return;
	}
	if (event != FG_EVENT_REMOVED || reason == FG_REASON_REKEYED)
		return;
	CHECK(m->live);
	if (reason == FG_REASON_IDLE)
		CHECK(touched + IDLE_MS <= s->now);
	else if (reason == FG_REASON_SOURCE_LOST)
		CHECK(m->epoch != s->epoch[flow->source]);
	else if (reason == FG_REASON_EVICTED)
		CHECK(s->evicting && s->live == FLOWS);
	else
		CHECK(reason == FG_REASON_PURGED);
	m->live = false;
	s->live--;
}

/* ------------------------------------------------------------------ steps */

static void put(struct fg_message *msg, enum fg_attr a, uint64_t u)
{
	msg->has[a / 64] |= UINT64_C(1) << a % 64;
	msg->value[a].u = u;
}

static void message(struct state *s, enum fg_message_type what)
{
	static struct fg_message msg;
	uint16_t source = (uint16_t)(take(s) % SOURCES);
	unsigned digest = take(s) % DIGESTS;
	struct model *m = &s->model[source][digest], before = *m;
	bool full = s->live == FLOWS && !m->live, room = !full;

	memset(&msg, 0, sizeof(msg));
	msg.size = sizeof(msg);
	msg.type = what;
	msg.digest_count = 1;
	msg.digest[0][0] = (uint8_t)digest;
	if (what == FG_MESSAGE_FLOW || what == FG_MESSAGE_FLOW_DPI_UPDATE) {
		/* full of members: nobody has to go, and nobody comes */
		for (unsigned i = 0; full && i < SOURCES * DIGESTS; i++) {
			struct model *o = &s->model[0][0] + i;
			static const uint8_t none[TARGETS][2];

			room |= o->live && !memcmp(o->in, none, sizeof(none));
		}
		m->application = take(s) % 4;
		m->port = take(s);
		m->local = take(s) % 4;
		put(&msg, FG_ATTR_IP_VERSION, 4);
		put(&msg, FG_ATTR_APPLICATION, m->application);
		put(&msg, FG_ATTR_LOCAL_PORT, m->port);
		put(&msg, FG_ATTR_LOCAL_IP, 0);
		memset(&msg.value[FG_ATTR_LOCAL_IP], 0, 16);
		msg.value[FG_ATTR_LOCAL_IP].addr[0] = 10;
		msg.value[FG_ATTR_LOCAL_IP].addr[3] = (uint8_t)m->local;
	}
	m->touched = s->now / 1000;
	m->epoch = s->epoch[source];
	s->evicting =
		what == FG_MESSAGE_FLOW || what == FG_MESSAGE_FLOW_DPI_UPDATE;
	fg_membership_message(s->m, source, s->epoch[source], &msg, s->now);
	if (s->evicting)
		CHECK(m->live == room);
	else if (what == FG_MESSAGE_FLOW_PURGE)
		CHECK(!m->live);
	else
		CHECK(m->live == before.live);
	s->evicting = false;
}

static void reload(struct state *s, unsigned bits)
{
	struct config *c = config_take(s, bits);

	if (fg_membership_configure(s->m, &c->generation, s->wall)) {
		config_put(c);
		return;
	}
	s->config = c;
	s->bits = bits;
}

static bool has_address(const void *ctx, const struct fg_flow *flow)
{
	return flow->local_addr[3] == *(const uint8_t *)ctx;
}

static void settle(struct state *s)
{
	for (unsigned i = 0; fg_membership_step(s->m, s->now, s->wall); i++)
		CHECK(i < 1000);
	fg_membership_flush(s->m, s->now);
	/* what is due by then is done */
	CHECK(fg_membership_deadline(s->m, s->now, s->wall) > s->now);
}

static void step(struct state *s)
{
	static const enum fg_message_type types[] = {
		FG_MESSAGE_FLOW,       FG_MESSAGE_FLOW_DPI_UPDATE,
		FG_MESSAGE_FLOW_STATS, FG_MESSAGE_FLOW_PURGE,
		FG_MESSAGE_FLOW,       FG_MESSAGE_FLOW_DPI_COMPLETE};
	unsigned what = take(s);
	uint16_t source;
	uint8_t address;

	switch (what % 12) {
	case 6:
		reload(s, take(s));
		break;
	case 7:
		s->now += take(s) * 100;
		break;
	case 8:
		/* the wall clock may be set to anything */
		s->wall = take(s) * INT64_C(1234567);
		break;
	case 9:
		source = (uint16_t)(what / 12 % SOURCES);
		s->epoch[source]++;
		break;
	case 10:
		source = (uint16_t)(what / 12 % SOURCES);
		fg_membership_source_void(s->m, source, s->epoch[source]);
		break;
	case 11:
		address = (uint8_t)(take(s) % 4);
		fg_membership_suspend(s->m, has_address, &address,
				      FG_REASON_REKEYED);
		fg_membership_resume(s->m, has_address, &address,
				     FG_REASON_REKEYED);
		break;
	default:
		message(s, types[what % 12]);
	}
	/* some things happen before the last one has come to its end */
	if (what & 0x80)
		return;
	settle(s);
	check(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct state s;
	struct fg_flow_limits limits = {.max_flows = FLOWS, .seed = 1};
	struct fg_membership_setup setup = {.flow_idle_ms = IDLE_MS,
					    .max_verdicts = 512,
					    .retired = retired,
					    .watch = watch,
					    .ctx = &s};

	memset(&s, 0, sizeof(s));
	s.p = data;
	s.end = data + size;
	s.wall = 1700000000000;
	CHECK(fg_flow_table_new(&s.table, &limits) == 0);
	setup.table = s.table;
	setup.catalog = catalog();
	CHECK(fg_membership_new(&s.m, &setup) == 0);
	for (unsigned i = 0; i < TARGETS; i++) {
		static const char *const names[] = {"t0", "t1", "t2"};

		s.target[i].state = &s;
		s.target[i].index = i;
		s.target[i].pub.name = names[i];
		s.target[i].pub.type = &type;
		s.target[i].pub.instance = &s.target[i];
		s.targets[i] = &s.target[i].pub;
	}
	reload(&s, take(&s));
	while (s.p < s.end)
		step(&s);
	settle(&s);
	check(&s);
	fg_membership_free(s.m);
	config_put(s.config);
	fg_flow_table_free(s.table);
	return 0;
}
