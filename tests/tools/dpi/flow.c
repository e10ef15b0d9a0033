/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.c - packets -> flows, and what nDPI makes of them.
 */
#include "flow.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <ndpi/ndpi_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

/* netifyd looks at ten packets before it gives up; at more of a flow that it
 * knows, for what the server says (certificate, cipher). */
#define DETECT_PACKETS 10
#define EXTRA_PACKETS  24

struct tracker {
	struct tracker_options opt;
	struct ndpi_detection_module_struct *ndpi;
	size_t count;
	struct flow *buckets[BUCKETS];
};

struct tracker *tracker_new(const struct tracker_options *opt)
{
	struct tracker *t = calloc(1, sizeof(*t));
	NDPI_PROTOCOL_BITMASK all;

	if (!t)
		err(1, NULL);
	t->opt = *opt;
	t->ndpi = ndpi_init_detection_module(ndpi_no_prefs);
	if (!t->ndpi)
		errx(1, "nDPI does not start");
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(t->ndpi, &all);
	ndpi_finalize_initialization(t->ndpi);
	return t;
}

static void detection_end(struct flow *f)
{
	if (!f->ndpi)
		return;
	ndpi_flow_free(f->ndpi); /* and what hangs on it */
	f->ndpi = NULL;
}

void tracker_free(struct tracker *t)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (t->buckets[i]) {
			struct flow *f = t->buckets[i];

			t->buckets[i] = f->next;
			detection_end(f);
			free(f);
		}
	ndpi_exit_detection_module(t->ndpi);
	free(t);
}

/* ---------------------------------------------------------------- identity */

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3; /* FNV-1a */
	return h;
}

static uint64_t hash_tuple(uint64_t h, const struct flow *f)
{
	h = hash(h, &f->ip_protocol, sizeof(f->ip_protocol));
	h = hash(h, &f->vlan, sizeof(f->vlan));
	h = hash(h, f->local.addr, sizeof(f->local.addr));
	h = hash(h, &f->local.port, sizeof(f->local.port));
	h = hash(h, f->other.addr, sizeof(f->other.addr));
	return hash(h, &f->other.port, sizeof(f->other.port));
}

/* As long as the agent's, and of the same inputs; not the same bytes. */
static void digest_make(const struct tracker *t, struct flow *f,
			bool with_details)
{
	uint64_t h[3] = {0xcbf29ce484222325, 0x84222325cbf29ce4,
			 0x9e3779b97f4a7c15};

	for (int i = 0; i < 3; i++) {
		if (t->opt.interface)
			h[i] = hash(h[i], t->opt.interface,
				    strlen(t->opt.interface));
		h[i] = hash_tuple(h[i], f);
		if (with_details)
			h[i] = hash(h[i], f->details.host,
				    strlen(f->details.host));
	}
	snprintf(f->digest, sizeof(f->digest), "%016llx%016llx%08x",
		 (unsigned long long)h[0], (unsigned long long)h[1],
		 (unsigned int)h[2]);
}

/* Which of two is the local side: the nearer one, else the lower address. */
static bool first_is_local(const struct tracker *t, const struct packet *p,
			   enum address_kind *other)
{
	enum address_kind from =
		address_kind(&t->opt.local, p->from.addr, p->ip_version);
	enum address_kind to =
		address_kind(&t->opt.local, p->to.addr, p->ip_version);
	int order = memcmp(p->from.addr, p->to.addr, sizeof(p->from.addr));
	bool first = from != to ? from < to
		     : order	? order < 0
				: p->from.port < p->to.port;

	*other = first ? to : from;
	return first;
}

static struct flow *flow_of(struct tracker *t, const struct packet *p)
{
	struct flow key = {.ip_version = p->ip_version,
			   .ip_protocol = p->ip_protocol,
			   .vlan = p->vlan};
	struct flow *f, **bucket;

	key.local_origin = first_is_local(t, p, &key.other_kind);
	key.local = key.local_origin ? p->from : p->to;
	key.other = key.local_origin ? p->to : p->from;
	bucket = &t->buckets[hash_tuple(0xcbf29ce484222325, &key) % BUCKETS];
	for (f = *bucket; f; f = f->next)
		if (f->ip_protocol == key.ip_protocol && f->vlan == key.vlan &&
		    f->ip_version == key.ip_version &&
		    f->local.port == key.local.port &&
		    f->other.port == key.other.port &&
		    !memcmp(f->local.addr, key.local.addr, 16) &&
		    !memcmp(f->other.addr, key.other.addr, 16))
			return f;
	f = malloc(sizeof(*f));
	if (!f)
		err(1, NULL);
	*f = key;
	f->first_seen = p->at;
	f->details.application = name_application_at(0);
	f->details.protocol = name_protocol_at(0);
	digest_make(t, f, false);
	if (f->ip_protocol == IPPROTO_TCP || f->ip_protocol == IPPROTO_UDP) {
		f->ndpi = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
		if (!f->ndpi)
			err(1, NULL);
		memset(f->ndpi, 0, SIZEOF_FLOW_STRUCT);
	}
	f->next = *bucket;
	*bucket = f;
	t->count++;
	return f;
}

/* --------------------------------------------------------------- detection */

static void take(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

/* The agent cuts host names at the first byte that is none of a name's. */
static void take_host(char *out, size_t size, const char *host)
{
	take(out, size, host);
	out[strspn(out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789._-")] = '\0';
}

static bool speaks(ndpi_protocol p, uint16_t id)
{
	return p.master_protocol == id || p.app_protocol == id;
}

static void take_details(struct flow *f, ndpi_protocol p)
{
	const struct ndpi_flow_struct *n = f->ndpi;
	struct details *d = &f->details;
	uint16_t master =
		p.master_protocol ? p.master_protocol : p.app_protocol;

	take_host(d->host, sizeof(d->host), n->host_server_name);
	d->application = name_application(d->host, p.app_protocol);
	d->protocol =
		name_protocol(master, f->ip_protocol,
			      f->local_origin ? f->other.port : f->local.port);
	d->risks = n->risk;
	d->tls = speaks(p, NDPI_PROTOCOL_TLS) ||
		 speaks(p, NDPI_PROTOCOL_QUIC) || speaks(p, NDPI_PROTOCOL_DTLS);
	if (d->tls) {
		d->tls_version = n->protos.tls_quic.ssl_version;
		d->tls_cipher = n->protos.tls_quic.server_cipher;
		take(d->tls_alpn, sizeof(d->tls_alpn), n->protos.tls_quic.alpn);
		take(d->tls_subject, sizeof(d->tls_subject),
		     n->protos.tls_quic.subjectDN);
		take(d->tls_issuer, sizeof(d->tls_issuer),
		     n->protos.tls_quic.issuerDN);
	} else if (speaks(p, NDPI_PROTOCOL_SSH)) {
		take(d->ssh_client, sizeof(d->ssh_client),
		     n->protos.ssh.client_signature);
		take(d->ssh_server, sizeof(d->ssh_server),
		     n->protos.ssh.server_signature);
	}
	take(d->http_url, sizeof(d->http_url), n->http.url);
	take(d->http_agent, sizeof(d->http_agent), n->http.user_agent);
}

static void announce(struct tracker *t, struct flow *f)
{
	if (f->announced)
		return;
	f->announced = true;
	t->opt.announced(t->opt.ctx, f);
}

static void complete(struct tracker *t, struct flow *f, bool changed)
{
	detection_end(f);
	if (changed) {
		f->updated = true;
		if (t->opt.drift) {
			memcpy(f->digest_prev, f->digest, sizeof(f->digest));
			digest_make(t, f, true);
		}
		t->opt.updated(t->opt.ctx, f);
	}
	t->opt.completed(t->opt.ctx, f);
}

static void detect(struct tracker *t, struct flow *f, const struct packet *p)
{
	struct details before = f->details;
	ndpi_protocol got;
	uint8_t guessed = 0;
	bool known;

	f->detection_packets++;
	if (!f->ndpi) { /* nothing to look into: ICMP and the like */
		f->details.protocol = name_protocol(0, f->ip_protocol, 0);
		announce(t, f);
		t->opt.completed(t->opt.ctx, f);
		return;
	}
	got = ndpi_detection_process_packet(t->ndpi, f->ndpi, p->ip, p->ip_len,
					    p->at);
	known = got.app_protocol || got.master_protocol;
	if (!known && f->detection_packets >= DETECT_PACKETS) {
		got = ndpi_detection_giveup(t->ndpi, f->ndpi, 1, &guessed);
		f->guessed = guessed;
	} else if (!known) {
		return;
	}
	take_details(f, got);
	if (!f->announced) {
		announce(t, f);
		before = f->details;
	}
	/* a change is told once the detection is complete, with all of it */
	f->updated |= memcmp(&before, &f->details, sizeof(before)) != 0;
	if (!known || f->detection_packets >= EXTRA_PACKETS ||
	    !ndpi_extra_dissection_possible(t->ndpi, f->ndpi))
		complete(t, f, f->updated);
}

/* ------------------------------------------------------------------- track */

static void count(struct counters *c, uint64_t bytes)
{
	c->bytes += bytes;
	c->packets++;
	c->new_bytes += bytes;
	c->new_packets++;
}

void tracker_packet(struct tracker *t, const struct packet *p)
{
	struct flow *f = flow_of(t, p);
	bool from_local = !memcmp(f->local.addr, p->from.addr, 16) &&
			  f->local.port == p->from.port;

	f->last_seen = p->at;
	count(from_local ? &f->local_sent : &f->other_sent, p->ip_len);
	if (p->tcp_flags & TH_FIN)
		f->fins |= from_local ? 1 : 2;
	if (p->tcp_flags & TH_RST)
		f->fins |= 4;
	if (f->ndpi || !f->announced)
		detect(t, f, p);
}

static bool is_closed(const struct flow *f)
{
	return f->fins >= 3;
}

static void purge(struct tracker *t, struct flow **link, const char *reason)
{
	struct flow *f = *link;

	if (f->announced)
		t->opt.purged(t->opt.ctx, f, reason);
	*link = f->next;
	detection_end(f);
	free(f);
	t->count--;
}

void tracker_expire(struct tracker *t, uint64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct flow **link = &t->buckets[i]; *link;) {
			struct flow *f = *link;
			bool open =
				f->ip_protocol == IPPROTO_TCP && !is_closed(f);
			uint64_t ttl = open ? t->opt.tcp_ttl_ms : t->opt.ttl_ms;

			if (f->last_seen + ttl > now)
				link = &f->next;
			else
				purge(t, link,
				      is_closed(f) ? "closed" : "expired");
		}
}

void tracker_terminate(struct tracker *t)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (t->buckets[i])
			purge(t, &t->buckets[i], "terminated");
}

void tracker_each(struct tracker *t, void (*each)(void *ctx, struct flow *f),
		  void *ctx)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct flow *f = t->buckets[i]; f; f = f->next)
			if (f->announced)
				each(ctx, f);
}

size_t tracker_count(const struct tracker *t)
{
	return t->count;
}
