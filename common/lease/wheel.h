/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wheel.h - one deadline for each of many numbers, all in constant time.
 *
 * Pure; sized once. Deadlines are rounded up to ticks of 128 ms, which is
 * little beside the seconds that lifetimes are given in.
 */
#ifndef FG_LEASE_WHEEL_H
#define FG_LEASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define FG_WHEEL_TICK_MS 128

struct fg_wheel;

/* For the numbers 1 to max. 0 or -ENOMEM; memory is touched as it is used. */
int fg_wheel_new(struct fg_wheel **out, uint32_t max, int64_t now);
void fg_wheel_free(struct fg_wheel *w);

/* Sets or moves the deadline of id; one that has passed is the next tick. */
void fg_wheel_set(struct fg_wheel *w, uint32_t id, int64_t deadline);
void fg_wheel_clear(struct fg_wheel *w, uint32_t id);
bool fg_wheel_is_set(const struct fg_wheel *w, uint32_t id);
/* In ms, as rounded; only while it is set. */
int64_t fg_wheel_due(const struct fg_wheel *w, uint32_t id);

/* A number whose deadline has come, its deadline cleared; 0: none (left). */
uint32_t fg_wheel_expire(struct fg_wheel *w, int64_t now);
/*
 * When to call fg_wheel_expire() next, INT64_MAX: no deadline at all. May be
 * early, when all deadlines are minutes away.
 */
int64_t fg_wheel_deadline(const struct fg_wheel *w);
/*
 * The soonest number for which is(ctx, id), or 0; gives up after looking at
 * 1024 of them.
 */
uint32_t fg_wheel_soonest(const struct fg_wheel *w,
			  bool (*is)(const void *ctx, uint32_t id),
			  const void *ctx);

#endif
