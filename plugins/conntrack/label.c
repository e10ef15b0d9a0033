/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * label.c - target type ctlabel: the labels of a member's connection.
 *
 * Labels are set by bit or by name; "auto_label" adds those that are named
 * after what the flow was detected as, a-<application> and p-<protocol>. Only
 * the bits that this target can set are ever changed, so that a new detection
 * replaces the labels of the old one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bindings.h"
#include "names.h"
#include "rule.h"
#include "types.h"
#include "updater.h"

#define DEFAULT_FILE "/etc/xtables/connlabel.conf"

/* "a-" and the longest tag that an agent has; a longer one names no label */
#define NAME_MAX_ 256

/* A rule that goes missing is put back, but not more often than this. */
#define RELOAD_MS 5000

struct ctlabel {
	const struct fg_host *host;
	struct fg_updater *updater;
	const char *name;
	const char *file; /* connlabel_conf */
	struct fg_names *names;
	struct fg_rule *rule; /* managed */
	int64_t reloaded;
	unsigned max_bits;
	struct fg_labels value; /* "labels" */
	struct fg_labels mask;	/* all that this target can set */
	bool automatic;
	bool log_errors;
	bool clear;
	bool managed;
	bool no_room; /* the last one met ENOSPC */
	uint64_t held;
	struct fg_bindings bindings; /* struct fg_labels of actions */
	uint64_t unnamed; /* detected as what no label is named after */
	uint64_t no_rooms;
};

/* -------------------------------------------------------- configuration */

static int read_label(struct ctlabel *l, const struct fg_node *node,
		      struct fg_labels *out)
{
	const struct fg_config *c = l->host->config;
	const char *text = c->as_text(node), *near, *const *all = NULL;
	uint64_t u = 0;
	size_t n;
	int bit;

	if (!text || !text[strspn(text, "0123456789")]) {
		if (c->as_uint(node, &u) < 0) {
			c->error(node, "a label is a bit number or a name");
			return -EINVAL;
		}
		if (u > l->max_bits) {
			c->error(node,
				 "label %llu is above max_bits, %u: the kernel "
				 "has labels 0 to 127",
				 (unsigned long long)u, l->max_bits);
			return -EINVAL;
		}
		fg_labels_add(out, (unsigned)u);
		return 0;
	}
	bit = fg_names_bit(l->names, text);
	if (bit >= 0) {
		fg_labels_add(out, (unsigned)bit);
		return 0;
	}
	n = fg_names_all(l->names, &all);
	near = n ? c->nearest(text, all, n) : NULL;
	c->error(node, "no label \"%s\" in %s%s%s%s", text, l->file,
		 near ? " (did you mean \"" : "", near ? near : "",
		 near ? "\"?)" : "; add a line \"BIT NAME\" there");
	return -EINVAL;
}

static bool is_name(const struct fg_config *c, const struct fg_node *node)
{
	const char *text = c->as_text(node);

	return text && text[strspn(text, "0123456789")];
}

/* The names file is needed only by those who use names. */
static int need_names(struct ctlabel *l, const struct fg_node *at)
{
	char err[512];
	int ret;

	if (l->names)
		return 0;
	ret = fg_names_load(&l->names, l->file, l->max_bits, err, sizeof(err));
	if (ret)
		l->host->config->error(at, "labels have their names from %s",
				       err);
	return ret;
}

static int read_labels(struct ctlabel *l, const struct fg_node *cfg,
		       struct fg_labels *out)
{
	const struct fg_config *c = l->host->config;
	const struct fg_node *list = NULL;
	int got = c->list(cfg, "labels", &list), err;

	for (size_t i = 0; got > 0 && i < c->count(list); i++) {
		const struct fg_node *node = c->at(list, i);

		err = is_name(c, node) ? need_names(l, node) : 0;
		if (!err)
			err = read_label(l, node, out);
		if (err)
			return err;
	}
	for (size_t i = 0; i < FG_LABEL_WORDS; i++)
		l->mask.word[i] |= out->word[i];
	return got;
}

/* Which labels auto_label could ever set. */
static int read_automatic(struct ctlabel *l, const struct fg_node *cfg)
{
	const char *const *name = NULL;
	size_t n, found = 0;
	int err = need_names(l, cfg);

	if (err)
		return err;
	n = fg_names_all(l->names, &name);
	for (size_t i = 0; i < n; i++)
		if (!strncmp(name[i], "a-", 2) || !strncmp(name[i], "p-", 2)) {
			fg_labels_add(&l->mask, fg_names_bit_at(l->names, i));
			found++;
		}
	if (!found)
		l->host->config->warning(cfg,
					 "auto_label, but %s has no label that "
					 "begins with \"a-\" or \"p-\"",
					 l->file);
	return 0;
}

static int read_globals(struct ctlabel *l, const struct fg_node *node)
{
	const struct fg_config *c = l->host->config;
	uint64_t max_bits = l->max_bits;

	if (!node)
		return 0;
	if (c->uint(node, "max_bits", 1, FG_LABEL_BITS - 1, &max_bits) < 0 ||
	    c->text(node, "connlabel_conf", &l->file) < 0)
		return -EINVAL;
	l->max_bits = (unsigned)max_bits;
	return 0;
}

static int read_config(struct ctlabel *l, const struct fg_node *cfg,
		       const struct fg_node *globals)
{
	const struct fg_config *c = l->host->config;
	int got;

	l->max_bits = FG_LABEL_BITS - 1;
	l->file = DEFAULT_FILE;
	if (read_globals(l, globals) || read_globals(l, cfg) ||
	    c->boolean(cfg, "auto_label", &l->automatic) < 0 ||
	    c->boolean(cfg, "log_errors", &l->log_errors) < 0 ||
	    c->boolean(cfg, "clear_on_leave", &l->clear) < 0 ||
	    c->boolean(cfg, "managed", &l->managed) < 0)
		return -EINVAL;
	got = read_labels(l, cfg, &l->value);
	if (got < 0)
		return got;
	if (!got && !l->automatic) {
		c->error(cfg, "nothing to set: add \"labels\", or "
			      "\"auto_label\": true");
		return -EINVAL;
	}
	return l->automatic ? read_automatic(l, cfg) : 0;
}

/* ------------------------------------------------------------- messages */

static size_t build(void *ctx, void *buf, uint32_t seq,
		    const struct fg_tuple *t, const struct fg_change *c)
{
	struct ctlabel *l = ctx;

	return fg_ct_labels(buf, seq, t, &c->to.labels, &l->mask);
}

static void print(void *ctx, char *text, size_t size, const char *tuple,
		  const struct fg_change *c)
{
	(void)ctx;
	snprintf(text, size, "conntrack -U %s labels 0x%08x%08x%08x%08x", tuple,
		 c->to.labels.word[3], c->to.labels.word[2],
		 c->to.labels.word[1], c->to.labels.word[0]);
}

/* The entry is older than the first rule that sets labels. */
static void no_room(struct ctlabel *l)
{
	int64_t now = l->host->now(l->host);
	int err;

	l->no_room = true;
	l->no_rooms++;
	if (!l->rule) {
		l->host->log(l->host, FG_LOG_WARNING,
			     "target \"%s\": a connection has no room for "
			     "labels: it is older than the first rule with "
			     "\"ct label set\"; load one, or let \"managed\": "
			     "true do it",
			     l->name);
		return;
	}
	l->host->log(l->host, FG_LOG_INFO,
		     "target \"%s\": a connection older than this process has "
		     "no room for labels; new ones do",
		     l->name);
	if (l->reloaded && now - l->reloaded < RELOAD_MS)
		return;
	l->reloaded = now;
	err = fg_rule_load(l->rule);
	if (err)
		l->host->log(l->host, FG_LOG_WARNING,
			     "target \"%s\": the rule for labels could not be "
			     "loaded: %s",
			     l->name, strerror(-err));
}

static bool result(void *ctx, const struct fg_change *c, int err)
{
	struct ctlabel *l = ctx;
	char tuple[FG_TUPLE_TEXT];

	if (!err && c->kind == FG_CHANGE_SET)
		l->no_room = false;
	if (!err)
		return true;
	if (err == -ENOSPC)
		no_room(l);
	if (l->log_errors)
		l->host->log(l->host, FG_LOG_WARNING,
			     "target \"%s\": labels of %s: %s", l->name,
			     fg_tuple_format(&c->tuple, tuple), strerror(-err));
	return err == -ENOSPC || l->log_errors;
}

/* --------------------------------------------------------------- members */

/* The label that is named after tag, whole or without its vendor. */
static bool add_named(struct ctlabel *l, const char *prefix, const char *tag,
		      struct fg_labels *out)
{
	const char *dot = strchr(tag, '.');
	char name[NAME_MAX_];
	int n, bit;

	for (;;) {
		n = snprintf(name, sizeof(name), "%s%s", prefix, tag);
		for (char *p = name; *p; p++)
			if (*p == '/')
				*p = '-';
		bit = n < (int)sizeof(name) ? fg_names_bit(l->names, name) : -1;
		if (bit >= 0) {
			fg_labels_add(out, (unsigned)bit);
			return true;
		}
		if (!dot)
			return false;
		tag = dot + 1;
		dot = NULL;
	}
}

static bool labels_of(struct ctlabel *l, const struct fg_flow *flow,
		      const struct fg_member *member, struct fg_labels *out)
{
	const struct fg_host *h = l->host;
	bool any = false;

	*out = member->binding ? *(const struct fg_labels *)member->binding
			       : l->value;
	if (l->automatic) {
		any |= add_named(
			l, "a-",
			h->name(h, FG_NAME_APPLICATION, flow->application),
			out);
		any |= add_named(l, "p-",
				 h->name(h, FG_NAME_PROTOCOL, flow->protocol),
				 out);
		l->unnamed += !any;
	}
	for (size_t i = 0; i < FG_LABEL_WORDS; i++)
		any |= out->word[i];
	return any;
}

static void put(struct ctlabel *l, const struct fg_flow *flow,
		const struct fg_labels *labels, enum fg_change_kind kind)
{
	struct fg_change *c = fg_updater_put(l->updater, flow, kind);

	if (c)
		c->to.labels = *labels;
}

static void renew(void *ctx, const struct fg_flow *flow,
		  const struct fg_member *member)
{
	struct ctlabel *l = ctx;
	struct fg_labels labels;

	if (labels_of(l, flow, member, &labels))
		put(l, flow, &labels, FG_CHANGE_SET);
}

static const struct fg_updater_ops ops = {build, print, result, renew};

static void label_enter(void *target, const struct fg_flow *flow,
			const struct fg_member *member, enum fg_reason reason)
{
	struct ctlabel *l = target;

	(void)reason;
	l->held++;
	renew(l, flow, member);
}

static void label_leave(void *target, const struct fg_flow *flow,
			const struct fg_member *member, enum fg_reason reason)
{
	static const struct fg_labels none;
	struct ctlabel *l = target;

	(void)member, (void)reason;
	l->held--;
	if (l->clear)
		put(l, flow, &none, FG_CHANGE_CLEAR);
	else
		fg_updater_cancel(l->updater, flow);
}

static bool same_connection(const struct fg_host *host, const struct fg_flow *a,
			    const struct fg_flow *b)
{
	struct fg_tuple at, bt;

	return !fg_tuple_of(&at, a, host) && !fg_tuple_of(&bt, b, host) &&
	       !memcmp(&at, &bt, sizeof(at));
}

static void label_rekey(void *target, const struct fg_flow *old,
			const struct fg_flow *flow,
			const struct fg_member *member)
{
	struct ctlabel *l = target;
	struct fg_labels labels;

	if (!same_connection(l->host, old, flow)) {
		label_leave(l, old, member, FG_REASON_REKEYED);
		label_enter(l, flow, member, FG_REASON_REKEYED);
		return;
	}
	/* what it was detected as before has left its labels there */
	labels_of(l, flow, member, &labels);
	put(l, flow, &labels, FG_CHANGE_SET);
}

/* --------------------------------------------------------------- target */

static int label_open(const struct fg_host *host, const void *self,
		      const char *name, const struct fg_node *cfg,
		      const struct fg_node *globals, void **target)
{
	struct ctlabel *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->host = host;
	l->name = name;
	err = read_config(l, cfg, globals);
	if (err)
		goto fail_names;
	if (l->managed && !(host->flags & (FG_HOST_CHECK | FG_HOST_DRY_RUN))) {
		err = fg_rule_new(&l->rule);
		if (err) {
			host->log(host, FG_LOG_ERROR,
				  "target \"%s\": \"managed\", but the rule "
				  "that makes room for labels could not be "
				  "loaded: %s",
				  name, strerror(-err));
			goto fail_names;
		}
	}
	err = fg_updater_new(&l->updater, host, self, name, &ops, l);
	if (err)
		goto fail_rule;
	*target = l;
	return 0;
fail_rule:
	fg_rule_free(l->rule);
fail_names:
	fg_names_free(l->names);
	free(l);
	return err;
}

static int label_bind(void *target, const struct fg_node *override,
		      const void **binding)
{
	struct ctlabel *l = target;
	struct fg_labels *labels =
		fg_binding_new(&l->bindings, sizeof(*labels));
	int got;

	if (!labels)
		return -ENOMEM;
	got = read_labels(l, override, labels);
	if (got <= 0) {
		if (!got)
			l->host->config->error(override,
					       "an action can give this target "
					       "\"labels\" of its own");
		fg_binding_free(&l->bindings, labels);
		return -EINVAL;
	}
	*binding = labels;
	return 0;
}

static void label_unbind(void *target, const void *binding)
{
	fg_binding_free(&((struct ctlabel *)target)->bindings, binding);
}

static bool label_flush(void *target, int64_t now)
{
	struct ctlabel *l = target;

	return fg_updater_flush(l->updater, now);
}

static void label_status(void *target, struct fg_status *out)
{
	struct ctlabel *l = target;

	fg_updater_status(l->updater, out);
	out->elements = l->held;
	if (l->no_room && !l->rule) {
		out->state = "no-room";
		out->reason = "connections have no room for labels: load a "
			      "rule with \"ct label set\", or let "
			      "\"managed\": true do it";
	}
	if (!out->more)
		return;
	out->more(out->ctx, "no_room", l->no_rooms);
	if (l->automatic)
		out->more(out->ctx, "unnamed", l->unnamed);
}

static void label_explain(void *target, const struct fg_flow *flow,
			  void (*line)(void *ctx, const char *text), void *ctx)
{
	struct ctlabel *l = target;
	const char *const *name = NULL;
	size_t names = fg_names_all(l->names, &name), n = 0;
	struct fg_ct_entry e;
	char text[1024];
	int err = fg_updater_get(l->updater, flow, &e);

	if (err) {
		fg_entry_unknown(err, text, sizeof(text));
		line(ctx, text);
		return;
	}
	n = (size_t)snprintf(text, sizeof(text),
			     "connection %u has labels:", e.id);
	for (unsigned bit = 0; bit < FG_LABEL_BITS && n < sizeof(text); bit++) {
		const char *called = NULL;

		if (!(e.labels.word[bit / 32] >> bit % 32 & 1))
			continue;
		for (size_t i = 0; i < names; i++)
			if (fg_names_bit_at(l->names, i) == bit)
				called = name[i];
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %u%s%s%s",
				      bit, called ? " (" : "",
				      called ? called : "", called ? ")" : "");
	}
	line(ctx, text);
}

static void label_close(void *target, bool stopping)
{
	struct ctlabel *l = target;

	(void)stopping;
	if (l->clear)
		fg_updater_drain(l->updater);
	fg_updater_free(l->updater);
	fg_rule_free(l->rule);
	fg_names_free(l->names);
	fg_bindings_free(&l->bindings);
	free(l);
}

const struct fg_target_type fg_ctlabel_type = {
	.size = sizeof(fg_ctlabel_type),
	.name = "ctlabel",
	.flags = FG_TYPE_CLASS,
	.open = label_open,
	.bind = label_bind,
	.unbind = label_unbind,
	.enter = label_enter,
	.leave = label_leave,
	.rekey = label_rekey,
	.flush = label_flush,
	.status = label_status,
	.explain = label_explain,
	.close = label_close,
};
