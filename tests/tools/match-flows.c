/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd common/flow common/policy */
/* LIBS: -lpcre2-8 */
/*
 * match-flows - asks expressions of the flows of recordings.
 *
 * match-flows -l				names of attributes and
 * constants match-flows [-c CONFIG] FILE [STREAM...]
 *
 * FILE has an expression on each line; one that is wrong is said, and makes the
 * exit status 1. For each message of type flow, as if it were the first that is
 * heard of it, a line: its digest and a 0 or 1 for each expression. CONFIG is
 * where @groups come from.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "policy/policy.h"
#include "policy/term.h"

extern const struct fg_plugin flowgate_plugin_v1;

#define EXPRESSIONS_MAX 512

static struct {
	struct fg_flow_table *table;
	struct fg_catalog *catalog;
	struct fg_settings *settings;
	struct fg_policy *policy;
	struct fg_criteria *criteria[EXPRESSIONS_MAX];
	size_t count;
} all;

static void on_message(void *source, const struct fg_message *m)
{
	struct fg_flow *flow;

	(void)source;
	if (m->type != FG_MESSAGE_FLOW || m->digest_count == 0)
		return;
	flow = fg_flow_insert(all.table, 0, m->digest[0]);
	if (!flow)
		exit(2);
	fg_flow_update(all.table, flow, m, NULL);
	for (size_t i = 0; i < FG_DIGEST_SIZE; i++)
		printf("%02x", flow->digest[i]);
	putchar(' ');
	for (size_t i = 0; i < all.count; i++)
		putchar('0' +
			fg_criteria_match(all.criteria[i], all.table, flow));
	putchar('\n');
	fg_flow_remove(all.table, flow);
}

static void on_skipped(void *source, const char *why, size_t bytes)
{
	(void)source;
	fprintf(stderr, "skipped %zu: %s\n", bytes, why);
}

static void on_learn(void *source, enum fg_name kind, uint32_t id,
		     struct fg_slice tag)
{
	(void)source;
	fg_catalog_learn(all.catalog, kind, id, tag);
}

static void on_interface(void *source, struct fg_slice name,
			 struct fg_slice role)
{
	(void)source;
	(void)name;
	(void)role;
}

static void on_log(const struct fg_host *host, enum fg_level level,
		   const char *fmt, ...)
{
	(void)host;
	(void)level;
	fprintf(stderr, "%s\n", fmt);
}

static const struct fg_host host = {
	.size = sizeof(host),
	.max_message = 1 << 20,
	.max_tokens = 1 << 17,
	.log = on_log,
	.message = on_message,
	.skipped = on_skipped,
	.learn = on_learn,
	.learn_interface = on_interface,
};

static void hear(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	if (level == FG_LOG_ERROR)
		fprintf(stderr, "%s\n", text);
}

static int read_expressions(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, err[512];
	size_t size = 0;
	ssize_t n;
	int result = 0;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while (all.count < EXPRESSIONS_MAX &&
	       (n = getline(&line, &size, f)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (fg_policy_filter(all.policy, &all.criteria[all.count], line,
				     err, sizeof(err))) {
			fprintf(stderr, "%s: %s\n", line, err);
			result = 1;
			continue;
		}
		all.count++;
	}
	free(line);
	fclose(f);
	return result;
}

static int read_stream(const char *path)
{
	const struct fg_input_type *type = flowgate_plugin_v1.inputs[0];
	FILE *f = fopen(path, "re");
	char buf[65536];
	void *input;
	size_t n;

	if (!f || type->open(&host, NULL, path, NULL, &input) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		if (f)
			fclose(f);
		return 1;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		type->feed(input, buf, n);
	type->close(input);
	fclose(f);
	return 0;
}

static void list(void)
{
	for (size_t i = 0; fg_term_names[i].name; i++)
		printf("%s\n", fg_term_names[i].name);
	for (size_t i = 0; fg_term_constants[i].name; i++)
		printf("%s\n", fg_term_constants[i].name);
}

int main(int argc, char **argv)
{
	const struct fg_flow_limits limits = {.max_flows = 16};
	const struct fg_report report = {hear, NULL};
	const char *config = NULL;
	int opt, result;

	while ((opt = getopt(argc, argv, "c:l")) != -1) {
		if (opt == 'l') {
			list();
			return 0;
		}
		if (opt != 'c')
			return 2;
		config = optarg;
	}
	if (optind == argc || fg_flow_table_new(&all.table, &limits) ||
	    fg_catalog_new(&all.catalog, 0, 1) ||
	    fg_settings_load(&all.settings, config, NULL, 0, report) ||
	    fg_policy_new(&all.policy, all.settings, all.catalog))
		return 2;
	result = read_expressions(argv[optind]);
	for (int i = optind + 1; i < argc && !result; i++)
		result = read_stream(argv[i]);
	for (size_t i = 0; i < all.count; i++)
		fg_criteria_free(all.criteria[i]);
	fg_policy_free(all.policy);
	fg_settings_free(all.settings);
	fg_catalog_free(all.catalog);
	fg_flow_table_free(all.table);
	return result;
}
