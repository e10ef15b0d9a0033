/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.c - what there is, as text and as JSON. */
#include "show.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/text.h"
#include "gate.h"
#include "setup.h"
#include "source.h"

const char *const fg_event_names[] = {
	[FG_EVENT_ANNOUNCED] = "announced",
	[FG_EVENT_UPDATED] = "updated",
	[FG_EVENT_COUNTED] = "counted",
	[FG_EVENT_REMOVED] = "removed",
};

const char *const fg_reason_names[FG_REASON_COUNT] = {
	[FG_REASON_DETECTED] = "detected",
	[FG_REASON_RECLASSIFIED] = "reclassified",
	[FG_REASON_REKEYED] = "rekeyed",
	[FG_REASON_PURGED] = "purged",
	[FG_REASON_IDLE] = "idle",
	[FG_REASON_EVICTED] = "evicted",
	[FG_REASON_SOURCE_LOST] = "source lost",
	[FG_REASON_SCHEDULE] = "schedule",
	[FG_REASON_RELOAD] = "reload",
	[FG_REASON_NAMES] = "names",
	[FG_REASON_TARGET] = "target",
	[FG_REASON_STOP] = "stop",
	[FG_REASON_RESTART] = "restart",
};

/* ------------------------------------------------------------------ flows */

/* A table of our own: /etc/protocols may be absent, or out of reach. */
static const char *ip_protocol(uint8_t n, char digits[4])
{
	static const char *const names[] = {
		[1] = "icmp",	[2] = "igmp",	 [4] = "ipip",
		[6] = "tcp",	[17] = "udp",	 [33] = "dccp",
		[41] = "ipv6",	[47] = "gre",	 [50] = "esp",
		[51] = "ah",	[58] = "icmpv6", [88] = "eigrp",
		[89] = "ospf",	[103] = "pim",	 [112] = "vrrp",
		[115] = "l2tp", [132] = "sctp",	 [136] = "udplite",
	};

	if (n < sizeof(names) / sizeof(*names) && names[n])
		return names[n];
	snprintf(digits, 4, "%u", n);
	return digits;
}

static const char *name_of(struct fg_gate *g, enum fg_name kind, uint32_t id)
{
	const char *name = id ? fg_catalog_name(g->catalog, kind, id) : NULL;

	return name ? name : "";
}

/* The name that the connection is about, from whatever said it. */
static struct fg_slice host_of(struct fg_gate *g, const struct fg_flow *flow)
{
	static const enum fg_attr places[] = {FG_ATTR_HOST_SERVER_NAME,
					      FG_ATTR_TLS_SNI,
					      FG_ATTR_DNS_HOST_NAME};
	union fg_value v;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (fg_flow_get(g->table, flow, places[i], &v) &&
		    v.text.len > 0)
			return v.text;
	return fg_slice("", 0);
}

struct membership_list {
	struct fg_reply *reply;
	const char *separator;
	bool json;
};

static void add_membership(void *ctx, const struct fg_target *t,
			   const struct fg_member *member)
{
	struct membership_list *l = ctx;

	fg_reply_printf(l->reply, "%s", l->separator);
	l->separator = ",";
	if (!l->json) {
		fg_reply_printf(l->reply, "%s%s", t->name,
				member->observe ? "(observed)" : "");
		return;
	}
	fg_reply_printf(l->reply, "{\"target\":");
	fg_reply_json_text(l->reply, t->name);
	fg_reply_printf(l->reply, ",\"action\":");
	fg_reply_json_text(l->reply, member->action);
	fg_reply_printf(l->reply, ",\"observe\":%s}",
			member->observe ? "true" : "false");
}

static void add_mac(struct fg_reply *r, const char *key, bool has,
		    const uint8_t mac[6])
{
	char text[FG_MAC_TEXT];

	if (has)
		fg_reply_printf(r, ",\"%s\":\"%s\"", key,
				fg_mac_format(mac, text));
}

void fg_show_flow_object(struct fg_reply *r, struct fg_gate *g,
			 const struct fg_flow *f)
{
	struct membership_list list = {r, "", true};
	char local[FG_ADDR_TEXT], other[FG_ADDR_TEXT];
	int64_t quiet = fg_loop_now(g->loop) - fg_flow_touched(g->table, f);

	fg_reply_printf(r, "{\"source\":");
	fg_reply_json_text(r, g->slots[f->source].name);
	fg_reply_printf(r, ",\"digest\":\"");
	for (size_t i = 0; i < FG_DIGEST_SIZE; i++)
		fg_reply_printf(r, "%02x", f->digest[i]);
	fg_reply_printf(r, "\",\"interface\":");
	fg_reply_json_text(r, fg_flow_interface_name(g->table, f->interface));
	fg_reply_printf(r,
			",\"internal\":%s,\"local_origin\":%s,\"ip_version\":%"
			"u,\"ip_protocol\":%u,\"local_ip\":\"%s\",\"local_"
			"port\":%u,\"other_ip\":\"%s\",\"other_port\":%u",
			f->flags & FG_FLOW_INTERNAL ? "true" : "false",
			f->flags & FG_FLOW_LOCAL_ORIGIN ? "true" : "false",
			f->ip_version, f->ip_protocol,
			fg_addr_format(f->ip_version, f->local_addr, local),
			f->local_port,
			fg_addr_format(f->ip_version, f->other_addr, other),
			f->other_port);
	add_mac(r, "local_mac", f->flags & FG_FLOW_HAS_LOCAL_MAC, f->local_mac);
	add_mac(r, "other_mac", f->flags & FG_FLOW_HAS_OTHER_MAC, f->other_mac);
	fg_reply_printf(
		r, ",\"application_id\":%u,\"application\":", f->application);
	fg_reply_json_text(r, name_of(g, FG_NAME_APPLICATION, f->application));
	fg_reply_printf(r, ",\"protocol_id\":%u,\"protocol\":", f->protocol);
	fg_reply_json_text(r, name_of(g, FG_NAME_PROTOCOL, f->protocol));
	fg_reply_printf(r, ",\"host\":");
	fg_reply_json(r, host_of(g, f));
	fg_reply_printf(
		r,
		",\"first_seen_ms\":%" PRIu64
		",\"quiet_s\":%lld,\"local_bytes\":%" PRIu64
		",\"other_bytes\":%" PRIu64
		",\"local_packets\":%u,\"other_packets\":%u,\"local_rate\":%."
		"0f,\"other_rate\":%.0f,\"members\":[",
		f->first_seen, (long long)(quiet < 0 ? 0 : quiet / 1000),
		f->local_bytes, f->other_bytes, f->local_packets,
		f->other_packets, (double)f->local_rate, (double)f->other_rate);
	fg_membership_of(g->membership, f, add_membership, &list);
	fg_reply_printf(r, "]}");
}

static void add_endpoint(struct fg_reply *r, int version,
			 const uint8_t addr[16], uint16_t port)
{
	char text[FG_ADDR_TEXT], both[FG_ADDR_TEXT + 8];

	snprintf(both, sizeof(both), version == 6 ? "[%s]:%u" : "%s:%u",
		 fg_addr_format(version, addr, text), port);
	fg_reply_printf(r, "%-21s", both);
}

void fg_show_flow_text(struct fg_reply *r, struct fg_gate *g,
		       const struct fg_flow *f)
{
	struct membership_list list = {r, " -> ", false};
	const char *application =
		name_of(g, FG_NAME_APPLICATION, f->application);
	const char *protocol = name_of(g, FG_NAME_PROTOCOL, f->protocol);
	struct fg_slice host = host_of(g, f);
	char digits[4];

	add_endpoint(r, f->ip_version, f->local_addr, f->local_port);
	fg_reply_printf(r, " %s ",
			f->flags & FG_FLOW_LOCAL_ORIGIN ||
					!(f->flags & FG_FLOW_HAS_ORIGIN)
				? ">"
				: "<");
	add_endpoint(r, f->ip_version, f->other_addr, f->other_port);
	fg_reply_printf(r, " %-4s ", ip_protocol(f->ip_protocol, digits));
	fg_reply_shown(
		r, fg_slice(*application ? application : "unknown",
			    strlen(*application ? application : "unknown")));
	fg_reply_printf(r, " ");
	fg_reply_shown(r, fg_slice(*protocol ? protocol : "-",
				   strlen(*protocol ? protocol : "-")));
	if (host.len) {
		fg_reply_printf(r, " ");
		fg_reply_shown(r, host);
	}
	fg_membership_of(g->membership, f, add_membership, &list);
}

void fg_show_flow(struct fg_reply *r, struct fg_gate *g,
		  const struct fg_flow *flow, bool json, const char *event,
		  const char *reason)
{
	if (!json) {
		if (event)
			fg_reply_printf(r, "%-10s", event);
		fg_show_flow_text(r, g, flow);
		if (event && reason)
			fg_reply_printf(r, " (%s)", reason);
	} else if (event) {
		fg_reply_printf(r,
				"{\"event\":\"%s\",\"reason\":\"%s\",\"flow\":",
				event, reason);
		fg_show_flow_object(r, g, flow);
		fg_reply_printf(r, "}");
	} else {
		fg_show_flow_object(r, g, flow);
	}
	fg_reply_printf(r, "\n");
}

/* ---------------------------------------------------------------- targets */

static void add_counter(void *ctx, const char *name, uint64_t value)
{
	struct fg_show_counters *own = ctx;

	if (own->count == FG_SHOW_COUNTERS)
		return;
	snprintf(own->counters[own->count].name, sizeof(own->counters[0].name),
		 "%s", name);
	own->counters[own->count++].value = value;
}

void fg_show_target_status(const struct fg_target *t, struct fg_status *s,
			   struct fg_show_counters *own)
{
	own->count = 0;
	*s = (struct fg_status){.size = sizeof(*s),
				.state = t->type ? "ok" : "disabled",
				.reason = "",
				.more = add_counter,
				.ctx = own};
	if (t->type && t->type->status)
		t->type->status(t->instance, s);
}

static const char *target_type(struct fg_gate *g, size_t n)
{
	return fg_setup_settings(g->setup)->targets[n].type;
}

static void target_object(struct fg_reply *r, struct fg_gate *g, size_t n)
{
	const struct fg_target *t = fg_setup_target(g->setup, n);
	struct fg_status s;
	struct fg_show_counters m;

	fg_show_target_status(t, &s, &m);
	fg_reply_printf(r, "{\"name\":");
	fg_reply_json_text(r, t->name);
	fg_reply_printf(r, ",\"type\":");
	fg_reply_json_text(r, target_type(g, n));
	fg_reply_printf(r,
			",\"members\":%" PRIu64 ",\"elements\":%" PRIu64
			",\"adds\":%" PRIu64 ",\"deletes\":%" PRIu64
			",\"renewals\":%" PRIu64 ",\"errors\":%" PRIu64
			",\"rebuilds\":%" PRIu64 ",\"state\":",
			t->members, s.elements, s.adds, s.deletes, s.renewals,
			s.errors, s.rebuilds);
	fg_reply_json_text(r, s.state);
	fg_reply_printf(r, ",\"reason\":");
	fg_reply_json_text(r, s.reason);
	fg_reply_printf(r,
			",\"observed\":%" PRIu64 ",\"refused\":%" PRIu64
			",\"pending\":%" PRIu64 ",\"counters\":{",
			t->observed, t->refused, s.pending);
	for (size_t i = 0; i < m.count; i++) {
		fg_reply_printf(r, "%s", i ? "," : "");
		fg_reply_json_text(r, m.counters[i].name);
		fg_reply_printf(r, ":%" PRIu64, m.counters[i].value);
	}
	fg_reply_printf(r, "}}");
}

static void target_text(struct fg_reply *r, struct fg_gate *g, size_t n,
			bool all)
{
	const struct fg_target *t = fg_setup_target(g->setup, n);
	struct fg_status s;
	struct fg_show_counters m;

	fg_show_target_status(t, &s, &m);
	fg_reply_printf(r, "  %-20s %-10s ", t->name, target_type(g, n));
	fg_reply_state(r, s.state,
		       !strcmp(s.state, "ok") || !strcmp(s.state, "disabled"));
	fg_reply_printf(r,
			" %8" PRIu64 " member%-1s %8" PRIu64
			" element%-1s %10" PRIu64 " add%-1s %10" PRIu64
			" delete%-1s %6" PRIu64 " error%s\n",
			t->members, FG_S(t->members), s.elements,
			FG_S(s.elements), s.adds, FG_S(s.adds), s.deletes,
			FG_S(s.deletes), s.errors, FG_S(s.errors));
	if (*s.reason) {
		fg_reply_printf(r, "    ");
		fg_reply_shown(r, fg_slice(s.reason, strlen(s.reason)));
		fg_reply_printf(r, "\n");
	}
	if (!all)
		return;
	if (t->observed || t->refused)
		fg_reply_printf(
			r, "    observed %" PRIu64 ", refused %" PRIu64 "\n",
			t->observed, t->refused);
	for (size_t i = 0; i < m.count; i++)
		fg_reply_printf(r, "    %-30s %" PRIu64 "\n",
				m.counters[i].name, m.counters[i].value);
}

void fg_show_targets(struct fg_reply *r, struct fg_gate *g, bool json)
{
	size_t n = fg_setup_target_count(g->setup);

	fg_reply_printf(r, "%s", json ? "[" : "");
	for (size_t i = 0; i < n; i++) {
		if (json) {
			fg_reply_printf(r, "%s", i ? "," : "");
			target_object(r, g, i);
		} else {
			target_text(r, g, i, true);
		}
	}
	fg_reply_printf(r, "%s", json ? "]\n" : "");
}

/* ----------------------------------------------------------------- status */

static void source_object(struct fg_reply *r, const struct fg_source *source)
{
	struct fg_source_status s;

	fg_source_status(source, &s);
	fg_reply_printf(r, "{\"name\":");
	fg_reply_json_text(r, s.name);
	fg_reply_printf(r, ",\"url\":");
	fg_reply_json_text(r, s.url);
	fg_reply_printf(r, ",\"state\":\"%s\",\"agent\":", s.state);
	fg_reply_json_text(r, s.agent);
	fg_reply_printf(r,
			",\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64
			",\"skipped\":%" PRIu64 ",\"reconnects\":%" PRIu64
			",\"input\":",
			s.messages, s.bytes, s.skipped, s.reconnects);
	fg_reply_json_text(r, s.input);
	fg_reply_printf(r, ",\"reason\":");
	fg_reply_json_text(r, s.reason);
	fg_reply_printf(r, "}");
}

static void source_text(struct fg_reply *r, const struct fg_source *source)
{
	struct fg_source_status s;

	fg_source_status(source, &s);
	fg_reply_printf(r, "  %-20s ", s.name);
	fg_reply_shown(r, fg_slice(s.url, strlen(s.url)));
	fg_reply_printf(r, "  ");
	fg_reply_state(r, s.state,
		       !strcmp(s.state, "connected") ||
			       !strcmp(s.state, "ended"));
	fg_reply_printf(r,
			"agent %s, %" PRIu64 " message%s, %" PRIu64
			" skipped, %" PRIu64 " reconnect%s\n",
			*s.agent ? s.agent : "unknown", s.messages,
			FG_S(s.messages), s.skipped, s.reconnects,
			FG_S(s.reconnects));
	if (*s.reason) {
		fg_reply_printf(r, "    ");
		fg_reply_shown(r, fg_slice(s.reason, strlen(s.reason)));
		fg_reply_printf(r, "\n");
	}
}

static void status_json(struct fg_reply *r, struct fg_gate *g)
{
	const struct fg_source *source = NULL;
	const char *separator = "";
	struct fg_membership_counts n;
	struct fg_flow_counts f;

	fg_membership_counts(g->membership, &n);
	fg_flow_counts(g->table, &f);
	fg_reply_printf(r,
			"{\"version\":\"%s\",\"uptime_s\":%lld,\"pid\":%d,"
			"\"sources\":[",
			FG_VERSION,
			(long long)(fg_loop_now(g->loop) - g->started) / 1000,
			(int)getpid());
	while ((source = fg_setup_next_source(g->setup, source)) != NULL) {
		fg_reply_printf(r, "%s", separator);
		source_object(r, source);
		separator = ",";
	}
	fg_reply_printf(
		r,
		"],\"flows\":{\"live\":%u,\"peak\":%u,\"announced\":%" PRIu64
		",\"updated\":%" PRIu64 ",\"purged\":%" PRIu64
		",\"unknown\":%" PRIu64 ",\"evicted\":%" PRIu64
		",\"refused\":%" PRIu64 ",\"idle\":%" PRIu64
		",\"source_lost\":%" PRIu64 ",\"detail_bytes\":%" PRIu64
		",\"detail_dropped\":%" PRIu64 ",\"max\":%u},\"targets\":",
		f.live, f.peak, n.announced, n.updated, n.purged, n.unknown,
		n.evicted, n.refused, n.idle, n.source_lost, f.detail_used,
		f.detail_dropped, g->limits.max_flows);
	fg_show_targets(r, g, true);
	r->len -= r->len > 0; /* its newline */
	fg_reply_printf(r, ",\"stuck_jobs\":%" PRIu64 "}\n",
			fg_loop_stuck(g->loop));
}

/* Once for all targets of a type. */
static void kernel_text(struct fg_reply *r, struct fg_gate *g)
{
	const char *title = "\nkernel\n";
	const char *last = "";

	for (size_t i = 0; i < fg_setup_target_count(g->setup); i++) {
		struct fg_show_counters m;
		struct fg_status s;

		fg_show_target_status(fg_setup_target(g->setup, i), &s, &m);
		if (!s.kernel || !strcmp(target_type(g, i), last))
			continue;
		last = target_type(g, i);
		fg_reply_printf(r, "%s  %-20s ", title, last);
		fg_reply_shown(r, fg_slice(s.kernel, strlen(s.kernel)));
		fg_reply_printf(r, "\n");
		title = "";
	}
}

static void status_text(struct fg_reply *r, struct fg_gate *g)
{
	const struct fg_source *source = NULL;
	long long up = (long long)(fg_loop_now(g->loop) - g->started) / 1000;
	struct fg_membership_counts n;
	struct fg_flow_counts f;

	fg_membership_counts(g->membership, &n);
	fg_flow_counts(g->table, &f);
	fg_reply_printf(r,
			"flowgated %s, pid %d, up %lld d "
			"%02lld:%02lld:%02lld\n\nsources\n",
			FG_VERSION, (int)getpid(), up / 86400, up / 3600 % 24,
			up / 60 % 60, up % 60);
	while ((source = fg_setup_next_source(g->setup, source)) != NULL)
		source_text(r, source);
	fg_reply_printf(
		r,
		"\nflows\n  live %u (peak %u, at most %u), announced %" PRIu64
		", updated %" PRIu64 ", purged %" PRIu64 ", unknown %" PRIu64
		", evicted %" PRIu64 "\n\ntargets\n",
		f.live, f.peak, g->limits.max_flows, n.announced, n.updated,
		n.purged, n.unknown, n.evicted);
	for (size_t i = 0; i < fg_setup_target_count(g->setup); i++)
		target_text(r, g, i, false);
	kernel_text(r, g);
}

void fg_show_status(struct fg_reply *r, struct fg_gate *g, bool json)
{
	if (json)
		status_json(r, g);
	else
		status_text(r, g);
}
