/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena.c - a two-level segregated fit allocator that counts in units. */
#include "arena.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/pages.h"

/* 16: the smallest block then has room for its header and two links. */
#define UNIT	 16u
#define NOTHING	 0u /* unit 0 is not used */
#define FREE	 0x80000000u
#define EXACT	 32u /* sizes below have a bin each, above four a doubling */
#define BINS	 (EXACT + 4 * 26)
#define MAX_SIZE (FREE - 4)

struct block {
	uint32_t size;	 /* in units, FREE or not */
	uint32_t before; /* size of the block in front, 0: none */
	/* only while free; a taken block's memory begins here */
	uint32_t next;
	uint32_t prev;
};

_Static_assert(sizeof(struct block) == UNIT, "a free block is one unit");

struct fg_arena {
	char *units;
	size_t used;
	uint64_t filled[(BINS + 63) / 64]; /* bins that are not empty */
	uint32_t bins[BINS];
};

static struct block *block_at(const struct fg_arena *a, uint32_t at)
{
	return (struct block *)(a->units + (size_t)at * UNIT);
}

static unsigned bin_of(uint32_t size)
{
	unsigned top;

	if (size < EXACT)
		return size;
	top = 31 - (unsigned)__builtin_clz(size);
	return EXACT + (top - 5) * 4 + (size >> (top - 2) & 3);
}

static void bin_insert(struct fg_arena *a, uint32_t at, uint32_t size)
{
	struct block *b = block_at(a, at);
	unsigned bin = bin_of(size);

	b->size = size | FREE;
	b->prev = NOTHING;
	b->next = a->bins[bin];
	if (b->next)
		block_at(a, b->next)->prev = at;
	a->bins[bin] = at;
	a->filled[bin / 64] |= UINT64_C(1) << bin % 64;
}

static void bin_remove(struct fg_arena *a, uint32_t at)
{
	struct block *b = block_at(a, at);
	unsigned bin = bin_of(b->size & ~FREE);

	if (b->next)
		block_at(a, b->next)->prev = b->prev;
	if (b->prev)
		block_at(a, b->prev)->next = b->next;
	else
		a->bins[bin] = b->next;
	if (!a->bins[bin])
		a->filled[bin / 64] &= ~(UINT64_C(1) << bin % 64);
	b->size &= ~FREE;
}

/* The smallest free block of a bin in which every block is large enough. */
static uint32_t bin_find(const struct fg_arena *a, uint32_t size)
{
	unsigned bin, word;
	uint64_t bits;

	if (size >= EXACT)
		size += (1u << (29 - __builtin_clz(size))) - 1;
	bin = bin_of(size);
	word = bin / 64;
	bits = a->filled[word] & UINT64_MAX << bin % 64;
	while (!bits) {
		if (++word == (BINS + 63) / 64)
			return NOTHING;
		bits = a->filled[word];
	}
	return a->bins[word * 64 + (unsigned)__builtin_ctzll(bits)];
}

int fg_arena_new(struct fg_arena **out, size_t bytes)
{
	size_t size = bytes / UNIT + (bytes % UNIT != 0);
	struct fg_arena *a;

	if (size == 0)
		size = 1;
	if (size > MAX_SIZE)
		return -EINVAL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	/* one unit at each end, so that every block has neighbours */
	a->units = fg_pages_calloc(size + 2, UNIT);
	if (!a->units) {
		free(a);
		return -ENOMEM;
	}
	block_at(a, (uint32_t)size + 1)->before = (uint32_t)size;
	bin_insert(a, 1, (uint32_t)size);
	*out = a;
	return 0;
}

void fg_arena_free(struct fg_arena *a)
{
	if (!a)
		return;
	free(a->units);
	free(a);
}

uint32_t fg_arena_take(struct fg_arena *a, size_t size)
{
	size_t need = (size + offsetof(struct block, next) + UNIT - 1) / UNIT;
	uint32_t at, rest;
	struct block *b;

	if (size > (size_t)(MAX_SIZE / 2) * UNIT)
		return NOTHING;
	at = bin_find(a, (uint32_t)need);
	if (!at)
		return NOTHING;
	bin_remove(a, at);
	b = block_at(a, at);
	rest = b->size - (uint32_t)need;
	if (rest) {
		block_at(a, at + b->size)->before = rest;
		b->size = (uint32_t)need;
		block_at(a, at + b->size)->before = b->size;
		bin_insert(a, at + b->size, rest);
	}
	a->used += (size_t)b->size * UNIT;
	return at;
}

void fg_arena_give(struct fg_arena *a, uint32_t at)
{
	uint32_t size = block_at(a, at)->size;
	uint32_t before = block_at(a, at)->before;
	uint32_t after = at + size;

	a->used -= (size_t)size * UNIT;
	if (block_at(a, after)->size & FREE) {
		bin_remove(a, after);
		size += block_at(a, after)->size;
	}
	if (before && block_at(a, at - before)->size & FREE) {
		at -= before;
		bin_remove(a, at);
		size += before;
	}
	block_at(a, at + size)->before = size;
	bin_insert(a, at, size);
}

void *fg_arena_at(const struct fg_arena *a, uint32_t at)
{
	return &block_at(a, at)->next;
}

size_t fg_arena_used(const struct fg_arena *a)
{
	return a->used;
}
