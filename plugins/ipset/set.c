/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set.c - one set of the kernel and all leases on it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set_hash.h>
#include <linux/netlink.h>

#include "lease/lease.h"
#include "netlink/socket.h"
#include "set.h"

/* Messages of one send: all of them may fail, and each must be known. */
#define BATCH_MAX FG_NL_ERRORS_MAX

#define RECHECK_MS  1000
#define LATER_MS    250
#define SAMPLES	    4
#define USERS_MAX   8
#define ADVANCE_MAX 4096

enum state { FIT, MISSING, UNFIT, DENIED };

static const char *const state_names[] = {"ok", "missing", "unfit", "denied"};

struct user {
	const void *id;
	const struct fg_host *host;
	struct fg_ipset_options o; /* of the last one: in force */
};

struct fg_ipset {
	struct fg_ipset *next;
	struct fg_ipset_options o;
	const struct fg_host *host; /* of the first user */
	struct user user[USERS_MAX];
	unsigned users;
	struct fg_classes *classes;
	struct fg_leases *leases;
	bool dry;
	bool begun; /* a configuration with it is in force */

	enum state state;
	char why[256];
	int64_t recheck; /* look at the set then */
	int64_t later;	 /* send nothing before */
	uint32_t sample; /* where the last look ended */

	struct fg_nl *nl;
	struct fg_job job;
	struct fg_timer timer;
	bool flight;
	bool building; /* in fg_ipset_commit(): done() goes no further */
	int64_t sent;
	uint32_t seq;
	uint32_t changes;
	size_t len;
	struct fg_lease_change change[BATCH_MAX];
	enum fg_lease_result result[BATCH_MAX];
	struct fg_nl_result answer;

	uint64_t adds, deletes, renewals, errors, rebuilds, no_room;
	_Alignas(struct nlmsghdr) char buf[BATCH_MAX * FG_IPSET_MESSAGE_MAX];
	_Alignas(struct nlmsghdr) char reply[16384];
};

/* All that are open in this process: a reload finds its set here. */
static struct fg_ipset *the_sets;

/* elements that one explain tells of: a page */
#define LINGERING_MAX 20

#define LOG(s, level, fmt, ...)                                                \
	(s)->host->log((s)->host, level, "ipset \"%s\" " fmt,                  \
		       (s)->o.schema.name, ##__VA_ARGS__)

static int64_t now_of(const struct fg_ipset *s)
{
	return s->host->now(s->host);
}

static uint32_t pending(const struct fg_ipset *s)
{
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	return c.pending;
}

/* What the kernel means, and what to do. */
static const char *sentence(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no such set: make it, or set \"managed\": "
		       "true";
	case EPERM:
		return "not allowed: run flowgated with CAP_NET_ADMIN";
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EINVAL:
		return "this kernel has no ipset: load the module ip_set";
	case IPSET_ERR_FIND_TYPE:
		return "this kernel does not have that type of set";
	case IPSET_ERR_MAX_SETS:
		return "no more sets can be made (module parameter max_sets)";
	case IPSET_ERR_HASH_FULL:
		return "the set is full: raise its maxelem";
	case IPSET_ERR_HASH_ELEM:
		return "an address of zeros cannot be an element";
	case IPSET_ERR_TIMEOUT:
		return "the set has no timeouts: make it with \"timeout 0\"";
	case IPSET_ERR_SKBINFO:
		return "the set has no skbinfo: make it with \"skbinfo\"";
	case IPSET_ERR_PROTOCOL:
		return "this kernel speaks another version of ipset";
	default:
		return error < IPSET_ERR_PRIVATE ? strerror(error)
						 : "refused by ipset";
	}
}

/* ---------------------------------------------------------------- timing */

/* The timer serves all that waits for time. */
static void rearm(struct fg_ipset *s)
{
	int64_t at = fg_leases_deadline(s->leases);
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	/* with nothing in the set there is nothing to miss */
	if (!s->dry && (s->state != FIT || c.present) && s->recheck < at)
		at = s->recheck;
	if (s->state == FIT && !s->flight && c.pending) {
		int64_t soon = s->later ? s->later : now_of(s);

		if (soon < at)
			at = soon;
	}
	if (at == INT64_MAX)
		s->host->timer_cancel(s->host, &s->timer);
	else if (at != s->timer.deadline)
		s->host->timer_set(s->host, &s->timer, at);
}

/* --------------------------------------------------------------- looking */

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

static enum state look(struct fg_ipset *s)
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
			 s->o.schema.name, sentence(-err));
		return err == -EPERM ? DENIED : MISSING;
	}
	if (!fits(s, &found))
		return UNFIT;
	s->o.schema.timeouts = found.timeouts;
	return FIT;
}

static void turn(struct fg_ipset *s, enum state state)
{
	enum state before = s->state;

	s->state = state;
	if (state == before)
		return;
	if (state == FIT) {
		fg_leases_pardon(s->leases);
		s->rebuilds++;
		LOG(s, FG_LOG_NOTICE, "is there: %u elements to put into it",
		    pending(s));
		return;
	}
	if (before == FIT)
		fg_leases_lost(s->leases, false);
	s->host->log(s->host, FG_LOG_WARNING, "%s", s->why);
}

/* Is the element there? 1, 0, or -errno. */
static int test(struct fg_ipset *s, const uint8_t *key)
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

	while (asked < SAMPLES && seen++ < ADVANCE_MAX) {
		if (!fg_leases_next(s->leases, &s->sample, &v)) {
			if (!s->sample)
				break;
			s->sample = 0;
			continue;
		}
		if (!v.present || v.expires < now + RECHECK_MS)
			continue;
		asked++;
		if (test(s, v.key) != 1)
			return false;
	}
	return true;
}

/* By time: is all still there? */
static void heal(struct fg_ipset *s, int64_t now)
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
	turn(s, look(s));
}

/* --------------------------------------------------------------- sending */

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
		    sentence(error));
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
			turn(s, look(s));
			/* told to change it, but not to look at it */
			if (error == EPERM && s->state == FIT) {
				snprintf(s->why, sizeof(s->why),
					 "ipset \"%s\": %s", s->o.schema.name,
					 sentence(EPERM));
				turn(s, DENIED);
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
	s->later = now_of(s) + LATER_MS;
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
		s->leases, s->change, BATCH_MAX, SIZE_MAX, now_of(s));
	if (!s->changes)
		return false;
	s->sent = now_of(s);
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

	if (!s->flight && s->state == FIT && now_of(s) >= s->later) {
		s->later = 0;
		more = build(s);
		if (more && s->dry)
			print_batch(s);
		else if (more)
			send_batch(s);
	}
	rearm(s);
	return more && !s->flight && s->state == FIT && !s->later && pending(s);
}

static void expired(struct fg_timer *timer, int64_t now)
{
	struct fg_ipset *s = timer->ctx;

	timer->deadline = 0;
	fg_leases_advance(s->leases, now, ADVANCE_MAX);
	heal(s, now);
	fg_ipset_commit(s);
}

/* The loop has ended for it: what is pending goes out here and now. */
static void drain(struct fg_ipset *s)
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

/* --------------------------------------------------------------- holders */

bool fg_ipset_hold(struct fg_ipset *s, const uint8_t *key)
{
	if (!fg_leases_hold(s->leases, key, 0, 0, now_of(s)))
		return true;
	s->no_room++;
	return false;
}

void fg_ipset_release(struct fg_ipset *s, const uint8_t *key)
{
	fg_leases_release(s->leases, key, 0, now_of(s));
}

/* --------------------------------------------------------------- opening */

static void destroy(struct fg_ipset *s)
{
	fg_leases_free(s->leases);
	fg_classes_free(s->classes);
	fg_nl_close(s->nl);
	free(s);
}

static int flush_set(struct fg_ipset *s)
{
	_Alignas(struct nlmsghdr) char msg[FG_IPSET_MESSAGE_MAX];

	fg_ipset_flush(msg, 0, s->o.schema.name);
	return fg_nl_request(s->nl, (struct nlmsghdr *)msg, NULL, NULL);
}

static int make_leases(struct fg_ipset *s)
{
	struct fg_leases_setup l = {
		/* those that are dying or linger besides those that live */
		.max = s->host->max_flows * 2 + 64,
		.key_len = s->o.schema.shape.len,
		.ttl_ms = s->o.schema.ttl_s * 1000,
		.linger_ms = s->o.linger_ms,
		.now = now_of(s),
	};
	int err = fg_classes_new(&s->classes, 0);

	if (err)
		return err;
	if (getrandom(&l.seed, sizeof(l.seed), GRND_NONBLOCK) < 0)
		l.seed = (uint64_t)(uintptr_t)s;
	l.classes = s->classes;
	return fg_leases_new(&s->leases, &l);
}

/* What is said of the set as it is found at start. */
static int first_look(struct fg_ipset *s, const struct fg_node *at)
{
	const struct fg_config *c = s->host->config;
	bool check = s->host->flags & FG_HOST_CHECK;

	s->state = look(s);
	s->recheck = now_of(s) + RECHECK_MS;
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
	err = first_look(s, at);
	if (!err)
		err = make_leases(s);
	return err;
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
		s->state = look(s);
		if (s->state != FIT)
			s->host->log(s->host, FG_LOG_WARNING, "%s", s->why);
	}
	err = s->state == FIT && s->o.flush_on_create ? flush_set(s) : 0;
	if (err)
		LOG(s, FG_LOG_WARNING, "cannot be emptied: %s", sentence(-err));
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
	s->job = (struct fg_job){.run = run, .done = done, .ctx = s};
	s->timer = (struct fg_timer){.expired = expired, .ctx = s};
	err = prepare(s, at);
	if (err) {
		destroy(s);
		return err;
	}
	s->user[s->users++] = (struct user){user, host, *options};
	s->next = the_sets;
	the_sets = s;
	rearm(s);
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
	rearm(s);
}

void fg_ipset_close(struct fg_ipset *s, const void *user, bool stopping)
{
	struct fg_ipset **at = &the_sets;

	if (!s)
		return;
	remove_user(s, user);
	if (s->users)
		return;
	drain(s);
	if (stopping && s->o.flush_on_destroy && s->state == FIT && !s->dry)
		flush_set(s);
	s->host->timer_cancel(s->host, &s->timer);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	destroy(s);
}

/* --------------------------------------------------------------- talking */

const char *const fg_ipset_count_names[FG_IPSET_COUNTS] = {
	[FG_IPSET_LEASES] = "leases",	[FG_IPSET_LINGERING] = "lingering",
	[FG_IPSET_WAITING] = "waiting", [FG_IPSET_REFUSED] = "refused",
	[FG_IPSET_NO_ROOM] = "no_room",
};

void fg_ipset_status(const struct fg_ipset *s, struct fg_status *out,
		     uint64_t count[FG_IPSET_COUNTS])
{
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	out->elements += c.present;
	out->adds += s->adds;
	out->deletes += s->deletes;
	out->renewals += s->renewals;
	out->errors += s->errors;
	out->rebuilds += s->rebuilds;
	out->pending += c.pending;
	if (s->state != FIT) {
		out->state = state_names[s->state];
		out->reason = s->why;
	} else if (c.waiting && !strcmp(out->state, "ok")) {
		out->state = "full";
		out->reason = "the set is full: new elements wait; raise its "
			      "maxelem";
	}
	count[FG_IPSET_LEASES] += c.leases;
	count[FG_IPSET_LINGERING] += c.lingering;
	count[FG_IPSET_WAITING] += c.waiting;
	count[FG_IPSET_REFUSED] += c.refused;
	count[FG_IPSET_NO_ROOM] += s->no_room;
}

void fg_ipset_explain(struct fg_ipset *s, const uint8_t *key,
		      void (*line)(void *ctx, const char *text), void *ctx)
{
	char element[FG_KEY_TEXT], text[FG_KEY_TEXT + 256], lingers[40] = "";
	struct fg_lease_view v;
	bool held = fg_leases_get(s->leases, key, &v);
	int there;

	fg_ipset_format(&s->o.schema, key, element);
	if (s->dry || s->flight) {
		snprintf(text, sizeof(text), "ipset %s %s: not asked for now",
			 s->o.schema.name, element);
		line(ctx, text);
		return;
	}
	there = test(s, key);
	if (held && v.lingering && v.lingers_until > now_of(s))
		snprintf(lingers, sizeof(lingers), ", lingers for %llds",
			 (long long)(v.lingers_until - now_of(s)) / 1000);
	snprintf(text, sizeof(text), "ipset %s %s: %s, held by %llu flows%s",
		 s->o.schema.name, element,
		 there == 1   ? "in the set"
		 : there == 0 ? "not in the set"
			      : sentence(-there),
		 held ? (unsigned long long)v.holders : 0ull, lingers);
	line(ctx, text);
}

void fg_ipset_explain_lingering(struct fg_ipset *s, int version,
				const uint8_t addr[16], uint16_t port,
				void (*line)(void *ctx, const char *text),
				void *ctx)
{
	char text[64];
	struct fg_lease_view v;
	uint32_t cursor = 0;
	unsigned n = 0;

	while (fg_leases_next(s->leases, &cursor, &v)) {
		if (!v.lingering || !fg_key_matches(&s->o.schema.shape, v.key,
						    version, addr, port))
			continue;
		/* each costs a question to the kernel */
		if (++n <= LINGERING_MAX)
			fg_ipset_explain(s, v.key, line, ctx);
	}
	if (n > LINGERING_MAX) {
		snprintf(text, sizeof(text), "and %u more", n - LINGERING_MAX);
		line(ctx, text);
	}
}
