/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c - what happened to a membership, as one line of a format. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "record.h"

const char *const fg_log_events[FG_LOG_EVENT_COUNT] = {
	[FG_LOG_ENTER] = "enter",
	[FG_LOG_LEAVE] = "leave",
	[FG_LOG_UPDATE] = "update",
};

static const char *const reasons[] = {
	[FG_REASON_DETECTED] = "detected",
	[FG_REASON_RECLASSIFIED] = "reclassified",
	[FG_REASON_REKEYED] = "rekeyed",
	[FG_REASON_PURGED] = "purged",
	[FG_REASON_IDLE] = "idle",
	[FG_REASON_EVICTED] = "evicted",
	[FG_REASON_SOURCE_LOST] = "source-lost",
	[FG_REASON_SCHEDULE] = "schedule",
	[FG_REASON_RELOAD] = "reload",
	[FG_REASON_NAMES] = "names",
	[FG_REASON_TARGET] = "target",
	[FG_REASON_STOP] = "stop",
	[FG_REASON_RESTART] = "restart",
};
_Static_assert(sizeof(reasons) / sizeof(*reasons) == FG_REASON_COUNT,
	       "a word for each reason");

/* -------------------------------------------------------------- values */

/* What a field holds; scratch is where text that is made here is kept. */
struct value {
	enum { NOTHING, NUMBER, TEXT } kind;
	uint64_t u;
	struct fg_slice text;
	char scratch[64];
};

static void text(struct value *v, const char *s)
{
	v->kind = TEXT;
	v->text = fg_slice(s, strlen(s));
}

static void number(struct value *v, uint64_t u)
{
	v->kind = NUMBER;
	v->u = u;
}

static void get_time(const struct fg_record *r, struct value *v)
{
	time_t s = (time_t)(r->wall / 1000);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(v->scratch, sizeof(v->scratch), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(v->scratch + n, sizeof(v->scratch) - n, ".%03dZ",
		 (int)(r->wall % 1000));
	text(v, v->scratch);
}

static void get_event(const struct fg_record *r, struct value *v)
{
	text(v, fg_log_events[r->event]);
}

static void get_mode(const struct fg_record *r, struct value *v)
{
	text(v, r->member->observe ? "observe" : "enforce");
}

static void get_reason(const struct fg_record *r, struct value *v)
{
	text(v, reasons[r->reason]);
}

static void get_target(const struct fg_record *r, struct value *v)
{
	text(v, r->target);
}

static void get_action(const struct fg_record *r, struct value *v)
{
	text(v, r->member->action);
}

static void get_targets(const struct fg_record *r, struct value *v)
{
	text(v, r->member->targets);
}

static void get_source(const struct fg_record *r, struct value *v)
{
	text(v, r->host->source_name(r->host, r->flow->source));
}

static void get_interface(const struct fg_record *r, struct value *v)
{
	text(v, r->host->interface_name(r->host, r->flow->interface));
}

static void get_digest(const struct fg_record *r, struct value *v)
{
	static const char digits[] = "0123456789abcdef";
	char *to = v->scratch;

	for (size_t i = 0; i < FG_DIGEST_SIZE; i++) {
		*to++ = digits[r->flow->digest[i] >> 4];
		*to++ = digits[r->flow->digest[i] & 15];
	}
	*to = '\0';
	text(v, v->scratch);
}

static void get_protocol_number(const struct fg_record *r, struct value *v)
{
	number(v, r->flow->ip_protocol);
}

static void get_local_mac(const struct fg_record *r, struct value *v)
{
	if (r->flow->flags & FG_FLOW_HAS_LOCAL_MAC)
		text(v, fg_mac_format(r->flow->local_mac, v->scratch));
}

static void get_local_ip(const struct fg_record *r, struct value *v)
{
	text(v, fg_addr_format(r->flow->ip_version, r->flow->local_addr,
			       v->scratch));
}

static void get_local_port(const struct fg_record *r, struct value *v)
{
	number(v, r->flow->local_port);
}

static void get_other_ip(const struct fg_record *r, struct value *v)
{
	text(v, fg_addr_format(r->flow->ip_version, r->flow->other_addr,
			       v->scratch));
}

static void get_other_port(const struct fg_record *r, struct value *v)
{
	number(v, r->flow->other_port);
}

static void endpoint(struct value *v, const struct fg_flow *f,
		     const uint8_t addr[16], uint16_t port)
{
	char ip[FG_ADDR_TEXT];

	fg_addr_format(f->ip_version, addr, ip);
	snprintf(v->scratch, sizeof(v->scratch),
		 f->ip_version == 6 ? "[%s]:%u" : "%s:%u", ip, port);
	text(v, v->scratch);
}

static void get_local(const struct fg_record *r, struct value *v)
{
	endpoint(v, r->flow, r->flow->local_addr, r->flow->local_port);
}

static void get_other(const struct fg_record *r, struct value *v)
{
	endpoint(v, r->flow, r->flow->other_addr, r->flow->other_port);
}

static void get_protocol(const struct fg_record *r, struct value *v)
{
	text(v, r->host->name(r->host, FG_NAME_PROTOCOL, r->flow->protocol));
}

static void get_application(const struct fg_record *r, struct value *v)
{
	text(v,
	     r->host->name(r->host, FG_NAME_APPLICATION, r->flow->application));
}

/* The server's name: what the client asked for, else what it resolved. */
static void get_host_name(const struct fg_record *r, struct value *v)
{
	static const enum fg_attr from[] = {FG_ATTR_HOST_SERVER_NAME,
					    FG_ATTR_TLS_SNI,
					    FG_ATTR_DNS_HOST_NAME};
	union fg_value got;

	for (size_t i = 0; i < sizeof(from) / sizeof(*from); i++)
		if (r->host->flow_get(r->host, r->flow, from[i], &got) &&
		    got.text.len) {
			v->kind = TEXT;
			v->text = got.text;
			return;
		}
}

/* Counters are worth a line only when they are final. */
#define COUNTER(name, field)                                                   \
	static void get_##name(const struct fg_record *r, struct value *v)     \
	{                                                                      \
		if (r->event == FG_LOG_LEAVE)                                  \
			number(v, r->flow->field);                             \
	}
COUNTER(local_bytes, local_bytes)
COUNTER(other_bytes, other_bytes)
COUNTER(local_packets, local_packets)
COUNTER(other_packets, other_packets)
COUNTER(duration, age_ms)

struct field {
	const char *name;
	void (*get)(const struct fg_record *r, struct value *v);
};

static const struct field fields[] = {
	{"time", get_time},
	{"event", get_event},
	{"mode", get_mode},
	{"reason", get_reason},
	{"target", get_target},
	{"action", get_action},
	{"targets", get_targets},
	{"source", get_source},
	{"interface", get_interface},
	{"digest", get_digest},
	{"ip_protocol", get_protocol_number},
	{"local_mac", get_local_mac},
	{"local_ip", get_local_ip},
	{"local_port", get_local_port},
	{"other_ip", get_other_ip},
	{"other_port", get_other_port},
	{"protocol", get_protocol},
	{"application", get_application},
	{"host_name", get_host_name},
	{"local_bytes", get_local_bytes},
	{"other_bytes", get_other_bytes},
	{"local_packets", get_local_packets},
	{"other_packets", get_other_packets},
	{"duration_ms", get_duration},
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

static const struct field columns[] = {
	{"time", get_time},	      {"digest", get_digest},
	{"local", get_local},	      {"other", get_other},
	{"protocol", get_protocol},   {"application", get_application},
	{"host_name", get_host_name},
};
#define COLUMNS (sizeof(columns) / sizeof(*columns))

/* ------------------------------------------------------------- formats */

static size_t end(const struct fg_line *l)
{
	return l->overfull ? 0 : l->len;
}

size_t fg_record_csv(const struct fg_record *r, char *buf, size_t size)
{
	struct fg_line l = fg_line(buf, size);
	struct value v;

	for (size_t i = 0; i < COLUMNS; i++) {
		v.kind = NOTHING;
		columns[i].get(r, &v);
		if (i)
			fg_line_put(&l, ",");
		if (v.kind == TEXT)
			fg_line_csv(&l, v.text);
	}
	fg_line_put(&l, "\n");
	return end(&l);
}

size_t fg_record_json(const struct fg_record *r, char *buf, size_t size)
{
	struct fg_line l = fg_line(buf, size);
	const char *before = "{\"";
	struct value v;

	for (size_t i = 0; i < FIELDS; i++) {
		v.kind = NOTHING;
		fields[i].get(r, &v);
		if (v.kind == NOTHING)
			continue;
		fg_line_put(&l, before);
		fg_line_put(&l, fields[i].name);
		fg_line_put(&l, "\":");
		if (v.kind == NUMBER)
			fg_line_uint(&l, v.u);
		else
			fg_line_json(&l, v.text);
		before = ",\"";
	}
	fg_line_put(&l, "}\n");
	return end(&l);
}

/* facility daemon (3), severity info (6) */
#define PRIORITY "<30>"

size_t fg_record_syslog(const struct fg_record *r, char *buf, size_t size)
{
	struct fg_line l = fg_line(buf, size);
	time_t s = (time_t)(r->wall / 1000);
	char stamp[32];
	struct value v;
	struct tm tm;

	/* local time, as every writer to /dev/log has it */
	localtime_r(&s, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	fg_line_put(&l, PRIORITY);
	fg_line_put(&l, stamp);
	fg_line_put(&l, " flowgated[");
	fg_line_uint(&l, (uint64_t)getpid());
	fg_line_put(&l, "]:");
	for (size_t i = 1; i < FIELDS; i++) { /* the time is there already */
		v.kind = NOTHING;
		fields[i].get(r, &v);
		if (v.kind == NOTHING)
			continue;
		fg_line_put(&l, " ");
		fg_line_put(&l, fields[i].name);
		fg_line_put(&l, "=");
		if (v.kind == NUMBER)
			fg_line_uint(&l, v.u);
		else
			fg_line_value(&l, v.text);
	}
	fg_line_bytes(&l, "", 1);
	return end(&l);
}

static void journal_field(struct fg_line *l, const char *name,
			  const struct value *v)
{
	fg_line_put(l, "FLOWGATE_");
	for (; *name; name++) {
		char c = *name >= 'a' && *name <= 'z'
				 ? (char)(*name - 'a' + 'A')
				 : *name;

		fg_line_bytes(l, &c, 1);
	}
	fg_line_put(l, "=");
	if (v->kind == NUMBER)
		fg_line_uint(l, v->u);
	else
		fg_line_plain(l, v->text);
	fg_line_put(l, "\n");
}

size_t fg_record_journal(const struct fg_record *r, char *buf, size_t size)
{
	static const struct field message[] = {
		{"", get_event},	{" ", get_target},
		{": ", get_local},	{" - ", get_other},
		{" ", get_application}, {" ", get_host_name},
	};
	struct fg_line l = fg_line(buf, size);
	struct value v;

	fg_line_put(&l, "PRIORITY=6\nSYSLOG_IDENTIFIER=flowgated\nMESSAGE=");
	for (size_t i = 0; i < sizeof(message) / sizeof(*message); i++) {
		v.kind = NOTHING;
		message[i].get(r, &v);
		if (v.kind != TEXT)
			continue;
		fg_line_put(&l, message[i].name);
		fg_line_plain(&l, v.text);
	}
	fg_line_put(&l, "\n");
	for (size_t i = 1; i < FIELDS; i++) {
		v.kind = NOTHING;
		fields[i].get(r, &v);
		if (v.kind != NOTHING)
			journal_field(&l, fields[i].name, &v);
	}
	fg_line_bytes(&l, "", 1);
	return end(&l);
}
