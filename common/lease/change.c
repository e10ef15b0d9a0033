/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change.c - leases as changes for the kernel, and what became of them. */
#include "lease-private.h"

/* How long to wait after the kernel had no room: it collects every second. */
#define FULL_MS 1000

/* Waits for room; its class stays. */
static void wait_for_room(struct fg_leases *t, struct lease *l, int64_t now)
{
	l->flags |= FULL;
	fg_lease_flag(t, l, WAIT, true);
	fg_wheel_set(t->wheel, id_of(t, l), now + FULL_MS);
}

size_t fg_leases_collect(struct fg_leases *t, struct fg_lease_change *out,
			 size_t max, size_t room, int64_t now)
{
	size_t n = 0;
	struct lease *l;

	while (n < max && (l = fg_lease_pop(t))) {
		enum fg_lease_op op;
		bool fresh;

		if (l->flags & LINGER && l->end <= tick_of(t, now)) {
			fg_lease_end_linger(t, l);
			/* pushed again, or gone */
			continue;
		}
		op = fg_lease_decide(t, l);
		if (op == FG_LEASE_NONE) {
			fg_lease_touch(t, l, false);
			continue;
		}
		fresh = op != FG_LEASE_DELETE && l->present == NO;
		if (fresh && room != SIZE_MAX && room-- == 0) {
			room = 0;
			wait_for_room(t, l, now);
			continue;
		}
		out[n++] = (struct fg_lease_change){
			.id = id_of(t, l),
			.op = op,
			.data = op == FG_LEASE_DELETE || l->flags & ADOPTED
					? l->data
					: fg_class_data(t->classes, l->class),
			.had = l->data,
			.known = l->present == YES,
			.other = l->present == OTHER,
			.note = l->note,
			.class = l->class,
			.fresh = fresh,
			.may_evict = fresh && !(l->flags & FULL),
			.key = l->key,
		};
		/* settle() takes it out of its bucket: that takes time to come
		 */
		if (op == FG_LEASE_DELETE)
			__builtin_prefetch(bucket_of(t, l->hash), 1);
		l->flags |= FLIGHT;
		t->in_flight++;
		fg_wheel_clear(t->wheel, id_of(t, l));
	}
	return n;
}

void fg_leases_settle(struct fg_leases *t, const struct fg_lease_change *change,
		      enum fg_lease_result result, int64_t sent)
{
	struct lease *l = lease_at(t, change->id);
	bool spoiled = l->flags & SPOILED;

	l->flags &= (uint16_t) ~(FLIGHT | SPOILED);
	if (result != FG_LEASE_AGAIN)
		l->flags &= (uint16_t)~UNSURE;
	t->in_flight--;
	switch (result) {
	case FG_LEASE_DONE:
		l->flags &= (uint16_t)~DUE;
		if (change->op == FG_LEASE_DELETE) {
			fg_lease_present(t, l, NO);
			if (l->flags & EVICT) {
				l->flags &= (uint16_t)~EVICT;
				wait_for_room(t, l, sent);
			}
			break;
		}
		fg_lease_present(t, l, spoiled ? MAYBE : YES);
		l->flags &= (uint16_t)~FULL;
		l->data = change->data;
		l->renew = tick_of(t, sent) + t->half;
		break;
	case FG_LEASE_AGAIN:
		if (spoiled)
			fg_lease_present(t, l, MAYBE);
		break;
	case FG_LEASE_FULL:
		fg_lease_present(t, l, NO);
		if (wanted(l))
			wait_for_room(t, l, sent);
		break;
	case FG_LEASE_REFUSED:
		fg_lease_present(t, l, NO);
		l->flags &= (uint16_t) ~(DUE | EVICT);
		if (change->op == FG_LEASE_DELETE)
			break;
		if (l->holders)
			fg_lease_flag(t, l, REFUSED, true);
		else if (l->flags & LINGER) {
			fg_lease_end_linger(t, l);
			return;
		}
		break;
	case FG_LEASE_GONE:
		fg_lease_present(t, l, NO);
		l->flags &= (uint16_t) ~(DUE | EVICT);
		break;
	case FG_LEASE_OTHER:
		fg_lease_present(t, l, OTHER);
		break;
	case FG_LEASE_UNKNOWN:
		fg_lease_present(t, l, MAYBE);
		break;
	}
	fg_lease_touch(t, l, result == FG_LEASE_AGAIN);
}

bool fg_leases_advance(struct fg_leases *t, int64_t now, uint32_t max)
{
	while (max--) {
		uint32_t id = fg_wheel_expire(t->wheel, now);
		struct lease *l;

		if (!id)
			return false;
		l = lease_at(t, id);
		if (l->flags & WAIT)
			fg_lease_flag(t, l, WAIT, false);
		else if (l->flags & LINGER && l->end <= tick_of(t, now)) {
			fg_lease_end_linger(t, l);
			continue;
		} else if (l->renew <= tick_of(t, now))
			l->flags |= DUE;
		fg_lease_touch(t, l, false);
	}
	return true;
}

int64_t fg_leases_deadline(const struct fg_leases *t)
{
	return fg_wheel_deadline(t->wheel);
}

static void spoil(struct fg_leases *t, struct lease *l, bool maybe)
{
	if (l->flags & FLIGHT) {
		l->flags |= SPOILED;
		return;
	}
	if (l->present == NO || (maybe && l->flags & ADOPTED))
		return;
	fg_lease_present(t, l, maybe ? MAYBE : NO);
	l->flags &= (uint16_t)~DUE;
	/* one that nobody claimed is not put back */
	if (l->flags & ADOPTED) {
		fg_lease_end_linger(t, l);
		return;
	}
	if (!maybe)
		l->flags |= UNSURE;
	fg_lease_touch(t, l, false);
}

bool fg_leases_spoil(struct fg_leases *t, const uint8_t *key)
{
	struct lease *l = fg_lease_find(t, key);

	if (!l)
		return false;
	spoil(t, l, false);
	return true;
}

void fg_leases_lost(struct fg_leases *t, bool maybe)
{
	for (uint32_t id = 1; id <= t->used; id++)
		if (lease_at(t, id)->flags & USED)
			spoil(t, lease_at(t, id), maybe);
}

void fg_leases_pardon(struct fg_leases *t)
{
	for (uint32_t id = 1; t->counts.refused && id <= t->used; id++) {
		struct lease *l = lease_at(t, id);

		if (l->flags & REFUSED) {
			fg_lease_flag(t, l, REFUSED, false);
			fg_lease_touch(t, l, false);
		}
	}
}

static bool evictable(const void *ctx, uint32_t id)
{
	const struct lease *l = lease_at(ctx, id);

	return l->present != NO && !(l->flags & (WAIT | EVICT));
}

bool fg_leases_evict(struct fg_leases *t)
{
	uint32_t id = fg_wheel_soonest(t->wheel, evictable, t);
	struct lease *l;

	if (!id)
		return false;
	l = lease_at(t, id);
	fg_wheel_clear(t->wheel, id);
	if (l->flags & LINGER) {
		fg_lease_end_linger(t, l);
		return true;
	}
	l->flags |= EVICT;
	fg_lease_touch(t, l, true);
	return true;
}
