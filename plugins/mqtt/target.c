/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.c - the target type "mqtt": publishes what its members do, in the
 * words of their agent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "broker.h"
#include "outbox.h"
#include "topic.h"
#include "types.h"

#define QUEUE 8192
/* Publishes that the broker has not confirmed; more wait for it. */
#define WINDOW 64
/* Of one publish: as many flows as fit, and no fewer than one. */
#define BATCH_BYTES 16384
#define BATCH_FLOWS 64
/* At a reload, how long purges are waited for at most. */
#define LAST_MS 5000

struct target {
	const struct fg_host *host;
	const char *name;
	struct fg_login login;
	struct fg_broker *broker; /* NULL: none is connected to, only printed */
	struct fg_outbox *outbox;
	struct fg_timer timer;
	const char *topic; /* a template */
	char state_topic[FG_TOPIC];
	char site[64];
	char client_id[160];
	char reason[500]; /* why it did not work last, "" when it does */
	bool working;	  /* the broker has taken something */
	unsigned window;  /* publishes that are out */
	uint64_t errors;
	int64_t left; /* when a member left last */
	size_t batch_len;
	char batch[BATCH_BYTES + FG_ANNOUNCE_SIZE];
};

/* ---------------------------------------------------------------- to say */

/* What agents call it. */
static const char *reason_word(enum fg_reason reason)
{
	switch (reason) {
	case FG_REASON_PURGED:
		return "closed";
	case FG_REASON_IDLE:
		return "expired";
	default:
		return "terminated";
	}
}

/* Appends the message; false: none of an agent is so long. */
static bool put(struct target *t, const struct fg_flow *flow, bool purge,
		enum fg_reason reason)
{
	size_t n = t->host->announce(
		t->host, flow, purge ? FG_MESSAGE_FLOW_PURGE : FG_MESSAGE_FLOW,
		purge ? reason_word(reason) : NULL, t->batch + t->batch_len,
		sizeof(t->batch) - t->batch_len - 1);

	if (!n)
		return false;
	t->batch_len += n;
	t->batch[t->batch_len++] = '\n';
	return true;
}

/* Publishes the batch, or prints that it would be. */
static int hand_over(struct target *t, uint16_t source, int *mid)
{
	char topic[FG_TOPIC];

	fg_topic_make(t->topic, t->site, t->host->source_name(t->host, source),
		      topic);
	if (t->broker)
		return fg_broker_publish(t->broker, topic, t->batch,
					 t->batch_len, false,
					 t->login.ttl_ms / 1000, mid);
	t->batch[t->batch_len - 1] = '\0';
	t->host->print(t->host, "# mqtt publish %s %s", topic, t->batch);
	return 0;
}

/* One publish: what is next, and what follows it of the same source. */
static bool say_some(struct target *t)
{
	int64_t now = t->host->now(t->host), wall = t->host->wall(t->host);
	bool confirms = t->broker && t->login.qos;
	size_t most = t->broker ? BATCH_FLOWS : 1, n;
	enum fg_reason reason;
	struct fg_flow flow;
	uint16_t source = 0;
	int ret, mid = 0;
	uint32_t id;

	t->batch_len = 0;
	for (n = 0; n < most && t->batch_len < BATCH_BYTES; n++) {
		bool purge;

		id = fg_outbox_next(t->outbox);
		if (!id)
			break;
		purge = fg_outbox_is_purge(t->outbox, id, &reason);
		fg_outbox_flow(t->outbox, id, wall, &flow);
		if (n && flow.source != source)
			break;
		source = flow.source;
		t->errors += !put(t, &flow, purge, reason);
		fg_outbox_sent(t->outbox, id, confirms, now);
	}
	if (!t->batch_len)
		return n > 0;
	ret = hand_over(t, source, &mid);
	if (ret == 0) {
		fg_outbox_number(t->outbox, mid);
		t->window += confirms;
		return true;
	}
	t->errors++;
	if (ret == -EMSGSIZE) {
		/* it won't be smaller another time */
		fg_outbox_confirmed(t->outbox, FG_OUTBOX_UNSENT);
		t->host->log(t->host, FG_LOG_WARNING,
			     "target \"%s\": the broker does not take messages "
			     "of %zu bytes",
			     t->name, t->batch_len);
		return true;
	}
	fg_broker_drop(t->broker, "it could not be published to");
	return false;
}

static void say(struct target *t)
{
	int64_t next;

	if (!t->broker)
		while (say_some(t))
			;
	else
		while (t->window < WINDOW && fg_broker_takes(t->broker)) {
			fg_outbox_tick(t->outbox, t->host->now(t->host));
			if (!say_some(t))
				break;
		}
	next = fg_outbox_deadline(t->outbox);
	if (next != INT64_MAX &&
	    (!t->timer.deadline || next < t->timer.deadline))
		t->host->timer_set(t->host, &t->timer, next);
}

static void due(struct fg_timer *timer, int64_t now)
{
	struct target *t = timer->ctx;

	fg_outbox_tick(t->outbox, now);
	say(t);
}

static bool target_flush(void *target, int64_t now)
{
	struct target *t = target;
	struct fg_outbox_counts n;

	say(t);
	fg_outbox_counts(t->outbox, &n);
	/*
	 * What waits is said when the broker has taken what is out. Only when
	 * this is the end of us, may it be waited for here.
	 */
	return n.pending && !n.members && t->broker &&
	       fg_broker_is_up(t->broker) && now < t->left + LAST_MS;
}

/* ----------------------------------------------------------------- broker */

/* That we are let in does not say that we may publish. */
static void works(struct target *t)
{
	if (t->working)
		return;
	t->working = true;
	t->reason[0] = '\0';
	t->host->log(t->host, FG_LOG_NOTICE, "target \"%s\": connected to %s",
		     t->name, t->login.url);
}

static void on_up(void *ctx)
{
	struct target *t = ctx;
	int mid;

	t->window = 0;
	if (!t->login.qos)
		works(t);
	if (fg_broker_publish(t->broker, t->state_topic, FG_MQTT_ONLINE,
			      strlen(FG_MQTT_ONLINE), true, 0, &mid) == 0)
		t->window += t->login.qos;
	fg_outbox_up(t->outbox, t->host->now(t->host));
	say(t);
}

static void on_down(void *ctx, const char *why)
{
	struct target *t = ctx;

	if (strcmp(t->reason, why) != 0)
		t->host->log(t->host, FG_LOG_WARNING,
			     "target \"%s\": not connected to %s: %s; trying "
			     "again, at least every 15 s",
			     t->name, t->login.url, why);
	snprintf(t->reason, sizeof(t->reason), "%s", why);
	t->working = false;
	fg_outbox_down(t->outbox);
	t->host->timer_cancel(t->host, &t->timer);
}

static void on_published(void *ctx, int mid)
{
	struct target *t = ctx;

	works(t);
	t->window -= t->window > 0;
	fg_outbox_confirmed(t->outbox, mid);
}

static void on_ready(void *ctx)
{
	say(ctx);
}

/* ------------------------------------------------------- enter and leave */

static void target_enter(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	struct target *t = target;

	(void)member;
	(void)reason;
	fg_outbox_enter(t->outbox, flow);
}

static void target_leave(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	struct target *t = target;

	(void)member;
	t->left = t->host->now(t->host);
	fg_outbox_leave(t->outbox, flow, reason, t->host->wall(t->host));
}

/* --------------------------------------------------------- open and close */

static int read_topic(const struct fg_host *host, const struct fg_node *cfg,
		      const char *key, const char **topic)
{
	const struct fg_node *at = cfg;
	const char *why;

	if (host->config->text(cfg, key, topic) < 0)
		return -EINVAL;
	why = fg_topic_check_template(*topic);
	if (!why)
		return 0;
	host->config->any(cfg, key, &at);
	host->config->error(at, "%s", why);
	return -EINVAL;
}

static int read_site(struct target *t, const struct fg_node *cfg)
{
	const char *site = NULL;

	if (t->host->config->text(cfg, "site", &site) < 0)
		return -EINVAL;
	if (!site && gethostname(t->site, sizeof(t->site) - 1) < 0)
		site = "gateway";
	if (site && (!*site || strlen(site) >= sizeof(t->site))) {
		t->host->config->error(cfg, "\"site\" has 1 to 63 bytes");
		return -EINVAL;
	}
	if (site)
		snprintf(t->site, sizeof(t->site), "%s", site);
	return 0;
}

static int connect_to(struct target *t, const struct fg_node *cfg)
{
	const struct fg_broker_setup setup = {
		.host = t->host,
		.login = &t->login,
		.client_id = t->client_id,
		.will_topic = t->state_topic,
		.will = FG_MQTT_OFFLINE,
		.up = on_up,
		.down = on_down,
		.published = on_published,
		.ready = on_ready,
		.ctx = t,
	};
	char err[400];
	int ret;

	/*
	 * Always the same client, unless it is said: when we come back before
	 * the broker has noticed that we were away, it lets the old connection
	 * go first, last will and all.
	 */
	snprintf(t->client_id, sizeof(t->client_id), "%s",
		 t->login.client_id ? t->login.client_id : "");
	if (!t->login.client_id)
		snprintf(t->client_id, sizeof(t->client_id),
			 "flowgate-%.60s-%.60s", t->site, t->name);
	ret = fg_broker_new(&t->broker, &setup, err, sizeof(err));
	if (ret < 0)
		t->host->config->error(cfg, "target \"%s\": %s", t->name, err);
	return ret;
}

static void target_close(void *target, bool stopping)
{
	struct target *t = target;
	int mid;

	(void)stopping;
	t->host->timer_cancel(t->host, &t->timer);
	if (t->broker && fg_broker_is_up(t->broker))
		(void)fg_broker_publish(t->broker, t->state_topic,
					FG_MQTT_OFFLINE,
					strlen(FG_MQTT_OFFLINE), true, 0, &mid);
	fg_broker_free(t->broker, true);
	fg_outbox_free(t->outbox);
	free(t);
}

static int target_open(const struct fg_host *host, const void *self,
		       const char *name, const struct fg_node *cfg,
		       const struct fg_node *globals, void **out)
{
	const char *url = NULL, *state = FG_MQTT_STATE_OUT;
	struct fg_outbox_setup setup = {.max_members = host->max_flows,
					.now = host->now(host)};
	struct target *t = calloc(1, sizeof(*t));
	uint64_t queue = QUEUE;
	char where[200];
	bool bad;
	int ret;

	(void)self;
	(void)globals;
	if (!t)
		return -ENOMEM;
	t->host = host;
	t->name = name;
	t->timer.expired = due;
	t->timer.ctx = t;
	t->topic = FG_MQTT_TOPIC_OUT;
	snprintf(where, sizeof(where), "target \"%s\"", name);
	ret = host->config->text(cfg, "url", &url);
	if (ret == 0)
		host->config->error(cfg,
				    "%s needs a \"url\": mqtts://host of the "
				    "broker",
				    where);
	/* all of them: a key that was not asked for would be called unknown */
	bad = ret != 1;
	bad |= read_site(t, cfg) < 0;
	bad |= read_topic(host, cfg, "topic", &t->topic) < 0;
	bad |= read_topic(host, cfg, "state_topic", &state) < 0;
	bad |= host->config->uint(cfg, "queue", 16, 1u << 20, &queue) < 0;
	bad |= fg_login_read(&t->login, host, cfg, url, where) < 0;
	if (bad)
		goto refuse;
	fg_topic_make(state, t->site, "", t->state_topic);
	setup.queue = (uint32_t)queue;
	setup.every_ms = t->login.ttl_ms / 2;
	if (getrandom(&setup.seed, sizeof(setup.seed), GRND_NONBLOCK) < 0)
		setup.seed = (uintptr_t)t;
	ret = fg_outbox_new(&t->outbox, &setup);
	if (ret == 0 && !(host->flags & FG_HOST_DRY_RUN))
		ret = connect_to(t, cfg);
	if (ret < 0)
		goto fail;
	if (t->broker && !(host->flags & FG_HOST_CHECK))
		fg_broker_start(t->broker);
	*out = t;
	return 0;

refuse:
	ret = -EINVAL;
fail:
	target_close(t, false);
	return ret;
}

static void target_status(void *target, struct fg_status *out)
{
	struct target *t = target;
	struct fg_outbox_counts n;

	fg_outbox_counts(t->outbox, &n);
	out->elements = n.members;
	out->adds = n.announced - n.announced_again;
	out->renewals = n.announced_again;
	out->deletes = n.purged;
	out->errors = t->errors;
	out->pending = n.pending;
	if (t->broker && !t->working) {
		out->state = "disconnected";
		out->reason = *t->reason ? t->reason : "connecting";
	}
	if (!out->more)
		return;
	out->more(out->ctx, "announcements_dropped", n.dropped);
	out->more(out->ctx, "purges_dropped", n.dropped_purges);
}

const struct fg_target_type fg_mqtt_target = {
	.size = sizeof(fg_mqtt_target),
	.name = "mqtt",
	.flags = FG_TYPE_CLASS,
	.open = target_open,
	.enter = target_enter,
	.leave = target_leave,
	.flush = target_flush,
	.status = target_status,
	.close = target_close,
};
