/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_batch.c - transactions: the same bytes as libnftnl's, and what is made
 * of the kernel's answers.
 */
/* LINK: common/lease plugins/nftset/batch.c */
/* LIBS: -lmnl -lnftnl */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>

#include "../../plugins/nftset/batch.h"

#define FIRST	100
#define KEY_LEN 16
#define TTL	900000ull
#define DESTROY 30

static uint8_t keys[FG_BATCH_MAX][KEY_LEN];

static void comment(void *ctx, const struct fg_lease_change *c,
		    char text[FG_COMMENT_MAX])
{
	(void)ctx;
	/* lengths that need every amount of padding */
	memset(text, 'a', 108);
	text[100 + c->id % 8] = '\0';
}

static struct fg_lease_change change(uint32_t id, enum fg_lease_op op)
{
	uint8_t *key = keys[id];

	memcpy(key, &id, sizeof(id));

	return (struct fg_lease_change){.id = id,
					.op = op,
					.data = 0x10 + id,
					.had = 0x20,
					.fresh = op == FG_LEASE_ADD,
					.key = key};
}

/* ------------------------------------------------- the same with libnftnl */

struct reference {
	_Alignas(struct nlmsghdr) char buf[1 << 20];
	size_t len;
	uint32_t seq;
};

static void bracket(struct reference *r, bool begin)
{
	struct nlmsghdr *nlh =
		begin ? nftnl_batch_begin(r->buf + r->len, r->seq++)
		      : nftnl_batch_end(r->buf + r->len, r->seq++);

	r->len += nlh->nlmsg_len;
}

static void message(struct reference *r, const struct fg_batch_setup *s,
		    uint16_t type, const struct fg_lease_change *c, size_t n,
		    bool put, bool whole)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nlmsghdr *nlh;

	nftnl_set_set_str(set, NFTNL_SET_TABLE, s->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, s->set);
	for (size_t i = 0; i < n; i++) {
		struct nftnl_set_elem *e = nftnl_set_elem_alloc();
		uint32_t data = whole ? c[i].data : c[i].had;
		uint8_t udata[2 + FG_COMMENT_MAX] = {0};

		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, c[i].key, s->key_len);
		if (put && s->timeouts) {
			nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT,
					       s->timeout_ms);
			if (s->caps.update && s->timeout_ms)
				nftnl_set_elem_set_u64(
					e, NFTNL_SET_ELEM_EXPIRATION,
					s->timeout_ms);
		}
		if (put && s->data == FG_DATA_VALUE)
			nftnl_set_elem_set(e, NFTNL_SET_ELEM_DATA, &data, 4);
		if (put && s->data == FG_DATA_VERDICT)
			nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_VERDICT, data);
		if (whole && s->comment) {
			comment(NULL, &c[i], (char *)udata + 2);
			udata[1] = (uint8_t)(strlen((char *)udata + 2) + 1);
			nftnl_set_elem_set(e, NFTNL_SET_ELEM_USERDATA, udata,
					   2u + udata[1]);
		}
		nftnl_set_elem_add(set, e);
	}
	nlh = nftnl_nlmsg_build_hdr(r->buf + r->len, type, s->family,
				    put ? NLM_F_CREATE : 0, r->seq++);
	nftnl_set_elems_nlmsg_build_payload(nlh, set);
	r->len += nlh->nlmsg_len;
	nftnl_set_free(set);
}

static void assert_same(struct fg_batch *b, const struct reference *r)
{
	size_t len;
	const void *bytes = fg_batch_bytes(b, &len);

	assert_int_equal(len, r->len);
	assert_memory_equal(bytes, r->buf, len);
	assert_int_equal(fg_batch_messages(b), r->seq - FIRST);
}

static const struct {
	const char *why;
	struct fg_batch_setup s;
} setups[] = {
	{"a set without timeouts", {.data = FG_DATA_NONE}},
	{"a set with timeouts, kernel 6.12",
	 {.timeouts = true, .timeout_ms = TTL, .caps = {true, true}}},
	{"a set with timeouts, an old kernel",
	 {.timeouts = true, .timeout_ms = TTL}},
	{"ttl 0 in a set with timeouts says so",
	 {.timeouts = true, .caps = {true, true}}},
	{"a map to marks",
	 {.data = FG_DATA_VALUE,
	  .timeouts = true,
	  .timeout_ms = TTL,
	  .caps = {true, true}}},
	{"a verdict map",
	 {.data = FG_DATA_VERDICT, .timeouts = true, .timeout_ms = TTL}},
	{"comments",
	 {.timeouts = true,
	  .timeout_ms = TTL,
	  .caps = {true, true},
	  .comment = comment}},
};

static struct fg_batch *batch_of(struct fg_batch_setup s)
{
	struct fg_batch *b;

	s.family = NFPROTO_INET;
	s.table = "fw4";
	s.set = "nfa.blocks.v4";
	s.key_len = KEY_LEN;
	assert_int_equal(fg_batch_new(&b, &s), 0);
	return b;
}

static void same_bytes_as_libnftnl(void **state)
{
	static struct reference r;

	(void)state;
	for (size_t i = 0; i < sizeof(setups) / sizeof(*setups); i++) {
		struct fg_batch_setup s = setups[i].s;
		struct fg_batch *b = batch_of(s);
		struct fg_lease_change c[9];

		print_message("%s\n", setups[i].why);
		s.family = NFPROTO_INET;
		s.table = "fw4";
		s.set = "nfa.blocks.v4";
		s.key_len = KEY_LEN;
		for (uint32_t j = 0; j < 9; j++)
			c[j] = change(j, FG_LEASE_ADD);
		fg_batch_build(b, c, 9, FIRST);
		memset(&r, 0, sizeof(r));
		r.seq = FIRST;
		bracket(&r, true);
		message(&r, &s, NFT_MSG_NEWSETELEM, c, 9, true, true);
		bracket(&r, false);
		assert_same(b, &r);

		for (uint32_t j = 0; j < 9; j++)
			c[j].op = FG_LEASE_DELETE;
		fg_batch_build(b, c, 9, FIRST);
		memset(&r, 0, sizeof(r));
		r.seq = FIRST;
		bracket(&r, true);
		if (!s.caps.destroy)
			message(&r, &s, NFT_MSG_NEWSETELEM, c, 9, true, false);
		message(&r, &s, s.caps.destroy ? DESTROY : NFT_MSG_DELSETELEM,
			c, 9, false, false);
		bracket(&r, false);
		assert_same(b, &r);
		fg_batch_free(b);
	}
}

/* ------------------------------------------------------------ the parts */

struct parts {
	int add, remove, put; /* elements in each part */
};

static int elements_of(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *e;
	int n = 0;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_LIST_ELEMENTS)
			mnl_attr_for_each_nested (e, attr)
				n++;
	return n;
}

/* Which messages there are, in their order. */
static struct parts parts_of(const struct fg_batch *b)
{
	struct parts p = {0, 0, 0};
	size_t size;
	const struct nlmsghdr *nlh = fg_batch_bytes(b, &size);
	int len = (int)size;
	bool removed = false, last = false;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		int type = nlh->nlmsg_type & 0xff;

		assert_false(last);
		if (nlh->nlmsg_type == NFNL_MSG_BATCH_END) {
			last = true;
		} else if (nlh->nlmsg_type == NFNL_MSG_BATCH_BEGIN) {
			continue;
		} else if (type == NFT_MSG_NEWSETELEM) {
			*(removed ? &p.put : &p.add) += elements_of(nlh);
		} else {
			removed = true;
			p.remove += elements_of(nlh);
		}
	}
	assert_true(last);
	if (!removed) {
		p.put = p.add;
		p.add = 0;
	}
	return p;
}

static void each_kernel_its_parts(void **state)
{
	static const struct {
		const char *why;
		enum fg_lease_op op;
		enum fg_batch_data data;
		struct fg_caps caps;
		bool other;
		struct parts parts;
	} table[] = {
		{"an add is an add",
		 FG_LEASE_ADD,
		 FG_DATA_NONE,
		 {true, true},
		 false,
		 {0, 0, 1}},
		{"a renewal is an add where that updates",
		 FG_LEASE_RENEW,
		 FG_DATA_NONE,
		 {true, true},
		 false,
		 {0, 0, 1}},
		{"else the old one is destroyed first",
		 FG_LEASE_RENEW,
		 FG_DATA_NONE,
		 {true, false},
		 false,
		 {0, 1, 1}},
		{"or added, deleted, added, which cannot fail",
		 FG_LEASE_RENEW,
		 FG_DATA_NONE,
		 {false, false},
		 false,
		 {1, 1, 1}},
		{"a set's element has nothing to replace",
		 FG_LEASE_REPLACE,
		 FG_DATA_NONE,
		 {true, true},
		 false,
		 {0, 0, 1}},
		{"a map's has data, which an add does not change",
		 FG_LEASE_REPLACE,
		 FG_DATA_VALUE,
		 {true, true},
		 false,
		 {0, 1, 1}},
		{"with data unknown it can only be deleted",
		 FG_LEASE_REPLACE,
		 FG_DATA_VALUE,
		 {false, true},
		 true,
		 {0, 1, 1}},
		{"a map's renewal is an add of the same data",
		 FG_LEASE_RENEW,
		 FG_DATA_VALUE,
		 {true, true},
		 false,
		 {0, 0, 1}},
		{"destroy forgives what is not there",
		 FG_LEASE_DELETE,
		 FG_DATA_NONE,
		 {true, true},
		 false,
		 {0, 1, 0}},
		{"delete does not: add it first",
		 FG_LEASE_DELETE,
		 FG_DATA_NONE,
		 {false, true},
		 false,
		 {1, 1, 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct fg_batch *b = batch_of(
			(struct fg_batch_setup){.data = table[i].data,
						.timeouts = true,
						.timeout_ms = TTL,
						.caps = table[i].caps});
		struct fg_lease_change c = change(1, table[i].op);
		struct parts p;

		print_message("%s\n", table[i].why);
		c.other = table[i].other;
		fg_batch_build(b, &c, 1, FIRST);
		p = parts_of(b);
		assert_int_equal(p.add, table[i].parts.add);
		assert_int_equal(p.remove, table[i].parts.remove);
		assert_int_equal(p.put, table[i].parts.put);
		fg_batch_free(b);
	}
}

/*
 * Where a renewal takes the element out and puts it back, its room must not go
 * to one that is fresh: those come last.
 */
static size_t last_place(const struct fg_batch *b, uint32_t id)
{
	size_t size;
	const uint8_t *p = fg_batch_bytes(b, &size);
	size_t at = size - KEY_LEN;

	while (at && memcmp(p + at, keys[id], KEY_LEN) != 0)
		at--;
	return at;
}

static void fresh_ones_come_last(void **state)
{
	struct fg_batch *b = batch_of(
		(struct fg_batch_setup){.timeouts = true, .timeout_ms = TTL});
	struct fg_lease_change c[4];

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		c[i] = change(i + 1, i % 2 ? FG_LEASE_RENEW : FG_LEASE_ADD);
	fg_batch_build(b, c, 4, FIRST);
	assert_true(last_place(b, 2) < last_place(b, 4));
	assert_true(last_place(b, 4) < last_place(b, 1));
	assert_true(last_place(b, 1) < last_place(b, 3));
	fg_batch_free(b);
}

/* The largest batch there can be: no list of elements beyond its 16 bits. */
static void largest_is_cut_into_messages(void **state)
{
	struct fg_batch_setup s = {
		.family = NFPROTO_INET,
		.table = "a-table-with-a-name-of-some-length",
		.set = "a-set",
		.key_len = 64,
		.data = FG_DATA_VERDICT,
		.timeouts = true,
		.timeout_ms = TTL,
		.comment = comment,
	};
	static uint8_t wide[FG_BATCH_MAX][64];
	static struct fg_lease_change c[FG_BATCH_MAX];
	struct fg_batch *b;
	const struct nlmsghdr *nlh;
	size_t size;
	int len, messages = 0;
	struct parts p;

	(void)state;
	assert_int_equal(fg_batch_new(&b, &s), 0);
	for (uint32_t i = 0; i < FG_BATCH_MAX; i++) {
		c[i] = change(i, FG_LEASE_REPLACE);
		c[i].key = wide[i];
	}
	fg_batch_build(b, c, FG_BATCH_MAX, FIRST);
	p = parts_of(b);
	assert_int_equal(p.add, FG_BATCH_MAX);
	assert_int_equal(p.remove, FG_BATCH_MAX);
	assert_int_equal(p.put, FG_BATCH_MAX);
	nlh = fg_batch_bytes(b, &size);
	len = (int)size;
	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		assert_int_equal(nlh->nlmsg_seq, FIRST + messages++);
		assert_true(nlh->nlmsg_len < UINT16_MAX + 128);
	}
	assert_int_equal(messages, fg_batch_messages(b));
	assert_true(messages > 5 && messages <= FG_BATCH_MESSAGES);
	fg_batch_free(b);
}

/* -------------------------------------------------------------- judging */

/* Where the nth element of the message seq begins. */
static uint32_t offset_of(const struct fg_batch *b, uint32_t seq, int nth)
{
	size_t size;
	const struct nlmsghdr *nlh = fg_batch_bytes(b, &size);
	const struct nlattr *attr, *e;
	int len = (int)size;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != seq)
			continue;
		mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
			if (mnl_attr_get_type(attr) !=
			    NFTA_SET_ELEM_LIST_ELEMENTS)
				continue;
			mnl_attr_for_each_nested (e, attr)
				if (nth-- == 0)
					return (uint32_t)((const char *)e -
							  (const char *)nlh);
		}
	}
	fail();
	return 0;
}

/* Four changes, on a kernel without anything: delete, renew, add, add. */
static const enum fg_lease_op ops[] = {FG_LEASE_DELETE, FG_LEASE_RENEW,
				       FG_LEASE_ADD, FG_LEASE_ADD};
#define ANCHOR (FIRST + 1)
#define REMOVE (FIRST + 2)
#define PUT    (FIRST + 3)

#define D FG_LEASE_DONE
#define A FG_LEASE_AGAIN
#define F FG_LEASE_FULL
#define R FG_LEASE_REFUSED
#define G FG_LEASE_GONE
#define O FG_LEASE_OTHER
#define U FG_LEASE_UNKNOWN

static const struct {
	const char *why;
	int sent, received;
	struct {
		uint32_t seq;
		int element; /* -1: at no element, -2: at the table */
		int error;
	} error[3];
	enum fg_verdict verdict;
	int deciding;
	enum fg_lease_result result[4];
} judgements[] = {
	{"no answer is a commit",
	 0,
	 0,
	 {{0}},
	 FG_VERDICT_DONE,
	 0,
	 {D, D, D, D}},
	{"not sent: too large for the buffer",
	 -EMSGSIZE,
	 0,
	 {{0}},
	 FG_VERDICT_SPLIT,
	 EMSGSIZE,
	 {A, A, A, A}},
	{"not sent: no memory",
	 -ENOBUFS,
	 0,
	 {{0}},
	 FG_VERDICT_LATER,
	 ENOBUFS,
	 {A, A, A, A}},
	{"not sent: no permission",
	 -EPERM,
	 0,
	 {{0}},
	 FG_VERDICT_DENIED,
	 EPERM,
	 {A, A, A, A}},
	{"the answer was lost",
	 0,
	 -ENOBUFS,
	 {{0}},
	 FG_VERDICT_UNKNOWN,
	 ENOBUFS,
	 {U, U, U, U}},
	{"an element is refused; the others were not done",
	 0,
	 0,
	 {{PUT, 1, EINVAL}},
	 FG_VERDICT_REPAIR,
	 EINVAL,
	 {A, A, R, A}},
	{"two messages, two culprits",
	 0,
	 0,
	 {{REMOVE, 0, ENOENT}, {PUT, 2, EINVAL}},
	 FG_VERDICT_REPAIR,
	 EINVAL,
	 {G, A, A, R}},
	{"what is there with other data is replaced",
	 0,
	 0,
	 {{PUT, 1, EEXIST}},
	 FG_VERDICT_REPAIR,
	 EEXIST,
	 {A, A, O, A}},
	{"full: nor is there room for those behind",
	 0,
	 0,
	 {{PUT, 1, ENFILE}},
	 FG_VERDICT_REPAIR,
	 ENFILE,
	 {A, A, F, F}},
	{"full for one that was to be removed: it has expired",
	 0,
	 0,
	 {{ANCHOR, 0, ENFILE}},
	 FG_VERDICT_REPAIR,
	 ENFILE,
	 {G, A, A, A}},
	{"the table or the set is missing",
	 0,
	 0,
	 {{ANCHOR, -2, ENOENT}, {REMOVE, -2, ENOENT}, {PUT, -2, ENOENT}},
	 FG_VERDICT_MISSING,
	 ENOENT,
	 {A, A, A, A}},
	{"nobody is named: halves",
	 0,
	 0,
	 {{PUT, -1, EOPNOTSUPP}},
	 FG_VERDICT_SPLIT,
	 EOPNOTSUPP,
	 {A, A, A, A}},
	{"the kernel's memory, whoever met it",
	 0,
	 0,
	 {{PUT, 1, ENOMEM}},
	 FG_VERDICT_LATER,
	 ENOMEM,
	 {A, A, A, A}},
	{"no permission, answered to BATCH_BEGIN",
	 0,
	 0,
	 {{FIRST, -1, EPERM}},
	 FG_VERDICT_DENIED,
	 EPERM,
	 {A, A, A, A}},
};

static void judges_answers(void **state)
{
	struct fg_batch *b = batch_of(
		(struct fg_batch_setup){.timeouts = true, .timeout_ms = TTL});
	struct fg_lease_change c[4];

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		c[i] = change(i, ops[i]);
	fg_batch_build(b, c, 4, FIRST);
	for (size_t i = 0; i < sizeof(judgements) / sizeof(*judgements); i++) {
		struct fg_nl_result answer = {.sent = judgements[i].sent,
					      .received =
						      judgements[i].received};
		enum fg_lease_result result[4];
		int error;

		print_message("%s\n", judgements[i].why);
		for (int e = 0; e < 3 && judgements[i].error[e].error; e++) {
			int at = judgements[i].error[e].element;
			uint32_t seq = judgements[i].error[e].seq;

			answer.error[answer.errors++] = (struct fg_nl_error){
				.seq = seq,
				.error = judgements[i].error[e].error,
				.offset = at == -1   ? 0
					  : at == -2 ? 24
						     : offset_of(b, seq, at)};
		}
		assert_int_equal(
			fg_batch_judge(b, c, 4, &answer, result, &error),
			judgements[i].verdict);
		assert_int_equal(error, judgements[i].deciding);
		for (int j = 0; j < 4; j++)
			assert_int_equal(result[j], judgements[i].result[j]);
	}
	fg_batch_free(b);
}

static void refuses_names(void **state)
{
	static char longer[NFT_TABLE_MAXNAMELEN + 1];
	struct fg_batch_setup s = {.table = longer, .set = "s", .key_len = 4};
	struct fg_batch *b;

	(void)state;
	memset(longer, 'a', NFT_TABLE_MAXNAMELEN);
	assert_int_equal(fg_batch_new(&b, &s), -EINVAL);
	s.table = "t";
	s.key_len = 65;
	assert_int_equal(fg_batch_new(&b, &s), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_bytes_as_libnftnl),
		cmocka_unit_test(each_kernel_its_parts),
		cmocka_unit_test(fresh_ones_come_last),
		cmocka_unit_test(largest_is_cut_into_messages),
		cmocka_unit_test(judges_answers),
		cmocka_unit_test(refuses_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
