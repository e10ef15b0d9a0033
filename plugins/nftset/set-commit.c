/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set-commit.c - from leases to the kernel, one transaction at a time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dry.h"
#include "hub.h"
#include "sentence.h"
#include "set-private.h"

/* How soon to try again what failed for lack of memory. */
#define LATER_MS 250
/* Transactions at the end, when nobody waits for the loop any more. */
#define CLOSE_BATCHES 8192
/* Leases that one turn of the loop may make pending by time. */
#define ADVANCE_MAX 4096

void fg_set_submit(struct fg_set *s)
{
	int err;

	s->flight = true;
	s->sent = fg_set_now(s);
	s->sent_to = s->rebuilds;
	s->transactions++;
	err = s->host->submit(s->host, &s->job);
	if (err) {
		s->answer = (struct fg_nl_result){.sent = err};
		s->job.done(&s->job);
	}
}

static void run(struct fg_job *job)
{
	struct fg_set *s = job->ctx;

	fg_nl_transact(s->nl, s->bytes, s->len, s->first, s->messages, s->reply,
		       sizeof(s->reply), &s->answer);
}

static void count(struct fg_set *s, const struct fg_lease_change *c)
{
	if (c->op == FG_LEASE_DELETE)
		s->deletes++;
	else if (c->fresh)
		s->adds++;
	else
		s->renewals++;
}

/* Says once what the kernel has against an element. */
static void say_refused(struct fg_set *s, const struct fg_lease_change *c,
			int error)
{
	char key[FG_KEY_TEXT];

	s->errors++;
	LOG(s, FG_LOG_WARNING, "refuses { %s }: %s (%s)",
	    fg_key_format(&s->o.schema.shape, c->key, key),
	    fg_sentence(error), strerror(error));
}

/* Some are turned away for lack of room: make it, or wait for it. */
static void make_room(struct fg_set *s)
{
	size_t fit = 0, full = 0;

	for (size_t i = 0; i < s->changes; i++) {
		if (s->result[i] == FG_LEASE_AGAIN)
			fit += s->change[i].fresh;
		if (s->result[i] != FG_LEASE_FULL)
			continue;
		full++;
		if (s->o.evict && s->change[i].may_evict &&
		    fg_leases_evict(s->leases)) {
			s->evicted++;
			s->result[i] = FG_LEASE_AGAIN;
		}
	}
	if (!full)
		return;
	if (!s->room_at)
		LOG(s, FG_LOG_WARNING, "is full (%u element%s): %s",
		    s->found.size, FG_S(s->found.size),
		    s->o.evict ? "the next to expire make room for new ones"
			       : "new ones wait; raise its \"size\", or set "
				 "\"on_full\" to \"evict\"");
	s->room_at = s->sent + RECHECK_MS;
	/* those that came before the first of them did find room */
	s->room = s->o.evict ? SIZE_MAX : fit;
	s->probing = false;
	s->errors++;
}

static void use_room(struct fg_set *s, const struct fg_lease_change *c)
{
	if (s->room == SIZE_MAX)
		return;
	if (c->op == FG_LEASE_DELETE)
		s->room++;
	else if (c->fresh && s->room)
		s->room--;
}

static void settle(struct fg_set *s)
{
	/* the last first: what is to be sent again keeps its order */
	for (size_t i = s->changes; i-- > 0;) {
		if (s->result[i] == FG_LEASE_DONE) {
			count(s, &s->change[i]);
			use_room(s, &s->change[i]);
		}
		fg_leases_settle(s->leases, &s->change[i], s->result[i],
				 s->sent);
	}
	s->changes = 0;
}

static void settle_all(struct fg_set *s, enum fg_lease_result result)
{
	for (size_t i = 0; i < s->changes; i++)
		s->result[i] = result;
	settle(s);
}

/* Elements were named: those are dealt with, the others go again. */
static void repair(struct fg_set *s, int error)
{
	bool refused = false;

	for (size_t i = 0; i < s->changes; i++)
		refused |= s->result[i] == FG_LEASE_REFUSED;
	/* before an element is blamed: is it still the set it was sent to? */
	if (refused) {
		fg_set_check(s);
		if (s->state != FIT || s->rebuilds != s->sent_to) {
			settle_all(s, FG_LEASE_AGAIN);
			return;
		}
	}
	for (size_t i = 0; i < s->changes; i++)
		if (s->result[i] == FG_LEASE_REFUSED)
			say_refused(s, &s->change[i], error);
	make_room(s);
	if (++s->repairs > 1 && s->changes > 1)
		s->limit = s->changes / 2;
	settle(s);
}

/* Refused, and nobody named: halves, until one is left. */
static void split(struct fg_set *s, int error)
{
	if (s->changes > 1) {
		s->limit = s->changes / 2;
		if (error == EMSGSIZE)
			s->most = s->limit;
		settle_all(s, FG_LEASE_AGAIN);
		return;
	}
	if (s->changes)
		say_refused(s, &s->change[0], error);
	settle_all(s, FG_LEASE_REFUSED);
}

static void missing(struct fg_set *s, int error)
{
	enum fg_set_state before = s->state;

	fg_set_check(s);
	if (s->state == FIT && before == FIT && s->rebuilds == s->sent_to) {
		/* it is there: an element must be meant */
		split(s, error);
		return;
	}
	settle_all(s, FG_LEASE_AGAIN);
}

static void committed(struct fg_set *s)
{
	s->repairs = 0;
	s->limit = s->limit * 2 < s->most ? s->limit * 2 : s->most;
	settle(s);
	/* as long as all goes in, there is room for more */
	if (s->probing)
		s->room = FG_BATCH_MAX;
	if (fg_set_pending(s))
		return;
	if (s->rebuilding)
		LOG(s, FG_LOG_INFO, "has all its elements again");
	s->rebuilding = s->restoring = false;
}

static void judge(struct fg_set *s)
{
	int error;
	enum fg_verdict verdict = fg_batch_judge(
		s->batch, s->change, s->changes, &s->answer, s->result, &error);

	fg_hub_sent(s->hub, verdict == FG_VERDICT_DONE);
	s->aborted += verdict != FG_VERDICT_DONE;
	switch (verdict) {
	case FG_VERDICT_DONE:
		committed(s);
		break;
	case FG_VERDICT_REPAIR:
		repair(s, error);
		break;
	case FG_VERDICT_SPLIT:
		split(s, error);
		break;
	case FG_VERDICT_LATER:
		s->errors++;
		s->later = fg_set_now(s) + LATER_MS;
		LOG(s, FG_LOG_WARNING, "takes nothing now: %s; trying again",
		    fg_sentence(error));
		settle_all(s, FG_LEASE_AGAIN);
		break;
	case FG_VERDICT_MISSING:
		missing(s, error);
		break;
	case FG_VERDICT_DENIED:
		s->errors++;
		snprintf(s->why, sizeof(s->why),
			 "set \"%s %s %s\" cannot be changed: %s",
			 fg_family_name(s->o.schema.family), s->table, s->name,
			 fg_sentence(error));
		fg_set_turn(s, DENIED);
		settle_all(s, FG_LEASE_AGAIN);
		break;
	case FG_VERDICT_UNKNOWN:
		s->errors++;
		settle_all(s, FG_LEASE_UNKNOWN);
		break;
	}
}

static void done(struct fg_job *job)
{
	struct fg_set *s = job->ctx;

	s->flight = false;
	if (s->creating) {
		s->creating = false;
		if (s->answer.sent || s->answer.errors)
			LOG(s, FG_LOG_ERROR, "cannot be made: %s",
			    fg_sentence(
				    s->answer.sent ? -s->answer.sent
						   : s->answer.error[0].error));
		else
			fg_set_check(s);
	} else {
		judge(s);
	}
	if (s->building)
		return;
	fg_set_commit(s);
	fg_set_rearm(s);
}

/* For -n: what would be sent, as nft commands. */
static void print_changes(struct fg_set *s)
{
	for (size_t i = 0; i < s->changes; i++) {
		char text[FG_COMMENT_MAX];

		if (s->o.comment)
			fg_set_comment(s, &s->change[i], text);
		fg_dry_print(s->host, &s->o.schema, &s->change[i],
			     s->o.comment ? text : NULL);
		s->result[i] = FG_LEASE_DONE;
	}
	s->sent = fg_set_now(s);
	settle(s);
}

int fg_set_make_batch(struct fg_set *s)
{
	struct fg_batch_setup b = {
		.family = s->o.schema.family,
		.table = s->table,
		.set = s->name,
		.key_len = s->o.schema.shape.len,
		.data = s->o.schema.map == FG_MAP_NONE	    ? FG_DATA_NONE
			: s->o.schema.map == FG_MAP_VERDICT ? FG_DATA_VERDICT
							    : FG_DATA_VALUE,
		.timeouts = s->found.timeouts || s->o.schema.ttl_ms,
		.timeout_ms = s->o.schema.ttl_ms,
		.caps = s->caps,
		.comment = s->o.comment ? fg_set_comment : NULL,
		.ctx = s,
	};

	if (!s->batch)
		return fg_batch_new(&s->batch, &b);
	fg_batch_set(s->batch, &b);
	return 0;
}

/* A second later: one transaction may find out whether there is room. */
static void try_room(struct fg_set *s, int64_t now)
{
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	s->probing = c.waiting || c.pending;
	s->room = s->probing ? FG_BATCH_MAX : SIZE_MAX;
	s->room_at = s->probing ? now + RECHECK_MS : 0;
}

/* Sends what is pending. True: there is more, and nothing to wait for. */
bool fg_set_commit(struct fg_set *s)
{
	int64_t now = fg_set_now(s);

	if (s->flight || s->state != FIT || now < s->later)
		return false;
	s->later = 0;
	if (s->rebatch)
		fg_set_make_batch(s);
	s->rebatch = false;
	if (s->room_at && now >= s->room_at)
		try_room(s, now);
	s->changes =
		fg_leases_collect(s->leases, s->change, s->limit, s->room, now);
	if (!s->changes)
		return false;
	if (s->dry) {
		print_changes(s);
		return fg_set_pending(s);
	}
	s->first = fg_nl_sequence(s->nl, FG_BATCH_MESSAGES);
	fg_batch_build(s->batch, s->change, s->changes, s->first);
	s->bytes = fg_batch_bytes(s->batch, &s->len);
	s->messages = fg_batch_messages(s->batch);
	fg_hub_sending(s->hub, s->changes, now);
	s->building = true;
	fg_set_submit(s);
	s->building = false;
	return !s->flight && fg_set_pending(s);
}

static void expired(struct fg_timer *timer, int64_t now)
{
	struct fg_set *s = timer->ctx;

	fg_leases_advance(s->leases, now, ADVANCE_MAX);
	fg_set_heal(s, now);
	fg_set_commit(s);
	fg_set_rearm(s);
}

bool fg_set_flush(struct fg_set *s, int64_t now)
{
	bool more;

	(void)now;
	fg_set_begin(s);
	more = fg_set_commit(s);
	fg_set_rearm(s);
	return more;
}

/* The loop has ended for it: what is pending goes out here and now. */
void fg_set_drain(struct fg_set *s)
{
	s->building = true; /* done() goes on no further */
	for (int i = 0; i < CLOSE_BATCHES && s->state == FIT && !s->flight;
	     i++) {
		s->changes = fg_leases_collect(s->leases, s->change, s->limit,
					       s->room, fg_set_now(s));
		if (!s->changes)
			break;
		if (s->dry) {
			print_changes(s);
			continue;
		}
		s->first = fg_nl_sequence(s->nl, FG_BATCH_MESSAGES);
		fg_batch_build(s->batch, s->change, s->changes, s->first);
		s->bytes = fg_batch_bytes(s->batch, &s->len);
		s->messages = fg_batch_messages(s->batch);
		s->sent = fg_set_now(s);
		s->sent_to = s->rebuilds;
		fg_hub_sending(s->hub, s->changes, s->sent);
		run(&s->job);
		done(&s->job);
		if (s->later)
			break;
	}
}

void fg_set_commit_init(struct fg_set *s)
{
	s->limit = s->most = FG_BATCH_MAX;
	s->room = SIZE_MAX;
	s->timer = (struct fg_timer){.expired = expired, .ctx = s};
	s->job = (struct fg_job){.run = run, .done = done, .ctx = s};
}
