/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/flow common/policy */
/* LIBS: -lpcre2-8 */
/*
 * bench_policy - what it costs a flow to be judged, by what the policy is.
 *
 * bench_policy [-r ROUNDS] [-f FLOWS]
 *
 * Each row is the median of interleaved rounds over the same flows, CPU time of
 * one thread; the ratio is to the row with one application.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "policy/policy.h"

#define ROUNDS_MAX 101
#define ROWS	   7

static void hear(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	if (level == FG_LOG_ERROR)
		fprintf(stderr, "%s\n", text);
}

struct text {
	char *p;
	size_t len, size;
};

/* Action a; in its criteria, b stands where they have a '#'. */
static void add(struct text *t, const char *criteria, unsigned a, unsigned b)
{
	const char *at = strchr(criteria, '#');
	char piece[256];
	int n = snprintf(piece, sizeof(piece),
			 "\"n%u\":{\"targets\":[\"t\"],"
			 "\"criteria\":\"%.*s%u%s\"}",
			 a, (int)(at - criteria), criteria, b, at + 1);

	if (t->len + (size_t)n + 64 > t->size) {
		t->size = t->size * 2 + 4096;
		t->p = realloc(t->p, t->size);
		if (!t->p)
			exit(2);
	}
	t->len += (size_t)sprintf(t->p + t->len, "%s%s", a ? "," : "", piece);
}

/* count actions, for applications that the flows do not have, but the last. */
static struct fg_policy *make_policy(const struct fg_catalog *catalog,
				     unsigned count, const char *criteria)
{
	struct fg_report report = {hear, NULL};
	struct fg_settings *s;
	struct fg_policy *p;
	struct text t = {NULL, 0, 0}, all = {NULL, 0, 0};

	for (unsigned i = 0; i < count; i++)
		add(&t, criteria, i, i + 1 == count ? 133 : 20000 + i);
	all.p = malloc(t.len + 256);
	if (!all.p)
		exit(2);
	sprintf(all.p,
		"{\"targets\":{\"t\":{\"target_type\":\"x\"}},\"actions\":{%s}"
		"}",
		t.p ? t.p : "");
	if (fg_settings_parse(&s, "bench", all.p, strlen(all.p), NULL, 0,
			      report) ||
	    fg_policy_new(&p, s, catalog))
		exit(1);
	free(t.p);
	free(all.p);
	return p; /* it and the settings live as long as the program */
}

static struct fg_flow **make_flows(struct fg_flow_table *table, size_t n)
{
	static struct fg_message m;
	struct fg_flow **flows = calloc(n, sizeof(*flows));

	if (!flows)
		exit(2);
	m.size = sizeof(m);
	m.type = FG_MESSAGE_FLOW;
#define SET(a)                                                                 \
	m.has[FG_ATTR_##a / 64] |= UINT64_C(1) << FG_ATTR_##a % 64;            \
	m.value[FG_ATTR_##a]
	for (size_t i = 0; i < n; i++) {
		uint8_t digest[FG_DIGEST_SIZE] = {0};
		char host[64];

		memcpy(digest, &i, sizeof(i));
		snprintf(host, sizeof(host), "host%zu.cdn.example.net",
			 i % 1000);
		SET(IP_VERSION).u = 4;
		SET(IP_PROTOCOL).u = 6;
		SET(LOCAL_ORIGIN).u = 1;
		SET(APPLICATION).u = i % 50 == 0 ? 133 : i % 200;
		SET(PROTOCOL).u = 196;
		SET(CAT_APPLICATION).u = i % 30;
		SET(OTHER_PORT).u = 443;
		SET(HOST_SERVER_NAME).text = fg_slice(host, strlen(host));
		flows[i] = fg_flow_insert(table, 0, digest);
		fg_flow_update(table, flows[i], &m, NULL);
	}
	return flows;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *what;
		unsigned count;
		const char *criteria;
	} rows[ROWS] = {
		{"no action", 0, ""},
		{"1 application", 1, "ai:#"},
		{"10 applications", 10, "ai:#"},
		{"1000 applications", 1000, "ai:#"},
		{"1000 applications, and a port", 1000,
		 "app == # && port == 443"},
		{"10 host names (regex)", 10,
		 "detected_hostname == 'rx:\\\\.example#\\\\.com$'"},
		{"10 ports and sizes, tried", 10,
		 "port == 80 && total_bytes == #"},
	};
	const struct fg_flow_limits limits = {.max_flows = 1 << 20};
	struct fg_flow_table *table;
	struct fg_catalog *catalog;
	struct fg_policy *policies[ROWS];
	static double took[ROWS][ROUNDS_MAX];
	struct fg_flow **flows;
	struct fg_grant g[FG_GRANTS_MAX];
	unsigned rounds = 11;
	size_t n = 100000, granted = 0;
	int opt;

	while ((opt = getopt(argc, argv, "r:f:")) != -1) {
		if (opt == 'r')
			rounds = (unsigned)atoi(optarg);
		else if (opt == 'f')
			n = (size_t)atoi(optarg);
		else
			return 1;
	}
	if (rounds < 1 || rounds > ROUNDS_MAX || n < 1 || n > limits.max_flows)
		return 1;
	if (fg_flow_table_new(&table, &limits) ||
	    fg_catalog_new(&catalog, 0, 1))
		return 2;
	flows = make_flows(table, n);
	for (size_t i = 0; i < ROWS; i++)
		policies[i] =
			make_policy(catalog, rows[i].count, rows[i].criteria);
	for (unsigned r = 0; r < rounds; r++) {
		for (size_t i = 0; i < ROWS; i++) {
			double start = seconds();

			for (size_t k = 0; k < n; k++)
				granted += fg_policy_evaluate(
					policies[i], table, flows[k], g);
			took[i][r] = seconds() - start;
		}
	}
	printf("%-32s %10s %8s\n", "policy", "ns/flow", "ratio");
	for (size_t i = 0; i < ROWS; i++)
		qsort(took[i], rounds, sizeof(double), ascending);
	for (size_t i = 0; i < ROWS; i++)
		printf("%-32s %10.1f %8.2f\n", rows[i].what,
		       took[i][rounds / 2] / (double)n * 1e9,
		       took[i][rounds / 2] / took[1][rounds / 2]);
	return granted == 0;
}
