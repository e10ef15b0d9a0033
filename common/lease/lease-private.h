/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease-private.h - what the parts of the table of leases share: lease.c (the
 * table, what is pending), holder.c (who holds what), change.c (to the kernel
 * and back). Nobody else includes it.
 */
#ifndef FG_LEASE_PRIVATE_H
#define FG_LEASE_PRIVATE_H

#include "lease.h"
#include "wheel.h"

/* what the kernel has: OTHER is there, but with data that is not ours */
enum present { NO, YES, MAYBE, OTHER };

#define DIRTY	0x001u /* in the list of pending ones */
#define FLIGHT	0x002u /* collected, not yet settled */
#define SPOILED 0x004u /* taken by someone while in flight */
#define LINGER	0x008u /* wanted until end, without holders */
#define ADOPTED 0x010u /* lingers, but is not renewed: nobody claimed it */
#define REFUSED 0x020u
#define FULL	0x040u /* was turned away for lack of room */
#define WAIT	0x080u /* still waits for it */
#define EVICT	0x100u /* to make room for another */
#define DUE	0x200u /* half of its time is over */
#define USED	0x400u
/*
 * Someone took it, we heard; but news are late, and what we sent meanwhile may
 * have put it back.
 */
#define UNSURE	0x800u
#define HELD	0x1000u /* adopted, and had holders in the run before */

/*
 * 40 bytes and the key; with the wheel's 12 and 3 to 6 of the hash table that
 * is 75 to 78 for an IPv4 tuple of protocol, addresses and ports.
 */
struct lease {
	uint32_t hash;
	uint32_t chain;	  /* next in its bucket, or of the free ones */
	uint32_t dirty;	  /* next pending one */
	uint32_t holders; /* of class */
	uint32_t groups;  /* other classes that hold it */
	uint32_t data;	  /* what the kernel has */
	uint32_t note;
	uint32_t renew; /* ticks: when to renew */
	uint32_t end;	/* ticks: when it has lingered enough */
	uint16_t class; /* of the lowest rank that holds it */
	uint16_t flags : 13;
	uint16_t present : 2;
	uint8_t key[];
};

/* Holders of one class on one lease, beyond its first class. */
struct group {
	uint32_t next;
	uint32_t holders;
	uint16_t class;
};

struct fg_leases {
	struct fg_classes *classes;
	struct fg_wheel *wheel;
	uint64_t seed;
	uint32_t max;
	uint32_t mask;
	uint32_t stride;
	uint8_t key_len;
	bool data;
	bool strangers;
	uint32_t ttl; /* ticks */
	uint32_t half;
	uint32_t linger;
	int64_t epoch;
	uint32_t used; /* slots that were ever used */
	uint32_t free;
	uint32_t first; /* of the pending ones */
	uint32_t last;
	uint32_t group_used;
	uint32_t group_free;
	uint32_t in_flight;
	struct fg_lease_counts counts; /* pending: those in the list */
	uint32_t *bucket;
	struct group *group;
	uint8_t *slots;
};

/* Ticks of 64 ms in 32 bits: 8.7 years. */
#define TICK_SHIFT 6

static inline uint32_t tick_of(const struct fg_leases *t, int64_t ms)
{
	return ms > t->epoch ? (uint32_t)((ms - t->epoch) >> TICK_SHIFT) : 0;
}

static inline int64_t ms_of(const struct fg_leases *t, uint32_t tick)
{
	return t->epoch + ((int64_t)tick << TICK_SHIFT);
}

static inline uint32_t ticks(uint32_t ms)
{
	return (ms >> TICK_SHIFT) + (ms != 0 && ms < 1u << TICK_SHIFT);
}

static inline struct lease *lease_at(const struct fg_leases *t, uint32_t id)
{
	return (struct lease *)(t->slots + (size_t)id * t->stride);
}

static inline uint32_t id_of(const struct fg_leases *t, const struct lease *l)
{
	return (uint32_t)((size_t)((const uint8_t *)l - t->slots) / t->stride);
}

static inline bool wanted(const struct lease *l)
{
	return l->holders || l->flags & LINGER;
}

static inline uint32_t *bucket_of(const struct fg_leases *t, uint32_t hash)
{
	return &t->bucket[hash & t->mask];
}

uint32_t fg_lease_hash(const struct fg_leases *t, const uint8_t *key);
/* NULL: there is none. hash: the key's. */
struct lease *fg_lease_in(const struct fg_leases *t, uint32_t hash,
			  const uint8_t *key);
struct lease *fg_lease_find(const struct fg_leases *t, const uint8_t *key);
/* A new one, held by nobody; NULL: there is no room. */
struct lease *fg_lease_create(struct fg_leases *t, uint32_t hash,
			      const uint8_t *key);

/* Flags that are counted, and presence, which is too. */
void fg_lease_flag(struct fg_leases *t, struct lease *l, uint16_t flag,
		   bool on);
void fg_lease_present(struct fg_leases *t, struct lease *l, enum present p);

/* What the kernel must be told for it to be as wanted. */
enum fg_lease_op fg_lease_decide(const struct fg_leases *t,
				 const struct lease *l);
/* The list of pending ones. */
void fg_lease_push(struct fg_leases *t, struct lease *l, bool front);
struct lease *fg_lease_pop(struct fg_leases *t);
/* Something about it changed: pending, gone, or as it should be. */
void fg_lease_touch(struct fg_leases *t, struct lease *l, bool front);
void fg_lease_end_linger(struct fg_leases *t, struct lease *l);

#endif
