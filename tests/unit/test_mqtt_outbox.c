/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/mqtt/outbox.c common/lease/wheel.c */
/*
 * test_mqtt_outbox - what is said, in what order, and what is let fall when the
 * queue is full; against a plain list of who is a member at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/mqtt/outbox.h"

#define EVERY 10000

static struct fg_flow flow_of(uint32_t n)
{
	struct fg_flow f = {.source = (uint16_t)(n % 3), .first_seen = 5000};

	memcpy(f.digest, &n, sizeof(n));
	return f;
}

static uint32_t number_of(const struct fg_flow *f)
{
	uint32_t n;

	memcpy(&n, f->digest, sizeof(n));
	return n;
}

static struct fg_outbox *make(uint32_t members, uint32_t queue)
{
	struct fg_outbox_setup setup = {.max_members = members,
					.queue = queue,
					.every_ms = EVERY,
					.seed = 99,
					.now = 0};
	struct fg_outbox *o;

	assert_int_equal(fg_outbox_new(&o, &setup), 0);
	return o;
}

static void enter(struct fg_outbox *o, uint32_t n)
{
	struct fg_flow f = flow_of(n);

	fg_outbox_enter(o, &f);
}

static void leave(struct fg_outbox *o, uint32_t n)
{
	struct fg_flow f = flow_of(n);

	fg_outbox_leave(o, &f, FG_REASON_PURGED, 6000);
}

/* Says all there is: "+1 -2 " for an announcement and a purge. */
static const char *said(struct fg_outbox *o, int mid, int64_t now)
{
	static char text[4096];
	size_t len = 0;
	uint32_t id;

	text[0] = '\0';
	while ((id = fg_outbox_next(o)) != 0 && len < sizeof(text) - 16) {
		enum fg_reason reason;
		bool purge = fg_outbox_is_purge(o, id, &reason);
		struct fg_flow f;

		fg_outbox_flow(o, id, 7000, &f);
		len += (size_t)sprintf(text + len, "%c%u ", purge ? '-' : '+',
				       number_of(&f));
		fg_outbox_sent(o, id, mid != 0, now);
	}
	if (mid)
		fg_outbox_number(o, mid);
	return text;
}

static struct fg_outbox_counts counts(const struct fg_outbox *o)
{
	struct fg_outbox_counts n;

	fg_outbox_counts(o, &n);
	return n;
}

static void test_order(void **state)
{
	struct fg_outbox *o = make(100, 50);

	(void)state;
	fg_outbox_up(o, 0);
	enter(o, 1);
	enter(o, 2);
	assert_string_equal(said(o, 1, 0), "+1 +2 ");
	enter(o, 3);
	leave(o, 1);
	/* what ends comes before what begins */
	assert_string_equal(said(o, 2, 0), "-1 +3 ");
	assert_int_equal(counts(o).pending, 1);
	fg_outbox_confirmed(o, 1);
	assert_int_equal(counts(o).pending, 1);
	fg_outbox_confirmed(o, 2);
	assert_int_equal(counts(o).pending, 0);
	assert_int_equal(counts(o).members, 2);
	assert_string_equal(said(o, 3, 0), "");
	fg_outbox_free(o);
}

/* What nobody was told of need not be taken back, and the other way round. */
static void test_coalesce(void **state)
{
	struct fg_outbox *o = make(100, 50);

	(void)state;
	fg_outbox_up(o, 0);
	enter(o, 1);
	leave(o, 1);
	assert_string_equal(said(o, 1, 0), "");
	enter(o, 1);
	assert_string_equal(said(o, 1, 0), "+1 ");
	leave(o, 1);
	enter(o, 1);
	assert_string_equal(said(o, 1, 0), "+1 ");
	/* through two actions: gone when both let go */
	enter(o, 1);
	leave(o, 1);
	assert_string_equal(said(o, 1, 0), "");
	leave(o, 1);
	assert_string_equal(said(o, 1, 0), "-1 ");
	leave(o, 1);
	leave(o, 77);
	assert_int_equal(counts(o).members, 0);
	fg_outbox_free(o);
}

/* Each is said again, once, between three quarters of the time and all of it.
 */
static void test_again(void **state)
{
	struct fg_outbox *o = make(1000, 2000);
	unsigned early = 0, all = 0;

	(void)state;
	fg_outbox_up(o, 0);
	for (uint32_t i = 0; i < 1000; i++)
		enter(o, i);
	while (*said(o, 1, 0))
		;
	for (int64_t now = 0; now <= EVERY + 200; now += 50) {
		uint32_t id;

		fg_outbox_tick(o, now);
		while ((id = fg_outbox_next(o)) != 0) {
			fg_outbox_sent(o, id, true, now);
			early += now < EVERY * 3 / 4;
			all++;
		}
	}
	assert_int_equal(early, 0);
	assert_int_equal(all, 1000);
	assert_int_equal(counts(o).announced_again, 1000);
	assert_int_equal(counts(o).dropped, 0);
	fg_outbox_free(o);
}

/* The newest word is always the later one, even within a millisecond. */
static void test_stamps(void **state)
{
	struct fg_outbox *o = make(10, 20);
	struct fg_flow f;
	uint64_t was = 0;

	(void)state;
	fg_outbox_up(o, 0);
	for (int i = 0; i < 4; i++) {
		uint32_t id;

		enter(o, 1);
		id = fg_outbox_next(o);
		fg_outbox_flow(o, id, 6000, &f);
		assert_true(f.first_seen + f.age_ms > was);
		was = f.first_seen + f.age_ms;
		fg_outbox_sent(o, id, true, 0);
		leave(o, 1);
		id = fg_outbox_next(o);
		fg_outbox_flow(o, id, 6000, &f);
		assert_true(f.first_seen + f.age_ms > was);
		was = f.first_seen + f.age_ms;
		/* and the same when it is to be said twice */
		fg_outbox_flow(o, id, 9999, &f);
		assert_int_equal(f.first_seen + f.age_ms, was);
		fg_outbox_sent(o, id, true, 0);
	}
	fg_outbox_free(o);
}

/* Oldest announcements first, then oldest purges; both counted. */
static void test_full(void **state)
{
	struct fg_outbox *o = make(1000, 8);

	(void)state;
	fg_outbox_up(o, 0);
	for (uint32_t i = 0; i < 8; i++)
		enter(o, i);
	assert_string_equal(said(o, 0, 0), "+0 +1 +2 +3 +4 +5 +6 +7 ");
	fg_outbox_down(o);
	for (uint32_t i = 100; i < 110; i++)
		enter(o, i);
	assert_int_equal(counts(o).dropped, 2);
	assert_int_equal(counts(o).pending, 8);
	for (uint32_t i = 0; i < 4; i++)
		leave(o, i);
	assert_int_equal(counts(o).dropped, 6);
	assert_int_equal(counts(o).dropped_purges, 0);
	/* 6 to 9 are still to be said; all purges are */
	fg_outbox_up(o, 1000);
	assert_string_equal(said(o, 0, 1000),
			    "-0 -1 -2 -3 +106 +107 +108 +109 ");
	/* those that were let fall come, since all do */
	fg_outbox_tick(o, 2000);
	assert_int_equal(counts(o).members, 14);
	assert_int_equal(counts(o).pending, 8);
	while (*said(o, 0, 2000))
		;
	for (uint32_t i = 4; i < 8; i++)
		leave(o, i);
	for (uint32_t i = 100; i < 110; i++)
		leave(o, i);
	/* of those that nobody was told of, nobody is told the end */
	assert_int_equal(counts(o).members, 0);
	assert_in_range(counts(o).dropped_purges, 1, 6);
	assert_int_equal(counts(o).pending, 8);
	fg_outbox_free(o);
}

/* A connection that ends takes what was not confirmed with it. */
static void test_unconfirmed(void **state)
{
	struct fg_outbox *o = make(100, 50);

	(void)state;
	fg_outbox_up(o, 0);
	enter(o, 1);
	enter(o, 2);
	said(o, 1, 0);
	leave(o, 1);
	leave(o, 2);
	said(o, 2, 0);
	assert_int_equal(counts(o).purged, 2);
	/* one is back meanwhile: to be announced, not purged */
	enter(o, 2);
	fg_outbox_down(o);
	fg_outbox_up(o, 100);
	assert_string_equal(said(o, 3, 100), "-1 +2 ");
	fg_outbox_confirmed(o, 3);
	assert_int_equal(counts(o).pending, 0);
	assert_int_equal(counts(o).purged, 2);
	fg_outbox_free(o);
}

/* After a connection is made anew, all are said, some 4,000 in a second. */
static void test_paced(void **state)
{
	struct fg_outbox *o = make(20000, 30000);
	uint32_t id, n = 0;

	(void)state;
	fg_outbox_up(o, 0);
	for (uint32_t i = 0; i < 20000; i++)
		enter(o, i);
	while ((id = fg_outbox_next(o)) != 0)
		fg_outbox_sent(o, id, true, 0);
	fg_outbox_down(o);
	fg_outbox_tick(o, 500000);
	assert_int_equal(fg_outbox_deadline(o), INT64_MAX);
	fg_outbox_up(o, 500000);
	assert_true(fg_outbox_deadline(o) < INT64_MAX);
	fg_outbox_tick(o, 501000);
	for (; (id = fg_outbox_next(o)) != 0; n++)
		fg_outbox_sent(o, id, true, 501000);
	assert_in_range(n, 3000, 4500);
	for (int64_t now = 501000; now <= 506000; now += 100) {
		fg_outbox_tick(o, now);
		for (; (id = fg_outbox_next(o)) != 0; n++)
			fg_outbox_sent(o, id, true, now);
	}
	assert_int_equal(n, 20000);
	fg_outbox_free(o);
}

/*
 * Chance, against what others must believe: whoever was told of a flow last
 * that it is there must be told when it is gone, unless that was let fall.
 */
static void test_chance(void **state)
{
	enum { FLOWS = 200 };
	bool member[FLOWS] = {0}, believed[FLOWS] = {0};
	struct fg_outbox *o = make(FLOWS, 1000);
	int64_t now = 0;
	int mid = 1;

	(void)state;
	srandom(7);
	for (int step = 0; step < 200000; step++) {
		uint32_t n = (uint32_t)random() % FLOWS, id;
		long what = random() % 100;

		if (what < 40) {
			if (member[n])
				leave(o, n);
			else
				enter(o, n);
			member[n] = !member[n];
		} else if (what < 90) {
			enum fg_reason reason;
			struct fg_flow f;
			bool purge;

			id = fg_outbox_next(o);
			if (!id)
				continue;
			purge = fg_outbox_is_purge(o, id, &reason);
			fg_outbox_flow(o, id, now, &f);
			assert_int_equal(member[number_of(&f)], !purge);
			believed[number_of(&f)] = !purge;
			fg_outbox_sent(o, id, true, now);
			fg_outbox_number(o, ++mid);
			if (random() % 2)
				fg_outbox_confirmed(o, mid);
		} else if (what < 98) {
			now += random() % 1000;
			fg_outbox_tick(o, now);
		} else {
			fg_outbox_down(o);
			fg_outbox_up(o, now);
		}
	}
	for (uint32_t id; (id = fg_outbox_next(o)) != 0;) {
		struct fg_flow f;
		enum fg_reason reason;

		fg_outbox_flow(o, id, now, &f);
		believed[number_of(&f)] = !fg_outbox_is_purge(o, id, &reason);
		fg_outbox_sent(o, id, false, now);
	}
	for (uint32_t i = 0; i < FLOWS; i++)
		assert_int_equal(believed[i], member[i]);
	assert_int_equal(counts(o).dropped + counts(o).dropped_purges, 0);
	fg_outbox_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_coalesce),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_paced),
		cmocka_unit_test(test_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
