/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set-heal.c - is the set there, is it fit, and is all in it? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/netfilter.h>

#include "base/text.h"
#include "set-private.h"

/* Elements that are asked for each second, and leases looked at for them. */
#define SAMPLES	 4
#define SEEN_MAX 4096

static int answer(void *ctx, const struct nlmsghdr *nlh)
{
	struct fg_ipset_found *f = ctx, found;

	/* a list goes on with elements, of which none was asked for */
	if (!fg_ipset_parse(nlh, nlh->nlmsg_len, &found) && *found.type)
		*f = found;
	return 0;
}

static int request(struct fg_ipset *s, void *msg, struct fg_ipset_found *found)
{
	memset(found, 0, sizeof(*found));
	return fg_nl_request(s->nl, msg, answer, found);
}

/* Does what was found fit what is wanted? False: why says what does not. */
static bool fits(struct fg_ipset *s, const struct fg_ipset_found *f)
{
	const struct fg_ipset_schema *w = &s->o.schema;
	uint8_t family = w->version == 4   ? NFPROTO_IPV4
			 : w->version == 6 ? NFPROTO_IPV6
					   : NFPROTO_UNSPEC;

	if (strcmp(f->type, fg_ipset_types[w->type]) || f->family != family)
		snprintf(s->why, sizeof(s->why),
			 "ipset \"%s\" is %s%s, \"type\" wants %s%s", w->name,
			 f->type, f->family == NFPROTO_IPV6 ? " of inet6" : "",
			 fg_ipset_types[w->type],
			 w->version == 6 ? " of inet6" : "");
	else if (w->ttl_s && !f->timeouts)
		snprintf(s->why, sizeof(s->why),
			 "ipset \"%s\" has no timeouts: make it with \"timeout "
			 "0\", or leave out \"ttl\"",
			 w->name);
	else if (w->skb && !f->skb)
		snprintf(s->why, sizeof(s->why),
			 "ipset \"%s\" has no skbinfo: make it with \"skbinfo\""
			 ", or leave out \"skb_mark\" and the like",
			 w->name);
	else
		return true;
	return false;
}

/* Before its configuration is in force: only whether it could be made. */
static int create(struct fg_ipset *s)
{
	_Alignas(struct nlmsghdr) char msg[FG_IPSET_MESSAGE_MAX];
	struct fg_ipset_found type;
	int err;

	fg_ipset_type(msg, 0, &s->o.schema);
	err = request(s, msg, &type);
	if (err || !s->begun)
		return err;
	/* from now on elements bring their own time, even if that is none */
	s->o.schema.timeouts = true;
	fg_ipset_create(msg, 0, &s->o.schema, type.revision);
	return request(s, msg, &type);
}

enum fg_ipset_state fg_ipset_look(struct fg_ipset *s)
{
	_Alignas(struct nlmsghdr) char msg[FG_IPSET_MESSAGE_MAX];
	struct fg_ipset_found found;
	int err;

	fg_ipset_list(msg, 0, s->o.schema.name);
	err = request(s, msg, &found);
	if (err == -ENOENT && s->o.managed && !s->dry) {
		err = create(s);
		if (!err && !s->begun) {
			snprintf(s->why, sizeof(s->why), "%s", "");
			return MISSING;
		}
		fg_ipset_list(msg, 0, s->o.schema.name);
		if (!err)
			err = request(s, msg, &found);
	}
	if (err) {
		snprintf(s->why, sizeof(s->why), "ipset \"%s\": %s",
			 s->o.schema.name, fg_ipset_sentence(-err));
		return err == -EPERM ? DENIED : MISSING;
	}
	if (!fits(s, &found))
		return UNFIT;
	s->o.schema.timeouts = found.timeouts;
	return FIT;
}

void fg_ipset_turn(struct fg_ipset *s, enum fg_ipset_state state)
{
	enum fg_ipset_state before = s->state;

	s->state = state;
	if (state == before)
		return;
	if (state == FIT) {
		fg_leases_pardon(s->leases);
		s->rebuilds++;
		LOG(s, FG_LOG_NOTICE, "is there: %u element%s to put into it",
		    fg_ipset_pending(s), FG_S(fg_ipset_pending(s)));
		return;
	}
	if (before == FIT)
		fg_leases_lost(s->leases, false);
	s->host->log(s->host, FG_LOG_WARNING, "%s", s->why);
}

/* Is the element there? 1, 0, or -errno. */
int fg_ipset_has(struct fg_ipset *s, const uint8_t *key)
{
	_Alignas(struct nlmsghdr) char msg[FG_IPSET_MESSAGE_MAX];
	int err;

	fg_ipset_test(msg, 0, &s->o.schema, key);
	err = fg_nl_request(s->nl, (struct nlmsghdr *)msg, NULL, NULL);
	return err == -IPSET_ERR_EXIST ? 0 : err ? err : 1;
}

/* Asks for a few that should be there; a flush or a new set leaves none. */
static bool intact(struct fg_ipset *s, int64_t now)
{
	struct fg_lease_view v;
	uint32_t seen = 0, asked = 0;

	while (asked < SAMPLES && seen++ < SEEN_MAX) {
		if (!fg_leases_next(s->leases, &s->sample, &v)) {
			if (!s->sample)
				break;
			s->sample = 0;
			continue;
		}
		if (!v.present || v.expires < now + RECHECK_MS)
			continue;
		asked++;
		if (fg_ipset_has(s, v.key) != 1)
			return false;
	}
	return true;
}

/* By time: is all still there? */
void fg_ipset_heal(struct fg_ipset *s, int64_t now)
{
	if (s->dry || s->flight || now < s->recheck)
		return;
	s->recheck = now + RECHECK_MS;
	if (s->state == FIT && intact(s, now))
		return;
	if (s->state == FIT) {
		/* an add of what is there does no harm */
		fg_leases_lost(s->leases, true);
		s->rebuilds++;
		LOG(s, FG_LOG_NOTICE, "lost elements: all are put back");
	}
	fg_ipset_turn(s, fg_ipset_look(s));
}

int fg_ipset_empty(struct fg_ipset *s)
{
	_Alignas(struct nlmsghdr) char msg[FG_IPSET_MESSAGE_MAX];

	fg_ipset_flush(msg, 0, s->o.schema.name);
	return fg_nl_request(s->nl, (struct nlmsghdr *)msg, NULL, NULL);
}

/* ----------------------------------------------------------------- start */

/* What is said of the set as it is found at start. */
int fg_ipset_first_look(struct fg_ipset *s, const struct fg_node *at)
{
	const struct fg_config *c = s->host->config;
	bool check = s->host->flags & FG_HOST_CHECK;

	s->state = fg_ipset_look(s);
	s->recheck = fg_ipset_now(s) + RECHECK_MS;
	if (s->dry && s->state != UNFIT && (!check || s->o.managed)) {
		/* what is printed is for a set that will be there */
		s->o.schema.timeouts |= s->o.schema.ttl_s != 0;
		s->state = FIT;
		return 0;
	}
	switch (s->state) {
	case FIT:
		return 0;
	case MISSING:
		if (!s->why[0])
			return 0; /* it is to be made */
		if (check || s->o.managed)
			break;
		/* a firewall may be loaded later than flowgated */
		c->warning(at, "%s", s->why);
		return 0;
	case DENIED:
		if (!check)
			break;
		c->warning(at, "%s: not checked", s->why);
		return 0;
	case UNFIT:
		break;
	}
	c->error(at, "%s", s->why);
	return s->state == MISSING  ? -ENOENT
	       : s->state == DENIED ? -EPERM
				    : -EINVAL;
}

void fg_ipset_begin(struct fg_ipset *s)
{
	int err;

	if (s->begun)
		return;
	s->begun = true;
	if (s->dry)
		return;
	if (s->state == MISSING && s->o.managed) {
		s->state = fg_ipset_look(s);
		if (s->state != FIT)
			s->host->log(s->host, FG_LOG_WARNING, "%s", s->why);
	}
	err = s->state == FIT && s->o.flush_on_create ? fg_ipset_empty(s) : 0;
	if (err)
		LOG(s, FG_LOG_WARNING, "cannot be emptied: %s",
		    fg_ipset_sentence(-err));
}
