/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term.h - the attributes that an expression can ask for, and what they are in
 * a flow.
 *
 * One table: a row is all there is to an attribute, whatever its kind needs
 * is written once per kind. Reading never allocates.
 */
#ifndef FG_POLICY_TERM_H
#define FG_POLICY_TERM_H

#include "../flow/catalog.h"
#include "../flow/flow.h"

/* What an attribute is, which decides what it can be compared with. */
enum fg_term_kind {
	FG_TERM_NUMBER,	     /* fg_term_number() */
	FG_TERM_BOOL,	     /* likewise, 0 or 1 */
	FG_TERM_CONSTANT,    /* likewise, one of fg_term_constants[] */
	FG_TERM_PORT,	     /* fg_term_ports() */
	FG_TERM_ADDRESS,     /* fg_term_addresses() */
	FG_TERM_MAC,	     /* fg_term_macs() */
	FG_TERM_TEXT,	     /* fg_term_text() */
	FG_TERM_NAME,	     /* likewise; the case of letters means nothing */
	FG_TERM_TEXTS,	     /* fg_term_text(), a JSON list of text */
	FG_TERM_NUMBERS,     /* fg_term_text(), a JSON list of numbers */
	FG_TERM_APPLICATION, /* fg_term_number(), an id with a name */
	FG_TERM_PROTOCOL,    /* likewise */
	FG_TERM_CATEGORY,    /* fg_term_categories() */
	FG_TERM_KIND_COUNT
};

/* For ports, addresses and MACs: which ends of the connection. */
#define FG_SIDE_LOCAL  1
#define FG_SIDE_OTHER  2
#define FG_SIDE_SRC    4 /* who opened it: local with local_origin, else other */
#define FG_SIDE_DST    8
#define FG_SIDE_EITHER (FG_SIDE_LOCAL | FG_SIDE_OTHER)

/*
 * The seven categories of a flow. All but PROTOCOL are numbered like
 * application categories.
 */
enum fg_flow_category {
	FG_CAT_APPLICATION,
	FG_CAT_PROTOCOL,
	FG_CAT_DOMAIN,
	FG_CAT_NETWORK,
	FG_CAT_OVERLAY,
	FG_CAT_LOCAL_NETWORK,
	FG_CAT_OTHER_NETWORK,
	FG_CAT_COUNT
};

#define FG_CAT_BIT(c)	(1u << FG_CAT_##c)
#define FG_CAT_NETWORKS (FG_CAT_BIT(NETWORK) | FG_CAT_BIT(LOCAL_NETWORK) | \
			 FG_CAT_BIT(OTHER_NETWORK))
#define FG_CAT_ALL	((1u << FG_CAT_COUNT) - 1)

/* Which changes of a flow can change an attribute. */
enum fg_term_depends {
	FG_DEPENDS_KEY = FG_CHANGED_KEY,
	FG_DEPENDS_CLASS = FG_CHANGED_CLASS,
	FG_DEPENDS_DETAIL = FG_CHANGED_DETAIL,
	FG_DEPENDS_COUNTERS = FG_CHANGED_COUNTERS,
	/* set together with the class, kept in the key's flags */
	FG_DEPENDS_FLAGS = FG_CHANGED_KEY | FG_CHANGED_CLASS,
	FG_DEPENDS_CLASS_DETAIL = FG_CHANGED_CLASS | FG_CHANGED_DETAIL,
};

/*
 * Columns: id; name; kind; what to read (an FG_ATTR_ of the ABI, sides, or
 * category bits, as the kind needs); depends; largest value.
 */
#define FG_TERMS(X) \
	X(APPLICATION, "application", APPLICATION, FG_ATTR_APPLICATION, CLASS, UINT32_MAX) \
	X(PROTOCOL, "protocol", PROTOCOL, FG_ATTR_PROTOCOL, CLASS, UINT32_MAX) \
	X(APPLICATION_CATEGORY, "application_category", CATEGORY, FG_CAT_BIT(APPLICATION), CLASS, UINT16_MAX) \
	X(PROTOCOL_CATEGORY, "protocol_category", CATEGORY, FG_CAT_BIT(PROTOCOL), CLASS, UINT16_MAX) \
	X(DOMAIN_CATEGORY, "domain_category", CATEGORY, FG_CAT_BIT(DOMAIN), CLASS, UINT16_MAX) \
	X(NETWORK_CATEGORY, "network_category", CATEGORY, FG_CAT_NETWORKS, CLASS_DETAIL, UINT16_MAX) \
	X(CATEGORY, "category", CATEGORY, FG_CAT_ALL, CLASS_DETAIL, UINT16_MAX) \
	X(TAG, "tag", TEXTS, FG_ATTR_TAGS, DETAIL, 0) \
	X(IP, "ip", ADDRESS, FG_SIDE_EITHER, KEY, 0) \
	X(LOCAL_IP, "local_ip", ADDRESS, FG_SIDE_LOCAL, KEY, 0) \
	X(OTHER_IP, "other_ip", ADDRESS, FG_SIDE_OTHER, KEY, 0) \
	X(SRC_IP, "src_ip", ADDRESS, FG_SIDE_SRC, KEY, 0) \
	X(DST_IP, "dst_ip", ADDRESS, FG_SIDE_DST, KEY, 0) \
	X(MAC, "mac", MAC, FG_SIDE_EITHER, KEY, 0) \
	X(LOCAL_MAC, "local_mac", MAC, FG_SIDE_LOCAL, KEY, 0) \
	X(OTHER_MAC, "other_mac", MAC, FG_SIDE_OTHER, KEY, 0) \
	X(SRC_MAC, "src_mac", MAC, FG_SIDE_SRC, KEY, 0) \
	X(DST_MAC, "dst_mac", MAC, FG_SIDE_DST, KEY, 0) \
	X(PORT, "port", PORT, FG_SIDE_EITHER, KEY, UINT16_MAX) \
	X(LOCAL_PORT, "local_port", PORT, FG_SIDE_LOCAL, KEY, UINT16_MAX) \
	X(OTHER_PORT, "other_port", PORT, FG_SIDE_OTHER, KEY, UINT16_MAX) \
	X(SRC_PORT, "src_port", PORT, FG_SIDE_SRC, KEY, UINT16_MAX) \
	X(DST_PORT, "dst_port", PORT, FG_SIDE_DST, KEY, UINT16_MAX) \
	X(IP_PROTOCOL, "ip_protocol", NUMBER, FG_ATTR_IP_PROTOCOL, KEY, UINT8_MAX) \
	X(IP_VERSION, "ip_version", NUMBER, FG_ATTR_IP_VERSION, KEY, 6) \
	X(IP_DSCP, "ip_dscp", NUMBER, FG_ATTR_IP_DSCP, KEY, 63) \
	X(IP_NAT, "ip_nat", BOOL, FG_ATTR_IP_NAT, KEY, 1) \
	X(VLAN_ID, "vlan_id", NUMBER, FG_ATTR_VLAN_ID, KEY, 4095) \
	X(IFACE, "iface", TEXT, FG_ATTR_INTERFACE, KEY, 0) \
	X(ORIGIN, "origin", CONSTANT, FG_ATTR_LOCAL_ORIGIN, KEY, 0) \
	X(OTHER_TYPE, "other_type", CONSTANT, FG_ATTR_OTHER_TYPE, KEY, 0) \
	X(TUNNEL_TYPE, "tunnel_type", CONSTANT, FG_ATTR_GTP_VERSION, KEY, 0) \
	X(DETECTED_HOSTNAME, "detected_hostname", NAME, FG_ATTR_HOST_SERVER_NAME, DETAIL, 0) \
	X(DNS_HOSTNAME, "dns_hostname", NAME, FG_ATTR_DNS_HOST_NAME, DETAIL, 0) \
	X(DETECTION_GUESSED, "detection_guessed", BOOL, FG_ATTR_DETECTION_GUESSED, FLAGS, 1) \
	X(DETECTION_UPDATED, "detection_updated", BOOL, FG_ATTR_DETECTION_UPDATED, FLAGS, 1) \
	X(DETECTION_COMPLETE, "detection_complete", BOOL, FG_ATTR_DETECTION_UPDATED, FLAGS, 1) \
	X(DETECTION_PACKETS, "detection_packets", NUMBER, FG_ATTR_DETECTION_PACKETS, COUNTERS, UINT32_MAX) \
	X(RISKS, "risks", NUMBERS, FG_ATTR_RISKS, DETAIL, UINT32_MAX) \
	X(NDPI_RISK_SCORE, "ndpi_risk_score", NUMBER, FG_ATTR_RISK_SCORE, DETAIL, UINT32_MAX) \
	X(NDPI_RISK_CLIENT, "ndpi_risk_client", NUMBER, FG_ATTR_RISK_CLIENT, DETAIL, UINT32_MAX) \
	X(NDPI_RISK_SERVER, "ndpi_risk_server", NUMBER, FG_ATTR_RISK_SERVER, DETAIL, UINT32_MAX) \
	X(TLS_VERSION, "tls_version", NUMBER, FG_ATTR_TLS_VERSION, DETAIL, UINT16_MAX) \
	X(TLS_CIPHER, "tls_cipher", NUMBER, FG_ATTR_TLS_CIPHER, DETAIL, UINT16_MAX) \
	X(TLS_JA4, "tls_ja4", NAME, FG_ATTR_TLS_CLIENT_JA4, DETAIL, 0) \
	X(TLS_ALPN, "tls_alpn", TEXTS, FG_ATTR_TLS_ALPN, DETAIL, 0) \
	X(TLS_ALPN_SERVER, "tls_alpn_server", TEXTS, FG_ATTR_TLS_ALPN_SERVER, DETAIL, 0) \
	X(TLS_ISSUER_DN, "tls_issuer_dn", TEXT, FG_ATTR_TLS_ISSUER_DN, DETAIL, 0) \
	X(TLS_SERVER_CN, "tls_server_cn", NAME, FG_ATTR_TLS_SERVER_CN, DETAIL, 0) \
	X(TLS_SUBJECT_DN, "tls_subject_dn", TEXT, FG_ATTR_TLS_SUBJECT_DN, DETAIL, 0) \
	X(TLS_CERT_FINGERPRINT, "tls_cert_fingerprint", NAME, FG_ATTR_TLS_FINGERPRINT, DETAIL, 0) \
	X(TLS_ECH, "tls_ech", NUMBER, FG_ATTR_TLS_ECH, DETAIL, UINT16_MAX) \
	X(HTTP_URL, "http_url", TEXT, FG_ATTR_HTTP_URL, DETAIL, 0) \
	X(HTTP_USER_AGENT, "http_user_agent", TEXT, FG_ATTR_HTTP_USER_AGENT, DETAIL, 0) \
	X(DHCP_CLASS_IDENT, "dhcp_class_ident", TEXT, FG_ATTR_DHCP_CLASS_IDENT, DETAIL, 0) \
	X(DHCP_FINGERPRINT, "dhcp_fingerprint", TEXT, FG_ATTR_DHCP_FINGERPRINT, DETAIL, 0) \
	X(MDNS_DOMAIN_NAME, "mdns_domain_name", NAME, FG_ATTR_MDNS_ANSWER, DETAIL, 0) \
	X(SSH_CLIENT_AGENT, "ssh_client_agent", TEXT, FG_ATTR_SSH_CLIENT, DETAIL, 0) \
	X(SSH_SERVER_AGENT, "ssh_server_agent", TEXT, FG_ATTR_SSH_SERVER, DETAIL, 0) \
	X(BT_INFO_HASH, "bt_info_hash", NAME, FG_ATTR_BT_INFO_HASH, DETAIL, 0) \
	X(STUN_MAPPED, "stun_mapped", TEXT, FG_ATTR_STUN_MAPPED, DETAIL, 0) \
	X(STUN_PEER, "stun_peer", TEXT, FG_ATTR_STUN_PEER, DETAIL, 0) \
	X(STUN_RELAYED, "stun_relayed", TEXT, FG_ATTR_STUN_RELAYED, DETAIL, 0) \
	X(STUN_RESPONSE, "stun_response", TEXT, FG_ATTR_STUN_RESPONSE, DETAIL, 0) \
	X(STUN_OTHER, "stun_other", TEXT, FG_ATTR_STUN_OTHER, DETAIL, 0) \
	X(LOCAL_BYTES, "local_bytes", NUMBER, FG_ATTR_LOCAL_BYTES, COUNTERS, UINT64_MAX) \
	X(OTHER_BYTES, "other_bytes", NUMBER, FG_ATTR_OTHER_BYTES, COUNTERS, UINT64_MAX) \
	X(TOTAL_BYTES, "total_bytes", NUMBER, FG_ATTR_TOTAL_BYTES, COUNTERS, UINT64_MAX) \
	X(LOCAL_PACKETS, "local_packets", NUMBER, FG_ATTR_LOCAL_PACKETS, COUNTERS, UINT64_MAX) \
	X(OTHER_PACKETS, "other_packets", NUMBER, FG_ATTR_OTHER_PACKETS, COUNTERS, UINT64_MAX) \
	X(TOTAL_PACKETS, "total_packets", NUMBER, FG_ATTR_TOTAL_PACKETS, COUNTERS, UINT64_MAX) \
	X(LOCAL_RATE, "local_rate", NUMBER, FG_ATTR_LOCAL_RATE, COUNTERS, UINT64_MAX) \
	X(OTHER_RATE, "other_rate", NUMBER, FG_ATTR_OTHER_RATE, COUNTERS, UINT64_MAX) \
	X(TS_FIRST_SEEN, "ts_first_seen", NUMBER, FG_ATTR_FIRST_SEEN, COUNTERS, UINT64_MAX) \
	X(TS_LAST_SEEN, "ts_last_seen", NUMBER, FG_ATTR_LAST_SEEN, COUNTERS, UINT64_MAX) \
	X(TCP_RESETS, "tcp_resets", NUMBER, FG_ATTR_TCP_RESETS, DETAIL, UINT32_MAX) \
	X(TCP_RETRANS, "tcp_retrans", NUMBER, FG_ATTR_TCP_RETRANS, DETAIL, UINT32_MAX) \
	X(TCP_SEQ_ERRORS, "tcp_seq_errors", NUMBER, FG_ATTR_TCP_SEQ_ERRORS, DETAIL, UINT32_MAX) \
	X(CT_ID, "ct_id", NUMBER, FG_ATTR_CT_ID, KEY, UINT32_MAX) \
	X(CT_MARK, "ct_mark", NUMBER, FG_ATTR_CT_MARK, KEY, UINT32_MAX)

enum fg_term_id {
#define FG_TERM_ENUM(id, name, kind, arg, depends, max) FG_TERM_ID_##id,
	FG_TERMS(FG_TERM_ENUM)
#undef FG_TERM_ENUM
		FG_TERM_COUNT
};

struct fg_term {
	const char *name;
	uint64_t max;
	enum fg_term_kind kind;
	uint16_t arg;
	uint16_t depends; /* FG_CHANGED_* */
};

extern const struct fg_term fg_terms[FG_TERM_COUNT];

/* Each name of an attribute, the table's own and its aliases. */
struct fg_term_name {
	const char *name;
	enum fg_term_id id;
};

extern const struct fg_term_name fg_term_names[]; /* {NULL} at the end */

/* The values of CONSTANT attributes. */
struct fg_term_constant {
	const char *name;
	enum fg_term_id id;
	uint8_t value;
};

extern const struct fg_term_constant fg_term_constants[]; /* likewise */

/* False: no such attribute; *near is the nearest name, or NULL. */
bool fg_term_find(struct fg_slice name, enum fg_term_id *out,
		  const char **near);
/* As fg_term_find(), among the constants of id. */
bool fg_term_constant(struct fg_slice name, enum fg_term_id id, uint8_t *out,
		      const char **near);

/* ----------------------------------------------------- values in a flow */

/* What expressions look at. */
struct fg_view {
	const struct fg_flow_table *table;
	const struct fg_flow *flow;
	const struct fg_catalog *catalog;
};

/* False: the agent did not say. */
bool fg_term_number(const struct fg_view *v, enum fg_term_id id,
		    uint64_t *out);
/* Text is valid until the next one is read. Lists: JSON, '[' to ']'. */
bool fg_term_text(const struct fg_view *v, enum fg_term_id id,
		  struct fg_slice *out);
/* The ends that sides asks for and that are known; how many: 0, 1 or 2. */
unsigned fg_term_addresses(const struct fg_flow *f, unsigned sides,
			   const uint8_t *out[2]);
unsigned fg_term_macs(const struct fg_flow *f, unsigned sides,
		      const uint8_t *out[2]);
unsigned fg_term_ports(const struct fg_flow *f, unsigned sides,
		       uint16_t out[2]);
/*
 * One category; 0 when there is none. What the message said wins over what
 * the catalog has for the application or protocol.
 */
uint16_t fg_term_category(const struct fg_view *v, enum fg_flow_category c);

/*
 * Takes the next element off the front of a JSON list: the text of a string
 * (FG_SLICE_ESCAPED when it holds escapes), or the characters of a number.
 * False at the end. Start with *rest as fg_term_text() gave it.
 */
bool fg_list_next(struct fg_slice *rest, struct fg_slice *out);

/*
 * The value for a person: "netify.netflix (133)", "not known". Printable,
 * NUL-terminated, shortened to fit. Returns its length.
 */
size_t fg_term_show(const struct fg_view *v, enum fg_term_id id, char *out,
		    size_t size);

#endif
