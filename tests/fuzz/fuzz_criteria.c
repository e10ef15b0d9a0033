/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/flow common/policy */
/* LIBS: -lpcre2-8 */
/*
 * fuzz_criteria.c - the language of expressions: any text is refused with one
 * error within it, or is a program whose result, explanation and index agree.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/criteria.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())
#define FLOWS	 4

/* Made once: an expression changes none of it. */
static struct fg_flow_table *table;
static struct fg_catalog *catalog;
static struct fg_scope *scope;
static struct fg_flow *flows[FLOWS];

static void set_text(struct fg_message *m, enum fg_attr a, const char *text)
{
	m->has[a / 64] |= UINT64_C(1) << a % 64;
	m->value[a].text = fg_slice(text, strlen(text));
}

static void set_u(struct fg_message *m, enum fg_attr a, uint64_t u)
{
	m->has[a / 64] |= UINT64_C(1) << a % 64;
	m->value[a].u = u;
}

static void make_flow(uint8_t n)
{
	static struct fg_message m;
	uint8_t digest[FG_DIGEST_SIZE] = {n};

	memset(&m, 0, sizeof(m));
	m.size = sizeof(m);
	m.type = FG_MESSAGE_FLOW;
	if (n > 0) {
		set_u(&m, FG_ATTR_IP_VERSION, n == 1 ? 6 : 4);
		set_u(&m, FG_ATTR_IP_PROTOCOL, 6);
		set_u(&m, FG_ATTR_LOCAL_ORIGIN, n == 2);
		set_u(&m, FG_ATTR_LOCAL_PORT, 40000);
		set_u(&m, FG_ATTR_OTHER_PORT, 443);
		set_u(&m, FG_ATTR_APPLICATION, 132 + n);
		set_u(&m, FG_ATTR_PROTOCOL, 196);
		set_u(&m, FG_ATTR_CAT_APPLICATION, 28 + n);
		set_u(&m, FG_ATTR_TLS_VERSION, 0x0303);
		set_text(&m, FG_ATTR_HOST_SERVER_NAME, "www.netflix.com");
		set_text(&m, FG_ATTR_TLS_ALPN, "[\"h2\",\"http/1.1\"]");
		set_text(&m, FG_ATTR_RISKS, "[10, 41]");
		set_text(&m, FG_ATTR_HTTP_USER_AGENT,
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
	}
	flows[n] = fg_flow_insert(table, 0, digest);
	CHECK(flows[n]);
	fg_flow_update(table, flows[n], &m, NULL);
}

static void hear_node(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	(void)text;
	CHECK(level != FG_LOG_ERROR);
}

static void set_up(void)
{
	static const char groups[] =
		"{\"a\":{\"kids\":[\"192.0.2.0/24\",\"2001:db8::/32\"]},"
		"\"b\":{\"tv\":[\"netflix\",133]}}";
	const struct fg_flow_limits limits = {.max_flows = FLOWS};
	const struct fg_report report = {hear_node, NULL};
	const struct fg_node *a, *b;
	static struct fg_json *doc;
	struct fg_groups *g;

	CHECK(fg_flow_table_new(&table, &limits) == 0);
	CHECK(fg_catalog_new(&catalog, 64, 1) == 0);
	fg_catalog_learn(catalog, FG_NAME_APPLICATION, 133,
			 fg_slice("netify.netflix", 14));
	fg_catalog_learn(catalog, FG_NAME_PROTOCOL, 196, fg_slice("TLS", 3));
	for (uint8_t i = 0; i < FLOWS; i++)
		make_flow(i);
	CHECK(fg_json_parse(&doc, "g", groups, strlen(groups), report) == 0);
	fg_node_object(fg_json_root(doc), "a", &a);
	fg_node_object(fg_json_root(doc), "b", &b);
	CHECK(fg_groups_new(&g, catalog, a, b, NULL) == 0);
	CHECK(fg_scope_new(&scope, catalog, g) == 0);
}

struct heard {
	size_t size;
	unsigned errors;
};

static void hear(void *ctx, enum fg_level level, size_t offset,
		 const char *text)
{
	struct heard *h = ctx;

	CHECK(offset <= h->size);
	CHECK(text[0] != '\0');
	h->errors += level == FG_LOG_ERROR;
}

struct found {
	const struct fg_flow *flow;
	struct fg_view view;
	bool found;
};

static void key(void *ctx, enum fg_key_kind kind, uint32_t id)
{
	struct found *f = ctx;

	if (kind == FG_KEY_APPLICATION)
		f->found |= f->flow->application == id;
	else if (kind == FG_KEY_PROTOCOL)
		f->found |= f->flow->protocol == id;
	else
		f->found |= id != 0 &&
			    fg_term_category(&f->view,
					     kind - FG_KEY_CATEGORY) == id;
}

static void check_flow(const struct fg_criteria *c, const struct fg_flow *flow,
		       size_t room)
{
	struct found f = {flow, {table, flow, catalog}, false};
	bool value = fg_criteria_match(c, table, flow);
	char out[600];

	/* a regular expression that is given up may be so only once */
	if (fg_criteria_limited(c) == 0)
		CHECK(fg_criteria_explain(c, &f.view, out, room) == value);
	if (fg_criteria_cover(c) == FG_COVER_NONE)
		return;
	fg_criteria_keys(c, key, &f);
	if (fg_criteria_cover(c) == FG_COVER_EXACT)
		CHECK(f.found == value);
	else
		CHECK(f.found || !value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard h = {size, 0};
	const struct fg_expr_report report = {hear, &h};
	struct fg_criteria *c;
	int ret;

	if (!scope)
		set_up();
	ret = fg_criteria_new(&c, scope, (const char *)data, size, &report);
	CHECK(h.errors == (ret ? 1 : 0));
	if (ret)
		return 0;
	for (size_t i = 0; i < FLOWS; i++)
		check_flow(c, flows[i], i == 0 ? size % 40 : 600);
	fg_criteria_free(c);
	return 0;
}
