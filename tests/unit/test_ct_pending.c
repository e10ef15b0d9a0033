/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ct_pending.c - one waiting change a connection, oldest first. */
/* LINK: plugins/conntrack/pending.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../plugins/conntrack/pending.h"

#define MAX 64

static struct fg_tuple key(unsigned n)
{
	struct fg_tuple t = {.version = 4, .protocol = 6};

	memcpy(t.src, &n, sizeof(n));
	return t;
}

static void test_order(void **state)
{
	struct fg_pending *p;
	struct fg_tuple k;

	(void)state;
	assert_int_equal(fg_pending_new(&p, MAX), 0);
	assert_null(fg_pending_first(p));
	for (unsigned i = 0; i < MAX; i++) {
		k = key(i);
		fg_pending_put(p, &k)->to.mark = i;
	}
	/* full, but for those that wait already */
	k = key(MAX);
	assert_null(fg_pending_put(p, &k));
	k = key(5);
	fg_pending_put(p, &k)->to.mark = 500;
	assert_int_equal(fg_pending_count(p), MAX);
	/* from the middle, and its place is free again */
	k = key(7);
	fg_pending_remove(p, fg_pending_find(p, &k));
	assert_null(fg_pending_find(p, &k));
	k = key(MAX);
	fg_pending_put(p, &k)->to.mark = MAX;
	for (unsigned i = 0; i <= MAX; i++) {
		if (i == 7)
			continue;
		assert_int_equal(fg_pending_first(p)->to.mark,
				 i == 5 ? 500 : i);
		fg_pending_remove(p, fg_pending_first(p));
	}
	assert_null(fg_pending_first(p));
	assert_int_equal(fg_pending_count(p), 0);
	fg_pending_free(p);
}

/* Anything in any order against an array. */
static void test_model(void **state)
{
	unsigned order[MAX], n = 0;
	struct fg_pending *p;

	(void)state;
	srand(1);
	assert_int_equal(fg_pending_new(&p, MAX), 0);
	for (int step = 0; step < 100000; step++) {
		struct fg_tuple k = key((unsigned)rand() % (2 * MAX));
		unsigned id, at = 0;

		memcpy(&id, k.src, sizeof(id));
		while (at < n && order[at] != id)
			at++;
		if (rand() % 2) {
			struct fg_change *c = fg_pending_put(p, &k);

			if (at == n && n == MAX) {
				assert_null(c);
				continue;
			}
			assert_memory_equal(&c->tuple, &k, sizeof(k));
			if (at == n)
				order[n++] = id;
		} else if (at < n) {
			fg_pending_remove(p, fg_pending_find(p, &k));
			memmove(order + at, order + at + 1,
				(--n - at) * sizeof(*order));
		} else {
			assert_null(fg_pending_find(p, &k));
		}
		assert_int_equal(fg_pending_count(p), n);
		if (n) {
			k = key(order[0]);
			assert_memory_equal(&fg_pending_first(p)->tuple, &k,
					    sizeof(k));
		}
	}
	fg_pending_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
