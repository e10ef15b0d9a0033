/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.h - packets -> flows, and what nDPI makes of them.
 */
#ifndef DPI_FLOW_H
#define DPI_FLOW_H

#include "address.h"
#include "names.h"
#include "packet.h"

#define DIGEST_TEXT 41

struct counters {
	uint64_t bytes, packets;
	uint64_t new_bytes, new_packets; /* since the last tick */
};

/* What was seen inside; texts are empty when there was none. */
struct details {
	const struct name *application;
	const struct name *protocol;
	char host[256];
	bool tls;
	uint16_t tls_version;
	uint16_t tls_cipher;
	char tls_alpn[64]; /* as offered, with commas */
	char tls_subject[128];
	char tls_issuer[128];
	char http_url[256];
	char http_agent[128];
	char ssh_client[48];
	char ssh_server[48];
	uint64_t risks; /* nDPI's bits */
};

struct flow {
	struct flow *next; /* in its bucket */
	struct endpoint local, other;
	uint8_t ip_version;
	uint8_t ip_protocol;
	uint16_t vlan;
	bool local_origin;
	enum address_kind other_kind;
	char digest[DIGEST_TEXT];
	char digest_prev[DIGEST_TEXT]; /* or "" */
	struct counters local_sent, other_sent;
	uint64_t first_seen, last_seen; /* wall ms */
	struct ndpi_flow_struct *ndpi;	/* until the detection is complete */
	unsigned int detection_packets;
	bool announced;
	bool guessed;
	bool updated;
	uint8_t fins; /* bit 0: the local side's, bit 1: the other's; 4: RST */
	struct details details;
};

struct tracker_options {
	struct networks local;
	const char *interface;
	unsigned int ttl_ms;	 /* closed, and what is not TCP */
	unsigned int tcp_ttl_ms; /* open TCP */
	bool drift; /* v5: details that come later change the digest */
	/* what happens to a flow, in this order */
	void (*announced)(void *ctx, const struct flow *f);
	void (*updated)(void *ctx, const struct flow *f);
	void (*completed)(void *ctx, const struct flow *f);
	void (*purged)(void *ctx, const struct flow *f, const char *reason);
	void *ctx;
};

struct tracker;

struct tracker *tracker_new(const struct tracker_options *opt);
void tracker_free(struct tracker *t); /* purges nothing */

void tracker_packet(struct tracker *t, const struct packet *p);

/* Purges what is over; now is wall ms. */
void tracker_expire(struct tracker *t, uint64_t now);

/* Purges everything that was announced. */
void tracker_terminate(struct tracker *t);

/* Every announced flow; each may reset its new_* counters. */
void tracker_each(struct tracker *t, void (*each)(void *ctx, struct flow *f),
		  void *ctx);

size_t tracker_count(const struct tracker *t);

#endif
