/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hash.h - the one hash of bytes, for tables that strangers fill. */
#ifndef FG_BASE_HASH_H
#define FG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * 64-bit hash of bytes; seed is what keeps an attacker from choosing
 * collisions. All bits are good ones. The value depends on the machine's byte
 * order: never store or send it.
 */
uint64_t fg_hash(const void *p, size_t len, uint64_t seed);

#endif
