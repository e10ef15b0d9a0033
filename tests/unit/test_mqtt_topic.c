/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/mqtt/topic.c */
/* test_mqtt_topic - who a topic is from, and topics that names make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../plugins/mqtt/topic.h"

#define N(array) (sizeof(array) / sizeof(*(array)))
#define FORTY	 "0123456789012345678901234567890123456789"

static void test_filters(void **state)
{
	static const struct {
		const char *filter;
		const char *why; /* a part of it; NULL: it is one */
	} cases[] = {
		{"flowgate/+/+/flows", NULL},
		{"#", NULL},
		{"+", NULL},
		{"a/#", NULL},
		{"a//b", NULL}, /* an empty level is a level */
		{"a b/\xc3\xa9", NULL},
		{"", "1 to 511"},
		{"$SYS/#", "broker's own"},
		{"a/#/b", "at the end"},
		{"a#", "alone"},
		{"a/b+", "one whole level"},
		{"+a", "one whole level"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		const char *why = fg_topic_check_filter(cases[i].filter);

		print_message("%s\n", cases[i].filter);
		if (!cases[i].why)
			assert_null(why);
		else
			assert_non_null(strstr(why, cases[i].why));
	}
}

static void test_match(void **state)
{
	static const struct {
		const char *filter, *topic;
		int ret;
		const char *site, *name;
	} cases[] = {
		{"f/+/+/flows", "f/a/b/flows", 0, "a", "a/b"},
		{"f/+/state", "f/a/state", 0, "a", "a"},
		{"f/#", "f/a/b/c", 0, "a", "a/b/c"},
		{"#", "x/y", 0, "x", "x/y"},
		{"+/x/#", "s/x/1/2", 0, "s", "s/1/2"},
		/* no wildcard: the topic is the name, and all are of one site
		 */
		{"netify/flows", "netify/flows", 0, "", "netify/flows"},
		{"f/+/+/flows", "f/a/flows", -ENOENT, "", ""},
		{"f/+/+/flows", "f/a/b/c/flows", -ENOENT, "", ""},
		{"f/+/+/flows", "f/a/b/flow", -ENOENT, "", ""},
		{"f/+/+/flows", "g/a/b/flows", -ENOENT, "", ""},
		{"f/+", "f", -ENOENT, "", ""},
		{"f", "f/a", -ENOENT, "", ""},
		/* an empty name would be anybody's */
		{"f/+/+/flows", "f//b/flows", -EINVAL, "", ""},
		{"f/+/+/flows", "f/a//flows", -EINVAL, "", ""},
		{"f/#", "f/", -EINVAL, "", ""},
		/* nothing that could move a cursor, or what is not UTF-8 */
		{"f/+/+/flows", "f/a\x1b[2J/b/flows", -EINVAL, "", ""},
		{"f/+/+/flows", "f/a\n/b/flows", -EINVAL, "", ""},
		{"f/+/+/flows", "f/\xff/b/flows", -EINVAL, "", ""},
		{"f/+/+/flows", "f/\xe2\x80\xae/b/flows", -EINVAL, "", ""},
		{"f/+/+/flows", "f/\"; drop/b/flows", 0, "\"; drop",
		 "\"; drop/b"},
		/* 96 bytes and no more */
		{"f/+/+/flows", "f/" FORTY "/" FORTY "/flows", 0, FORTY,
		 FORTY "/" FORTY},
		{"f/+/+/flows", "f/" FORTY FORTY "/" FORTY "/flows", -EINVAL,
		 "", ""},
	};
	struct fg_topic_match m;

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		print_message("%s %s\n", cases[i].filter, cases[i].topic);
		assert_int_equal(
			fg_topic_match(cases[i].filter, cases[i].topic, &m),
			cases[i].ret);
		if (cases[i].ret)
			continue;
		assert_string_equal(m.site, cases[i].site);
		assert_string_equal(m.name, cases[i].name);
	}
}

static void test_templates(void **state)
{
	(void)state;
	assert_null(fg_topic_check_template("flowgate/SITE/SOURCE/flows"));
	assert_null(fg_topic_check_template("x"));
	assert_non_null(fg_topic_check_template(""));
	assert_non_null(fg_topic_check_template("a/+"));
	assert_non_null(fg_topic_check_template("a/#"));
	assert_non_null(fg_topic_check_template("a\n"));
	assert_non_null(fg_topic_check_template("$SYS/x"));
	assert_non_null(fg_topic_check_template(
		FORTY FORTY FORTY FORTY FORTY FORTY FORTY));
}

static void test_make(void **state)
{
	static const struct {
		const char *template, *site, *source, *topic;
	} cases[] = {
		{"f/SITE/SOURCE/flows", "hq", "lan", "f/hq/lan/flows"},
		{"SOURCE", "hq", "lan", "lan"},
		{"f/SITES/xSOURCE", "hq", "lan", "f/SITES/xSOURCE"},
		/* no name can be two levels, or a wildcard */
		{"f/SITE/SOURCE", "a/b", "+", "f/a_b/_"},
		{"f/SITE/SOURCE", "#", "\xff\x01", "f/_/__"},
		{"f/SITE/SOURCE", "a\nb", "\xe2\x80\xae", "f/a_b/_"},
		{"f/SITE/SOURCE", "", "caf\xc3\xa9", "f/_/caf\xc3\xa9"},
		/* cut, but not within a character */
		{"SITE", FORTY "012345678901234567890123456789", "",
		 FORTY "012345678901234567890123"},
		{"SITE", FORTY "01234567890123456789012\xc3\xa9", "",
		 FORTY "01234567890123456789012"},
	};
	char out[FG_TOPIC];

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		fg_topic_make(cases[i].template, cases[i].site, cases[i].source,
			      out);
		assert_string_equal(out, cases[i].topic);
	}
}

/* Whatever a template is made of, the topic has an end. */
static void test_longest(void **state)
{
	char template[FG_TOPIC] = "", out[FG_TOPIC];

	(void)state;
	while (strlen(template) + 6 < FG_TOPIC / 2)
		strcat(template, "SITE/");
	assert_null(fg_topic_check_template(template));
	fg_topic_make(template, FORTY FORTY, "x", out);
	assert_in_range(strlen(out), 1, FG_TOPIC - 1);
	assert_null(strpbrk(out, "+#"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),	  cmocka_unit_test(test_match),
		cmocka_unit_test(test_templates), cmocka_unit_test(test_make),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
