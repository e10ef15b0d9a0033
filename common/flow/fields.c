/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields.c - tables of fields, and the arithmetic of counters. */
#include "fields.h"

#include <float.h>
#include <string.h>

#include "flow.h"

_Static_assert(sizeof(struct fg_flow) == 152,
	       "no padding: parts of a flow are compared as bytes");

/*
 * attribute, field, flag that is set when it was said (and by whom it is not
 * 0), the most it can be. A later one wins, in the order of FG_ATTRIBUTES:
 * conntrack.* is newer than ct_*.
 */
#define NUMBERS(X)                                                             \
	X(IP_PROTOCOL, ip_protocol, 0, UINT8_MAX)                              \
	X(IP_DSCP, ip_dscp, FG_FLOW_HAS_DSCP, 63)                              \
	X(VLAN_ID, vlan_id, 0, 4095)                                           \
	X(OTHER_TYPE, other_type, 0, FG_OTHER_COUNT - 1)                       \
	X(LOCAL_PORT, local_port, 0, UINT16_MAX)                               \
	X(OTHER_PORT, other_port, 0, UINT16_MAX)                               \
	X(PROTOCOL, protocol, 0, UINT32_MAX)                                   \
	X(APPLICATION, application, 0, UINT32_MAX)                             \
	X(CAT_APPLICATION, cat_application, 0, UINT16_MAX)                     \
	X(CAT_PROTOCOL, cat_protocol, 0, UINT16_MAX)                           \
	X(CAT_DOMAIN, cat_domain, 0, UINT16_MAX)                               \
	X(CAT_NETWORK, cat_network, 0, UINT16_MAX)                             \
	X(CT_ID, ct_id, FG_FLOW_HAS_CT_ID, UINT32_MAX)                         \
	X(CT_MARK, ct_mark, FG_FLOW_HAS_CT_MARK, UINT32_MAX)                   \
	X(CONNTRACK_ID, ct_id, FG_FLOW_HAS_CT_ID, UINT32_MAX)                  \
	X(CONNTRACK_MARK, ct_mark, FG_FLOW_HAS_CT_MARK, UINT32_MAX)            \
	X(DETECTION_PACKETS, detection_packets, 0, UINT32_MAX)

/* By attribute; of size 0: not a number of a flow. */
static const struct field {
	uint8_t offset;
	uint8_t size;
	uint16_t flag;
	uint32_t max;
} numbers[FG_ATTR_COUNT] = {
#define FIELD(name, field, flags, most)                                        \
	[FG_ATTR_##name] = {offsetof(struct fg_flow, field),                   \
			    sizeof(((struct fg_flow *)0)->field), flags,       \
			    most},
	NUMBERS(FIELD)
#undef FIELD
};

/* Those in one word of fg_message.has. */
#define BIT(name, word)                                                        \
	(FG_ATTR_##name / 64 == (word) ? UINT64_C(1) << FG_ATTR_##name % 64 : 0)
#define BIT_0(name, field, flags, most) BIT(name, 0) |
#define BIT_1(name, field, flags, most) BIT(name, 1) |
static const uint64_t number_bits[] = {NUMBERS(BIT_0) 0, NUMBERS(BIT_1) 0};
#define WORDS (sizeof(number_bits) / sizeof(number_bits[0]))
_Static_assert(WORDS == (FG_ATTR_COUNT + 63) / 64, "a word for all attributes");

static const struct {
	uint8_t attr;
	uint16_t flag;
} flags[] = {
	{FG_ATTR_INTERNAL, FG_FLOW_INTERNAL},
	{FG_ATTR_LOCAL_ORIGIN, FG_FLOW_LOCAL_ORIGIN},
	{FG_ATTR_IP_NAT, FG_FLOW_IP_NAT},
	{FG_ATTR_DHC_HIT, FG_FLOW_DHC_HIT},
	{FG_ATTR_DETECTION_GUESSED, FG_FLOW_GUESSED},
	{FG_ATTR_DETECTION_UPDATED, FG_FLOW_UPDATED},
	{FG_ATTR_ESTABLISHED, FG_FLOW_ESTABLISHED},
};

static void set_flag(struct fg_flow *f, uint16_t flag, bool on)
{
	f->flags = (uint16_t)(on ? f->flags | flag : f->flags & ~flag);
}

static void set_number(struct fg_flow *f, const struct field *field, uint64_t v)
{
	uint8_t *at = (uint8_t *)f + field->offset;

	if (field->size == 4)
		memcpy(at, &(uint32_t){(uint32_t)v}, 4);
	else if (field->size == 2)
		memcpy(at, &(uint16_t){(uint16_t)v}, 2);
	else
		*at = (uint8_t)v;
}

static uint64_t get_number(const struct fg_flow *f, const struct field *field)
{
	const uint8_t *at = (const uint8_t *)f + field->offset;
	uint32_t four;
	uint16_t two;

	if (field->size == 4) {
		memcpy(&four, at, 4);
		return four;
	}
	if (field->size == 2) {
		memcpy(&two, at, 2);
		return two;
	}
	return *at;
}

/* ----------------------------------------------------------- addresses */

static inline bool all_zero(const uint8_t *p, size_t len)
{
	static const uint8_t zero[16];

	return memcmp(p, zero, len) == 0;
}

static void apply_addresses(struct fg_flow *f, const struct fg_message *m)
{
	bool local = fg_message_has(m, FG_ATTR_LOCAL_IP);
	bool other = fg_message_has(m, FG_ATTR_OTHER_IP);

	if (fg_message_has(m, FG_ATTR_IP_VERSION)) {
		uint64_t v = m->value[FG_ATTR_IP_VERSION].u;

		f->ip_version = v == 4 || v == 6 ? (uint8_t)v : 0;
	}
	if (local)
		memcpy(f->local_addr, m->value[FG_ATTR_LOCAL_IP].addr, 16);
	if (other)
		memcpy(f->other_addr, m->value[FG_ATTR_OTHER_IP].addr, 16);
	/* an IPv6 address in an IPv4 flow is no address to build keys from */
	if (f->ip_version == 4 && (!all_zero(f->local_addr + 4, 12) ||
				   !all_zero(f->other_addr + 4, 12)))
		f->ip_version = 0;
}

/* Agents say 00:00:00:00:00:00 where there is no Ethernet. */
static void apply_mac(struct fg_flow *f, const struct fg_message *m,
		      enum fg_attr attr, uint8_t mac[6], uint16_t flag)
{
	if (!fg_message_has(m, attr))
		return;
	memcpy(mac, m->value[attr].mac, 6);
	set_flag(f, flag, !all_zero(mac, 6));
}

/* ------------------------------------------------------------ counters */

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/*
 * Brings two cumulative counters up to date with what one message says.
 *
 * Agents tell each direction since their last tick, and the total of both
 * since the flow began. A tick ends with flow_stats or flow_purge, but v5 also
 * tells the running numbers in flow_dpi_update and flow_dpi_complete, and then
 * again in what ends the tick; and v3 has ticks that it tells nobody. So the
 * total is believed, and the directions only say how what it grew by divides:
 * nothing that is repeated, lost or told in between can count twice, and local
 * plus other is the agent's total always.
 */
static void count(uint64_t *local, uint64_t *other, const struct fg_message *m,
		  enum fg_attr local_attr, enum fg_attr other_attr,
		  enum fg_attr total_attr)
{
	bool tick = m->type == FG_MESSAGE_FLOW_STATS ||
		    m->type == FG_MESSAGE_FLOW_PURGE;
	bool has_local = fg_message_has(m, local_attr);
	bool has_other = fg_message_has(m, other_attr);
	uint64_t l = has_local ? m->value[local_attr].u : 0;
	uint64_t o = has_other ? m->value[other_attr].u : 0;
	uint64_t told = sum(l, o), now = sum(*local, *other);
	uint64_t total, grown, share;

	if (!fg_message_has(m, total_attr)) {
		if (!tick)
			return;
		total = sum(now, told);
	} else {
		total = m->value[total_attr].u;
	}
	if (total <= told && (has_local || has_other)) {
		/* nothing before this tick: these are the counters */
		*local = l;
		*other = o;
		return;
	}
	if (total < now) {
		/* the agent began anew */
		*local = *other = now = 0;
	}
	grown = total - now;
	if (grown == told)
		share = l;
	else if (told)
		share = (uint64_t)((double)grown * ((double)l / (double)told));
	else
		share = grown / 2;
	if (share > grown)
		share = grown;
	*local = sum(*local, share);
	*other = sum(*other, grown - share);
}

static uint32_t cap32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void apply_counters(struct fg_flow *f, const struct fg_message *m)
{
	uint64_t local = f->local_packets, other = f->other_packets;

	count(&f->local_bytes, &f->other_bytes, m, FG_ATTR_LOCAL_BYTES,
	      FG_ATTR_OTHER_BYTES, FG_ATTR_TOTAL_BYTES);
	count(&local, &other, m, FG_ATTR_LOCAL_PACKETS, FG_ATTR_OTHER_PACKETS,
	      FG_ATTR_TOTAL_PACKETS);
	f->local_packets = cap32(local);
	f->other_packets = cap32(other);
}

static float rate(double v)
{
	return v > FLT_MAX ? FLT_MAX : v > 0 ? (float)v : 0;
}

/* v3 and v4 count but do not say how fast; v5's own word comes after this. */
static void work_out_rates(struct fg_flow *f, const struct fg_flow *was)
{
	double seconds = ((double)f->age_ms - (double)was->age_ms) / 1000;

	if (seconds <= 0 || f->first_seen != was->first_seen)
		return;
	f->local_rate =
		rate((double)(f->local_bytes - was->local_bytes) / seconds);
	f->other_rate =
		rate((double)(f->other_bytes - was->other_bytes) / seconds);
}

static void apply_times(struct fg_flow *f, const struct fg_message *m)
{
	uint64_t last = f->first_seen + f->age_ms, first = f->first_seen;

	if (fg_message_has(m, FG_ATTR_FIRST_SEEN))
		first = m->value[FG_ATTR_FIRST_SEEN].u;
	if (first != f->first_seen && f->first_seen) {
		/* another connection with the same digest */
		f->local_bytes = f->other_bytes = 0;
		f->local_packets = f->other_packets = 0;
		f->local_rate = f->other_rate = 0;
		f->detection_packets = 0;
		last = first;
	}
	if (fg_message_has(m, FG_ATTR_LAST_SEEN))
		last = m->value[FG_ATTR_LAST_SEEN].u;
	f->first_seen = first;
	f->age_ms = first && last > first ? cap32(last - first) : 0;
}

/* -------------------------------------------------------------- public */

void fg_fields_apply(struct fg_flow *f, const struct fg_message *m)
{
	const struct fg_flow was = *f;

	apply_times(f, m);
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t bits = m->has[i] & number_bits[i];

		for (; bits; bits &= bits - 1) {
			unsigned attr =
				i * 64 + (unsigned)__builtin_ctzll(bits);
			const struct field *field = &numbers[attr];
			uint64_t v = m->value[attr].u;

			if (v > field->max)
				continue;
			set_number(f, field, v);
			set_flag(f, field->flag, true);
		}
	}
	/* without conntrack, agents say 0, which is no connection's id; a mark
	 * of 0 is one only with an id */
	if (!f->ct_id) {
		set_flag(f, FG_FLOW_HAS_CT_ID, false);
		if (!f->ct_mark)
			set_flag(f, FG_FLOW_HAS_CT_MARK, false);
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (fg_message_has(m, flags[i].attr))
			set_flag(f, flags[i].flag,
				 m->value[flags[i].attr].u != 0);
	if (fg_message_has(m, FG_ATTR_LOCAL_ORIGIN))
		set_flag(f, FG_FLOW_HAS_ORIGIN, true);
	if (fg_message_has(m, FG_ATTR_GTP_VERSION) ||
	    fg_message_has(m, FG_ATTR_GTP_LOCAL_IP) ||
	    fg_message_has(m, FG_ATTR_GTP_OTHER_IP))
		set_flag(f, FG_FLOW_TUNNEL_GTP, true);
	if (m->type == FG_MESSAGE_FLOW_DPI_COMPLETE)
		set_flag(f, FG_FLOW_COMPLETE, true);
	apply_addresses(f, m);
	apply_mac(f, m, FG_ATTR_LOCAL_MAC, f->local_mac, FG_FLOW_HAS_LOCAL_MAC);
	apply_mac(f, m, FG_ATTR_OTHER_MAC, f->other_mac, FG_FLOW_HAS_OTHER_MAC);
	apply_counters(f, m);
	if (m->type == FG_MESSAGE_FLOW_STATS)
		work_out_rates(f, &was);
	if (fg_message_has(m, FG_ATTR_LOCAL_RATE))
		f->local_rate = rate(m->value[FG_ATTR_LOCAL_RATE].r);
	if (fg_message_has(m, FG_ATTR_OTHER_RATE))
		f->other_rate = rate(m->value[FG_ATTR_OTHER_RATE].r);
}

/* The parts of struct fg_flow, as its comments divide it. */
#define KEY_BEGIN      offsetof(struct fg_flow, source)
#define KEY_END	       offsetof(struct fg_flow, flags)
#define CLASS_BEGIN    offsetof(struct fg_flow, application)
#define COUNTERS_BEGIN offsetof(struct fg_flow, local_packets)

static bool differ(const struct fg_flow *a, const struct fg_flow *b,
		   size_t begin, size_t end)
{
	return memcmp((const char *)a + begin, (const char *)b + begin,
		      end - begin) != 0;
}

uint32_t fg_fields_compare(const struct fg_flow *a, const struct fg_flow *b)
{
	uint16_t flipped = a->flags ^ b->flags;
	uint32_t changed = 0;

	if (flipped & ~(FG_CLASS_FLAGS | FG_FLOW_ESTABLISHED) ||
	    differ(a, b, KEY_BEGIN, KEY_END))
		changed |= FG_CHANGED_KEY;
	if (flipped & FG_CLASS_FLAGS ||
	    differ(a, b, CLASS_BEGIN, COUNTERS_BEGIN))
		changed |= FG_CHANGED_CLASS;
	if (flipped & FG_FLOW_ESTABLISHED ||
	    differ(a, b, COUNTERS_BEGIN, sizeof(*a)))
		changed |= FG_CHANGED_COUNTERS;
	return changed;
}

bool fg_fields_get(const struct fg_flow *f, enum fg_attr attr,
		   union fg_value *out)
{
	/* not in the table of numbers: addresses, and what is made of others */
	switch (attr) {
	case FG_ATTR_IP_VERSION:
		out->u = f->ip_version;
		return f->ip_version;
	case FG_ATTR_LOCAL_IP:
		memcpy(out->addr, f->local_addr, 16);
		return f->ip_version;
	case FG_ATTR_OTHER_IP:
		memcpy(out->addr, f->other_addr, 16);
		return f->ip_version;
	case FG_ATTR_LOCAL_MAC:
		memcpy(out->mac, f->local_mac, 6);
		return f->flags & FG_FLOW_HAS_LOCAL_MAC;
	case FG_ATTR_OTHER_MAC:
		memcpy(out->mac, f->other_mac, 6);
		return f->flags & FG_FLOW_HAS_OTHER_MAC;
	case FG_ATTR_LOCAL_ORIGIN:
		out->u = (f->flags & FG_FLOW_LOCAL_ORIGIN) != 0;
		return f->flags & FG_FLOW_HAS_ORIGIN;
	case FG_ATTR_FIRST_SEEN:
		out->u = f->first_seen;
		return f->first_seen;
	case FG_ATTR_LAST_SEEN:
		out->u = f->first_seen + f->age_ms;
		return f->first_seen;
	case FG_ATTR_LOCAL_BYTES:
		out->u = f->local_bytes;
		return true;
	case FG_ATTR_OTHER_BYTES:
		out->u = f->other_bytes;
		return true;
	case FG_ATTR_TOTAL_BYTES:
		out->u = sum(f->local_bytes, f->other_bytes);
		return true;
	case FG_ATTR_LOCAL_PACKETS:
		out->u = f->local_packets;
		return true;
	case FG_ATTR_OTHER_PACKETS:
		out->u = f->other_packets;
		return true;
	case FG_ATTR_TOTAL_PACKETS:
		out->u = (uint64_t)f->local_packets + f->other_packets;
		return true;
	case FG_ATTR_LOCAL_RATE:
		out->r = (double)f->local_rate;
		return f->local_rate > 0 || f->other_rate > 0;
	case FG_ATTR_OTHER_RATE:
		out->r = (double)f->other_rate;
		return f->local_rate > 0 || f->other_rate > 0;
	default:
		break;
	}
	if (attr < FG_ATTR_COUNT && numbers[attr].size) {
		out->u = get_number(f, &numbers[attr]);
		return !numbers[attr].flag || f->flags & numbers[attr].flag;
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].attr != attr)
			continue;
		out->u = (f->flags & flags[i].flag) != 0;
		return true;
	}
	return false;
}
