/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.c - the flow table: slots, the hash over them, and who is quietest. */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/pages.h"
#include "../base/text.h"
#include "detail.h"
#include "fields.h"
#include "interface.h"

/*
 * What the table keeps with a flow stands in front of it: the walk along a
 * hash chain then reads hash, digest and chain from one or two cache lines.
 */
struct slot {
	uint32_t hash;
	uint32_t chain; /* next slot of the bucket, 0: none */
	uint32_t older; /* ring of its list; ends at the list's head */
	uint32_t younger;
	uint32_t touched; /* seconds */
	uint32_t verdict;
	uint32_t detail;
	uint16_t epoch;
	bool live;
	struct fg_flow flow;
};

_Static_assert(sizeof(struct slot) == 184, "a million flows count each byte");

/* The first slots are no flows but the heads of the two lists. */
enum { LIST_IDLE, LIST_MEMBERS, LISTS };

#define HOSTS 4096 /* 16 KiB; two hosts seldom share a count */

struct fg_flow_table {
	struct slot *slots;
	uint32_t *buckets;
	uint32_t mask;
	uint32_t end;	 /* slots below were used once */
	uint32_t limit;	 /* slots there are */
	uint32_t vacant; /* chain of those given back */
	uint32_t live;
	uint32_t peak;
	uint32_t now; /* seconds, of the last touch */
	uint64_t seed;
	struct fg_detail_store *details;
	struct fg_interfaces *interfaces;
	uint32_t hand; /* where victim() looks on */
	uint32_t heaviest;
	uint32_t hosts[HOSTS]; /* members of nothing, by client; see victim() */
};

static struct slot *slot_of(const struct fg_flow *flow)
{
	return (struct slot *)((char *)(uintptr_t)flow -
			       offsetof(struct slot, flow));
}

static uint32_t index_of(const struct fg_flow_table *t, const struct slot *s)
{
	return (uint32_t)(s - t->slots);
}

int fg_flow_table_new(struct fg_flow_table **out,
		      const struct fg_flow_limits *limits)
{
	uint64_t max = limits->max_flows, detail = limits->detail_bytes;
	uint16_t interfaces = limits->max_interfaces;
	uint64_t buckets = 1;
	struct fg_flow_table *t;
	int err = -ENOMEM;

	if (max == 0 || max > INT32_MAX)
		return -EINVAL;
	if (!detail)
		detail = max < 256 ? 65536 : max * 256;
	if (detail > SIZE_MAX || max > SIZE_MAX / sizeof(struct slot) - LISTS)
		return -EINVAL;
	while (buckets < max)
		buckets *= 2;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->slots = fg_pages_calloc(max + LISTS, sizeof(*t->slots));
	t->buckets = fg_pages_calloc(buckets, sizeof(*t->buckets));
	if (!t->slots || !t->buckets)
		goto fail;
	err = fg_detail_store_new(&t->details, detail, limits->seed);
	if (err)
		goto fail;
	err = fg_interfaces_new(&t->interfaces, interfaces ? interfaces : 1024,
				limits->seed);
	if (err)
		goto fail;
	t->mask = (uint32_t)(buckets - 1);
	t->limit = (uint32_t)max + LISTS;
	t->end = LISTS;
	t->seed = limits->seed;
	for (uint32_t i = 0; i < LISTS; i++)
		t->slots[i].older = t->slots[i].younger = i;
	*out = t;
	return 0;
fail:
	fg_flow_table_free(t);
	return err;
}

void fg_flow_table_free(struct fg_flow_table *t)
{
	if (!t)
		return;
	fg_interfaces_free(t->interfaces);
	fg_detail_store_free(t->details);
	free(t->buckets);
	free(t->slots);
	free(t);
}

/* ---------------------------------------------------------------- hash */

static uint32_t hash_of(const struct fg_flow_table *t, uint16_t source,
			const uint8_t digest[FG_DIGEST_SIZE])
{
	return (uint32_t)fg_hash(digest, FG_DIGEST_SIZE, t->seed + source);
}

static struct slot *lookup(const struct fg_flow_table *t, uint32_t hash,
			   uint16_t source,
			   const uint8_t digest[FG_DIGEST_SIZE])
{
	uint32_t at;

	for (at = t->buckets[hash & t->mask]; at; at = t->slots[at].chain) {
		struct slot *s = &t->slots[at];

		if (s->hash == hash && s->flow.source == source &&
		    memcmp(s->flow.digest, digest, FG_DIGEST_SIZE) == 0)
			return s;
	}
	return NULL;
}

static void chain_insert(struct fg_flow_table *t, struct slot *s)
{
	uint32_t *bucket;

	s->hash = hash_of(t, s->flow.source, s->flow.digest);
	bucket = &t->buckets[s->hash & t->mask];
	s->chain = *bucket;
	*bucket = index_of(t, s);
}

static void chain_remove(struct fg_flow_table *t, const struct slot *s)
{
	uint32_t *link = &t->buckets[s->hash & t->mask];

	while (*link != index_of(t, s))
		link = &t->slots[*link].chain;
	*link = s->chain;
}

struct fg_flow *fg_flow_find(struct fg_flow_table *t, uint16_t source,
			     const uint8_t digest[FG_DIGEST_SIZE])
{
	struct slot *s = lookup(t, hash_of(t, source, digest), source, digest);

	return s ? &s->flow : NULL;
}

int fg_flow_rename(struct fg_flow_table *t, struct fg_flow *flow,
		   const uint8_t digest[FG_DIGEST_SIZE])
{
	struct slot *s = slot_of(flow), *other;

	other = lookup(t, hash_of(t, flow->source, digest), flow->source,
		       digest);
	if (other)
		return other == s ? 0 : -EEXIST;
	chain_remove(t, s);
	memcpy(flow->digest, digest, FG_DIGEST_SIZE);
	chain_insert(t, s);
	return 0;
}

/* --------------------------------------------------------------- lists */

static uint32_t list_of(const struct slot *s)
{
	return s->verdict ? LIST_MEMBERS : LIST_IDLE;
}

static void list_remove(struct fg_flow_table *t, const struct slot *s)
{
	t->slots[s->older].younger = s->younger;
	t->slots[s->younger].older = s->older;
}

static void list_insert(struct fg_flow_table *t, struct slot *s)
{
	uint32_t head = list_of(s), at = index_of(t, s);
	uint32_t older = t->slots[head].older;

	/*
	 * To the young end, or some way from it: a reload or the edge of a
	 * schedule moves flows that were quiet for long. The list is in order
	 * but for those that would take more than 16 steps.
	 */
	for (int i = 0;
	     i < 16 && older >= LISTS && t->slots[older].touched > s->touched;
	     i++)
		older = t->slots[older].older;
	s->older = older;
	s->younger = t->slots[older].younger;
	t->slots[s->older].younger = at;
	t->slots[s->younger].older = at;
}

static struct slot *list_oldest(const struct fg_flow_table *t, uint32_t list)
{
	uint32_t at = t->slots[list].younger;

	return at < LISTS ? NULL : &t->slots[at];
}

void fg_flow_touch(struct fg_flow_table *t, struct fg_flow *flow,
		   uint16_t epoch, int64_t now)
{
	struct slot *s = slot_of(flow);

	t->now = (uint32_t)(now / 1000);
	s->touched = t->now;
	s->epoch = epoch;
	if (s->younger == list_of(s))
		return;
	list_remove(t, s);
	list_insert(t, s);
}

uint16_t fg_flow_epoch(const struct fg_flow_table *t,
		       const struct fg_flow *flow)
{
	(void)t;
	return slot_of(flow)->epoch;
}

int64_t fg_flow_touched(const struct fg_flow_table *t,
			const struct fg_flow *flow)
{
	(void)t;
	return (int64_t)slot_of(flow)->touched * 1000;
}

struct fg_flow *fg_flow_quietest(struct fg_flow_table *t)
{
	struct slot *idle = list_oldest(t, LIST_IDLE);
	struct slot *member = list_oldest(t, LIST_MEMBERS);

	if (!idle || (member && member->touched < idle->touched))
		idle = member;
	return idle ? &idle->flow : NULL;
}

/* -------------------------------------------------------------- victim */

/*
 * The client of a flow as a small number: its address, or for IPv6, where one
 * host has a whole /64 to choose from, its MAC, or that /64.
 */
static uint32_t host_of(const struct fg_flow_table *t, const struct fg_flow *f)
{
	bool local = f->flags & FG_FLOW_LOCAL_ORIGIN;
	const uint8_t *key = local ? f->local_addr : f->other_addr;
	size_t len = 4;

	if (!f->ip_version)
		return 0;
	if (f->ip_version == 6) {
		len = 8;
		if (local && f->flags & FG_FLOW_HAS_LOCAL_MAC) {
			key = f->local_mac;
			len = 6;
		}
	}
	return (uint32_t)fg_hash(key, len, t->seed) % HOSTS;
}

/* Flows that are members of something can't be victims: not counted. */
static void host_add(struct fg_flow_table *t, const struct slot *s)
{
	uint32_t host;

	if (s->verdict)
		return;
	host = host_of(t, &s->flow);
	if (++t->hosts[host] > t->hosts[t->heaviest])
		t->heaviest = host;
}

static void host_drop(struct fg_flow_table *t, const struct slot *s)
{
	if (!s->verdict)
		t->hosts[host_of(t, &s->flow)]--;
}

/* Its key is no longer what it was. */
static void host_move(struct fg_flow_table *t, const struct slot *s,
		      const struct fg_flow *was)
{
	if (s->verdict)
		return;
	t->hosts[host_of(t, was)]--;
	host_add(t, s);
}

/*
 * One client that opens flow after flow may only push out its own: when one
 * has a sixteenth of the table or more, the quietest of some of its flows goes.
 * They are looked for from where the last look ended: with that share, 128
 * steps find none in one of 4,000 cases.
 */
static struct slot *heaviest_victim(struct fg_flow_table *t)
{
	struct slot *victim = NULL;
	int found = 0;

	if (t->hosts[t->heaviest] < t->limit / 16 || t->hosts[t->heaviest] < 8)
		return NULL;
	for (int i = 0; i < 128 && found < 8; i++) {
		struct slot *s;

		if (t->hand < LISTS || t->hand >= t->end)
			t->hand = LISTS;
		s = &t->slots[t->hand++];
		if (!s->live || s->verdict ||
		    host_of(t, &s->flow) != t->heaviest)
			continue;
		found++;
		if (!victim || s->touched < victim->touched)
			victim = s;
	}
	return victim;
}

struct fg_flow *fg_flow_victim(struct fg_flow_table *t)
{
	struct slot *s = heaviest_victim(t);

	if (!s)
		s = list_oldest(t, LIST_IDLE);
	return s ? &s->flow : NULL;
}

/* --------------------------------------------------------------- flows */

struct fg_flow *fg_flow_insert(struct fg_flow_table *t, uint16_t source,
			       const uint8_t digest[FG_DIGEST_SIZE])
{
	struct slot *s;

	if (t->vacant) {
		s = &t->slots[t->vacant];
		t->vacant = s->chain;
	} else if (t->end < t->limit) {
		s = &t->slots[t->end++];
	} else {
		return NULL;
	}
	*s = (struct slot){.live = true, .touched = t->now};
	s->flow.source = source;
	memcpy(s->flow.digest, digest, FG_DIGEST_SIZE);
	chain_insert(t, s);
	list_insert(t, s);
	host_add(t, s);
	if (++t->live > t->peak)
		t->peak = t->live;
	return &s->flow;
}

void fg_flow_remove(struct fg_flow_table *t, struct fg_flow *flow)
{
	struct slot *s = slot_of(flow);

	host_drop(t, s);
	chain_remove(t, s);
	list_remove(t, s);
	fg_detail_release(t->details, s->detail);
	s->detail = 0;
	s->live = false;
	s->chain = t->vacant;
	t->vacant = index_of(t, s);
	t->live--;
}

uint32_t fg_flow_verdict(const struct fg_flow_table *t,
			 const struct fg_flow *flow)
{
	(void)t;
	return slot_of(flow)->verdict;
}

void fg_flow_set_verdict(struct fg_flow_table *t, struct fg_flow *flow,
			 uint32_t verdict)
{
	struct slot *s = slot_of(flow);
	bool moves = !s->verdict != !verdict;

	if (moves) {
		host_drop(t, s);
		list_remove(t, s);
	}
	s->verdict = verdict;
	if (moves) {
		list_insert(t, s);
		host_add(t, s);
	}
}

struct fg_flow *fg_flow_next(struct fg_flow_table *t, uint32_t *cursor)
{
	uint32_t at = *cursor < LISTS ? LISTS : *cursor;

	for (; at < t->end; at++) {
		if (t->slots[at].live) {
			*cursor = at + 1;
			return &t->slots[at].flow;
		}
	}
	*cursor = at;
	return NULL;
}

/* ------------------------------------------------------------ messages */

/* What only an announcement says again, and so ends with another one. */
static void begin_anew(struct fg_flow *f)
{
	f->flags &= (uint16_t) ~(FG_CLASS_FLAGS | FG_FLOW_ESTABLISHED);
	f->application = f->protocol = 0;
	f->cat_application = f->cat_protocol = 0;
	f->cat_domain = f->cat_network = 0;
}

uint32_t fg_flow_update(struct fg_flow_table *t, struct fg_flow *flow,
			const struct fg_message *m, struct fg_flow *was)
{
	struct slot *s = slot_of(flow);
	uint32_t changed, before = s->detail;
	struct fg_flow copy;

	if (!was)
		was = &copy;
	*was = *flow;
	if (m->type == FG_MESSAGE_FLOW)
		begin_anew(flow);
	if (fg_message_has(m, FG_ATTR_INTERFACE))
		flow->interface = fg_interfaces_id(
			t->interfaces, m->value[FG_ATTR_INTERFACE].text);
	fg_fields_apply(flow, m);
	changed = fg_fields_compare(was, flow);
	if (changed & FG_CHANGED_KEY)
		host_move(t, s, was);
	/* an announcement's detail is all there is, others add to it */
	if (m->type == FG_MESSAGE_FLOW) {
		s->detail = fg_detail_update(t->details, 0, m);
		fg_detail_release(t->details, before);
	} else {
		s->detail = fg_detail_update(t->details, before, m);
	}
	if (s->detail != before)
		changed |= FG_CHANGED_DETAIL;
	return changed;
}

/* Of a copy (what a flow was before a message), the flow's own. */
static uint32_t detail_of(const struct fg_flow_table *t,
			  const struct fg_flow *flow)
{
	uintptr_t at = (uintptr_t)flow, first = (uintptr_t)t->slots;
	const struct slot *s;

	if (at - first < (uintptr_t)t->limit * sizeof(*s))
		return slot_of(flow)->detail;
	s = lookup(t, hash_of(t, flow->source, flow->digest), flow->source,
		   flow->digest);
	return s ? s->detail : 0;
}

bool fg_flow_get(const struct fg_flow_table *t, const struct fg_flow *flow,
		 enum fg_attr attr, union fg_value *out)
{
	const char *name;

	if (attr == FG_ATTR_INTERFACE) {
		name = fg_interfaces_name(t->interfaces, flow->interface);
		out->text = fg_slice(name, strlen(name));
		return flow->interface;
	}
	return fg_fields_get(flow, attr, out) ||
	       fg_detail_get(t->details, detail_of(t, flow), attr, out);
}

/* ---------------------------------------------------------- interfaces */

uint16_t fg_flow_interface(struct fg_flow_table *t, struct fg_slice name)
{
	return fg_interfaces_id(t->interfaces, name);
}

const char *fg_flow_interface_name(const struct fg_flow_table *t, uint16_t id)
{
	return fg_interfaces_name(t->interfaces, id);
}

void fg_flow_set_role(struct fg_flow_table *t, uint16_t interface, char role)
{
	fg_interfaces_set_role(t->interfaces, interface, role);
}

char fg_flow_role(const struct fg_flow_table *t, uint16_t interface)
{
	return fg_interfaces_role(t->interfaces, interface);
}

void fg_flow_counts(const struct fg_flow_table *t, struct fg_flow_counts *out)
{
	out->live = t->live;
	out->peak = t->peak;
	fg_detail_counts(t->details, &out->detail_used, &out->detail_dropped);
}

size_t fg_flow_size(void)
{
	/* and its part of the buckets */
	return sizeof(struct slot) + sizeof(uint32_t);
}
