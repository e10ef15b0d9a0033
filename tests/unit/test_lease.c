/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lease.c - leases: cases with their reasons, and a long random run
 * against a model of the kernel that is too simple to be wrong.
 */
/* LINK: common/lease */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lease/lease.h"
#include "lease/wheel.h"

#define TTL    60000
#define LINGER 10000
#define START  1000000

struct rig {
	struct fg_classes *classes;
	struct fg_leases *t;
	int64_t now;
};

static struct rig rig_new(struct fg_leases_setup s)
{
	struct rig r = {.now = START};

	assert_int_equal(fg_classes_new(&r.classes, 16), 0);
	s.classes = r.classes;
	s.key_len = 4;
	s.now = r.now;
	if (!s.max)
		s.max = 8;
	assert_int_equal(fg_leases_new(&r.t, &s), 0);
	return r;
}

static void rig_free(struct rig *r)
{
	fg_leases_free(r->t);
	fg_classes_free(r->classes);
}

static const uint8_t *key(uint32_t n)
{
	static uint32_t bytes[4];
	static int turn;

	turn = (turn + 1) % 4;
	bytes[turn] = n;
	return (const uint8_t *)&bytes[turn];
}

static void hold(struct rig *r, uint32_t n)
{
	assert_int_equal(fg_leases_hold(r->t, key(n), 0, 0, r->now), 0);
}

static void release(struct rig *r, uint32_t n)
{
	assert_int_equal(fg_leases_release(r->t, key(n), 0, r->now), 0);
}

/* Collects one change, checks it, and settles it. */
static void expect(struct rig *r, enum fg_lease_op op, uint32_t n,
		   enum fg_lease_result result)
{
	struct fg_lease_change c;

	assert_int_equal(fg_leases_collect(r->t, &c, 1, SIZE_MAX, r->now), 1);
	assert_int_equal(c.op, op);
	assert_memory_equal(c.key, key(n), 4);
	fg_leases_settle(r->t, &c, result, r->now);
}

static void expect_nothing(struct rig *r)
{
	struct fg_lease_change c;

	assert_int_equal(fg_leases_collect(r->t, &c, 1, SIZE_MAX, r->now), 0);
}

static void pass(struct rig *r, int64_t ms)
{
	r->now += ms;
	while (fg_leases_advance(r->t, r->now, 2))
		;
}

static uint32_t present(struct rig *r)
{
	struct fg_lease_counts c;

	fg_leases_counts(r->t, &c);
	return c.present;
}

static uint32_t leases(struct rig *r)
{
	struct fg_lease_counts c;

	fg_leases_counts(r->t, &c);
	return c.leases;
}

/* Two flows that share a key never remove each other's element. */
static void shared_key(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});

	(void)state;
	hold(&r, 1);
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	release(&r, 1);
	expect_nothing(&r);
	assert_int_equal(present(&r), 1);
	release(&r, 1);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	assert_int_equal(leases(&r), 0);
	assert_int_equal(fg_leases_release(r.t, key(1), 0, r.now), -ENOENT);
	rig_free(&r);
}

/* An add and a delete cancel out only while the kernel has not seen the add. */
static void cancels(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});
	struct fg_lease_change c;

	(void)state;
	hold(&r, 1);
	release(&r, 1);
	expect_nothing(&r);
	assert_int_equal(leases(&r), 0);

	hold(&r, 1);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, SIZE_MAX, r.now), 1);
	release(&r, 1);
	expect_nothing(&r); /* in flight: nothing more until that is known */
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);

	/* delete, then add: the element stays, and nothing is sent */
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	release(&r, 1);
	hold(&r, 1);
	expect_nothing(&r);
	assert_int_equal(present(&r), 1);
	rig_free(&r);
}

static void renews_at_half_time(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	pass(&r, TTL / 2 - 300);
	expect_nothing(&r);
	pass(&r, 600);
	expect(&r, FG_LEASE_RENEW, 1, FG_LEASE_DONE);
	pass(&r, TTL / 2 - 300);
	expect_nothing(&r);
	pass(&r, 600);
	expect(&r, FG_LEASE_RENEW, 1, FG_LEASE_DONE);
	release(&r, 1);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	assert_true(fg_leases_deadline(r.t) == INT64_MAX);
	rig_free(&r);
}

static void ttl_zero_needs_no_clock(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){0});

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	assert_true(fg_leases_deadline(r.t) == INT64_MAX);
	rig_free(&r);
}

static void lingers(void **state)
{
	struct rig r = rig_new(
		(struct fg_leases_setup){.ttl_ms = TTL, .linger_ms = LINGER});

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	release(&r, 1);
	expect_nothing(&r);
	pass(&r, LINGER - 500);
	hold(&r, 1); /* taken over: the kernel is not asked */
	expect_nothing(&r);
	pass(&r, 1000);
	expect_nothing(&r);
	release(&r, 1);
	pass(&r, LINGER + 500);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	assert_int_equal(leases(&r), 0);

	/* one that came and went in a burst catches the next connection too */
	hold(&r, 2);
	release(&r, 2);
	expect(&r, FG_LEASE_ADD, 2, FG_LEASE_DONE);
	rig_free(&r);
}

static void lingers_beyond_ttl(void **state)
{
	struct rig r = rig_new(
		(struct fg_leases_setup){.ttl_ms = TTL, .linger_ms = 3 * TTL});

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	release(&r, 1);
	for (int i = 0; i < 4; i++) {
		pass(&r, TTL / 2 + 300);
		expect(&r, FG_LEASE_RENEW, 1, FG_LEASE_DONE);
	}
	pass(&r, TTL + 1000);
	/* the last time was long enough to reach the end */
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	rig_free(&r);
}

/*
 * The class of an element that lingers is nobody else's: it is not gone when
 * the next holder has the same one, nor when room is made for another lease.
 */
static void lingers_with_its_class(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){
		.ttl_ms = TTL, .linger_ms = LINGER, .data = true, .max = 8});
	struct fg_lease_change c;
	uint16_t class;

	(void)state;
	for (int i = 0; i < 3; i++) {
		class = fg_class_get(r.classes, 1, 0x10, "a");
		assert_int_equal(fg_leases_hold(r.t, key(1), class, 0, r.now),
				 0);
		if (i == 0)
			expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
		expect_nothing(&r);
		class = fg_class_find(r.classes, 1, 0x10, "a");
		assert_int_equal(fg_leases_release(r.t, key(1), class, r.now),
				 0);
	}
	/* another one takes it over, with other data */
	class = fg_class_get(r.classes, 2, 0x20, "b");
	assert_int_equal(fg_leases_hold(r.t, key(1), class, 0, r.now), 0);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, SIZE_MAX, r.now), 1);
	assert_int_equal(c.op, FG_LEASE_REPLACE);
	assert_int_equal(c.had, 0x10);
	assert_int_equal(c.data, 0x20);
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);
	assert_int_equal(fg_class_find(r.classes, 1, 0x10, "a"), 0);
	assert_int_equal(fg_leases_release(r.t, key(1), class, r.now), 0);

	expect_nothing(&r);
	pass(&r, LINGER + 500);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);

	/* full: one lingers no longer, for the sake of another of its class */
	class = fg_class_get(r.classes, 2, 0x20, "b");
	assert_int_equal(fg_leases_hold(r.t, key(1), class, 0, r.now), 0);
	assert_int_equal(fg_leases_release(r.t, key(1), class, r.now), 0);
	for (uint32_t i = 2; i <= 8; i++) {
		class = fg_class_get(r.classes, 3, 0x30, "c");
		assert_int_equal(fg_leases_hold(r.t, key(i), class, 0, r.now),
				 0);
	}
	class = fg_class_get(r.classes, 2, 0x20, "b");
	assert_int_equal(fg_leases_hold(r.t, key(9), class, 0, r.now), 0);
	class = fg_class_find(r.classes, 2, 0x20, "b");
	assert_int_not_equal(class, 0);
	assert_int_equal(fg_class_data(r.classes, class), 0x20);

	/* who found no room leaves nothing behind */
	class = fg_class_get(r.classes, 4, 0x40, "d");
	assert_int_equal(fg_leases_hold(r.t, key(10), class, 0, r.now),
			 -ENOSPC);
	assert_int_equal(fg_class_find(r.classes, 4, 0x40, "d"), 0);
	rig_free(&r);
}

/* On maps the earliest action wins, and the next takes over when it leaves. */
static void earliest_rank_wins(void **state)
{
	struct rig r =
		rig_new((struct fg_leases_setup){.ttl_ms = TTL, .data = true});
	struct fg_lease_change c;
	uint16_t late = fg_class_get(r.classes, 9, 0x90, "late");
	uint16_t early = fg_class_get(r.classes, 1, 0x10, "early");
	uint16_t same = fg_class_get(r.classes, 5, 0x90, "same");

	(void)state;
	fg_leases_hold(r.t, key(1), late, 0, r.now);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, SIZE_MAX, r.now), 1);
	assert_int_equal(c.data, 0x90);
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);

	fg_leases_hold(r.t, key(1), early, 0, r.now);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, SIZE_MAX, r.now), 1);
	assert_int_equal(c.op, FG_LEASE_REPLACE);
	assert_int_equal(c.data, 0x10);
	assert_int_equal(c.had, 0x90);
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);

	/* one in between changes nothing yet */
	fg_leases_hold(r.t, key(1), same, 0, r.now);
	expect_nothing(&r);
	fg_leases_release(r.t, key(1), early, r.now);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, SIZE_MAX, r.now), 1);
	assert_int_equal(c.data, 0x90);
	assert_int_equal(c.class, same);
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);
	/* another winner, the same data: nothing for the kernel */
	fg_leases_release(r.t, key(1), same, r.now);
	expect_nothing(&r);
	assert_int_equal(fg_leases_release(r.t, key(1), same, r.now), -ENOENT);
	fg_leases_release(r.t, key(1), late, r.now);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, SIZE_MAX, r.now), 1);
	assert_int_equal(c.op, FG_LEASE_DELETE);
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);
	/* nobody refers to them any more */
	assert_int_equal(fg_class_find(r.classes, 1, 0x10, "early"), 0);
	rig_free(&r);
}

static void full_waits_a_second(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});
	struct fg_lease_change c;

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_FULL);
	expect_nothing(&r);
	pass(&r, 1300);
	/* without room, it is not even tried */
	assert_int_equal(fg_leases_collect(r.t, &c, 1, 0, r.now), 0);
	pass(&r, 1300);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, 1, r.now), 1);
	assert_false(c.may_evict);
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);
	assert_int_equal(present(&r), 1);
	rig_free(&r);
}

static void full_evicts_the_next_to_expire(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	pass(&r, 5000);
	hold(&r, 2);
	expect(&r, FG_LEASE_ADD, 2, FG_LEASE_DONE);
	hold(&r, 3);
	assert_true(fg_leases_evict(r.t));
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	expect(&r, FG_LEASE_ADD, 3, FG_LEASE_DONE);
	expect_nothing(&r);
	assert_int_equal(present(&r), 2);
	/* it comes back when there is room */
	release(&r, 2);
	expect(&r, FG_LEASE_DELETE, 2, FG_LEASE_DONE);
	pass(&r, 1300);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	rig_free(&r);
}

static void refused_is_not_tried_again(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_REFUSED);
	hold(&r, 1);
	pass(&r, 5 * TTL);
	expect_nothing(&r);
	fg_leases_pardon(r.t); /* but for another set */
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_REFUSED);
	release(&r, 1);
	release(&r, 1);
	expect_nothing(&r);
	assert_int_equal(leases(&r), 0);
	rig_free(&r);
}

/* What the kernel may answer besides "done". */
static void answers(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){
		.ttl_ms = TTL, .linger_ms = LINGER, .data = true});
	struct fg_lease_view v;

	(void)state;
	/* to be renewed, and not there any more: put there anew */
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	pass(&r, TTL / 2 + 300);
	expect(&r, FG_LEASE_RENEW, 1, FG_LEASE_GONE);
	assert_int_equal(present(&r), 0);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_OTHER);
	/* it is there with somebody else's data: made ours */
	assert_int_equal(present(&r), 1);
	expect(&r, FG_LEASE_REPLACE, 1, FG_LEASE_UNKNOWN);
	/* nobody knows: once more */
	expect(&r, FG_LEASE_REPLACE, 1, FG_LEASE_DONE);
	expect_nothing(&r);
	/* one that lingers is put back, but not against a refusal */
	release(&r, 1);
	assert_true(fg_leases_spoil(r.t, key(1)));
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_REFUSED);
	expect_nothing(&r);
	assert_false(fg_leases_get(r.t, key(1), &v));
	/* its end, refused: there is nothing left to do */
	hold(&r, 2);
	expect(&r, FG_LEASE_ADD, 2, FG_LEASE_DONE);
	release(&r, 2);
	pass(&r, LINGER + 300);
	expect(&r, FG_LEASE_DELETE, 2, FG_LEASE_REFUSED);
	expect_nothing(&r);
	assert_int_equal(leases(&r), 0);
	rig_free(&r);
}

/* Who lingers goes before anybody who is held. */
static void full_evicts_who_lingers(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){
		.ttl_ms = TTL, .linger_ms = LINGER});

	(void)state;
	assert_false(fg_leases_evict(r.t));
	hold(&r, 1);
	hold(&r, 2);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	expect(&r, FG_LEASE_ADD, 2, FG_LEASE_DONE);
	release(&r, 2);
	assert_true(fg_leases_evict(r.t));
	expect(&r, FG_LEASE_DELETE, 2, FG_LEASE_DONE);
	/* and does not come back */
	pass(&r, 2000);
	expect_nothing(&r);
	assert_int_equal(leases(&r), 1);
	/* it ends while it waits to be put back: it is not */
	hold(&r, 3);
	expect(&r, FG_LEASE_ADD, 3, FG_LEASE_DONE);
	release(&r, 3);
	fg_leases_spoil(r.t, key(3));
	r.now += LINGER + 300;
	expect(&r, FG_LEASE_DELETE, 3, FG_LEASE_GONE);
	expect_nothing(&r);
	rig_free(&r);
}

/* Each once, with what its holders say; whoever looks may stop in between. */
static void are_walked(void **state)
{
	struct rig r =
		rig_new((struct fg_leases_setup){.ttl_ms = TTL, .data = true});
	uint16_t early = fg_class_get(r.classes, 1, 0x10, "early");
	uint16_t late = fg_class_get(r.classes, 2, 0x20, "late");
	struct fg_lease_view v;
	uint32_t cursor = 0;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		fg_leases_hold(r.t, key(i), late, 70 + i, r.now);
	fg_leases_hold(r.t, key(3), early, 99, r.now);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	expect(&r, FG_LEASE_ADD, 2, FG_LEASE_DONE);
	fg_leases_release(r.t, key(2), late, r.now);
	expect(&r, FG_LEASE_ADD, 3, FG_LEASE_DONE);
	expect(&r, FG_LEASE_DELETE, 2, FG_LEASE_DONE);
	assert_true(fg_leases_next(r.t, &cursor, &v));
	assert_memory_equal(v.key, key(1), 4);
	assert_int_equal(v.holders, 1);
	assert_int_equal(v.note, 71);
	assert_true(fg_leases_next(r.t, &cursor, &v));
	assert_memory_equal(v.key, key(3), 4);
	assert_int_equal(v.holders, 2);
	assert_int_equal(v.data, 0x10);
	assert_string_equal(fg_class_name(r.classes, v.class), "early");
	/* never later than the kernel, and not much before */
	assert_in_range(v.expires, START + TTL - 600, START + TTL);
	assert_false(fg_leases_next(r.t, &cursor, &v));
	/* counted anew, by nobody: all of them end */
	fg_leases_recount_begin(r.t);
	fg_leases_recount_end(r.t, r.now);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	expect(&r, FG_LEASE_DELETE, 3, FG_LEASE_DONE);
	assert_int_equal(leases(&r), 0);
	assert_int_equal(fg_class_find(r.classes, 1, 0x10, "early"), 0);
	rig_free(&r);
}

/* As many classes as there is room for; one that nobody holds is used again. */
static void classes(void **state)
{
	struct fg_classes *c;
	uint16_t id[40];

	(void)state;
	assert_int_equal(fg_classes_new(&c, 40), 0);
	for (uint16_t i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u", i % 20u);
		/* the same action may have many, and many may share a place */
		id[i] = fg_class_get(c, 1 + i / 20u, 7, name);
		assert_int_not_equal(id[i], 0);
		fg_class_ref(c, id[i]);
	}
	assert_int_equal(fg_class_get(c, 1, 7, "one too many"), 0);
	/* from the middle of those that share a place */
	fg_class_unref(c, id[5]);
	assert_int_equal(fg_class_find(c, 1, 7, "n5"), 0);
	assert_int_equal(fg_class_find(c, 1, 7, "n4"), id[4]);
	assert_int_equal(fg_class_get(c, 1, 7, "new"), id[5]);
	assert_int_equal(fg_class_find(c, 1, 7, "n6"), id[6]);
	fg_classes_free(c);
}

static void what_was_taken_is_put_back(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});
	struct fg_lease_change c;

	(void)state;
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	assert_true(fg_leases_spoil(r.t, key(1)));
	assert_false(fg_leases_spoil(r.t, key(2)));
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	/* all of them, as after a reload of the firewall */
	hold(&r, 2);
	expect(&r, FG_LEASE_ADD, 2, FG_LEASE_DONE);
	fg_leases_lost(r.t, false);
	assert_int_equal(present(&r), 0);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	expect(&r, FG_LEASE_ADD, 2, FG_LEASE_DONE);
	/* perhaps lost: put again, whatever is there */
	fg_leases_lost(r.t, true);
	expect(&r, FG_LEASE_REPLACE, 1, FG_LEASE_DONE);
	pass(&r, 500);
	expect(&r, FG_LEASE_REPLACE, 2, FG_LEASE_DONE);
	/* taken, then renewed by us before we heard: it is there when it ends
	 */
	assert_true(fg_leases_spoil(r.t, key(1)));
	release(&r, 1);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	hold(&r, 1);
	expect(&r, FG_LEASE_ADD, 1, FG_LEASE_DONE);
	/* taken while a renewal was on its way: which came first? */
	pass(&r, TTL / 2 + 300);
	assert_int_equal(fg_leases_collect(r.t, &c, 1, SIZE_MAX, r.now), 1);
	fg_leases_spoil(r.t, c.key);
	assert_memory_equal(c.key, key(1), 4);
	fg_leases_settle(r.t, &c, FG_LEASE_DONE, r.now);
	expect(&r, FG_LEASE_RENEW, 2, FG_LEASE_DONE);
	expect(&r, FG_LEASE_REPLACE, 1, FG_LEASE_DONE);
	rig_free(&r);
}

static void adopted_is_claimed_or_runs_out(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});

	(void)state;
	fg_leases_adopt(r.t, key(1), 0, TTL - 1000, false, r.now);
	fg_leases_adopt(r.t, key(2), 0, 5000, false, r.now);
	fg_leases_adopt(r.t, key(3), 0, 5000, false, r.now);
	assert_int_equal(present(&r), 3);
	expect_nothing(&r);
	/* claimed: renewed at once, whether it is still there or not */
	hold(&r, 1);
	expect(&r, FG_LEASE_RENEW, 1, FG_LEASE_DONE);
	hold(&r, 2);
	expect(&r, FG_LEASE_RENEW, 2, FG_LEASE_DONE);
	pass(&r, 5300);
	expect(&r, FG_LEASE_DELETE, 3, FG_LEASE_DONE);
	/* one that someone took out before anybody claimed it stays out */
	fg_leases_adopt(r.t, key(4), 0, 5000, false, r.now);
	fg_leases_spoil(r.t, key(4));
	expect_nothing(&r);
	assert_int_equal(present(&r), 2);
	rig_free(&r);
}

/* All that held it are known again: what they did not claim goes. */
static void held_before_but_not_claimed(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});
	struct fg_lease_view v;

	(void)state;
	fg_leases_adopt(r.t, key(1), 0, TTL, true, r.now);
	fg_leases_adopt(r.t, key(2), 0, TTL, true, r.now);
	fg_leases_adopt(r.t, key(3), 0, TTL, false, r.now);
	assert_true(fg_leases_get(r.t, key(2), &v));
	assert_true(v.held);
	hold(&r, 1);
	expect(&r, FG_LEASE_RENEW, 1, FG_LEASE_DONE);
	fg_leases_forsake(r.t);
	expect(&r, FG_LEASE_DELETE, 2, FG_LEASE_DONE);
	expect_nothing(&r);
	assert_int_equal(present(&r), 2);
	/* once claimed, it is like any other */
	assert_true(fg_leases_get(r.t, key(1), &v));
	assert_false(v.held);
	rig_free(&r);
}

/* Where an add does not renew: what may be there is replaced. */
static void strangers(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});

	(void)state;
	fg_leases_set_strangers(r.t, true);
	hold(&r, 1);
	expect(&r, FG_LEASE_REPLACE, 1, FG_LEASE_DONE);
	rig_free(&r);
}

static void no_room_for_leases(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){
		.ttl_ms = TTL, .linger_ms = LINGER, .max = 8});

	(void)state;
	for (uint32_t i = 1; i <= 8; i++) {
		hold(&r, i);
		expect(&r, FG_LEASE_ADD, i, FG_LEASE_DONE);
	}
	assert_int_equal(fg_leases_hold(r.t, key(9), 0, 0, r.now), -ENOSPC);
	/* those that linger go before anyone is turned away */
	release(&r, 5);
	assert_int_equal(fg_leases_hold(r.t, key(9), 0, 0, r.now), -ENOSPC);
	expect(&r, FG_LEASE_DELETE, 5, FG_LEASE_DONE);
	hold(&r, 9);
	expect(&r, FG_LEASE_ADD, 9, FG_LEASE_DONE);
	rig_free(&r);

	/* and those that never got to the kernel take none */
	r = rig_new((struct fg_leases_setup){.ttl_ms = TTL, .max = 8});
	for (uint32_t i = 1; i <= 80; i++) {
		hold(&r, i);
		release(&r, i);
	}
	expect_nothing(&r);
	rig_free(&r);
}

static void recounts(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});

	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		hold(&r, i);
		expect(&r, FG_LEASE_ADD, i, FG_LEASE_DONE);
	}
	hold(&r, 1);
	fg_leases_recount_begin(r.t);
	hold(&r, 1);
	hold(&r, 3);
	fg_leases_recount_end(r.t, r.now);
	expect(&r, FG_LEASE_DELETE, 2, FG_LEASE_DONE);
	expect_nothing(&r);
	release(&r, 1);
	expect(&r, FG_LEASE_DELETE, 1, FG_LEASE_DONE);
	rig_free(&r);
}

static void again_keeps_the_order(void **state)
{
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL});
	struct fg_lease_change c[3];

	(void)state;
	for (uint32_t i = 1; i <= 4; i++)
		hold(&r, i);
	assert_int_equal(fg_leases_collect(r.t, c, 3, SIZE_MAX, r.now), 3);
	for (int i = 2; i >= 0; i--)
		fg_leases_settle(r.t, &c[i], FG_LEASE_AGAIN, r.now);
	for (uint32_t i = 1; i <= 4; i++)
		expect(&r, FG_LEASE_ADD, i, FG_LEASE_DONE);
	rig_free(&r);
}

/* 80 bytes for an IPv4 tuple are what a million of them may cost. */
static void size_of_a_lease(void **state)
{
	struct fg_classes *classes;
	struct fg_leases_setup s = {.max = 1 << 20, .key_len = 20};
	struct fg_leases *t;

	(void)state;
	fg_classes_new(&classes, 1);
	s.classes = classes;
	assert_int_equal(fg_leases_new(&t, &s), 0);
	assert_in_range(fg_lease_size(t), 40, 80);
	fg_leases_free(t);
	s.max = 0;
	assert_int_equal(fg_leases_new(&t, &s), -EINVAL);
	fg_classes_free(classes);
}

/* ---------------------------------------------------------------- random */

#define KEYS	24
#define CLASSES 4
#define STEPS	300000

struct model {
	uint32_t holders[KEYS][CLASSES];
	/* the kernel */
	bool there[KEYS];
	uint32_t data[KEYS];
	int64_t until[KEYS];
};

static uint64_t seed = 88172645463325252ull;

static uint32_t any(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static uint32_t number(const uint8_t *bytes)
{
	uint32_t n;

	memcpy(&n, bytes, sizeof(n));
	return n;
}

/* What the kernel does with a change; refuses some of them. */
static enum fg_lease_result kernel(struct model *m, struct rig *r,
				   const struct fg_lease_change *c, bool calm)
{
	uint32_t n = number(c->key);
	bool there = m->there[n] && m->until[n] > r->now;

	if (!calm && any(10) == 0)
		return any(2) ? FG_LEASE_AGAIN : FG_LEASE_FULL;
	if (c->op == FG_LEASE_DELETE) {
		m->there[n] = false;
		return FG_LEASE_DONE;
	}
	/* a map's element with other data must not be added over */
	if (c->op == FG_LEASE_ADD && there && m->data[n] != c->data)
		return FG_LEASE_OTHER;
	if (c->op == FG_LEASE_RENEW && there)
		assert_int_equal(m->data[n], c->data);
	m->there[n] = true;
	m->data[n] = c->data;
	m->until[n] = r->now + TTL;
	if (!calm && any(30) == 0)
		return FG_LEASE_UNKNOWN;
	return FG_LEASE_DONE;
}

static void transact(struct model *m, struct rig *r, bool calm)
{
	struct fg_lease_change c[8];
	enum fg_lease_result result[8];
	size_t n = fg_leases_collect(r->t, c, calm ? 8 : 1 + any(8), SIZE_MAX,
				     r->now);

	for (size_t i = 0; i < n; i++) {
		result[i] = kernel(m, r, &c[i], calm);
		/* what does not fit is not lost meanwhile */
		if (result[i] == FG_LEASE_FULL && c[i].op != FG_LEASE_ADD)
			result[i] = FG_LEASE_AGAIN;
	}
	/* someone takes elements while it is in flight */
	if (!calm && any(20) == 0) {
		uint32_t k = any(KEYS);

		m->there[k] = false;
		fg_leases_spoil(r->t, key(k));
	}
	while (n--)
		fg_leases_settle(r->t, &c[n], result[n], r->now);
}

static int winner(const struct model *m, uint32_t k)
{
	for (int i = 0; i < CLASSES; i++)
		if (m->holders[k][i])
			return i;
	return -1;
}

static void compare(struct model *m, struct rig *r, uint32_t linger_ms)
{
	struct fg_lease_counts counts;

	/* what waits for room, waits a second */
	for (int i = 0; i < 4; i++) {
		r->now += 500;
		while (fg_leases_advance(r->t, r->now, 3))
			;
		do {
			transact(m, r, true);
			fg_leases_counts(r->t, &counts);
		} while (counts.pending);
	}
	for (uint32_t k = 0; k < KEYS; k++) {
		struct fg_lease_view v;
		int w = winner(m, k);
		bool there = m->there[k] && m->until[k] > r->now;

		if (w >= 0) {
			assert_true(there);
			assert_int_equal(m->data[k], 100 + (w & ~1));
			/* never closer to its end than half of its life */
			assert_true(m->until[k] - r->now >= TTL / 2 - 1000);
		} else if (!linger_ms) {
			assert_false(there);
		}
		if (fg_leases_get(r->t, key(k), &v))
			assert_int_equal(v.present, there);
		else
			assert_false(there);
	}
}

static void random_run(uint32_t linger_ms, uint32_t keys)
{
	static struct model m;
	struct rig r = rig_new((struct fg_leases_setup){.ttl_ms = TTL,
							.linger_ms = linger_ms,
							.data = true,
							.max = KEYS * CLASSES});

	memset(&m, 0, sizeof(m));
	for (int step = 0; step < STEPS; step++) {
		uint32_t k = any(keys), c = any(CLASSES);
		/* two by two they have the same data */
		uint32_t data = 100 + (c & ~1u);
		uint16_t class;

		switch (any(12)) {
		case 0 ... 3:
			class = fg_class_get(r.classes, c, data, "a");
			assert_int_equal(
				fg_leases_hold(r.t, key(k), class, 0, r.now),
				0);
			m.holders[k][c]++;
			break;
		case 4 ... 7:
			class = fg_class_find(r.classes, c, data, "a");
			if (m.holders[k][c]) {
				assert_int_equal(fg_leases_release(r.t, key(k),
								   class,
								   r.now),
						 0);
				m.holders[k][c]--;
			} else if (class) {
				assert_int_equal(fg_leases_release(r.t, key(k),
								   class,
								   r.now),
						 -ENOENT);
			}
			break;
		case 8:
			transact(&m, &r, false);
			break;
		case 9:
			r.now += any(2000);
			fg_leases_advance(r.t, r.now, 1 + any(50));
			break;
		case 10:
			if (any(50) == 0) {
				memset(m.there, 0, sizeof(m.there));
				fg_leases_lost(r.t, any(2));
			}
			break;
		case 11:
			if (any(20) == 0)
				compare(&m, &r, linger_ms);
			break;
		}
	}
	rig_free(&r);
}

static void model_run(void **state)
{
	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	random_run(0, KEYS);
	random_run(LINGER, KEYS);
	/* so few that a class is often one element's alone */
	random_run(LINGER, 2);
}

/* ----------------------------------------------------------------- wheel */

static void wheel_keeps_every_deadline(void **state)
{
	enum { MAX = 200 };
	static int64_t due[MAX + 1];
	struct fg_wheel *w;
	int64_t now = START;

	(void)state;
	assert_int_equal(fg_wheel_new(&w, MAX, now), 0);
	assert_true(fg_wheel_deadline(w) == INT64_MAX);
	for (int step = 0; step < 200000; step++) {
		uint32_t id = 1 + any(MAX);

		switch (any(4)) {
		case 0:
			due[id] = now + any(any(2) ? 5000 : 2000000);
			fg_wheel_set(w, id, due[id]);
			break;
		case 1:
			if (any(4) == 0) {
				fg_wheel_clear(w, id);
				due[id] = 0;
			}
			break;
		case 2:
			/* one at a time, as a budget may have it */
			id = fg_wheel_expire(w, now);
			if (id) {
				assert_true(due[id] && due[id] <= now);
				due[id] = 0;
			}
			break;
		default:
			if (any(200) == 0)
				now += any(2) ? any(1000) : any(900000);
			else
				now += any(20);
		}
		assert_int_equal(fg_wheel_is_set(w, id), due[id] != 0);
		if (step % 50)
			continue;
		while ((id = fg_wheel_expire(w, now))) {
			assert_true(due[id] && due[id] <= now);
			due[id] = 0;
		}
		for (id = 1; id <= MAX; id++) {
			/* two ticks: rounding up, and a tick half over */
			assert_true(!due[id] ||
				    due[id] > now - 2 * FG_WHEEL_TICK_MS);
			assert_true(!due[id] || fg_wheel_deadline(w) <=
							fg_wheel_due(w, id));
		}
	}
	fg_wheel_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_key),
		cmocka_unit_test(cancels),
		cmocka_unit_test(renews_at_half_time),
		cmocka_unit_test(ttl_zero_needs_no_clock),
		cmocka_unit_test(lingers),
		cmocka_unit_test(lingers_beyond_ttl),
		cmocka_unit_test(lingers_with_its_class),
		cmocka_unit_test(earliest_rank_wins),
		cmocka_unit_test(full_waits_a_second),
		cmocka_unit_test(full_evicts_the_next_to_expire),
		cmocka_unit_test(refused_is_not_tried_again),
		cmocka_unit_test(answers),
		cmocka_unit_test(full_evicts_who_lingers),
		cmocka_unit_test(are_walked),
		cmocka_unit_test(classes),
		cmocka_unit_test(what_was_taken_is_put_back),
		cmocka_unit_test(adopted_is_claimed_or_runs_out),
		cmocka_unit_test(held_before_but_not_claimed),
		cmocka_unit_test(strangers),
		cmocka_unit_test(no_room_for_leases),
		cmocka_unit_test(recounts),
		cmocka_unit_test(again_keeps_the_order),
		cmocka_unit_test(size_of_a_lease),
		cmocka_unit_test(wheel_keeps_every_deadline),
		cmocka_unit_test(model_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
