/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - blocks of memory out of one piece that is sized at start.
 *
 * Two-level segregated fit: taking and giving back are O(1), free neighbours
 * are joined at once, so no order of sizes can use it up for ever. Memory is
 * touched only as it is taken, from the low end.
 */
#ifndef FG_FLOW_ARENA_H
#define FG_FLOW_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct fg_arena;

/* bytes: at most 32 GiB, rounded up to a few units. 0, -EINVAL, -ENOMEM. */
int fg_arena_new(struct fg_arena **out, size_t bytes);
void fg_arena_free(struct fg_arena *a);

/* A block of at least size bytes (not zeroed), or 0 when there is no room. */
uint32_t fg_arena_take(struct fg_arena *a, size_t size);
void fg_arena_give(struct fg_arena *a, uint32_t block);
/* Its memory, aligned to 8, in place until it is given back. */
void *fg_arena_at(const struct fg_arena *a, uint32_t block);
/* bytes in blocks that are taken, overhead included */
size_t fg_arena_used(const struct fg_arena *a);

#endif
