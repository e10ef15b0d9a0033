/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.h - flows made by hand, for tests of what looks at them. */
#ifndef FG_TESTS_FLOWS_H
#define FG_TESTS_FLOWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after those that it needs */
#include <cmocka.h>

#include "base/text.h"
#include "flow/catalog.h"
#include "flow/flow.h"

struct world {
	struct fg_flow_table *table;
	struct fg_catalog *catalog;
	struct fg_message message; /* of the flow that is being made */
	uint32_t made;
};

static inline void world_name(struct world *w, enum fg_name kind, uint32_t id,
			      const char *tag)
{
	fg_catalog_learn(w->catalog, kind, id, fg_slice(tag, strlen(tag)));
}

static inline void world_open(struct world *w, uint32_t max_flows)
{
	const struct fg_flow_limits limits = {.max_flows = max_flows};

	*w = (struct world){.made = 0};
	assert_int_equal(fg_flow_table_new(&w->table, &limits), 0);
	assert_int_equal(fg_catalog_new(&w->catalog, 0, 1), 0);
}

static inline void world_close(struct world *w)
{
	fg_flow_table_free(w->table);
	fg_catalog_free(w->catalog);
}

/* The flow of the message so far gets a value. */
static inline union fg_value *set(struct world *w, enum fg_attr a)
{
	w->message.has[a / 64] |= UINT64_C(1) << a % 64;
	return &w->message.value[a];
}

static inline void set_u(struct world *w, enum fg_attr a, uint64_t u)
{
	set(w, a)->u = u;
}

static inline void set_r(struct world *w, enum fg_attr a, double r)
{
	set(w, a)->r = r;
}

static inline void set_text(struct world *w, enum fg_attr a, const char *text)
{
	struct fg_slice s = fg_slice(text, strlen(text));

	if (strchr(text, '\\'))
		s.flags = FG_SLICE_ESCAPED;
	set(w, a)->text = s;
}

static inline void set_addr(struct world *w, enum fg_attr a, const char *text)
{
	assert_int_not_equal(fg_addr_parse(text, strlen(text), set(w, a)->addr),
			     0);
}

static inline void set_mac(struct world *w, enum fg_attr a, const char *text)
{
	assert_true(fg_mac_parse(text, strlen(text), set(w, a)->mac));
}

static inline void begin_flow(struct world *w)
{
	memset(&w->message, 0, sizeof(w->message));
	w->message.size = sizeof(w->message);
	w->message.type = FG_MESSAGE_FLOW;
}

static inline struct fg_flow *end_flow(struct world *w)
{
	uint8_t digest[FG_DIGEST_SIZE] = {0};
	struct fg_flow *flow;

	memcpy(digest, &w->made, sizeof(w->made));
	w->made++;
	flow = fg_flow_insert(w->table, 0, digest);
	assert_non_null(flow);
	fg_flow_update(w->table, flow, &w->message, NULL);
	return flow;
}

/* 192.0.2.7:40000 -> 198.51.100.9:443, TCP, TLS, Netflix, from the LAN. */
static inline void usual_flow(struct world *w)
{
	begin_flow(w);
	set_text(w, FG_ATTR_INTERFACE, "br-lan");
	set_u(w, FG_ATTR_INTERNAL, 1);
	set_u(w, FG_ATTR_IP_VERSION, 4);
	set_u(w, FG_ATTR_IP_PROTOCOL, 6);
	set_u(w, FG_ATTR_LOCAL_ORIGIN, 1);
	set_u(w, FG_ATTR_OTHER_TYPE, FG_OTHER_REMOTE);
	set_addr(w, FG_ATTR_LOCAL_IP, "192.0.2.7");
	set_addr(w, FG_ATTR_OTHER_IP, "198.51.100.9");
	set_u(w, FG_ATTR_LOCAL_PORT, 40000);
	set_u(w, FG_ATTR_OTHER_PORT, 443);
	set_mac(w, FG_ATTR_LOCAL_MAC, "02:00:00:00:00:07");
	set_mac(w, FG_ATTR_OTHER_MAC, "02:00:00:00:00:01");
	set_u(w, FG_ATTR_APPLICATION, 133);
	set_u(w, FG_ATTR_PROTOCOL, 196);
	set_u(w, FG_ATTR_CAT_APPLICATION, 29);
	set_u(w, FG_ATTR_CAT_PROTOCOL, 22);
	set_text(w, FG_ATTR_HOST_SERVER_NAME, "www.Netflix.com");
}

static inline void usual_names(struct world *w)
{
	world_name(w, FG_NAME_APPLICATION, 133, "netify.netflix");
	world_name(w, FG_NAME_APPLICATION, 119, "netify.facebook");
	world_name(w, FG_NAME_APPLICATION, 156, "netify.spotify");
	world_name(w, FG_NAME_PROTOCOL, 196, "HTTP/S");
	world_name(w, FG_NAME_PROTOCOL, 5, "DNS");
}

#endif
