/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report.c - JSON text in the middle of a page stays text. */
/* LINK: common/cli/report.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/report.h"

static char *page_of(const char *json)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(fg_report_write(out, json, strlen(json)), 0);
	fclose(out);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text++;
		n++;
	}
	return n;
}

static void test_text_stays_text(void **state)
{
	static const struct {
		const char *json;
		const char *in_page;
	} cases[] = {
		{"{\"a\":1}", ">{\"a\":1}</script>"},
		{"{\"a\":\"</script><script>alert(1)\"}",
		 ">{\"a\":\"\\u003c/"
		 "script\\u003e\\u003cscript\\u003ealert(1)\"}</script>"},
		{"{\"a\":\"<!--<script>\"}",
		 ">{\"a\":\"\\u003c!--\\u003cscript\\u003e\"}</script>"},
		{"{\"a\":\"&lt;\"}", ">{\"a\":\"\\u0026lt;\"}</script>"},
		{"\"<\"", ">\"\\u003c\"</script>"}, /* at the edges */
		{"<", ">\\u003c</script>"},
		{"", "></script>"},
		{"\"@REPORT@\"", ">\"@REPORT@\"</script>"},
		{"\"\\u003c %s %n \\\\\"", ">\"\\u003c %s %n \\\\\"</script>"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *page = page_of(cases[i].json);

		assert_non_null(strstr(page, cases[i].in_page));
		assert_int_equal(count(page, "<script"), 2);
		assert_int_equal(count(page, "</script>"), 2);
		assert_int_equal(count(page, "<!--"), 1); /* the licence */
		free(page);
	}
}

static void test_self_contained(void **state)
{
	static const char *const nowhere[] = {"src=",	   "href=",  "url(",
					      "@import",   "fetch(", "XMLHttp",
					      "innerHTML", "eval("};
	char *page = page_of("{}");

	(void)state;
	assert_non_null(strstr(page, "default-src 'none'"));
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++)
		assert_null(strstr(page, nowhere[i]));
	free(page);
}

static void test_full(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(fg_report_write(full, "{}", 2), -ENOSPC);
	fclose(full);
}

static void test_save(void **state)
{
	char dir[] = "/tmp/fg-report-XXXXXX", path[64];
	struct stat st;
	mode_t mask;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/no/page.html", dir);
	assert_int_equal(fg_report_save(path, "{}", 2), -ENOENT);
	snprintf(path, sizeof(path), "%s/page.html", dir);
	mask = umask(027);
	assert_int_equal(fg_report_save(path, "{}", 2), 0);
	assert_int_equal(fg_report_save(path, "{}", 2), 0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_true(st.st_size > 10000);
	unlink(path);
	assert_int_equal(rmdir(dir), 0); /* nothing is left beside it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_stays_text),
		cmocka_unit_test(test_self_contained),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_save),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
