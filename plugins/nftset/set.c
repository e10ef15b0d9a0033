/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set.c - a set opened, held, and closed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "handover.h"
#include "hub.h"
#include "keep.h"
#include "lease/scope.h"
#include "sentence.h"
#include "set-private.h"

/* Actions that can hold leases of one set at a time. */
#define CLASSES_MAX 8192

struct fg_set **fg_set_link(struct fg_set *s)
{
	return &s->next;
}

const struct fg_host *fg_set_host(const struct fg_set *s)
{
	return s->host;
}

struct fg_caps fg_set_caps(const struct fg_set *s)
{
	return s->caps;
}

/* ---------------------------------------------------------------- timing */

int64_t fg_set_now(const struct fg_set *s)
{
	return s->host->now(s->host);
}

uint32_t fg_set_pending(const struct fg_set *s)
{
	struct fg_lease_counts c;

	fg_leases_counts(s->leases, &c);
	return c.pending;
}

/* The timer serves all that waits for time. */
void fg_set_rearm(struct fg_set *s)
{
	int64_t at = fg_leases_deadline(s->leases);

	if (s->recheck && s->recheck < at)
		at = s->recheck;
	if (s->state == FIT && !s->flight && fg_set_pending(s)) {
		int64_t soon = s->later ? s->later : fg_set_now(s);

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
	if (fg_leases_hold(s->leases, key, class, note, fg_set_now(s)) < 0) {
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
	return fg_leases_release(s->leases, key, class, fg_set_now(s)) == 0;
}

static bool is_never(const void *ctx, const uint8_t *key)
{
	const struct fg_set *s = ctx;

	return fg_scope_never_key(s->host, &s->o.schema.shape, s->o.mirror,
				  key);
}

void fg_set_never_changed(struct fg_set *s)
{
	fg_leases_expel(s->leases, is_never, s);
	fg_set_rearm(s);
}

void fg_set_restored(struct fg_set *s)
{
	fg_leases_forsake(s->leases);
	fg_set_rearm(s);
}

void fg_set_recount(struct fg_set *s)
{
	fg_leases_recount_begin(s->leases);
	for (unsigned i = 0; i < s->users; i++)
		s->user[i].recount(s->user[i].id, s);
	fg_leases_recount_end(s->leases, fg_set_now(s));
	fg_set_commit(s);
	fg_set_rearm(s);
}

/* nft prints a comment in quotes and reads it back: none may be in it. */
void fg_set_comment(void *ctx, const struct fg_lease_change *c,
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

/* --------------------------------------------------------------- opening */

static struct fg_set *find(const struct fg_hub *hub, const struct fg_schema *w)
{
	struct fg_set *s = fg_hub_first(hub);

	while (s && (s->o.schema.family != w->family ||
		     strcmp(s->table, w->table) || strcmp(s->name, w->set)))
		s = s->next;
	return s;
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
		.now = fg_set_now(s),
	};
	int err = fg_classes_new(&s->classes, has_classes(s) ? CLASSES_MAX : 0);

	if (err)
		return err;
	if (getrandom(&l.seed, sizeof(l.seed), GRND_NONBLOCK) < 0)
		l.seed = (uint64_t)(uintptr_t)s;
	l.classes = s->classes;
	return fg_leases_new(&s->leases, &l);
}

/* ------------------------------------------------------- from run to run */

/* Two flowgated would take each other's elements away. */
static int lock(struct fg_set *s, const struct fg_node *at)
{
	const char *family = fg_family_name(s->o.schema.family);
	pid_t owner;
	int err;

	fg_keep_path(s->path, s->host->runtime_dir, family, s->table, s->name);
	if (!s->path[0])
		return 0;
	err = fg_keep_lock(s->path, &s->lock, &owner);
	if (err == -EBUSY) {
		s->host->config->error(
			at,
			"set \"%s %s %s\" is kept by another flowgated "
			"(process %d), and the two would delete each other's "
			"elements: stop one, or give each its own set",
			family, s->table, s->name, (int)owner);
		return err;
	}
	if (err)
		s->host->config->warning(
			at,
			"set \"%s %s %s\" cannot be locked, nor handed over "
			"to the next run: %s: %s.lock",
			family, s->table, s->name, strerror(-err), s->path);
	if (err)
		s->path[0] = '\0';
	return 0;
}

static struct fg_handover handover_of(const struct fg_set *s)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (struct fg_handover){
		.key_len = s->o.schema.shape.len,
		.map = s->o.schema.map,
		.table_handle = s->found.table_handle,
		.set_handle = s->found.set_handle,
		.boot_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000,
	};
}

static void adopt(void *ctx, const struct fg_handover_lease *lease)
{
	struct fg_set *s = ctx;
	uint32_t left = lease->left_ms;

	/* whatever the file says: nothing outlives its time */
	if (left > s->o.schema.ttl_ms)
		left = s->o.schema.ttl_ms;
	if (!fg_leases_adopt(s->leases, lease->key, lease->data, left,
			     lease->held, fg_set_now(s)))
		s->adopted++;
}

/* Elements that the last run left are known again: claimed without a gap. */
static void take_over(struct fg_set *s)
{
	struct fg_handover now = handover_of(s);
	size_t len;
	void *data;
	int err;

	if (!s->path[0])
		return;
	err = fg_keep_take(s->path, &data, &len);
	if (err == -ENOENT)
		return;
	/* without times of their own nobody would ever take them out */
	if (!err && s->state == FIT && s->o.schema.ttl_ms)
		err = fg_handover_read(data, len, &now, adopt, s);
	if (err)
		LOG(s, FG_LOG_NOTICE,
		    "was handed over, but %s: its elements run out by "
		    "themselves",
		    err == -ESTALE ? "to another set or before a boot"
				   : "not in a form that is understood");
	else if (s->adopted)
		LOG(s, FG_LOG_INFO, "was handed over with %u element%s",
		    s->adopted, FG_S(s->adopted));
	free(data);
}

static void hand_over(struct fg_set *s)
{
	struct fg_handover now = handover_of(s);
	struct fg_handover_writer w;
	struct fg_lease_counts counts;
	struct fg_lease_view v;
	uint32_t cursor = 0;
	int64_t ms = fg_set_now(s);
	void *buf;
	int err = -ENOMEM;

	if (!s->path[0] || s->state != FIT || !s->o.schema.ttl_ms)
		return;
	fg_leases_counts(s->leases, &counts);
	buf = malloc(fg_handover_size(&now, counts.leases));
	if (buf) {
		fg_handover_begin(&w, buf, &now);
		while (fg_leases_next(s->leases, &cursor, &v)) {
			/* what lingers may have longer in the kernel */
			int64_t until = v.lingers_until < v.expires
						? v.lingers_until
						: v.expires;

			if (v.present && until > ms)
				fg_handover_put(&w,
						&(struct fg_handover_lease){
							v.key, v.data,
							(uint32_t)(until - ms),
							v.holders || v.held});
		}
		err = fg_keep_write(s->path, buf, fg_handover_end(&w));
		free(buf);
	}
	if (err)
		LOG(s, FG_LOG_WARNING,
		    "is not handed over to the next run: %s: %s.leases",
		    strerror(-err), s->path);
}

static int prepare(struct fg_set *s, const struct fg_node *at)
{
	int err;

	s->dry = s->host->flags & (FG_HOST_DRY_RUN | FG_HOST_CHECK);
	if (!s->dry) {
		err = fg_hub_socket(s->hub, &s->nl);
		if (!err)
			err = lock(s, at);
		if (err)
			return err;
	}
	err = fg_set_first_check(s, at);
	if (err)
		return err;
	err = fg_set_prepare(s);
	if (err)
		return err;
	s->caps = (struct fg_caps){true, true};
	if (s->dry)
		s->state = FIT;
	else
		err = fg_hub_caps(s->hub, &s->caps);
	if (err) {
		s->host->config->error(at,
				       "cannot find out what the kernel's "
				       "nftables can do: %s",
				       fg_sentence(-err));
		return err;
	}
	err = fg_set_make_batch(s);
	if (!err)
		err = make_leases(s);
	if (!err && !s->caps.update && !s->o.flush_on_create)
		/* what an earlier run left does not get its time by an add */
		fg_leases_set_strangers(s->leases, true);
	if (!err && !s->dry && !s->o.flush_on_create)
		take_over(s);
	return err;
}

static void destroy(struct fg_set *s)
{
	fg_leases_free(s->leases);
	fg_classes_free(s->classes);
	fg_batch_free(s->batch);
	fg_nl_close(s->nl);
	if (s->lock >= 0)
		close(s->lock);
	fg_hub_put(s->hub);
	free(s);
}

static int add_user(struct fg_set *s, struct user user)
{
	if (s->users == USERS_MAX)
		return -EUSERS;
	s->user[s->users++] = user;
	return 0;
}

/* What the last user wants is in force; to what others want, rival() objects.
 */
static void apply(struct fg_set *s)
{
	const struct fg_set_options *o = &s->user[s->users - 1].o;

	s->o.schema.ttl_ms = o->schema.ttl_ms;
	s->o.schema.size = o->schema.size;
	s->o.schema.counter = o->schema.counter;
	s->o.linger_ms = o->linger_ms;
	s->o.evict = o->evict;
	s->o.managed = o->managed;
	s->o.flush_on_destroy = o->flush_on_destroy;
	fg_leases_set_times(s->leases, s->o.schema.ttl_ms, s->o.linger_ms);
	s->rebatch = true;
	(void)fg_set_prepare(s);
}

static bool same_types(const struct fg_key_shape *a,
		       const struct fg_key_shape *b)
{
	char of_a[FG_KEY_TEXT], of_b[FG_KEY_TEXT];

	return !strcmp(fg_key_format_types(a, of_a),
		       fg_key_format_types(b, of_b));
}

/* Another target, or the same after a reload: settings may be others. */
static int join(struct fg_set *s, const struct fg_set_options *o,
		const struct fg_node *at)
{
	const struct fg_schema *a = &s->o.schema, *b = &o->schema;
	struct fg_schema_found found;
	char why[FG_SCHEMA_WHY];
	int err = fg_schema_check(fg_hub_query(s->hub), b, &found, why);

	if (err == -EINVAL ||
	    (err == -ENOENT && !o->managed && s->host->flags & FG_HOST_CHECK)) {
		s->host->config->error(at, "%s", why);
		return err;
	}
	if (!same_types(&a->shape, &b->shape) || a->map != b->map ||
	    s->o.comment != o->comment || (o->mirror && !s->o.mirror)) {
		s->host->config->error(
			at,
			"set \"%s %s %s\" is in use by another target with "
			"other \"type\", \"data\", \"comment\" "
			"or \"mirror\": make them the same, or restart "
			"flowgated to change them",
			fg_family_name(a->family), s->table, s->name);
		return -EBUSY;
	}
	return 0;
}

static const char *differs(const struct fg_set_options *a,
			   const struct fg_set_options *b)
{
	return a->schema.ttl_ms != b->schema.ttl_ms	    ? "ttl"
	       : a->linger_ms != b->linger_ms		    ? "linger"
	       : a->evict != b->evict			    ? "on_full"
	       : a->managed != b->managed		    ? "managed"
	       : a->schema.size != b->schema.size	    ? "size"
	       : a->schema.counter != b->schema.counter	    ? "counter"
	       : a->flush_on_create != b->flush_on_create   ? "flush_on_create"
	       : a->flush_on_destroy != b->flush_on_destroy ? "flush_on_destroy"
							    : NULL;
}

const void *fg_set_rival(const struct fg_set *s, const void *user,
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

int fg_set_open(struct fg_set **out, const struct fg_host *host, void *user,
		void (*recount)(void *user, struct fg_set *s),
		const struct fg_set_options *options, const struct fg_node *at)
{
	struct fg_hub *hub;
	struct fg_set *s;
	int err = fg_hub_get(&hub);

	if (err) {
		host->config->error(at, "no netlink socket for nftables: %s",
				    fg_sentence(-err));
		return err;
	}
	s = find(hub, &options->schema);
	if (s) {
		fg_hub_put(hub);
		err = join(s, options, at);
		if (!err)
			err = add_user(s, (struct user){user, recount, host,
							*options});
		if (!err)
			apply(s);
		*out = err ? NULL : s;
		return err;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		fg_hub_put(hub);
		return -ENOMEM;
	}
	s->lock = -1;
	s->hub = hub;
	s->host = host;
	s->o = *options;
	snprintf(s->table, sizeof(s->table), "%s", options->schema.table);
	snprintf(s->name, sizeof(s->name), "%s", options->schema.set);
	s->o.schema.table = s->table;
	s->o.schema.set = s->name;
	fg_set_commit_init(s);
	err = prepare(s, at);
	if (err) {
		destroy(s);
		return err;
	}
	err = fg_hub_add(hub, s);
	if (err) {
		host->config->error(at, "cannot listen to nftables: %s",
				    fg_sentence(-err));
		destroy(s);
		return err;
	}
	add_user(s, (struct user){user, recount, host, *options});
	if (s->state != FIT)
		s->recheck = fg_set_now(s) + RECHECK_MS;
	fg_set_rearm(s);
	*out = s;
	return 0;
}

/* --------------------------------------------------------------- closing */

/*
 * Another user goes on: its host serves the set from now on. Returns the host
 * of the one that is gone; NULL: it was none.
 */
static const struct fg_host *remove_user(struct fg_set *s, const void *id)
{
	const struct fg_host *host;
	unsigned i = 0;

	while (i < s->users && s->user[i].id != id)
		i++;
	if (i == s->users)
		return NULL;
	host = s->user[i].host;
	s->host->timer_cancel(s->host, &s->timer);
	s->users--;
	memmove(&s->user[i], &s->user[i + 1],
		(s->users - i) * sizeof(s->user[0]));
	if (!s->users)
		return host;
	s->host = s->user[0].host;
	apply(s);
	fg_set_rearm(s);
	return host;
}

void fg_set_close(struct fg_set *s, const void *user, bool stopping)
{
	const struct fg_host *host;

	if (!s)
		return;
	host = remove_user(s, user);
	if (s->users) {
		fg_hub_host_gone(s->hub, host);
		return;
	}
	s->host->timer_cancel(s->host, &s->timer);
	fg_set_drain(s);
	if (stopping && !s->dry && s->o.flush_on_destroy && s->state == FIT)
		fg_set_empty(s);
	else if (stopping && !s->dry)
		hand_over(s);
	fg_hub_remove(s->hub, s);
	fg_hub_host_gone(s->hub, host);
	destroy(s);
}
