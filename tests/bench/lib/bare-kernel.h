/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bare-kernel.h - the floor: elements into a set by libmnl and nothing else, and
 * asking whether one is there.
 *
 * Exits with a message when the kernel refuses.
 */
#ifndef BENCH_BARE_KERNEL_H
#define BENCH_BARE_KERNEL_H

#include <stdbool.h>

#include "stream.h"

#define BARE_TABLE "bench"

struct bare;

struct bare *bare_open(void);

/* count keys from first on, in transactions of batch; a ttl of 900 s. */
void bare_commit(struct bare *b, const char *set, const struct keys *k,
		 size_t first, size_t count, size_t batch, bool add);

/* In force for packets? 5 us; takes no lock. */
bool bare_has(struct bare *b, const char *set, const struct keys *k, size_t i);

#endif
