/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * detail.c - blobs of attributes, interned.
 *
 * A blob is a row of entries in the order of enum fg_attr: attribute (one
 * byte), length (two, low one first), value. Numbers are as short as they can
 * be, low byte first; texts have their escapes taken out; lists are JSON text.
 */
#include "detail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/pages.h"
#include "../base/text.h"
#include "arena.h"

/* A hostile message with every attribute at its largest loses some. */
#define BLOB_MAX 16384
#define ENTRY	 3 /* attribute and length */

struct blob {
	uint32_t chain; /* next of the same bucket */
	uint32_t hash;
	uint32_t refs;
	uint32_t len;
	uint8_t bytes[];
};

struct fg_detail_store {
	struct fg_arena *arena;
	uint32_t *buckets;
	uint32_t mask;
	uint64_t seed;
	uint64_t dropped;
	uint32_t len; /* of work */
	uint8_t work[BLOB_MAX];
};

#define STORE_CORE    0
#define STORE_DETAIL  1
#define STORE_MESSAGE 0
#define DETAIL_BIT(name, store, word)                                          \
	(STORE_##store && FG_ATTR_##name / 64 == (word)                        \
		 ? UINT64_C(1) << FG_ATTR_##name % 64                          \
		 : 0)

static const uint64_t detail_bits[] = {
#define X(name, path, kind, store) DETAIL_BIT(name, store, 0) |
	FG_ATTRIBUTES(X) 0,
#undef X
#define X(name, path, kind, store) DETAIL_BIT(name, store, 1) |
	FG_ATTRIBUTES(X) 0,
#undef X
};
#define WORDS (sizeof(detail_bits) / sizeof(detail_bits[0]))
_Static_assert(WORDS == (FG_ATTR_COUNT + 63) / 64, "a word for all attributes");
_Static_assert(FG_ATTR_COUNT <= 256, "an attribute is one byte in a blob");

static const uint8_t kinds[FG_ATTR_COUNT] = {
#define X(name, path, kind, store) FG_KIND_##kind,
	FG_ATTRIBUTES(X)
#undef X
};

static struct blob *blob_at(const struct fg_detail_store *s, uint32_t detail)
{
	return fg_arena_at(s->arena, detail);
}

int fg_detail_store_new(struct fg_detail_store **out, size_t bytes,
			uint64_t seed)
{
	struct fg_detail_store *s;
	size_t buckets = 64;
	int err = -ENOMEM;

	/* blobs are a few hundred bytes: about one to a bucket */
	while (buckets < bytes / 256 && buckets < UINT32_C(1) << 31)
		buckets *= 2;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->buckets = fg_pages_calloc(buckets, sizeof(*s->buckets));
	if (!s->buckets)
		goto fail;
	err = fg_arena_new(&s->arena, bytes);
	if (err)
		goto fail;
	s->mask = (uint32_t)(buckets - 1);
	s->seed = seed;
	*out = s;
	return 0;
fail:
	free(s->buckets);
	free(s);
	return err;
}

void fg_detail_store_free(struct fg_detail_store *s)
{
	if (!s)
		return;
	fg_arena_free(s->arena);
	free(s->buckets);
	free(s);
}

bool fg_detail_in(const struct fg_message *m)
{
	uint64_t any = 0;

	for (size_t i = 0; i < WORDS; i++)
		any |= m->has[i] & detail_bits[i];
	return any;
}

/* ------------------------------------------------------------- writing */

static size_t entry_len(const uint8_t *entry)
{
	return ENTRY + (size_t)(entry[1] | entry[2] << 8);
}

static size_t put_number(uint8_t *out, uint64_t v)
{
	size_t n = 0;

	for (; v; v >>= 8)
		out[n++] = (uint8_t)v;
	return n;
}

static size_t put_text(struct fg_detail_store *s, struct fg_slice text,
		       uint8_t *out)
{
	size_t len = fg_text_decode(text, (char *)out, FG_DETAIL_TEXT_MAX);

	if (len <= FG_DETAIL_TEXT_MAX)
		return len;
	/* again, to see where the last whole character ended */
	s->dropped++;
	len = FG_DETAIL_TEXT_MAX;
	memset(out + len - 3, 0, 3);
	fg_text_decode(text, (char *)out, len);
	while (len && !out[len - 1])
		len--;
	return len;
}

/* Appends one attribute of m to work. */
static void put_attr(struct fg_detail_store *s, const struct fg_message *m,
		     unsigned attr)
{
	const union fg_value *v = &m->value[attr];
	uint8_t *entry = s->work + s->len, *data = entry + ENTRY;
	size_t len = 0;

	/* no entry is longer, so that need not be asked for each kind */
	if (BLOB_MAX - s->len < ENTRY + FG_DETAIL_TEXT_MAX) {
		s->dropped++;
		return;
	}
	switch (kinds[attr]) {
	case FG_KIND_TEXT:
		len = put_text(s, v->text, data);
		break;
	case FG_KIND_LIST:
		len = v->text.len;
		if (len > FG_DETAIL_TEXT_MAX) {
			s->dropped++;
			return;
		}
		memcpy(data, v->text.ptr, len);
		break;
	case FG_KIND_ADDR:
		len = sizeof(v->addr);
		memcpy(data, v->addr, len);
		break;
	case FG_KIND_MAC:
		len = sizeof(v->mac);
		memcpy(data, v->mac, len);
		break;
	case FG_KIND_REAL:
		len = sizeof(v->r);
		memcpy(data, &v->r, len);
		break;
	default:
		len = put_number(data, v->u);
	}
	entry[0] = (uint8_t)attr;
	entry[1] = (uint8_t)len;
	entry[2] = (uint8_t)(len >> 8);
	s->len += (uint32_t)(ENTRY + len);
}

static void put_entry(struct fg_detail_store *s, const uint8_t *entry)
{
	size_t len = entry_len(entry);

	if (BLOB_MAX - s->len < len) {
		s->dropped++;
		return;
	}
	memcpy(s->work + s->len, entry, len);
	s->len += (uint32_t)len;
}

/* Entries of old and of m into work, those of m instead of the same of old. */
static void compose(struct fg_detail_store *s, uint32_t old,
		    const struct fg_message *m)
{
	const struct blob *b = old ? blob_at(s, old) : NULL;
	const uint8_t *p = b ? b->bytes : NULL, *end = b ? p + b->len : NULL;

	s->len = 0;
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t bits = m->has[i] & detail_bits[i];

		for (; bits; bits &= bits - 1) {
			unsigned attr =
				i * 64 + (unsigned)__builtin_ctzll(bits);

			for (; p < end && *p < attr; p += entry_len(p))
				put_entry(s, p);
			if (p < end && *p == attr)
				p += entry_len(p);
			put_attr(s, m, attr);
		}
	}
	for (; p < end; p += entry_len(p))
		put_entry(s, p);
}

/* The blob that is what work is, made if need be; 0: no room. */
static uint32_t intern(struct fg_detail_store *s)
{
	uint32_t hash = (uint32_t)fg_hash(s->work, s->len, s->seed);
	uint32_t *bucket = &s->buckets[hash & s->mask];
	struct blob *b;
	uint32_t at;

	for (at = *bucket; at; at = b->chain) {
		b = blob_at(s, at);
		if (b->hash == hash && b->len == s->len &&
		    memcmp(b->bytes, s->work, s->len) == 0) {
			b->refs++;
			return at;
		}
	}
	at = fg_arena_take(s->arena, sizeof(*b) + s->len);
	if (!at)
		return 0;
	b = blob_at(s, at);
	b->chain = *bucket;
	b->hash = hash;
	b->refs = 1;
	b->len = s->len;
	memcpy(b->bytes, s->work, s->len);
	*bucket = at;
	return at;
}

uint32_t fg_detail_update(struct fg_detail_store *s, uint32_t old,
			  const struct fg_message *m)
{
	uint32_t detail;

	if (!fg_detail_in(m))
		return old;
	compose(s, old, m);
	if (s->len == 0)
		return old;
	detail = intern(s);
	if (!detail) {
		s->dropped++;
		return old;
	}
	fg_detail_release(s, old);
	return detail;
}

void fg_detail_release(struct fg_detail_store *s, uint32_t detail)
{
	struct blob *b;
	uint32_t *link;

	if (!detail)
		return;
	b = blob_at(s, detail);
	if (--b->refs)
		return;
	link = &s->buckets[b->hash & s->mask];
	while (*link != detail)
		link = &blob_at(s, *link)->chain;
	*link = b->chain;
	fg_arena_give(s->arena, detail);
}

/* ------------------------------------------------------------- reading */

bool fg_detail_get(const struct fg_detail_store *s, uint32_t detail,
		   enum fg_attr attr, union fg_value *out)
{
	const struct blob *b;
	const uint8_t *p, *end;
	size_t len;

	if (!detail || (unsigned)attr >= FG_ATTR_COUNT)
		return false;
	b = blob_at(s, detail);
	for (p = b->bytes, end = p + b->len; p < end && *p < attr;)
		p += entry_len(p);
	if (p >= end || *p != attr)
		return false;
	len = entry_len(p) - ENTRY;
	p += ENTRY;
	switch (kinds[attr]) {
	case FG_KIND_TEXT:
	case FG_KIND_LIST:
		out->text = fg_slice((const char *)p, len);
		break;
	case FG_KIND_ADDR:
		memcpy(out->addr, p, sizeof(out->addr));
		break;
	case FG_KIND_MAC:
		memcpy(out->mac, p, sizeof(out->mac));
		break;
	case FG_KIND_REAL:
		memcpy(&out->r, p, sizeof(out->r));
		break;
	default:
		out->u = 0;
		while (len--)
			out->u = out->u << 8 | p[len];
	}
	return true;
}

void fg_detail_counts(const struct fg_detail_store *s, uint64_t *used,
		      uint64_t *dropped)
{
	*used = fg_arena_used(s->arena);
	*dropped = s->dropped;
}
