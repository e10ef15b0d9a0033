/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.c - the targets of a plugin: from the configuration to their end, and
 * what they say of themselves.
 */
#include "target.h"

#include <errno.h>
#include <string.h>

#include "policy/json.h"

static const struct fg_target_type *type_named(const struct fg_plugin *p,
					       const char *name)
{
	for (const struct fg_target_type *const *t = p->targets; t && *t; t++)
		if (!strcmp((*t)->name, name))
			return *t;
	return NULL;
}

static int target_open(struct driver *d, const struct fg_plugin *p,
		       const char *name, const struct fg_node *node)
{
	const struct fg_node *root = fg_json_root(d->doc), *of_types,
			     *defaults = NULL, *globals = NULL;
	struct target *t = &d->target[d->targets];
	const char *type;
	int err;

	if (fg_node_text(node, "target_type", &type) != 1)
		return -EINVAL;
	t->type = type_named(p, type);
	if (!t->type || d->targets == TARGETS_MAX)
		return 0;
	t->name = name;
	if (fg_node_object(root, "target_defaults", &of_types) == 1 &&
	    fg_node_object(of_types, type, &defaults) == 1)
		fg_node_set_defaults(node, defaults);
	if (fg_node_object(root, "target_globals", &of_types) == 1)
		fg_node_object(of_types, type, &globals);
	err = t->type->open(&d->host, t, name, node, globals, &t->instance);
	if (err) {
		fprintf(stderr, "target-driver: %s: open: %s\n", name,
			strerror(-err));
		return err;
	}
	d->targets++;
	return 0;
}

int targets_open(struct driver *d, const struct fg_plugin *p)
{
	const struct fg_node *list;
	int err;

	if (fg_node_object(fg_json_root(d->doc), "targets", &list) != 1)
		return -EINVAL;
	for (size_t i = 0; i < fg_node_count(list); i++) {
		err = target_open(d, p, fg_node_key_at(list, i),
				  fg_node_at(list, i));
		if (err)
			return err;
	}
	for (int i = 0; i < d->targets; i++) {
		const struct target *t = &d->target[i];

		err = t->type->configured ? t->type->configured(t->instance)
					  : 0;
		if (err)
			return err;
	}
	return fg_json_errors(d->doc) ? -EINVAL : 0;
}

void targets_close(struct driver *d)
{
	while (driver_run_jobs(d))
		;
	while (d->targets) {
		struct target *t = &d->target[--d->targets];

		t->type->close(t->instance, true);
	}
}

/* False: none wants more. */
static bool flush_pass(struct driver *d, uint32_t after)
{
	bool more = false;

	for (int i = 0; i < d->targets; i++) {
		struct target *t = &d->target[i];

		if ((t->type->flags & FG_TYPE_AFTER) != after)
			continue;
		driver_heap_mark(d);
		more |= t->type->flush(t->instance, driver_now());
		driver_heap_check(d, "flush");
	}
	return more;
}

void targets_flush(struct driver *d)
{
	while (flush_pass(d, 0))
		;
	while (flush_pass(d, FG_TYPE_AFTER))
		;
}

struct target *target_named(struct driver *d, const char *name)
{
	for (int i = 0; i < d->targets; i++)
		if (!strcmp(d->target[i].name, name))
			return &d->target[i];
	return NULL;
}

static void print_more(void *ctx, const char *name, uint64_t value)
{
	fprintf(ctx, " %s=%llu", name, (unsigned long long)value);
}

void target_status(const struct target *t, FILE *out)
{
	struct fg_status s = {.size = sizeof(s),
			      .state = "ok",
			      .reason = "",
			      .more = print_more,
			      .ctx = out};

	fprintf(out, "status %s", t->name);
	t->type->status(t->instance, &s);
	print_more(out, "elements", s.elements);
	print_more(out, "adds", s.adds);
	print_more(out, "deletes", s.deletes);
	print_more(out, "renewals", s.renewals);
	print_more(out, "errors", s.errors);
	print_more(out, "rebuilds", s.rebuilds);
	print_more(out, "pending", s.pending);
	fprintf(out, " state=%s reason=\"%s\"\n", s.state, s.reason);
}

bool target_is(const struct target *t, const char *key, const char *value)
{
	char line[2048] = "", want[128];
	FILE *out = fmemopen(line, sizeof(line), "w");

	if (!out)
		return false;
	target_status(t, out);
	fclose(out);
	snprintf(want, sizeof(want), " %s=%s ", key, value);
	return strstr(line, want);
}
