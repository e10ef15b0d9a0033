/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/flow common/policy/membership.c common/policy/verdict.c */
/* LINK: common/policy/audience.c common/policy/generation.c common/policy/walk.c */
/* LINK: common/policy/json.c */
/* LINK: common/policy/node.c common/policy/syntax.c */
/* test_membership.c - what targets are told, under a policy of the test's own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/membership.h"

/* ------------------------------------------- a policy that the test decides */

#define APPS	4
#define TARGETS 3

/* What application n is granted; after edge, application 1 gets nothing. */
struct fg_policy {
	struct fg_grant grant[APPS][TARGETS];
	size_t count[APPS];
	int64_t edge;
	bool over;
};

size_t fg_policy_evaluate(const struct fg_policy *p,
			  const struct fg_flow_table *table,
			  const struct fg_flow *flow,
			  struct fg_grant out[FG_GRANTS_MAX])
{
	(void)table;
	if (flow->application >= APPS || (flow->application == 1 && p->over))
		return 0;
	memcpy(out, p->grant[flow->application],
	       p->count[flow->application] * sizeof(*out));
	return p->count[flow->application];
}

uint32_t fg_policy_depends(const struct fg_policy *p)
{
	(void)p;
	return FG_CHANGED_CLASS;
}

bool fg_policy_set_time(struct fg_policy *p, int64_t wall_ms, int64_t *next)
{
	bool over = p->edge && wall_ms >= p->edge;
	bool changed = over != p->over;

	*next = p->edge && !over ? p->edge : INT64_MAX;
	p->over = over;
	return changed;
}

bool fg_policy_learn(struct fg_policy *p)
{
	(void)p;
	return false;
}

/* ----------------------------------------------- targets that write it down */

static char book[4096];
static unsigned events;
static bool more;

static FG_PRINTF(1, 2) void note(const char *fmt, ...)
{
	size_t len = strlen(book);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(book + len, sizeof(book) - len, fmt, ap);
	va_end(ap);
}

#define assert_told(expected)                                                  \
	do {                                                                   \
		assert_string_equal(book, expected);                           \
		book[0] = '\0';                                                \
	} while (0)

static enum fg_reason entered[26]; /* why, by target */

static void on_enter(void *t, const struct fg_flow *f,
		     const struct fg_member *m, enum fg_reason r)
{
	entered[*(char *)t - 'a'] = r;
	note("+%s:%s:%u%s ", (char *)t, m->action, f->local_port,
	     m->observe ? "?" : "");
}

static void on_leave(void *t, const struct fg_flow *f,
		     const struct fg_member *m, enum fg_reason r)
{
	(void)r;
	note("-%s:%s:%u%s ", (char *)t, m->action, f->local_port,
	     m->observe ? "?" : "");
}

static void on_rekey(void *t, const struct fg_flow *old,
		     const struct fg_flow *f, const struct fg_member *m)
{
	note("~%s:%s:%u>%u ", (char *)t, m->action, old->local_port,
	     f->local_port);
}

static bool on_flush(void *t, int64_t now)
{
	(void)now;
	note("!%s ", (char *)t);
	return more;
}

static void on_event(void *t, enum fg_event e, const struct fg_flow *f,
		     enum fg_reason r)
{
	(void)t;
	(void)e;
	(void)f;
	(void)r;
	events++;
}

/* What c is told of flows and targets that are not its own. */
static char heard[4096];

static FG_PRINTF(1, 2) void hear(const char *fmt, ...)
{
	size_t len = strlen(heard);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(heard + len, sizeof(heard) - len, fmt, ap);
	va_end(ap);
}

static void on_class_event(void *t, enum fg_event e, const struct fg_flow *f,
			   enum fg_reason r)
{
	static const char words[] = "aucr"; /* enum fg_event */

	(void)t;
	hear("%c%u/%u ", words[e], f->application, r);
}

static void on_moved(void *t, const struct fg_flow *f, const char *other,
		     const struct fg_member *m, bool enter, enum fg_reason r)
{
	(void)t, (void)f, (void)r;
	hear("%c%s:%s ", enter ? '+' : '-', other, m->action);
}

static const struct fg_target_type plain = {
	.size = sizeof(plain),
	.name = "plain",
	.enter = on_enter,
	.leave = on_leave,
	.event = on_event,
	.flush = on_flush,
};

static const struct fg_target_type special = {
	.size = sizeof(special),
	.name = "special",
	.flags = FG_TYPE_OBSERVES | FG_TYPE_AFTER | FG_TYPE_CLASS,
	.enter = on_enter,
	.leave = on_leave,
	.event = on_class_event,
	.rekey = on_rekey,
	.flush = on_flush,
	.moved = on_moved,
};

/* ------------------------------------------------------------ configurations
 */

static char names[TARGETS][2] = {"a", "b", "c"};

struct config {
	struct fg_target own[TARGETS];
	struct fg_target *targets[TARGETS];
	struct fg_policy policy;
	struct fg_target_config target_config[TARGETS];
	struct fg_action_target to[APPS][TARGETS];
	struct fg_action_config actions[APPS];
	struct fg_settings settings;
	struct fg_generation generation;
};

/* Action "xN" sends application N to the targets named, "ab". */
static void config_action(struct config *c, unsigned app, bool observe,
			  const char *targets)
{
	static const char *const action_names[APPS] = {"x0", "x1", "x2", "x3"};
	struct fg_action_config *a = &c->actions[app];

	memset(a, 0, sizeof(*a));
	a->name = action_names[app];
	a->observe = observe;
	a->targets = c->to[app];
	for (size_t n = 0; targets[n]; n++) {
		uint16_t t = (uint16_t)(targets[n] - 'a');

		c->to[app][n].target = t;
		c->policy.grant[app][n] = (struct fg_grant){
			t, (uint16_t)app, (uint8_t)n, observe};
		a->target_count = n + 1;
	}
	c->policy.count[app] = a->target_count;
}

/* x1 to a, x2 to a and b, x3 to c; targets are like's, or its own */
static struct config *config_new(const struct config *like)
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	for (unsigned i = 0; i < TARGETS; i++) {
		c->own[i].name = names[i];
		c->own[i].type = i == 2 ? &special : &plain;
		c->own[i].instance = names[i];
		c->targets[i] = like ? like->targets[i] : &c->own[i];
		c->target_config[i].name = names[i];
	}
	config_action(c, 0, false, "");
	config_action(c, 1, false, "a");
	config_action(c, 2, false, "ab");
	config_action(c, 3, false, "c");
	c->settings.targets = c->target_config;
	c->settings.target_count = TARGETS;
	c->settings.actions = c->actions;
	c->settings.action_count = APPS;
	c->settings.reprocess_flows = true;
	c->generation.settings = &c->settings;
	c->generation.policy = &c->policy;
	c->generation.targets = c->targets;
	return c;
}

/* ------------------------------------------------------------------ the scene
 */

struct scene {
	struct fg_flow_table *table;
	struct fg_catalog *catalog;
	struct fg_membership *m;
	struct config *first, *next;
	struct fg_generation *retired;
};

static void retired(void *ctx, struct fg_generation *old)
{
	((struct scene *)ctx)->retired = old;
}

static void settle(struct scene *s, int64_t now, int64_t wall)
{
	while (fg_membership_step(s->m, now, wall))
		;
}

static int setup_sized(void **state, uint32_t max_verdicts)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct fg_flow_limits limits = {.max_flows = 8, .seed = 1};
	struct fg_membership_setup setup = {.flow_idle_ms = 10000,
					    .max_verdicts = max_verdicts,
					    .retired = retired,
					    .ctx = s};

	assert_non_null(s);
	assert_int_equal(fg_flow_table_new(&s->table, &limits), 0);
	assert_int_equal(fg_catalog_new(&s->catalog, 64, 1), 0);
	setup.table = s->table;
	setup.catalog = s->catalog;
	assert_int_equal(fg_membership_new(&s->m, &setup), 0);
	s->first = config_new(NULL);
	assert_int_equal(
		fg_membership_configure(s->m, &s->first->generation, 0), 0);
	settle(s, 0, 0);
	book[0] = '\0';
	events = 0;
	more = false;
	*state = s;
	return 0;
}

static int setup(void **state)
{
	return setup_sized(state, 0);
}

static int setup_two_verdicts(void **state)
{
	return setup_sized(state, 2);
}

static int teardown(void **state)
{
	struct scene *s = *state;

	fg_membership_free(s->m);
	fg_catalog_free(s->catalog);
	fg_flow_table_free(s->table);
	free(s->first);
	free(s->next);
	free(s);
	return 0;
}

static void set(struct fg_message *m, enum fg_attr a, uint64_t u)
{
	m->has[a / 64] |= UINT64_C(1) << (a % 64);
	m->value[a].u = u;
}

/* A message about flow n of an application (-1: does not say). */
static void send_at(struct scene *s, enum fg_message_type type, uint8_t n,
		    int app, uint16_t port, uint16_t epoch, int64_t now)
{
	static struct fg_message m;

	memset(&m, 0, sizeof(m));
	m.size = sizeof(m);
	m.type = type;
	m.digest_count = 1;
	m.digest[0][0] = n;
	if (app >= 0)
		set(&m, FG_ATTR_APPLICATION, (uint64_t)app);
	if (port)
		set(&m, FG_ATTR_LOCAL_PORT, port);
	fg_membership_message(s->m, 0, epoch, &m, now);
}

static void send(struct scene *s, enum fg_message_type type, uint8_t n, int app)
{
	send_at(s, type, n, app, app >= 0 ? n : 0, 1, 0);
}

static struct fg_membership_counts counts(struct scene *s)
{
	struct fg_membership_counts c;

	fg_membership_counts(s->m, &c);
	return c;
}

/* ------------------------------------------------------------------ the cases
 */

static void test_life(void **state)
{
	struct scene *s = *state;

	send(s, FG_MESSAGE_FLOW, 1, 1);
	assert_told("+a:x1:1 ");
	assert_int_equal(s->first->own[0].members, 1);
	send(s, FG_MESSAGE_FLOW, 1, 1); /* said again: nothing */
	send(s, FG_MESSAGE_FLOW_STATS, 1, -1);
	assert_told("");
	send(s, FG_MESSAGE_FLOW_DPI_UPDATE, 1, 3); /* reclassified */
	assert_told("-a:x1:1 +c:x3:1 ");
	send(s, FG_MESSAGE_FLOW_PURGE, 1, -1);
	assert_told("-c:x3:1 ");
	assert_int_equal(s->first->own[0].members, 0);
	assert_int_equal(s->first->own[2].members, 0);
	send(s, FG_MESSAGE_FLOW_PURGE, 1, -1); /* nobody knows it any more */
	assert_told("");
	assert_int_equal(counts(s).announced, 1);
	assert_int_equal(counts(s).updated, 2);
	assert_int_equal(counts(s).purged, 1);
	assert_int_equal(counts(s).unknown, 1);
	/* announced, said again, counted, updated, removed; a and b listen */
	assert_int_equal(events, 2 * 5);
}

static bool is_first(const void *ctx, const struct fg_flow *flow)
{
	(void)ctx;
	return flow->digest[0] == 1;
}

static void test_suspend(void **state)
{
	struct scene *s = *state;

	send(s, FG_MESSAGE_FLOW, 1, 1);
	send(s, FG_MESSAGE_FLOW, 2, 1);
	assert_told("+a:x1:1 +a:x1:2 ");
	fg_membership_suspend(s->m, is_first, NULL, FG_REASON_REKEYED);
	assert_told("-a:x1:1 ");
	fg_membership_resume(s->m, is_first, NULL, FG_REASON_REKEYED);
	assert_told("+a:x1:1 ");
	assert_int_equal(s->first->own[0].members, 2);
}

static void test_several_targets(void **state)
{
	struct scene *s = *state;

	send(s, FG_MESSAGE_FLOW, 1, 2);
	assert_told("+a:x2:1 +b:x2:1 ");
	/* a stays its target, but by another action: out and in again */
	send(s, FG_MESSAGE_FLOW, 1, 1);
	assert_told("-a:x2:1 -b:x2:1 +a:x1:1 ");
	assert_int_equal(s->first->own[0].members, 1);
	assert_int_equal(s->first->own[1].members, 0);
}

/* What the run before had is told from what is new. */
static void test_restart(void **state)
{
	struct scene *s = *state;

	fg_membership_restoring(s->m, true);
	s->first->own[0].before[false] = true;
	s->first->own[2].before[true] = true;
	send(s, FG_MESSAGE_FLOW, 1, 2);
	assert_told("+a:x2:1 +b:x2:1 ");
	assert_int_equal(entered[0], FG_REASON_RESTART);
	assert_int_equal(entered[1], FG_REASON_RELOAD);
	send(s, FG_MESSAGE_FLOW, 2, 3);
	assert_told("+c:x3:2 "); /* where it was only observed */
	assert_int_equal(entered[2], FG_REASON_RELOAD);
	/* it became a member by what was told of it later */
	send(s, FG_MESSAGE_FLOW, 3, 0);
	send(s, FG_MESSAGE_FLOW_DPI_UPDATE, 3, 2);
	assert_told("+a:x2:3 +b:x2:3 ");
	assert_int_equal(entered[0], FG_REASON_RESTART);
	fg_membership_restoring(s->m, false);
	s->first->own[0].before[false] = false;
	send(s, FG_MESSAGE_FLOW, 4, 1);
	assert_told("+a:x1:4 ");
	assert_int_equal(entered[0], FG_REASON_DETECTED);
}

static void test_rekey(void **state)
{
	struct scene *s = *state;

	/* a type without rekey() lets go of the old key and takes the new */
	send(s, FG_MESSAGE_FLOW, 1, 1);
	send_at(s, FG_MESSAGE_FLOW, 1, 1, 77, 1, 0);
	assert_told("+a:x1:1 -a:x1:1 +a:x1:77 ");
	send(s, FG_MESSAGE_FLOW, 2, 3);
	send_at(s, FG_MESSAGE_FLOW, 2, 3, 88, 1, 0);
	assert_told("+c:x3:2 ~c:x3:2>88 ");
	/* key and class at once: the new key first, then the new targets */
	send_at(s, FG_MESSAGE_FLOW, 1, 3, 99, 1, 0);
	assert_told("-a:x1:77 +a:x1:99 -a:x1:99 +c:x3:99 ");
}

/* c watches: every move, and new classes as if they were new flows. */
static void test_moved(void **state)
{
	struct scene *s = *state;
	char want[256];

	heard[0] = '\0';
	send(s, FG_MESSAGE_FLOW, 1, 2);
	assert_string_equal(heard, "a2/0 +a:x2 +b:x2 ");
	heard[0] = '\0';
	send(s, FG_MESSAGE_FLOW, 1, 1);
	snprintf(want, sizeof(want), "r2/%u a1/%u u1/%u -a:x2 -b:x2 +a:x1 ",
		 FG_REASON_RECLASSIFIED, FG_REASON_RECLASSIFIED,
		 FG_REASON_DETECTED);
	assert_string_equal(heard, want);
	heard[0] = '\0';
	send(s, FG_MESSAGE_FLOW, 1, 1); /* nothing new: no new class */
	assert_string_equal(heard, "u1/0 ");
	heard[0] = '\0';
	/* a new key is told in one way only, whatever else is new */
	send_at(s, FG_MESSAGE_FLOW, 1, 0, 99, 1, 0);
	snprintf(want, sizeof(want), "r1/%u a0/%u -a:x1 ", FG_REASON_REKEYED,
		 FG_REASON_REKEYED);
	assert_string_equal(heard, want);
}

static void test_digest_prev(void **state)
{
	struct scene *s = *state;
	static struct fg_message m;

	send(s, FG_MESSAGE_FLOW, 1, 1);
	memset(&m, 0, sizeof(m));
	m.type = FG_MESSAGE_FLOW_PURGE;
	m.digest_count = 2;
	m.digest[0][0] = 9;
	m.digest[1][0] = 1;
	fg_membership_message(s->m, 0, 1, &m, 0);
	assert_told("+a:x1:1 -a:x1:1 ");
}

static void test_sources_are_apart(void **state)
{
	struct scene *s = *state;
	static struct fg_message m;

	send(s, FG_MESSAGE_FLOW, 1, 1);
	memset(&m, 0, sizeof(m));
	m.type = FG_MESSAGE_FLOW_PURGE;
	m.digest_count = 1;
	m.digest[0][0] = 1;
	fg_membership_message(s->m, 1, 1, &m, 0);
	assert_told("+a:x1:1 ");
	assert_int_equal(counts(s).unknown, 1);
}

static void test_full(void **state)
{
	struct scene *s = *state;

	for (uint8_t n = 1; n <= 8; n++)
		send_at(s, FG_MESSAGE_FLOW, n, n == 1 ? 1 : 0, n, 1, n * 1000);
	assert_told("+a:x1:1 ");
	/* 1 is the longest quiet, but a member: 2 goes */
	send_at(s, FG_MESSAGE_FLOW, 20, 0, 20, 1, 9000);
	assert_int_equal(counts(s).evicted, 1);
	send_at(s, FG_MESSAGE_FLOW_STATS, 2, -1, 0, 1, 9000);
	assert_int_equal(counts(s).unknown, 1);
	send_at(s, FG_MESSAGE_FLOW_STATS, 1, -1, 0, 1, 9000);
	assert_int_equal(counts(s).unknown, 1);
	/* all are members: a new one is refused, nobody is thrown out */
	for (uint8_t n = 3; n <= 8; n++)
		send_at(s, FG_MESSAGE_FLOW, n, 1, n, 1, 9000);
	send_at(s, FG_MESSAGE_FLOW, 20, 1, 20, 1, 9000);
	book[0] = '\0';
	send_at(s, FG_MESSAGE_FLOW, 30, 1, 30, 1, 9000);
	assert_told("");
	assert_int_equal(counts(s).refused, 1);
	assert_int_equal(s->first->own[0].members, 8);
}

static void test_idle(void **state)
{
	struct scene *s = *state;

	send_at(s, FG_MESSAGE_FLOW, 1, 1, 1, 1, 1000);
	send_at(s, FG_MESSAGE_FLOW, 2, 1, 2, 1, 5000);
	book[0] = '\0';
	assert_int_equal(fg_membership_deadline(s->m, 5000, 0), 11000);
	settle(s, 10999, 0);
	assert_told("");
	settle(s, 11000, 0);
	assert_told("-a:x1:1 ");
	assert_int_equal(counts(s).idle, 1);
}

/* A source of its own time leaves earlier; and has none of it, taken back. */
static void test_source_idle(void **state)
{
	struct scene *s = *state;

	fg_membership_source_idle(s->m, 0, 4000);
	settle(s, 1000, 0);
	send_at(s, FG_MESSAGE_FLOW, 1, 1, 1, 1, 1000);
	send_at(s, FG_MESSAGE_FLOW, 2, 1, 2, 1, 3000);
	book[0] = '\0';
	assert_int_equal(fg_membership_deadline(s->m, 3000, 0), 3000);
	settle(s, 4900, 0);
	assert_told("");
	/* looked for once a second */
	assert_in_range(fg_membership_deadline(s->m, 4900, 0), 4900, 5900);
	settle(s, 5900, 0);
	assert_told("-a:x1:1 ");
	assert_int_equal(counts(s).idle, 1);
	fg_membership_source_idle(s->m, 0, 0);
	settle(s, 12900, 0);
	assert_told("");
	settle(s, 13000, 0);
	assert_told("-a:x1:2 ");
}

/* A message of flow 1 that says when it was. */
static void send_when(struct scene *s, enum fg_message_type type,
		      uint64_t first, uint64_t last)
{
	static struct fg_message m;

	memset(&m, 0, sizeof(m));
	m.size = sizeof(m);
	m.type = type;
	m.digest_count = 1;
	m.digest[0][0] = 1;
	set(&m, FG_ATTR_FIRST_SEEN, first);
	set(&m, FG_ATTR_LAST_SEEN, last);
	if (type == FG_MESSAGE_FLOW) {
		set(&m, FG_ATTR_APPLICATION, 1);
		set(&m, FG_ATTR_LOCAL_PORT, 1);
	}
	fg_membership_message(s->m, 0, 1, &m, 0);
}

/* What is delivered late ends nothing that was said since. */
static void test_late_purge(void **state)
{
	struct scene *s = *state;

	send_when(s, FG_MESSAGE_FLOW, 1000, 2000);
	book[0] = '\0';
	send_when(s, FG_MESSAGE_FLOW_PURGE, 500, 5000);
	send_when(s, FG_MESSAGE_FLOW_PURGE, 1000, 1999);
	assert_told("");
	assert_int_equal(counts(s).unknown, 2);
	send_when(s, FG_MESSAGE_FLOW_PURGE, 1000, 2000);
	assert_told("-a:x1:1 ");
	/* of a connection that we did not hear of yet */
	send_when(s, FG_MESSAGE_FLOW, 1000, 2000);
	book[0] = '\0';
	send_when(s, FG_MESSAGE_FLOW_PURGE, 3000, 3000);
	assert_told("-a:x1:1 ");
}

static void test_source_lost(void **state)
{
	struct scene *s = *state;

	send(s, FG_MESSAGE_FLOW, 1, 1);
	send(s, FG_MESSAGE_FLOW, 2, 1);
	send_at(s, FG_MESSAGE_FLOW, 1, 1, 1, 2, 0); /* told again afterwards */
	book[0] = '\0';
	fg_membership_source_void(s->m, 0, 2);
	settle(s, 0, 0);
	assert_told("-a:x1:2 ");
	assert_int_equal(counts(s).source_lost, 1);
}

static void test_schedule(void **state)
{
	struct scene *s = *state;

	s->next = config_new(s->first);
	s->next->policy.edge = 5000;
	send(s, FG_MESSAGE_FLOW, 1, 1);
	assert_int_equal(fg_membership_configure(s->m, &s->next->generation, 0),
			 0);
	settle(s, 0, 0);
	assert_told("+a:x1:1 ");
	assert_int_equal(fg_membership_deadline(s->m, 0, 4000), 1000);
	settle(s, 0, 4999);
	assert_told("");
	settle(s, 0, 5000);
	assert_told("-a:x1:1 ");
	settle(s, 0, 4000); /* the clock was set back: open again */
	assert_told("+a:x1:1 ");
}

static void test_reload(void **state)
{
	struct scene *s = *state;

	/* one action more at the top would shift every rank: "x0" gets b */
	s->next = config_new(s->first);
	config_action(s->next, 0, false, "b");
	config_action(s->next, 2, false, "b");
	send(s, FG_MESSAGE_FLOW, 1, 1);
	send(s, FG_MESSAGE_FLOW, 2, 2);
	book[0] = '\0';
	assert_int_equal(fg_membership_configure(s->m, &s->next->generation, 0),
			 0);
	assert_int_equal(
		fg_membership_configure(s->m, &s->first->generation, 0),
		-EBUSY); /* still moving */
	settle(s, 0, 0);
	/* x1's flow did not notice; x2's left a and never left b */
	assert_told("-a:x2:2 ");
	assert_ptr_equal(s->retired, &s->first->generation);
	assert_int_equal(s->first->own[0].members, 1);
	send(s, FG_MESSAGE_FLOW_PURGE, 1, -1);
	assert_told("-a:x1:1 ");
}

static void test_reload_without_reprocessing(void **state)
{
	struct scene *s = *state;

	s->next = config_new(s->first);
	s->next->settings.reprocess_flows = false;
	s->next->targets[1] = &s->next->own[1]; /* b is another one now */
	config_action(s->next, 1, false, "");
	send(s, FG_MESSAGE_FLOW, 1, 1);
	send(s, FG_MESSAGE_FLOW, 2, 2);
	book[0] = '\0';
	assert_int_equal(fg_membership_configure(s->m, &s->next->generation, 0),
			 0);
	settle(s, 0, 0);
	/* what is no more is left; the rest stays until the flow changes */
	assert_told("-b:x2:2 ");
	assert_int_equal(s->first->own[0].members, 2);
	send(s, FG_MESSAGE_FLOW, 1, 0);
	assert_told("-a:x1:1 ");
	send(s, FG_MESSAGE_FLOW_PURGE, 2, -1);
	assert_told("-a:x2:2 ");
}

static void test_observe(void **state)
{
	struct scene *s = *state;

	s->next = config_new(s->first);
	config_action(s->next, 1, true, "ac");
	assert_int_equal(fg_membership_configure(s->m, &s->next->generation, 0),
			 0);
	settle(s, 0, 0);
	send(s, FG_MESSAGE_FLOW, 1, 1);
	/* only a type that observes hears of it; it is nobody's member */
	assert_told("+c:x1:1? ");
	assert_int_equal(s->first->own[2].members, 0);
	assert_int_equal(s->first->own[2].observed, 1);
	/* a, of another type, does not hear of it, but what it would hold counts */
	assert_int_equal(s->first->own[0].members, 0);
	assert_int_equal(s->first->own[0].observed, 1);
	send(s, FG_MESSAGE_FLOW_PURGE, 1, -1);
	assert_told("-c:x1:1? ");
	assert_int_equal(s->first->own[2].observed, 0);
}

static void test_flush_order(void **state)
{
	struct scene *s = *state;

	send(s, FG_MESSAGE_FLOW, 1, 3);
	send(s, FG_MESSAGE_FLOW, 2, 2);
	book[0] = '\0';
	/* c comes after all others, and not while they want more */
	more = true;
	assert_true(fg_membership_flush(s->m, 0));
	assert_told("!a !b ");
	more = false;
	assert_false(fg_membership_flush(s->m, 0));
	assert_told("!a !b !c ");
	assert_false(fg_membership_flush(s->m, 0)); /* nothing was told */
	assert_told("");
}

struct delegation {
	struct scene *s;
	const struct fg_flow *flow;
	const struct fg_member *member;
};

static bool take(const struct fg_flow *f, const struct fg_member *m, void *ctx)
{
	struct delegation *d = ctx;

	d->flow = f;
	d->member = m;
	fg_membership_delegate(d->s->m, &d->s->first->own[0],
			       &d->s->first->own[1], f, m, true);
	return true;
}

static void test_delegate(void **state)
{
	struct scene *s = *state;
	struct delegation d = {s, NULL, NULL};

	send(s, FG_MESSAGE_FLOW, 1, 1);
	book[0] = '\0';
	fg_membership_members(s->m, &s->first->own[0], take, &d);
	assert_told("+b:x1:1 ");
	assert_non_null(d.member);
	fg_membership_delegate(s->m, &s->first->own[0], &s->first->own[1],
			       d.flow, d.member, false);
	assert_told("-b:x1:1 ");
	fg_membership_members(s->m, &s->first->own[0], take, &d);
	book[0] = '\0';
	/* to be told again keeps what was delegated */
	send(s, FG_MESSAGE_FLOW, 1, 1);
	assert_told("");
	/* and it goes with the membership that it stands for */
	send(s, FG_MESSAGE_FLOW_PURGE, 1, -1);
	assert_int_equal(s->first->own[0].members, 0);
	assert_int_equal(s->first->own[1].members, 0);
}

static void test_verdicts_run_out(void **state)
{
	struct scene *s = *state;

	send(s, FG_MESSAGE_FLOW, 1, 1);
	send(s, FG_MESSAGE_FLOW, 2, 2);
	book[0] = '\0';
	send(s, FG_MESSAGE_FLOW, 3, 3);
	assert_told(""); /* no room for a third list: counted, not half in */
	assert_int_equal(s->first->own[2].refused, 1);
	send(s, FG_MESSAGE_FLOW_PURGE, 2, -1);
	send(s, FG_MESSAGE_FLOW, 3, 0);
	book[0] = '\0';
	send(s, FG_MESSAGE_FLOW, 3, 3);
	assert_told("+c:x3:3 ");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_life),
		CASE(test_suspend),
		CASE(test_several_targets),
		CASE(test_restart),
		CASE(test_rekey),
		CASE(test_moved),
		CASE(test_digest_prev),
		CASE(test_sources_are_apart),
		CASE(test_full),
		CASE(test_idle),
		CASE(test_source_idle),
		CASE(test_late_purge),
		CASE(test_source_lost),
		CASE(test_schedule),
		CASE(test_reload),
		CASE(test_reload_without_reprocessing),
		CASE(test_observe),
		CASE(test_flush_order),
		CASE(test_delegate),
		cmocka_unit_test_setup_teardown(test_verdicts_run_out,
						setup_two_verdicts, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
