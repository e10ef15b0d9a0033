/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ct_updater.c - batches, answers, second tries; the kernel is a script.
 */
/* LINK: plugins/conntrack/updater.c plugins/conntrack/pending.c */
/* LINK: plugins/conntrack/tuple.c plugins/conntrack/message.c */
/* LIBS: -lmnl */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/netlink.h>

#include "../../plugins/conntrack/updater.h"
#include "netlink/socket.h"

/* ----------------------------------------------------------- the kernel */

struct fg_nl {
	uint32_t seq;
};

static struct fg_nl the_socket;
/* what the kernel says to a message; NULL: success */
static int (*kernel)(const struct nlmsghdr *nlh);
static int send_error, receive_error;
static unsigned sends, messages;

int fg_nl_open(struct fg_nl **out, uint32_t portid)
{
	(void)portid;
	the_socket.seq = 1;
	*out = &the_socket;
	return 0;
}

void fg_nl_close(struct fg_nl *nl)
{
	(void)nl;
}

uint32_t fg_nl_sequence(struct fg_nl *nl, uint32_t count)
{
	uint32_t first = nl->seq;

	nl->seq += count;
	return first;
}

void fg_nl_transact(struct fg_nl *nl, const void *data, size_t len,
		    uint32_t first, uint32_t count, void *buf, size_t size,
		    struct fg_nl_result *result)
{
	const char *p = data;
	uint32_t n = 0;

	(void)nl, (void)buf, (void)size;
	memset(result, 0, sizeof(*result));
	sends++;
	result->sent = send_error;
	if (send_error)
		return;
	result->received = receive_error;
	while (len) {
		const struct nlmsghdr *nlh = (const void *)p;
		int err = kernel ? kernel(nlh) : 0;

		assert_int_equal(nlh->nlmsg_seq, first + n++);
		if (err && !receive_error)
			result->error[result->errors++] =
				(struct fg_nl_error){nlh->nlmsg_seq, 0, -err};
		messages++;
		p += nlh->nlmsg_len;
		len -= nlh->nlmsg_len;
		if (err == -EPERM)
			break;
	}
	if (kernel && result->errors && result->error[0].error == EPERM)
		return;
	assert_int_equal(n, count);
}

int fg_nl_request(struct fg_nl *nl, struct nlmsghdr *msg,
		  int (*each)(void *ctx, const struct nlmsghdr *nlh), void *ctx)
{
	(void)nl, (void)each, (void)ctx;
	return kernel ? kernel(msg) : 0;
}

/* -------------------------------------------------------------- the host */

static int64_t clock_now;
static struct fg_timer *timer;
static struct fg_job *in_flight; /* held back when deferred */
static bool deferred;
static unsigned logged, renewals;
static bool never_answer;

static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...)
{
	(void)h, (void)level, (void)fmt;
	logged++;
}

static int64_t host_now(const struct fg_host *h)
{
	(void)h;
	return clock_now;
}

static void host_timer_set(const struct fg_host *h, struct fg_timer *t,
			   int64_t deadline)
{
	(void)h;
	t->deadline = deadline;
	timer = t;
}

static void host_timer_cancel(const struct fg_host *h, struct fg_timer *t)
{
	(void)h;
	t->deadline = 0;
}

static int host_submit(const struct fg_host *h, struct fg_job *job)
{
	(void)h;
	if (deferred) {
		assert_null(in_flight);
		in_flight = job;
		return 0;
	}
	job->run(job);
	job->done(job);
	return 0;
}

static void land(void)
{
	struct fg_job *job = in_flight;

	in_flight = NULL;
	job->run(job);
	job->done(job);
}

static bool host_never(const struct fg_host *h, int version,
		       const uint8_t addr[16])
{
	(void)h, (void)version;
	return never_answer && addr[0] == 198;
}

static bool listed_answer;

static bool host_never_listed(const struct fg_host *h, int version,
			      const uint8_t addr[16])
{
	(void)h, (void)version;
	return listed_answer && addr[0] != 198;
}

static struct fg_flow members[128];
static unsigned member_count;

static void host_members(const struct fg_host *h, const void *self,
			 bool (*each)(const struct fg_flow *,
				      const struct fg_member *, void *),
			 void *ctx)
{
	static const struct fg_member m = {.size = sizeof(m)};

	(void)h, (void)self;
	for (unsigned i = 0; i < member_count; i++)
		each(&members[i], &m, ctx);
}

static struct fg_host host = {
	.max_flows = 100,
	.log = host_log,
	.now = host_now,
	.timer_set = host_timer_set,
	.timer_cancel = host_timer_cancel,
	.submit = host_submit,
	.members = host_members,
	.never = host_never,
	.never_listed = host_never_listed,
};

/* ------------------------------------------------------------ the target */

static size_t build(void *ctx, void *buf, uint32_t seq,
		    const struct fg_tuple *t, const struct fg_change *c)
{
	(void)ctx;
	return fg_ct_mark(buf, seq, t, c->to.mark, UINT32_MAX);
}

static int last_result;
static unsigned results;

static bool result(void *ctx, const struct fg_change *c, int err)
{
	(void)ctx, (void)c;
	last_result = err;
	results++;
	return false;
}

static struct fg_updater *u;

static void renew(void *ctx, const struct fg_flow *flow,
		  const struct fg_member *member)
{
	(void)ctx, (void)member;
	renewals++;
	fg_updater_put(u, flow, FG_CHANGE_SET);
}

static const struct fg_updater_ops ops = {build, NULL, result, renew};

static struct fg_flow flow(unsigned n)
{
	struct fg_flow f = {.ip_version = 4,
			    .ip_protocol = 6,
			    .flags = FG_FLOW_INTERNAL | FG_FLOW_HAS_ORIGIN |
				     FG_FLOW_LOCAL_ORIGIN,
			    .local_port = (uint16_t)n,
			    .other_port = 443,
			    .local_addr = {10, 0, 0, 2},
			    .other_addr = {198, 51, 100, 9}};

	memcpy(f.digest, &n, sizeof(n));
	return f;
}

static void put(unsigned n, enum fg_change_kind kind)
{
	struct fg_flow f = flow(n);

	fg_updater_put(u, &f, kind);
}

static uint64_t gone, errors, adds, deletes, pending, dropped, never;
static const char *state_word;

static void more(void *ctx, const char *name, uint64_t value)
{
	(void)ctx;
	if (!strcmp(name, "gone"))
		gone = value;
	else if (!strcmp(name, "dropped"))
		dropped = value;
	else if (!strcmp(name, "never"))
		never = value;
}

static void status(void)
{
	struct fg_status s = {.size = sizeof(s), .more = more};

	fg_updater_status(u, &s);
	errors = s.errors;
	adds = s.adds;
	deletes = s.deletes;
	pending = s.pending;
	state_word = s.state;
}

static int setup(void **state)
{
	(void)state;
	kernel = NULL;
	send_error = receive_error = 0;
	sends = messages = logged = renewals = results = member_count = 0;
	clock_now = 1000;
	timer = NULL;
	in_flight = NULL;
	deferred = never_answer = false;
	host.host_private = NULL;
	return fg_updater_new(&u, &host, NULL, "t", &ops, NULL);
}

static int teardown(void **state)
{
	(void)state;
	fg_updater_free(u);
	return 0;
}

/* The host's rule: again while it asks for it. */
static void flush(void)
{
	int n = 0;

	while (fg_updater_flush(u, clock_now))
		assert_true(n++ < 1000);
}

static void test_batches(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(i, FG_CHANGE_SET);
	status();
	assert_int_equal(pending, 100);
	flush();
	status();
	assert_int_equal(adds, 100);
	assert_int_equal(pending, 0);
	assert_int_equal(messages, 100);
	assert_int_equal(sends, 2); /* of 64 at most */
	assert_int_equal(results, 100);
}

static void test_nothing_before_flush(void **state)
{
	(void)state;
	put(1, FG_CHANGE_SET);
	assert_int_equal(sends, 0);
	assert_false(fg_updater_flush(u, clock_now));
	assert_int_equal(sends, 1);
	assert_false(fg_updater_flush(u, clock_now));
	assert_int_equal(sends, 1);
}

static int missing(const struct nlmsghdr *nlh)
{
	(void)nlh;
	return -ENOENT;
}

static void test_gone(void **state)
{
	(void)state;
	kernel = missing;
	put(1, FG_CHANGE_SET);
	flush();
	status();
	/* once each way, then it is no error */
	assert_int_equal(messages, 2);
	assert_int_equal(gone, 1);
	assert_int_equal(errors, 0);
	assert_int_equal(logged, 0);
	assert_int_equal(last_result, -ENOENT);
}

/* Only the reply is known: the second nested attribute of the tuple differs. */
static int only_reply(const struct nlmsghdr *nlh)
{
	const struct nlattr *a = (const void *)((const char *)nlh + 20);

	return (a->nla_type & NLA_TYPE_MASK) == 2 /* CTA_TUPLE_REPLY */
		       ? 0
		       : -ENOENT;
}

static void test_reversed(void **state)
{
	(void)state;
	kernel = only_reply;
	put(1, FG_CHANGE_KILL);
	put(2, FG_CHANGE_KILL);
	flush();
	status();
	assert_int_equal(messages, 4);
	assert_int_equal(sends, 2);
	assert_int_equal(deletes, 2);
	assert_int_equal(gone, 0);
}

static int odd_ones(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_seq % 2 ? -EINVAL : 0;
}

static void test_one_of_many(void **state)
{
	(void)state;
	kernel = odd_ones;
	for (unsigned i = 0; i < 10; i++)
		put(i, FG_CHANGE_SET);
	flush();
	status();
	assert_int_equal(adds, 5);
	assert_int_equal(errors, 5);
	assert_int_equal(logged, 5);
	assert_string_equal(state_word, "ok");
}

static int not_allowed(const struct nlmsghdr *nlh)
{
	(void)nlh;
	return -EPERM;
}

static void test_denied(void **state)
{
	(void)state;
	kernel = not_allowed;
	for (unsigned i = 0; i < 3; i++)
		put(i, FG_CHANGE_SET);
	flush();
	status();
	/* answered once, and true of all */
	assert_int_equal(messages, 1);
	assert_int_equal(errors, 3);
	assert_string_equal(state_word, "denied");
	kernel = NULL;
	put(9, FG_CHANGE_SET);
	flush();
	status();
	assert_string_equal(state_word, "ok");
}

static void test_answers_lost(void **state)
{
	(void)state;
	receive_error = -ENOBUFS;
	put(1, FG_CHANGE_SET);
	flush();
	status();
	assert_int_equal(adds, 0);
	assert_int_equal(pending, 1);
	assert_int_equal(timer->deadline, clock_now + 100);
	/* not before its time, whatever else is flushed */
	flush();
	assert_int_equal(sends, 1);
	receive_error = 0;
	clock_now += 100;
	timer->expired(timer, clock_now);
	status();
	assert_int_equal(adds, 1);
	assert_int_equal(pending, 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	send_error = -ENOMEM;
	put(1, FG_CHANGE_SET);
	flush();
	for (int i = 0; i < 10 && timer->deadline; i++) {
		clock_now += 100;
		timer->expired(timer, clock_now);
	}
	status();
	assert_int_equal(sends, 6); /* and then no more */
	assert_int_equal(errors, 1);
	assert_int_equal(pending, 0);
}

static void test_last_one_counts(void **state)
{
	(void)state;
	put(1, FG_CHANGE_SET);
	put(1, FG_CHANGE_CLEAR);
	flush();
	status();
	assert_int_equal(messages, 1);
	assert_int_equal(deletes, 1);
	/* cleared by the old flow of a connection that a new one has set */
	struct fg_flow old = flow(1), new = flow(1);

	new.digest[5] = 1;
	fg_updater_put(u, &new, FG_CHANGE_SET);
	assert_null(fg_updater_put(u, &old, FG_CHANGE_CLEAR));
	fg_updater_cancel(u, &old);
	flush();
	status();
	assert_int_equal(adds, 1);
	fg_updater_put(u, &new, FG_CHANGE_SET);
	fg_updater_cancel(u, &new);
	flush();
	assert_int_equal(messages, 2);
}

static void test_newer_while_in_flight(void **state)
{
	(void)state;
	deferred = true;
	put(1, FG_CHANGE_SET);
	assert_false(fg_updater_flush(u, clock_now));
	put(1, FG_CHANGE_CLEAR);
	put(2, FG_CHANGE_SET);
	assert_false(fg_updater_flush(u, clock_now));
	kernel = missing;
	land(); /* and the next one is on its way */
	kernel = NULL;
	land();
	assert_null(in_flight);
	status();
	/* the failed one was not tried again: it was overtaken */
	assert_int_equal(messages, 3);
	assert_int_equal(deletes, 1);
	assert_int_equal(adds, 1);
}

static void test_due(void **state)
{
	struct fg_flow f = flow(1);
	struct fg_change *c = fg_updater_put(u, &f, FG_CHANGE_KILL);

	(void)state;
	c->due = clock_now + 500;
	flush();
	assert_int_equal(sends, 0);
	assert_int_equal(timer->deadline, clock_now + 500);
	/* one that no flush has seen may not slip through with the timer */
	put(2, FG_CHANGE_KILL);
	clock_now += 500;
	timer->expired(timer, clock_now);
	assert_int_equal(messages, 1);
	flush();
	assert_int_equal(messages, 2);
}

/* More are due than fit a batch: the rest must not wait for another burst. */
static void test_due_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct fg_flow f = flow(i);

		fg_updater_put(u, &f, FG_CHANGE_KILL)->due = clock_now;
	}
	deferred = true;
	assert_false(fg_updater_flush(u, clock_now));
	land();
	land();
	assert_null(in_flight);
	status();
	assert_int_equal(deletes, 100);
}

static void test_overflow_in_flight(void **state)
{
	(void)state;
	deferred = true;
	put(1, FG_CHANGE_SET);
	assert_false(fg_updater_flush(u, clock_now));
	for (unsigned i = 0; i < 101; i++)
		put(i, FG_CHANGE_SET);
	members[member_count++] = flow(100);
	assert_false(fg_updater_flush(u, clock_now));
	while (in_flight)
		land();
	status();
	assert_int_equal(dropped, 1);
	assert_int_equal(renewals, 1);
	assert_int_equal(adds, 1 + 100 + 1);
}

static void test_overflow(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 120; i++) {
		put(i, FG_CHANGE_SET);
		members[member_count++] = flow(i);
	}
	member_count = 90; /* some left since */
	flush();
	status();
	assert_int_equal(dropped, 20);
	assert_int_equal(renewals, 90);
	assert_int_equal(adds, 190);
	assert_int_equal(pending, 0);
}

static void test_never(void **state)
{
	(void)state;
	never_answer = true;
	put(1, FG_CHANGE_SET);
	status();
	assert_int_equal(never, 1);
	assert_int_equal(pending, 0);
	/* undoing is always allowed */
	put(1, FG_CHANGE_CLEAR);
	status();
	assert_int_equal(pending, 1);
	/* a host of one's own that is listed */
	never_answer = false;
	listed_answer = true;
	put(2, FG_CHANGE_SET);
	status();
	listed_answer = false;
	assert_int_equal(never, 2);
	assert_int_equal(pending, 1);
}

static void test_drain(void **state)
{
	(void)state;
	kernel = only_reply;
	for (unsigned i = 0; i < 100; i++)
		put(i, FG_CHANGE_CLEAR);
	fg_updater_drain(u);
	status();
	assert_int_equal(deletes, 100);
	assert_int_equal(pending, 0);
	send_error = -ENOMEM;
	put(1, FG_CHANGE_CLEAR);
	fg_updater_drain(u); /* ends */
	status();
	assert_int_equal(errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_batches),
		T(test_nothing_before_flush),
		T(test_gone),
		T(test_reversed),
		T(test_one_of_many),
		T(test_denied),
		T(test_answers_lost),
		T(test_no_memory),
		T(test_last_one_counts),
		T(test_newer_while_in_flight),
		T(test_due),
		T(test_due_many),
		T(test_overflow),
		T(test_overflow_in_flight),
		T(test_never),
		T(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
