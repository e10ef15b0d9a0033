/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stats_target.c - what the target type stats makes of what it is told. */
/* LINK: plugins/stats */
/* LIBS: -lmicrohttpd */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <flowgate/plugin.h>

#include "../../plugins/stats/buffer.h"

#define NOW INT64_C(1764000000000)

extern const struct fg_plugin flowgate_plugin_v1;

/* ---------------------------------------------------------------- the host */

struct membership {
	const char *target;
	struct fg_member member;
};

static struct membership memberships[40];
static size_t membership_count;
static const char *sides;
static const void *configuration[4]; /* handles that target_find() knows */

static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...)
{
	(void)h, (void)level, (void)fmt;
}

static int64_t host_now(const struct fg_host *h)
{
	(void)h;
	return 1000;
}

static int64_t host_wall(const struct fg_host *h)
{
	(void)h;
	return NOW;
}

static void host_timer_cancel(const struct fg_host *h, struct fg_timer *t)
{
	(void)h, (void)t;
}

static const char *host_name(const struct fg_host *h, enum fg_name kind,
			     uint32_t id)
{
	static const char *const names[] = {"unknown", "netflix", "zoom"};

	(void)h, (void)kind;
	return names[id];
}

static const char *host_category(const struct fg_host *h, enum fg_category kind,
				 uint32_t id)
{
	static const char *const names[] = {"unknown", "video", "calls"};

	(void)h, (void)kind;
	return names[id];
}

static void host_memberships(const struct fg_host *h,
			     const struct fg_flow *flow,
			     void (*each)(void *ctx, const char *target,
					  const struct fg_member *member),
			     void *ctx)
{
	(void)h, (void)flow;
	for (size_t i = 0; i < membership_count; i++)
		each(ctx, memberships[i].target, &memberships[i].member);
}

/* Targets are called after where they are in the configuration. */
static const void *host_target_find(const struct fg_host *h, const char *name)
{
	(void)h;
	return configuration[*name - '0'];
}

static int get_text(const struct fg_node *o, const char *key, const char **out)
{
	(void)o;
	if (strcmp(key, "sides") != 0 || !sides)
		return 0;
	*out = sides;
	return 1;
}

static int get_uint(const struct fg_node *o, const char *key, uint64_t min,
		    uint64_t max, uint64_t *out)
{
	(void)o, (void)key, (void)min, (void)max, (void)out;
	return 0;
}

static unsigned errors;

static void say_error(const struct fg_node *at, const char *fmt, ...)
{
	(void)at, (void)fmt;
	errors++;
}

static const struct fg_config config = {
	.size = sizeof(config),
	.text = get_text,
	.uint = get_uint,
	.error = say_error,
};

static const struct fg_host host = {
	.size = sizeof(host),
	.config = &config,
	.log = host_log,
	.now = host_now,
	.wall = host_wall,
	.timer_cancel = host_timer_cancel,
	.name = host_name,
	.category = host_category,
	.memberships = host_memberships,
	.target_find = host_target_find,
};

/* -------------------------------------------------------------- the target */

static const struct fg_target_type *type;
static struct fg_buffer text;

static void *opened(const void *self, const char *name)
{
	void *target;

	assert_int_equal(type->open(&host, self, name, NULL, NULL, &target), 0);
	return target;
}

static int setup(void **state)
{
	type = flowgate_plugin_v1.targets[0];
	membership_count = 0;
	errors = 0;
	sides = NULL;
	configuration[0] = &configuration[0];
	*state = opened(&configuration[0], "0");
	return type->configured(*state);
}

static int teardown(void **state)
{
	type->close(*state, true);
	fg_buffer_fini(&text);
	return 0;
}

/* The value of a line of the rendering; 0 when there is none. */
static uint64_t value(void *target, const char *line)
{
	const char *at;
	char want[200];

	fg_buffer_begin(&text);
	assert_true(type->render(target, "prometheus", fg_buffer_add, &text));
	fg_buffer_add(&text, "", 1);
	snprintf(want, sizeof(want), "\nflowgate_%s ", line);
	at = strstr(text.bytes, want);
	return at ? strtoull(at + strlen(want), NULL, 10) : 0;
}

static struct fg_flow flow(uint32_t application)
{
	return (struct fg_flow){.ip_version = 4,
				.local_addr = {192, 0, 2, 1},
				.application = application,
				.cat_application = (uint16_t)application,
				.first_seen = (uint64_t)NOW - 20,
				.flags = FG_FLOW_INTERNAL};
}

static void announce(void *t, const struct fg_flow *f)
{
	type->event(t, FG_EVENT_ANNOUNCED, f, FG_REASON_DETECTED);
}

/* As the host tells a change of key or class. */
static void change(void *t, const struct fg_flow *old, const struct fg_flow *f,
		   enum fg_reason reason)
{
	type->event(t, FG_EVENT_REMOVED, old, reason);
	type->event(t, FG_EVENT_ANNOUNCED, f, reason);
}

static void join(void *t, const struct fg_flow *f, const char *target,
		 const char *action, enum fg_reason reason)
{
	struct membership *m = &memberships[membership_count++];

	*m = (struct membership){target,
				 {.size = sizeof(m->member),
				  .action = action,
				  .targets = "block, log"}};
	type->moved(t, f, target, &m->member, true, reason);
}

#define APPLICATION(what, name)                                                \
	"application_" what "_total{application=\"" name "\"}"
#define DEVICE(what, name) "device_" what "_total{device=\"" name "\"}"

/* ------------------------------------------------------------------- tests */

static void test_changes(void **state)
{
	struct fg_flow a = flow(0), b = flow(1), c = flow(1);
	void *t = *state;

	announce(t, &a);
	change(t, &a, &b, FG_REASON_RECLASSIFIED);
	/* the same again, with flags that say how it was found: no new flow */
	change(t, &b, &c, FG_REASON_RECLASSIFIED);
	assert_int_equal(value(t, APPLICATION("flows", "unknown")), 1);
	assert_int_equal(value(t, APPLICATION("flows", "netflix")), 1);
	assert_int_equal(value(t, "category_flows_total{category=\"video\"}"),
			 1);
	assert_int_equal(value(t, DEVICE("flows", "192.0.2.1")), 1);
	/* another port is the same flow, a MAC address another device */
	c.local_port = 5;
	change(t, &b, &c, FG_REASON_REKEYED);
	assert_int_equal(value(t, APPLICATION("flows", "netflix")), 1);
	b = c;
	c.flags |= FG_FLOW_HAS_LOCAL_MAC;
	change(t, &b, &c, FG_REASON_REKEYED);
	assert_int_equal(value(t, DEVICE("flows", "00:00:00:00:00:00")), 1);
	assert_int_equal(value(t, APPLICATION("flows", "netflix")), 1);
	/* it ends: nothing more is counted, nor does it come back as changed */
	type->event(t, FG_EVENT_REMOVED, &c, FG_REASON_PURGED);
	announce(t, &c);
	assert_int_equal(value(t, APPLICATION("flows", "netflix")), 2);
}

static void test_delays(void **state)
{
	static const struct {
		uint32_t application;
		uint16_t flags;
		int64_t age;
		uint64_t counted, ignored;
	} cases[] = {
		{1, 0, 20, 1, 0},
		{0, 0, 20, 0, 0},	/* not known yet */
		{1, 0, 86400000, 0, 1}, /* a recording */
		/* repeated for a client that is new */
		{1, FG_FLOW_ESTABLISHED, 20, 0, 0},
	};
	void *t = *state;
	uint64_t counted = 0, ignored = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_flow f = flow(cases[i].application);

		f.flags |= cases[i].flags;
		f.first_seen = (uint64_t)(NOW - cases[i].age);
		announce(t, &f);
		counted += cases[i].counted;
		ignored += cases[i].ignored;
		assert_int_equal(value(t, "detection_delay_seconds_count"),
				 counted);
		assert_int_equal(value(t, "detection_delay_ignored_total"),
				 ignored);
	}
	/* found out later: counts then, and once */
	struct fg_flow a = flow(0), b = flow(1), c = flow(2);

	announce(t, &a);
	change(t, &a, &b, FG_REASON_RECLASSIFIED);
	change(t, &b, &c, FG_REASON_RECLASSIFIED);
	assert_int_equal(value(t, "detection_delay_seconds_count"),
			 counted + 1);
}

static void test_sides(void **state)
{
	static const struct {
		const char *sides;
		uint64_t inside, outside;
	} cases[] = {
		{NULL, 1, 0}, {"lan", 1, 0}, {"wan", 0, 1}, {"both", 1, 1}};

	type->close(*state, true);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_flow in = flow(1), out = flow(2);
		const struct fg_growth by = {1, 1, 1, 1};

		sides = cases[i].sides;
		*state = opened(&configuration[0], "0");
		assert_int_equal(type->configured(*state), 0);
		out.flags &= (uint16_t)~FG_FLOW_INTERNAL;
		announce(*state, &in);
		announce(*state, &out);
		type->count(*state, &in, &by);
		type->count(*state, &out, &by);
		assert_int_equal(value(*state, APPLICATION("flows", "netflix")),
				 cases[i].inside);
		assert_int_equal(value(*state, APPLICATION("flows", "zoom")),
				 cases[i].outside);
		assert_int_equal(value(*state,
				       "application_bytes_total{application="
				       "\"zoom\",direction=\"up\"}"),
				 cases[i].outside);
		join(*state, &out, "block", "a", FG_REASON_DETECTED);
		assert_int_equal(
			value(*state, "target_flows_total{target=\"block\"}"),
			cases[i].outside);
		membership_count = 0;
		/* one that comes in by its key is a new one */
		change(*state, &out, &in, FG_REASON_REKEYED);
		assert_int_equal(value(*state, APPLICATION("flows", "netflix")),
				 i == 2 ? 0 : cases[i].inside + 1);
		if (i + 1 < sizeof(cases) / sizeof(*cases))
			type->close(*state, true);
	}
}

static void test_actions(void **state)
{
	const struct fg_growth by = {10, 20, 1, 2};
	struct fg_flow f = flow(1);
	void *t = *state;

	/* all of a flow's targets are in the list before one is told */
	memberships[0] = (struct membership){
		"log", {.action = "no", .targets = "block, log"}};
	membership_count = 1;
	join(t, &f, "block", "no", FG_REASON_DETECTED);
	type->moved(t, &f, "log", &memberships[0].member, true,
		    FG_REASON_DETECTED);
	/* one of them sends it on: no second time, wherever it is listed */
	join(t, &f, "rest", "no", FG_REASON_TARGET);
	memberships[2] = memberships[0];
	memberships[0] = (struct membership){
		"rest", {.action = "no", .targets = "block, log"}};
	type->moved(t, &f, "rest", &memberships[0].member, true,
		    FG_REASON_TARGET);
	/* another action */
	join(t, &f, "mark", "yes", FG_REASON_SCHEDULE);
	/* this very target, named by an action */
	join(t, &f, "0", "yes", FG_REASON_SCHEDULE);
	type->count(t, &f, &by);
	assert_int_equal(value(t, "action_flows_total{action=\"no\"}"), 1);
	assert_int_equal(value(t, "action_flows_total{action=\"yes\"}"), 1);
	assert_int_equal(
		value(t, "action_bytes_total{action=\"no\",direction=\"up\"}"),
		10);
	assert_int_equal(value(t, "action_packets_total{action=\"yes\","
				  "direction=\"down\"}"),
			 2);
	assert_int_equal(value(t, "target_flows_total{target=\"block\"}"), 1);
	assert_int_equal(value(t, "target_flows_total{target=\"rest\"}"), 2);
	assert_int_equal(value(t, "target_flows_total{target=\"0\"}"), 0);
	assert_int_equal(
		value(t,
		      "target_bytes_total{target=\"mark\",direction=\"down\"}"),
		20);
	assert_int_equal(
		value(t, "target_bytes_total{target=\"0\",direction=\"down\"}"),
		0);
	/* leaving counts nothing */
	type->moved(t, &f, "mark", &memberships[3].member, false,
		    FG_REASON_PURGED);
	assert_int_equal(value(t, "target_flows_total{target=\"mark\"}"), 1);
}

static void test_observed(void **state)
{
	const struct fg_growth by = {10, 20, 1, 2};
	struct fg_flow f = flow(1);
	void *t = *state;

	memberships[0] = (struct membership){
		"0", {.action = "try", .targets = "0", .observe = true}};
	membership_count = 1;
	type->moved(t, &f, "0", &memberships[0].member, true,
		    FG_REASON_DETECTED);
	type->count(t, &f, &by);
	assert_int_equal(value(t, "observed_flows_total{action=\"try\"}"), 1);
	assert_int_equal(
		value(t,
		      "observed_bytes_total{action=\"try\",direction=\"up\"}"),
		10);
	assert_int_equal(value(t, "action_flows_total{action=\"try\"}"), 0);
	assert_null(strstr(text.bytes, "target_flows_total{"));
}

/* A reload with other settings: the counters are the same ones. */
static void test_reload(void **state)
{
	struct fg_flow f = flow(1);
	void *old = *state, *new;

	announce(old, &f);
	new = opened(&configuration[1], "0");
	configuration[0] = &configuration[1]; /* the new one has that name */
	assert_int_equal(type->configured(new), 0);
	assert_int_equal(value(new, APPLICATION("flows", "netflix")), 1);
	announce(new, &f);
	type->close(old, false);
	*state = new;
	assert_int_equal(value(new, APPLICATION("flows", "netflix")), 2);
	/* configured() comes again when a later reload fails */
	assert_int_equal(type->configured(new), 0);
	assert_int_equal(value(new, APPLICATION("flows", "netflix")), 2);
}

static void test_reload_under_another_name(void **state)
{
	struct fg_flow f = flow(1);
	void *old = *state, *new;

	announce(old, &f);
	configuration[0] = NULL;
	configuration[1] = &configuration[1];
	new = opened(&configuration[1], "1");
	assert_int_equal(type->configured(new), 0);
	type->close(old, false);
	*state = new;
	assert_int_equal(value(new, APPLICATION("flows", "netflix")), 1);
}

static void test_one_is_enough(void **state)
{
	void *other;

	(void)state;
	configuration[1] = &configuration[1];
	other = opened(&configuration[1], "1");
	assert_int_equal(type->configured(other), -EINVAL);
	assert_int_equal(errors, 1);
	assert_false(type->render(other, "prometheus", fg_buffer_add, &text));
	type->close(other, false);
}

static void test_formats(void **state)
{
	fg_buffer_begin(&text);
	assert_true(type->render(*state, "report", fg_buffer_add, &text));
	assert_int_equal(text.bytes[0], '{');
	fg_buffer_begin(&text);
	assert_false(type->render(*state, "html", fg_buffer_add, &text));
	assert_int_equal(text.len, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_changes),
		CASE(test_delays),
		CASE(test_sides),
		CASE(test_actions),
		CASE(test_observed),
		CASE(test_reload),
		CASE(test_reload_under_another_name),
		CASE(test_one_is_enough),
		CASE(test_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
