/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addrset.c - a set of prefixes and MAC addresses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addrset.h"

struct prefix {
	uint8_t addr[16];
	uint8_t len;
};

/* From first to last, both included, in network order. */
struct range {
	uint8_t first[16];
	uint8_t last[16];
};

struct mac {
	uint8_t bytes[6];
};

/* All of one IP version: as written, and as disjoint ranges in order. */
struct family {
	struct prefix *prefixes;
	struct range *ranges;
	size_t count, size, range_count;
};

struct fg_addrset {
	struct family family[2];
	struct mac *macs;
	size_t mac_count, mac_size;
};

static struct family *family_of(const struct fg_addrset *s, int version)
{
	return (struct family *)&s->family[version == 6];
}

int fg_addrset_new(struct fg_addrset **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void fg_addrset_free(struct fg_addrset *s)
{
	if (!s)
		return;
	for (int i = 0; i < 2; i++) {
		free(s->family[i].prefixes);
		free(s->family[i].ranges);
	}
	free(s->macs);
	free(s);
}

static int grow(void **array, size_t *size, size_t item)
{
	size_t more = *size ? *size * 2 : 8;
	void *p = reallocarray(*array, more, item);

	if (!p)
		return -ENOMEM;
	*array = p;
	*size = more;
	return 0;
}

int fg_addrset_add(struct fg_addrset *s, int version, const uint8_t addr[16],
		   uint8_t prefix)
{
	struct family *f = family_of(s, version);
	struct prefix *p;

	if (f->count == f->size) {
		int err = grow((void **)&f->prefixes, &f->size, sizeof(*p));

		if (err)
			return err;
	}
	p = &f->prefixes[f->count++];
	memcpy(p->addr, addr, 16);
	p->len = prefix;
	return 0;
}

int fg_addrset_add_mac(struct fg_addrset *s, const uint8_t mac[6])
{
	if (s->mac_count == s->mac_size) {
		int err =
			grow((void **)&s->macs, &s->mac_size, sizeof(*s->macs));

		if (err)
			return err;
	}
	memcpy(s->macs[s->mac_count++].bytes, mac, 6);
	return 0;
}

int fg_addrset_add_text(struct fg_addrset *s, struct fg_slice text)
{
	uint8_t addr[16], prefix;
	int version;

	if (fg_mac_parse(text.ptr, text.len, addr))
		return fg_addrset_add_mac(s, addr);
	version = fg_prefix_parse(text.ptr, text.len, addr, &prefix);
	if (!version)
		return -EINVAL;
	return fg_addrset_add(s, version, addr, prefix);
}

int fg_addrset_add_set(struct fg_addrset *s, const struct fg_addrset *other)
{
	int err = 0;

	for (int i = 0; i < 2; i++) {
		const struct family *f = &other->family[i];

		for (size_t n = 0; n < f->count && !err; n++)
			err = fg_addrset_add(s, i ? 6 : 4, f->prefixes[n].addr,
					     f->prefixes[n].len);
	}
	for (size_t n = 0; n < other->mac_count && !err; n++)
		err = fg_addrset_add_mac(s, other->macs[n].bytes);
	return err;
}

/* ---------------------------------------------------------------- sealing */

static int compare_ranges(const void *a, const void *b)
{
	return memcmp(((const struct range *)a)->first,
		      ((const struct range *)b)->first, 16);
}

static int compare_macs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

static struct range range_of(const struct prefix *p, unsigned bits)
{
	struct range r;

	memcpy(r.first, p->addr, 16);
	memcpy(r.last, p->addr, 16);
	for (unsigned bit = p->len; bit < bits; bit++) {
		r.first[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		r.last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	return r;
}

static int seal_family(struct family *f, unsigned bits)
{
	size_t kept = 0;

	if (f->count == 0)
		return 0;
	f->ranges = calloc(f->count, sizeof(*f->ranges));
	if (!f->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < f->count; i++)
		f->ranges[i] = range_of(&f->prefixes[i], bits);
	qsort(f->ranges, f->count, sizeof(*f->ranges), compare_ranges);
	/* one that begins within the one before is merged into it */
	for (size_t i = 1; i < f->count; i++) {
		struct range *last = &f->ranges[kept], *r = &f->ranges[i];

		if (memcmp(r->first, last->last, 16) > 0)
			f->ranges[++kept] = *r;
		else if (memcmp(r->last, last->last, 16) > 0)
			memcpy(last->last, r->last, 16);
	}
	f->range_count = kept + 1;
	return 0;
}

int fg_addrset_seal(struct fg_addrset *s)
{
	int err = seal_family(&s->family[0], 32);

	if (!err)
		err = seal_family(&s->family[1], 128);
	if (s->mac_count > 0)
		qsort(s->macs, s->mac_count, sizeof(*s->macs), compare_macs);
	return err;
}

/* -------------------------------------------------------------- questions */

bool fg_addrset_empty(const struct fg_addrset *s)
{
	return s->family[0].count == 0 && s->family[1].count == 0 &&
	       s->mac_count == 0;
}

bool fg_addrset_has(const struct fg_addrset *s, int version,
		    const uint8_t addr[16])
{
	const struct family *f = family_of(s, version);
	size_t low = 0, high = f->range_count;

	/* the last range that begins at or before addr */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(f->ranges[middle].first, addr, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && memcmp(addr, f->ranges[low - 1].last, 16) <= 0;
}

bool fg_addrset_has_mac(const struct fg_addrset *s, const uint8_t mac[6])
{
	return s->mac_count > 0 && bsearch(mac, s->macs, s->mac_count,
					   sizeof(*s->macs), compare_macs);
}

const char *fg_addrset_entry(const struct fg_addrset *s, int version,
			     const uint8_t addr[16], char text[FG_PREFIX_TEXT])
{
	const struct family *f = family_of(s, version);
	char bare[FG_ADDR_TEXT];

	for (size_t i = 0; i < f->count; i++) {
		const struct prefix *p = &f->prefixes[i];

		if (!fg_prefix_match(p->addr, addr, p->len))
			continue;
		fg_addr_format(version, p->addr, bare);
		if (p->len == (version == 6 ? 128 : 32))
			snprintf(text, FG_PREFIX_TEXT, "%s", bare);
		else
			snprintf(text, FG_PREFIX_TEXT, "%s/%u", bare, p->len);
		return text;
	}
	return NULL;
}
