/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_differential.c - random expressions over random flows: the compiled
 * program, and whole policies with their index, against a walk over the tree
 * that is as plain as can be and shares no code with them.
 *
 * FG_SEED=N repeats a run, FG_ROUNDS=N makes it longer.
 */
/* LINK: common/flow common/policy */
/* LIBS: -lpcre2-8 */
#include "flows.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "policy/criteria.h"

static uint64_t state;

static unsigned pick(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* ------------------------------------------------------------------- flows */

/* What a flow says, kept as a test's author would: a few plain fields. */
struct model {
	unsigned application, protocol;
	unsigned categories[7]; /* as enum fg_flow_category; 0: none */
	bool origin_known, origin_local;
	const char *local, *other; /* addresses */
	const char *local_mac, *other_mac; /* or NULL */
	unsigned local_port, other_port, vlan;
	int mark; /* -1: not said */
	bool nat, guessed;
	const char *host;  /* or NULL */
	const char *agent; /* or NULL */
	int tls_version;   /* -1 */
	unsigned risks;	   /* bits: which of 1..8 */
	bool has_risks;
	unsigned alpn; /* bits of alpns[] */
	bool has_alpn;
	unsigned other_type;
	struct fg_flow *flow;
};

static const char *const addresses[] = {
	"192.0.2.1", "192.0.2.200", "198.51.100.9", "203.0.113.7", "10.1.2.3",
};
static const char *const addresses6[] = {
	"2001:db8::1", "2001:db8:1::1", "fe80::1", "2001:db8:1:2::3",
};
static const char *const macs[] = {"02:00:00:00:00:01", "02:00:00:00:00:02",
				   "02:00:00:00:00:03"};
static const char *const hosts[] = {"www.netflix.com", "NETFLIX.com",
				    "example.net", "a"};
static const char *const agents[] = {"curl/8", "Curl/8", "x y"};
static const char *const alpns[] = {"h2", "http/1.1", "h3"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ANY(a)	 ((a)[pick(COUNT(a))])

static const struct {
	unsigned id;
	const char *tag;
} applications[] = {{133, "netify.netflix"}, {119, "netify.facebook"},
		    {156, "netify.spotify"}, {7, "custom.thing"}},
  protocols[] = {{196, "HTTP/S"}, {5, "DNS"}, {92, "SSH"}},
  categories[] = {{29, "streaming-media"}, {24, "social-media"},
		  {12, "games"}, {2, "adult"}},
  protocol_categories[] = {{22, "web"}, {7, "games"}, {21, "vpn"}};

static void make_flow(struct world *w, struct model *m)
{
	static const enum fg_attr category_attrs[] = {
		FG_ATTR_CAT_APPLICATION,   FG_ATTR_CAT_PROTOCOL,
		FG_ATTR_CAT_DOMAIN,	   FG_ATTR_CAT_NETWORK,
		FG_ATTR_CAT_OVERLAY,	   FG_ATTR_CAT_LOCAL_NETWORK,
		FG_ATTR_CAT_OTHER_NETWORK,
	};
	bool six = pick(4) == 0;
	char risks[64] = "[", list[64] = "[";

	*m = (struct model){.mark = -1, .tls_version = -1};
	begin_flow(w);
	set_u(w, FG_ATTR_IP_VERSION, six ? 6 : 4);
	m->local = six ? ANY(addresses6) : ANY(addresses);
	m->other = six ? ANY(addresses6) : ANY(addresses);
	set_addr(w, FG_ATTR_LOCAL_IP, m->local);
	set_addr(w, FG_ATTR_OTHER_IP, m->other);
	m->application = pick(3) ? ANY(applications).id : pick(9);
	m->protocol = pick(3) ? ANY(protocols).id : pick(9);
	set_u(w, FG_ATTR_APPLICATION, m->application);
	set_u(w, FG_ATTR_PROTOCOL, m->protocol);
	for (unsigned c = 0; c < 7; c++) {
		if (pick(2))
			continue;
		m->categories[c] = c == 1 ? ANY(protocol_categories).id
					  : ANY(categories).id;
		set_u(w, category_attrs[c], m->categories[c]);
	}
	m->origin_known = pick(5) != 0;
	if (m->origin_known) {
		m->origin_local = pick(2);
		set_u(w, FG_ATTR_LOCAL_ORIGIN, m->origin_local);
	}
	if (pick(2))
		set_mac(w, FG_ATTR_LOCAL_MAC, m->local_mac = ANY(macs));
	if (pick(2))
		set_mac(w, FG_ATTR_OTHER_MAC, m->other_mac = ANY(macs));
	set_u(w, FG_ATTR_LOCAL_PORT, m->local_port = pick(3) * 1000);
	set_u(w, FG_ATTR_OTHER_PORT, m->other_port = pick(3) * 1000);
	set_u(w, FG_ATTR_VLAN_ID, m->vlan = pick(4));
	if (pick(2)) {
		m->mark = (int)pick(3);
		set_u(w, FG_ATTR_CT_ID, 1); /* which makes a mark of 0 one */
		set_u(w, FG_ATTR_CT_MARK, (unsigned)m->mark);
	}
	set_u(w, FG_ATTR_IP_NAT, m->nat = pick(2));
	set_u(w, FG_ATTR_DETECTION_GUESSED, m->guessed = pick(2));
	if (pick(2))
		set_text(w, FG_ATTR_HOST_SERVER_NAME, m->host = ANY(hosts));
	if (pick(2))
		set_text(w, FG_ATTR_HTTP_USER_AGENT, m->agent = ANY(agents));
	if (pick(2)) {
		m->tls_version = 0x0301 + (int)pick(4);
		set_u(w, FG_ATTR_TLS_VERSION, (unsigned)m->tls_version);
	}
	m->has_risks = pick(2);
	for (unsigned i = 0; m->has_risks && i < 8; i++) {
		if (pick(3))
			continue;
		m->risks |= 1u << i;
		snprintf(risks + strlen(risks), 8, "%s%u",
			 risks[1] ? ", " : "", i + 1);
	}
	m->has_alpn = pick(2);
	for (unsigned i = 0; m->has_alpn && i < COUNT(alpns); i++) {
		if (pick(2))
			continue;
		m->alpn |= 1u << i;
		snprintf(list + strlen(list), 16, "%s\"%s\"",
			 list[1] ? "," : "", alpns[i]);
	}
	strcat(risks, "]");
	strcat(list, "]");
	if (m->has_risks)
		set_text(w, FG_ATTR_RISKS, risks);
	if (m->has_alpn)
		set_text(w, FG_ATTR_TLS_ALPN, list);
	set_u(w, FG_ATTR_OTHER_TYPE, m->other_type = pick(FG_OTHER_COUNT));
	m->flow = end_flow(w);
}

/* -------------------------------------------------------------- expressions */

enum node_kind { TEST, NOT, AND, OR, ALL };

/* A test's own function, told what to compare with. */
struct node {
	enum node_kind kind;
	struct node *left, *right;
	char text[96]; /* of a test */
	bool (*holds)(const struct model *m, const struct node *n);
	const char *op; /* "==" and so on, "" for the attribute alone */
	unsigned number;
	const char *word;
	unsigned which;
};

#define NODES_MAX 64
static struct node nodes[NODES_MAX];
static unsigned node_count;

static struct node *new_node(enum node_kind kind)
{
	struct node *n = &nodes[node_count++];

	assert_true(node_count <= NODES_MAX);
	*n = (struct node){.kind = kind};
	return n;
}

static bool compare(const char *op, unsigned long long a, unsigned long long b)
{
	if (!*op)
		return a != 0;
	if (!strcmp(op, "=="))
		return a == b;
	if (!strcmp(op, "!="))
		return a != b;
	if (!strcmp(op, ">"))
		return a > b;
	if (!strcmp(op, ">="))
		return a >= b;
	if (!strcmp(op, "<"))
		return a < b;
	return a <= b;
}

static const char *const all_ops[] = {"==", "!=", ">", ">=", "<", "<="};
static const char *const equal_ops[] = {"==", "!="};

/* Of values that may be none: == and order are false, != is true. */
static bool any_of(const char *op, const unsigned long long *values, int n,
		   unsigned long long b)
{
	for (int i = 0; i < n; i++) {
		if (compare(!strcmp(op, "!=") ? "==" : op, values[i], b))
			return strcmp(op, "!=") != 0;
	}
	return !strcmp(op, "!=");
}

static bool number_holds(const struct model *m, const struct node *n)
{
	unsigned long long v = 0;
	int known = 1;

	switch (n->which) {
	case 0: v = m->vlan; break;
	case 1: v = (unsigned)m->mark; known = m->mark >= 0; break;
	case 2: v = (unsigned)m->tls_version; known = m->tls_version >= 0; break;
	case 3: v = m->nat; break;
	case 4: v = m->guessed; break;
	case 5: v = m->application; break;
	case 6: v = m->protocol; break;
	}
	return any_of(n->op, &v, known, n->number);
}

static void number_test(struct node *n)
{
	static const char *const names[][2] = {
		{"vlan", "vlan_id"}, {"ct_mark", "fwmark"},
		{"tls_version", "ssl_version"}, {"ip_nat", "ip_nat"},
		{"detection_guessed", "detection_guessed"},
		{"app", "application_id"}, {"proto", "protocol"},
	};
	const char *name;

	n->holds = number_holds;
	n->which = pick(7);
	name = names[n->which][pick(2)];
	n->op = n->which == 3 || n->which == 4 ? ANY(equal_ops) : ANY(all_ops);
	if (pick(4) == 0)
		n->op = "";
	n->number = n->which == 2   ? 0x0301 + pick(4)
		    : n->which == 3 || n->which == 4 ? pick(2)
		    : n->which == 5 ? ANY(applications).id
		    : n->which == 6 ? ANY(protocols).id
				    : pick(4);
	if (!*n->op)
		strcpy(n->text, name);
	else if (n->which == 3 || n->which == 4)
		sprintf(n->text, "%s%s%s", name, n->op, n->number ? "true" : "false");
	else
		sprintf(n->text, pick(2) ? "%s %s %u" : "%s%s 0x%x", name, n->op, n->number);
}

static bool port_holds(const struct model *m, const struct node *n)
{
	unsigned long long v[2];
	int k = 0;
	bool src_is_local = m->origin_local;

	/* port local_port other_port src_port dst_port */
	if (n->which == 0 || n->which == 1 ||
	    (m->origin_known && n->which == (src_is_local ? 3u : 4u)))
		v[k++] = m->local_port;
	if (n->which == 0 || n->which == 2 ||
	    (m->origin_known && n->which == (src_is_local ? 4u : 3u)))
		v[k++] = m->other_port;
	return any_of(n->op, v, k, n->number);
}

static void port_test(struct node *n)
{
	static const char *const names[] = {"port", "local_port", "other_port",
					    "src_port", "dst_port"};

	n->holds = port_holds;
	n->which = pick(5);
	n->op = ANY(all_ops);
	n->number = pick(3) * 1000;
	sprintf(n->text, "%s %s %u", names[n->which], n->op, n->number);
}

/* The groups of the test: who is in them, as lists. */
static const char *const kids[] = {"192.0.2.1", "198.51.100.9", "2001:db8::1"};

/* Prefixes, and what the text of their addresses begins with. */
static const struct {
	const char *word, *begin;
} prefixes[] = {
	{"192.0.2.0/24", "192.0.2."},
	{"10.0.0.0/8", "10."},
	{"2001:db8:1::/48", "2001:db8:1:"},
};

static bool address_is(const char *addr, const char *word)
{
	if (word[0] == '@') {
		for (size_t i = 0; i < COUNT(kids); i++) {
			if (!strcmp(addr, kids[i]))
				return true;
		}
		return false;
	}
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		if (!strcmp(word, prefixes[i].word))
			return !strncmp(addr, prefixes[i].begin,
					strlen(prefixes[i].begin));
	}
	return !strcmp(addr, word);
}

static bool address_holds(const struct model *m, const struct node *n)
{
	bool is = false;
	bool l = n->which < 2, o = n->which == 0 || n->which == 2;

	if (m->origin_known && n->which >= 3) {
		l = (n->which == 3) == m->origin_local;
		o = !l;
	}
	if (l)
		is |= address_is(m->local, n->word);
	if (o)
		is |= address_is(m->other, n->word);
	return is == !strcmp(n->op, "==");
}

static void address_test(struct node *n)
{
	static const char *const names[] = {"ip", "local_ip", "other_ip",
					    "src_ip", "dst_ip"};
	static const char *const words[] = {
		"192.0.2.1",	"192.0.2.0/24", "10.0.0.0/8",  "@kids",
		"2001:db8:1::/48", "2001:db8::1", "fe80::1", "203.0.113.7",
	};

	n->holds = address_holds;
	n->which = pick(5);
	n->op = ANY(equal_ops);
	n->word = ANY(words);
	sprintf(n->text, pick(3) || n->word[0] == '@' ? "%s %s %s" : "%s %s '%s'",
		names[n->which], n->op, n->word);
}

static bool mac_holds(const struct model *m, const struct node *n)
{
	bool is = false;

	if (n->which != 2 && m->local_mac)
		is |= !strcmp(m->local_mac, n->word);
	if (n->which != 1 && m->other_mac)
		is |= !strcmp(m->other_mac, n->word);
	return is == !strcmp(n->op, "==");
}

static void mac_test(struct node *n)
{
	static const char *const names[] = {"mac", "local_mac", "other_mac"};

	n->holds = mac_holds;
	n->which = pick(3);
	n->op = ANY(equal_ops);
	n->word = ANY(macs);
	sprintf(n->text, "%s%s%s", names[n->which], n->op, n->word);
}

static bool text_holds(const struct model *m, const struct node *n)
{
	const char *v = n->which ? m->agent : m->host;
	bool is;

	if (!v)
		return !strcmp(n->op, "!=");
	if (!*n->op)
		return true;
	if (!strncmp(n->word, "rx:", 3)) /* a plain word, searched for */
		is = strcasestr(v, n->word + 3) != NULL;
	else
		is = n->which ? !strcmp(v, n->word) : !strcasecmp(v, n->word);
	return is == !strcmp(n->op, "==");
}

static void text_test(struct node *n)
{
	static const char *const words[] = {
		"www.netflix.com", "netflix.COM", "a", "rx:netflix", "rx:A",
		"curl/8", "CURL/8", "rx:curl", "", "rx:x y",
	};
	char quote = pick(2) ? '"' : '\'';

	n->holds = text_holds;
	n->which = pick(2);
	n->op = pick(5) ? ANY(equal_ops) : "";
	n->word = ANY(words);
	strcpy(n->text, n->which ? "http_user_agent" : "detected_hostname");
	if (*n->op)
		sprintf(n->text + strlen(n->text), "%s%c%s%c", n->op, quote,
			n->word, quote);
}

static bool list_holds(const struct model *m, const struct node *n)
{
	unsigned long long v[8];
	int k = 0;

	if (n->which == 0) {
		for (unsigned i = 0; i < 8; i++) {
			if (m->risks >> i & 1)
				v[k++] = i + 1;
		}
		return *n->op ? any_of(n->op, v, k, n->number) : k > 0;
	}
	if (!*n->op)
		return m->alpn != 0;
	return (m->alpn >> n->number & 1) == !strcmp(n->op, "==");
}

static void list_test(struct node *n)
{
	n->holds = list_holds;
	n->which = pick(2);
	if (n->which == 0) {
		n->op = pick(5) ? ANY(all_ops) : "";
		n->number = pick(10);
		sprintf(n->text, *n->op ? "risks %s %u" : "risks", n->op, n->number);
	} else {
		n->op = pick(5) ? ANY(equal_ops) : "";
		n->number = pick(COUNT(alpns));
		sprintf(n->text, *n->op ? "tls_alpn %s '%s'" : "tls_alpn", n->op,
			alpns[n->number]);
	}
}

static bool id_holds(const struct model *m, const struct node *n)
{
	unsigned v = n->which ? m->protocol : m->application;
	bool is = v == n->number;

	if (n->word) /* @group, or a regex that finds these */
		is = v == 133 || v == 156;
	return is == !strcmp(n->op, "==");
}

static void id_test(struct node *n)
{
	unsigned i;

	n->holds = id_holds;
	n->which = pick(3) == 0;
	n->op = "==";
	if (n->which) {
		i = pick(COUNT(protocols));
		n->number = protocols[i].id;
		switch (pick(3)) {
		case 0: sprintf(n->text, "pi:%s", protocols[i].tag); return;
		case 1: sprintf(n->text, "pi:%u", n->number); return;
		}
		n->op = ANY(equal_ops);
		sprintf(n->text, "protocol %s '%s'", n->op, protocols[i].tag);
		return;
	}
	i = pick(COUNT(applications));
	n->number = applications[i].id;
	switch (pick(6)) {
	case 0: sprintf(n->text, "ai:%s", applications[i].tag); return;
	case 1: sprintf(n->text, "ai:%u", n->number); return;
	case 2: sprintf(n->text, "ai:%s", strchr(applications[i].tag, '.') + 1); return;
	case 3: strcpy(n->text, n->word = "ai:@tv"); return;
	case 4:
		n->op = ANY(equal_ops);
		n->word = "rx";
		sprintf(n->text, "app %s 'rx:^netify\\.(net|spot)'", n->op);
		return;
	}
	n->op = ANY(equal_ops);
	sprintf(n->text, "application %s \"%s\"", n->op, applications[i].tag);
}

static bool category_holds(const struct model *m, const struct node *n)
{
	/* application protocol domain network any */
	static const unsigned bits[] = {1, 2, 4, 8 | 32 | 64, 127};
	bool is = false;

	for (unsigned c = 0; c < 7; c++) {
		if (!(bits[n->which] >> c & 1) || !m->categories[c])
			continue;
		if (!n->word) {
			is |= m->categories[c] == n->number;
			continue;
		}
		for (size_t i = 0; c != 1 && i < COUNT(categories); i++)
			is |= categories[i].id == m->categories[c] &&
			      !strcmp(categories[i].tag, n->word);
		for (size_t i = 0; c == 1 && i < COUNT(protocol_categories); i++)
			is |= protocol_categories[i].id == m->categories[c] &&
			      !strcmp(protocol_categories[i].tag, n->word);
	}
	return is == !strcmp(n->op, "==");
}

static void category_test(struct node *n)
{
	static const char *const names[] = {"application_category",
					    "proto_category", "dom_category_id",
					    "network_category", "category"};

	n->holds = category_holds;
	n->which = pick(5);
	n->op = ANY(equal_ops);
	if (pick(2)) {
		n->number = n->which == 1 ? ANY(protocol_categories).id
					  : ANY(categories).id;
		sprintf(n->text, "%s%s%u", names[n->which], n->op, n->number);
		return;
	}
	n->word = n->which == 1 ? ANY(protocol_categories).tag
				: ANY(categories).tag;
	if (n->which == 4 && pick(2))
		n->word = ANY(protocol_categories).tag;
	sprintf(n->text, "%s %s '%s'", names[n->which], n->op, n->word);
}

static bool constant_holds(const struct model *m, const struct node *n)
{
	bool is;

	if (n->which == 0) /* unknown, local, other */
		is = n->number == (!m->origin_known ? 0u : m->origin_local ? 1u : 2u);
	else
		is = n->number == m->other_type;
	return is == !strcmp(n->op, "==");
}

static void constant_test(struct node *n)
{
	static const char *const origins[] = {"origin_unknown", "origin_local",
					      "origin_other"};
	static const char *const types[] = {
		"other_unknown", "other_local", "other_remote", "other_multicast",
		"other_broadcast", "other_unsupported", "other_error"};

	n->holds = constant_holds;
	n->which = pick(2);
	n->op = ANY(equal_ops);
	n->number = pick(n->which ? 7 : 3);
	sprintf(n->text, "%s %s %s", n->which ? "other_type" : "origin", n->op,
		n->which ? types[n->number] : origins[n->number]);
}

static void (*const kinds[])(struct node *n) = {
	number_test, port_test, address_test,  mac_test,      text_test,
	list_test,   id_test,	category_test, constant_test, id_test,
};

static struct node *make_tree(unsigned depth)
{
	struct node *n;

	if (depth == 0 || pick(4) == 0) {
		n = new_node(TEST);
		kinds[pick(COUNT(kinds))](n);
		return n;
	}
	n = new_node(pick(5) == 0 ? NOT : pick(2) ? AND : OR);
	n->left = make_tree(depth - 1);
	if (n->kind != NOT)
		n->right = make_tree(depth - 1);
	return n;
}

static bool holds(const struct model *m, const struct node *n)
{
	switch (n->kind) {
	case TEST: return n->holds(m, n);
	case NOT: return !holds(m, n->left);
	case AND: return holds(m, n->left) && holds(m, n->right);
	case OR: return holds(m, n->left) || holds(m, n->right);
	case ALL: break;
	}
	return true;
}

/* As few parentheses as the grammar needs, or some more. */
static void print(const struct node *n, enum node_kind around, char *out)
{
	static const char *const ands[] = {" && ", "&&", " and ", " AND "};
	static const char *const ors[] = {" || ", "||", " or ", "\n||\t"};
	bool paren = n->kind != TEST && (n->kind > around || pick(6) == 0);

	if (n->kind == NOT && around == NOT)
		paren = pick(2);
	strcat(out, paren ? "(" : "");
	switch (n->kind) {
	case TEST:
		strcat(out, n->text);
		break;
	case NOT:
		strcat(out, pick(2) ? "!" : "! ");
		print(n->left, NOT, out);
		break;
	default:
		print(n->left, n->kind, out);
		strcat(out, n->kind == AND ? ANY(ands) : ANY(ors));
		print(n->right, n->kind, out);
		break;
	}
	strcat(out, paren ? ")" : "");
}

/* -------------------------------------------------------------------- tests */

#define FLOWS 200
static struct model models[FLOWS];

static const char config_begin[] =
	"{\"address_groups\":{\"kids\":[\"192.0.2.1\",\"198.51.100.9\",\"2001:db8::1\"]},"
	"\"application_groups\":{\"tv\":[\"netflix\",\"spotify\"]}";

static char said[65536];

static void hear(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	if (level == FG_LOG_ERROR)
		snprintf(said, sizeof(said), "%s", text);
}

static void open_world(struct world *w)
{
	world_open(w, FLOWS);
	for (size_t i = 0; i < COUNT(applications); i++)
		world_name(w, FG_NAME_APPLICATION, applications[i].id,
			   applications[i].tag);
	for (size_t i = 0; i < COUNT(protocols); i++)
		world_name(w, FG_NAME_PROTOCOL, protocols[i].id,
			   protocols[i].tag);
	for (size_t i = 0; i < FLOWS; i++)
		make_flow(w, &models[i]);
}

static unsigned rounds(unsigned usual)
{
	const char *text = getenv("FG_ROUNDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

static struct fg_policy *policy_of(struct world *w, struct fg_settings **s,
				   const char *text)
{
	struct fg_report report = {hear, NULL};
	struct fg_policy *p = NULL;

	if (fg_settings_parse(s, "t", text, strlen(text), NULL, 0, report) ||
	    fg_policy_new(&p, *s, w->catalog))
		fail_msg("%s\n%s", text, said);
	return p;
}

static void test_expressions(void **unused)
{
	struct world w;
	struct fg_settings *s;
	struct fg_policy *p;
	char config[sizeof(config_begin) + 2], err[256];
	unsigned n = rounds(3000), trues = 0, total = 0;

	(void)unused;
	open_world(&w);
	snprintf(config, sizeof(config), "%s}", config_begin);
	p = policy_of(&w, &s, config);
	for (unsigned i = 0; i < n; i++) {
		char text[8192] = "";
		struct fg_criteria *c;
		const struct node *tree;

		node_count = 0;
		tree = make_tree(pick(6));
		print(tree, OR, text);
		if (fg_policy_filter(p, &c, text, err, sizeof(err)))
			fail_msg("%s: %s", text, err);
		for (unsigned k = 0; k < FLOWS; k += 1 + pick(8)) {
			struct fg_view v = {w.table, models[k].flow, w.catalog};
			bool want = holds(&models[k], tree);
			char why[2048];

			trues += want;
			total++;
			fg_criteria_explain(c, &v, why, sizeof(why));
			if (fg_criteria_match(c, w.table, models[k].flow) != want)
				fail_msg("%s: flow %u is %d: %s", text, k,
					 !want, why);
			/* the walk of explain must agree with the program */
			if (fg_criteria_explain(c, &v, why, sizeof(why)) != want)
				fail_msg("explain %s: flow %u: %s", text, k, why);
		}
		fg_criteria_free(c);
	}
	/* neither may be rare, or nothing was tested */
	assert_in_range(trues, total / 5, total / 5 * 4);
	fg_policy_free(p);
	fg_settings_free(s);
	world_close(&w);
}

#define ACTIONS 24

struct action {
	struct node copy[3 * NODES_MAX];
	const struct node *alternatives[3];
	unsigned count;
	bool enabled, halt, observe;
	unsigned target;
};

static const struct node *keep(struct action *a, const struct node *n,
			       unsigned *used)
{
	struct node *out = &a->copy[(*used)++];

	*out = *n;
	if (n->left)
		out->left = (struct node *)keep(a, n->left, used);
	if (n->right)
		out->right = (struct node *)keep(a, n->right, used);
	return out;
}

static void make_action(struct action *a, unsigned i, char *json)
{
	unsigned used = 0;

	*a = (struct action){
		.enabled = pick(8) != 0,
		.halt = pick(8) == 0,
		.observe = pick(6) == 0,
		.target = pick(8),
		.count = 1 + pick(3),
	};
	sprintf(json + strlen(json),
		"%s\"n%u\":{\"targets\":[\"t%u\"],\"enabled\":%s,\"halt_on_match\":%s,\"mode\":\"%s\",\"criteria\":[",
		i ? "," : "", i, a->target, a->enabled ? "true" : "false",
		a->halt ? "true" : "false", a->observe ? "observe" : "enforce");
	for (unsigned k = 0; k < a->count; k++) {
		char text[4096] = "";
		const struct node *tree;

		node_count = 0;
		tree = make_tree(pick(4));
		a->alternatives[k] = keep(a, tree, &used);
		print(tree, OR, text);
		strcat(json, k ? ",\"" : "\"");
		for (const char *c = text; *c; c++) {
			const char plain[2] = {*c, 0};
			const char *escape = *c == '"'	? "\\\""
					     : *c == '\\' ? "\\\\"
					     : *c == '\n' ? "\\n"
					     : *c == '\t' ? "\\t"
							  : plain;

			strcat(json, escape);
		}
		strcat(json, "\"");
	}
	strcat(json, "]}");
}

static void check_policy(struct world *w, const struct fg_policy *p,
			 const struct action *actions, const struct model *m,
			 const char *json)
{
	int by[8][2];
	struct fg_grant g[FG_GRANTS_MAX];
	size_t n, expected = 0;

	memset(by, -1, sizeof(by));
	for (int i = 0; i < ACTIONS; i++) {
		const struct action *a = &actions[i];
		bool match = false;

		for (unsigned k = 0; k < a->count; k++)
			match |= holds(m, a->alternatives[k]);
		if (!a->enabled || !match)
			continue;
		if (by[a->target][a->observe] < 0) {
			by[a->target][a->observe] = i;
			expected++;
		}
		if (a->halt && !a->observe)
			break;
	}
	n = fg_policy_evaluate(p, w->table, m->flow, g);
	if (n != expected)
		fail_msg("%s: %zu targets, not %zu", json, n, expected);
	for (size_t i = 0; i < n; i++) {
		if (by[g[i].target][g[i].observe] != g[i].action)
			fail_msg("%s: target %u by %u, not %d", json,
				 g[i].target, g[i].action,
				 by[g[i].target][g[i].observe]);
		if (i > 0)
			assert_true(g[i - 1].target * 2 + g[i - 1].observe <
				    g[i].target * 2 + g[i].observe);
	}
}

static void test_policies(void **unused)
{
	static char json[262144];
	static struct action actions[ACTIONS];
	unsigned n = rounds(3000) / 20;
	struct world w;

	(void)unused;
	open_world(&w);
	for (unsigned i = 0; i < n; i++) {
		struct fg_settings *s;
		struct fg_policy *p;

		sprintf(json, "%s,\"targets\":{", config_begin);
		for (unsigned k = 0; k < 8; k++)
			sprintf(json + strlen(json), "%s\"t%u\":{\"target_type\":\"x\"}",
				k ? "," : "", k);
		strcat(json, "},\"actions\":{");
		for (unsigned k = 0; k < ACTIONS; k++)
			make_action(&actions[k], k, json);
		strcat(json, "}}");
		p = policy_of(&w, &s, json);
		for (unsigned k = 0; k < FLOWS; k++)
			check_policy(&w, p, actions, &models[k], json);
		fg_policy_free(p);
		fg_settings_free(s);
	}
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_policies),
	};
	const char *seed = getenv("FG_SEED");

	state = seed ? strtoull(seed, NULL, 10) : 20240101;
	print_message("seed %" PRIu64 "\n", state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
