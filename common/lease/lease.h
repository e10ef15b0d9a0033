/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease.h - elements that should be in the kernel, who holds them, and what is
 * known to be there.
 *
 * Pure: no system calls; nothing is allocated after fg_leases_new(). A lease
 * has what is wanted (holders, or lingering after the last) and what the
 * kernel has. Where the two differ it is pending. collect() takes pending
 * leases out as operations for one transaction; settle() says what became of
 * each. In between more may be wanted: that is settled later, so that any
 * number of changes of one key are at most one operation at a time.
 *
 * Keys are setup.key_len bytes; times are ms of one monotonic clock.
 */
#ifndef FG_LEASE_LEASE_H
#define FG_LEASE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "class.h"

struct fg_leases;

struct fg_leases_setup {
	uint32_t max;		    /* leases, those that linger included */
	uint8_t key_len;	    /* 1 to FG_KEY_SIZE_MAX */
	bool data;		    /* elements carry their class's data */
	struct fg_classes *classes; /* the caller's, to outlive this */
	uint64_t seed;		    /* of the hash; random but in tests */
	uint32_t ttl_ms;    /* the kernel drops an element after it; 0: never */
	uint32_t linger_ms; /* after the last holder left */
	int64_t now;
};

/* 0, -EINVAL, -ENOMEM. Memory is touched only as leases come. */
int fg_leases_new(struct fg_leases **out, const struct fg_leases_setup *setup);
void fg_leases_free(struct fg_leases *t);
/* For leases from now on. */
void fg_leases_set_times(struct fg_leases *t, uint32_t ttl_ms,
			 uint32_t linger_ms);

/*
 * There may be elements from before, whose time an ADD does not renew on this
 * kernel: every ADD is a REPLACE. Off at first.
 */
void fg_leases_set_strangers(struct fg_leases *t, bool strangers);

/*
 * One more holder of class. note is kept of the first one. -ENOSPC: no room
 * for another lease or class; nothing is held then.
 */
int fg_leases_hold(struct fg_leases *t, const uint8_t *key, uint16_t class,
		   uint32_t note, int64_t now);
/* One less; -ENOENT when class did not hold it (its hold() had no room). */
int fg_leases_release(struct fg_leases *t, const uint8_t *key, uint16_t class,
		      int64_t now);

/*
 * An element that an earlier run left, with this long to live; held: it had
 * holders then. 0, -ENOSPC.
 */
int fg_leases_adopt(struct fg_leases *t, const uint8_t *key, uint32_t data,
		    uint32_t remaining_ms, bool held, int64_t now);
/* Its holders of then are known again: what they did not claim is to go. */
void fg_leases_forsake(struct fg_leases *t);

/* What the kernel is to be told. */
enum fg_lease_op {
	FG_LEASE_NONE,
	FG_LEASE_ADD,	  /* not there */
	FG_LEASE_RENEW,	  /* there, with this data: give it its time again */
	FG_LEASE_REPLACE, /* maybe there, maybe with other data */
	FG_LEASE_DELETE,  /* maybe there */
};

/* Valid until the next call that takes leases, but for id. */
struct fg_lease_change {
	uint32_t id;
	enum fg_lease_op op;
	uint32_t data;
	uint32_t had; /* the data that is there, when known */
	uint32_t note;
	uint16_t class;
	bool known;	    /* is there, with had */
	bool other;	    /* is there, with data that nobody knows */
	bool fresh;	    /* is not there, as far as is known: needs room */
	bool may_evict;	    /* fresh, and never turned away for lack of room */
	const uint8_t *key; /* valid until it is settled */
};

/*
 * Takes up to max pending leases, first come first served. Each must be given
 * to settle() once. room: how many fresh ones the kernel has room for; the
 * others wait as if turned away. SIZE_MAX: unlimited.
 */
size_t fg_leases_collect(struct fg_leases *t, struct fg_lease_change *out,
			 size_t max, size_t room, int64_t now);

enum fg_lease_result {
	FG_LEASE_DONE,	  /* the kernel did it */
	FG_LEASE_AGAIN,	  /* not tried; goes to the head of what is pending */
	FG_LEASE_FULL,	  /* no room for it: wait a second */
	FG_LEASE_REFUSED, /* never to be tried again while it is held */
	FG_LEASE_GONE,	  /* the element was not there */
	FG_LEASE_OTHER,	  /* it is there, with other data */
	FG_LEASE_UNKNOWN, /* done or not, nobody knows */
};

/*
 * sent: when the change was sent; its time in the kernel began then or later.
 * To keep the order with FG_LEASE_AGAIN, settle the last change first.
 */
void fg_leases_settle(struct fg_leases *t, const struct fg_lease_change *change,
		      enum fg_lease_result result, int64_t sent);

/* Makes pending what time makes so; at most max leases. True: some are left. */
bool fg_leases_advance(struct fg_leases *t, int64_t now, uint32_t max);
/* When to call fg_leases_advance(); INT64_MAX: not by time. */
int64_t fg_leases_deadline(const struct fg_leases *t);

/*
 * Those that nobody holds are to go, if the test says so: those that linger, or
 * were adopted.
 */
void fg_leases_expel(struct fg_leases *t,
		     bool (*test)(const void *ctx, const uint8_t *key),
		     const void *ctx);
/* The element was taken from the kernel by someone else. True: it was ours. */
bool fg_leases_spoil(struct fg_leases *t, const uint8_t *key);
/* All were; or, with maybe, what is there is no longer known. */
void fg_leases_lost(struct fg_leases *t, bool maybe);
/* What was refused may be tried again: the set is another one. */
void fg_leases_pardon(struct fg_leases *t);

/*
 * Gives up the element that would expire next, for the sake of a newer one: it
 * is deleted, and then waits for room as if turned away. False: there is none.
 */
bool fg_leases_evict(struct fg_leases *t);

/*
 * To count holders anew: none() takes all away without consequence, hold()
 * them again, then settled() draws the consequences.
 */
void fg_leases_recount_begin(struct fg_leases *t);
void fg_leases_recount_end(struct fg_leases *t, int64_t now);

struct fg_lease_view {
	const uint8_t *key;
	uint64_t holders;
	uint32_t data; /* in the kernel */
	uint32_t note;
	uint16_t class;
	bool present;	/* in the kernel, as far as is known */
	bool lingering; /* without holders */
	int64_t lingers_until; /* INT64_MAX: it does not linger */
	bool held;	/* without holders now, but the run before had some */
	bool waiting;	/* for room */
	bool refused;
	int64_t expires; /* when the kernel drops it; INT64_MAX: never */
};

bool fg_leases_get(const struct fg_leases *t, const uint8_t *key,
		   struct fg_lease_view *out);
/* The first at or after *cursor (start with 0); false: no more. */
bool fg_leases_next(const struct fg_leases *t, uint32_t *cursor,
		    struct fg_lease_view *out);

struct fg_lease_counts {
	uint32_t leases;
	uint32_t present;   /* elements in the kernel */
	uint32_t lingering; /* without holders */
	uint32_t pending;   /* to be collected, or to be settled */
	uint32_t waiting;   /* for room */
	uint32_t refused;
};
void fg_leases_counts(const struct fg_leases *t, struct fg_lease_counts *out);
/* bytes of one lease with its key, its share of the hash table included */
size_t fg_lease_size(const struct fg_leases *t);

#endif
