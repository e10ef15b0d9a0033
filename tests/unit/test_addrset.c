/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_addrset.c - sets of prefixes against trying one after the other. */
/* LINK: common/policy/addrset.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/addrset.h"

static unsigned seed = 42;

static unsigned pick(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 10) % n;
}

struct prefix {
	uint8_t addr[16];
	uint8_t len;
	int version;
};

/* Few values, so that prefixes overlap, meet and repeat. */
static void random_addr(int version, uint8_t addr[16])
{
	memset(addr, 0, 16);
	for (int i = 0; i < (version == 6 ? 16 : 4); i++)
		addr[i] =
			(uint8_t)(pick(3) == 0 ? pick(4) * 85 : pick(2) * 255);
}

static void test_like_one_by_one(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct fg_addrset *set, *copy;
		struct prefix prefixes[40];
		size_t n = pick(40);

		assert_int_equal(fg_addrset_new(&set), 0);
		assert_int_equal(fg_addrset_new(&copy), 0);
		for (size_t i = 0; i < n; i++) {
			struct prefix *p = &prefixes[i];

			p->version = pick(2) ? 6 : 4;
			random_addr(p->version, p->addr);
			p->len = (uint8_t)pick(p->version == 6 ? 129 : 33);
			if (pick(3)) /* or hardly any address is outside */
				p->len = (uint8_t)(p->version == 6
							   ? 100 + pick(29)
							   : 20 + pick(13));
			assert_int_equal(fg_addrset_add(set, p->version,
							p->addr, p->len),
					 0);
		}
		assert_int_equal(fg_addrset_add_set(copy, set), 0);
		assert_int_equal(fg_addrset_seal(set), 0);
		assert_int_equal(fg_addrset_seal(copy), 0);
		assert_int_equal(fg_addrset_empty(set), n == 0);
		for (int k = 0; k < 300; k++) {
			int version = pick(2) ? 6 : 4;
			uint8_t addr[16];
			char text[FG_PREFIX_TEXT];
			bool want = false;

			random_addr(version, addr);
			if (n > 0 && pick(2)) /* at a border, or next to it */
				memcpy(addr, prefixes[pick((unsigned)n)].addr,
				       version == 6 ? 16 : 4);
			if (pick(2))
				addr[version == 6 ? 15 : 3] ^=
					(uint8_t)(1u << pick(8));
			for (size_t i = 0; i < n; i++)
				want |= prefixes[i].version == version &&
					fg_prefix_match(prefixes[i].addr, addr,
							prefixes[i].len);
			assert_int_equal(fg_addrset_has(set, version, addr),
					 want);
			assert_int_equal(fg_addrset_has(copy, version, addr),
					 want);
			assert_int_equal(fg_addrset_entry(set, version, addr,
							  text) != NULL,
					 want);
		}
		fg_addrset_free(set);
		fg_addrset_free(copy);
	}
}

static void test_text(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{"192.0.2.1", 0},
		{"192.0.2.0/24", 0},
		{"0.0.0.0/0", 0},
		{"2001:db8::1", 0},
		{"::/0", 0},
		{"02:00:00:00:00:01", 0},
		{"02-00-00-00-00-02", 0},
		{"192.0.2.1/33", -22},
		{"192.0.2", -22},
		{"", -22},
		{"@kids", -22},
		{"::1/129", -22},
	};
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2}, other[6] = {2};
	struct fg_addrset *set;

	(void)state;
	assert_int_equal(fg_addrset_new(&set), 0);
	assert_false(fg_addrset_has_mac(set, mac));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(fg_addrset_add_text(
					 set, fg_slice(rows[i].text,
						       strlen(rows[i].text))),
				 rows[i].result);
	assert_int_equal(fg_addrset_seal(set), 0);
	assert_true(fg_addrset_has_mac(set, mac));
	assert_false(fg_addrset_has_mac(set, other));
	fg_addrset_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_one_by_one),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
