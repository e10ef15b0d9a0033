/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.c - evaluates flows and prints why. */
#include "explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "host.h"
#include "reply.h"
#include "setup.h"
#include "show.h"
#include "source.h"

struct explainer {
	struct fg_client client;
	struct fg_gate *gate;
	uint64_t flows;
	uint64_t skipped;
};

static void print_line(void *ctx, const char *text)
{
	struct fg_reply r = {0};

	fg_reply_shown(&r, (struct fg_slice){text, (uint32_t)strlen(text), 0});
	printf("%s    %s\n", (const char *)ctx, r.text ? r.text : "");
	fg_reply_fini(&r);
}

void fg_explain_flow(struct fg_gate *g, const struct fg_flow *flow,
		     const char *indent)
{
	struct fg_reply r = {0};

	fg_show_flow_text(&r, g, flow);
	printf("%s%s\n", indent, r.text ? r.text : "");
	fg_reply_fini(&r);
	fg_policy_explain(fg_setup_policy(g->setup), g->table, flow, print_line,
			  (void *)(uintptr_t)indent);
	g->printed = true;
}

/* ------------------------------------------------------------------ a file */

/* As membership does it, but that nobody becomes a member of anything. */
static void on_message(void *source, const struct fg_message *m)
{
	struct explainer *e = source;
	struct fg_gate *g = e->gate;
	struct fg_flow *flow;

	if ((m->type != FG_MESSAGE_FLOW &&
	     m->type != FG_MESSAGE_FLOW_DPI_UPDATE) ||
	    !m->digest_count)
		return;
	flow = fg_flow_find(g->table, 0, m->digest[0]);
	if (!flow) {
		flow = fg_flow_insert(g->table, 0, m->digest[0]);
		if (!flow && fg_flow_victim(g->table)) {
			fg_flow_remove(g->table, fg_flow_victim(g->table));
			flow = fg_flow_insert(g->table, 0, m->digest[0]);
		}
	}
	if (!flow)
		return;
	fg_flow_update(g->table, flow, m, NULL);
	fg_flow_touch(g->table, flow, 0, fg_loop_now(g->loop));
	fg_policy_learn(fg_setup_policy(g->setup));
	fg_explain_flow(g, flow, "");
	e->flows++;
}

static void on_skipped(void *source, const char *why, size_t bytes)
{
	struct explainer *e = source;

	e->skipped++;
	fg_log_say(e->gate->log, FG_LOG_WARNING, "skipped %zu byte%s: %s",
		   bytes, FG_S(bytes), why);
}

static void on_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag)
{
	struct explainer *e = source;

	fg_catalog_learn(e->gate->catalog, kind, id, tag);
}

static void on_interface(void *source, struct fg_slice name,
			 struct fg_slice role)
{
	struct explainer *e = source;

	fg_source_note_role(e->gate, name, role);
}

static int feed_file(struct explainer *e, const struct fg_input_type *type,
		     void *input, const char *path)
{
	int fd = !strcmp(path, "-") ? STDIN_FILENO
				    : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	for (;;) {
		n = read(fd, e->gate->buffer, 65536);
		if (n <= 0)
			break;
		type->feed(input, e->gate->buffer, (size_t)n);
	}
	if (n < 0)
		n = -errno;
	else if (type->reset)
		type->reset(input);
	if (fd != STDIN_FILENO)
		close(fd);
	return (int)n;
}

int fg_explain_file(struct fg_gate *g, const char *path)
{
	struct explainer e = {.gate = g};
	const struct fg_input_type *type;
	char err[600];
	void *input;
	int ret;

	fg_client_init(&e.client, g);
	e.client.host.message = on_message;
	e.client.host.skipped = on_skipped;
	e.client.host.learn = on_learn;
	e.client.host.learn_interface = on_interface;
	type = fg_plugins_input(g->plugins, "netifyd", err, sizeof(err));
	if (!type) {
		fg_log_say(g->log, FG_LOG_ERROR, "%s", err);
		return -ENOENT;
	}
	ret = type->open(&e.client.host, &e, path, NULL, &input);
	if (ret < 0)
		return ret;
	ret = feed_file(&e, type, input, path);
	type->close(input);
	if (ret < 0)
		fg_log_say(g->log, FG_LOG_ERROR,
			   "--explain: cannot read %s: %s", path,
			   strerror(-ret));
	else if (e.flows == 0) {
		fg_log_say(g->log, FG_LOG_ERROR,
			   "--explain: %s has no message of type \"flow\"",
			   path);
		ret = -ENODATA;
	}
	fg_client_fini(&e.client);
	return ret;
}
