/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netify.c - each file is gone through twice: to find errors, then to tell. */
#include "netify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "../base/text.h"

/* The real ones are below 8 MiB; a token is 20 bytes. */
#define FILE_MAX (32 << 20)

struct reader {
	const char *path;
	const char *text;
	size_t len;
	const struct fg_netify_sink *sink;
	void *ctx;
	bool telling; /* the second time */
	size_t members[FG_CATEGORY_COUNT];
	jsmntok_t *tokens;
	int count;
	char *err;
	size_t errlen;
};

static int __attribute__((format(printf, 3, 4)))
fail(struct reader *r, size_t at, const char *fmt, ...)
{
	size_t line = 1;
	va_list ap;
	int n;

	for (size_t i = 0; i < at && i < r->len; i++)
		line += r->text[i] == '\n';
	n = snprintf(r->err, r->errlen, "%s:%zu: ", r->path, line);
	if (n < 0 || (size_t)n >= r->errlen)
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(r->err + n, r->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* ---------------------------------------------------- netify-apps.conf */

static struct fg_slice trim(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p &&
	       (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return fg_slice(p, (size_t)(end - p));
}

/* Other lines (dom:, net:, ...) are of no use here. */
static int read_line(struct reader *r, struct fg_slice line)
{
	const char *id, *colon, *end = line.ptr + line.len;
	struct fg_slice tag;
	uint64_t v;

	if (line.len < 4 || memcmp(line.ptr, "app:", 4) != 0)
		return 0;
	id = line.ptr + 4;
	colon = memchr(id, ':', (size_t)(end - id));
	if (!colon || !fg_text_uint(id, (size_t)(colon - id), &v) ||
	    v > UINT32_MAX)
		return fail(r, (size_t)(line.ptr - r->text),
			    "expected app:ID:TAG, ID a number");
	tag = trim(colon + 1, end);
	if (!tag.len)
		return fail(r, (size_t)(line.ptr - r->text),
			    "application %u has no tag", (uint32_t)v);
	if (r->telling)
		r->sink->application(r->ctx, (uint32_t)v, tag);
	return 0;
}

static int read_lines(struct reader *r)
{
	const char *p = r->text, *end = p + r->len, *eol;
	bool colon = false, word = false;
	struct fg_slice line;
	int err;

	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		line = trim(p, eol);
		if (!line.len || *line.ptr == '#')
			continue;
		word = true;
		colon |= memchr(line.ptr, ':', line.len) != NULL;
		err = read_line(r, line);
		if (err)
			return err;
	}
	if (word && !colon)
		return fail(r, 0,
			    "neither netify-apps.conf (app:ID:TAG lines) nor "
			    "netify-categories.json");
	return 0;
}

/* ---------------------------------------------- netify-categories.json */

static struct fg_slice token_text(const struct reader *r, int i)
{
	const jsmntok_t *tok = &r->tokens[i];
	struct fg_slice s =
		fg_slice(r->text + tok->start, (size_t)(tok->end - tok->start));

	if (s.len && memchr(s.ptr, '\\', s.len))
		s.flags = FG_SLICE_ESCAPED;
	return s;
}

/* The token after all that is inside of token i. */
static int token_after(const struct reader *r, int i)
{
	int end = r->tokens[i].end;

	do
		i++;
	while (i < r->count && r->tokens[i].start < end);
	return i;
}

static int token_fail(struct reader *r, int i, const char *expected)
{
	struct fg_slice s = token_text(r, i);
	char text[40];

	fg_text_printable(s, text, sizeof(text));
	return fail(r, (size_t)r->tokens[i].start, "%s expected, not \"%s\"",
		    expected, text);
}

static bool token_id(const struct reader *r, int i, uint64_t max, uint64_t *out)
{
	struct fg_slice s = token_text(r, i);

	return r->tokens[i].type == JSMN_PRIMITIVE &&
	       fg_text_uint(s.ptr, s.len, out) && *out <= max;
}

/* [id, id ...] of one category */
static int read_members(struct reader *r, enum fg_category kind,
			uint16_t category, int list)
{
	int end = token_after(r, list);
	uint64_t id;

	if (r->tokens[list].type != JSMN_ARRAY)
		return token_fail(r, list, "a list of ids");
	for (int i = list + 1; i < end; i++) {
		if (!token_id(r, i, UINT32_MAX, &id))
			return token_fail(r, i, "an id");
		if (r->telling)
			r->sink->member(r->ctx, kind, category, (uint32_t)id);
		else
			r->members[kind]++;
	}
	return 0;
}

/* [[category, [id ...]] ...], or the older {"tag": [id ...] ...} */
static int read_index(struct reader *r, enum fg_category kind, int index)
{
	int end = token_after(r, index), list, err;
	bool older = r->tokens[index].type == JSMN_OBJECT;
	uint64_t category = 0;

	if (!older && r->tokens[index].type != JSMN_ARRAY)
		return token_fail(r, index, "a list or an object");
	for (int i = index + 1; i < end; i = token_after(r, list)) {
		list = i + (older ? 1 : 2);
		if (older) {
			if (r->tokens[i].size != 1)
				return token_fail(r, i, "a tag with its list");
			if (r->telling)
				category = r->sink->category_id(
					r->ctx, kind, token_text(r, i));
		} else {
			if (r->tokens[i].type != JSMN_ARRAY ||
			    r->tokens[i].size != 2 ||
			    !token_id(r, i + 1, UINT16_MAX, &category))
				return token_fail(r, i, "[category, [ids]]");
		}
		err = read_members(r, kind, (uint16_t)category, list);
		if (err)
			return err;
	}
	return 0;
}

/* {"tag": category ...} */
static int read_tags(struct reader *r, enum fg_category kind, int tags)
{
	int end = token_after(r, tags);
	uint64_t id;

	if (r->tokens[tags].type != JSMN_OBJECT)
		return token_fail(r, tags, "an object");
	for (int i = tags + 1; i < end; i += 2) {
		if (r->tokens[i].size != 1 ||
		    r->tokens[i].start == r->tokens[i].end)
			return token_fail(r, i, "a tag");
		if (!token_id(r, i + 1, UINT16_MAX, &id))
			return token_fail(r, i + 1, "a category id to 65535");
		if (r->telling)
			r->sink->category(r->ctx, kind, (uint16_t)id,
					  token_text(r, i));
	}
	return 0;
}

static const struct part {
	const char *key;
	enum fg_category kind;
	int (*read)(struct reader *r, enum fg_category kind, int token);
} parts[] = {
	/* tags first: the indexes refer to them */
	{"application_tag_index", FG_CATEGORY_APPLICATION, read_tags},
	{"protocol_tag_index", FG_CATEGORY_PROTOCOL, read_tags},
	{"application_index", FG_CATEGORY_APPLICATION, read_index},
	{"protocol_index", FG_CATEGORY_PROTOCOL, read_index},
};

static int read_parts(struct reader *r)
{
	bool any = false;
	int err;

	for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
		for (int i = 1; i < r->count; i = token_after(r, i + 1)) {
			if (r->tokens[i].type != JSMN_STRING ||
			    r->tokens[i].size != 1)
				return token_fail(r, i, "a key with a value");
			if (!fg_slice_is(token_text(r, i), parts[p].key))
				continue;
			any = true;
			err = parts[p].read(r, parts[p].kind, i + 1);
			if (err)
				return err;
		}
	}
	if (!any)
		return fail(r, 0,
			    "no application_index in it: is this "
			    "netify-categories.json?");
	return 0;
}

static int tokenise(struct reader *r)
{
	jsmn_parser parser;
	int n;

	jsmn_init(&parser);
	n = jsmn_parse(&parser, r->text, r->len, NULL, 0);
	if (n >= 0) {
		r->tokens = calloc((size_t)n + 1, sizeof(*r->tokens));
		if (!r->tokens) {
			snprintf(r->err, r->errlen, "%s: out of memory",
				 r->path);
			return -ENOMEM;
		}
		jsmn_init(&parser);
		n = jsmn_parse(&parser, r->text, r->len, r->tokens,
			       (unsigned)n);
	}
	if (n <= 0)
		return fail(r, parser.pos, "not JSON%s",
			    n == JSMN_ERROR_PART ? ": it ends too early" : "");
	r->count = n;
	if (r->tokens[0].type != JSMN_OBJECT || token_after(r, 0) != n)
		return fail(r, 0, "one JSON object expected");
	return 0;
}

/* -------------------------------------------------------------- public */

int fg_netify_parse(const char *path, const char *text, size_t len,
		    const struct fg_netify_sink *sink, void *ctx, char *err,
		    size_t errlen)
{
	struct reader r = {
		.path = path,
		.text = text,
		.len = len,
		.sink = sink,
		.ctx = ctx,
		.err = err,
		.errlen = errlen,
	};
	int (*read)(struct reader * r) = read_lines;
	int ret = 0;

	for (size_t i = 0; i < len; i++) {
		if (strchr(" \t\r\n", text[i]) && text[i])
			continue;
		if (text[i] == '{') {
			read = read_parts;
			ret = tokenise(&r);
		}
		break;
	}
	if (!ret)
		ret = read(&r);
	for (int kind = 0; !ret && kind < FG_CATEGORY_COUNT; kind++) {
		if (!r.members[kind])
			continue;
		ret = sink->begin(ctx, kind, r.members[kind]);
		if (ret)
			snprintf(err, errlen, "%s: out of memory", path);
	}
	if (!ret) {
		r.telling = true;
		ret = read(&r);
	}
	free(r.tokens);
	return ret;
}

int fg_netify_read(const char *path, const struct fg_netify_sink *sink,
		   void *ctx, char *err, size_t errlen)
{
	char *text = NULL;
	struct stat st;
	size_t len = 0;
	ssize_t n;
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		ret = -errno;
		snprintf(err, errlen, "%s: %s", path, strerror(-ret));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		ret = -EINVAL;
		snprintf(err, errlen, "%s: %s", path,
			 S_ISREG(st.st_mode) ? "larger than 32 MiB"
					     : "not a regular file");
		goto out;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text) {
		ret = -ENOMEM;
		snprintf(err, errlen, "%s: out of memory", path);
		goto out;
	}
	while (len < (size_t)st.st_size) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		if (n < 0) {
			ret = -errno;
			snprintf(err, errlen, "%s: %s", path, strerror(-ret));
			goto out;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	ret = fg_netify_parse(path, text, len, sink, ctx, err, errlen);
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return ret;
}
