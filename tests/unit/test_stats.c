/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stats.c - labels, counters, delays, the history and its state file. */
/* LINK: plugins/stats/label.c plugins/stats/series.c plugins/stats/delay.c */
/* LINK: plugins/stats/counts.c plugins/stats/history.c plugins/stats/state.c */
/* LINK: plugins/stats/out.c plugins/stats/render.c plugins/stats/buffer.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../plugins/stats/buffer.h"
#include "../../plugins/stats/out.h"
#include "../../plugins/stats/render.h"
#include "../../plugins/stats/state.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
/* a moment at which both a slot and an hour begin */
#define NOON (INT64_C(1764000000000) / HOUR * HOUR)

static struct fg_label label(const char *text)
{
	struct fg_label l;

	fg_label_set(&l, text);
	return l;
}

/* ------------------------------------------------------------------ labels */

static void test_labels(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{"netify.netflix", "netify.netflix"},
		{"", "unknown"}, /* a label without text looks like no label */
		{"a\nb", "a\\x0ab"},
		{"\x1b[31mred", "\\x1b[31mred"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"bad\xff", "bad\\xff"},
		{"\xe2\x80\xae"
		 "rtl",
		 "\\xe2\\x80\\xaertl"},		/* bidi override */
		{"a \"b\" \\c", "a \"b\" \\c"}, /* quotes are the output's */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_label l = label(cases[i].in);

		assert_string_equal(l.text, cases[i].out);
		assert_int_equal(l.len, strlen(cases[i].out));
	}
}

static void test_label_is_cut(void **state)
{
	char text[400];
	struct fg_label l;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	l = label(text);
	assert_int_equal(l.len, FG_LABEL_MAX);
	/* a character is not cut in half: 0xc3 0xa9 at the edge */
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	l = label(text);
	assert_int_equal(l.len, FG_LABEL_MAX - 1);
}

static void test_label_device(void **state)
{
	struct fg_flow f = {.ip_version = 4,
			    .local_addr = {192, 0, 2, 7},
			    .local_mac = {0xaa, 0, 1, 2, 3, 0xff}};
	struct fg_label l;

	(void)state;
	fg_label_device(&l, &f);
	assert_string_equal(l.text, "192.0.2.7");
	f.flags = FG_FLOW_HAS_LOCAL_MAC;
	fg_label_device(&l, &f);
	assert_string_equal(l.text, "aa:00:01:02:03:ff");
	fg_label_address(&l, &f);
	assert_string_equal(l.text, "192.0.2.7");
	f.ip_version = 0;
	f.flags = 0;
	fg_label_device(&l, &f);
	assert_string_equal(l.text, "unknown");
}

/* ---------------------------------------------------------------- counters */

static void test_series(void **state)
{
	struct fg_series *s;
	struct fg_label l;
	char name[16];

	(void)state;
	assert_int_equal(fg_series_new(&s, 3, 1), 0);
	assert_int_equal(fg_series_count(s), 1);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 5; i++) {
			snprintf(name, sizeof(name), "app%d", i);
			l = label(name);
			fg_series_at(s, &l)->flows++;
		}
	/* three have places, two are other, twice each */
	assert_int_equal(fg_series_count(s), 4);
	assert_int_equal(fg_series_tally(s, 0)->flows, 4);
	assert_int_equal(fg_series_crowded(s), 4);
	for (uint32_t i = 1; i < 4; i++)
		assert_int_equal(fg_series_tally(s, i)->flows, 2);
	assert_string_equal(fg_series_label(s, 1)->text, "app0");
	/* one that is really called so is no second line of that label */
	l = label("other");
	fg_series_at(s, &l)->flows++;
	assert_int_equal(fg_series_tally(s, 0)->flows, 5);
	assert_int_equal(fg_series_crowded(s), 4);
	fg_series_free(s);
}

static void test_series_many(void **state)
{
	struct fg_series *s;
	char name[16];

	(void)state;
	assert_int_equal(fg_series_new(&s, 10000, 7), 0);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 10000; i++) {
			struct fg_label l;

			snprintf(name, sizeof(name), "%d", i);
			l = label(name);
			fg_series_at(s, &l)->bytes[FG_UP] += (uint64_t)i;
		}
	assert_int_equal(fg_series_crowded(s), 0);
	for (uint32_t i = 1; i < fg_series_count(s); i++)
		assert_int_equal(fg_series_tally(s, i)->bytes[FG_UP],
				 2 * (i - 1));
	fg_series_free(s);
}

static void test_delay(void **state)
{
	static const struct {
		int64_t ms;
		int bucket; /* -1: ignored */
	} cases[] = {
		{0, 0},
		{5, 0}, /* bounds are inclusive */
		{6, 1},
		{60000, 10},
		{60001, 11},
		{FG_DELAY_MAX_MS, 11},
		{FG_DELAY_MAX_MS + 1, -1}, /* a recording */
		{-50, 0},   /* clocks read at different moments */
		{-101, -1}, /* clocks that differ */
		{INT64_MIN, -1},
		{INT64_MAX, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_delay d = {0};

		fg_delay_add(&d, cases[i].ms);
		assert_int_equal(d.ignored, cases[i].bucket < 0);
		for (int b = 0; b <= FG_DELAY_BUCKETS; b++)
			assert_int_equal(d.count[b], b == cases[i].bucket);
		assert_int_equal(d.sum_ms,
				 cases[i].bucket < 0 || cases[i].ms < 0
					 ? 0
					 : cases[i].ms);
	}
}

/* ----------------------------------------------------------------- history */

static uint64_t grid_sum(const struct fg_history *h, enum fg_grid_name grid)
{
	const uint64_t *cells = fg_history_cells(h, grid);
	uint64_t sum = 0;

	for (size_t i = 0; i < fg_grid_size(grid); i++)
		sum += cells[i];
	return sum;
}

static uint16_t place(struct fg_history *h, enum fg_thing thing,
		      const char *name)
{
	struct fg_label l = label(name);

	return fg_history_place(h, thing, &l, false);
}

static void use(struct fg_history *h, const char *app, const char *device,
		uint64_t up, uint64_t down)
{
	uint16_t a = place(h, FG_THING_APPLICATION, app);
	uint16_t d = place(h, FG_THING_DEVICE, device);

	fg_history_bytes(h, a, d, up, down);
}

static int history_new(void **state)
{
	return fg_history_new((struct fg_history **)state);
}

static int history_free(void **state)
{
	fg_history_free(*state);
	return 0;
}

static void test_history_forgets(void **state)
{
	static const struct {
		int64_t after;
		bool use;	/* 10 bytes */
		uint64_t bytes; /* in the slots of ten minutes */
		uint64_t used;	/* in the hours */
	} steps[] = {
		{0, true, 10, 10},
		{10 * MINUTE, true, 20, 20},
		{23 * HOUR + 49 * MINUTE, true, 30, 30},
		{24 * HOUR - 1, false, 30, 30},
		{24 * HOUR, true, 30, 40}, /* the first slot is gone */
		{24 * HOUR + 10 * MINUTE, false, 20, 40},
		{25 * HOUR, true, 30, 30}, /* and the first hour */
	};
	struct fg_history *h = *state;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		fg_history_tell_time(h, NOON + steps[i].after);
		if (steps[i].use)
			use(h, "a", "x", 3, 7);
		assert_int_equal(grid_sum(h, FG_GRID_BYTES), steps[i].bytes);
		assert_int_equal(grid_sum(h, FG_GRID_USE), steps[i].used);
		assert_int_equal(
			fg_history_at(h, FG_THING_APPLICATION, 1)->total,
			steps[i].bytes);
		assert_int_equal(fg_history_at(h, FG_THING_DEVICE, 1)->total,
				 steps[i].used);
	}
	fg_history_tell_time(h, NOON + 100 * HOUR);
	assert_int_equal(grid_sum(h, FG_GRID_BYTES), 0);
	assert_int_equal(grid_sum(h, FG_GRID_USE), 0);
	assert_int_equal(fg_history_at(h, FG_THING_APPLICATION, 1)->total, 0);
	assert_int_equal(fg_history_at(h, FG_THING_DEVICE, 1)->total, 0);
}

static void test_history_clock(void **state)
{
	static const struct {
		int64_t wall;
		uint64_t left; /* of 10 */
	} cases[] = {
		{NOON + HOUR, 10},
		{NOON - HOUR, 10}, /* set back: still today */
		{NOON - 23 * HOUR, 10},
		{NOON - 30 * HOUR, 0},	/* never was today */
		{NOON + 400 * HOUR, 0}, /* set forward */
		{0, 10}, /* not set: a router that has just started */
		{-1, 10},
		{INT64_C(86400000), 10},
	};
	struct fg_history *h = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fg_history_clear(h);
		fg_history_tell_time(h, NOON);
		use(h, "a", "x", 0, 10);
		fg_history_tell_time(h, cases[i].wall);
		assert_int_equal(grid_sum(h, FG_GRID_BYTES), cases[i].left);
		assert_int_equal(grid_sum(h, FG_GRID_USE), cases[i].left);
		use(h, "a", "x", 0, 5);
		assert_int_equal(grid_sum(h, FG_GRID_BYTES), cases[i].left + 5);
	}
	/* before the clock was ever set */
	fg_history_clear(h);
	fg_history_tell_time(h, 0);
	use(h, "a", "x", 0, 10);
	fg_history_tell_time(h, 20 * MINUTE);
	use(h, "a", "x", 0, 10);
	assert_int_equal(grid_sum(h, FG_GRID_BYTES), 20);
}

/* The one with the least gives up its place; its sums stay, as other's. */
static void test_history_pushes_out(void **state)
{
	struct fg_history *h = *state;
	char name[16];
	uint64_t all = 0;
	uint16_t at;

	fg_history_tell_time(h, NOON);
	for (int i = 1; i < FG_DEVICE_PLACES; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		use(h, "a", name, 0, (uint64_t)i + 100);
		fg_history_hit(h, place(h, FG_THING_ACTION, "no"),
			       place(h, FG_THING_APPLICATION, "a"),
			       place(h, FG_THING_DEVICE, name));
		all += (uint64_t)i + 100;
	}
	assert_int_equal(fg_history_places(h, FG_THING_DEVICE),
			 FG_DEVICE_PLACES);
	at = place(h, FG_THING_DEVICE, "new");
	assert_int_equal(at, 1); /* where d1 was, which had the least */
	assert_string_equal(fg_history_at(h, FG_THING_DEVICE, 1)->name.text,
			    "new");
	assert_int_equal(fg_history_at(h, FG_THING_DEVICE, 1)->total, 0);
	assert_int_equal(fg_history_at(h, FG_THING_DEVICE, 0)->total, 101);
	assert_int_equal(grid_sum(h, FG_GRID_USE), all);
	assert_int_equal(grid_sum(h, FG_GRID_HIT_DEVICES),
			 FG_DEVICE_PLACES - 1);
	/* the application's column was not touched */
	assert_int_equal(fg_history_at(h, FG_THING_APPLICATION, 1)->total, all);
}

/* Whoever makes up devices does not make us search for ever. */
static void test_history_bounded_pushes(void **state)
{
	struct fg_history *h = *state;
	unsigned placed = 0;
	char name[16];

	fg_history_tell_time(h, NOON);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		placed += place(h, FG_THING_DEVICE, name) != 0;
	}
	assert_int_equal(placed, FG_DEVICE_PLACES - 1 + 64);
	fg_history_tell_time(h, NOON + 10 * MINUTE);
	assert_int_not_equal(place(h, FG_THING_DEVICE, "next"), 0);
}

static void test_history_observed_apart(void **state)
{
	struct fg_history *h = *state;
	struct fg_label l = label("no-games");
	uint16_t a = fg_history_place(h, FG_THING_ACTION, &l, false);
	uint16_t b = fg_history_place(h, FG_THING_ACTION, &l, true);

	assert_int_not_equal(a, b);
	assert_int_equal(fg_history_place(h, FG_THING_ACTION, &l, true), b);
}

/* ------------------------------------------------------------------- state */

static void fill(struct fg_history *h)
{
	struct fg_label note = label("block, log");
	struct fg_label name = label("kids \"quoted\"");
	char text[16];

	for (int i = 0; i < 30; i++) {
		fg_history_tell_time(h, NOON + i * 17 * MINUTE);
		snprintf(text, sizeof(text), "app%d", i % 7);
		use(h, text, i % 2 ? "x" : "y", (uint64_t)i,
		    (uint64_t)1 << (2 * i));
		fg_history_hit(
			h, fg_history_place(h, FG_THING_ACTION, &name, true),
			place(h, FG_THING_APPLICATION, text), 1);
	}
	fg_history_note(h, FG_THING_ACTION, 1, &note);
}

static void test_state(void **state)
{
	struct fg_history *h = *state, *again;
	uint8_t *buf = malloc(fg_state_size());
	const char *why;
	size_t len;

	fill(h);
	len = fg_state_write(h, buf, fg_state_size());
	assert_true(len > 100 && len < fg_state_size());
	assert_int_equal(fg_history_new(&again), 0);
	assert_int_equal(fg_state_read(again, buf, len, &why), 0);
	for (int i = 0; i < FG_GRID_COUNT; i++)
		assert_memory_equal(fg_history_cells(h, i),
				    fg_history_cells(again, i),
				    fg_grid_size(i) * sizeof(uint64_t));
	for (int t = 0; t < FG_THING_COUNT; t++) {
		assert_int_equal(fg_history_places(h, t),
				 fg_history_places(again, t));
		for (uint16_t i = 0; i < fg_history_places(h, t); i++) {
			const struct fg_name_place *p = fg_history_at(h, t, i);
			const struct fg_name_place *q =
				fg_history_at(again, t, i);

			assert_string_equal(p->name.text, q->name.text);
			assert_string_equal(p->note.text, q->note.text);
			assert_int_equal(p->observe, q->observe);
			assert_int_equal(p->total, q->total);
		}
	}
	/* and it goes on from there */
	fg_history_tell_time(again, NOON + 29 * 17 * MINUTE + 24 * HOUR);
	assert_int_equal(grid_sum(again, FG_GRID_BYTES), 0);
	fg_history_free(again);
	free(buf);
}

/* Every byte counts, and so does every length. */
static void test_state_damaged(void **state)
{
	struct fg_history *h = *state, *again;
	uint8_t *buf = malloc(fg_state_size());
	const char *why;
	size_t len;

	fill(h);
	len = fg_state_write(h, buf, fg_state_size());
	assert_int_equal(fg_history_new(&again), 0);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(fg_state_read(again, buf, i, &why), -EINVAL);
		buf[i] ^= 0x10;
		assert_int_equal(fg_state_read(again, buf, len, &why), -EINVAL);
		buf[i] ^= 0x10;
		assert_int_equal(fg_history_places(again, FG_THING_DEVICE), 1);
		assert_int_equal(grid_sum(again, FG_GRID_USE), 0);
	}
	assert_int_equal(fg_state_read(again, buf, len, &why), 0);
	fg_history_free(again);
	free(buf);
}

static void test_state_full(void **state)
{
	struct fg_history *h = *state;
	uint8_t *buf = malloc(fg_state_size());
	char name[120];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (int t = 0; t < FG_THING_COUNT; t++)
		for (int i = 0; i < 100; i++) {
			name[0] = (char)('A' + i / 10);
			name[1] = (char)('0' + i % 10);
			fg_history_note(
				h, t, place(h, t, name),
				&(struct fg_label){
					FG_LABEL_MAX,
					"0123456789012345678901234567890"
					"1234567890123456789012345678901"
					"234567890123456789012345678901"
					"2"});
		}
	for (int i = 0; i < FG_GRID_COUNT; i++)
		for (size_t c = 0; c < fg_grid_size(i); c++)
			fg_history_restore_cell(h, i, c, UINT64_MAX);
	/* sanitizers watch whether the promised size is enough */
	assert_true(fg_state_write(h, buf, fg_state_size()) > 100000);
	assert_int_equal(fg_state_write(h, buf, fg_state_size() - 1), 0);
	free(buf);
}

/* ------------------------------------------------------------------ output */

static char *text_of(struct fg_buffer *b)
{
	fg_buffer_add(b, "", 1);
	assert_false(b->failed);
	return b->bytes;
}

static void test_escapes(void **state)
{
	static const struct {
		const char *in;
		const char *label;
		const char *json;
	} cases[] = {
		{"plain", "\"plain\"", "\"plain\""},
		{"a\"b", "\"a\\\"b\"", "\"a\\u0022b\""},
		{"a\\b", "\"a\\\\b\"", "\"a\\u005cb\""},
		{"two\nlines", "\"two\\\\x0alines\"", "\"two\\u005cx0alines\""},
		{"</script><!--", "\"</script><!--\"",
		 "\"\\u003c/script\\u003e\\u003c!--\""},
		{"\x1b]0;t\x07", "\"\\\\x1b]0;t\\\\x07\"",
		 "\"\\u005cx1b]0;t\\u005cx07\""},
		{"=cmd|' /C calc'!A0", "\"=cmd|' /C calc'!A0\"",
		 "\"=cmd|' /C calc'!A0\""},
		{"\xff\xfe", "\"\\\\xff\\\\xfe\"", "\"\\u005cxff\\u005cxfe\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fg_buffer b = {0};
		const struct fg_out o = {fg_buffer_add, &b};
		struct fg_label l = label(cases[i].in);

		fg_out_label(&o, &l);
		assert_string_equal(text_of(&b), cases[i].label);
		fg_buffer_begin(&b);
		fg_out_json(&o, &l);
		assert_string_equal(text_of(&b), cases[i].json);
		fg_buffer_fini(&b);
	}
}

static void test_prometheus(void **state)
{
	struct fg_buffer b = {0};
	struct fg_counts *c;
	struct fg_label l = label("netify.\"x\"\n");
	struct fg_tally *t;
	char *text;

	(void)state;
	assert_int_equal(fg_counts_new(&c, 5), 0);
	t = fg_series_at(c->by[FG_BY_APPLICATION], &l);
	*t = (struct fg_tally){3, {100, 2000}, {4, 5}};
	fg_delay_add(&c->delay, 7);
	fg_delay_add(&c->delay, 2008);
	fg_render_prometheus(c, fg_buffer_add, &b);
	text = text_of(&b);
	assert_non_null(
		strstr(text, "\nflowgate_application_flows_total{application="
			     "\"netify.\\\"x\\\"\\\\x0a\"} 3\n"));
	assert_non_null(strstr(
		text, "\nflowgate_application_bytes_total{application=\"netify."
		      "\\\"x\\\"\\\\x0a\",direction=\"down\"} 2000\n"));
	assert_non_null(strstr(
		text,
		"\nflowgate_detection_delay_seconds_bucket{le=\"0.005\"} 0\n"));
	assert_non_null(strstr(
		text,
		"\nflowgate_detection_delay_seconds_bucket{le=\"0.01\"} 1\n"));
	assert_non_null(strstr(
		text,
		"\nflowgate_detection_delay_seconds_bucket{le=\"+Inf\"} 2\n"
		"flowgate_detection_delay_seconds_sum 2.015\n"
		"flowgate_detection_delay_seconds_count 2\n"));
	/* nothing was counted elsewhere, and an empty "other" is not shown */
	assert_null(strstr(text, "=\"other\""));
	fg_counts_free(c);
	fg_buffer_fini(&b);
}

static void test_report(void **state)
{
	struct fg_history *h = *state;
	struct fg_buffer b = {0};
	struct fg_counts *c;
	char *text;

	assert_int_equal(fg_counts_new(&c, 5), 0);
	fg_history_tell_time(h, NOON);
	use(h, "<b>", "dev", 1, 2);
	fg_history_tell_time(h, NOON + 20 * MINUTE);
	use(h, "<b>", "dev", 10, 20);
	fg_history_hit(h, place(h, FG_THING_ACTION, "no"), 1, 1);
	fg_render_report(c, h, NOON + 21 * MINUTE, fg_buffer_add, &b);
	text = text_of(&b);
	/* in order of time, the youngest last */
	assert_non_null(strstr(text, "0,0,1,0,10],\"down\":[0,"));
	assert_non_null(strstr(text, "0,0,2,0,20]}],\"devices\":["));
	assert_non_null(strstr(text, "{\"name\":\"\\u003cb\\u003e\",\"up\":"));
	assert_non_null(strstr(text, "\"applications\":[[1,33]]"));
	assert_non_null(strstr(text, "\"devices\":[[1,1]]"));
	assert_null(strchr(text, '<'));
	fg_counts_free(c);
	fg_buffer_fini(&b);
}

#define WITH_HISTORY(test)                                                     \
	cmocka_unit_test_setup_teardown(test, history_new, history_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_label_is_cut),
		cmocka_unit_test(test_label_device),
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_series_many),
		cmocka_unit_test(test_delay),
		WITH_HISTORY(test_history_forgets),
		WITH_HISTORY(test_history_clock),
		WITH_HISTORY(test_history_pushes_out),
		WITH_HISTORY(test_history_bounded_pushes),
		WITH_HISTORY(test_history_observed_apart),
		WITH_HISTORY(test_state),
		WITH_HISTORY(test_state_damaged),
		WITH_HISTORY(test_state_full),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_prometheus),
		WITH_HISTORY(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
