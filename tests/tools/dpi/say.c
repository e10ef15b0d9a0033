/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * say.c - flows -> the messages of netifyd v3, v4 or v5, framed as theirs.
 *
 * Keys are in the order in which the agent writes them: sorted, "type" last
 * or nearly so.
 */
#include "say.h"
#include "text.h"

#include <arpa/inet.h>
#include <ndpi/ndpi_api.h>
#include <stdio.h>
#include <string.h>

static const char *yes(bool b)
{
	return b ? "true" : "false";
}

static void frame(const struct speaker *s, struct text *t, bool newline)
{
	char head[32];
	int n = 0;

	if (s->framing == FRAMING_BARE)
		newline = false;
	if (newline || s->framing == FRAMING_LINES)
		text_add(t, "\n");
	if (s->framing == FRAMING_LENGTH)
		n = snprintf(head, sizeof(head), "{\"length\":%s%zu}\n",
			     s->dialect == DIALECT_V5 ? "" : " ", t->len);
	if (n)
		s->write(s->ctx, head, (size_t)n);
	s->write(s->ctx, t->buf, t->len);
}

/* ------------------------------------------------------------------- agent */

static const char *const versions[] = {
	[DIALECT_V3] = "3.07",
	[DIALECT_V4] = "\"4.4.7\"",
	[DIALECT_V5] = "\"5.0.7\"",
};

void say_hello(const struct speaker *s)
{
	struct text t = {0};

	text_add(&t,
		 "{\"agent_version\":%s,\"build_version\":\"dpi-agent, a "
		 "stand-in "
		 "for tests\",\"json_version\":1.9,\"type\":\"agent_hello\"}",
		 versions[s->dialect]);
	frame(s, &t, true);
}

void say_status(const struct speaker *s, uint64_t now, size_t flows)
{
	struct text t = {0};

	text_add(&t, "{");
	if (s->dialect == DIALECT_V4)
		text_add(&t, "\"agent_version\":\"4.4.7\",");
	text_add(&t, "\"flow_count\":%zu,", flows);
	if (s->interface) {
		text_add(&t, "\"interfaces\":{");
		text_quote(&t, s->interface);
		text_add(&t, ":{\"mac\":\"%s\",\"role\":\"%s\"", s->mac,
			 s->internal ? "LAN" : "WAN");
		text_add(&t,
			 s->dialect == DIALECT_V3 ? "}}," : ",\"state\":1}},");
	}
	text_add(&t,
		 "\"timestamp\":%llu,\"type\":\"agent_status\",\"update_"
		 "interval\":"
		 "15"
		 ",\"uptime\":%llu",
		 (unsigned long long)now / 1000,
		 (unsigned long long)(now - s->started) / 1000);
	text_add(&t, s->dialect == DIALECT_V5 ? "}" : ",\"version\":1.9}");
	/* v3.07 forgets this one's newline */
	frame(s, &t, s->dialect != DIALECT_V3);
}

static void add_names(struct text *t, const struct name *(*at)(size_t n),
		      const char **comma)
{
	const struct name *n;

	for (size_t i = 0; (n = at(i)); i++) {
		text_add(t, "%s{\"id\":%u,\"tag\":", *comma, n->id);
		text_quote(t, n->tag);
		text_add(t, "}");
		*comma = ",";
	}
}

void say_definitions(const struct speaker *s)
{
	struct text t = {0};
	const char *comma = "";

	if (s->dialect == DIALECT_V5)
		return;
	if (s->dialect == DIALECT_V4) {
		/* v4's applications begin with a copy of the protocols */
		text_add(&t, "{\"applications\":[");
		add_names(&t, name_protocol_at, &comma);
		add_names(&t, name_application_at, &comma);
		text_add(&t, "],\"protocols\":[");
	} else {
		text_add(&t, "{\"protocols\":[");
	}
	comma = "";
	add_names(&t, name_protocol_at, &comma);
	text_add(&t, "],\"type\":\"%s\"}",
		 s->dialect == DIALECT_V4 ? "definitions" : "protocols");
	frame(s, &t, true);
}

/* -------------------------------------------------------------------- flow */

static void begin(const struct speaker *s, struct text *t, bool established)
{
	text_add(t, "{");
	if (s->dialect != DIALECT_V5)
		text_add(t, "\"established\":%s,", yes(established));
	text_add(t, "\"flow\":{");
}

static void end(const struct speaker *s, struct text *t, const char *reason,
		const char *type)
{
	text_add(t, "},\"interface\":");
	text_quote(t, s->interface ? s->interface : "pcap");
	text_add(t, ",\"internal\":%s", yes(s->internal));
	if (reason)
		text_add(t, ",\"reason\":\"%s\"", reason);
	text_add(t, ",\"type\":\"%s\"}", type);
	frame(s, t, true);
}

static void add_side(struct text *t, const struct flow *f, const char *side,
		     const struct endpoint *e)
{
	char ip[INET6_ADDRSTRLEN];
	const uint8_t *m = e->mac;

	inet_ntop(f->ip_version == 6 ? AF_INET6 : AF_INET, e->addr, ip,
		  sizeof(ip));
	text_add(t,
		 "\"%s_ip\":\"%s\",\"%s_mac\":\"%02x:%02x:%02x:%02x:%02x:%"
		 "02x\",",
		 side, ip, side, m[0], m[1], m[2], m[3], m[4], m[5]);
	if (!strcmp(side, "local"))
		text_add(t, "\"local_origin\":%s,", yes(f->local_origin));
	text_add(t, "\"%s_port\":%u", side, e->port);
}

static void add_counters(const struct speaker *s, struct text *t,
			 const struct flow *f)
{
	const struct counters *l = &f->local_sent, *o = &f->other_sent;

	text_add(t, "\"local_bytes\":%llu,\"local_packets\":%llu,",
		 (unsigned long long)l->new_bytes,
		 (unsigned long long)l->new_packets);
	if (s->dialect == DIALECT_V5)
		text_add(t, "\"local_rate\":%.1f,", (double)l->new_bytes);
	text_add(t, "\"other_bytes\":%llu,\"other_packets\":%llu,",
		 (unsigned long long)o->new_bytes,
		 (unsigned long long)o->new_packets);
	if (s->dialect == DIALECT_V5)
		text_add(t, "\"other_rate\":%.1f,", (double)o->new_bytes);
	text_add(t, "\"total_bytes\":%llu,\"total_packets\":%llu",
		 (unsigned long long)(l->bytes + o->bytes),
		 (unsigned long long)(l->packets + o->packets));
}

static void add_texts(struct text *t, const char *object, const char *key1,
		      const char *value1, const char *key2, const char *value2)
{
	const char *comma = "";

	if (!*value1 && !*value2)
		return;
	text_add(t, "\"%s\":{", object);
	if (*value1) {
		text_add(t, "\"%s\":", key1);
		text_quote(t, value1);
		comma = ",";
	}
	if (*value2) {
		text_add(t, "%s\"%s\":", comma, key2);
		text_quote(t, value2);
	}
	text_add(t, "},");
}

static void add_tls(struct text *t, const struct details *d)
{
	if (!d->tls)
		return;
	text_add(t, "\"ssl\":{");
	if (*d->tls_alpn) {
		const char *comma = "", *p = d->tls_alpn;

		text_add(t, "\"alpn\":[");
		while (*p) {
			char one[64];
			size_t n = strcspn(p, ",");

			snprintf(one, sizeof(one), "%.*s", (int)n, p);
			text_add(t, "%s", comma);
			text_quote(t, one);
			comma = ",";
			p += n + (p[n] == ',');
		}
		text_add(t, "],");
	}
	text_add(t, "\"cipher_suite\":\"0x%04x\"", d->tls_cipher);
	if (*d->host) {
		text_add(t, ",\"client_sni\":");
		text_quote(t, d->host);
	}
	if (*d->tls_issuer) {
		text_add(t, ",\"issuer_dn\":");
		text_quote(t, d->tls_issuer);
	}
	if (*d->tls_subject) {
		text_add(t, ",\"subject_dn\":");
		text_quote(t, d->tls_subject);
	}
	text_add(t, ",\"version\":\"0x%04x\"},", d->tls_version);
}

static void add_risks(struct text *t, uint64_t risks)
{
	uint16_t client, server,
		score = ndpi_risk2score(risks, &client, &server);
	const char *comma = "";

	text_add(t,
		 "\"risks\":{\"ndpi_risk_score\":%u,\"ndpi_risk_score_client\":"
		 "%u,"
		 "\"ndpi_risk_score_server\":%u",
		 score, client, server);
	if (risks) {
		text_add(t, ",\"risks\":[");
		for (unsigned int i = 0; i < 64; i++)
			if (risks >> i & 1) {
				text_add(t, "%s%u", comma, i);
				comma = ",";
			}
		text_add(t, "]");
	}
	text_add(t, "},");
}

static const char *const kinds[] = {
	[ADDRESS_OWN] = "local",	   [ADDRESS_PRIVATE] = "local",
	[ADDRESS_REMOTE] = "remote",	   [ADDRESS_MULTICAST] = "multicast",
	[ADDRESS_BROADCAST] = "broadcast",
};

static void add_category(const struct speaker *s, struct text *t,
			 const struct details *d)
{
	if (s->dialect == DIALECT_V3)
		return;
	text_add(t, "\"category\":{\"application\":%u,\"domain\":0,",
		 d->application->category);
	if (s->dialect == DIALECT_V5)
		text_add(t, "\"network\":0,");
	text_add(t, "\"protocol\":%u},", d->protocol->category);
}

static void add_detected(const struct speaker *s, struct text *t,
			 const struct details *d)
{
	const struct name *app = d->application, *proto = d->protocol;

	text_add(t,
		 "\"detected_application\":%u,\"detected_application_name\":",
		 app->id);
	if (s->dialect == DIALECT_V3 && app->id)
		text_add(t, "\"%u.%s\"", app->id, app->tag);
	else
		text_quote(t, app->tag);
	/* v3 does not tell HTTP/S from TLS */
	if (s->dialect == DIALECT_V3 && proto->id == 196)
		text_add(t,
			 ",\"detected_protocol\":91,\"detected_protocol_name\":"
			 "\"TLS\",");
	else
		text_add(t,
			 ",\"detected_protocol\":%u,\"detected_protocol_name\":"
			 "\"%s\",",
			 proto->id, proto->tag);
}

/* All that is known of it; with counters for v5's updates. */
static void add_flow(const struct speaker *s, struct text *t,
		     const struct flow *f, bool counters)
{
	const struct details *d = &f->details;
	bool v3 = s->dialect == DIALECT_V3;

	add_category(s, t, d);
	text_add(t, "\"ct_id\":0,\"ct_mark\":0,");
	add_detected(s, t, d);
	text_add(t, "\"detection_guessed\":%s,",
		 v3 ? (f->guessed ? "1" : "0") : yes(f->guessed));
	if (counters)
		text_add(t, "\"detection_packets\":%u,", f->detection_packets);
	if (!v3)
		text_add(t, "\"detection_updated\":%s,", yes(f->updated));
	text_add(t, "\"dhc_hit\":false,\"digest\":\"%s\",", f->digest);
	if (*f->digest_prev)
		text_add(t, "\"digest_prev\":[\"%s\"],", f->digest_prev);
	text_add(t, "\"first_seen_at\":%llu,",
		 (unsigned long long)f->first_seen);
	if (s->dialect != DIALECT_V5)
		text_add(t, "\"first_update_at\":%llu,",
			 (unsigned long long)f->first_seen);
	/* v3 tells the host name of TLS only as client_sni */
	if (*d->host && !(v3 && d->tls)) {
		text_add(t, "\"host_server_name\":");
		text_quote(t, d->host);
		text_add(t, ",");
	}
	add_texts(t, "http", "url", d->http_url, "user_agent", d->http_agent);
	text_add(t,
		 "\"ip_nat\":%s,\"ip_protocol\":%u,\"ip_version\":%u,"
		 "\"last_seen_at\":%llu,",
		 yes(s->nat && !s->internal), f->ip_protocol, f->ip_version,
		 (unsigned long long)f->last_seen);
	add_side(t, f, "local", &f->local);
	text_add(t, ",");
	add_side(t, f, "other", &f->other);
	text_add(t, ",\"other_type\":\"%s\",", kinds[f->other_kind]);
	if (!v3) {
		add_risks(t, d->risks);
		text_add(t, "\"soft_dissector\":false,");
	}
	add_texts(t, "ssh", "client", d->ssh_client, "server", d->ssh_server);
	add_tls(t, d);
	if (counters) {
		add_counters(s, t, f);
		text_add(t, ",");
	}
	text_add(t, "\"vlan_id\":%u", f->vlan);
}

void say_flow(const struct speaker *s, const struct flow *f, bool established)
{
	struct text t = {0};

	begin(s, &t, established);
	add_flow(s, &t, f, false);
	end(s, &t, NULL, "flow");
}

void say_update(const struct speaker *s, const struct flow *f)
{
	struct text t = {0};

	/* v3 says a flow once; v4 says it again */
	if (s->dialect == DIALECT_V3)
		return;
	begin(s, &t, false);
	add_flow(s, &t, f, s->dialect == DIALECT_V5);
	end(s, &t, NULL, s->dialect == DIALECT_V5 ? "flow_dpi_update" : "flow");
}

static void say_counts(const struct speaker *s, const struct flow *f,
		       const char *reason, const char *type)
{
	struct text t = {0};

	begin(s, &t, false);
	text_add(&t,
		 "\"detection_packets\":%u,\"digest\":\"%s\",\"last_seen_at\":%"
		 "llu,",
		 f->detection_packets, f->digest,
		 (unsigned long long)f->last_seen);
	add_counters(s, &t, f);
	end(s, &t, reason, type);
}

void say_complete(const struct speaker *s, const struct flow *f)
{
	if (s->dialect == DIALECT_V5)
		say_counts(s, f, NULL, "flow_dpi_complete");
}

void say_stats(const struct speaker *s, const struct flow *f)
{
	if (s->dialect != DIALECT_V3)
		say_counts(s, f, NULL, "flow_stats");
}

void say_purge(const struct speaker *s, const struct flow *f,
	       const char *reason)
{
	say_counts(s, f, reason, "flow_purge");
}
