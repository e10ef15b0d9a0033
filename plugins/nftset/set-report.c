/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set-report.c - what is said of a set. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dry.h"
#include "element.h"
#include "hub.h"
#include "sentence.h"
#include "set-private.h"

/* a transaction takes milliseconds, unless another writer holds it up */
#define SLOW_MS 1000
/* elements that one explain tells of: a page, and some 200 us */
#define LINGERING_MAX 20

const char *const fg_set_count_names[FG_SET_COUNTS] = {
	[FG_SET_LEASES] = "leases",
	[FG_SET_LINGERING] = "lingering",
	[FG_SET_WAITING] = "waiting",
	[FG_SET_REFUSED] = "refused",
	[FG_SET_NO_ROOM] = "no_room",
	[FG_SET_EVICTED] = "set_evicted",
	[FG_SET_TRANSACTIONS] = "transactions",
	[FG_SET_ABORTED] = "aborted",
	[FG_SET_TAKEN] = "taken",
};

/* The word for what is wrong, and its sentence; "ok" when nothing is. */
static const char *state_of(const struct fg_set *s,
			    const struct fg_lease_counts *c,
			    char why[FG_SCHEMA_WHY])
{
	static const char *const words[] = {
		[MISSING] = "missing", [UNFIT] = "unfit", [DENIED] = "denied"};
	const char *family = fg_family_name(s->o.schema.family);

	if (s->state != FIT) {
		snprintf(why, FG_SCHEMA_WHY, "%s", s->why);
		return words[s->state];
	}
	if (s->rebuilding && c->pending) {
		snprintf(why, FG_SCHEMA_WHY,
			 "set \"%s %s %s\" was lost; still to be put back: "
			 "%u element%s",
			 family, s->table, s->name, c->pending,
			 FG_S(c->pending));
		return "rebuilding";
	}
	if (s->doubt) {
		snprintf(why, FG_SCHEMA_WHY,
			 "others changed nftables faster than could be "
			 "followed: all elements of set \"%s %s %s\" are "
			 "about to be sent again, lest some are gone",
			 family, s->table, s->name);
		return "checking";
	}
	if (s->restoring && c->pending) {
		snprintf(why, FG_SCHEMA_WHY,
			 "others took elements out of set \"%s %s %s\": %u "
			 "are still to be put back",
			 family, s->table, s->name, c->pending);
		return "rebuilding";
	}
	if (c->waiting) {
		snprintf(why, FG_SCHEMA_WHY,
			 "set \"%s %s %s\" is full, without room for %u "
			 "element%s: raise its \"size\" (%u)",
			 family, s->table, s->name, c->waiting,
			 FG_S(c->waiting), s->found.size);
		return "full";
	}
	if (c->refused) {
		snprintf(why, FG_SCHEMA_WHY,
			 "set \"%s %s %s\" refuses %u element%s; the log "
			 "says why",
			 family, s->table, s->name, c->refused,
			 FG_S(c->refused));
		return "refused";
	}
	if (s->flight && fg_set_now(s) - s->sent > SLOW_MS) {
		snprintf(why, FG_SCHEMA_WHY,
			 "set \"%s %s %s\": the kernel is busy with a "
			 "transaction since %lld s, with %u change%s waiting",
			 family, s->table, s->name,
			 (long long)(fg_set_now(s) - s->sent) / 1000,
			 c->pending, FG_S(c->pending));
		return "delayed";
	}
	if (s->later) {
		snprintf(why, FG_SCHEMA_WHY,
			 "set \"%s %s %s\": the kernel is short of memory",
			 family, s->table, s->name);
		return "delayed";
	}
	return "ok";
}

void fg_set_status(const struct fg_set *s, struct fg_status *out,
		   uint64_t count[FG_SET_COUNTS], char why[FG_SCHEMA_WHY])
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
	count[FG_SET_LEASES] += c.leases;
	count[FG_SET_LINGERING] += c.lingering;
	count[FG_SET_WAITING] += c.waiting;
	count[FG_SET_REFUSED] += c.refused;
	count[FG_SET_NO_ROOM] += s->no_room;
	count[FG_SET_EVICTED] += s->evicted;
	count[FG_SET_TRANSACTIONS] += s->transactions;
	count[FG_SET_ABORTED] += s->aborted;
	count[FG_SET_TAKEN] += s->taken;
	/* the first of two sets that has something to say, says it */
	if (!strcmp(out->state, "ok")) {
		out->state = state_of(s, &c, why);
		out->reason = strcmp(out->state, "ok") ? why : "";
	}
}

static const char *linger_left(const struct fg_set *s,
			       const struct fg_lease_view *v,
			       char text[FG_DURATION_TEXT])
{
	int64_t left = v->lingers_until - fg_set_now(s);

	return fg_duration_format(left > 0 ? left / 1000 * 1000 : 0, text);
}

void fg_set_explain(struct fg_set *s, const uint8_t *key,
		    void (*line)(void *ctx, const char *text), void *ctx)
{
	char element[FG_KEY_TEXT], time[FG_DURATION_TEXT], data[FG_DATA_TEXT];
	char text[FG_SCHEMA_WHY + FG_KEY_TEXT];
	struct fg_lease_view v = {0};
	struct fg_element e = {0};
	bool held = fg_leases_get(s->leases, key, &v);
	int err = -ENOENT;

	if (!s->dry)
		err = fg_element_get(fg_hub_query(s->hub), &s->o.schema, key,
				     &e);
	snprintf(text, sizeof(text), "%s %s %s { %s }: %s",
		 fg_family_name(s->o.schema.family), s->table, s->name,
		 fg_key_format(&s->o.schema.shape, key, element),
		 err == -ENOENT ? "not in the kernel"
		 : err		? fg_sentence(-err)
				: "in the kernel");
	line(ctx, text);
	if (!err && e.timeout_ms) {
		snprintf(text, sizeof(text), "  expires in %s%s",
			 fg_duration_format(e.left_ms / 1000 * 1000, time),
			 v.lingering ? "" : ", unless renewed");
		line(ctx, text);
	}
	if (!err && s->o.schema.map != FG_MAP_NONE) {
		snprintf(text, sizeof(text), "  leads to %s %s",
			 fg_map_name(s->o.schema.map),
			 fg_data_format(s->o.schema.map, e.data, data));
		line(ctx, text);
	}
	if (!err && e.counted) {
		snprintf(text, sizeof(text),
			 "  matched %llu packet%s, %llu bytes",
			 (unsigned long long)e.packets, FG_S(e.packets),
			 (unsigned long long)e.bytes);
		line(ctx, text);
	}
	if (held) {
		snprintf(text, sizeof(text), "  holders: %llu%s%s%s%s",
			 (unsigned long long)v.holders,
			 v.lingering ? ", lingers for " : "",
			 v.lingering ? linger_left(s, &v, time) : "",
			 v.waiting ? ", waiting for room in the set" : "",
			 v.refused ? ", refused by the kernel" : "");
		line(ctx, text);
	}
}

void fg_set_explain_lingering(struct fg_set *s, int version,
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
			fg_set_explain(s, v.key, line, ctx);
	}
	if (n > LINGERING_MAX) {
		snprintf(text, sizeof(text), "and %u more", n - LINGERING_MAX);
		line(ctx, text);
	}
}
