/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipset.c - target type ipset: members of sets that iptables rules match, for
 * gateways that have not moved to nftables.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/word.h"
#include "lease/scope.h"
#include "set.h"

#define SIZE_DEFAULT 65536
#define LINGER_MAX_S 86400

struct target {
	const struct fg_host *host;
	const void *self;
	const char *name;
	const struct fg_node *cfg;
	struct fg_ipset_options o; /* what both sets have alike */
	const char *set_name;
	uint8_t field[4];
	size_t fields;
	bool wanted[2]; /* IPv4, IPv6 */
	struct fg_ipset *set[2];
	struct fg_key_shape shape[2];
	struct fg_scope scope;
	/* members that have no element */
	uint64_t side;
	uint64_t other_type;
	uint64_t no_key;
	uint64_t never;
};

/* -------------------------------------------------------- configuration */

static const struct fg_node *at_key(struct target *t, const struct fg_node *cfg,
				    const char *key)
{
	const struct fg_node *at = cfg;

	t->host->config->any(cfg, key, &at);
	return at;
}

static int read_type(struct target *t, const struct fg_node *cfg)
{
	const struct fg_config *c = t->host->config;
	unsigned type = FG_IPSET_IP_PORT_IP;
	const char *text = "";

	if (c->text(cfg, "type", &text) > 0 && !strncmp(text, "hash:net", 8)) {
		c->error(at_key(t, cfg, "type"),
			 "\"%s\" holds networks, but a flow has single "
			 "addresses: use \"hash:ip\"",
			 text);
		return -EINVAL;
	}
	if (fg_word_read(t->host, cfg, "type", fg_ipset_types, FG_IPSET_TYPES,
			 &type) < 0)
		return -EINVAL;
	t->o.schema.type = type;
	return 0;
}

static int read_fields(struct target *t, const struct fg_node *cfg)
{
	const struct fg_config *c = t->host->config;
	const struct fg_node *list;
	int got = c->list(cfg, "fields", &list);

	if (got < 0)
		return got;
	t->fields = fg_ipset_fields(t->o.schema.type, t->field);
	if (!got)
		return 0;
	if (c->count(list) != t->fields)
		goto wrong;
	for (size_t i = 0; i < t->fields; i++) {
		unsigned field = 0;

		if (fg_word_at(t->host, c->at(list, i), "a field",
			       fg_key_field_names(), FG_KEY_FIELD_COUNT,
			       &field) < 0)
			return -EINVAL;
		t->field[i] = (uint8_t)field;
	}
	if (!fg_ipset_shape(&t->shape[0], t->o.schema.type, 4, t->field,
			    t->fields))
		return 0;
wrong:
	c->error(list, "\"%s\" has other fields: %s",
		 fg_ipset_types[t->o.schema.type],
		 t->o.schema.type == FG_IPSET_MAC
			 ? "one of \"local_mac\", \"other_mac\""
			 : "addresses and ports in the order of its name, such "
			   "as [\"other_addr\", \"other_port\", "
			   "\"local_addr\"]");
	return -EINVAL;
}

static int read_names(struct target *t, const struct fg_node *cfg)
{
	static const char *const families[] = {"*", "ipv4", "ipv6"};
	const struct fg_config *c = t->host->config;
	unsigned family = 0;
	int got = c->text(cfg, "set_name", &t->set_name);

	if (got < 0 ||
	    fg_word_read(t->host, cfg, "set_family", families, 3, &family) < 0)
		return -EINVAL;
	if (!got) {
		c->error(cfg, "\"set_name\" is missing: the set's name without "
			      "its \".v4\" or \".v6\"");
		return -EINVAL;
	}
	if (strlen(t->set_name) + sizeof(".v4") > IPSET_MAXNAMELEN) {
		c->error(at_key(t, cfg, "set_name"),
			 "an ipset's name may have at most %zu characters",
			 IPSET_MAXNAMELEN - sizeof(".v4"));
		return -EINVAL;
	}
	t->wanted[0] = family != 2;
	t->wanted[1] = family != 1;
	return 0;
}

/* MAJ:MIN in hexadecimal, as tc has it. */
static int read_prio(struct target *t, const struct fg_node *cfg)
{
	const struct fg_config *c = t->host->config;
	const char *text;
	unsigned major, minor;
	char rest;
	int got = c->text(cfg, "skb_prio", &text);

	if (got <= 0)
		return got;
	/* the pattern lets no sign through, and no more than 16 bits */
	if (strspn(text, "0123456789abcdefABCDEF:") == strlen(text) &&
	    /* NOLINTNEXTLINE(cert-err34-c): four digits cannot overflow */
	    sscanf(text, "%4x:%4x%c", &major, &minor, &rest) == 2) {
		t->o.schema.skb_prio = major << 16 | minor;
		t->o.schema.skb = true;
		return 0;
	}
	c->error(at_key(t, cfg, "skb_prio"),
		 "\"%s\" is not a class such as \"1:10\" (hexadecimal, as in "
		 "tc)",
		 text);
	return -EINVAL;
}

static int read_skb(struct target *t, const struct fg_node *cfg)
{
	const struct fg_config *c = t->host->config;
	struct fg_ipset_schema *s = &t->o.schema;
	uint64_t mark = 0, mask = UINT32_MAX, queue = 0;
	int got, has_mask;

	got = c->uint(cfg, "skb_mark", 0, UINT32_MAX, &mark);
	has_mask = c->uint(cfg, "skb_mask", 0, UINT32_MAX, &mask);
	if (got < 0 || has_mask < 0)
		return -EINVAL;
	if (has_mask && !got) {
		c->error(cfg, "\"skb_mask\" without \"skb_mark\"");
		return -EINVAL;
	}
	/* an element without a mark leaves the packet's alone */
	s->skb = got;
	s->skb_mark = (uint32_t)(mark & mask);
	s->skb_mask = got ? (uint32_t)mask : 0;
	got = c->uint(cfg, "skb_queue", 0, UINT16_MAX, &queue);
	s->skb |= got > 0;
	s->skb_queue = (uint16_t)queue;
	return got < 0 ? got : read_prio(t, cfg);
}

static int read_config(struct target *t, const struct fg_node *cfg)
{
	const struct fg_config *c = t->host->config;
	uint64_t size = SIZE_DEFAULT, ttl = 0, linger = 0;

	if (read_type(t, cfg) || read_fields(t, cfg) || read_names(t, cfg) ||
	    read_skb(t, cfg) || fg_scope_read(&t->scope, t->host, cfg))
		return -EINVAL;
	/* "size" is another name of it; the longer one counts */
	if (c->uint(cfg, "size", 1, UINT32_MAX, &size) < 0 ||
	    c->uint(cfg, "max_elements", 1, UINT32_MAX, &size) < 0 ||
	    c->uint(cfg, "ttl", 0, FG_IPSET_TIMEOUT_MAX, &ttl) < 0 ||
	    c->uint(cfg, "linger", 0, LINGER_MAX_S, &linger) < 0 ||
	    c->boolean(cfg, "managed", &t->o.managed) < 0 ||
	    c->boolean(cfg, "flush_on_create", &t->o.flush_on_create) < 0 ||
	    c->boolean(cfg, "flush_on_destroy", &t->o.flush_on_destroy) < 0)
		return -EINVAL;
	t->o.schema.size = (uint32_t)size;
	t->o.schema.ttl_s = (uint32_t)ttl;
	t->o.linger_ms = (uint32_t)linger * 1000;
	return 0;
}

/* --------------------------------------------------------------- members */

/* The set and key of a flow; NULL: none, counted when it enters. */
static struct fg_ipset *key_of(struct target *t, const struct fg_flow *f,
			       uint8_t key[FG_KEY_SIZE_MAX], bool count)
{
	unsigned i = f->ip_version == 6;

	if (!fg_scope_side(&t->scope, f)) {
		t->side += count;
		return NULL;
	}
	if (!fg_scope_other_type(&t->scope, f)) {
		t->other_type += count;
		return NULL;
	}
	if ((f->ip_version != 4 && f->ip_version != 6) || !t->set[i] ||
	    fg_key_build(&t->shape[i], f, "", false, key) != FG_KEY_OK) {
		t->no_key += count;
		return NULL;
	}
	if (fg_scope_never(t->host, f, &t->shape[i], false)) {
		t->never += count;
		return NULL;
	}
	return t->set[i];
}

static void target_enter(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	uint8_t key[FG_KEY_SIZE_MAX];
	struct fg_ipset *s = key_of(target, flow, key, true);

	(void)member, (void)reason;
	if (s)
		fg_ipset_hold(s, key);
}

static void target_leave(void *target, const struct fg_flow *flow,
			 const struct fg_member *member, enum fg_reason reason)
{
	uint8_t key[FG_KEY_SIZE_MAX];
	struct fg_ipset *s = key_of(target, flow, key, false);

	(void)member, (void)reason;
	if (s)
		fg_ipset_release(s, key);
}

/* One set for both versions is in both places. */
static bool both_same(const struct target *t)
{
	return t->set[0] == t->set[1];
}

static bool target_flush(void *target, int64_t now)
{
	struct target *t = target;
	bool more = false;

	(void)now;
	for (int i = 0; i < 2; i++) {
		if (!t->set[i] || (i && both_same(t)))
			continue;
		fg_ipset_begin(t->set[i]);
		more |= fg_ipset_commit(t->set[i]);
	}
	return more;
}

/* --------------------------------------------------------------- opening */

static void target_close(void *target, bool stopping)
{
	struct target *t = target;

	if (!both_same(t))
		fg_ipset_close(t->set[1], t, stopping);
	fg_ipset_close(t->set[0], t, stopping);
	free(t);
}

static int open_set(struct target *t, unsigned i, const struct fg_node *at)
{
	bool mac = t->o.schema.type == FG_IPSET_MAC;
	struct fg_ipset_options o = t->o;
	int version = i ? 6 : 4, err;

	err = fg_ipset_shape(&t->shape[i], o.schema.type, version, t->field,
			     t->fields);
	if (err)
		return err;
	/* a MAC address is the same in both: one set, its name as it is */
	if (mac && t->set[0]) {
		t->set[1] = t->set[0];
		return 0;
	}
	o.schema.version = mac ? 0 : (uint8_t)version;
	o.schema.shape = t->shape[i];
	if (mac)
		snprintf(o.schema.name, sizeof(o.schema.name), "%s",
			 t->set_name);
	else
		snprintf(o.schema.name, sizeof(o.schema.name), "%s.v%d",
			 t->set_name, version);
	return fg_ipset_open(&t->set[i], t->host, t, &o, at);
}

static int target_open(const struct fg_host *host, const void *self,
		       const char *name, const struct fg_node *cfg,
		       const struct fg_node *globals, void **target)
{
	struct target *t = calloc(1, sizeof(*t));
	int err;

	(void)globals;
	if (!t)
		return -ENOMEM;
	t->self = self;
	t->cfg = cfg;
	t->host = host;
	t->name = name;
	err = read_config(t, cfg);
	for (unsigned i = 0; !err && i < 2; i++)
		if (t->wanted[i])
			err = open_set(t, i, at_key(t, cfg, "set_name"));
	if (err) {
		target_close(t, false);
		return err;
	}
	*target = t;
	return 0;
}

/* Is it of the configuration that is being looked at? */
static bool counts(const void *user)
{
	const struct target *t = user;

	return t->host->target_find(t->host, t->name) == t->self;
}

static int target_configured(void *target)
{
	const struct target *t = target, *other = NULL;
	const char *key;

	for (int i = 0; i < 2 && !other; i++)
		if (t->set[i])
			other = fg_ipset_rival(t->set[i], t, counts, &key);
	if (!other)
		return 0;
	t->host->config->error(t->cfg,
			       "target \"%s\" has the same set as \"%s\", but "
			       "another \"%s\": make that the same, or give "
			       "each a set of its own",
			       t->name, other->name, key);
	return -EINVAL;
}

static void target_status(void *target, struct fg_status *out)
{
	struct target *t = target;
	uint64_t count[FG_IPSET_COUNTS] = {0};

	out->state = "ok";
	out->reason = "";
	if (t->set[0])
		fg_ipset_status(t->set[0], out, count);
	if (t->set[1] && !both_same(t))
		fg_ipset_status(t->set[1], out, count);
	if (!out->more)
		return;
	for (int i = 0; i < FG_IPSET_COUNTS; i++)
		out->more(out->ctx, fg_ipset_count_names[i], count[i]);
	out->more(out->ctx, "left_out_side", t->side);
	out->more(out->ctx, "left_out_other_type", t->other_type);
	out->more(out->ctx, "left_out_key", t->no_key);
	out->more(out->ctx, "left_out_never", t->never);
}

static void target_explain(void *target, const struct fg_flow *flow,
			   void (*line)(void *ctx, const char *text), void *ctx)
{
	uint8_t key[FG_KEY_SIZE_MAX];
	struct fg_ipset *s = key_of(target, flow, key, false);

	if (s)
		fg_ipset_explain(s, key, line, ctx);
	else
		line(ctx, "left out: by \"sides\", \"other_types\" or the "
			  "never list, or the flow has no key for this set");
}

static void target_explain_lingering(void *target, int version,
				     const uint8_t addr[16], uint16_t port,
				     void (*line)(void *ctx, const char *text),
				     void *ctx)
{
	struct target *t = target;

	for (int i = 0; i < 2; i++)
		if (t->set[i] && (i == 0 || !both_same(t)))
			fg_ipset_explain_lingering(t->set[i], version, addr,
						   port, line, ctx);
}

static void target_never_changed(void *target)
{
	struct target *t = target;

	for (int i = 0; i < 2; i++)
		if (t->set[i] && (i == 0 || !both_same(t)))
			fg_ipset_never_changed(t->set[i]);
}

static const struct fg_target_type ipset_type = {
	.size = sizeof(ipset_type),
	.name = "ipset",
	.open = target_open,
	.configured = target_configured,
	.enter = target_enter,
	.leave = target_leave,
	.flush = target_flush,
	.status = target_status,
	.explain = target_explain,
	.explain_lingering = target_explain_lingering,
	.never_changed = target_never_changed,
	.close = target_close,
};

static const struct fg_target_type *const targets[] = {&ipset_type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("ipset", FG_VERSION, "elements of ipsets"),
	.targets = targets,
};
