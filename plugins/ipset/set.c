/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set.c - a set opened, held, and closed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lease/scope.h"
#include "set-private.h"

/* All that are open in this process: a reload finds its set here. */
static struct fg_ipset *the_sets;

/* ---------------------------------------------------------------- timing */

int64_t fg_ipset_now(const struct fg_ipset *s)
{
	return s->host->now(s->host);
}

uint32_t fg_ipset_pending(const struct fg_ipset *s)
{
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	return c.pending;
}

/* The timer serves all that waits for time. */
void fg_ipset_rearm(struct fg_ipset *s)
{
	int64_t at = fg_leases_deadline(s->leases);
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	/* with nothing in the set there is nothing to miss */
	if (!s->dry && (s->state != FIT || c.present) && s->recheck < at)
		at = s->recheck;
	if (s->state == FIT && !s->flight && c.pending) {
		int64_t soon = s->later ? s->later : fg_ipset_now(s);

		if (soon < at)
			at = soon;
	}
	if (at == INT64_MAX)
		s->host->timer_cancel(s->host, &s->timer);
	else if (at != s->timer.deadline)
		s->host->timer_set(s->host, &s->timer, at);
}

/* --------------------------------------------------------------- holders */

static bool is_never(const void *ctx, const uint8_t *key)
{
	const struct fg_ipset *s = ctx;

	return fg_scope_never_key(s->host, &s->o.schema.shape, false, key);
}

void fg_ipset_never_changed(struct fg_ipset *s)
{
	fg_leases_expel(s->leases, is_never, s);
	fg_ipset_rearm(s);
}

bool fg_ipset_hold(struct fg_ipset *s, const uint8_t *key)
{
	if (!fg_leases_hold(s->leases, key, 0, 0, fg_ipset_now(s)))
		return true;
	s->no_room++;
	return false;
}

void fg_ipset_release(struct fg_ipset *s, const uint8_t *key)
{
	fg_leases_release(s->leases, key, 0, fg_ipset_now(s));
}

/* --------------------------------------------------------------- opening */

static void destroy(struct fg_ipset *s)
{
	fg_leases_free(s->leases);
	fg_classes_free(s->classes);
	fg_nl_close(s->nl);
	free(s);
}

static int make_leases(struct fg_ipset *s)
{
	struct fg_leases_setup l = {
		/* those that are dying or linger besides those that live */
		.max = s->host->max_flows * 2 + 64,
		.key_len = s->o.schema.shape.len,
		.ttl_ms = s->o.schema.ttl_s * 1000,
		.linger_ms = s->o.linger_ms,
		.now = fg_ipset_now(s),
	};
	int err = fg_classes_new(&s->classes, 0);

	if (err)
		return err;
	if (getrandom(&l.seed, sizeof(l.seed), GRND_NONBLOCK) < 0)
		l.seed = (uint64_t)(uintptr_t)s;
	l.classes = s->classes;
	return fg_leases_new(&s->leases, &l);
}

static int prepare(struct fg_ipset *s, const struct fg_node *at)
{
	int err;

	s->dry = s->host->flags & (FG_HOST_DRY_RUN | FG_HOST_CHECK);
	err = fg_nl_open(&s->nl, 0);
	if (err) {
		s->host->config->error(at, "no netlink socket for ipset: %s",
				       strerror(-err));
		return err;
	}
	err = fg_ipset_first_look(s, at);
	if (!err)
		err = make_leases(s);
	return err;
}

/* What the last user wants is in force; to what others want, rival() objects.
 */
static void apply(struct fg_ipset *s)
{
	const struct fg_ipset_options *o = &s->user[s->users - 1].o;

	s->o.schema.ttl_s = o->schema.ttl_s;
	s->o.schema.size = o->schema.size;
	s->o.linger_ms = o->linger_ms;
	s->o.managed = o->managed;
	s->o.flush_on_destroy = o->flush_on_destroy;
	fg_leases_set_times(s->leases, s->o.schema.ttl_s * 1000,
			    s->o.linger_ms);
}

static int join(struct fg_ipset *s, const struct fg_ipset_options *o,
		const struct fg_node *at)
{
	const struct fg_ipset_schema *a = &s->o.schema, *b = &o->schema;

	if (a->type != b->type || a->version != b->version ||
	    a->skb != b->skb || a->skb_mark != b->skb_mark ||
	    a->skb_mask != b->skb_mask || a->skb_prio != b->skb_prio ||
	    a->skb_queue != b->skb_queue) {
		s->host->config->error(
			at,
			"ipset \"%s\" is in use by another target with other "
			"\"type\" or \"skb_...\": make them the same, or "
			"restart flowgated to change them",
			a->name);
		return -EBUSY;
	}
	return 0;
}

static const char *differs(const struct fg_ipset_options *a,
			   const struct fg_ipset_options *b)
{
	return a->schema.ttl_s != b->schema.ttl_s	    ? "ttl"
	       : a->linger_ms != b->linger_ms		    ? "linger"
	       : a->managed != b->managed		    ? "managed"
	       : a->schema.size != b->schema.size	    ? "size"
	       : a->flush_on_create != b->flush_on_create   ? "flush_on_create"
	       : a->flush_on_destroy != b->flush_on_destroy ? "flush_on_destroy"
							    : NULL;
}

const void *fg_ipset_rival(const struct fg_ipset *s, const void *user,
			   bool (*counts)(const void *user), const char **key)
{
	const struct user *u = s->user;

	while (u->id != user)
		u++;
	for (const struct user *v = s->user; v < u; v++) {
		*key = differs(&v->o, &u->o);
		if (*key && counts(v->id))
			return v->id;
	}
	return NULL;
}

static struct fg_ipset *find(const char *name)
{
	struct fg_ipset *s = the_sets;

	while (s && strcmp(s->o.schema.name, name))
		s = s->next;
	return s;
}

int fg_ipset_open(struct fg_ipset **out, const struct fg_host *host,
		  const void *user, const struct fg_ipset_options *options,
		  const struct fg_node *at)
{
	struct fg_ipset *s = find(options->schema.name);
	int err;

	if (s) {
		err = s->users == USERS_MAX ? -EUSERS : join(s, options, at);
		if (err)
			return err;
		s->user[s->users++] = (struct user){user, host, *options};
		apply(s);
		*out = s;
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->host = host;
	s->o = *options;
	fg_ipset_commit_init(s);
	err = prepare(s, at);
	if (err) {
		destroy(s);
		return err;
	}
	s->user[s->users++] = (struct user){user, host, *options};
	s->next = the_sets;
	the_sets = s;
	fg_ipset_rearm(s);
	*out = s;
	return 0;
}

/* Another user goes on: its host serves the set from now on. */
static void remove_user(struct fg_ipset *s, const void *id)
{
	unsigned i = 0;

	while (i < s->users && s->user[i].id != id)
		i++;
	if (i == s->users)
		return;
	s->host->timer_cancel(s->host, &s->timer);
	s->users--;
	memmove(&s->user[i], &s->user[i + 1],
		(s->users - i) * sizeof(s->user[0]));
	if (!s->users)
		return;
	s->host = s->user[0].host;
	apply(s);
	fg_ipset_rearm(s);
}

void fg_ipset_close(struct fg_ipset *s, const void *user, bool stopping)
{
	struct fg_ipset **at = &the_sets;

	if (!s)
		return;
	remove_user(s, user);
	if (s->users)
		return;
	fg_ipset_drain(s);
	if (stopping && s->o.flush_on_destroy && s->state == FIT && !s->dry)
		fg_ipset_empty(s);
	s->host->timer_cancel(s->host, &s->timer);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	destroy(s);
}
