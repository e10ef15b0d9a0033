/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_nomem.c - memory that is refused, at each place where it is asked for:
 * -ENOMEM, and nothing is left behind. Only making things allocates; that using
 * them does not is another test's to see.
 */
/* LINK: common/flow common/policy common/lease plugins/netifyd/frame.c */
/* LINK: plugins/netifyd/message.c plugins/netifyd/key.c */
/* LINK: plugins/netifyd/names.c plugins/netifyd/check.c */
/* LINK: plugins/nftset/batch.c */
/* LIBS: -lpcre2-8 -lmnl -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
/* LIBS: -Wl,--wrap=reallocarray,--wrap=strdup,--wrap=strndup,--wrap=free */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../plugins/netifyd/frame.h"
#include "../../plugins/netifyd/message.h"
#include "../../plugins/nftset/batch.h"
#include "base/text.h"
#include "flow/catalog.h"
#include "flow/flow.h"
#include "lease/lease.h"
#include "policy/json.h"
#include "policy/membership.h"

/* ------------------------------------------------------------- the memory */

/* Countdown to the one that is refused; 0: none is. */
static unsigned fail_at;

static bool fails(void)
{
	return fail_at && --fail_at == 0;
}

/* What was given and not taken back; what libraries gave is not in it. */
static void *given[8192];
static size_t given_count;

static void forget(const void *p)
{
	size_t i = given_count;

	while (p && i-- > 0)
		if (given[i] == p) {
			given[i] = given[--given_count];
			break;
		}
}

static void *remember(void *p)
{
	if (p) {
		if (given_count == sizeof(given) / sizeof(*given))
			abort();
		given[given_count++] = p;
	}
	return p;
}

#define WRAP(type, name, parameters, arguments, old)                           \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		if (fails()) {                                                 \
			errno = ENOMEM;                                        \
			return NULL;                                           \
		}                                                              \
		forget(old);                                                   \
		return remember(__real_##name arguments);                      \
	}

WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *p, size_t size), (p, size), p)
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size), p)
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(char *, strndup, (const char *text, size_t n), (text, n), NULL)

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
	forget(p);
	__real_free(p);
}

/* ------------------------------------------------------------- the things */

/* What others are made of, with all the memory that they want. */
static struct fg_catalog *catalog;
static struct fg_flow_table *table;
static struct fg_classes *classes;
static char file[] = "/tmp/flowgate-nomem-XXXXXX";

static int make_table(void **out)
{
	const struct fg_flow_limits limits = {.max_flows = 8};

	return fg_flow_table_new((struct fg_flow_table **)out, &limits);
}

static void drop_table(void *p)
{
	fg_flow_table_free(p);
}

static int make_catalog(void **out)
{
	return fg_catalog_new((struct fg_catalog **)out, 16, 1);
}

static void drop_catalog(void *p)
{
	fg_catalog_free(p);
}

/* Netify's file: what was known before stays known. */
static int make_names(void **out)
{
	char err[256] = "";
	int ret;

	*out = NULL;
	ret = fg_catalog_load(catalog, file, err, sizeof(err));
	if (ret && !strstr(err, "out of memory"))
		fail_msg("%s", err);
	assert_string_equal(fg_catalog_name(catalog, FG_NAME_APPLICATION, 133),
			    "netify.netflix");
	return ret;
}

static void drop_nothing(void *p)
{
	(void)p;
}

static int make_leases(void **out)
{
	struct fg_leases_setup setup = {
		.max = 8, .key_len = 4, .classes = classes};

	return fg_leases_new((struct fg_leases **)out, &setup);
}

static void drop_leases(void *p)
{
	fg_leases_free(p);
}

static int make_classes(void **out)
{
	return fg_classes_new((struct fg_classes **)out, 8);
}

static void drop_classes(void *p)
{
	fg_classes_free(p);
}

static int make_frame(void **out)
{
	const struct fg_frame_sink sink = {0};

	return fg_frame_new((struct fg_frame **)out, 4096, &sink);
}

static void drop_frame(void *p)
{
	fg_frame_free(p);
}

static int make_reader(void **out)
{
	return fg_reader_new((struct fg_reader **)out, 64);
}

static void drop_reader(void *p)
{
	fg_reader_free(p);
}

static int make_batch(void **out)
{
	const struct fg_batch_setup setup = {
		.table = "t", .set = "s", .key_len = 4};

	return fg_batch_new((struct fg_batch **)out, &setup);
}

static void drop_batch(void *p)
{
	fg_batch_free(p);
}

/* A configuration with some of everything, and what is made of it. */
static const char text[] =
	"{\"timezone\": \"UTC\", \"exemptions\": [\"10.0.0.9\", \"app == 7\"],"
	"\"never\": [\"192.0.2.0/24\", \"!own\"],"
	"\"address_groups\": {\"g\": [\"10.1.0.0/16\", \"10.2.0.0/16\"]},"
	"\"application_groups\": {\"films\": [\"netify.netflix\", \"133\"]},"
	"\"targets\": {\"t\": {\"target_type\": \"x\"},"
	" \"u\": {\"target_type\": \"x\"}},"
	"\"actions\": {"
	"\"a\": {\"criteria\": \"detected_hostname == 'rx:films?' && local_ip "
	"== @g\","
	" \"targets\": [\"t\", {\"target\": \"u\", \"own\": 1}],"
	" \"exemptions\": [\"10.0.0.1\"]},"
	"\"b\": {\"criteria\": [\"app == @films\","
	" \"ai:133 || other_port == 443\"], \"targets\": [\"u\"],"
	" \"time_of_day\": [{\"day\": [\"mon\"], \"time_start\": \"08:00\","
	" \"time_end\": \"18:00\", \"policy\": \"inclusive\"}]},"
	"\"c\": {\"criteria\": \"*\", \"targets\": [\"t\"]}}}";

static char said[1024];
static unsigned bound;

static void hear(void *ctx, enum fg_level level, const char *what)
{
	(void)ctx;
	if (level == FG_LOG_ERROR)
		snprintf(said, sizeof(said), "%s", what);
}

static int bind(void *instance, const struct fg_node *override,
		const void **binding)
{
	(void)instance;
	fg_node_ignore(override);
	*binding = &bound;
	bound++;
	return 0;
}

static void unbind(void *instance, const void *binding)
{
	(void)instance;
	assert_ptr_equal(binding, &bound);
	bound--;
}

static const struct fg_target_type type = {
	.size = sizeof(type), .name = "x", .bind = bind, .unbind = unbind};

static struct fg_settings *read_settings(void)
{
	struct fg_settings *s = NULL;

	said[0] = '\0';
	if (fg_settings_parse(&s, "c", text, sizeof(text) - 1, NULL, 0,
			      (struct fg_report){hear, NULL}))
		fail_msg("%s", said);
	return s;
}

static struct fg_settings *own;

static int make_policy(void **out)
{
	unsigned at = fail_at;
	int ret;

	fail_at = 0;
	own = read_settings();
	fail_at = at;
	ret = fg_policy_new((struct fg_policy **)out, own, catalog);
	if (ret && ret != -ENOMEM)
		fail_msg("%s", said);
	if (ret)
		fg_settings_free(own);
	return ret;
}

static void drop_policy(void *p)
{
	fg_policy_free(p);
	fg_settings_free(own);
}

static struct fg_settings *settings;
static struct fg_policy *policy;
static struct fg_target target[2] = {{.name = "t", .type = &type},
				     {.name = "u", .type = &type}};
static struct fg_target *targets[2] = {&target[0], &target[1]};

static int make_membership(void **out)
{
	const struct fg_membership_setup setup = {
		.table = table, .catalog = catalog, .max_verdicts = 8};

	return fg_membership_new((struct fg_membership **)out, &setup);
}

static void drop_membership(void *p)
{
	fg_membership_free(p);
	assert_int_equal(bound, 0);
}

/* A configuration comes into force, or all is as before. */
static int make_generation(void **out)
{
	static struct fg_generation g;
	int ret = make_membership(out);

	if (ret)
		return ret;
	g.settings = settings;
	g.policy = policy;
	g.targets = targets;
	ret = fg_membership_configure(*out, &g, 0);
	if (ret)
		drop_membership(*out);
	return ret;
}

/* --------------------------------------------------------------- the cases */

static void refused(void **state)
{
	static const struct {
		const char *what;
		int (*make)(void **out);
		void (*drop)(void *p);
		unsigned least; /* so many places, or it is not tested */
		bool spare;	/* some is only for suggestions, in errors */
	} things[] = {
		{"flow table", make_table, drop_table, 6, false},
		{"catalog", make_catalog, drop_catalog, 5, false},
		{"Netify's names", make_names, drop_nothing, 1, false},
		{"leases", make_leases, drop_leases, 6, false},
		{"classes", make_classes, drop_classes, 1, false},
		{"framing", make_frame, drop_frame, 1, false},
		{"message", make_reader, drop_reader, 2, false},
		{"batch", make_batch, drop_batch, 2, false},
		{"policy", make_policy, drop_policy, 40, true},
		{"membership", make_membership, drop_membership, 4, false},
		{"generation", make_generation, drop_membership, 15, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		unsigned n = 0, refusals = 0, left;

		/* once for what is kept from the first time on */
		for (int again = 0; again < 2; again++) {
			void *p = NULL;

			assert_int_equal(things[i].make(&p), 0);
			things[i].drop(p);
		}
		do {
			size_t before = given_count;
			void *p = NULL;
			int ret;

			fail_at = ++n;
			ret = things[i].make(&p);
			left = fail_at;
			fail_at = 0;
			if (ret == 0)
				things[i].drop(p);
			if (ret != -ENOMEM &&
			    (ret != 0 || !(left || things[i].spare)))
				fail_msg("%s, %u: %d", things[i].what, n, ret);
			if (given_count != before)
				fail_msg("%s, %u: %zu pieces are left",
					 things[i].what, n,
					 given_count - before);
			refusals += ret == -ENOMEM;
		} while (!left);
		if (refusals < things[i].least)
			fail_msg("%s was refused memory %u times only",
				 things[i].what, refusals);
	}
}

static int set_up(void **state)
{
	static const char names[] = "app:133:netify.netflix\n";
	int fd = mkstemp(file);

	(void)state;
	if (fd < 0 || write(fd, names, sizeof(names) - 1) < 0)
		return -1;
	close(fd);
	fg_catalog_new(&catalog, 0, 1);
	fg_catalog_learn(catalog, FG_NAME_APPLICATION, 133,
			 fg_slice("netify.netflix", 14));
	make_table((void **)&table);
	fg_classes_new(&classes, 8);
	settings = read_settings();
	return fg_policy_new(&policy, settings, catalog);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	fg_policy_free(policy);
	fg_settings_free(settings);
	fg_catalog_free(catalog);
	fg_flow_table_free(table);
	fg_classes_free(classes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
