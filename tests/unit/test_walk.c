/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/flow common/policy/walk.c */
/* test_walk.c - which flows are visited, when, and what for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/walk.h"

struct scene {
	struct fg_flow_table *table;
	struct fg_walk *walk;
	char book[256];
};

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct fg_flow_limits limits = {.max_flows = 8, .seed = 1};

	assert_non_null(s);
	assert_int_equal(fg_flow_table_new(&s->table, &limits), 0);
	assert_int_equal(fg_walk_new(&s->walk, s->table), 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	fg_walk_free(s->walk);
	fg_flow_table_free(s->table);
	free(s);
	return 0;
}

/* Flow n of a source is mentioned in a connection of it. */
static void mention(struct scene *s, uint16_t source, uint8_t n, uint16_t epoch,
		    int64_t now)
{
	uint8_t digest[FG_DIGEST_SIZE] = {n};
	struct fg_flow *f = fg_flow_find(s->table, source, digest);

	if (!f)
		f = fg_flow_insert(s->table, source, digest);
	assert_non_null(f);
	fg_flow_touch(s->table, f, epoch, now);
}

/* One stop: the task's letter, the flow and the reason. */
static bool stop(struct scene *s, int64_t now)
{
	static const char letters[] = "-vier";
	size_t len = strlen(s->book);
	enum fg_walk_task task;
	enum fg_reason reason = FG_REASON_COUNT;
	struct fg_flow *f = fg_walk_next(s->walk, now, &task, &reason);

	if (!f)
		return false;
	snprintf(s->book + len, sizeof(s->book) - len, "%c%u", letters[task],
		 f->digest[0]);
	len = strlen(s->book);
	if (task == FG_WALK_EVALUATE)
		snprintf(s->book + len, sizeof(s->book) - len, "/%d",
			 (int)reason);
	strcat(s->book, " ");
	if (task == FG_WALK_VOID || task == FG_WALK_IDLE) {
		assert_int_equal(reason, task == FG_WALK_VOID
						 ? FG_REASON_SOURCE_LOST
						 : FG_REASON_IDLE);
		fg_flow_remove(s->table, f);
	}
	return true;
}

/* All that is due at now, in the order in which it comes. */
static const char *walked(struct scene *s, int64_t now)
{
	s->book[0] = '\0';
	while (fg_walk_due(s->walk, now) && stop(s, now))
		;
	assert_true(fg_walk_deadline(s->walk, now) > now);
	return s->book;
}

static void test_nothing(void **state)
{
	struct scene *s = *state;

	mention(s, 0, 1, 1, 0);
	assert_false(fg_walk_due(s->walk, 0));
	assert_int_equal(fg_walk_deadline(s->walk, 0), INT64_MAX);
	fg_walk_release(s->walk);
	assert_int_equal(fg_walk_deadline(s->walk, 5), 5);
	assert_string_equal(walked(s, 0), "r1 ");
	assert_string_equal(walked(s, 0), "");
}

/* Asked for half-way: for all flows, those that were passed by included. */
static void test_again(void **state)
{
	struct scene *s = *state;
	char want[64];

	for (uint8_t n = 1; n <= 3; n++)
		mention(s, 0, n, 1, 0);
	fg_walk_release(s->walk);
	assert_true(stop(s, 0));
	assert_true(stop(s, 0));
	assert_string_equal(s->book, "r1 r2 ");
	fg_walk_evaluate(s->walk, FG_REASON_NAMES);
	fg_walk_evaluate(s->walk, FG_REASON_SCHEDULE);
	/* another task's reason is not the one to evaluate for */
	fg_walk_source_void(s->walk, 1, 2);
	snprintf(want, sizeof(want), "r3 e1/%d e2/%d e3/%d ",
		 FG_REASON_SCHEDULE, FG_REASON_SCHEDULE, FG_REASON_SCHEDULE);
	assert_string_equal(walked(s, 0), want);
}

/* To evaluate is to release, too; what is dropped needs neither. */
static void test_first_that_applies(void **state)
{
	struct scene *s = *state;
	char want[64];

	mention(s, 0, 1, 1, 0);
	mention(s, 0, 2, 2, 0);
	fg_walk_source_void(s->walk, 1, 2);
	assert_true(stop(s, 0));
	fg_walk_release(s->walk); /* these three make one walk, the next */
	fg_walk_evaluate(s->walk, FG_REASON_RELOAD);
	fg_walk_source_void(s->walk, 0, 2);
	snprintf(want, sizeof(want), "-2 v1 e2/%d ", FG_REASON_RELOAD);
	assert_string_equal(walked(s, 0), want);
}

static void test_void(void **state)
{
	struct scene *s = *state;

	mention(s, 0, 1, UINT16_MAX, 0);
	mention(s, 0, 2, 0, 0); /* the number of the connection began anew */
	mention(s, 0, 3, 1, 0); /* one more, that announces already */
	mention(s, 1, 4, UINT16_MAX, 0);
	fg_walk_source_void(s->walk, 0, 0);
	assert_string_equal(walked(s, 0), "v1 -2 -3 -4 ");
	/* that is over: connections before it don't count any more */
	mention(s, 0, 1, UINT16_MAX, 0);
	fg_walk_source_void(s->walk, 1, 0);
	assert_string_equal(walked(s, 0), "-1 -2 -3 v4 ");
}

/* Lost once more while we walk: those behind us are not forgotten. */
static void test_void_again(void **state)
{
	struct scene *s = *state;

	mention(s, 0, 1, 2, 0);
	mention(s, 0, 2, 1, 0);
	fg_walk_source_void(s->walk, 0, 2);
	assert_true(stop(s, 0));
	assert_string_equal(s->book, "-1 ");
	fg_walk_source_void(s->walk, 0, 3);
	assert_string_equal(walked(s, 0), "v2 v1 ");
}

static void test_idle(void **state)
{
	struct scene *s = *state;

	fg_walk_source_idle(s->walk, 0, 64000);
	fg_walk_source_idle(s->walk, 2, 32000);
	assert_string_equal(walked(s, 0), "");
	/* of no flow, nothing is idle */
	assert_int_equal(fg_walk_deadline(s->walk, 10000), INT64_MAX);
	mention(s, 0, 1, 1, 10000);
	mention(s, 1, 2, 1, 10000);
	mention(s, 2, 3, 1, 10000);
	assert_string_equal(walked(s, 10000), "-1 -2 -3 ");
	/* a sixteenth of the shortest */
	assert_int_equal(fg_walk_deadline(s->walk, 10000), 12000);
	assert_string_equal(walked(s, 11999), "");
	assert_string_equal(walked(s, 41999), "-1 -2 -3 ");
	assert_string_equal(walked(s, 44000), "-1 -2 i3 ");
	assert_string_equal(walked(s, 74000), "i1 -2 ");
	/* the other way round, and not oftener than once a second */
	fg_walk_source_idle(s->walk, 1, 8000);
	assert_int_equal(fg_walk_deadline(s->walk, 74000), 74000);
	assert_string_equal(walked(s, 74000), "i2 ");
	mention(s, 1, 2, 1, 75000);
	assert_int_equal(fg_walk_deadline(s->walk, 74000), 75000);
	for (uint16_t n = 0; n < 3; n++)
		fg_walk_source_idle(s->walk, n, 0);
	assert_int_equal(fg_walk_deadline(s->walk, 74000), INT64_MAX);
	assert_string_equal(walked(s, 1000000), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(test_nothing),
		CASE(test_again),
		CASE(test_first_that_applies),
		CASE(test_void),
		CASE(test_void_again),
		CASE(test_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
