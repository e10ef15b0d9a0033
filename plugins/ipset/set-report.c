/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set-report.c - what is said of a set. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/netfilter/ipset/ip_set_hash.h>

#include "base/text.h"
#include "set-private.h"

/* elements that one explain tells of: a page */
#define LINGERING_MAX 20

static const char *const state_names[] = {"ok", "missing", "unfit", "denied"};

/* What the kernel means, and what to do. */
const char *fg_ipset_sentence(int error)
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
	struct fg_lease_view v = {0};
	bool held = fg_leases_get(s->leases, key, &v);
	int there;

	fg_ipset_format(&s->o.schema, key, element);
	if (s->dry || s->flight) {
		snprintf(text, sizeof(text), "ipset %s %s: not asked for now",
			 s->o.schema.name, element);
		line(ctx, text);
		return;
	}
	there = fg_ipset_has(s, key);
	if (held && v.lingering && v.lingers_until > fg_ipset_now(s))
		snprintf(lingers, sizeof(lingers), ", lingers for %llds",
			 (long long)(v.lingers_until - fg_ipset_now(s)) / 1000);
	snprintf(text, sizeof(text), "ipset %s %s: %s, held by %llu flow%s%s",
		 s->o.schema.name, element,
		 there == 1   ? "in the set"
		 : there == 0 ? "not in the set"
			      : fg_ipset_sentence(-there),
		 (unsigned long long)v.holders, FG_S(v.holders), lingers);
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
