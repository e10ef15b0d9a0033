/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule.c - time_of_day: when an action is in force. */
#include "schedule.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "document.h"

#define DAY	    86400
#define DAY_MINUTES 1440
#define WINDOWS_MAX 64
/* A window that summer time swallows one week is there in the next. */
#define LOOK_AHEAD (16 * DAY)

struct window {
	uint8_t days; /* of its start; bit 0 is Monday */
	bool exclusive;
	uint16_t start, end; /* minutes; end <= start: on the next day */
};

struct fg_schedule {
	const struct fg_zone *zone;
	bool has_inclusive;
	size_t count;
	struct window windows[];
};

static const char *const day_names[] = {"mon", "tue", "wed", "thu",
					"fri", "sat", "sun"};

/* ----------------------------------------------------------------- reading */

/* A typing error, or a longer name of the same: "Monday". */
static const char *near_day(const char *text)
{
	for (size_t d = 0; d < 7; d++)
		if (strncasecmp(text, day_names[d], 3) == 0)
			return day_names[d];
	return fg_text_nearest(text, strlen(text), day_names, 7);
}

static void read_days(const struct fg_node *entry, uint8_t *days)
{
	const struct fg_node *list, *at;
	const char *text, *near;
	size_t d;

	if (fg_node_any(entry, "day", &list) != 1)
		return;
	if (fg_node_kind(list) == FG_NODE_LIST && fg_node_count(list) == 0) {
		fg_node_error(
			list,
			"no day is in \"day\": leave it out for every day");
		return;
	}
	*days = 0;
	for (size_t i = 0; i == 0 || i < fg_node_count(list); i++) {
		at = fg_node_kind(list) == FG_NODE_LIST ? fg_node_at(list, i)
							: list;
		text = fg_node_as_text(at);
		for (d = 0; text && d < 7; d++) {
			if (strcasecmp(text, day_names[d]) == 0)
				break;
		}
		if (text && d < 7) {
			*days |= (uint8_t)(1u << d);
			continue;
		}
		near = text ? near_day(text) : NULL;
		fg_node_error(at,
			      "a day is one of mon, tue, wed, thu, fri, sat "
			      "and sun%s%s%s",
			      near ? " (did you mean \"" : "", near ? near : "",
			      near ? "\"?)" : "");
	}
}

static void read_clock(const struct fg_node *entry, const char *key,
		       unsigned max, uint16_t *out)
{
	const struct fg_node *at;
	const char *t;
	unsigned hours, minutes;

	if (fg_node_text(entry, key, &t) != 1)
		return;
	fg_node_any(entry, key, &at);
	if (strlen(t) != 5 || !isdigit((unsigned char)t[0]) ||
	    !isdigit((unsigned char)t[1]) || t[2] != ':' ||
	    !isdigit((unsigned char)t[3]) || !isdigit((unsigned char)t[4])) {
		fg_node_error(at, "\"%s\" is \"HH:MM\", such as \"21:30\"",
			      key);
		return;
	}
	hours = (unsigned)(t[0] - '0') * 10 + (unsigned)(t[1] - '0');
	minutes = (unsigned)(t[3] - '0') * 10 + (unsigned)(t[4] - '0');
	if (minutes > 59 || hours * 60 + minutes > max) {
		fg_node_error(at,
			      "no clock shows %s: \"%s\" is from 00:00 to %s",
			      t, key, max == DAY_MINUTES ? "24:00" : "23:59");
		return;
	}
	*out = (uint16_t)(hours * 60 + minutes);
}

static void read_window(const struct fg_node *entry, struct window *w)
{
	const struct fg_node *at;
	char shown[FG_SYNTAX_SHORT];
	const char *policy;

	*w = (struct window){.days = 0x7f, .start = 0, .end = DAY_MINUTES};
	if (fg_node_kind(entry) != FG_NODE_OBJECT) {
		fg_node_error(entry,
			      "expected {\"day\": [...], \"time_start\": "
			      "\"HH:MM\", \"time_end\": \"HH:MM\"}, not %s",
			      fg_node_describe(entry, shown));
		return;
	}
	read_days(entry, &w->days);
	read_clock(entry, "time_start", DAY_MINUTES - 1, &w->start);
	read_clock(entry, "time_end", DAY_MINUTES, &w->end);
	/* whoever writes 23:59 means the end of the day */
	if (w->end == DAY_MINUTES - 1)
		w->end = DAY_MINUTES;
	if (fg_node_text(entry, "policy", &policy) != 1)
		return;
	w->exclusive = strcmp(policy, "exclusive") == 0;
	if (!w->exclusive && strcmp(policy, "inclusive") != 0) {
		fg_node_any(entry, "policy", &at);
		fg_node_error(at,
			      "\"policy\" is \"inclusive\" (in force within "
			      "the window) or \"exclusive\" (outside of it)");
	}
}

int fg_schedule_new(struct fg_schedule **out, const struct fg_node *list,
		    const struct fg_zone *zone)
{
	size_t n = fg_node_count(list);
	struct fg_schedule *s;

	if (n > WINDOWS_MAX) {
		fg_node_error(list, "more than %d windows in one action",
			      WINDOWS_MAX);
		fg_node_ignore(list);
		return -EINVAL;
	}
	s = calloc(1, sizeof(*s) + n * sizeof(s->windows[0]));
	if (!s)
		return -ENOMEM;
	s->zone = zone;
	s->count = n;
	for (size_t i = 0; i < n; i++) {
		read_window(fg_node_at(list, i), &s->windows[i]);
		s->has_inclusive |= !s->windows[i].exclusive;
	}
	*out = s;
	return 0;
}

void fg_schedule_free(struct fg_schedule *s)
{
	free(s);
}

/* -------------------------------------------------------------- questions */

static int64_t floor_day(int64_t t)
{
	return t / DAY - (t % DAY < 0);
}

/* 1970-01-01 was a Thursday. */
static unsigned weekday(int64_t day)
{
	return (unsigned)(((day + 3) % 7 + 7) % 7);
}

static bool window_open(const struct window *w, int64_t local)
{
	int64_t day = floor_day(local);
	int64_t minute = (local - day * DAY) / 60;
	bool today = w->days >> weekday(day) & 1;
	bool yesterday = w->days >> weekday(day - 1) & 1;

	if (w->start < w->end)
		return today && minute >= w->start && minute < w->end;
	return (today && minute >= w->start) || (yesterday && minute < w->end);
}

bool fg_schedule_open(const struct fg_schedule *s, int64_t t)
{
	int64_t local = t + fg_zone_offset(s->zone, t);
	bool within = !s->has_inclusive;

	for (size_t i = 0; i < s->count; i++) {
		if (!window_open(&s->windows[i], local))
			continue;
		if (s->windows[i].exclusive)
			return false;
		within = true;
	}
	return within;
}

/* Takes over t when clocks show local then, and it is the first after. */
static void consider(const struct fg_schedule *s, int64_t local, int64_t after,
		     int64_t *best)
{
	/* on both sides of any change that is near */
	int64_t probes[] = {local - 2 * DAY, local, local + 2 * DAY};

	for (size_t i = 0; i < 3; i++) {
		int32_t offset = fg_zone_offset(s->zone, probes[i]);
		int64_t t = local - offset;

		if (t > after && t < *best &&
		    fg_zone_offset(s->zone, t) == offset)
			*best = t;
	}
}

/* The first time after t at which a window might open or close. */
static int64_t next_candidate(const struct fg_schedule *s, int64_t t)
{
	int64_t day = floor_day(t + fg_zone_offset(s->zone, t));
	int64_t best = fg_zone_next(s->zone, t);

	/* from the window that began yesterday to the one in a week */
	for (int64_t d = day - 1; d <= day + 8; d++) {
		for (size_t i = 0; i < s->count; i++) {
			const struct window *w = &s->windows[i];
			int64_t midnight = d * DAY, end = w->end;

			if (!(w->days >> weekday(d) & 1))
				continue;
			if (w->end <= w->start)
				end += DAY_MINUTES;
			consider(s, midnight + w->start * 60, t, &best);
			consider(s, midnight + end * 60, t, &best);
		}
	}
	return best;
}

int64_t fg_schedule_next(const struct fg_schedule *s, int64_t t)
{
	bool now = fg_schedule_open(s, t);
	int64_t end = t + LOOK_AHEAD, at = t;

	while (at < end) {
		at = next_candidate(s, at);
		if (at < end && fg_schedule_open(s, at) != now)
			return at;
	}
	return INT64_MAX;
}

/* -------------------------------------------------------------- for people */

static size_t show_days(uint8_t days, char *out, size_t size)
{
	size_t len = 0;

	for (unsigned d = 0; d < 7; d++) {
		unsigned last = d;

		if (!(days >> d & 1))
			continue;
		while (last < 6 && days >> (last + 1) & 1)
			last++;
		len += (size_t)snprintf(out + len, size - len, "%s%s",
					len ? "," : "", day_names[d]);
		if (last > d)
			len += (size_t)snprintf(out + len, size - len, "-%s",
						day_names[last]);
		d = last;
	}
	return len;
}

const char *fg_schedule_show(const struct fg_schedule *s, char *out,
			     size_t size)
{
	size_t len = 0;

	if (size > 0)
		out[0] = '\0';
	for (size_t i = 0; i < s->count; i++) {
		const struct window *w = &s->windows[i];
		char days[40] = "";

		show_days(w->days, days, sizeof(days));
		if (len >= size)
			break;
		len += (size_t)snprintf(
			out + len, size - len, "%s%s%s %02u:%02u-%02u:%02u",
			i ? ", " : "", w->exclusive ? "not " : "", days,
			w->start / 60u, w->start % 60u, w->end / 60u,
			w->end % 60u);
	}
	return out;
}

const char *fg_schedule_show_time(const struct fg_schedule *s, int64_t t,
				  char out[32])
{
	time_t local = (time_t)(t + fg_zone_offset(s->zone, t));
	struct tm tm;

	if (!gmtime_r(&local, &tm) ||
	    strftime(out, 32, "%a %Y-%m-%d %H:%M", &tm) == 0)
		snprintf(out, 32, "?");
	return out;
}
