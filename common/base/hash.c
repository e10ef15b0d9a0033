/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.c - folded multiplication, 16 bytes a step.
 *
 * Both factors of each product are covered by a key made of the seed, unlike
 * wyhash's, whose first factor is data xor a published constant: there, data
 * equal to the constant gives 0 under every seed, and collisions are free.
 */
#include "hash.h"

#include <string.h>

/* High and low half of a 128-bit product, folded. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
#else
	uint64_t al = (uint32_t)a, ah = a >> 32;
	uint64_t bl = (uint32_t)b, bh = b >> 32;
	uint64_t ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
	uint64_t mid = (ll >> 32) + (uint32_t)lh + (uint32_t)hl;

	return ((mid << 32) | (uint32_t)ll) ^
	       (hh + (lh >> 32) + (hl >> 32) + (mid >> 32));
#endif
}

/* splitmix64's finaliser: a bijection, so no two seeds share a key. */
static inline uint64_t spread(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static inline uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * The last 1 to 16 bytes as two words, some of them twice: a copy of them into
 * words, byte by byte, would have to leave the store buffer before it is read.
 */
static inline void load_tail(const uint8_t *p, size_t n, uint64_t w[2])
{
	uint32_t half;

	if (n >= 8) {
		w[0] = load(p);
		w[1] = load(p + n - 8);
	} else if (n >= 4) {
		memcpy(&half, p, 4);
		w[0] = half;
		memcpy(&half, p + n - 4, 4);
		w[1] = half;
	} else {
		w[0] = (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 |
		       p[n - 1];
		w[1] = 0;
	}
}

uint64_t fg_hash(const void *p, size_t len, uint64_t seed)
{
	const uint64_t k0 = spread(seed + 0x9e3779b97f4a7c15u);
	const uint64_t k1 = spread(seed + 0x3c6ef372fe94f82au);
	const uint8_t *at = p;
	size_t left = len;
	/* the length tells apart what ends in the same words */
	uint64_t h = k0 + len, w[2];

	for (; left > 16; left -= 16, at += 16)
		h = fold(load(at) ^ k0, load(at + 8) ^ k1 ^ h);
	if (left) {
		load_tail(at, left, w);
		h = fold(w[0] ^ k0, w[1] ^ k1 ^ h);
	}
	return fold(h ^ k1, k0 | 1);
}
