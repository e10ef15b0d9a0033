/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_log_record.c - records in each format, with hostile text in them. */
/* LINK: plugins/log/record.c plugins/log/line.c */
/* LINK: common/policy/json.c common/policy/node.c common/policy/syntax.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../plugins/log/rate.h"
#include "../../plugins/log/record.h"
#include "base/text.h"
#include "policy/json.h"

/* the one piece of text that the network chose, used for everything */
static struct fg_slice evil;
static char evil_text[2048];

static const char *host_name(const struct fg_host *h, enum fg_name kind,
			     uint32_t id)
{
	(void)h, (void)kind, (void)id;
	return evil_text;
}

static const char *host_word(const struct fg_host *h, uint16_t i)
{
	(void)h, (void)i;
	return evil_text;
}

static bool host_flow_get(const struct fg_host *h, const struct fg_flow *f,
			  enum fg_attr attr, union fg_value *out)
{
	(void)h, (void)f;
	if (attr != FG_ATTR_DNS_HOST_NAME)
		return false;
	out->text = evil;
	return true;
}

static const struct fg_host host = {
	.name = host_name,
	.interface_name = host_word,
	.source_name = host_word,
	.flow_get = host_flow_get,
};

static const struct fg_member member = {
	.size = sizeof(member), .action = "games", .targets = "block, log"};

static struct fg_flow flow(void)
{
	struct fg_flow f = {.ip_version = 4,
			    .ip_protocol = 6,
			    .local_port = 4000,
			    .other_port = 443,
			    .local_addr = {10, 0, 0, 2},
			    .other_addr = {198, 51, 100, 9},
			    .local_mac = {2, 0, 0, 0, 0, 1},
			    .flags = FG_FLOW_HAS_LOCAL_MAC,
			    .local_bytes = 12,
			    .other_bytes = 34,
			    .age_ms = 5600};

	f.digest[0] = 0xab;
	f.digest[19] = 0x01;
	return f;
}

static void say_evil(const char *text, size_t len)
{
	memcpy(evil_text, text, len);
	evil_text[len] = '\0';
	evil = fg_slice(evil_text, len);
}

static struct fg_record record(const struct fg_flow *f)
{
	return (struct fg_record){
		&host,	      "log",	    f,
		&member,      FG_LOG_ENTER, FG_REASON_DETECTED,
		1700000000123};
}

typedef size_t writer(const struct fg_record *r, char *buf, size_t size);

#define ALL 3
static const struct {
	const char *name;
	writer *write;
} formats[] = {{"csv", fg_record_csv},
	       {"json", fg_record_json},
	       {"syslog", fg_record_syslog},
	       {"journal", fg_record_journal}};

static char buf[65536];

static void test_plain(void **state)
{
	struct fg_flow f = flow();
	struct fg_record r = record(&f);
	size_t len;

	(void)state;
	say_evil("example", 7);
	len = fg_record_csv(&r, buf, sizeof(buf));
	buf[len] = '\0';
	assert_string_equal(buf,
			    "2023-11-14T22:13:20.123Z,"
			    "ab00000000000000000000000000000000000001,"
			    "10.0.0.2:4000,198.51.100.9:443,example,example,"
			    "example\n");
	len = fg_record_json(&r, buf, sizeof(buf));
	buf[len] = '\0';
	assert_string_equal(
		buf,
		"{\"time\":\"2023-11-14T22:13:20.123Z\",\"event\":\"enter\","
		"\"mode\":\"enforce\",\"reason\":\"detected\",\"target\":"
		"\"log\",\"action\":\"games\",\"targets\":\"block, log\","
		"\"source\":\"example\",\"interface\":\"example\",\"digest\":"
		"\"ab00000000000000000000000000000000000001\",\"ip_protocol\":"
		"6,\"local_mac\":\"02:00:00:00:00:01\",\"local_ip\":"
		"\"10.0.0.2\",\"local_port\":4000,\"other_ip\":"
		"\"198.51.100.9\",\"other_port\":443,\"protocol\":\"example\","
		"\"application\":\"example\",\"host_name\":\"example\"}\n");
	r.event = FG_LOG_LEAVE;
	r.reason = FG_REASON_PURGED;
	len = fg_record_json(&r, buf, sizeof(buf));
	buf[len] = '\0';
	/* only at the end are the counters worth a word */
	assert_non_null(strstr(buf, "\"event\":\"leave\""));
	assert_non_null(strstr(buf, "\"local_bytes\":12,\"other_bytes\":34,"));
	assert_non_null(strstr(buf, "\"duration_ms\":5600}"));
}

static void test_ipv6(void **state)
{
	struct fg_flow f = flow();
	struct fg_record r = record(&f);

	(void)state;
	f.ip_version = 6;
	fg_addr_parse("2001:db8::2", 11, f.local_addr);
	fg_addr_parse("2001:db8::9", 11, f.other_addr);
	say_evil("x", 1);
	buf[fg_record_csv(&r, buf, sizeof(buf))] = '\0';
	assert_non_null(strstr(buf, ",[2001:db8::2]:4000,[2001:db8::9]:443,"));
}

/* What a host name may be, and what becomes of it. */
static const struct {
	const char *why;
	const char *text;
	size_t len;
	const char *csv;
	const char *json;
	const char *value;
} hostile[] = {
#define T(s) s, sizeof(s) - 1
	{"nothing", T(""), "", "\"\"", "\"\""},
	{"a formula", T("=1+1"), "\"'=1+1\"", "\"=1+1\"", "\"=1+1\""},
	{"a call", T("@SUM(A1)"), "\"'@SUM(A1)\"", "\"@SUM(A1)\"", "@SUM(A1)"},
	{"a sign", T("-2"), "\"'-2\"", "\"-2\"", "-2"},
	{"a plus", T("+2"), "\"'+2\"", "\"+2\"", "+2"},
	{"a tab before a formula", T("\t=1"), "\\x09=1", "\"\\\\x09=1\"",
	 "\"\\\\x09=1\""},
	{"a full-width formula", T("\uff1d1"), "\"'\uff1d1\"", "\"\uff1d1\"",
	 "\uff1d1"},
	{"the end of a quoted value", T("\\\" x=y"), "\"\\\"\" x=y\"",
	 "\"\\\\\\\" x=y\"", "\"\\\\\\\" x=y\""},
	{"a field of its own", T("a,b"), "\"a,b\"", "\"a,b\"", "a,b"},
	{"a quote", T("a\"b"), "\"a\"\"b\"", "\"a\\\"b\"", "\"a\\\"b\""},
	{"a line of its own", T("a\r\nb"), "a\\x0d\\x0ab",
	 "\"a\\\\x0d\\\\x0ab\"", "a\\x0d\\x0ab"},
	{"a colour", T("\033[31mred"), "\\x1b[31mred", "\"\\\\x1b[31mred\"",
	 "\\x1b[31mred"},
	{"a C1 control",
	 T("a\xc2\x9b"
	   "31m"),
	 "a\\xc2\\x9b31m", "\"a\\\\xc2\\\\x9b31m\"", "a\\xc2\\x9b31m"},
	{"no UTF-8", T("a\xff\xc0\xaf"), "a\\xff\\xc0\\xaf",
	 "\"a\\\\xff\\\\xc0\\\\xaf\"", "a\\xff\\xc0\\xaf"},
	{"text that runs the other way",
	 T("a\xe2\x80\xae"
	   "b"),
	 "a\\xe2\\x80\\xaeb", "\"a\\\\xe2\\\\x80\\\\xaeb\"",
	 "a\\xe2\\x80\\xaeb"},
	{"a key of its own", T("a b=c"), "\"a b=c\"", "\"a b=c\"", "\"a b=c\""},
	{"a backslash", T("a\\b"), "a\\b", "\"a\\\\b\"", "a\\b"},
	{"HTML", T("<b>"), "<b>", "\"<b>\"", "<b>"},
	{"real letters",
	 T("b\xc3\xbc"
	   "cher"),
	 "b\xc3\xbc"
	 "cher",
	 "\"b\xc3\xbc"
	 "cher\"",
	 "b\xc3\xbc"
	 "cher"},
#undef T
};

static void test_hostile_text(void **state)
{
	struct fg_line l;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		struct fg_slice s = fg_slice(hostile[i].text, hostile[i].len);

#define SAME(call, want)                                                       \
	l = fg_line(buf, sizeof(buf));                                         \
	call(&l, s);                                                           \
	buf[l.len] = '\0';                                                     \
	if (strcmp(buf, want))                                                 \
	fail_msg("%s: " #call ": %s", hostile[i].why, buf)
		SAME(fg_line_csv, hostile[i].csv);
		SAME(fg_line_json, hostile[i].json);
		SAME(fg_line_value, hostile[i].value);
#undef SAME
	}
}

static void ignore(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx, (void)level;
	fail_msg("%s", text);
}

/* Whatever the text: one record, nothing that a terminal would act on. */
static void check(const char *text, size_t len)
{
	struct fg_flow f = flow();
	struct fg_record r = record(&f);

	say_evil(text, len);
	for (size_t i = 0; i <= ALL; i++) {
		size_t n = formats[i].write(&r, buf, sizeof(buf));
		struct fg_json *doc;

		assert_true(n > 1);
		/* the last byte is the record's end, and there is only one */
		for (size_t at = 0; at + 1 < n; at++) {
			uint8_t c = (uint8_t)buf[at];

			if (c == '\n' && !strcmp(formats[i].name, "journal"))
				continue;
			if (c < 0x20 || c == 0x7f)
				fail_msg("%s lets 0x%02x through",
					 formats[i].name, c);
		}
		assert_int_equal(buf[n - 1], i < 2 ? '\n' : '\0');
		if (strcmp(formats[i].name, "json"))
			continue;
		assert_int_equal(
			fg_json_parse(&doc, "record", buf, n,
				      (struct fg_report){ignore, NULL}),
			0);
		fg_json_free(doc);
	}
}

static void test_hostile_records(void **state)
{
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
		check(hostile[i].text, hostile[i].len);
	srand(7);
	for (int n = 0; n < 2000; n++) {
		size_t len = (size_t)rand() % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(1 + rand() % 255);
		check(text, len);
	}
}

/* Every entry of a journal record is KEY=value: none is made by a name. */
static void test_journal_keys(void **state)
{
	struct fg_flow f = flow();
	struct fg_record r = record(&f);
	char *line, *save = NULL;

	(void)state;
	say_evil("x\nPRIORITY=0\nMESSAGE=fake", 25);
	fg_record_journal(&r, buf, sizeof(buf));
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "MESSAGE=", 8))
			assert_string_equal(
				line,
				"MESSAGE=enter log: 10.0.0.2:4000 - "
				"198.51.100.9:443 x\\x0aPRIORITY=0\\x0aMESSAGE="
				"fake x\\x0aPRIORITY=0\\x0aMESSAGE=fake");
		else if (!strncmp(line, "PRIORITY=", 9))
			assert_string_equal(line, "PRIORITY=6");
		else if (strncmp(line, "FLOWGATE_", 9) &&
			 strncmp(line, "SYSLOG_IDENTIFIER=", 18))
			fail_msg("%s", line);
	}
}

/* A record fits as a whole or not at all, and never writes past size. */
static void test_sizes(void **state)
{
	struct fg_flow f = flow();
	struct fg_record r = record(&f);

	(void)state;
	memset(evil_text, 'x', 2000);
	evil_text[2000] = '\0';
	evil = fg_slice(evil_text, 2000);
	for (size_t i = 0; i <= ALL; i++) {
		size_t full = formats[i].write(&r, buf, sizeof(buf));

		for (size_t size = 0; size <= full; size++) {
			char *tight = malloc(size + 1);

			tight[size] = '#';
			assert_int_equal(formats[i].write(&r, tight, size),
					 size < full ? 0 : full);
			assert_int_equal(tight[size], '#');
			free(tight);
		}
	}
}

static void test_rate(void **state)
{
	struct fg_rate r = fg_rate(10, 3, 1000), none = fg_rate(0, 0, 0);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(fg_rate_pass(&r, 1000));
	assert_false(fg_rate_pass(&r, 1000));
	assert_false(fg_rate_pass(&r, 1099));
	assert_true(fg_rate_pass(&r, 1100)); /* one each 100 ms */
	assert_false(fg_rate_pass(&r, 1100));
	/* a long time saves up no more than the burst; clocks never run back */
	for (int i = 0; i < 3; i++)
		assert_true(fg_rate_pass(&r, INT64_C(1) << 50));
	assert_false(fg_rate_pass(&r, INT64_C(1) << 50));
	assert_false(fg_rate_pass(&r, 5));
	for (int i = 0; i < 1000; i++)
		assert_true(fg_rate_pass(&none, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_hostile_records),
		cmocka_unit_test(test_journal_keys),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
