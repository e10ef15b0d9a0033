/* SPDX-License-Identifier: GPL-2.0-or-later */
/* updater.c - sends the changes of one target to the connection table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>

#include "netlink/socket.h"
#include "updater.h"

/* Messages of one send: all of them may fail, and each must be known. */
#define BATCH_MAX FG_NL_ERRORS_MAX

#define TRIES_MAX 5
#define RETRY_MS  100

struct batch {
	struct fg_nl *nl;
	uint32_t seq; /* of the first message */
	uint32_t count;
	size_t len;
	struct fg_change change[BATCH_MAX];
	int result[BATCH_MAX];
	struct fg_nl_result answer;
	_Alignas(struct nlmsghdr) char buf[BATCH_MAX * FG_CT_MESSAGE_MAX];
	_Alignas(struct nlmsghdr) char reply[8192];
};

struct fg_updater {
	const struct fg_host *host;
	const void *self;
	const char *name;
	const struct fg_updater_ops *ops;
	void *ctx;
	struct fg_pending *pending;
	struct fg_job job;
	struct fg_timer timer;
	struct batch batch;
	uint32_t again;	  /* of batch.change: to be sent again */
	int64_t again_at; /* not earlier, and nothing else before them */
	bool busy;	  /* the job is in flight */
	bool submitting;  /* submit() has not returned yet */
	bool lost;	  /* a change found no room: members must be renewed */
	uint64_t serial;
	uint64_t gate; /* changes up to this serial were flushed */
	int denied;    /* the errno that every change meets, or 0 */
	uint64_t sets, clears, kills, gone, errors, lookups, unsupported, never,
		dropped;
};

/* -------------------------------------------------------------- sending */

static void batch_fail(struct batch *b, int err)
{
	for (uint32_t i = 0; i < b->count; i++)
		if (!b->result[i])
			b->result[i] = err;
}

/*
 * The kernel has done all of it when send returns, and has answered those
 * that failed.
 */
static void batch_send(struct batch *b)
{
	struct fg_nl_result *r = &b->answer;

	memset(b->result, 0, b->count * sizeof(*b->result));
	fg_nl_transact(b->nl, b->buf, b->len, b->seq, b->count, b->reply,
		       sizeof(b->reply), r);
	for (uint32_t i = 0; i < r->errors && i < FG_NL_ERRORS_MAX; i++) {
		int err = -r->error[i].error;

		b->result[r->error[i].seq - b->seq] = err;
		/* answered to the first only, and none was looked at */
		if (err == -EPERM)
			batch_fail(b, err);
	}
	/* nothing was done, or what was done is not known */
	if (r->sent || r->received)
		batch_fail(b, r->sent ? r->sent : r->received);
}

static void run(struct fg_job *job)
{
	struct fg_updater *u = job->ctx;

	batch_send(&u->batch);
}

/* -------------------------------------------------------------- results */

static bool passes(int err)
{
	return err == -ENOBUFS || err == -ENOMEM || err == -EAGAIN ||
	       err == -EINTR;
}

/* True: is to be sent again. */
static bool judge(struct fg_updater *u, struct fg_change *c, int err)
{
	if (err == -ENOENT && !c->reversed) {
		c->reversed = 1;
		return true;
	}
	if (passes(err) && c->tries < TRIES_MAX) {
		c->tries++;
		return true;
	}
	u->denied = err == -EPERM ? -EPERM : 0;
	if (err == -ENOENT)
		u->gone++;
	else if (err)
		u->errors++;
	else if (c->kind == FG_CHANGE_SET)
		u->sets++;
	else if (c->kind == FG_CHANGE_CLEAR)
		u->clears++;
	else
		u->kills++;
	if (u->ops->result(u->ctx, c, err) || !err || err == -ENOENT)
		return false;
	if (err == -EPERM)
		u->host->log(u->host, FG_LOG_ERROR,
			     "target \"%s\": the kernel refuses to change "
			     "connections: run flowgated with CAP_NET_ADMIN",
			     u->name);
	else
		u->host->log(u->host, FG_LOG_WARNING,
			     "target \"%s\": a connection was not changed: %s",
			     u->name, strerror(-err));
	return false;
}

static void finish(struct fg_updater *u)
{
	struct batch *b = &u->batch;
	bool wait = false;

	u->again = 0;
	u->again_at = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		struct fg_change *c = &b->change[i];

		if (!judge(u, c, b->result[i]))
			continue;
		/* something newer waits for this connection */
		if (fg_pending_find(u->pending, &c->tuple))
			continue;
		wait |= b->result[i] != -ENOENT;
		b->change[u->again++] = *c;
	}
	b->count = 0;
	if (!wait || !u->again)
		return;
	u->again_at = u->host->now(u->host) + RETRY_MS;
	u->host->timer_set(u->host, &u->timer, u->again_at);
}

static uint64_t owner_of(const struct fg_flow *flow)
{
	uint64_t owner;

	/* a digest is a hash: eight bytes of it tell flows apart */
	memcpy(&owner, flow->digest, sizeof(owner));
	return owner ^ flow->source;
}

static bool renew(const struct fg_flow *flow, const struct fg_member *member,
		  void *ctx)
{
	struct fg_updater *u = ctx;

	u->ops->renew(u->ctx, flow, member);
	return true;
}

/* ---------------------------------------------------------------- flush */

static void print(struct fg_updater *u, const struct fg_change *c)
{
	char tuple[FG_TUPLE_TEXT], text[512];

	u->ops->print(u->ctx, text, sizeof(text),
		      fg_tuple_format(&c->tuple, tuple), c);
	/* a comment to "nft -f", which the rest of what -n prints is for */
	u->host->print(u->host, "# %s", text);
}

static void add(struct fg_updater *u, const struct fg_change *c)
{
	struct batch *b = &u->batch;
	struct fg_tuple t =
		c->reversed ? fg_tuple_reverse(&c->tuple) : c->tuple;

	b->len += u->ops->build(u->ctx, b->buf + b->len, b->seq + b->count, &t,
				c);
	b->change[b->count++] = *c;
}

/* What may go now: first what failed before, then what waits and is due. */
static void gather(struct fg_updater *u, int64_t now)
{
	struct batch *b = &u->batch;
	struct fg_change *c;
	uint32_t again = u->again;

	if (b->nl)
		b->seq = fg_nl_sequence(b->nl, BATCH_MAX);
	b->len = 0;
	b->count = 0;
	u->again = 0;
	for (uint32_t i = 0; i < again; i++)
		add(u, &b->change[i]);
	while (b->count < BATCH_MAX) {
		c = fg_pending_first(u->pending);
		if (!c || c->serial > u->gate)
			break;
		if (c->due > now) {
			u->host->timer_set(u->host, &u->timer, c->due);
			break;
		}
		if (u->host->flags & FG_HOST_DRY_RUN)
			print(u, c);
		else
			add(u, c);
		fg_pending_remove(u->pending, c);
	}
}

/* True: a batch went out. */
static bool send_some(struct fg_updater *u, int64_t now)
{
	int err;

	if (u->again && now < u->again_at)
		return false;
	if (u->lost && !fg_pending_count(u->pending)) {
		u->lost = false;
		u->host->members(u->host, u->self, renew, u);
		u->gate = u->serial;
	}
	gather(u, now);
	if (!u->batch.count)
		return false;
	u->busy = u->submitting = true;
	err = u->host->submit(u->host, &u->job);
	u->submitting = false;
	if (err) {
		u->busy = false;
		memset(u->batch.result, 0, sizeof(u->batch.result));
		batch_fail(&u->batch, -EAGAIN);
		finish(u);
	}
	return true;
}

static bool ready(const struct fg_updater *u, int64_t now)
{
	const struct fg_change *c = fg_pending_first(u->pending);

	return u->again || u->lost ||
	       (c && c->serial <= u->gate && c->due <= now);
}

static void done(struct fg_job *job)
{
	struct fg_updater *u = job->ctx;
	int64_t now = u->host->now(u->host);

	u->busy = false;
	finish(u);
	/* run at once, within submit(): the one who called that goes on */
	if (!u->submitting && ready(u, now))
		send_some(u, now);
}

bool fg_updater_flush(struct fg_updater *u, int64_t now)
{
	u->gate = u->serial;
	if (u->busy)
		return false; /* done() goes on */
	send_some(u, now);
	if (u->busy || u->again_at > now)
		return false; /* done() or the timer go on */
	return ready(u, now);
}

static void expired(struct fg_timer *timer, int64_t now)
{
	struct fg_updater *u = timer->ctx;

	timer->deadline = 0;
	while (!u->busy && send_some(u, now))
		;
}

void fg_updater_drain(struct fg_updater *u)
{
	u->host->timer_cancel(u->host, &u->timer);
	u->gate = u->serial;
	if (u->host->flags & FG_HOST_CHECK)
		return;
	for (;;) {
		gather(u, u->host->now(u->host));
		if (!u->batch.count)
			break;
		batch_send(&u->batch);
		finish(u);
	}
	u->host->timer_cancel(u->host, &u->timer);
}

/* --------------------------------------------------------------- changes */

/*
 * A change strikes one connection, between two addresses of which the local one
 * may be the gateway's own: only what the configuration lists counts for that.
 */
static bool may(struct fg_updater *u, const struct fg_flow *flow)
{
	const struct fg_host *h = u->host;

	return !h->never ||
	       (!h->never(h, flow->ip_version, flow->other_addr) &&
		!h->never_listed(h, flow->ip_version, flow->local_addr));
}

struct fg_change *fg_updater_put(struct fg_updater *u,
				 const struct fg_flow *flow,
				 enum fg_change_kind kind)
{
	struct fg_tuple t;
	struct fg_change *c;

	if (fg_tuple_of(&t, flow, u->host)) {
		u->unsupported++;
		return NULL;
	}
	if (kind != FG_CHANGE_CLEAR && !may(u, flow)) {
		u->never++;
		return NULL;
	}
	if (kind == FG_CHANGE_CLEAR) {
		/* another flow of the same connection has claimed it since */
		c = fg_pending_find(u->pending, &t);
		if (c && c->owner != owner_of(flow))
			return NULL;
	}
	c = fg_pending_put(u->pending, &t);
	if (!c) {
		u->dropped++;
		u->lost = true;
		u->host->log(u->host, FG_LOG_WARNING,
			     "target \"%s\": more changes wait than "
			     "limits.max_flows; members are gone through again",
			     u->name);
		return NULL;
	}
	c->kind = kind;
	c->owner = owner_of(flow);
	c->serial = ++u->serial;
	c->id = flow->ct_id;
	c->has_id = !!(flow->flags & FG_FLOW_HAS_CT_ID);
	return c;
}

void fg_updater_cancel(struct fg_updater *u, const struct fg_flow *flow)
{
	struct fg_tuple t;
	struct fg_change *c;

	if (fg_tuple_of(&t, flow, u->host))
		return;
	c = fg_pending_find(u->pending, &t);
	if (c && c->owner == owner_of(flow))
		fg_pending_remove(u->pending, c);
}

/* ---------------------------------------------------------------- status */

void fg_updater_status(struct fg_updater *u, struct fg_status *out)
{
	out->adds = u->sets;
	out->deletes = u->clears + u->kills;
	out->errors = u->errors;
	out->pending = fg_pending_count(u->pending) + u->again +
		       (u->busy ? u->batch.count : 0);
	out->state = u->denied ? "denied" : "ok";
	out->reason = u->denied
			      ? "the kernel refuses to change connections: run "
				"flowgated with CAP_NET_ADMIN"
			      : "";
	if (!out->more)
		return;
	out->more(out->ctx, "gone", u->gone);
	out->more(out->ctx, "unsupported", u->unsupported);
	out->more(out->ctx, "never", u->never);
	out->more(out->ctx, "dropped", u->dropped);
}

static int entry(void *ctx, const struct nlmsghdr *nlh)
{
	return fg_ct_parse(nlh, nlh->nlmsg_len, ctx);
}

static int ask(struct fg_updater *u, const struct fg_tuple *t,
	       struct fg_ct_entry *out)
{
	_Alignas(struct nlmsghdr) char buf[FG_CT_MESSAGE_MAX];

	fg_ct_get(buf, 0, t);
	return fg_nl_request(u->batch.nl, (struct nlmsghdr *)buf, entry, out);
}

int fg_updater_get(struct fg_updater *u, const struct fg_flow *flow,
		   struct fg_ct_entry *out)
{
	struct fg_tuple t;
	int err = fg_tuple_of(&t, flow, u->host);

	if (err)
		return err;
	if (!u->batch.nl || u->busy)
		return -EBUSY;
	err = ask(u, &t, out);
	if (err == -ENOENT) {
		t = fg_tuple_reverse(&t);
		err = ask(u, &t, out);
	}
	return err;
}

/* ------------------------------------------------------------------- new */

int fg_updater_new(struct fg_updater **out, const struct fg_host *host,
		   const void *self, const char *name,
		   const struct fg_updater_ops *ops, void *ctx)
{
	struct fg_updater *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	u->host = host;
	u->self = self;
	u->name = name;
	u->ops = ops;
	u->ctx = ctx;
	u->job = (struct fg_job){.run = run, .done = done, .ctx = u};
	u->timer = (struct fg_timer){.expired = expired, .ctx = u};
	err = fg_pending_new(&u->pending, host->max_flows);
	if (err)
		goto fail;
	if (!(host->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN))) {
		err = fg_nl_open(&u->batch.nl, 0);
		if (err) {
			host->log(host, FG_LOG_ERROR,
				  "target \"%s\": no netlink socket to "
				  "netfilter: %s",
				  name, strerror(-err));
			goto fail;
		}
	}
	*out = u;
	return 0;
fail:
	fg_updater_free(u);
	return err;
}

void fg_updater_free(struct fg_updater *u)
{
	if (!u)
		return;
	if (u->host)
		u->host->timer_cancel(u->host, &u->timer);
	fg_nl_close(u->batch.nl);
	fg_pending_free(u->pending);
	free(u);
}
