/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_schedule.c - time zones against libc, windows against every minute. */
/* LINK: common/policy/schedule.c common/policy/zone.c common/policy/json.c common/policy/node.c common/policy/syntax.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "policy/schedule.h"

static char said[4096];

static void hear(void *ctx, enum fg_level level, const char *text)
{
	(void)ctx;
	if (level == FG_LOG_ERROR)
		snprintf(said, sizeof(said), "%s", text);
}

static struct fg_json *document(const char *text)
{
	struct fg_report report = {hear, NULL};
	struct fg_json *doc;

	said[0] = '\0';
	assert_int_equal(fg_json_parse(&doc, "t", text, strlen(text), report),
			 0);
	return doc;
}

static struct fg_zone *zone(const char *name)
{
	struct fg_zone *z = NULL;
	char err[256] = "";

	if (fg_zone_load(&z, name, err, sizeof(err)))
		fail_msg("%s: %s", name, err);
	return z;
}

/* What the system's libc says, for one zone at a time. */
static long libc_offset(const char *name, int64_t t)
{
	time_t time = (time_t)t;
	struct tm tm;

	setenv("TZ", name, 1);
	tzset();
	localtime_r(&time, &tm);
	return tm.tm_gmtoff;
}

static bool have_zoneinfo(void)
{
	return access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0;
}

static const char *const zones[] = {
	"Europe/Berlin",      "America/New_York", "Australia/Lord_Howe",
	"Asia/Kolkata",	      "Africa/Casablanca", "America/Santiago",
	"Pacific/Apia",	      "Asia/Tehran",	  "Antarctica/Troll",
	"Europe/Dublin",      "America/Nuuk",	  "UTC",
	"Pacific/Kiritimati", "Asia/Gaza",
};

#define ZONES (sizeof(zones) / sizeof(zones[0]))

static void test_zones_like_libc(void **state)
{
	(void)state;
	if (!have_zoneinfo()) {
		print_message("no zoneinfo files here\n");
		skip();
	}
	for (size_t i = 0; i < ZONES; i++) {
		struct fg_zone *z = zone(zones[i]);

		/* 1902 to 2100, odd steps; the files end in 2037 */
		for (int64_t t = -2145916800; t < 4102444800;
		     t += 86400 * 3 + 3607) {
			long want = libc_offset(zones[i], t);

			if (fg_zone_offset(z, t) != want)
				fail_msg("%s at %lld: %d, not %ld", zones[i],
					 (long long)t, fg_zone_offset(z, t),
					 want);
		}
		fg_zone_free(z);
	}
	unsetenv("TZ");
}

/* Between two changes nothing changes; at one, libc sees it, too. */
static void test_zone_changes(void **state)
{
	(void)state;
	if (!have_zoneinfo())
		skip();
	for (size_t i = 0; i < ZONES; i++) {
		struct fg_zone *z = zone(zones[i]);
		int64_t t = 1700000000, next;

		for (int n = 0; n < 60; n++) {
			next = fg_zone_next(z, t);
			if (next == INT64_MAX)
				break;
			assert_true(next > t);
			assert_int_equal(libc_offset(zones[i], next - 1),
					 fg_zone_offset(z, t));
			assert_int_equal(libc_offset(zones[i], next),
					 fg_zone_offset(z, next));
			t = next;
		}
		fg_zone_free(z);
	}
	unsetenv("TZ");
}

static void test_posix_rules(void **state)
{
	static const struct {
		const char *rules;
		const char *why;
	} good[] = {
		{"CET-1CEST,M3.5.0,M10.5.0/3", "the common form"},
		{"EST5EDT,M3.2.0,M11.1.0", ""},
		{"NZST-12NZDT,M9.5.0,M4.1.0/3", "the south"},
		{"<+0330>-3:30", "a name of digits, minutes"},
		{"IST-1GMT0,M10.5.0,M3.5.0/1", "negative summer time"},
		{"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "before midnight"},
		{"XXX3YYY,J60/0,J300/0", "days that do not count the 29th"},
		{"XXX3YYY,59/0,299/0", "days that do"},
		{"UTC0", ""},
	};
	static const char *const bad[] = {
		"",	     "C",	     "CET",
		"CET-1CEST,", "CET-1CEST,M13.1.0,M10.5.0",
		"CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x",
		"CET-999", "<CET-1", "CET-1:99", "XXX3YYY,J0,J1",
		"XXX3YYY,366,1",
	};
	struct fg_zone *z;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *rules = good[i].rules;

		assert_int_equal(fg_zone_rules(&z, rules, strlen(rules)), 0);
		for (int64_t t = 946684800; t < 1893456000; t += 86400 + 1801) {
			long want = libc_offset(rules, t);

			if (fg_zone_offset(z, t) != want)
				fail_msg("%s at %lld: %d, not %ld", rules,
					 (long long)t, fg_zone_offset(z, t),
					 want);
		}
		fg_zone_free(z);
	}
	unsetenv("TZ");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (fg_zone_rules(&z, bad[i], strlen(bad[i])) == 0)
			fail_msg("\"%s\" was accepted", bad[i]);
	}
}

static void test_zone_names(void **state)
{
	static const char *const bad[] = {
		"Europe/Berln", "../../etc/passwd", "/etc/passwd", "Europe",
		"zone1970.tab", "Europe/../../../../etc/passwd",
	};
	struct fg_zone *z;
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		if (fg_zone_load(&z, bad[i], err, sizeof(err)) == 0)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_true(err[0] != '\0');
	}
	/* the system's zone is always something */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	z = zone(NULL);
	assert_int_equal(fg_zone_offset(z, 1719792000), 7200);
	fg_zone_free(z);
	setenv("TZ", "nonsense", 1);
	z = zone(NULL);
	assert_int_equal(fg_zone_offset(z, 1719792000), 0);
	fg_zone_free(z);
	unsetenv("TZ");
	fg_zone_free(zone(NULL));
}

/* Any change to a file gives a zone or an error, and never a bad read. */
static void test_damaged_files(void **state)
{
	unsigned char file[8192], copy[8192];
	struct fg_zone *z;
	unsigned seed = 1;
	size_t n;
	FILE *f;

	(void)state;
	if (!have_zoneinfo())
		skip();
	f = fopen("/usr/share/zoneinfo/Europe/Berlin", "re");
	assert_non_null(f);
	n = fread(file, 1, sizeof(file), f);
	fclose(f);
	for (size_t len = 0; len < n; len += 7) {
		memcpy(copy, file, len);
		if (fg_zone_parse(&z, copy, len) == 0) {
			fg_zone_offset(z, 1700000000);
			fg_zone_free(z);
		}
	}
	for (int i = 0; i < 3000; i++) {
		memcpy(copy, file, n);
		for (int k = 0; k < 4; k++) {
			seed = seed * 1103515245 + 12345;
			copy[(seed >> 8) % (i % 2 ? n : 60)] =
				(unsigned char)(seed >> 24);
		}
		if (fg_zone_parse(&z, copy, n) == 0) {
			fg_zone_offset(z, 1700000000);
			fg_zone_next(z, 1700000000);
			fg_zone_free(z);
		}
	}
}

/* ----------------------------------------------------------------- windows */

struct opened {
	struct fg_json *doc;
	struct fg_zone *zone;
	struct fg_schedule *schedule;
};

static struct opened open_schedule(const char *json, const char *zone_name)
{
	struct opened o;

	o.doc = document(json);
	o.zone = zone(zone_name);
	assert_int_equal(fg_schedule_new(&o.schedule, fg_json_root(o.doc),
					 o.zone), 0);
	if (fg_json_errors(o.doc))
		fail_msg("%s", said);
	return o;
}

static void close_schedule(struct opened *o)
{
	fg_schedule_free(o->schedule);
	fg_zone_free(o->zone);
	fg_json_free(o->doc);
}

#define CENTRAL "CET-1CEST,M3.5.0,M10.5.0/3"

/* "2024-03-29 21:59" of a zone's standard or summer clock */
static int64_t utc(const char *text)
{
	struct tm tm = {0};
	char sign;
	int hours;

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d%c%d", &tm.tm_year,
				&tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
				&tm.tm_min, &tm.tm_sec, &sign, &hours), 8);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm) - (sign == '-' ? -hours : hours) * 3600;
}

static void test_windows(void **state)
{
	static const struct {
		const char *json;
		const char *when;
		bool open;
		const char *next; /* NULL: never */
		const char *why;
	} rows[] = {
		{"[{\"day\":[\"mon\"],\"time_start\":\"08:00\",\"time_end\":\"12:00\"}]",
		 "2024-01-01 07:59:59+1", false, "2024-01-01 08:00:00+1", "just before"},
		{"[{\"day\":[\"mon\"],\"time_start\":\"08:00\",\"time_end\":\"12:00\"}]",
		 "2024-01-01 08:00:00+1", true, "2024-01-01 12:00:00+1", "the start is in"},
		{"[{\"day\":[\"mon\"],\"time_start\":\"08:00\",\"time_end\":\"12:00\"}]",
		 "2024-01-01 12:00:00+1", false, "2024-01-08 08:00:00+1", "the end is out"},
		{"[{\"day\":[\"tue\"],\"time_start\":\"08:00\",\"time_end\":\"12:00\"}]",
		 "2024-01-01 09:00:00+1", false, "2024-01-02 08:00:00+1", "another day"},
		{"[{\"day\":[\"fri\"],\"time_start\":\"21:00\",\"time_end\":\"06:00\"}]",
		 "2024-01-06 05:59:00+1", true, "2024-01-06 06:00:00+1", "across midnight: Friday's night"},
		{"[{\"day\":[\"fri\"],\"time_start\":\"21:00\",\"time_end\":\"06:00\"}]",
		 "2024-01-05 05:00:00+1", false, "2024-01-05 21:00:00+1", "but not the night before"},
		{"[{\"day\":[\"sun\"],\"time_start\":\"22:00\",\"time_end\":\"06:00\"}]",
		 "2024-01-08 03:00:00+1", true, "2024-01-08 06:00:00+1", "across the week"},
		{"[{\"time_start\":\"12:00\",\"time_end\":\"12:00\",\"day\":[\"mon\"]}]",
		 "2024-01-02 11:59:00+1", true, "2024-01-02 12:00:00+1", "equal: a whole day"},
		{"[{}]", "2024-01-01 00:00:00+1", true, NULL, "always"},
		{"[{\"time_start\":\"00:00\",\"time_end\":\"23:59\"}]",
		 "2024-01-01 23:59:30+1", true, NULL, "23:59 is the end of the day"},
		{"[{\"time_start\":\"00:00\",\"time_end\":\"24:00\"}]",
		 "2024-01-01 23:59:30+1", true, NULL, ""},
		{"[{\"day\":[\"sat\",\"sun\"]}]",
		 "2024-01-05 23:59:59+1", false, "2024-01-06 00:00:00+1", "days alone"},
		{"[{\"day\":[\"sat\",\"sun\"]}]",
		 "2024-01-06 10:00:00+1", true, "2024-01-08 00:00:00+1", "both in one"},
		{"[{\"time_start\":\"08:00\",\"time_end\":\"16:00\",\"policy\":\"exclusive\"}]",
		 "2024-01-01 09:00:00+1", false, "2024-01-01 16:00:00+1", "exclusive: outside of it"},
		{"[{\"time_start\":\"08:00\",\"time_end\":\"16:00\",\"policy\":\"exclusive\"}]",
		 "2024-01-01 16:00:00+1", true, "2024-01-02 08:00:00+1", ""},
		{"[{\"time_start\":\"08:00\",\"time_end\":\"16:00\"},"
		 "{\"time_start\":\"12:00\",\"time_end\":\"13:00\",\"policy\":\"exclusive\"}]",
		 "2024-01-01 12:30:00+1", false, "2024-01-01 13:00:00+1", "but for lunch"},
		{"[{\"time_start\":\"08:00\",\"time_end\":\"12:00\"},"
		 "{\"time_start\":\"12:00\",\"time_end\":\"16:00\"}]",
		 "2024-01-01 09:00:00+1", true, "2024-01-01 16:00:00+1", "two in a row are no edge"},
		/* 2024-03-31: 02:00 CET is 03:00 CEST */
		{"[{\"time_start\":\"02:30\",\"time_end\":\"05:00\"}]",
		 "2024-03-31 01:59:59+1", false, "2024-03-31 03:00:00+2", "02:30 is never shown: from 03:00"},
		{"[{\"time_start\":\"02:15\",\"time_end\":\"02:45\"}]",
		 "2024-03-31 00:00:00+1", false, "2024-04-01 02:15:00+2", "not at all that day"},
		{"[{\"day\":[\"sun\"],\"time_start\":\"02:15\",\"time_end\":\"02:45\"}]",
		 "2024-03-24 03:00:00+1", false, "2024-04-07 02:15:00+2", "two weeks on"},
		{"[{\"time_start\":\"22:00\",\"time_end\":\"02:30\"}]",
		 "2024-03-31 01:00:00+1", true, "2024-03-31 03:00:00+2", "the end is never shown"},
		/* 2024-10-27: 03:00 CEST is 02:00 CET */
		{"[{\"time_start\":\"22:00\",\"time_end\":\"06:00\"}]",
		 "2024-10-26 23:00:00+2", true, "2024-10-27 06:00:00+1", "an hour longer"},
		{"[{\"time_start\":\"02:15\",\"time_end\":\"02:45\"}]",
		 "2024-10-27 02:45:00+2", false, "2024-10-27 02:15:00+1", "shown twice: open twice"},
		{"[{\"time_start\":\"22:00\",\"time_end\":\"02:30\"}]",
		 "2024-10-27 02:29:00+2", true, "2024-10-27 02:30:00+2", ""},
		{"[{\"time_start\":\"22:00\",\"time_end\":\"02:30\"}]",
		 "2024-10-27 02:30:00+2", false, "2024-10-27 02:00:00+1", "and again"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opened o = open_schedule(rows[i].json, CENTRAL);
		int64_t t = utc(rows[i].when);
		int64_t want = rows[i].next ? utc(rows[i].next) : INT64_MAX;
		int64_t next = fg_schedule_next(o.schedule, t);

		if (fg_schedule_open(o.schedule, t) != rows[i].open ||
		    next != want)
			fail_msg("%s at %s (%s): %d, next %lld not %lld",
				 rows[i].json, rows[i].when, rows[i].why,
				 fg_schedule_open(o.schedule, t),
				 (long long)next, (long long)want);
		close_schedule(&o);
	}
}

/*
 * Random windows over the weeks around a change of clocks: every edge that
 * fg_schedule_next() gives is one minute by minute, and none is left out.
 */
static void test_edges_minute_by_minute(void **state)
{
	static const char *const rules[] = {
		CENTRAL, "NZST-12NZDT,M9.5.0,M4.1.0/3", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"XXX9YYY,M3.5.0,M10.2.0", "UTC0",
	};
	unsigned seed = 4711;

	(void)state;
	for (int round = 0; round < 60; round++) {
		char json[1024] = "[";
		struct opened o;
		int64_t t, next;
		bool open;
		int n;

#define RANDOM(max) (seed = seed * 1103515245 + 12345, (seed >> 10) % (max))
		n = 1 + (int)RANDOM(3);
		for (int i = 0; i < n; i++) {
			size_t len = strlen(json);
			static const char *const days[] = {
				"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
			unsigned d1 = RANDOM(7), d2 = RANDOM(7);
			unsigned h1 = RANDOM(24), h2 = RANDOM(24);
			unsigned m1 = RANDOM(60), m2 = RANDOM(59);

			snprintf(json + len, sizeof(json) - len,
				 "%s{\"day\":[\"%s\",\"%s\"],\"time_start\":\"%02u:%02u\",\"time_end\":\"%02u:%02u\",\"policy\":\"%sclusive\"}",
				 i ? "," : "", days[d1], days[d2], h1 % (round % 2 ? 24 : 4),
				 m1, h2 % (round % 2 ? 24 : 4), m2,
				 RANDOM(3) ? "in" : "ex");
		}
		strcat(json, "]");
		o = open_schedule(json, rules[round % 5]);
		/* from a bit before October 6 or 27, or March 31, 2024 */
		t = 1711497600 + (int64_t)RANDOM(86400);
		if (RANDOM(2))
			t += 86400 * 192;
		open = fg_schedule_open(o.schedule, t);
		next = fg_schedule_next(o.schedule, t);
		t -= t % 60;
		for (int minute = 0; minute < 16 * 1440 && next != INT64_MAX;
		     minute++) {
			bool now;

			t += 60;
			now = fg_schedule_open(o.schedule, t);
			if (now == open && t < next)
				continue;
			if (now == open || t != next)
				fail_msg("%s: edge at %lld, not %lld", json,
					 (long long)t, (long long)next);
			open = now;
			next = fg_schedule_next(o.schedule, t);
		}
		if (next == INT64_MAX) {
			for (int minute = 0; minute < 8 * 1440; minute++)
				assert_int_equal(fg_schedule_open(o.schedule, t += 60), open);
		}
		close_schedule(&o);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *json;
		const char *says;
	} rows[] = {
		{"[{\"time_start\":\"25:61\"}]", "t:1:16: no clock shows 25:61"},
		{"[{\"time_start\":\"24:00\"}]", "00:00 to 23:59"},
		{"[{\"time_end\":\"24:01\"}]", "00:00 to 24:00"},
		{"[{\"time_end\":\"12:60\"}]", "no clock shows"},
		{"[{\"time_start\":\"8:00\"}]", "\"HH:MM\""},
		{"[{\"time_start\":\"08:00:00\"}]", "\"HH:MM\""},
		{"[{\"time_start\":\"-8:00\"}]", "\"HH:MM\""},
		{"[{\"time_start\":800}]", "time_start"},
		{"[{\"day\":[\"mo\"]}]", "mon, tue"},
		{"[{\"day\":[\"mom\"]}]", "did you mean \"mon\""},
		{"[{\"day\":[\"Thursday\"]}]", "did you mean \"thu\""},
		{"[{\"day\":[]}]", "every day"},
		{"[{\"day\":[1]}]", "mon, tue"},
		{"[{\"day\":7}]", "mon, tue"},
		{"[{\"policy\":\"inklusive\"}]", "\"exclusive\""},
		{"[\"08:00-12:00\"]", "not \"08:00-12:00\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fg_json *doc = document(rows[i].json);
		struct fg_zone *z = zone("UTC0");
		struct fg_schedule *s = NULL;

		fg_schedule_new(&s, fg_json_root(doc), z);
		if (!fg_json_errors(doc) || !strstr(said, rows[i].says))
			fail_msg("%s: %s", rows[i].json, said);
		fg_schedule_free(s);
		fg_zone_free(z);
		fg_json_free(doc);
	}
}

static void test_show(void **state)
{
	struct opened o = open_schedule(
		"[{\"day\":[\"MON\",\"tue\",\"wed\",\"fri\"],\"time_start\":\"21:00\",\"time_end\":\"06:30\"},"
		"{\"day\":\"sun\",\"policy\":\"exclusive\"}]", CENTRAL);
	char text[200], when[32];

	(void)state;
	assert_string_equal(fg_schedule_show(o.schedule, text, sizeof(text)),
			    "mon-wed,fri 21:00-06:30, not sun 00:00-24:00");
	for (size_t size = 0; size < 50; size++)
		fg_schedule_show(o.schedule, text, size);
	assert_string_equal(fg_schedule_show_time(o.schedule, 1719792000, when),
			    "Mon 2024-07-01 02:00");
	close_schedule(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones_like_libc),
		cmocka_unit_test(test_zone_changes),
		cmocka_unit_test(test_posix_rules),
		cmocka_unit_test(test_zone_names),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_edges_minute_by_minute),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
