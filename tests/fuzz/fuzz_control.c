/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_control.c - lines of the control socket, against a gate with a policy
 * and a few flows in its table, one of which has all of the input for its
 * names. What comes back is fit for a terminal; with -j it is one JSON a line.
 */
/* LINK: common/host common/policy common/flow */
/* LIBS: $(HOST_LIBS) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "host/command.h"
#include "host/gate.h"
#include "policy/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] =
	"{\"targets\": {\"a\": {\"target_type\": \"sample\"}},"
	" \"address_groups\": {\"kids\": [\"192.0.2.0/24\"]},"
	" \"actions\": {\"all\": {\"criteria\": \"application == 'x' && "
	"local_ip == @kids\", \"targets\": [\"a\"]}}}";

static void add_flow(struct fg_gate *g, unsigned n)
{
	uint8_t digest[FG_DIGEST_SIZE] = {(uint8_t)n};
	struct fg_flow *flow = fg_flow_insert(g->table, 0, digest);

	if (!flow)
		abort();
	flow->ip_version = n % 2 ? 4 : 6;
	flow->ip_protocol = 6;
	memset(flow->local_addr, 10 + (int)n, flow->ip_version == 4 ? 4 : 16);
	memset(flow->other_addr, 20 + (int)n, flow->ip_version == 4 ? 4 : 16);
	flow->local_port = 1000;
	flow->other_port = 443;
	flow->application = n;
}

/* With --explain, a gate has neither sources nor targets: just what we want. */
static struct fg_gate *make_gate(void)
{
	static struct fg_gate_options options = {.flags = FG_HOST_CHECK,
						 .explain = "-"};
	char path[] = "/tmp/fuzz_control.XXXXXX";
	struct fg_gate *gate;
	struct fg_log *log;
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, config, strlen(config)) < 0)
		abort();
	close(fd);
	options.config = path;
	if (fg_log_new(&log, FG_LOG_ERROR) < 0 ||
	    fg_gate_new(&gate, &options, log) < 0 || fg_gate_load(gate) < 0)
		abort();
	unlink(path);
	for (unsigned i = 0; i < 8; i++)
		add_flow(gate, i);
	return gate;
}

/* The last flow is called what the input is. */
static void name_flow(struct fg_gate *g, struct fg_slice text)
{
	static struct fg_message msg;
	static const enum fg_attr texts[] = {FG_ATTR_INTERFACE,
					     FG_ATTR_HOST_SERVER_NAME};
	uint8_t digest[FG_DIGEST_SIZE] = {7};
	struct fg_flow *flow = fg_flow_find(g->table, 0, digest);

	if (!flow)
		abort();
	memset(&msg, 0, sizeof(msg));
	msg.size = sizeof(msg);
	msg.type = FG_MESSAGE_FLOW_DPI_UPDATE;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		msg.has[texts[i] / 64] |= UINT64_C(1) << texts[i] % 64;
		msg.value[texts[i]].text = text;
	}
	fg_flow_update(g->table, flow, &msg, NULL);
	fg_catalog_learn(g->catalog, FG_NAME_APPLICATION, 7, text);
}

static void check_shown(const char *p, size_t len, bool colour)
{
	const char *end = p + len;
	uint32_t code;
	size_t n;

	for (; p < end; p += n) {
		n = fg_text_char(p, end, &code);
		if (!n || (!fg_text_shows(code) && code != '\n' &&
			   !(colour && code == 0x1b)))
			abort();
	}
}

static void show(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx, (void)level;
	fprintf(stderr, "%s\n", text);
}

static void check_json(const char *p, size_t len)
{
	const char *end = p + len, *line;
	struct fg_json *doc;

	for (; p < end; p = line + 1) {
		line = memchr(p, '\n', (size_t)(end - p));
		if (!line || fg_json_parse(&doc, "reply", p, (size_t)(line - p),
					   (struct fg_report){show, NULL}))
			abort();
		fg_json_free(doc);
	}
}

static void ask(struct fg_gate *gate, const char *text, size_t len)
{
	/* these have one kind of text for both */
	static const char *const as_it_is[] = {"help", "metrics", "top"};
	struct fg_request r = {.gate = gate};
	const struct fg_flow *flow;
	uint32_t cursor = 0;
	char line[4097];
	bool json;

	memcpy(line, text, len);
	line[len] = '\0';
	fg_command_run(&r, line);
	for (unsigned i = 0; !r.failed && r.more && i < 1000; i++)
		if (!r.more(&r))
			break;
	flow = fg_flow_next(gate->table, &cursor);
	if (r.follow && !r.failed)
		fg_command_event(&r, FG_EVENT_UPDATED, flow,
				 FG_REASON_DETECTED);
	/* what went wrong is said in one line */
	if (r.failed && (!*r.error || strchr(r.error, '\n')))
		abort();
	check_shown(r.error, strlen(r.error), false);
	check_shown(r.body.text ? r.body.text : "", r.body.len, r.body.colour);
	json = r.json && !r.failed && r.body.len;
	for (size_t i = 0; i < sizeof(as_it_is) / sizeof(*as_it_is); i++)
		json &= !memmem(text, len, as_it_is[i], strlen(as_it_is[i]));
	if (json)
		check_json(r.body.text, r.body.len);
	fg_command_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size, *line;
	static struct fg_gate *gate;
	char name[120];
	size_t len = size < sizeof(name) ? size : sizeof(name);

	if (!gate)
		gate = make_gate();
	/* but for NUL, which the JSON of a configuration may not have */
	for (size_t i = 0; i < len; i++)
		name[i] = p[i] ? p[i] : ' ';
	name_flow(gate, fg_slice(name, len));
	for (; p < end; p = line + 1) {
		line = memchr(p, '\n', (size_t)(end - p));
		if (!line)
			line = end;
		if (line - p <= 4096)
			ask(gate, p, (size_t)(line - p));
	}
	return 0;
}
