/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * member.c - flows enter targets and leave them.
 */
#include "member.h"

#include <string.h>

#include "policy/json.h"

static struct fg_member *member_of(struct driver *d, const struct target *t,
				   struct flow *flow)
{
	return &flow->member[t - d->target];
}

/* The overrides that an action has for a target, or NULL. */
static const struct fg_node *overrides(const struct fg_node *action,
				       const char *target)
{
	const struct fg_node *list;
	const char *name;

	if (fg_node_list(action, "targets", &list) != 1)
		return NULL;
	for (size_t i = 0; i < fg_node_count(list); i++) {
		const struct fg_node *e = fg_node_at(list, i);

		if (fg_node_kind(e) == FG_NODE_OBJECT &&
		    fg_node_text(e, "target", &name) == 1 &&
		    !strcmp(name, target))
			return e;
	}
	return NULL;
}

/* Names the action and binds what it says. False: it can't be, said. */
static bool bind(struct driver *d, const struct target *t, const char *action,
		 struct fg_member *m)
{
	const struct fg_node *actions, *e;
	size_t i = 0;

	if (fg_node_object(fg_json_root(d->doc), "actions", &actions) != 1)
		return true;
	while (i < fg_node_count(actions) &&
	       strcmp(fg_node_key_at(actions, i), action))
		i++;
	if (i == fg_node_count(actions)) {
		driver_complain(d, "no action %s in the configuration", action);
		return false;
	}
	m->action = fg_node_key_at(actions, i);
	m->rank = (uint32_t)i;
	e = overrides(fg_node_at(actions, i), t->name);
	if (!e ||
	    (t->type->bind && !t->type->bind(t->instance, e, &m->binding)))
		return true;
	driver_complain(d, "what action %s says of %s cannot be bound", action,
			t->name);
	return false;
}

void member_enter(struct driver *d, struct target *t, struct flow *flow,
		  const char *action, bool observe, enum fg_reason reason)
{
	struct fg_member *m = member_of(d, t, flow);

	*m = (struct fg_member){.size = sizeof(*m),
				.action = action ? action : "test",
				.targets = t->name,
				.observe = observe};
	if (action && !bind(d, t, action, m)) {
		*m = (struct fg_member){0};
		return;
	}
	driver_heap_mark(d);
	t->type->enter(t->instance, &flow->f, m, reason);
	driver_heap_check(d, "enter");
}

void member_leave(struct driver *d, struct target *t, struct flow *flow,
		  enum fg_reason reason)
{
	struct fg_member *m = member_of(d, t, flow);

	driver_heap_mark(d);
	t->type->leave(t->instance, &flow->f, m, reason);
	driver_heap_check(d, "leave");
	if (m->binding && t->type->unbind)
		t->type->unbind(t->instance, m->binding);
	*m = (struct fg_member){0};
}

void member_rekey(struct driver *d, struct target *t, struct flow *flow,
		  const struct fg_flow *old)
{
	const struct fg_target_type *type = t->type;
	const struct fg_member *m = member_of(d, t, flow);

	driver_heap_mark(d);
	if (type->rekey) {
		type->rekey(t->instance, old, &flow->f, m);
	} else {
		type->leave(t->instance, old, m, FG_REASON_REKEYED);
		type->enter(t->instance, &flow->f, m, FG_REASON_REKEYED);
	}
	driver_heap_check(d, "rekey");
}

void member_crowd(struct driver *d, struct target *t, uint32_t from,
		  uint32_t count, bool enter)
{
	const struct fg_member m = {
		.size = sizeof(m), .action = "crowd", .targets = t->name};
	struct fg_flow f = {
		.ip_version = 4,
		.ip_protocol = 6,
		.local_addr = {10, 0, 0, 1},
		.local_port = 4000,
		.other_port = 443,
		.other_type = FG_OTHER_REMOTE,
		.flags = FG_FLOW_INTERNAL | FG_FLOW_HAS_ORIGIN |
			 FG_FLOW_LOCAL_ORIGIN,
	};

	driver_heap_mark(d);
	for (uint32_t n = from; n < from + count; n++) {
		uint32_t addr = 0x64400000 + n;

		for (int i = 0; i < 4; i++)
			f.other_addr[i] = (uint8_t)(addr >> (24 - 8 * i));
		memcpy(f.digest, &n, sizeof(n));
		if (enter)
			t->type->enter(t->instance, &f, &m, FG_REASON_DETECTED);
		else
			t->type->leave(t->instance, &f, &m, FG_REASON_PURGED);
		/* as many as a read of the socket brings */
		if (n % 512 == 511)
			t->type->flush(t->instance, driver_now());
	}
	driver_heap_check(d, "a crowd");
}
