/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set-heal.c - is the set there, is it fit, and whose elements are in it? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <libmnl/libmnl.h>

#include "base/text.h"
#include "hub.h"
#include "sentence.h"
#include "set-private.h"

void fg_set_turn(struct fg_set *s, enum fg_set_state state)
{
	bool news = s->state != state;

	s->state = state;
	s->recheck = state == FIT ? 0 : fg_set_now(s) + RECHECK_MS;
	if (!news)
		return;
	if (state == MISSING && s->o.managed)
		LOG(s, FG_LOG_NOTICE, "was deleted: it is made again");
	else if (state == FIT)
		LOG(s, FG_LOG_NOTICE, "is there: %u element%s to put into it",
		    fg_set_pending(s), FG_S(fg_set_pending(s)));
	else
		s->host->log(s->host, FG_LOG_WARNING, "%s", s->why);
}

/* Is it there, is it fit, is it still the same one? */
void fg_set_check(struct fg_set *s)
{
	struct fg_schema_found found;
	int err = fg_schema_check(fg_hub_query(s->hub), &s->o.schema, &found,
				  s->why);

	if (err == -ENOENT || err == -EINVAL) {
		/* whatever was in it is gone with it */
		if (s->state == FIT)
			fg_leases_lost(s->leases, false);
		fg_set_turn(s, err == -ENOENT ? MISSING : UNFIT);
		if (s->state == MISSING && s->o.managed)
			fg_set_create(s);
		return;
	}
	if (err) {
		fg_set_turn(s, DENIED);
		return;
	}
	if (s->state != FIT || found.set_handle != s->found.set_handle ||
	    found.table_handle != s->found.table_handle) {
		fg_leases_lost(s->leases, false);
		fg_leases_pardon(s->leases);
		s->rebatch |= found.timeouts != s->found.timeouts;
		s->found = found;
		s->rebuilds++;
		s->rebuilding = true;
		s->limit = s->most;
		s->room = SIZE_MAX;
		s->room_at = 0;
	}
	fg_set_turn(s, FIT);
}

/* The messages that were built before get numbers of now. */
static void number(struct fg_set *s, void *bytes, size_t size)
{
	struct nlmsghdr *nlh = bytes;
	int len = (int)size;

	s->first = fg_nl_sequence(s->nl, FG_BATCH_MESSAGES);
	s->messages = 0;
	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		nlh->nlmsg_seq = s->first + s->messages++;
}

void fg_set_create(struct fg_set *s)
{
	if (s->flight || s->dry || !s->create_len)
		return;
	number(s, s->create, s->create_len);
	s->bytes = s->create;
	s->len = s->create_len;
	s->creating = true;
	fg_set_submit(s);
}

/* ----------------------------------------------------------------- start */

/* Once, outside the loop: sends it and reads the answer. 0 or -errno. */
static int transact(struct fg_set *s, void *bytes, size_t len)
{
	if (!len)
		return -ENOMEM;
	number(s, bytes, len);
	fg_nl_transact(s->nl, bytes, len, s->first, s->messages, s->reply,
		       sizeof(s->reply), &s->answer);
	if (s->answer.sent)
		return s->answer.sent;
	return s->answer.errors ? -s->answer.error[0].error : 0;
}

int fg_set_prepare(struct fg_set *s)
{
	const struct fg_schema *schema = &s->o.schema;
	uint32_t count;

	if (s->dry)
		return 0;
	/* not while it is being sent */
	if (s->o.managed && !s->creating)
		s->create_len = fg_schema_create(schema, 0, &count, s->create);
	if (!s->empty_len)
		s->empty_len = fg_schema_flush(schema, 0, &count, s->empty);
	return s->empty_len && (s->create_len || !s->o.managed) ? 0 : -ENOMEM;
}

int fg_set_empty(struct fg_set *s)
{
	return transact(s, s->empty, s->empty_len);
}

/* -n: a ruleset without it gets it first. */
static void print_create(struct fg_set *s)
{
	char text[FG_SCHEMA_WHY];

	s->host->print(s->host, "%s",
		       fg_schema_create_table_text(&s->o.schema, text));
	s->host->print(s->host, "%s",
		       fg_schema_create_set_text(&s->o.schema, text));
}

/* What is said of the set as it is found at start. */
int fg_set_first_check(struct fg_set *s, const struct fg_node *at)
{
	const struct fg_config *config = s->host->config;
	bool looks_only = s->host->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN);
	int err = fg_schema_check(fg_hub_query(s->hub), &s->o.schema, &s->found,
				  s->why);

	switch (err) {
	case 0:
		s->state = FIT;
		return 0;
	case -ENOENT:
		s->state = MISSING;
		if (s->o.managed)
			return 0;
		if (s->host->flags & FG_HOST_CHECK)
			break;
		/* a firewall may be loaded later than flowgated */
		config->warning(at, "%s", s->why);
		return 0;
	case -EPERM:
		if (!looks_only)
			break;
		config->warning(at, "%s: not checked", s->why);
		return 0;
	default:
		break;
	}
	config->error(at, "%s", s->why);
	return err;
}

static void make(struct fg_set *s)
{
	int err;

	err = transact(s, s->create, s->create_len);
	if (!err) {
		err = fg_schema_check(fg_hub_query(s->hub), &s->o.schema,
				      &s->found, s->why);
		s->rebatch = true;
	} else {
		snprintf(s->why, sizeof(s->why),
			 "set \"%s %s %s\" cannot be made: %s",
			 fg_family_name(s->o.schema.family), s->table, s->name,
			 fg_sentence(-err));
	}
	if (err) {
		s->host->log(s->host, FG_LOG_WARNING, "%s", s->why);
		return;
	}
	s->state = FIT;
	s->recheck = 0;
}

void fg_set_begin(struct fg_set *s)
{
	int err;

	if (s->begun)
		return;
	s->begun = true;
	if (s->dry) {
		if (s->o.managed && s->host->flags & FG_HOST_DRY_RUN)
			print_create(s);
		return;
	}
	if (s->state == MISSING && s->o.managed)
		make(s);
	if (s->state != FIT || !s->o.flush_on_create)
		return;
	err = fg_set_empty(s);
	if (err)
		LOG(s, FG_LOG_WARNING, "cannot be emptied: %s",
		    fg_sentence(-err));
}

/* ---------------------------------------------------------------- others */

void fg_set_event(struct fg_set *s, const struct fg_monitor_event *e)
{
	if (s->dry || e->family != s->o.schema.family ||
	    strcmp(e->table, s->table) || (e->set && strcmp(e->set, s->name)))
		return;
	if (e->kind != FG_MONITOR_REMOVED) {
		s->stale = true;
	} else if (e->key_len == s->o.schema.shape.len &&
		   fg_leases_spoil(s->leases, e->key)) {
		s->taken++;
		s->restoring = true;
	}
}

/*
 * Any of them may have been taken: all are sent again, which changes nothing
 * for those that are there. Others may be busy all the time, so this may not
 * take more than a small part of it: a million elements take about a second.
 * And it may not be long: 100,000 are to be back within three.
 */
static int64_t doubt_interval(const struct fg_set *s)
{
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	return RECHECK_MS / 2 + c.present * 3 / 200;
}

static void look_again(struct fg_set *s, int64_t now)
{
	s->doubt = false;
	s->doubted = now;
	if (s->state != FIT)
		return;
	fg_leases_lost(s->leases, true);
	s->restoring = true;
}

void fg_set_events_over(struct fg_set *s, bool lost)
{
	int64_t now = fg_set_now(s);

	if (s->dry)
		return;
	s->doubt |= lost;
	if (s->stale || s->doubt) {
		s->stale = false;
		fg_set_check(s);
	}
	if (s->doubt && now >= s->doubted + doubt_interval(s))
		look_again(s, now);
	else if (s->doubt && !s->recheck)
		s->recheck = s->doubted + doubt_interval(s);
	fg_set_commit(s);
	fg_set_rearm(s);
}

void fg_set_heal(struct fg_set *s, int64_t now)
{
	if (!s->recheck || now < s->recheck)
		return;
	s->recheck = 0;
	fg_set_check(s);
	if (s->doubt)
		look_again(s, now);
}
