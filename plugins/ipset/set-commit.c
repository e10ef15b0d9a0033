/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set-commit.c - from leases to the kernel, one send at a time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/netfilter/ipset/ip_set_hash.h>

#include "set-private.h"

/* How soon to try again what failed for lack of memory. */
#define LATER_MS 250
/* Leases that one turn of the loop may make pending by time. */
#define ADVANCE_MAX 4096

static void run(struct fg_job *job)
{
	struct fg_ipset *s = job->ctx;

	fg_nl_transact(s->nl, s->buf, s->len, s->seq, s->changes, s->reply,
		       sizeof(s->reply), &s->answer);
}

static void all(struct fg_ipset *s, enum fg_lease_result result)
{
	for (uint32_t i = 0; i < s->changes; i++)
		s->result[i] = result;
}

static void refused(struct fg_ipset *s, const struct fg_lease_change *c,
		    int error)
{
	char key[FG_KEY_TEXT];

	s->errors++;
	if (error == IPSET_ERR_HASH_FULL)
		LOG(s, FG_LOG_WARNING,
		    "is full: new elements wait; raise its "
		    "maxelem");
	else
		LOG(s, FG_LOG_WARNING, "refuses %s: %s",
		    fg_ipset_format(&s->o.schema, c->key, key),
		    fg_ipset_sentence(error));
}

static void judge(struct fg_ipset *s)
{
	const struct fg_nl_result *r = &s->answer;
	int trouble = r->sent ? -r->sent : -r->received;

	all(s, FG_LEASE_DONE);
	for (uint32_t i = 0; i < r->errors && i < FG_NL_ERRORS_MAX; i++) {
		uint32_t at = r->error[i].seq - s->seq;
		int error = r->error[i].error;

		if (error == ENOENT || error == EPERM) {
			/* the set, or the right to it: no element's fault */
			all(s, FG_LEASE_AGAIN);
			s->errors++;
			fg_ipset_turn(s, fg_ipset_look(s));
			/* told to change it, but not to look at it */
			if (error == EPERM && s->state == FIT) {
				snprintf(s->why, sizeof(s->why),
					 "ipset \"%s\": %s", s->o.schema.name,
					 fg_ipset_sentence(EPERM));
				fg_ipset_turn(s, DENIED);
			}
			return;
		}
		if (error == ENOMEM || error == EAGAIN) {
			trouble = error;
			s->result[at] = FG_LEASE_AGAIN;
			continue;
		}
		s->result[at] = error == IPSET_ERR_HASH_FULL ? FG_LEASE_FULL
							     : FG_LEASE_REFUSED;
		refused(s, &s->change[at], error);
	}
	if (!trouble)
		return;
	s->later = fg_ipset_now(s) + LATER_MS;
	s->errors++;
	LOG(s, FG_LOG_WARNING, "takes nothing now: %s; trying again",
	    strerror(trouble));
	if (r->sent)
		all(s, FG_LEASE_AGAIN);
	else if (r->received)
		all(s, FG_LEASE_UNKNOWN);
}

static void settle(struct fg_ipset *s)
{
	/* the last first: what is to be sent again keeps its order */
	for (uint32_t i = s->changes; i-- > 0;) {
		const struct fg_lease_change *c = &s->change[i];

		if (s->result[i] == FG_LEASE_DONE) {
			s->adds += c->op == FG_LEASE_ADD;
			s->deletes += c->op == FG_LEASE_DELETE;
			s->renewals += c->op != FG_LEASE_ADD &&
				       c->op != FG_LEASE_DELETE;
		}
		fg_leases_settle(s->leases, c, s->result[i], s->sent);
	}
	s->changes = 0;
}

static void done(struct fg_job *job)
{
	struct fg_ipset *s = job->ctx;

	s->flight = false;
	judge(s);
	settle(s);
	if (s->building)
		return;
	fg_ipset_commit(s);
}

static void print(struct fg_ipset *s, const struct fg_lease_change *c)
{
	const struct fg_ipset_schema *w = &s->o.schema;
	char key[FG_KEY_TEXT], more[128] = "";
	size_t n = 0;

	fg_ipset_format(w, c->key, key);
	if (c->op == FG_LEASE_DELETE) {
		s->host->print(s->host, "# ipset -exist del %s %s", w->name,
			       key);
		return;
	}
	if (w->ttl_s)
		n += (size_t)snprintf(more, sizeof(more), " timeout %u",
				      w->ttl_s);
	if (w->skb)
		snprintf(more + n, sizeof(more) - n,
			 " skbmark 0x%x/0x%x skbprio %x:%x skbqueue %u",
			 w->skb_mark, w->skb_mask, w->skb_prio >> 16,
			 w->skb_prio & 0xffff, w->skb_queue);
	/* a comment to "nft -f", which the rest of what -n prints is for */
	s->host->print(s->host, "# ipset -exist add %s %s%s", w->name, key,
		       more);
}

/* Collects and builds a batch. False: there is nothing. */
static bool build(struct fg_ipset *s)
{
	s->len = 0;
	s->changes = (uint32_t)fg_leases_collect(
		s->leases, s->change, BATCH_MAX, SIZE_MAX, fg_ipset_now(s));
	if (!s->changes)
		return false;
	s->sent = fg_ipset_now(s);
	s->seq = fg_nl_sequence(s->nl, BATCH_MAX);
	for (uint32_t i = 0; i < s->changes; i++) {
		const struct fg_lease_change *c = &s->change[i];

		s->len += (c->op == FG_LEASE_DELETE ? fg_ipset_del
						    : fg_ipset_add)(
			s->buf + s->len, s->seq + i, &s->o.schema, c->key);
	}
	return true;
}

/* For -n: what would be sent, as commands. */
static void print_batch(struct fg_ipset *s)
{
	for (uint32_t i = 0; i < s->changes; i++)
		print(s, &s->change[i]);
	all(s, FG_LEASE_DONE);
	settle(s);
}

static void send_batch(struct fg_ipset *s)
{
	s->flight = s->building = true;
	if (s->host->submit(s->host, &s->job)) {
		s->answer = (struct fg_nl_result){.sent = -EAGAIN};
		done(&s->job);
	}
	s->building = false;
}

bool fg_ipset_commit(struct fg_ipset *s)
{
	bool more = false;

	if (!s->flight && s->state == FIT && fg_ipset_now(s) >= s->later) {
		s->later = 0;
		more = build(s);
		if (more && s->dry)
			print_batch(s);
		else if (more)
			send_batch(s);
	}
	fg_ipset_rearm(s);
	return more && !s->flight && s->state == FIT && !s->later &&
	       fg_ipset_pending(s);
}

static void expired(struct fg_timer *timer, int64_t now)
{
	struct fg_ipset *s = timer->ctx;

	timer->deadline = 0;
	fg_leases_advance(s->leases, now, ADVANCE_MAX);
	fg_ipset_heal(s, now);
	fg_ipset_commit(s);
}

/* The loop has ended for it: what is pending goes out here and now. */
void fg_ipset_drain(struct fg_ipset *s)
{
	s->building = true;
	while (s->state == FIT && !s->later && build(s)) {
		if (s->dry) {
			print_batch(s);
			continue;
		}
		run(&s->job);
		done(&s->job);
	}
}

void fg_ipset_commit_init(struct fg_ipset *s)
{
	s->job = (struct fg_job){.run = run, .done = done, .ctx = s};
	s->timer = (struct fg_timer){.expired = expired, .ctx = s};
}
