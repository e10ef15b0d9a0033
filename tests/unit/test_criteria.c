/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_criteria.c - the language of expressions, row by row. */
/* LINK: common/flow common/policy */
/* LIBS: -lpcre2-8 */
#include "flows.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/criteria.h"

/* What was said last of each level, for looking at. */
struct said {
	char text[8][1200];
	size_t offset[8];
	unsigned count[8];
};

static void hear(void *ctx, enum fg_level level, size_t offset,
		 const char *text)
{
	struct said *s = ctx;

	snprintf(s->text[level], sizeof(s->text[level]), "%s", text);
	s->offset[level] = offset;
	s->count[level]++;
}

static void hear_node(void *ctx, enum fg_level level, const char *text)
{
	hear(ctx, level, 0, text);
}

struct fixture {
	struct world w;
	struct fg_json *doc;
	struct fg_scope *scope;
	struct fg_flow *flow;	/* says everything */
	struct fg_flow *silent; /* says next to nothing */
	struct said said;
};

static const char groups_text[] =
	"{\"address\": {"
	"  \"kids\": [\"192.0.2.0/28\", \"02:00:00:00:00:07\", \"@v6\"],"
	"  \"v6\": [\"2001:db8:1::/48\"],"
	"  \"others\": \"203.0.113.0/24\"},"
	" \"application\": {"
	"  \"video\": [\"netflix\", 9999, \"@music\"],"
	"  \"music\": [\"spotify\"],"
	"  \"later\": [\"netify.newcomer\"]}}";

/* Every attribute has a value that the table below relies on. */
static struct fg_flow *full_flow(struct world *w)
{
	usual_flow(w);
	set_u(w, FG_ATTR_CAT_DOMAIN, 3);
	set_u(w, FG_ATTR_CAT_NETWORK, 36);
	set_u(w, FG_ATTR_CAT_OVERLAY, 28);
	set_u(w, FG_ATTR_CAT_LOCAL_NETWORK, 37);
	set_u(w, FG_ATTR_CAT_OTHER_NETWORK, 35);
	set_u(w, FG_ATTR_IP_DSCP, 46);
	set_u(w, FG_ATTR_IP_NAT, 1);
	set_u(w, FG_ATTR_VLAN_ID, 20);
	set_u(w, FG_ATTR_DETECTION_GUESSED, 0);
	set_u(w, FG_ATTR_DETECTION_UPDATED, 1);
	set_u(w, FG_ATTR_DETECTION_PACKETS, 12);
	set_u(w, FG_ATTR_FIRST_SEEN, 1700000000000);
	set_u(w, FG_ATTR_LAST_SEEN, 1700000005000);
	set_u(w, FG_ATTR_CT_ID, 77);
	set_u(w, FG_ATTR_CT_MARK, 0x10);
	set_u(w, FG_ATTR_GTP_VERSION, 1);
	set_text(w, FG_ATTR_TAGS, "[\"iot\",\"gue\\u0073t\"]");
	set_text(w, FG_ATTR_DNS_HOST_NAME, "cdn.example.net");
	set_text(w, FG_ATTR_HTTP_URL, "http://example.net/A?q=\\\"x\\\"");
	set_text(w, FG_ATTR_HTTP_USER_AGENT, "curl/8.0");
	set_text(w, FG_ATTR_DHCP_FINGERPRINT, "1,3,6");
	set_text(w, FG_ATTR_DHCP_CLASS_IDENT, "MSFT 5.0");
	set_text(w, FG_ATTR_SSH_CLIENT, "SSH-2.0-c");
	set_text(w, FG_ATTR_SSH_SERVER, "SSH-2.0-s");
	set_text(w, FG_ATTR_MDNS_ANSWER, "_tv._tcp.local");
	set_text(w, FG_ATTR_BT_INFO_HASH, "dcfcdccfb9e670ccc3dd40c78c161f2bea243126");
	set_u(w, FG_ATTR_TLS_VERSION, 0x0303);
	set_u(w, FG_ATTR_TLS_CIPHER, 0xc02f);
	set_text(w, FG_ATTR_TLS_SERVER_CN, "*.netflix.com");
	set_text(w, FG_ATTR_TLS_ISSUER_DN, "C=US, O=DigiCert Inc");
	set_text(w, FG_ATTR_TLS_SUBJECT_DN, "C=US, O=Netflix");
	set_text(w, FG_ATTR_TLS_CLIENT_JA4, "t13d1516h2_8daaf6152771_b0da82dd1658");
	set_text(w, FG_ATTR_TLS_FINGERPRINT, "97f663958ff25ee080125afdbfb2ebfea2fe7233");
	set_text(w, FG_ATTR_TLS_ALPN, "[\"h2\",\"http/1.1\"]");
	set_text(w, FG_ATTR_TLS_ALPN_SERVER, "[\"h2\"]");
	set_u(w, FG_ATTR_TLS_ECH, 0xfe0d);
	set_text(w, FG_ATTR_STUN_MAPPED, "192.0.2.7:1");
	set_text(w, FG_ATTR_STUN_PEER, "192.0.2.7:2");
	set_text(w, FG_ATTR_STUN_RELAYED, "192.0.2.7:3");
	set_text(w, FG_ATTR_STUN_RESPONSE, "192.0.2.7:4");
	set_text(w, FG_ATTR_STUN_OTHER, "192.0.2.7:5");
	set_u(w, FG_ATTR_RISK_SCORE, 150);
	set_u(w, FG_ATTR_RISK_CLIENT, 100);
	set_u(w, FG_ATTR_RISK_SERVER, 50);
	set_text(w, FG_ATTR_RISKS, "[10, 41,47]");
	set_u(w, FG_ATTR_TCP_RESETS, 1);
	set_u(w, FG_ATTR_TCP_RETRANS, 2);
	set_u(w, FG_ATTR_TCP_SEQ_ERRORS, 3);
	set_u(w, FG_ATTR_LOCAL_BYTES, 1000);
	set_u(w, FG_ATTR_OTHER_BYTES, 5000);
	set_u(w, FG_ATTR_TOTAL_BYTES, 6000);
	set_u(w, FG_ATTR_LOCAL_PACKETS, 10);
	set_u(w, FG_ATTR_OTHER_PACKETS, 20);
	set_u(w, FG_ATTR_TOTAL_PACKETS, 30);
	set_r(w, FG_ATTR_LOCAL_RATE, 552.5);
	set_r(w, FG_ATTR_OTHER_RATE, 876.0);
	return end_flow(w);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fg_report report = {hear_node, &f->said};
	const struct fg_node *addresses, *applications;
	struct fg_groups *groups;

	world_open(&f->w, 64);
	usual_names(&f->w);
	f->flow = full_flow(&f->w);
	begin_flow(&f->w);
	f->silent = end_flow(&f->w);
	assert_int_equal(fg_json_parse(&f->doc, "groups", groups_text,
				       strlen(groups_text), report), 0);
	fg_node_object(fg_json_root(f->doc), "address", &addresses);
	fg_node_object(fg_json_root(f->doc), "application", &applications);
	assert_int_equal(fg_groups_new(&groups, f->w.catalog, addresses,
				       applications, NULL), 0);
	assert_int_equal(fg_scope_new(&f->scope, f->w.catalog, groups), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	fg_scope_put(f->scope);
	fg_json_free(f->doc);
	world_close(&f->w);
	free(f);
	return 0;
}

static struct fg_criteria *compile(struct fixture *f, const char *text,
				   size_t len)
{
	const struct fg_expr_report report = {hear, &f->said};
	struct fg_criteria *c = NULL;
	int err;

	memset(&f->said, 0, sizeof(f->said));
	err = fg_criteria_new(&c, f->scope, text, len, &report);
	assert_int_equal(err, c ? 0 : -EINVAL);
	assert_int_equal(f->said.count[FG_LOG_ERROR], c ? 0 : 1);
	return c;
}

/* 1, 0, or -1: not an expression. */
static int ask(struct fixture *f, const char *text, const struct fg_flow *flow)
{
	struct fg_criteria *c = compile(f, text, strlen(text));
	int result = -1;

	if (c)
		result = fg_criteria_match(c, f->w.table, flow);
	fg_criteria_free(c);
	return result;
}

/* ------------------------------------------------------------------ values */

struct row {
	const char *text;
	int full;   /* for the flow that says everything */
	int silent; /* for the one that says nothing */
	const char *why;
};

static void check_rows(struct fixture *f, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int full = ask(f, rows[i].text, f->flow);
		int silent = ask(f, rows[i].text, f->silent);

		if (full == rows[i].full && silent == rows[i].silent)
			continue;
		fail_msg("%s: %d %d, expected %d %d (%s) %s", rows[i].text,
			 full, silent, rows[i].full, rows[i].silent,
			 rows[i].why, f->said.text[FG_LOG_ERROR]);
	}
}

#define CHECK_ROWS(f, rows) check_rows(f, rows, sizeof(rows) / sizeof(rows[0]))

static void test_attributes(void **state)
{
	static const struct row rows[] = {
		{"application == 'netify.netflix'", 1, 0, "full tag"},
		{"application == 'netflix'", 1, 0, "without its first part"},
		{"app == \"NetFlix\"", 1, 0, "case, other quotes"},
		{"app_id == 133", 1, 0, "by id"},
		{"application_id == '133'", 1, 0, "digits are an id in quotes, too"},
		{"app == 0", 0, 1, "unknown is 0"},
		{"app == 'facebook'", 0, 0, "another one"},
		{"app > 132", 1, 0, "ids are numbers"},
		{"app == 'rx:^netify\\.net'", 1, 0, "regex on the tag"},
		{"app == @video", 1, 0, "application group"},
		{"app == @music", 0, 0, "another group"},
		{"app != @music", 1, 1, "negated"},
		{"application", 1, 0, "known at all"},
		{"protocol == 'http/s'", 1, 0, "protocols without case"},
		{"proto == 196", 1, 0, "by id"},
		{"proto_id == 0xc4", 1, 0, "hexadecimal"},
		{"protocol_id != 5", 1, 1, ""},
		{"protocol == 'rx:http'", 1, 0, ""},
		{"application_category == 'streaming-media'", 1, 0, "by tag"},
		{"app_category == 29", 1, 0, ""},
		{"application_category_id == 28", 0, 0, ""},
		{"app_category_id != 28", 1, 1, ""},
		{"app_category == 'rx:media'", 1, 0, "regex on the tag"},
		{"protocol_category == 'web'", 1, 0, ""},
		{"proto_category_id == 22", 1, 0, ""},
		{"domain_category == 'advertiser'", 1, 0, ""},
		{"dom_category == 3", 1, 0, ""},
		{"network_category == 'hosting'", 1, 0, "the network"},
		{"net_category == 'telco'", 1, 0, "the local network"},
		{"net_category_id == 35", 1, 0, "the other network"},
		{"category == 'streaming-media'", 1, 0, "any: application"},
		{"category == 'web'", 1, 0, "any: protocol"},
		{"cat == 'advertiser'", 1, 0, "any: domain"},
		{"cat_id == 28", 1, 0, "any: overlay"},
		{"category != 'adult'", 1, 1, "none of them"},
		{"category != 'web'", 0, 1, "one of them"},
		{"category", 1, 0, "has one"},
		{"tag == 'iot'", 1, 0, "first of the list"},
		{"tag == 'guest'", 1, 0, "escaped in the list"},
		{"tag == 'IOT'", 0, 0, "tags are exact"},
		{"tag == 'rx:^gu'", 1, 0, ""},
		{"tag", 1, 0, ""},
		{"ip == 192.0.2.7", 1, 0, "local"},
		{"ip == 198.51.100.9", 1, 0, "other"},
		{"local_ip == 192.0.2.0/24", 1, 0, "prefix"},
		{"local_ip == 192.0.2.99/24", 1, 0, "bits after the prefix"},
		{"local_ip == 0.0.0.0/0", 1, 0, "all of IPv4"},
		{"local_ip == ::/0", 0, 0, "which is not IPv6"},
		{"local_ip == '192.0.2.7'", 1, 0, "quotes mean the same"},
		{"other_ip == 192.0.2.7", 0, 0, ""},
		{"local_ip == @kids", 1, 0, "address group"},
		{"local_ip == @others", 0, 0, ""},
		{"local_ip", 1, 0, "known"},
		{"src_ip == 192.0.2.7", 1, 0, "the client is the local side"},
		{"dst_ip == 192.0.2.7", 0, 0, ""},
		{"dst_ip == 198.51.100.9", 1, 0, ""},
		{"mac == 02:00:00:00:00:01", 1, 0, "either"},
		{"local_mac == 02-00-00-00-00-07", 1, 0, "dashes"},
		{"other_mac == 02:00:00:00:00:07", 0, 0, ""},
		{"src_mac == @kids", 1, 0, "MACs of an address group"},
		{"dst_mac == @kids", 0, 0, ""},
		{"port == 443", 1, 0, "either"},
		{"port == 40000", 1, 0, "either"},
		{"local_port > 1024", 1, 0, ""},
		{"other_port >= 443", 1, 0, ""},
		{"other_port < 443", 0, 1, "0 is a port where there are none"},
		{"src_port == 40000", 1, 0, ""},
		{"dst_port <= 443", 1, 0, "unknown when no origin is"},
		{"ip_protocol == 6", 1, 0, ""},
		{"ip_version == 4", 1, 0, ""},
		{"ip_version != 6", 1, 1, "not said is not 6"},
		{"ip_dscp == 46", 1, 0, ""},
		{"ip_nat", 1, 0, ""},
		{"!ip_nat", 0, 1, ""},
		{"ip_nat == true", 1, 0, ""},
		{"ip_nat == false", 0, 1, ""},
		{"ip_nat == 1", 1, 0, "as a number"},
		{"vlan_id == 20", 1, 0, ""},
		{"vlan == 20", 1, 0, ""},
		{"iface == 'br-lan'", 1, 0, ""},
		{"iface == 'BR-LAN'", 0, 0, "exact"},
		{"iface == 'rx:^br-'", 1, 0, ""},
		{"origin == origin_local", 1, 0, ""},
		{"origin == origin_other", 0, 0, ""},
		{"origin == origin_unknown", 0, 1, ""},
		{"other_type == other_remote", 1, 0, ""},
		{"other_type != other_multicast", 1, 1, ""},
		{"other_type == other_unknown", 0, 1, ""},
		{"tunnel_type == tunnel_gtp", 1, 0, ""},
		{"tunnel_type == tunnel_none", 0, 1, ""},
		{"tunnel_type", 1, 0, "any tunnel"},
		{"detected_hostname == 'www.netflix.com'", 1, 0, "no case in names"},
		{"detected_hostname != 'www.netflix.com'", 0, 1, "absent is not it"},
		{"detected_hostname == 'netflix.com'", 0, 0, "the whole name"},
		{"detected_hostname == 'rx:(^|\\.)netflix\\.com$'", 1, 0, ""},
		{"detected_hostname != 'rx:netflix'", 0, 1, "!= of a regex"},
		{"detected_hostname", 1, 0, ""},
		{"!detected_hostname", 0, 1, ""},
		{"dns_hostname == 'CDN.example.net'", 1, 0, ""},
		{"detection_guessed", 0, 0, ""},
		{"detection_guessed == false", 1, 1, ""},
		{"detection_updated", 1, 0, ""},
		{"detection_complete", 0, 0, ""},
		{"detection_packets > 10", 1, 0, ""},
		{"risks == 41", 1, 0, "one of the list"},
		{"risks == 42", 0, 0, ""},
		{"risks != 42", 1, 1, "none of the list"},
		{"risks > 46", 1, 0, "any above"},
		{"risks", 1, 0, ""},
		{"ndpi_risk_score >= 150", 1, 0, ""},
		{"ndpi_risk_client == 100", 1, 0, ""},
		{"ndpi_risk_server == 50", 1, 0, ""},
		{"tls_version == 0x0303", 1, 0, ""},
		{"ssl_version < 0x0304", 1, 0, "absent is not below"},
		{"tls_version >= 771", 1, 0, "decimal"},
		{"tls_cipher == 0xC02F", 1, 0, ""},
		{"ssl_cipher != 0x1301", 1, 1, ""},
		{"tls_ja4 == 'T13d1516h2_8daaf6152771_b0da82dd1658'", 1, 0, "no case in hashes"},
		{"tls_alpn == 'h2'", 1, 0, ""},
		{"tls_alpn == 'http/1.1'", 1, 0, ""},
		{"tls_alpn == 'http/1'", 0, 0, "whole elements"},
		{"tls_alpn_server == 'http/1.1'", 0, 0, ""},
		{"tls_issuer_dn == 'rx:digicert'", 1, 0, ""},
		{"tls_issuer_dn == 'c=us, o=digicert inc'", 0, 0, "exact"},
		{"tls_server_cn == '*.NETFLIX.com'", 1, 0, ""},
		{"tls_subject_dn == 'C=US, O=Netflix'", 1, 0, ""},
		{"tls_cert_fingerprint == '97F663958FF25EE080125AFDBFB2EBFEA2FE7233'", 1, 0, ""},
		{"tls_ech", 1, 0, ""},
		{"http_url == 'http://example.net/A?q=\"x\"'", 1, 0, "escapes are taken out"},
		{"http_user_agent == 'rx:^curl/'", 1, 0, ""},
		{"dhcp_class_ident == 'MSFT 5.0'", 1, 0, ""},
		{"dhcp_fingerprint == '1,3,6'", 1, 0, ""},
		{"mdns_domain_name == '_TV._tcp.local'", 1, 0, ""},
		{"ssh_client_agent == 'SSH-2.0-c'", 1, 0, ""},
		{"ssh_server_agent == 'SSH-2.0-s'", 1, 0, ""},
		{"bt_info_hash == 'DCFCDCCFB9E670CCC3DD40C78C161F2BEA243126'", 1, 0, ""},
		{"stun_mapped == '192.0.2.7:1'", 1, 0, ""},
		{"stun_peer == '192.0.2.7:2'", 1, 0, ""},
		{"stun_relayed == '192.0.2.7:3'", 1, 0, ""},
		{"stun_response == '192.0.2.7:4'", 1, 0, ""},
		{"stun_other == '192.0.2.7:5'", 1, 0, ""},
		{"local_bytes == 1000", 1, 0, ""},
		{"other_bytes > 4999", 1, 0, ""},
		{"total_bytes <= 6000", 1, 1, "none yet is 0"},
		{"local_packets == 10", 1, 0, ""},
		{"other_packets == 20", 1, 0, ""},
		{"total_packets == 30", 1, 0, ""},
		{"local_rate == 552", 1, 0, "whole bytes"},
		{"other_rate > 875", 1, 0, ""},
		{"ts_first_seen == 1700000000000", 1, 0, "ms"},
		{"ts_last_seen == 1700000005000", 1, 0, ""},
		{"tcp_resets == 1", 1, 0, ""},
		{"tcp_retrans == 2", 1, 0, ""},
		{"tcp_seq_errors == 3", 1, 0, ""},
		{"ct_id == 77", 1, 0, ""},
		{"conntrack_id != 78", 1, 1, ""},
		{"ct_mark == 0x10", 1, 0, ""},
		{"fwmark == 16", 1, 0, ""},
		{"conntrack_mark", 1, 0, ""},
	};

	CHECK_ROWS((struct fixture *)*state, rows);
}

/* The table above would be worth little if it forgot some. */
static void test_every_name(void **state)
{
	struct fixture *f = *state;
	char text[64];

	for (size_t i = 0; fg_term_names[i].name; i++) {
		snprintf(text, sizeof(text), "%s", fg_term_names[i].name);
		if (ask(f, text, f->silent) < 0)
			fail_msg("%s: %s", text, f->said.text[FG_LOG_ERROR]);
		if (fg_term_names[i].id == FG_TERM_ID_DETECTION_COMPLETE ||
		    fg_term_names[i].id == FG_TERM_ID_DETECTION_GUESSED)
			continue; /* false in the full flow */
		if (ask(f, text, f->flow) != 1)
			fail_msg("%s is not known in the full flow", text);
	}
	for (size_t i = 0; fg_term_constants[i].name; i++) {
		snprintf(text, sizeof(text), "%s == %s",
			 fg_terms[fg_term_constants[i].id].name,
			 fg_term_constants[i].name);
		assert_int_not_equal(ask(f, text, f->flow), -1);
	}
}

static void test_structure(void **state)
{
	static const struct row rows[] = {
		{"*", 1, 1, "everything"},
		{" * ; ", 1, 1, "spaces, semicolon"},
		{"ip_nat;", 1, 0, "one statement"},
		{"\tip_nat\r\n;\n", 1, 0, "all kinds of space"},
		{"ai:netflix", 1, 0, "compact"},
		{"ai:netify.netflix", 1, 0, ""},
		{"ai:133", 1, 0, ""},
		{"ai:@video", 1, 0, "a group"},
		{"!ai:netflix", 0, 1, ""},
		{"ac:streaming-media", 1, 0, ""},
		{"ac:29", 1, 0, ""},
		{"pi:HTTP/S", 1, 0, ""},
		{"pi:'http/s'", 1, 0, "quoted"},
		{"pi:196", 1, 0, ""},
		{"pc:web", 1, 0, ""},
		{"!pc:22", 0, 1, ""},
		{"ai:netflix && !pi:dns", 1, 0, "compact in a larger one"},
		{"(ai:netflix)", 1, 0, ""},
		{"ip_nat and vlan == 20", 1, 0, "words"},
		{"ip_nat AND vlan == 21", 0, 0, ""},
		{"ip_nat or vlan == 21", 1, 0, ""},
		{"ip_nat && vlan == 20 && port == 443", 1, 0, ""},
		{"vlan == 1 || vlan == 2 || vlan == 20", 1, 0, ""},
		{"vlan == 1 || ip_nat && vlan == 20", 1, 0, "&& first"},
		{"ip_nat && vlan == 1 || port == 443", 1, 0, "&& first"},
		{"ip_nat || vlan == 1 && port == 1", 1, 0, "&& first"},
		{"(ip_nat || vlan == 1) && port == 1", 0, 0, ""},
		{"!ip_nat || port == 443", 1, 1, "! first"},
		{"!ip_nat && port == 443", 0, 0, "! first"},
		{"!(ip_nat && port == 443)", 0, 1, "negated parentheses"},
		{"!(ip_nat && port == 1)", 1, 1, ""},
		{"!!ip_nat", 1, 0, ""},
		{"!!!ip_nat", 0, 1, ""},
		{"!vlan == 20", 0, 1, "of the comparison"},
		{"! ( ! ( ip_nat ) )", 1, 0, ""},
		{"ip_nat&&vlan==20", 1, 0, "no spaces"},
		{"((((((ip_nat))))))", 1, 0, ""},
		{"iface=='br-lan'||iface=='x'", 1, 0, ""},
		{"http_url == 'it is; a && (b)'", 0, 0, "text is text"},
	};

	CHECK_ROWS((struct fixture *)*state, rows);
}

/* ------------------------------------------------------------------ errors */

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *says; /* part of the message */
	} rows[] = {
		{"", 0, "empty"},
		{"   ", 0, "empty"},
		{";", 0, "expected an attribute"},
		{"aplication == 'x'", 0, "did you mean application?"},
		{"nonsense", 0, "no attribute \"nonsense\""},
		{"ip_nat &&", 9, "found the end"},
		{"ip_nat && && vlan", 10, "found &&"},
		{"ip_nat vlan", 7, "expected && or || or the end, found vlan"},
		{"ip_nat & vlan", 7, "write &&"},
		{"ip_nat | vlan", 7, "write ||"},
		{"vlan = 20", 5, "write =="},
		{"vlan == ", 8, "expected a number, found the end"},
		{"vlan == 'x'", 8, "compared with a number, not with x"},
		{"vlan == 9999", 8, "at most 4095"},
		{"port == 65536", 8, "at most 65535"},
		{"total_bytes == 99999999999999999999", 15, "too large"},
		{"app == facebook", 7, "wants quotes: 'facebook'"},
		{"app == 192.0.2.1", 7, "compared with a 'tag', an id"},
		{"app == ''", 7, "empty"},
		{"app == 'rx:'", 7, "empty"},
		{"app == @", 7, "empty"},
		{"app == @kids", 7, "no application group @kids"},
		{"app == @vidoe", 7, "did you mean @video?"},
		{"local_ip == @kid", 12, "did you mean @kids?"},
		{"local_ip == @nobody", 12, "no address group @nobody"},
		{"local_ip == 192.0.2.256", 12, "compared with an address"},
		{"local_ip == 192.0.2.0/33", 12, "compared with an address"},
		{"local_ip == 02:00:00:00:00:01", 12, "not with 02:"},
		{"local_mac == 192.0.2.1", 13, "compared with a MAC"},
		{"local_ip > 192.0.2.1", 11, "only numbers have an order"},
		{"iface > 'a'", 8, "only numbers have an order"},
		{"ip_nat > 0", 9, "true or false"},
		{"ip_nat == 2", 10, "at most 1"},
		{"ip_nat == maybe", 10, "true or false"},
		{"app_category == 'streamign-media'", 16, "did you mean streaming-media?"},
		{"app_category == 'xyzzy'", 16, "no category \"xyzzy\""},
		{"ac:streaming", 3, "no category"},
		{"pc:streaming-media", 3, "no category"},
		{"origin == origin_lokal", 10, "did you mean origin_local?"},
		{"origin == 1", 10, "expected one of origin_unknown, origin_local"},
		{"origin == 'origin_local'", 10, "compared with one of its constants"},
		{"origin_local", 0, "write origin == origin_local"},
		{"origin == other_local", 10, "origin has no value"},
		{"(ip_nat", 7, "for the ( at character 1"},
		{"ip_nat)", 6, "found )"},
		{"()", 1, "found )"},
		{"!", 1, "found the end"},
		{"ip_nat; vlan;", 8, "a second statement"},
		{"* && ip_nat", 2, "stands alone"},
		{"ip_nat && *", 10, "stands alone"},
		{"app == 'netflix", 7, "closing ' is missing"},
		{"app == \"netflix'", 7, "closing \" is missing"},
		{"iface == 'rx:(a'", 15, "regular expression"},
		{"iface == 'rx:a)'", 14, "regular expression"},
		{"ax:facebook", 0, "ai:, ac:, pi: or pc:"},
		{"ai:", 3, "empty"},
		{"ai:facebook youtube", 12, "found youtube"},
		{"local_ip == 192.0.2.1.", 12, "compared with"},
		{"tls_version == 0x", 15, "compared with a number"},
		{"app == 'a' ? 1", 11, "has no place"},
		{"app == 'x\ty", 7, "missing"},
		{"== 1", 0, "expected an attribute"},
		{"'x' == app", 0, "expected an attribute"},
		{"133", 0, "no attribute \"133\""},
		{"ip_nat # note", 7, "has no place"},
		{"app == -1", 7, "wants quotes"},
		{"vlan == -1", 8, "compared with a number"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = f->said.text[FG_LOG_ERROR];

		if (ask(f, rows[i].text, f->flow) == -1 &&
		    f->said.offset[FG_LOG_ERROR] == rows[i].at &&
		    strstr(text, rows[i].says))
			continue;
		fail_msg("%s: at %zu, not %zu: %s", rows[i].text,
			 f->said.offset[FG_LOG_ERROR], rows[i].at, text);
	}
}

static void test_hostile_sizes(void **state)
{
	struct fixture *f = *state;
	size_t size = 1024 * 1024;
	char *text = malloc(size + 1);

	/* 10,000 parentheses: the 65th is one too many */
	memset(text, '(', 10000);
	assert_null(compile(f, text, 10000));
	assert_int_equal(f->said.offset[FG_LOG_ERROR], 64);
	assert_non_null(strstr(f->said.text[FG_LOG_ERROR], "64 deep"));

	/* as many ! are one or none */
	memset(text, '!', 10000);
	memcpy(text + 10000, "ip_nat", 7);
	assert_int_equal(ask(f, text, f->flow), 1);

	/* 1 MB */
	memset(text, 'a', size);
	assert_null(compile(f, text, size));
	assert_non_null(strstr(f->said.text[FG_LOG_ERROR], "1048576"));
	assert_int_equal(f->said.offset[FG_LOG_ERROR], FG_EXPRESSION_MAX);

	/* the longest that is read: thousands of terms, no deep recursion */
	size = 0;
	while (size + 12 < FG_EXPRESSION_MAX)
		size += (size_t)sprintf(text + size, "vlan==1||");
	sprintf(text + size, "ip_nat");
	assert_int_equal(ask(f, text, f->flow), 1);

	/* every byte may come */
	for (int c = 0; c < 256; c++) {
		text[0] = (char)c;
		fg_criteria_free(compile(f, text, 1));
		memcpy(text, "ip_nat ", 7);
		text[7] = (char)c;
		fg_criteria_free(compile(f, text, 8));
	}
	free(text);
}

/* ----------------------------------------------------------------- notices */

static void test_precedence_notice(void **state)
{
	static const struct {
		const char *text;
		const char *ours, *theirs; /* NULL: nothing to say */
	} rows[] = {
		{"ip_nat && vlan || tag", "(ip_nat && vlan) || tag", "ip_nat && (vlan || tag)"},
		{"ip_nat || vlan && tag", NULL, NULL},
		{"ip_nat && vlan && tag", NULL, NULL},
		{"ip_nat || vlan || tag", NULL, NULL},
		{"(ip_nat && vlan) || tag", NULL, NULL},
		{"ip_nat && (vlan || tag)", NULL, NULL},
		{"tag || ip_nat && vlan || mac", "tag || (ip_nat && vlan) || mac", "tag || (ip_nat && (vlan || mac))"},
		{"tag && (ip_nat && vlan || mac)", "(ip_nat && vlan) || mac", "ip_nat && (vlan || mac)"},
		{"ip_nat && vlan || mac && tag", "(ip_nat && vlan) || (mac && tag)", "ip_nat && (vlan || (mac && tag))"},
		{"ip_nat && !vlan == 2 || tag", "(ip_nat && !vlan == 2) || tag", "ip_nat && (!vlan == 2 || tag)"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = f->said.text[FG_LOG_NOTICE];

		assert_int_not_equal(ask(f, rows[i].text, f->flow), -1);
		if (!rows[i].ours && f->said.count[FG_LOG_NOTICE] == 0)
			continue;
		if (rows[i].ours && f->said.count[FG_LOG_NOTICE] == 1 &&
		    strstr(text, rows[i].ours) && strstr(text, rows[i].theirs))
			continue;
		fail_msg("%s: %s", rows[i].text, text);
	}
}

static void test_unknown_names(void **state)
{
	struct fixture *f = *state;
	struct fg_criteria *c = compile(f, "ai:netflx || pi:TOR", 19);
	struct fg_flow *flow;
	size_t at = 0;

	assert_non_null(c);
	assert_int_equal(f->said.count[FG_LOG_WARNING], 2);
	assert_string_equal(fg_criteria_unknown(c, 0, NULL), "netflx");
	assert_string_equal(fg_criteria_unknown(c, 1, &at), "TOR");
	assert_int_equal(at, 16);
	assert_null(fg_criteria_unknown(c, 2, &at));
	assert_false(fg_criteria_match(c, f->w.table, f->flow));
	/* the agent learns of it: it matches from then on */
	world_name(&f->w, FG_NAME_APPLICATION, 4711, "netify.netflx");
	usual_flow(&f->w);
	set_u(&f->w, FG_ATTR_APPLICATION, 4711);
	flow = end_flow(&f->w);
	assert_true(fg_criteria_match(c, f->w.table, flow));
	assert_string_equal(fg_criteria_unknown(c, 0, NULL), "TOR");
	fg_criteria_free(c);

	assert_int_equal(ask(f, "ai:netflixx", f->flow), 0);
	assert_non_null(strstr(f->said.text[FG_LOG_WARNING], "did you mean netify.netfl"));
	assert_int_equal(f->said.offset[FG_LOG_WARNING], 3);

	/* the same in a group */
	c = compile(f, "app == @later", 13);
	assert_false(fg_criteria_match(c, f->w.table, flow));
	world_name(&f->w, FG_NAME_APPLICATION, 4711, "netify.newcomer");
	assert_true(fg_criteria_match(c, f->w.table, flow));
	fg_criteria_free(c);
}

static void test_no_names_yet(void **state)
{
	struct fixture *f = *state;
	struct world empty;
	struct fg_groups *groups;
	struct fg_scope *scope;
	const struct fg_expr_report report = {hear, &f->said};
	struct fg_criteria *c;

	/* without any name, nothing can be said about one */
	world_open(&empty, 1);
	assert_int_equal(fg_groups_new(&groups, empty.catalog, NULL, NULL, NULL), 0);
	assert_int_equal(fg_scope_new(&scope, empty.catalog, groups), 0);
	memset(&f->said, 0, sizeof(f->said));
	assert_int_equal(fg_criteria_new(&c, scope, "ai:x", 4, &report), 0);
	assert_int_equal(f->said.count[FG_LOG_WARNING], 0);
	/* the expression keeps what it needs */
	fg_scope_put(scope);
	assert_false(fg_criteria_match(c, f->w.table, f->flow));
	fg_criteria_free(c);
	world_close(&empty);
}

/* -------------------------------------------------------------- categories */

static void test_category_of_catalog(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/flowgate-test-XXXXXX", err[256];
	static const char json[] =
		"{\"application_tag_index\":{\"streaming-media\":29},"
		"\"application_index\":[[29,[133]]],"
		"\"protocol_tag_index\":{\"web\":22},"
		"\"protocol_index\":[[22,[196]]]}";
	int fd = mkstemp(path);
	struct fg_flow *flow;

	assert_true(write(fd, json, sizeof(json) - 1) > 0);
	close(fd);
	assert_int_equal(fg_catalog_load(f->w.catalog, path, err, sizeof(err)), 0);
	unlink(path);
	/* a v3 agent says no categories: those of the file */
	usual_flow(&f->w);
	set_u(&f->w, FG_ATTR_CAT_APPLICATION, 0);
	set_u(&f->w, FG_ATTR_CAT_PROTOCOL, 0);
	flow = end_flow(&f->w);
	assert_int_equal(ask(f, "ac:streaming-media", flow), 1);
	assert_int_equal(ask(f, "category == 'web'", flow), 1);
	assert_int_equal(ask(f, "ac:games", flow), 0);
	/* what the message says wins */
	usual_flow(&f->w);
	set_u(&f->w, FG_ATTR_CAT_APPLICATION, 12);
	flow = end_flow(&f->w);
	assert_int_equal(ask(f, "ac:streaming-media", flow), 0);
	assert_int_equal(ask(f, "ac:games", flow), 1);
}

static void test_other_origin(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{"src_ip == 2001:db8:1::5", 0},
		{"src_ip == 2001:db8:ffff::9", 1},
		{"dst_port == 22", 1},
		{"src_port == 50000", 1},
		{"dst_ip == @kids", 1},
		{"src_mac == 02:00:00:00:00:01", 1},
		{"origin == origin_other", 1},
		{"ip == 2001:db8::/32", 1},
		{"local_ip == 2001:0db8:0001::/48", 1},
		{"local_ip == 0.0.0.0/0", 0},
	};
	struct fixture *f = *state;
	struct fg_flow *flow;

	usual_flow(&f->w); /* somebody outside opens SSH to a machine inside */
	set_u(&f->w, FG_ATTR_IP_VERSION, 6);
	set_u(&f->w, FG_ATTR_LOCAL_ORIGIN, 0);
	set_addr(&f->w, FG_ATTR_LOCAL_IP, "2001:db8:1::5");
	set_addr(&f->w, FG_ATTR_OTHER_IP, "2001:db8:ffff::9");
	set_u(&f->w, FG_ATTR_LOCAL_PORT, 22);
	set_u(&f->w, FG_ATTR_OTHER_PORT, 50000);
	flow = end_flow(&f->w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ask(f, rows[i].text, flow) != rows[i].result)
			fail_msg("%s", rows[i].text);
	}
}

/* ------------------------------------------------------------------- regex */

static void test_regex_bomb(void **state)
{
	struct fixture *f = *state;
	static const char bomb[] = "detected_hostname == 'rx:^(a+)+$'";
	struct fg_criteria *c = compile(f, bomb, sizeof(bomb) - 1);
	char host[200];
	struct fg_flow *flow;
	uint64_t before;

	assert_non_null(c);
	usual_flow(&f->w);
	memset(host, 'a', sizeof(host));
	strcpy(host + sizeof(host) - 2, "!");
	set_text(&f->w, FG_ATTR_HOST_SERVER_NAME, host);
	flow = end_flow(&f->w);
	assert_false(fg_criteria_match(c, f->w.table, flow));
	assert_true(fg_criteria_limited(c) > 0);
	/* PCRE2's own limit, ten million steps, is 100 ms: not reached here */
	before = fg_criteria_limited(c);
	strcpy(host + 20, "!");
	usual_flow(&f->w);
	set_text(&f->w, FG_ATTR_HOST_SERVER_NAME, host);
	flow = end_flow(&f->w);
	assert_false(fg_criteria_match(c, f->w.table, flow));
	assert_true(fg_criteria_limited(c) > before);
	/* and the engine is as good as new */
	memset(host, 'a', 30);
	host[30] = '\0';
	usual_flow(&f->w);
	set_text(&f->w, FG_ATTR_HOST_SERVER_NAME, host);
	flow = end_flow(&f->w);
	assert_true(fg_criteria_match(c, f->w.table, flow));
	fg_criteria_free(c);
}

/* Without JIT, as in a service without write-execute memory. */
static void test_regex_interpreted(void **state)
{
	struct fg_regex_engine *e;
	struct fg_regex *r;
	char err[128], text[2000];
	uint64_t limited = 0;
	size_t at;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(fg_regex_engine_new(&e), 0);
	assert_int_equal(fg_regex_new(&r, "(*NO_JIT)^(?:a|b)*c", 19, err,
				      sizeof(err), &at), 0);
	/* one backtracking point for each letter: more than fits at first */
	assert_false(fg_regex_match(e, r, fg_slice(text, 1000), &limited));
	assert_int_equal(limited, 0);
	text[999] = 'c';
	assert_true(fg_regex_match(e, r, fg_slice(text, 1000), &limited));
	fg_regex_free(r);
	assert_int_equal(fg_regex_new(&r, "(*NO_JIT)^(a+)+$", 16, err,
				      sizeof(err), &at), 0);
	assert_false(fg_regex_match(e, r, fg_slice(text, 900), &limited) &&
		     limited);
	text[899] = '!';
	assert_false(fg_regex_match(e, r, fg_slice(text, 900), &limited));
	assert_int_equal(limited, 1);
	fg_regex_free(r);
	fg_regex_engine_free(e);
}

/* ----------------------------------------------------------- index, explain */

struct keys {
	char text[512];
};

static void collect(void *ctx, enum fg_key_kind kind, uint32_t id)
{
	struct keys *k = ctx;
	size_t len = strlen(k->text);

	snprintf(k->text + len, sizeof(k->text) - len, "%d:%u ", (int)kind, id);
}

static void test_cover(void **state)
{
	static const struct {
		const char *text;
		enum fg_cover cover;
		const char *keys;
	} rows[] = {
		{"ai:netflix", FG_COVER_EXACT, "0:133 "},
		{"ai:133 || ai:119", FG_COVER_EXACT, "0:133 0:119 "},
		{"(ai:133 || pi:5) || ac:29", FG_COVER_EXACT, "0:133 1:5 2:29 "},
		{"app == @video", FG_COVER_EXACT, "0:133 0:156 0:9999 "},
		{"ai:unheard-of", FG_COVER_EXACT, ""},
		{"category == 'web'", FG_COVER_EXACT, "3:22 "},
		{"network_category == 36", FG_COVER_EXACT, "5:36 7:36 8:36 "},
		{"ai:133 && ip_nat", FG_COVER_SOME, "0:133 "},
		{"pi:196 && ai:133", FG_COVER_SOME, "0:133 "},
		{"ip_nat && (pi:5 || ai:133)", FG_COVER_SOME, "1:5 0:133 "},
		{"ai:119 || ai:133 && ip_nat", FG_COVER_SOME, "0:119 0:133 "},
		{"!ai:133", FG_COVER_NONE, ""},
		{"app != 133", FG_COVER_NONE, ""},
		{"app > 1", FG_COVER_NONE, ""},
		{"app", FG_COVER_NONE, ""},
		{"app == 'rx:net'", FG_COVER_NONE, ""},
		{"ai:133 || ip_nat", FG_COVER_NONE, ""},
		{"!(ai:133 && ip_nat)", FG_COVER_NONE, ""},
		{"*", FG_COVER_NONE, ""},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fg_criteria *c = compile(f, rows[i].text,
						strlen(rows[i].text));
		struct keys k = {""};

		assert_non_null(c);
		if (fg_criteria_cover(c) != FG_COVER_NONE)
			fg_criteria_keys(c, collect, &k);
		if (fg_criteria_cover(c) != rows[i].cover ||
		    strcmp(k.text, rows[i].keys) != 0)
			fail_msg("%s: %d %s", rows[i].text,
				 (int)fg_criteria_cover(c), k.text);
		fg_criteria_free(c);
	}
}

static void test_explain(void **state)
{
	static const struct {
		const char *text;
		bool value;
		const char *why;
	} rows[] = {
		{"*", true, "*"},
		{"ai:netflix", true, "ai:netflix (application is netify.netflix (133))"},
		{"ai:facebook", false, "ai:facebook (application is netify.netflix (133))"},
		{"ai:facebook || ai:netflix && ip_nat", true,
		 "ai:netflix (application is netify.netflix (133)) and ip_nat (ip_nat is true)"},
		{"ai:netflix && local_ip == @others", false,
		 "local_ip == @others (local_ip is 192.0.2.7)"},
		{"ai:1 || ai:2 || vlan == 3", false,
		 "ai:1 (application is netify.netflix (133)) nor ai:2 nor vlan == 3 (vlan_id is 20)"},
		{"ai:1 || ai:2 || ai:3 || ai:4 || ai:5 || ai:6", false,
		 "ai:1 (application is netify.netflix (133)) nor ai:2 nor ai:3 nor ai:4 nor 2 more"},
		{"!ip_nat", false, "!ip_nat (ip_nat is true)"},
		{"!(ip_nat && vlan == 20)", false,
		 "!(ip_nat (ip_nat is true) and vlan == 20 (vlan_id is 20))"},
		{"category == 'adult'", false,
		 "category == 'adult' (category is streaming-media (29), web (22), advertiser (3), hosting (36), vpn-and-proxy (28), telco (37), cdn (35))"},
		{"detected_hostname == 'x'", false,
		 "detected_hostname == 'x' (detected_hostname is \"www.Netflix.com\")"},
		{"ip == 1.2.3.4", false,
		 "ip == 1.2.3.4 (ip is 192.0.2.7 and 198.51.100.9)"},
		{"mac == 02:00:00:00:00:09", false,
		 "mac == 02:00:00:00:00:09 (mac is 02:00:00:00:00:07 and 02:00:00:00:00:01)"},
		{"port == 1", false, "port == 1 (port is 40000 and 443)"},
		{"origin == origin_other", false,
		 "origin == origin_other (origin is origin_local)"},
		{"tls_version != 0x0303", false,
		 "tls_version != 0x0303 (tls_version is 0x0303)"},
		{"tls_alpn == 'x'", false,
		 "tls_alpn == 'x' (tls_alpn is \"[\"h2\",\"http/1.1\"]\")"},
	};
	struct fixture *f = *state;
	const struct fg_view v = {f->w.table, f->flow, f->w.catalog};
	const struct fg_view s = {f->w.table, f->silent, f->w.catalog};
	struct fg_criteria *c;
	char out[1024];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c = compile(f, rows[i].text, strlen(rows[i].text));
		assert_non_null(c);
		assert_int_equal(fg_criteria_explain(c, &v, out, sizeof(out)),
				 rows[i].value);
		assert_string_equal(out, rows[i].why);
		/* any room will do */
		for (size_t size = 0; size < 40; size++)
			fg_criteria_explain(c, &v, out, size);
		fg_criteria_free(c);
	}
	c = compile(f, "tls_version == 1", 16);
	fg_criteria_explain(c, &s, out, sizeof(out));
	assert_string_equal(out, "tls_version == 1 (tls_version is not known)");
	fg_criteria_free(c);
}

static void test_explain_injection(void **state)
{
	struct fixture *f = *state;
	struct fg_criteria *c = compile(f, "detected_hostname == 'x'", 24);
	struct fg_view v = {f->w.table, NULL, f->w.catalog};
	char out[512];

	usual_flow(&f->w);
	set_text(&f->w, FG_ATTR_HOST_SERVER_NAME, "a\\u001b[31m\\nb");
	v.flow = end_flow(&f->w);
	fg_criteria_explain(c, &v, out, sizeof(out));
	assert_null(strchr(out, '\033'));
	assert_null(strchr(out, '\n'));
	fg_criteria_free(c);
}

static void test_depends(void **state)
{
	static const struct {
		const char *text;
		uint32_t depends;
	} rows[] = {
		{"*", 0},
		{"ai:133", FG_CHANGED_CLASS},
		{"local_ip == 1.2.3.4", FG_CHANGED_KEY},
		{"detected_hostname == 'x' && ai:1",
		 FG_CHANGED_CLASS | FG_CHANGED_DETAIL},
		{"total_bytes > 1", FG_CHANGED_COUNTERS},
		{"detection_guessed", FG_CHANGED_KEY | FG_CHANGED_CLASS},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fg_criteria *c = compile(f, rows[i].text,
						strlen(rows[i].text));

		assert_int_equal(fg_criteria_depends(c), rows[i].depends);
		fg_criteria_free(c);
	}
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_attributes),	     TEST(test_every_name),
		TEST(test_structure),	     TEST(test_errors),
		TEST(test_hostile_sizes),    TEST(test_precedence_notice),
		TEST(test_unknown_names),    TEST(test_no_names_yet),
		TEST(test_category_of_catalog), TEST(test_other_origin),
		TEST(test_regex_bomb),	     TEST(test_regex_interpreted),
		TEST(test_cover),	     TEST(test_explain),
		TEST(test_explain_injection), TEST(test_depends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
