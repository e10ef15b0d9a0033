/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set.c - from leases to the kernel, one transaction at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <linux/netfilter/nf_tables.h>

#include "dry.h"
#include "element.h"
#include "hub.h"
#include "set.h"

/* Actions that can hold leases of one set at a time. */
#define CLASSES_MAX 8192
/* Leases that one turn of the loop may make pending by time. */
#define ADVANCE_MAX 4096
/* How soon to try again what failed for lack of memory; what is missing. */
#define LATER_MS   250
#define RECHECK_MS 1000
/* Transactions at the end, when nobody waits for the loop any more. */
#define CLOSE_BATCHES 8192

#define USERS_MAX 8

enum state { FIT, MISSING, UNFIT, DENIED };

struct user {
	const void *id;
	const struct fg_host *host;
};

struct fg_set {
	struct fg_set *next;
	struct fg_hub *hub;
	struct fg_set_options o;
	char table[NFT_TABLE_MAXNAMELEN];
	char name[NFT_SET_MAXNAMELEN];
	const struct fg_host *host; /* of the first user */
	struct user user[USERS_MAX];
	unsigned users;

	struct fg_classes *classes;
	struct fg_leases *leases;
	struct fg_batch *batch;
	struct fg_caps caps;
	bool dry;

	/* what is in the kernel */
	enum state state;
	char why[FG_SCHEMA_WHY];
	struct fg_schema_found found;
	bool rebuilding;

	/* the transaction in flight */
	struct fg_nl *nl;
	struct fg_job job;
	bool flight;
	bool building; /* inside commit() */
	bool creating; /* it makes the set, not elements */
	int64_t sent;
	size_t changes;
	struct fg_lease_change change[FG_BATCH_MAX];
	enum fg_lease_result result[FG_BATCH_MAX];
	const void *bytes;
	size_t len;
	uint32_t first;
	uint32_t messages;
	struct fg_nl_result answer;
	uint8_t create[FG_SCHEMA_BYTES];
	uint8_t reply[16384];

	/* how to go on */
	struct fg_timer timer;
	size_t limit;	 /* changes in the next transaction */
	size_t repairs;	 /* in a row */
	size_t room;	 /* for new elements; SIZE_MAX: as far as is known */
	int64_t room_at; /* when to try anew; 0: not full */
	int64_t later;	 /* not before this */
	int64_t recheck; /* look at the set then; 0: it is fit */

	uint64_t adds;
	uint64_t deletes;
	uint64_t renewals;
	uint64_t errors;
	uint64_t rebuilds;
	uint64_t no_room;
	uint64_t transactions;
	uint64_t aborted;
	uint64_t evicted;
};

struct fg_set **fg_set_link(struct fg_set *s)
{
	return &s->next;
}

const struct fg_schema *fg_set_schema(const struct fg_set *s)
{
	return &s->o.schema;
}

/* ------------------------------------------------------------- sentences */

/* What the kernel means when it refuses an element, and what to do. */
static const struct {
	int error;
	const char *text;
} sentences[] = {
	{ENOENT, "something that it refers to is not there"},
	{EEXIST, "it is there with other data"},
	{ENFILE, "the set is full: raise its \"size\""},
	{EINVAL, "it does not fit the set's declaration"},
	{ERANGE, "a value is out of range: is \"ttl\" too large?"},
	{EOPNOTSUPP, "the kernel does not support this for the set: is "
		     "\"counter\" or \"comment\" set for one that cannot?"},
	{EOVERFLOW, "the data does not fit into the map"},
	{ELOOP, "the verdict would make a loop of chains"},
	{EBUSY, "the set is used in a way that forbids changes"},
	{EMSGSIZE, "the transaction is larger than the socket's buffer"},
	{ENOMEM, "the kernel is out of memory"},
	{ENOBUFS, "the kernel is out of buffers"},
	{EAGAIN, "the kernel was busy"},
	{EINTR, "it was interrupted"},
	{EPERM, "flowgated lacks the capability CAP_NET_ADMIN"},
	{EACCES, "a security module forbids it"},
	{EAFNOSUPPORT, "the kernel has no such table family"},
	{EPROTO, "the answer makes no sense"},
	{ENOTSUP, "the kernel does not support it"},
};

static const char *sentence(int error)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++)
		if (sentences[i].error == error)
			return sentences[i].text;
	return strerror(error);
}

#define LOG(s, level, fmt, ...)                                                \
	(s)->host->log((s)->host, level, "set \"%s %s %s\" " fmt,              \
		       fg_family_name((s)->o.schema.family), (s)->table,       \
		       (s)->name, ##__VA_ARGS__)

/* ---------------------------------------------------------------- timing */

static int64_t now_of(const struct fg_set *s)
{
	return s->host->now(s->host);
}

static uint32_t pending(const struct fg_set *s)
{
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	return c.pending;
}

/* The timer serves all that waits for time. */
static void rearm(struct fg_set *s)
{
	int64_t at = fg_leases_deadline(s->leases);

	if (s->recheck && s->recheck < at)
		at = s->recheck;
	if (s->state == FIT && !s->flight && pending(s)) {
		int64_t soon = s->later ? s->later : now_of(s);

		if (soon < at)
			at = soon;
	}
	if (at == s->timer.deadline)
		return;
	if (at == INT64_MAX)
		s->host->timer_cancel(s->host, &s->timer);
	else
		s->host->timer_set(s->host, &s->timer, at);
}

/* ------------------------------------------------------------ the schema */

static void set_state(struct fg_set *s, enum state state)
{
	bool news = s->state != state;

	s->state = state;
	s->recheck = state == FIT ? 0 : now_of(s) + RECHECK_MS;
	if (!news)
		return;
	if (state == FIT)
		LOG(s, FG_LOG_NOTICE, "is there: %u elements to put into it",
		    pending(s));
	else
		s->host->log(s->host, FG_LOG_WARNING, "%s", s->why);
}

static void create(struct fg_set *s);

/* Is it there, is it fit, is it still the same one? */
static void check(struct fg_set *s)
{
	struct fg_schema_found found;
	int err = fg_schema_check(fg_hub_query(s->hub), &s->o.schema, &found,
				  s->why);

	if (err == -ENOENT || err == -EINVAL) {
		/* whatever was in it is gone with it */
		if (s->state == FIT)
			fg_leases_lost(s->leases, false);
		set_state(s, err == -ENOENT ? MISSING : UNFIT);
		if (s->state == MISSING && s->o.managed)
			create(s);
		return;
	}
	if (err) {
		set_state(s, DENIED);
		return;
	}
	if (s->state != FIT || found.set_handle != s->found.set_handle ||
	    found.table_handle != s->found.table_handle) {
		fg_leases_lost(s->leases, false);
		fg_leases_pardon(s->leases);
		s->found = found;
		s->rebuilds++;
		s->rebuilding = true;
		s->limit = FG_BATCH_MAX;
		s->room = SIZE_MAX;
		s->room_at = 0;
	}
	set_state(s, FIT);
}

/* ---------------------------------------------------------- transactions */

static void submit(struct fg_set *s)
{
	int err;

	s->flight = true;
	s->sent = now_of(s);
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

static void create(struct fg_set *s)
{
	if (s->flight || s->dry)
		return;
	s->first = fg_nl_sequence(s->nl, FG_BATCH_MESSAGES);
	s->len = fg_schema_create(&s->o.schema, s->first, &s->messages,
				  s->create);
	if (!s->len)
		return;
	s->bytes = s->create;
	s->creating = true;
	submit(s);
}

static void count(struct fg_set *s, enum fg_lease_op op)
{
	switch (op) {
	case FG_LEASE_ADD:
		s->adds++;
		break;
	case FG_LEASE_DELETE:
		s->deletes++;
		break;
	default:
		s->renewals++;
	}
}

/* Says once what the kernel has against an element. */
static void say_refused(struct fg_set *s, const struct fg_lease_change *c,
			int error)
{
	char key[FG_KEY_TEXT];

	s->errors++;
	LOG(s, FG_LOG_WARNING, "refuses { %s }: %s (%s)",
	    fg_key_format(&s->o.schema.shape, c->key, key), sentence(error),
	    strerror(error));
}

/* Some are turned away for lack of room: make it, or wait for it. */
static void make_room(struct fg_set *s)
{
	bool any = false;

	for (size_t i = 0; i < s->changes; i++) {
		if (s->result[i] != FG_LEASE_FULL)
			continue;
		any = true;
		if (s->o.evict && s->change[i].may_evict &&
		    fg_leases_evict(s->leases)) {
			s->evicted++;
			s->result[i] = FG_LEASE_AGAIN;
		}
	}
	if (!any)
		return;
	if (!s->room_at)
		LOG(s, FG_LOG_WARNING, "is full (%u elements): %s",
		    s->found.size,
		    s->o.evict ? "the next to expire make room for new ones"
			       : "new ones wait; raise its \"size\", or set "
				 "\"on_full\" to \"evict\"");
	s->room_at = s->sent + RECHECK_MS;
	s->room = s->o.evict ? SIZE_MAX : 0;
	s->errors++;
}

static void settle(struct fg_set *s)
{
	/* the last first: what is to be sent again keeps its order */
	for (size_t i = s->changes; i-- > 0;) {
		if (s->result[i] == FG_LEASE_DONE) {
			count(s, s->change[i].op);
			if (s->change[i].op == FG_LEASE_DELETE &&
			    s->room != SIZE_MAX)
				s->room++;
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
	/* before an element is blamed: is it the set? */
	if (refused) {
		check(s);
		if (s->state != FIT || s->rebuilding) {
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
		settle_all(s, FG_LEASE_AGAIN);
		return;
	}
	if (s->changes)
		say_refused(s, &s->change[0], error);
	settle_all(s, FG_LEASE_REFUSED);
}

static void missing(struct fg_set *s, int error)
{
	enum state before = s->state;

	check(s);
	if (s->state == FIT && before == FIT && !s->rebuilding) {
		/* it is there: an element must be meant */
		split(s, error);
		return;
	}
	settle_all(s, FG_LEASE_AGAIN);
}

static void committed(struct fg_set *s)
{
	s->repairs = 0;
	if (s->limit < FG_BATCH_MAX)
		s->limit = s->limit * 2 < FG_BATCH_MAX ? s->limit * 2
						       : FG_BATCH_MAX;
	settle(s);
	if (s->rebuilding && !pending(s)) {
		s->rebuilding = false;
		LOG(s, FG_LOG_INFO, "has all its elements again");
	}
}

static void judge(struct fg_set *s)
{
	int error;
	enum fg_verdict verdict = fg_batch_judge(
		s->batch, s->change, s->changes, &s->answer, s->result, &error);

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
		s->later = now_of(s) + LATER_MS;
		LOG(s, FG_LOG_WARNING, "takes nothing now: %s; trying again",
		    sentence(error));
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
			 sentence(error));
		set_state(s, DENIED);
		settle_all(s, FG_LEASE_AGAIN);
		break;
	case FG_VERDICT_UNKNOWN:
		s->errors++;
		settle_all(s, FG_LEASE_UNKNOWN);
		break;
	}
}

static bool commit(struct fg_set *s);

static void done(struct fg_job *job)
{
	struct fg_set *s = job->ctx;

	s->flight = false;
	if (s->creating) {
		s->creating = false;
		if (s->answer.sent || s->answer.errors)
			LOG(s, FG_LOG_ERROR, "cannot be made: %s",
			    sentence(s->answer.sent
					     ? -s->answer.sent
					     : s->answer.error[0].error));
		else
			check(s);
	} else {
		judge(s);
	}
	if (s->building)
		return;
	commit(s);
	rearm(s);
}

/* nft prints a comment in quotes and reads it back: none may be in it. */
static void comment(void *ctx, const struct fg_lease_change *c,
		    char text[FG_COMMENT_MAX])
{
	struct fg_set *s = ctx;
	const char *app = s->host->name(s->host, FG_NAME_APPLICATION, c->note);

	snprintf(text, FG_COMMENT_MAX, "%.60s %s", app,
		 fg_class_name(s->classes, c->class));
	for (char *p = text; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			*p = '_';
}

/* For -n: what would be sent, as nft commands. */
static void print_changes(struct fg_set *s)
{
	for (size_t i = 0; i < s->changes; i++) {
		char text[FG_COMMENT_MAX];

		if (s->o.comment)
			comment(s, &s->change[i], text);
		fg_dry_print(s->host, &s->o.schema, &s->change[i],
			     s->o.counter && !s->found.counter,
			     s->o.comment ? text : NULL);
		s->result[i] = FG_LEASE_DONE;
	}
	s->sent = now_of(s);
	settle(s);
}

/* Sends what is pending. True: there is more, and nothing to wait for. */
static bool commit(struct fg_set *s)
{
	int64_t now = now_of(s);

	if (s->flight || s->state != FIT || now < s->later)
		return false;
	s->later = 0;
	if (s->room_at && now >= s->room_at) {
		struct fg_lease_counts c;

		/* one transaction may find out whether there is room */
		fg_leases_counts(s->leases, &c);
		s->room = c.waiting || c.pending ? FG_BATCH_MAX : SIZE_MAX;
		s->room_at = s->room == SIZE_MAX ? 0 : now + RECHECK_MS;
	}
	s->changes =
		fg_leases_collect(s->leases, s->change, s->limit, s->room, now);
	if (!s->changes)
		return false;
	if (s->dry) {
		print_changes(s);
		return pending(s);
	}
	s->first = fg_nl_sequence(s->nl, FG_BATCH_MESSAGES);
	fg_batch_build(s->batch, s->change, s->changes, s->first);
	s->bytes = fg_batch_bytes(s->batch, &s->len);
	s->messages = fg_batch_messages(s->batch);
	s->building = true;
	submit(s);
	s->building = false;
	return !s->flight && pending(s);
}

static void expired(struct fg_timer *timer, int64_t now)
{
	struct fg_set *s = timer->ctx;

	fg_leases_advance(s->leases, now, ADVANCE_MAX);
	if (s->recheck && now >= s->recheck)
		check(s);
	commit(s);
	rearm(s);
}

bool fg_set_flush(struct fg_set *s, int64_t now)
{
	bool more;

	(void)now;
	more = commit(s);
	rearm(s);
	return more;
}

/* --------------------------------------------------------------- holders */

/* Only where an element shows who holds it is that worth remembering. */
static bool has_classes(const struct fg_set *s)
{
	return s->o.comment || s->o.schema.map != FG_MAP_NONE;
}

bool fg_set_hold(struct fg_set *s, const uint8_t *key,
		 const struct fg_member *member, uint32_t data, uint32_t note)
{
	uint16_t class = 0;

	if (has_classes(s)) {
		class = fg_class_get(s->classes, member->rank, data,
				     member->action);
		if (!class) {
			s->no_room++;
			return false;
		}
	}
	if (fg_leases_hold(s->leases, key, class, note, now_of(s)) < 0) {
		s->no_room++;
		return false;
	}
	return true;
}

bool fg_set_release(struct fg_set *s, const uint8_t *key,
		    const struct fg_member *member, uint32_t data)
{
	uint16_t class = 0;

	if (has_classes(s)) {
		class = fg_class_find(s->classes, member->rank, data,
				      member->action);
		if (!class)
			return false;
	}
	return fg_leases_release(s->leases, key, class, now_of(s)) == 0;
}

/* --------------------------------------------------------------- opening */

static struct fg_set *find(const struct fg_hub *hub, const struct fg_schema *w)
{
	struct fg_set *s = fg_hub_first(hub);

	while (s && (s->o.schema.family != w->family ||
		     strcmp(s->table, w->table) || strcmp(s->name, w->set)))
		s = s->next;
	return s;
}

static int make_batch(struct fg_set *s)
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
		/* a set with its own counter gives each element one */
		.counter = s->o.counter && !s->found.counter,
		.caps = s->caps,
		.comment = s->o.comment ? comment : NULL,
		.ctx = s,
	};
	struct fg_batch *batch;
	int err = fg_batch_new(&batch, &b);

	if (err)
		return err;
	fg_batch_free(s->batch);
	s->batch = batch;
	return 0;
}

static int make_leases(struct fg_set *s)
{
	struct fg_leases_setup l = {
		/* those that are dying or linger besides those that live */
		.max = s->host->max_flows * (s->o.mirror ? 4 : 2) + 64,
		.key_len = s->o.schema.shape.len,
		.data = s->o.schema.map != FG_MAP_NONE,
		.ttl_ms = s->o.schema.ttl_ms,
		.linger_ms = s->o.linger_ms,
		.now = now_of(s),
	};
	int err = fg_classes_new(&s->classes, has_classes(s) ? CLASSES_MAX : 0);

	if (err)
		return err;
	if (getrandom(&l.seed, sizeof(l.seed), GRND_NONBLOCK) < 0)
		l.seed = (uint64_t)(uintptr_t)s;
	l.classes = s->classes;
	return fg_leases_new(&s->leases, &l);
}

/* Once, outside the loop: sends it and reads the answer. 0 or -errno. */
static int transact(struct fg_set *s)
{
	fg_nl_transact(s->nl, s->create, s->len, s->first, s->messages,
		       s->reply, sizeof(s->reply), &s->answer);
	if (s->answer.sent)
		return s->answer.sent;
	return s->answer.errors ? -s->answer.error[0].error : 0;
}

static int transact_create(struct fg_set *s)
{
	s->first = fg_nl_sequence(s->nl, FG_BATCH_MESSAGES);
	s->len = fg_schema_create(&s->o.schema, s->first, &s->messages,
				  s->create);
	return s->len ? transact(s) : -ENOMEM;
}

static int transact_flush(struct fg_set *s)
{
	s->first = fg_nl_sequence(s->nl, FG_BATCH_MESSAGES);
	s->len = fg_schema_flush(&s->o.schema, s->first, &s->messages,
				 s->create);
	return s->len ? transact(s) : -ENOMEM;
}

/* -n: a ruleset without it gets it first. */
static void print_create(struct fg_set *s)
{
	char text[FG_SCHEMA_WHY];

	if (!s->o.managed)
		return;
	s->host->print(s->host, "%s",
		       fg_schema_create_table_text(&s->o.schema, text));
	s->host->print(s->host, "%s",
		       fg_schema_create_set_text(&s->o.schema, text));
}

/* What is said of the set as it is found at start. */
static int first_check(struct fg_set *s, const struct fg_node *at)
{
	const struct fg_config *config = s->host->config;
	bool looks_only = s->host->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN);
	int err = fg_schema_check(fg_hub_query(s->hub), &s->o.schema, &s->found,
				  s->why);

	if (err == -ENOENT && s->o.managed && !looks_only) {
		err = transact_create(s);
		if (!err)
			err = fg_schema_check(fg_hub_query(s->hub),
					      &s->o.schema, &s->found, s->why);
		else
			snprintf(s->why, sizeof(s->why),
				 "set \"%s %s %s\" cannot be made: %s",
				 fg_family_name(s->o.schema.family), s->table,
				 s->name, sentence(-err));
	}
	switch (err) {
	case 0:
		s->state = FIT;
		return 0;
	case -ENOENT:
		if (looks_only && s->o.managed)
			return 0;
		if (s->host->flags & FG_HOST_CHECK)
			break;
		/* a firewall may be loaded later than flowgated */
		s->state = MISSING;
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

static int prepare(struct fg_set *s, const struct fg_node *at)
{
	int err;

	s->dry = s->host->flags & (FG_HOST_DRY_RUN | FG_HOST_CHECK);
	if (!s->dry) {
		err = fg_hub_socket(s->hub, &s->nl);
		if (err)
			return err;
	}
	err = first_check(s, at);
	if (err)
		return err;
	if (s->host->flags & FG_HOST_DRY_RUN)
		print_create(s);
	s->caps = (struct fg_caps){true, true};
	if (s->dry)
		s->state = FIT;
	else
		err = fg_hub_caps(s->hub, &s->caps);
	if (err) {
		s->host->config->error(at,
				       "cannot find out what the kernel's "
				       "nftables can do: %s",
				       sentence(-err));
		return err;
	}
	err = make_batch(s);
	if (!err)
		err = make_leases(s);
	if (!err && s->state == FIT && !s->dry && s->o.flush_on_create)
		err = transact_flush(s);
	else if (!err && !s->caps.update)
		/* what an earlier run left does not get its time by an add */
		fg_leases_set_strangers(s->leases, true);
	return err;
}

static void destroy(struct fg_set *s)
{
	fg_leases_free(s->leases);
	fg_classes_free(s->classes);
	fg_batch_free(s->batch);
	fg_nl_close(s->nl);
	fg_hub_put(s->hub);
	free(s);
}

static int add_user(struct fg_set *s, const struct fg_host *host,
		    const void *id)
{
	if (s->users == USERS_MAX)
		return -EUSERS;
	s->user[s->users++] = (struct user){id, host};
	return 0;
}

/* Another target, or the same after a reload: settings may be others. */
static int join(struct fg_set *s, const struct fg_set_options *o,
		const struct fg_node *at)
{
	const struct fg_schema *a = &s->o.schema, *b = &o->schema;

	if (a->shape.len != b->shape.len || a->map != b->map ||
	    s->o.comment != o->comment || s->o.counter != o->counter ||
	    (o->mirror && !s->o.mirror)) {
		s->host->config->error(
			at,
			"set \"%s %s %s\" is in use by another target with "
			"other \"type\", \"data\", \"comment\", \"counter\" "
			"or \"mirror\": make them the same, or restart "
			"flowgated to change them",
			fg_family_name(a->family), s->table, s->name);
		return -EBUSY;
	}
	s->o.schema.ttl_ms = b->ttl_ms;
	s->o.schema.shape = b->shape;
	s->o.schema.size = b->size;
	s->o.linger_ms = o->linger_ms;
	s->o.evict = o->evict;
	s->o.managed = o->managed;
	s->o.flush_on_destroy = o->flush_on_destroy;
	fg_leases_set_times(s->leases, b->ttl_ms, o->linger_ms);
	return s->flight ? 0 : make_batch(s);
}

int fg_set_open(struct fg_set **out, const struct fg_host *host,
		const void *user, const struct fg_set_options *options,
		const struct fg_node *at)
{
	struct fg_hub *hub;
	struct fg_set *s;
	int err = fg_hub_get(&hub);

	if (err) {
		host->config->error(at, "no netlink socket for nftables: %s",
				    sentence(-err));
		return err;
	}
	s = find(hub, &options->schema);
	if (s) {
		fg_hub_put(hub);
		err = join(s, options, at);
		if (!err)
			err = add_user(s, host, user);
		*out = s;
		return err;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		fg_hub_put(hub);
		return -ENOMEM;
	}
	s->hub = hub;
	s->host = host;
	s->o = *options;
	snprintf(s->table, sizeof(s->table), "%s", options->schema.table);
	snprintf(s->name, sizeof(s->name), "%s", options->schema.set);
	s->o.schema.table = s->table;
	s->o.schema.set = s->name;
	s->limit = FG_BATCH_MAX;
	s->room = SIZE_MAX;
	s->timer = (struct fg_timer){.expired = expired, .ctx = s};
	s->job = (struct fg_job){.run = run, .done = done, .ctx = s};
	err = prepare(s, at);
	if (err) {
		destroy(s);
		return err;
	}
	add_user(s, host, user);
	fg_hub_add(hub, s);
	if (s->state != FIT)
		s->recheck = now_of(s) + RECHECK_MS;
	rearm(s);
	*out = s;
	return 0;
}

/* --------------------------------------------------------------- closing */

/* Another user goes on: its host serves the set from now on. */
static void remove_user(struct fg_set *s, const void *id)
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
	rearm(s);
}

/* The loop has ended for it: what is pending goes out here and now. */
static void drain(struct fg_set *s)
{
	s->building = true; /* done() goes on no further */
	for (int i = 0; i < CLOSE_BATCHES && s->state == FIT && !s->flight;
	     i++) {
		s->changes = fg_leases_collect(s->leases, s->change, s->limit,
					       s->room, now_of(s));
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
		s->sent = now_of(s);
		run(&s->job);
		done(&s->job);
		if (s->later)
			break;
	}
}

void fg_set_close(struct fg_set *s, const void *user, bool stopping)
{
	if (!s)
		return;
	remove_user(s, user);
	if (s->users)
		return;
	s->host->timer_cancel(s->host, &s->timer);
	drain(s);
	if (stopping && s->o.flush_on_destroy && s->state == FIT && !s->dry)
		transact_flush(s);
	fg_hub_remove(s->hub, s);
	destroy(s);
}

/* --------------------------------------------------------------- looking */

void fg_set_status(const struct fg_set *s, struct fg_status *out)
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
	(void)c.waiting;
}

void fg_set_explain(struct fg_set *s, const uint8_t *key,
		    void (*line)(void *ctx, const char *text), void *ctx)
{
	(void)s, (void)key, (void)line, (void)ctx;
}
