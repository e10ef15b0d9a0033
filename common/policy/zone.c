/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zone.c - zoneinfo files (RFC 8536) and POSIX rules. */
#include "zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY	      86400
#define FILE_MAX_SIZE (256 * 1024) /* the largest there is has 4 kB */
#define ZONEINFO      "/usr/share/zoneinfo"

/* When summer time begins or ends: "M3.5.0/2", "J60", "59". */
struct edge {
	enum { EDGE_MONTH, EDGE_JULIAN, EDGE_DAY } form;
	int month, week, day; /* day of the week, or of the year */
	int32_t time;	      /* seconds into the day, local; may be negative */
};

/* What goes on for ever: the end of a file, or all there is. */
struct rules {
	bool known;
	bool summer;
	int32_t standard_offset, summer_offset;
	struct edge begin, end;
};

struct change {
	int64_t time;
	int32_t offset; /* from then on */
};

struct fg_zone {
	struct rules rules; /* after the last change */
	int32_t first;	    /* before the first change */
	size_t count;
	struct change changes[];
};

/* --------------------------------------------------------------- calendar */

/* Days from 1970-01-01 to the first of March of year; exact for any. */
static int64_t march_first(int64_t year)
{
	return year * 365 + year / 4 - year / 100 + year / 400 - 719468;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t january_first(int64_t year)
{
	return march_first(year) - (is_leap(year) ? 60 : 59);
}

static int64_t year_of(int64_t t)
{
	int64_t days = t / DAY - (t % DAY < 0);
	int64_t year = 1970 + days * 400 / 146097;

	while (january_first(year) > days)
		year--;
	while (january_first(year + 1) <= days)
		year++;
	return year;
}

/* Local seconds of an edge in a year. */
static int64_t edge_time(const struct edge *e, int64_t year)
{
	static const int before[] = {0,	  31,  59,  90,	 120, 151,
				     181, 212, 243, 273, 304, 334};
	int64_t day = january_first(year);
	int weekday, length, n;

	switch (e->form) {
	case EDGE_JULIAN: /* 1 to 365, the 29th of February not counted */
		day += e->day - 1 + (is_leap(year) && e->day >= 60);
		break;
	case EDGE_DAY:
		day += e->day;
		break;
	case EDGE_MONTH:
		length = e->month == 12
				 ? 31
				 : before[e->month] - before[e->month - 1];
		length += e->month == 2 && is_leap(year);
		day += before[e->month - 1] + (e->month > 2 && is_leap(year));
		/* 1970-01-01 was a Thursday */
		weekday = (int)(((day + 4) % 7 + 7) % 7);
		n = (e->day - weekday + 7) % 7 + 7 * (e->week - 1);
		day += n < length ? n : n - 7;
		break;
	}
	return day * DAY + e->time;
}

/* ------------------------------------------------------------------ rules */

static void rules_edges(const struct rules *r, int64_t year, int64_t *begin,
			int64_t *end)
{
	*begin = edge_time(&r->begin, year) - r->standard_offset;
	*end = edge_time(&r->end, year) - r->summer_offset;
}

static int32_t rules_offset(const struct rules *r, int64_t t)
{
	int64_t begin, end;
	bool summer;

	if (!r->summer)
		return r->standard_offset;
	rules_edges(r, year_of(t + r->standard_offset), &begin, &end);
	if (begin < end)
		summer = t >= begin && t < end;
	else /* the south: it spans the new year */
		summer = t >= begin || t < end;
	return summer ? r->summer_offset : r->standard_offset;
}

static int64_t rules_next(const struct rules *r, int64_t t)
{
	int64_t year, begin, end, best = INT64_MAX;

	if (!r->summer)
		return INT64_MAX;
	year = year_of(t) - 1;
	for (int i = 0; i < 4; i++) {
		rules_edges(r, year + i, &begin, &end);
		if (begin > t && begin < best)
			best = begin;
		if (end > t && end < best)
			best = end;
	}
	return best;
}

struct reader {
	const char *p, *end;
};

static bool read_char(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool read_int(struct reader *r, int max, int *out)
{
	const char *start = r->p;

	*out = 0;
	while (r->p < r->end && isdigit((unsigned char)*r->p)) {
		*out = *out * 10 + (*r->p++ - '0');
		if (*out > max)
			return false;
	}
	return r->p > start;
}

/* Three letters or more, or <anything>. */
static bool read_name(struct reader *r)
{
	const char *start = r->p;

	if (read_char(r, '<')) {
		while (r->p < r->end && *r->p != '>')
			r->p++;
		return read_char(r, '>');
	}
	while (r->p < r->end && isalpha((unsigned char)*r->p))
		r->p++;
	return r->p - start >= 3;
}

/* [+-]hh[:mm[:ss]], up to a week of hours (RFC 8536). */
static bool read_time(struct reader *r, int32_t *out)
{
	bool negative = false;
	int hours, minutes = 0, seconds = 0;

	if (read_char(r, '-'))
		negative = true;
	else
		read_char(r, '+');
	if (!read_int(r, 167, &hours))
		return false;
	if (read_char(r, ':')) {
		if (!read_int(r, 59, &minutes))
			return false;
		if (read_char(r, ':') && !read_int(r, 59, &seconds))
			return false;
	}
	*out = hours * 3600 + minutes * 60 + seconds;
	if (negative)
		*out = -*out;
	return true;
}

static bool read_edge(struct reader *r, struct edge *e)
{
	e->time = 2 * 3600;
	if (read_char(r, 'M')) {
		e->form = EDGE_MONTH;
		if (!read_int(r, 12, &e->month) || e->month < 1 ||
		    !read_char(r, '.') || !read_int(r, 5, &e->week) ||
		    e->week < 1 || !read_char(r, '.') ||
		    !read_int(r, 6, &e->day))
			return false;
	} else if (read_char(r, 'J')) {
		e->form = EDGE_JULIAN;
		if (!read_int(r, 365, &e->day) || e->day < 1)
			return false;
	} else {
		e->form = EDGE_DAY;
		if (!read_int(r, 365, &e->day))
			return false;
	}
	return !read_char(r, '/') || read_time(r, &e->time);
}

static bool read_rules(struct reader *r, struct rules *out)
{
	/* what is meant where summer time has no rule */
	static const char usual[] = ",M3.2.0,M11.1.0";
	struct reader rest;
	int32_t west;

	if (!read_name(r) || !read_time(r, &west))
		return false;
	out->known = true;
	out->standard_offset = -west;
	if (r->p == r->end)
		return true;
	out->summer = true;
	out->summer_offset = out->standard_offset + 3600;
	if (!read_name(r))
		return false;
	if (r->p < r->end && *r->p != ',') {
		if (!read_time(r, &west))
			return false;
		out->summer_offset = -west;
	}
	rest = *r;
	if (r->p == r->end)
		rest = (struct reader){usual, usual + sizeof(usual) - 1};
	return read_char(&rest, ',') && read_edge(&rest, &out->begin) &&
	       read_char(&rest, ',') && read_edge(&rest, &out->end) &&
	       rest.p == rest.end;
}

int fg_zone_rules(struct fg_zone **out, const char *rules, size_t len)
{
	struct fg_zone *z = calloc(1, sizeof(*z));
	struct reader r = {rules, rules + len};

	if (!z)
		return -ENOMEM;
	if (!read_rules(&r, &z->rules)) {
		free(z);
		return -EINVAL;
	}
	*out = z;
	return 0;
}

/* ------------------------------------------------------------------ files */

/* Fields of the header, after "TZif", the version and 15 unused bytes. */
enum { UT_COUNT, STD_COUNT, LEAP_COUNT, TIME_COUNT, TYPE_COUNT, CHAR_COUNT };

#define HEADER_SIZE 44

static int64_t big_endian(const uint8_t *p, size_t size)
{
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;

	while (size--)
		v = v << 8 | *p++;
	return (int64_t)v;
}

/* Bytes of what follows a header, whose times have size bytes. */
static size_t body_size(const size_t n[6], size_t size)
{
	return n[TIME_COUNT] * (size + 1) + n[TYPE_COUNT] * 6 + n[CHAR_COUNT] +
	       n[LEAP_COUNT] * (size + 4) + n[STD_COUNT] + n[UT_COUNT];
}

static bool read_header(const uint8_t *p, size_t len, size_t n[6])
{
	if (len < HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
		return false;
	for (int i = 0; i < 6; i++) {
		int64_t v = big_endian(p + 20 + 4 * i, 4);

		if (v < 0 || v > FILE_MAX_SIZE)
			return false;
		n[i] = (size_t)v;
	}
	return n[TYPE_COUNT] > 0;
}

static struct fg_zone *read_body(const uint8_t *p, const size_t n[6],
				 size_t size)
{
	const uint8_t *types = p + n[TIME_COUNT] * size;
	const uint8_t *infos = types + n[TIME_COUNT];
	struct fg_zone *z =
		calloc(1, sizeof(*z) + n[TIME_COUNT] * sizeof(z->changes[0]));

	if (!z)
		return NULL;
	z->first = (int32_t)big_endian(infos, 4);
	for (size_t i = 0; i < n[TIME_COUNT]; i++) {
		struct change *c = &z->changes[z->count];
		size_t type = types[i] < n[TYPE_COUNT] ? types[i] : 0;

		c->time = big_endian(p + i * size, size);
		c->offset = (int32_t)big_endian(infos + type * 6, 4);
		/* in order, as the format wants it; binary search relies on it
		 */
		if (z->count == 0 || c->time > c[-1].time)
			z->count++;
	}
	return z;
}

int fg_zone_parse(struct fg_zone **out, const void *data, size_t len)
{
	const uint8_t *p = data, *end = p + len;
	struct reader footer;
	struct fg_zone *z;
	size_t n[6], size = 4;

	if (len > FILE_MAX_SIZE || !read_header(p, len, n))
		return -EINVAL;
	if (p[4] >= '2') { /* again, with times of eight bytes */
		if (body_size(n, 4) > len - HEADER_SIZE)
			return -EINVAL;
		p += HEADER_SIZE + body_size(n, 4);
		size = 8;
		if (!read_header(p, (size_t)(end - p), n))
			return -EINVAL;
	}
	p += HEADER_SIZE;
	if (body_size(n, size) > (size_t)(end - p))
		return -EINVAL;
	z = read_body(p, n, size);
	if (!z)
		return -ENOMEM;
	p += body_size(n, size);
	if (size == 8 && p < end && *p == '\n') {
		const uint8_t *stop =
			memchr(p + 1, '\n', (size_t)(end - p - 1));

		footer = (struct reader){(const char *)p + 1,
					 (const char *)stop};
		if (stop && stop > p + 1 && !read_rules(&footer, &z->rules)) {
			fg_zone_free(z);
			return -EINVAL;
		}
	}
	*out = z;
	return 0;
}

void fg_zone_free(struct fg_zone *z)
{
	free(z);
}

/* -1, or what the file holds in buf */
static ssize_t read_file(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return -1;
	n = fread(buf, 1, size, f);
	if (ferror(f))
		n = 0;
	fclose(f);
	return (ssize_t)n;
}

static bool is_safe_name(const char *name)
{
	const char *p = name;

	if (!isalpha((unsigned char)*p) || strstr(name, ".."))
		return false;
	while (isalnum((unsigned char)*p) || (*p && strchr("/_+-.", *p)))
		p++;
	return *p == '\0';
}

static int load_file(struct fg_zone **out, const char *path, bool *there)
{
	char *buf = malloc(FILE_MAX_SIZE);
	ssize_t n;
	int err;

	if (!buf)
		return -ENOMEM;
	n = read_file(path, buf, FILE_MAX_SIZE);
	*there = n >= 0;
	err = n > 0 ? fg_zone_parse(out, buf, (size_t)n) : -EINVAL;
	free(buf);
	return err;
}

static int load_named(struct fg_zone **out, const char *name, char *err,
		      size_t errlen)
{
	char path[256];
	bool there = false;
	int result;

	snprintf(path, sizeof(path), "%s/%s", ZONEINFO, name);
	if (is_safe_name(name)) {
		result = load_file(out, path, &there);
		if (result != -EINVAL)
			return result;
	}
	if (there) {
		snprintf(err, errlen, "%s is not a time zone file", path);
		return -EINVAL;
	}
	result = fg_zone_rules(out, name, strlen(name));
	if (result != -EINVAL)
		return result;
	snprintf(err, errlen,
		 "no time zone \"%s\": expected a name such as "
		 "\"Europe/Berlin\" of those below %s",
		 name, ZONEINFO);
	return -EINVAL;
}

static int load_system(struct fg_zone **out)
{
	const char *tz = getenv("TZ");
	char err[256], text[128];
	ssize_t n;
	bool there;

	if (tz && *tz == ':')
		tz++;
	if (tz && *tz && load_named(out, tz, err, sizeof(err)) == 0)
		return 0;
	if (!tz && load_file(out, "/etc/localtime", &there) == 0)
		return 0;
	/* OpenWrt without zoneinfo */
	n = tz ? -1 : read_file("/etc/TZ", text, sizeof(text));
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	if (n > 0 && fg_zone_rules(out, text, (size_t)n) == 0)
		return 0;
	return fg_zone_rules(out, "UTC0", 4);
}

int fg_zone_load(struct fg_zone **out, const char *name, char *err,
		 size_t errlen)
{
	return name ? load_named(out, name, err, errlen) : load_system(out);
}

/* -------------------------------------------------------------- questions */

/* How many changes were before or at t. */
static size_t changes_until(const struct fg_zone *z, int64_t t)
{
	size_t low = 0, high = z->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->changes[middle].time <= t)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32_t fg_zone_offset(const struct fg_zone *z, int64_t t)
{
	size_t n = changes_until(z, t);

	if (n == z->count && z->rules.known)
		return rules_offset(&z->rules, t);
	return n > 0 ? z->changes[n - 1].offset : z->first;
}

int64_t fg_zone_next(const struct fg_zone *z, int64_t t)
{
	size_t n = changes_until(z, t);

	if (n < z->count)
		return z->changes[n].time;
	return z->rules.known ? rules_next(&z->rules, t) : INT64_MAX;
}
