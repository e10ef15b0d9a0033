/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_control.c - lines of the control socket, against a gate with a policy
 * and a few flows in its table; with -j, what comes back is one JSON a line.
 */
/* LINK: common/host common/policy common/flow */
/* LIBS: $(HOST_LIBS) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/command.h"
#include "host/gate.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_gate *gate;
	struct fg_request r = {0};
	char line[4097];

	if (!gate)
		gate = make_gate();
	if (size >= sizeof(line))
		size = sizeof(line) - 1;
	memcpy(line, data, size);
	line[size] = '\0';
	line[strcspn(line, "\n")] = '\0';
	r.gate = gate;
	fg_command_run(&r, line);
	for (unsigned i = 0; !r.failed && r.more && i < 1000; i++)
		if (!r.more(&r))
			break;
	/* one line, fit for a terminal */
	if (r.failed && (!*r.error || strpbrk(r.error, "\n\r\x1b")))
		abort();
	if (r.json && !r.failed && r.body.len && r.body.text[0] != '{' &&
	    r.body.text[0] != '[' && !strstr(line, "metrics") &&
	    r.body.text[0] != '#')
		abort();
	fg_command_end(&r);
	return 0;
}
