/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estate.c - the line, and sums. */
#include "estate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"

#define MAGIC	"FGFLOWS "
#define VERSION "1 "
#define TARGETS ",\"targets\":{"

enum {
	SUM_AT = sizeof(MAGIC VERSION) - 1,
	REST_AT = SUM_AT + 17, /* 16 digits and a space */
	DIGITS = 20,
};

uint64_t fg_estate_sum(uint64_t sum, const void *block, size_t len)
{
	return fg_hash(block, len, sum);
}

/* The sum in the line is of the bytes and of the rest of the line. */
static uint64_t whole_sum(const char *line, size_t len, uint64_t sum)
{
	return fg_estate_sum(sum, line + REST_AT, len - REST_AT);
}

static size_t put_sum(char *at, uint64_t sum)
{
	char text[24];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)sum);
	memcpy(at, text, 16);
	return 16;
}

size_t fg_estate_write(const struct fg_estate *e, uint64_t sum,
		       char line[FG_ESTATE_LINE])
{
	const uint64_t numbers[] = {e->bytes, e->flows, (uint64_t)e->boot_ms,
				    (uint64_t)e->wall_ms,
				    (uint64_t)e->heard_ms};
	const struct fg_slice texts[] = {e->name, e->part, e->url, e->agent};
	size_t len = REST_AT;

	memcpy(line, MAGIC VERSION, SUM_AT);
	line[REST_AT - 1] = ' ';
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		len += (size_t)sprintf(line + len, "%0*llu ", DIGITS,
				       (unsigned long long)numbers[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t need;

		need = fg_text_json(texts[i], line + len, FG_ESTATE_LINE - len);
		/* and what comes between two, or at the end */
		if (need >= FG_ESTATE_LINE - len)
			return 0;
		len += need;
		line[len++] = ' ';
	}
	line[len - 1] = '\n';
	put_sum(line + SUM_AT, whole_sum(line, len, sum));
	return len;
}

/* ----------------------------------------------------------------- reading */

static bool read_number(const char **p, const char *end, uint64_t *out)
{
	if (end - *p <= DIGITS || (*p)[DIGITS] != ' ' ||
	    !fg_text_uint(*p, DIGITS, out))
		return false;
	*p += DIGITS + 1;
	return *out <= INT64_MAX;
}

/* A string in quotes. */
static bool read_string(const char **p, const char *end, struct fg_slice *out)
{
	const char *c = *p;

	if (c == end || *c++ != '"')
		return false;
	*out = fg_slice(c, 0);
	for (; c < end && *c != '"'; c++)
		if (*c == '\\') {
			out->flags = FG_SLICE_ESCAPED;
			c++;
		}
	if (c >= end)
		return false;
	out->len = (uint32_t)(c - out->ptr);
	*p = c + 1;
	return true;
}

/* And the space or newline behind it. */
static bool read_text(const char **p, const char *end, struct fg_slice *out)
{
	if (!read_string(p, end, out) || *p == end)
		return false;
	return *(*p)++ == ' ' || (*p)[-1] == '\n';
}

int fg_estate_read(struct fg_estate *e, const char *text, size_t room,
		   size_t *len)
{
	uint64_t boot, wall, heard;
	const char *p = text, *end;

	if (room > FG_ESTATE_LINE)
		room = FG_ESTATE_LINE;
	if (room < REST_AT || memcmp(p, MAGIC, sizeof(MAGIC) - 1) != 0)
		return -EILSEQ;
	if (memcmp(p + sizeof(MAGIC) - 1, VERSION, sizeof(VERSION) - 1) != 0)
		return -EPROTO;
	end = memchr(p, '\n', room);
	if (!end)
		return -EILSEQ;
	end++;
	p += REST_AT;
	if (p > end || !read_number(&p, end, &e->bytes) ||
	    !read_number(&p, end, &e->flows) || !read_number(&p, end, &boot) ||
	    !read_number(&p, end, &wall) || !read_number(&p, end, &heard) ||
	    !read_text(&p, end, &e->name) || !read_text(&p, end, &e->part) ||
	    !read_text(&p, end, &e->url) || !read_text(&p, end, &e->agent) ||
	    p != end)
		return -EILSEQ;
	e->boot_ms = (int64_t)boot;
	e->wall_ms = (int64_t)wall;
	e->heard_ms = (int64_t)heard;
	*len = (size_t)(end - text);
	return 0;
}

bool fg_estate_is(const char *line, size_t len, uint64_t sum)
{
	char text[16];

	put_sum(text, whole_sum(line, len, sum));
	return line[REST_AT - 1] == ' ' &&
	       memcmp(line + SUM_AT, text, sizeof(text)) == 0;
}

int fg_estate_age(const struct fg_estate *e, int64_t boot_ms, int64_t wall_ms,
		  int64_t most_ms)
{
	/* no one can set the one; the other goes on while we are off */
	if (boot_ms < e->boot_ms || e->heard_ms > e->boot_ms ||
	    boot_ms - e->heard_ms > most_ms ||
	    (wall_ms > e->wall_ms && wall_ms - e->wall_ms > most_ms))
		return -ESTALE;
	return 0;
}

/* ----------------------------------------------------------------- targets */

size_t fg_estate_targets_begin(char *buf, size_t len, size_t size)
{
	static const char none[] = TARGETS "}}";

	/* the end of the object makes room for itself */
	if (!len || size - len < sizeof(none) - 2)
		return len;
	memcpy(buf + len - 1, none, sizeof(none) - 1);
	return len - 1 + sizeof(none) - 1;
}

size_t fg_estate_targets_add(char *buf, size_t len, size_t size,
			     const char *name, bool observe)
{
	struct fg_slice text = fg_slice(name, strlen(name));
	size_t at = len - 2; /* of the two ends */

	/* a comma, the quotes, and what follows the name */
	if (size - len < 6 * text.len + 5)
		return len;
	if (buf[at - 1] != '{')
		buf[at++] = ',';
	at += fg_text_json(text, buf + at, size - at);
	memcpy(buf + at, observe ? ":1}}" : ":0}}", 4);
	return at + 4;
}

bool fg_estate_targets(struct fg_slice message, struct fg_slice *rest)
{
	/* not within a string: it could not have these quotes */
	const char *p =
		memmem(message.ptr, message.len, TARGETS, sizeof(TARGETS) - 1);

	if (!p)
		return false;
	p += sizeof(TARGETS) - 1;
	*rest = fg_slice(p, (size_t)(message.ptr + message.len - p));
	return true;
}

bool fg_estate_targets_next(struct fg_slice *rest, struct fg_slice *name,
			    bool *observe)
{
	const char *p = rest->ptr, *end = p + rest->len;

	if (!read_string(&p, end, name) || end - p < 3 || *p != ':')
		return false;
	*observe = p[1] == '1';
	p += p[2] == ',' ? 3 : 2;
	*rest = fg_slice(p, (size_t)(end - p));
	return true;
}
