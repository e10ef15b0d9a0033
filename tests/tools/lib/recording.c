/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.c - a recorded stream, taken apart into its messages.
 */
#include "recording.h"

#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.ptr, text, s.len);
}

/* p is at the opening quote; returns what is behind the closing one */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

/* behind the object or list that opens at p */
static const char *skip_nested(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		p++;
		if (!depth)
			return p;
	}
	return NULL;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p;
}

/* p is at a value */
static struct span value_at(const char *p, const char *end)
{
	const char *e = p;

	if (p < end && *p == '"')
		return (struct span){p + 1,
				     (size_t)(skip_string(p, end) - p) - 2};
	if (p < end && (*p == '{' || *p == '['))
		e = skip_nested(p, end);
	else
		while (e < end && !strchr(",}] \n", *e))
			e++;
	return (struct span){p, e ? (size_t)(e - p) : 0};
}

struct span recording_value(struct span json, const char *key, int depth)
{
	const char *end = json.ptr + json.len;
	int at = 0;

	for (const char *p = json.ptr; p < end;) {
		const char *name = p, *after;

		if (*p != '"') {
			at += (*p == '{' || *p == '[') -
			      (*p == '}' || *p == ']');
			p++;
			continue;
		}
		p = skip_string(p, end);
		after = skip_space(p, end);
		if (at == depth && after < end && *after == ':' &&
		    span_is((struct span){name + 1, (size_t)(p - name) - 2},
			    key))
			return value_at(skip_space(after + 1, end), end);
	}
	return (struct span){NULL, 0};
}

static int64_t number(struct span s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
		n = n * 10 + (s.ptr[i] - '0');
	return n;
}

/*
 * When the agent sent it. Purges and counters tell when the flow was last
 * seen, which may be long before: they follow what came before them.
 */
static int64_t time_of(const struct recorded *m, int64_t before)
{
	int64_t at = before;

	if (span_is(m->type, "agent_status"))
		at = number(recording_value(m->text, "timestamp", 1)) * 1000;
	else if (span_is(m->type, "flow"))
		at = number(recording_value(m->text, "last_seen_at", 2));
	return at > before ? at : before;
}

static char *read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	size_t size = 0;
	char *buf = NULL;

	if (!f)
		err(1, "%s", path);
	*len = 0;
	do {
		size = size ? size * 2 : 1 << 16;
		buf = realloc(buf, size);
		if (!buf)
			err(1, NULL);
		*len += fread(buf + *len, 1, size - *len, f);
	} while (*len == size);
	if (ferror(f))
		err(1, "%s", path);
	fclose(f);
	return buf;
}

struct recording recording_load(const char *path)
{
	struct recording r = {0};
	size_t len, size = 0;
	const char *p, *end, *raw;
	int64_t at = 0;

	r.bytes = read_all(path, &len);
	end = r.bytes + len;
	raw = p = skip_space(r.bytes, end);
	while (p < end) {
		struct recorded m = {0};
		const char *e = *p == '{' ? skip_nested(p, end) : NULL;

		if (!e)
			errx(1, "%s: no message at byte %zu", path,
			     (size_t)(p - r.bytes));
		m.text = (struct span){p, (size_t)(e - p)};
		p = skip_space(e, end);
		m.type = recording_value(m.text, "type", 1);
		if (!m.type.len) /* a header: it goes with the next one */
			continue;
		m.raw = (struct span){raw, (size_t)(p - raw)};
		raw = p;
		m.digest = recording_value(m.text, "digest", 2);
		at = m.at = time_of(&m, at);
		if (r.count == size) {
			size = size ? size * 2 : 256;
			r.messages =
				realloc(r.messages, size * sizeof(*r.messages));
			if (!r.messages)
				err(1, NULL);
		}
		if (!m.digest.len && r.greeting == r.count)
			r.greeting++;
		r.messages[r.count++] = m;
	}
	if (!r.count)
		errx(1, "%s: no messages", path);
	/* before the first time that is known, time stands still */
	for (size_t i = r.count; i-- > 0;)
		if (!r.messages[i].at)
			r.messages[i].at =
				r.messages[i + 1 < r.count ? i + 1 : i].at;
	return r;
}

void recording_free(struct recording *r)
{
	free(r->messages);
	free(r->bytes);
}
