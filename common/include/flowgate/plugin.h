/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugin.h - the plugin ABI: the only header that a Flowgate plugin includes.
 *
 * A plugin is a shared object with one exported const symbol,
 *
 *	FG_PLUGIN = { FG_PLUGIN_HEADER("name", "1.0", "what it does"), ... };
 *
 * whose name carries the major version of this ABI, so that a plugin for
 * another major is simply "symbol not found". Within a major, structs only
 * grow at their end; every struct that crosses the border begins with its
 * size, and whoever reads a field that came later than minor 0 compares first.
 *
 * There are two kinds of plugin, and one may be both:
 *
 *	input	turns the bytes of a source into messages (plugins/netifyd)
 *	target	turns membership of flows into effects (plugins/nftset)
 *
 * Rules for all callbacks:
 *
 * - They are called from one thread, one at a time (the loop), except
 *   fg_job.run, which may run beside the loop.
 * - They may not block. Anything that can is a job (see struct fg_job).
 * - They may not allocate after open() and configured() have returned.
 * - Pointers passed to a callback are valid until it returns, unless its
 *   description says otherwise.
 * - Errors are 0 or a negative errno value. Whoever returns an error from
 *   open(), bind() or configured() has said it first with config->error() or
 *   host->log(), in words that name the place and the remedy.
 *
 * Units: times are milliseconds unless the name says otherwise; "now" is
 * CLOCK_MONOTONIC (CLOCK_BOOTTIME where the kernel counts suspend), "wall" is
 * the Unix epoch. Ports, marks, ids and lengths are in host byte order;
 * addresses and MACs are in network order, as they are on the wire.
 */
#ifndef FLOWGATE_PLUGIN_H
#define FLOWGATE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FG_ABI_MAJOR 1
/* 1: host->source_part(), source_next_part(), source_idle(), announce();
   FG_REASON_RESTART */
#define FG_ABI_MINOR 1

/* The name of the one exported symbol, as text for dlsym(). */
#define FG_PLUGIN_SYMBOL "flowgate_plugin_v1"

struct fg_host;
struct fg_node;

/* ---------------------------------------------------------------- text */

/*
 * A piece of text that is not NUL-terminated. When it comes straight out of a
 * message it may still hold JSON escapes: FG_SLICE_ESCAPED says so, and
 * host->decode() takes them out.
 */
struct fg_slice {
	const char *ptr;
	uint32_t len;
	uint32_t flags;
};

#define FG_SLICE_ESCAPED 1u /* has a backslash: decode before use */

/* ---------------------------------------------------------- attributes */

/* What the bytes of an attribute are, once read. */
enum fg_kind {
	FG_KIND_UINT,	    /* .u; digits, capped at UINT64_MAX */
	FG_KIND_BOOL,	    /* .u, 0 or 1; true/false, or a number (v3) */
	FG_KIND_REAL,	    /* .r */
	FG_KIND_HEX,	    /* .u, from a number or text such as "0x0303" */
	FG_KIND_TEXT,	    /* .text */
	FG_KIND_ADDR,	    /* .addr, 16 bytes; IPv4 uses the first four */
	FG_KIND_MAC,	    /* .mac, 6 bytes */
	FG_KIND_LIST,	    /* .text, the JSON array from '[' to ']' */
	FG_KIND_OTHER_TYPE, /* .u, enum fg_other_type */
};

/*
 * The one table of keys: what a message can say. Columns: name, path of the
 * key in the JSON text (flow. is the object of that name), kind, and where the
 * host keeps it while the flow lives:
 *
 *	CORE	a field of struct fg_flow
 *	DETAIL	host->flow_get(); kept for as long as the flow lives
 *	MESSAGE	nowhere: only during the message itself
 *
 * Paths are those of netifyd v3.07, v4.4.7 and v5.0.7; where versions differ,
 * plugins/netifyd maps them to one. Appended to, never reordered.
 */
#define FG_ATTRIBUTES(X) \
	X(INTERFACE, "interface", TEXT, CORE) \
	X(INTERNAL, "internal", BOOL, CORE) \
	X(ESTABLISHED, "established", BOOL, CORE) \
	X(REASON, "reason", TEXT, MESSAGE) \
	X(AGENT_VERSION, "agent_version", TEXT, MESSAGE) \
	X(BUILD_VERSION, "build_version", TEXT, MESSAGE) \
	X(JSON_VERSION, "json_version", REAL, MESSAGE) \
	X(UPTIME, "uptime", UINT, MESSAGE) \
	X(TIMESTAMP, "timestamp", UINT, MESSAGE) \
	X(FLOW_COUNT, "flow_count", UINT, MESSAGE) \
	X(IP_NAT, "flow.ip_nat", BOOL, CORE) \
	X(DHC_HIT, "flow.dhc_hit", BOOL, CORE) \
	X(IP_VERSION, "flow.ip_version", UINT, CORE) \
	X(IP_PROTOCOL, "flow.ip_protocol", UINT, CORE) \
	X(IP_DSCP, "flow.ip_dscp", UINT, CORE) \
	X(VLAN_ID, "flow.vlan_id", UINT, CORE) \
	X(OTHER_TYPE, "flow.other_type", OTHER_TYPE, CORE) \
	X(LOCAL_ORIGIN, "flow.local_origin", BOOL, CORE) \
	X(LOCAL_MAC, "flow.local_mac", MAC, CORE) \
	X(LOCAL_IP, "flow.local_ip", ADDR, CORE) \
	X(LOCAL_PORT, "flow.local_port", UINT, CORE) \
	X(OTHER_MAC, "flow.other_mac", MAC, CORE) \
	X(OTHER_IP, "flow.other_ip", ADDR, CORE) \
	X(OTHER_PORT, "flow.other_port", UINT, CORE) \
	X(PROTOCOL, "flow.detected_protocol", UINT, CORE) \
	X(PROTOCOL_NAME, "flow.detected_protocol_name", TEXT, MESSAGE) \
	X(APPLICATION, "flow.detected_application", UINT, CORE) \
	X(APPLICATION_NAME, "flow.detected_application_name", TEXT, MESSAGE) \
	X(DETECTION_GUESSED, "flow.detection_guessed", BOOL, CORE) \
	X(DETECTION_UPDATED, "flow.detection_updated", BOOL, CORE) \
	X(DETECTION_PACKETS, "flow.detection_packets", UINT, CORE) \
	X(SOFT_DISSECTOR, "flow.soft_dissector", BOOL, MESSAGE) \
	X(FIRST_SEEN, "flow.first_seen_at", UINT, CORE) \
	X(FIRST_UPDATE, "flow.first_update_at", UINT, MESSAGE) \
	X(LAST_SEEN, "flow.last_seen_at", UINT, CORE) \
	X(CAT_APPLICATION, "flow.category.application", UINT, CORE) \
	X(CAT_PROTOCOL, "flow.category.protocol", UINT, CORE) \
	X(CAT_DOMAIN, "flow.category.domain", UINT, CORE) \
	X(CAT_NETWORK, "flow.category.network", UINT, CORE) \
	X(CAT_OVERLAY, "flow.category.overlay", UINT, DETAIL) \
	X(CAT_LOCAL_NETWORK, "flow.category.local_network", UINT, DETAIL) \
	X(CAT_OTHER_NETWORK, "flow.category.other_network", UINT, DETAIL) \
	X(CT_ID, "flow.ct_id", UINT, CORE) \
	X(CT_MARK, "flow.ct_mark", UINT, CORE) \
	X(CONNTRACK_ID, "flow.conntrack.id", UINT, CORE) \
	X(CONNTRACK_MARK, "flow.conntrack.mark", UINT, CORE) \
	X(REPLY_SRC_IP, "flow.conntrack.reply_src_ip", ADDR, DETAIL) \
	X(REPLY_SRC_PORT, "flow.conntrack.reply_src_port", UINT, DETAIL) \
	X(REPLY_DST_IP, "flow.conntrack.reply_dst_ip", ADDR, DETAIL) \
	X(REPLY_DST_PORT, "flow.conntrack.reply_dst_port", UINT, DETAIL) \
	X(NFQ_SRC_IFACE, "flow.nfq.src_iface", TEXT, DETAIL) \
	X(NFQ_DST_IFACE, "flow.nfq.dst_iface", TEXT, DETAIL) \
	X(TAGS, "flow.tags", LIST, DETAIL) \
	X(HOST_SERVER_NAME, "flow.host_server_name", TEXT, DETAIL) \
	X(DNS_HOST_NAME, "flow.dns_host_name", TEXT, DETAIL) \
	X(HTTP_URL, "flow.http.url", TEXT, DETAIL) \
	X(HTTP_USER_AGENT, "flow.http.user_agent", TEXT, DETAIL) \
	X(DHCP_FINGERPRINT, "flow.dhcp.fingerprint", TEXT, DETAIL) \
	X(DHCP_CLASS_IDENT, "flow.dhcp.class_ident", TEXT, DETAIL) \
	X(SSH_CLIENT, "flow.ssh.client", TEXT, DETAIL) \
	X(SSH_SERVER, "flow.ssh.server", TEXT, DETAIL) \
	X(MDNS_ANSWER, "flow.mdns.answer", TEXT, DETAIL) \
	X(SSDP_USER_AGENT, "flow.ssdp.user_agent", TEXT, DETAIL) \
	X(BT_INFO_HASH, "flow.bt.info_hash", TEXT, DETAIL) \
	X(TLS_VERSION, "flow.ssl.version", HEX, DETAIL) \
	X(TLS_CIPHER, "flow.ssl.cipher_suite", HEX, DETAIL) \
	X(TLS_SNI, "flow.ssl.client_sni", TEXT, DETAIL) \
	X(TLS_SERVER_CN, "flow.ssl.server_cn", TEXT, DETAIL) \
	X(TLS_ISSUER_DN, "flow.ssl.issuer_dn", TEXT, DETAIL) \
	X(TLS_SUBJECT_DN, "flow.ssl.subject_dn", TEXT, DETAIL) \
	X(TLS_CLIENT_JA3, "flow.ssl.client_ja3", TEXT, DETAIL) \
	X(TLS_SERVER_JA3, "flow.ssl.server_ja3", TEXT, DETAIL) \
	X(TLS_CLIENT_JA4, "flow.ssl.client_ja4", TEXT, DETAIL) \
	X(TLS_FINGERPRINT, "flow.ssl.fingerprint", TEXT, DETAIL) \
	X(TLS_ALPN, "flow.ssl.alpn", LIST, DETAIL) \
	X(TLS_ALPN_SERVER, "flow.ssl.alpn_server", LIST, DETAIL) \
	X(TLS_ECH, "flow.ssl.encrypted_ch_version", HEX, DETAIL) \
	X(STUN_MAPPED, "flow.stun.mapped", TEXT, DETAIL) \
	X(STUN_PEER, "flow.stun.peer", TEXT, DETAIL) \
	X(STUN_RELAYED, "flow.stun.relayed", TEXT, DETAIL) \
	X(STUN_RESPONSE, "flow.stun.response", TEXT, DETAIL) \
	X(STUN_OTHER, "flow.stun.other", TEXT, DETAIL) \
	X(RISK_SCORE, "flow.risks.ndpi_risk_score", UINT, DETAIL) \
	X(RISK_CLIENT, "flow.risks.ndpi_risk_score_client", UINT, DETAIL) \
	X(RISK_SERVER, "flow.risks.ndpi_risk_score_server", UINT, DETAIL) \
	X(RISKS, "flow.risks.risks", LIST, DETAIL) \
	X(GTP_VERSION, "flow.gtp.version", UINT, DETAIL) \
	X(GTP_IP_VERSION, "flow.gtp.ip_version", UINT, DETAIL) \
	X(GTP_LOCAL_IP, "flow.gtp.local_ip", ADDR, DETAIL) \
	X(GTP_LOCAL_PORT, "flow.gtp.local_port", UINT, DETAIL) \
	X(GTP_LOCAL_TEID, "flow.gtp.local_teid", UINT, DETAIL) \
	X(GTP_OTHER_IP, "flow.gtp.other_ip", ADDR, DETAIL) \
	X(GTP_OTHER_PORT, "flow.gtp.other_port", UINT, DETAIL) \
	X(GTP_OTHER_TEID, "flow.gtp.other_teid", UINT, DETAIL) \
	X(GTP_OTHER_TYPE, "flow.gtp.other_type", OTHER_TYPE, DETAIL) \
	X(TCP_RESETS, "flow.tcp.resets", UINT, DETAIL) \
	X(TCP_RETRANS, "flow.tcp.retrans", UINT, DETAIL) \
	X(TCP_SEQ_ERRORS, "flow.tcp.seq_errors", UINT, DETAIL) \
	X(LOCAL_BYTES, "flow.local_bytes", UINT, MESSAGE) \
	X(LOCAL_PACKETS, "flow.local_packets", UINT, MESSAGE) \
	X(LOCAL_RATE, "flow.local_rate", REAL, CORE) \
	X(OTHER_BYTES, "flow.other_bytes", UINT, MESSAGE) \
	X(OTHER_PACKETS, "flow.other_packets", UINT, MESSAGE) \
	X(OTHER_RATE, "flow.other_rate", REAL, CORE) \
	X(TOTAL_BYTES, "flow.total_bytes", UINT, CORE) \
	X(TOTAL_PACKETS, "flow.total_packets", UINT, CORE)

enum fg_attr {
#define FG_ATTR_ENUM(name, path, kind, store) FG_ATTR_##name,
	FG_ATTRIBUTES(FG_ATTR_ENUM)
#undef FG_ATTR_ENUM
		FG_ATTR_COUNT
};

union fg_value {
	uint64_t u;
	double r;
	struct fg_slice text;
	uint8_t addr[16];
	uint8_t mac[6];
};

/* flow.other_type: what the agent thinks the far side is. */
enum fg_other_type {
	FG_OTHER_UNKNOWN,
	FG_OTHER_LOCAL,
	FG_OTHER_REMOTE,
	FG_OTHER_MULTICAST,
	FG_OTHER_BROADCAST,
	FG_OTHER_UNSUPPORTED,
	FG_OTHER_ERROR,
	FG_OTHER_COUNT
};

/* ------------------------------------------------------------ messages */

enum fg_message_type {
	FG_MESSAGE_OTHER, /* well-formed, of a type that is not listed here */
	FG_MESSAGE_AGENT_HELLO,
	FG_MESSAGE_AGENT_STATUS,
	FG_MESSAGE_DEFINITIONS, /* v4; its names also arrive by host->learn() */
	FG_MESSAGE_PROTOCOLS,	/* v3; likewise */
	FG_MESSAGE_FLOW,
	FG_MESSAGE_FLOW_DPI_UPDATE,
	FG_MESSAGE_FLOW_DPI_COMPLETE, /* digest and counters only (v5) */
	FG_MESSAGE_FLOW_STATS,	      /* digest and counters only */
	FG_MESSAGE_FLOW_PURGE,	      /* digest and counters only */
	FG_MESSAGE_TYPE_COUNT
};

#define FG_DIGEST_SIZE 20
#define FG_DIGEST_PREV_MAX 4

/*
 * One message of a source, as read by its input plugin. Everything that it
 * points to is the input's, and valid until the callback returns.
 *
 * value[a] is valid only when fg_message_has(m, a); the rest is not zeroed.
 * For what the table of attributes does not name, text holds the whole JSON
 * object, and fg_message_tokens() gives the jsmn tokens over it. They are made
 * when first asked for: most messages never need them.
 */
struct fg_message {
	uint32_t size;
	enum fg_message_type type;
	struct fg_slice type_name; /* "flow", also for FG_MESSAGE_OTHER */
	struct fg_slice text;
	/* NULL: an input without tokens; use fg_message_tokens() */
	const void *(*tokens)(const struct fg_message *m, uint32_t *count);
	void *input_private;
	uint8_t digest_count;	   /* of digest[]: 0, or 1 + previous ones */
	uint8_t digest[1 + FG_DIGEST_PREV_MAX][FG_DIGEST_SIZE];
	uint64_t has[(FG_ATTR_COUNT + 63) / 64];
	union fg_value value[FG_ATTR_COUNT];
};

static inline bool fg_message_has(const struct fg_message *m, enum fg_attr a)
{
	return m->has[a / 64] >> (a % 64) & 1;
}

/*
 * The jsmntok_t of m->text (built with JSMN_PARENT_LINKS: define that before
 * including jsmn.h), or NULL and 0 when its input has none.
 */
static inline const void *fg_message_tokens(const struct fg_message *m,
					    uint32_t *count)
{
	*count = 0;
	return m->tokens ? m->tokens(m, count) : NULL;
}

/* --------------------------------------------------------------- flows */

#define FG_FLOW_INTERNAL     0x0001u /* seen on the LAN side */
#define FG_FLOW_LOCAL_ORIGIN 0x0002u /* the local side is the client */
#define FG_FLOW_HAS_ORIGIN   0x0004u /* the agent said which side it is */
#define FG_FLOW_IP_NAT	     0x0008u
#define FG_FLOW_DHC_HIT	     0x0010u
#define FG_FLOW_GUESSED	     0x0020u
#define FG_FLOW_UPDATED	     0x0040u
#define FG_FLOW_COMPLETE     0x0080u /* v5: a flow_dpi_complete was seen */
#define FG_FLOW_ESTABLISHED  0x0100u
#define FG_FLOW_HAS_CT_ID    0x0200u
#define FG_FLOW_HAS_CT_MARK  0x0400u
#define FG_FLOW_TUNNEL_GTP   0x0800u
#define FG_FLOW_HAS_DSCP     0x1000u
#define FG_FLOW_HAS_LOCAL_MAC 0x2000u
#define FG_FLOW_HAS_OTHER_MAC 0x4000u

/*
 * A live flow, as the host keeps it. A pointer to one is valid during the
 * callback; between enter() and leave() of one membership the part marked "key"
 * changes only through rekey() (or a leave() of the old and an enter() of the
 * new one).
 */
struct fg_flow {
	uint8_t digest[FG_DIGEST_SIZE];
	/* key: what elements are built from */
	uint16_t source;      /* index of the source, host->source_name() */
	uint8_t ip_version;   /* 4, 6; 0 when the agent did not say */
	uint8_t ip_protocol;  /* IPPROTO_* */
	uint8_t local_addr[16]; /* IPv4 in the first four, the rest zero */
	uint8_t other_addr[16];
	uint16_t local_port;
	uint16_t other_port;
	uint8_t local_mac[6]; /* valid with FG_FLOW_HAS_LOCAL_MAC */
	uint8_t other_mac[6];
	uint32_t ct_mark;
	uint32_t ct_id;
	uint16_t interface; /* host->interface_name() */
	uint16_t vlan_id;
	uint8_t other_type; /* enum fg_other_type */
	uint8_t ip_dscp;
	uint16_t flags; /* FG_FLOW_* */
	/* class: what it was detected as; 0 is unknown */
	uint32_t application;
	uint32_t protocol;
	uint16_t cat_application;
	uint16_t cat_protocol;
	uint16_t cat_domain;
	uint16_t cat_network;
	/* counters: cumulative, from flow_stats and purges */
	uint32_t local_packets;
	uint32_t other_packets;
	uint64_t local_bytes;
	uint64_t other_bytes;
	float local_rate; /* bytes/s */
	float other_rate;
	uint64_t first_seen; /* wall ms, the agent's clock */
	uint32_t age_ms;     /* last_seen - first_seen, capped */
	uint32_t detection_packets;
};

/* By how much the counters of a flow grew. */
struct fg_growth {
	uint64_t local_bytes;
	uint64_t other_bytes;
	uint32_t local_packets;
	uint32_t other_packets;
};

/* Takes a piece of text that a plugin or the host renders. */
typedef void fg_write(void *ctx, const char *text, size_t len);

/* Why a flow leaves a target, or why something happened to it. */
enum fg_reason {
	FG_REASON_DETECTED,	/* announced, or updated and now matching */
	FG_REASON_RECLASSIFIED, /* updated; matches differently now */
	FG_REASON_REKEYED,	/* updated; same match, another key */
	FG_REASON_PURGED,	/* the agent says it is gone */
	FG_REASON_IDLE,		/* not mentioned for limits.flow_idle */
	FG_REASON_EVICTED,	/* the flow table was full */
	FG_REASON_SOURCE_LOST,	/* the source stayed away beyond grace */
	FG_REASON_SCHEDULE,	/* a time window opened or closed */
	FG_REASON_RELOAD,	/* another configuration */
	FG_REASON_NAMES,	/* the catalog learnt a name it asked for */
	FG_REASON_TARGET,	/* a target moved it ("else") */
	FG_REASON_STOP,		/* flowgated stops */
	/*
	 * Announced to the run before, which left it; enter(): and was a member
	 * then. One that was none enters with FG_REASON_RELOAD.
	 */
	FG_REASON_RESTART,
	FG_REASON_COUNT
};

/*
 * What is told to target types that listen to every flow (.event). As with
 * enter() and leave(), a flow whose key changes is REMOVED with the old one
 * and ANNOUNCED with the new one, both with FG_REASON_REKEYED; for types with
 * FG_TYPE_CLASS so is one whose class changes, with FG_REASON_RECLASSIFIED.
 */
enum fg_event {
	FG_EVENT_ANNOUNCED, /* before the policy looks at it: before enter() */
	FG_EVENT_UPDATED,  /* class or detail changed; flow has the new */
	FG_EVENT_COUNTED,  /* only counters did */
	FG_EVENT_REMOVED,  /* last time this flow is seen; see reason */
};

/*
 * How a flow came to be a member: the action that sent it. Stays valid while
 * any flow is a member through it.
 */
struct fg_member {
	uint32_t size;
	uint32_t rank;	      /* by order in the file: the lowest wins */
	const char *action;   /* its name */
	const char *targets;  /* names of all its targets, "block, log" */
	const void *binding;  /* what bind() made of the override, or NULL */
	bool observe;	      /* only to types with FG_TYPE_OBSERVES */
};

/* ----------------------------------------------------------- host, log */

enum fg_level { /* syslog's numbers */
	FG_LOG_ERROR = 3,
	FG_LOG_WARNING = 4,
	FG_LOG_NOTICE = 5,
	FG_LOG_INFO = 6,
	FG_LOG_DEBUG = 7,
};

#if defined(__GNUC__)
#define FG_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define FG_PRINTF(f, a)
#endif

/*
 * Reading the configuration. A node is a value of the file together with its
 * place in it; it lives as long as the configuration it came from, that is,
 * until close() of the target (text too).
 *
 * Each getter returns 1 (found, *out set), 0 (absent, *out untouched) or
 * -EINVAL (there, but not such a value; said already, with file, line, column
 * and what was expected). Asking for a key also declares it: whatever key the
 * file has and nobody asked for is an error with the nearest of those that
 * were. Keys absent in a target are looked up in target_defaults of its type.
 */
struct fg_config {
	uint32_t size;
	int (*text)(const struct fg_node *object, const char *key,
		    const char **out);
	/* a number, or text with a number in it: "0x10" */
	int (*uint)(const struct fg_node *object, const char *key, uint64_t min,
		    uint64_t max, uint64_t *out);
	int (*boolean)(const struct fg_node *object, const char *key, bool *out);
	int (*list)(const struct fg_node *object, const char *key,
		    const struct fg_node **out);
	int (*object)(const struct fg_node *object, const char *key,
		      const struct fg_node **out);
	/* any kind of value, undeclared form: for keys with several forms */
	int (*any)(const struct fg_node *object, const char *key,
		   const struct fg_node **out);

	/* of a list or an object: how many, the nth value, the nth key */
	size_t (*count)(const struct fg_node *node);
	const struct fg_node *(*at)(const struct fg_node *node, size_t n);
	const char *(*key_at)(const struct fg_node *object, size_t n);

	/* of a single value; text is NULL, uint -EINVAL, when it is not one */
	const char *(*as_text)(const struct fg_node *node);
	int (*as_uint)(const struct fg_node *node, uint64_t *out);

	/* says "file:line:col: ..." of the node; error() makes it refused */
	void (*error)(const struct fg_node *at, const char *fmt, ...)
		FG_PRINTF(2, 3);
	void (*warning)(const struct fg_node *at, const char *fmt, ...)
		FG_PRINTF(2, 3);
	/* the nearest of candidates to word, or NULL: "did you mean" */
	const char *(*nearest)(const char *word, const char *const *candidates,
			       size_t n);
};

/*
 * Work that may block: handed to the host, which runs it outside the loop or
 * at once, as it sees fit. run() may touch nothing but its job; done() is
 * called in the loop, maybe before submit() returns. One job is in flight at
 * most until its done(): submit() of a pending job is -EBUSY.
 * Ownership: the plugin's; it must stay until done(). Closing a target waits
 * for its jobs; closing an input does not: done() comes after close() then, and
 * may only free what is left.
 */
struct fg_job {
	void (*run)(struct fg_job *job);
	void (*done)(struct fg_job *job);
	void *ctx;
	void *host_private;
};

/* A watched descriptor. Owned by the plugin, which closes fd after unwatch. */
struct fg_watch {
	int fd;
	uint32_t events; /* EPOLLIN, EPOLLOUT */
	void (*ready)(struct fg_watch *watch, uint32_t events);
	void *ctx;
	void *host_private;
};

/* A one-shot timer; set again from its own callback if it is to go on. */
struct fg_timer {
	void (*expired)(struct fg_timer *timer, int64_t now);
	void *ctx;
	int64_t deadline; /* the host's: monotonic ms, 0 while not set */
	uint32_t slot;	  /* the host's */
};

/* What a name in host->learn() is a name of. */
enum fg_name {
	FG_NAME_APPLICATION,
	FG_NAME_PROTOCOL,
	FG_NAME_COUNT
};

/* What a category in host->category() is a category of. */
enum fg_category {
	FG_CATEGORY_APPLICATION,
	FG_CATEGORY_PROTOCOL,
	FG_CATEGORY_COUNT
};

#define FG_HOST_CHECK	0x1u /* -t: change nothing, not even by open() */
#define FG_HOST_DRY_RUN 0x2u /* -n: print instead of doing */
#define FG_HOST_VERBOSE 0x4u

/*
 * What the host gives to plugins; passed to open(), valid until close(). Calls
 * that need it take it back as their first argument.
 */
struct fg_host {
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t flags;		/* FG_HOST_* */
	const char *version;
	const char *runtime_dir;  /* writable, "/run/flowgate"; "" if none */
	uint32_t max_flows;	  /* limits.max_flows: what to size things by */
	uint32_t max_message;	  /* limits.max_message: bytes of one message */
	uint32_t max_tokens;	  /* limits.max_tokens: jsmn tokens of one */
	const struct fg_config *config;
	void *host_private;

	/* Repeated messages of one place are counted and thinned out. */
	void (*log)(const struct fg_host *host, enum fg_level level,
		    const char *fmt, ...) FG_PRINTF(3, 4);
	bool (*log_enabled)(const struct fg_host *host, enum fg_level level);
	/* -n: one line for stdout, without a newline */
	void (*print)(const struct fg_host *host, const char *fmt, ...)
		FG_PRINTF(2, 3);
	int64_t (*now)(const struct fg_host *host);  /* monotonic ms, as of this turn of the loop */
	int64_t (*wall)(const struct fg_host *host); /* epoch ms */

	int (*watch)(const struct fg_host *host, struct fg_watch *watch); /* also to change .events */
	void (*unwatch)(const struct fg_host *host, struct fg_watch *watch);
	void (*timer_set)(const struct fg_host *host, struct fg_timer *timer,
			  int64_t deadline);
	void (*timer_cancel)(const struct fg_host *host, struct fg_timer *timer);
	int (*submit)(const struct fg_host *host, struct fg_job *job);

	/* An input's: a message was read; something could not be. */
	void (*message)(void *source, const struct fg_message *message);
	void (*skipped)(void *source, const char *why, size_t bytes);
	void (*learn)(void *source, enum fg_name kind, uint32_t id,
		      struct fg_slice tag);
	/* role "LAN" or "WAN", as agent_status gives it */
	void (*learn_interface)(void *source, struct fg_slice name,
				struct fg_slice role);
	/*
	 * Its transport came up, went down (all its flows void after grace), or
	 * could not come up: source_down() of one that is not up is a reason to
	 * show, no more. Both may be called again and again.
	 */
	void (*source_up)(void *source);
	void (*source_down)(void *source, const char *why);

	/*
	 * An attribute of a live flow, wherever it is kept; false when the
	 * agent never said it. Text is decoded, valid until the callback
	 * returns. For lists use the elements: JSON text in .text.
	 */
	bool (*flow_get)(const struct fg_host *host, const struct fg_flow *flow,
			 enum fg_attr attr, union fg_value *out);
	/* "netify.netflix", "TLS"; never NULL: "unknown", or the id in digits */
	const char *(*name)(const struct fg_host *host, enum fg_name kind,
			    uint32_t id);
	const char *(*interface_name)(const struct fg_host *host, uint16_t interface);
	const char *(*source_name)(const struct fg_host *host, uint16_t source);
	/* takes JSON escapes out; bytes needed, never writes past size */
	size_t (*decode)(struct fg_slice in, char *out, size_t size);

	/*
	 * Calls each(flow, ctx) for every member of the target self, in no order, until
	 * it returns false. For targets that lost what they held.
	 */
	void (*members)(const struct fg_host *host, const void *self,
			bool (*each)(const struct fg_flow *flow,
				     const struct fg_member *member, void *ctx),
			void *ctx);
	/* as members(), for every live flow */
	void (*flows)(const struct fg_host *host,
		      bool (*each)(const struct fg_flow *flow, void *ctx),
		      void *ctx);
	/*
	 * Makes flow a member of another target on behalf of this one ("else"),
	 * or takes that back. other is the name of a configured target,
	 * resolved by target_find() in configured().
	 */
	const void *(*target_find)(const struct fg_host *host, const char *name);
	void (*delegate)(const struct fg_host *host, const void *self,
			 const void *other,
			 const struct fg_flow *flow,
			 const struct fg_member *member, bool on);

	/*
	 * Is this address on the never list? Whatever a target does may not
	 * strike such an address. Cheap; addr as in struct fg_flow.
	 */
	bool (*never)(const struct fg_host *host, int version,
		      const uint8_t addr[16]);
	/*
	 * Everything there is in a format: the host's own, then render() of
	 * every target. "prometheus" is the text exposition format 0.0.4.
	 */
	void (*render)(const struct fg_host *host, const char *format,
		       fg_write *write, void *ctx);
	/* as name(), of a category: "games" */
	const char *(*category)(const struct fg_host *host,
				enum fg_category kind, uint32_t id);
	/* every target that flow is a member of, by name; in no order */
	void (*memberships)(const struct fg_host *host,
			    const struct fg_flow *flow,
			    void (*each)(void *ctx, const char *target,
					 const struct fg_member *member),
			    void *ctx);
	/*
	 * As never(), but only of what the configuration lists: what is on the
	 * never list by default, such as the gateway's own addresses, may well
	 * be the local side of a connection to somewhere else.
	 */
	bool (*never_listed)(const struct fg_host *host, int version,
			     const uint8_t addr[16]);

	/*
	 * For inputs that bring several agents' messages: a source of its own
	 * within source, made when its name is first used (not empty, and no
	 * more than 96 bytes), to be used with message(), skipped(), learn(),
	 * source_up() and the like as source is. Its flows are others than
	 * those of any other source, and void when it is down, not when source
	 * is. It is not up by itself. NULL: there is no room for more.
	 */
	void *(*source_part)(void *source, const char *name);
	/*
	 * Flows of the source that no message mentions for so long are left,
	 * even if limits.flow_idle is longer; 0: they aren't. Parts that are
	 * made later begin with it.
	 */
	void (*source_idle)(void *source, uint32_t ms);
	/*
	 * A flow as its agent would tell it, the JSON text of a
	 * message in netifyd's shape. type is FG_MESSAGE_FLOW: all that is
	 * kept of the flow, with names and cumulative counters;
	 * FG_MESSAGE_FLOW_PURGE: digest, times, totals and reason (a word such
	 * as "closed"; NULL: left out); or FG_MESSAGE_FLOW_DPI_COMPLETE: the
	 * digest. One line of valid UTF-8 without a newline, NUL-terminated.
	 * Returns its length without the NUL, or 0 when it does not fit (it is
	 * never cut): FG_ANNOUNCE_SIZE is room for any flow.
	 */
	size_t (*announce)(const struct fg_host *host,
			   const struct fg_flow *flow,
			   enum fg_message_type type, const char *reason,
			   char *buf, size_t size);
	/*
	 * The part that follows part (NULL: the first), with its name, or NULL:
	 * there are no more. Also those that source_part() was not called for,
	 * since the run before has left their flows, which stay in force for
	 * source_idle() from when the part was last heard; or, without that,
	 * for grace.
	 */
	void *(*source_next_part)(void *source, void *part, const char **name);
};

#define FG_ANNOUNCE_SIZE 106496

/* --------------------------------------------------------------- input */

struct fg_input_type {
	uint32_t size;
	const char *name;    /* what a source's "input" says: "netifyd" */
	const char *schemes; /* NULL: the host's transports feed() it;
				else "mqtt mqtts": it has its own */
	/*
	 * source is the host's handle, for host->message(). cfg is the
	 * source's object in the configuration, or NULL when it came from -s.
	 * An input with schemes connects later, by a timer: the configuration
	 * may have an error elsewhere, or is only checked.
	 */
	int (*open)(const struct fg_host *host, void *source, const char *url,
		    const struct fg_node *cfg, void **input);
	/* any number of bytes, cut anywhere */
	void (*feed)(void *input, const char *bytes, size_t len);
	/* the stream ended or starts anew: what is half read is void */
	void (*reset)(void *input);
	void (*close)(void *input);
};

/* -------------------------------------------------------------- target */

#define FG_TYPE_OBSERVES 0x1u /* wants enter()/leave() of observed flows */
/*
 * Its effect builds on that of others: flush() is called last, and only when
 * every other target's flush() returned false and no job of theirs is in
 * flight. A connection is killed after the set that blocks it has it.
 */
#define FG_TYPE_AFTER 0x2u
/*
 * What it does depends on what a flow was detected as: a change of the part
 * marked "class" is told like one of the key, by rekey(), or as leave() and
 * enter().
 */
#define FG_TYPE_CLASS 0x4u

/*
 * state is "ok" only when everything that should be in force is. Text is the
 * target's, valid until its next callback.
 */
struct fg_status {
	uint32_t size;
	uint64_t elements;
	uint64_t adds;
	uint64_t deletes;
	uint64_t renewals;
	uint64_t errors;
	uint64_t rebuilds;
	uint64_t pending;    /* changes not yet in force */
	const char *state;   /* "ok", "missing", "full", ... one word */
	const char *reason;  /* a sentence, "" when ok */
	/* counters of its own: calls more(ctx, name, value) for each */
	void (*more)(void *ctx, const char *name, uint64_t value);
	void *ctx;
	/* what it found the kernel able to do, a phrase; NULL: it did not look */
	const char *kernel;
};

struct fg_target_type {
	uint32_t size;
	const char *name; /* what "target_type" says: "nftset" */
	uint32_t flags;	  /* FG_TYPE_* */

	/*
	 * Reads and checks its configuration and takes what it needs; with
	 * FG_HOST_CHECK and FG_HOST_DRY_RUN it looks but changes nothing.
	 * globals is target_globals of this type, or NULL. self is the host's
	 * handle for this target.
	 */
	int (*open)(const struct fg_host *host, const void *self,
		    const char *name, const struct fg_node *cfg,
		    const struct fg_node *globals, void **target);
	/*
	 * An action names this target with settings of its own
	 * ({"target": "qos", "data": {...}}); NULL: such settings are refused.
	 * unbind() may come at once, when they were only checked, or after a
	 * reload; not when flowgated stops: close() comes first then, and frees
	 * what bind() allocated and unbind() did not.
	 */
	int (*bind)(void *target, const struct fg_node *override,
		    const void **binding);
	void (*unbind)(void *target, const void *binding);
	/* all targets are open; may look others up. Optional. */
	int (*configured)(void *target);

	/* Membership. leave() mirrors one enter(), with the same member. */
	void (*enter)(void *target, const struct fg_flow *flow,
		      const struct fg_member *member, enum fg_reason reason);
	void (*leave)(void *target, const struct fg_flow *flow,
		      const struct fg_member *member, enum fg_reason reason);
	/*
	 * The key part of a member changed from old to flow; the membership
	 * goes on. NULL: told as leave() of old and enter() of flow.
	 */
	void (*rekey)(void *target, const struct fg_flow *old,
		      const struct fg_flow *flow,
		      const struct fg_member *member);
	/* every event of every flow, member or not; NULL: not wanted */
	void (*event)(void *target, enum fg_event event,
		      const struct fg_flow *flow, enum fg_reason reason);
	/* the counters of any flow grew; NULL: not wanted */
	void (*count)(void *target, const struct fg_flow *flow,
		      const struct fg_growth *by);
	/*
	 * The burst is over: commit what is pending, or part of it. Returns
	 * true to be called again after the sources were read. The first call
	 * comes at once when the configuration goes into force: what a target
	 * is to change beyond its members is changed then, not by open(),
	 * since the file may have an error elsewhere.
	 */
	bool (*flush)(void *target, int64_t now);

	void (*status)(void *target, struct fg_status *out);
	/*
	 * What this target has in force for the flow, asked of the kernel now:
	 * lines of text for a person. Optional.
	 */
	void (*explain)(void *target, const struct fg_flow *flow,
			void (*line)(void *ctx, const char *text), void *ctx);
	/*
	 * What this target has to add to a format ("prometheus": whole metric
	 * families whose names nobody else uses; "report": one JSON object).
	 * False: nothing, or a format that it does not know. Optional.
	 */
	bool (*render)(void *target, const char *format, fg_write *write,
		       void *ctx);
	/*
	 * SIGHUP with an unchanged configuration of this target: reopen files
	 * and the like. Optional.
	 */
	void (*reload)(void *target);
	/* stopping: true at the end of flowgated, false at a reload */
	void (*close)(void *target, bool stopping);
	/*
	 * A flow entered or left any target, other, this one included; told
	 * before that one is. memberships() has the new state. NULL: not
	 * wanted.
	 */
	void (*moved)(void *target, const struct fg_flow *flow,
		      const char *other, const struct fg_member *member,
		      bool enter, enum fg_reason reason);
	/*
	 * What this target has in force for an address though no live flow
	 * holds it (it lingers), asked of the kernel now: lines as explain()'s.
	 * port 0: any. Optional.
	 */
	void (*explain_lingering)(void *target, int version,
				  const uint8_t addr[16], uint16_t port,
				  void (*line)(void *ctx, const char *text),
				  void *ctx);
	/*
	 * host->never() may answer otherwise now: at the start, after a reload,
	 * when the gateway's addresses change. Members were told to leave before
	 * and to enter after; what is in force without one (it lingers, or was
	 * adopted) is to be taken out where it is on the list. Optional.
	 */
	void (*never_changed)(void *target);
	/*
	 * Once, a while after the start: all flows that the run before left have
	 * entered where they belong now. What that run had in force for members,
	 * and none of them claimed, is to be taken out. Not told when some of its
	 * flows are not known. Optional.
	 */
	void (*restored)(void *target);
};

/* -------------------------------------------------------------- plugin */

struct fg_plugin {
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor; /* the host must have at least this one */
	const char *name;
	const char *version;
	const char *summary;
	const struct fg_input_type *const *inputs;   /* NULL-terminated, or NULL */
	const struct fg_target_type *const *targets; /* likewise */
};

#define FG_PLUGIN_HEADER(name_, version_, summary_) \
	sizeof(struct fg_plugin), FG_ABI_MAJOR, FG_ABI_MINOR, name_, version_, \
		summary_

#if defined(__GNUC__)
#define FG_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define FG_PLUGIN_EXPORT
#endif

#ifdef __cplusplus
#define FG_PLUGIN extern "C" FG_PLUGIN_EXPORT const struct fg_plugin flowgate_plugin_v1
#else
#define FG_PLUGIN FG_PLUGIN_EXPORT const struct fg_plugin flowgate_plugin_v1
extern FG_PLUGIN;
#endif

#ifdef __cplusplus
}
#endif

#endif
