/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reference.c - the slow and plain reader of messages. */
#include "reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "../../plugins/netifyd/check.h"
#include "base/text.h"

#define TOKENS 65536

static jsmntok_t tokens[TOKENS];

struct document {
	const char *text;
	int count;
};

static struct fg_slice text_of(const struct document *d, int i)
{
	return fg_slice(d->text + tokens[i].start,
			(size_t)(tokens[i].end - tokens[i].start));
}

/*
 * The value at a path, by walking every token whose parents spell it; 0 when
 * there is none, -1 when a key on the way is there twice.
 */
static int find(const struct document *d, const char *path)
{
	int in = 0;

	for (;;) {
		size_t len = strcspn(path, ".");
		int found = 0;

		if (tokens[in].type != JSMN_OBJECT)
			return 0;
		for (int i = in + 1; i < d->count; i++) {
			struct fg_slice key = text_of(d, i);

			/* a key's parent is the object, a value's is the key */
			if (tokens[i].parent != in || key.len != len ||
			    memcmp(key.ptr, path, len) != 0)
				continue;
			if (found)
				return -1;
			found = i + 1;
		}
		if (!found || path[len] == '\0')
			return found;
		in = found;
		path += len + 1;
	}
}

static bool text_value(struct fg_slice s, enum fg_kind kind, union fg_value *v)
{
	static const char *const other_types[] = {
		"unknown",   "local",	    "remote", "multicast",
		"broadcast", "unsupported", "error"};

	switch (kind) {
	case FG_KIND_TEXT:
		v->text = s;
		return true;
	case FG_KIND_ADDR:
		return fg_addr_parse(s.ptr, s.len, v->addr) != 0;
	case FG_KIND_MAC:
		return fg_mac_parse(s.ptr, s.len, v->mac);
	case FG_KIND_HEX:
		return fg_text_uint_any(s.ptr, s.len, &v->u);
	case FG_KIND_OTHER_TYPE:
		for (v->u = 0; v->u < FG_OTHER_COUNT; v->u++)
			if (fg_slice_is(s, other_types[v->u]))
				return true;
		return false;
	default:
		return false;
	}
}

static bool primitive_value(struct fg_slice s, enum fg_kind kind,
			    enum fg_attr attr, union fg_value *v)
{
	bool word = s.ptr[0] == 't' || s.ptr[0] == 'f' || s.ptr[0] == 'n';

	switch (kind) {
	case FG_KIND_UINT:
	case FG_KIND_HEX:
		return fg_text_uint(s.ptr, s.len, &v->u);
	case FG_KIND_BOOL:
		if (s.ptr[0] == 't' || s.ptr[0] == 'f') {
			v->u = s.ptr[0] == 't';
			return true;
		}
		if (!fg_text_uint(s.ptr, s.len, &v->u))
			return false;
		v->u = v->u != 0;
		return true;
	case FG_KIND_REAL:
		return fg_text_real(s.ptr, s.len, &v->r);
	case FG_KIND_TEXT:
		v->text = s;
		return attr == FG_ATTR_AGENT_VERSION && !word;
	default:
		return false;
	}
}

static bool read_value(const struct document *d, int i, enum fg_kind kind,
		       enum fg_attr attr, union fg_value *v)
{
	struct fg_slice s = text_of(d, i);

	switch (tokens[i].type) {
	case JSMN_STRING:
		return text_value(s, kind, v);
	case JSMN_PRIMITIVE:
		return primitive_value(s, kind, attr, v);
	case JSMN_ARRAY:
		v->text = s;
		return kind == FG_KIND_LIST;
	default:
		return false;
	}
}

static bool same(const union fg_value *a, const union fg_value *b,
		 enum fg_kind kind, enum fg_attr attr)
{
	struct fg_slice text = a->text;

	switch (kind) {
	case FG_KIND_TEXT:
	case FG_KIND_LIST:
		/* the reader took a number off the front of it */
		if (attr == FG_ATTR_APPLICATION_NAME &&
		    text.len > b->text.len) {
			uint32_t cut = text.len - b->text.len;

			for (uint32_t i = 0; i + 1 < cut; i++)
				if (text.ptr[i] < '0' || text.ptr[i] > '9')
					return false;
			if (cut < 2 || text.ptr[cut - 1] != '.')
				return false;
			text.ptr += cut;
			text.len -= cut;
		}
		return text.ptr == b->text.ptr && text.len == b->text.len &&
		       (kind == FG_KIND_LIST ||
			!(b->text.flags & FG_SLICE_ESCAPED) ==
				!memchr(text.ptr, '\\', text.len));
	case FG_KIND_ADDR:
		return memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
	case FG_KIND_MAC:
		return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
	default:
		/* u and r are as wide */
		return a->u == b->u;
	}
}

static const char *compare(const struct document *d, const struct fg_message *m)
{
	static const struct {
		const char *path;
		enum fg_kind kind;
	} attrs[] = {
#define ATTR(name, path, kind, store) {path, FG_KIND_##kind},
		FG_ATTRIBUTES(ATTR)
#undef ATTR
	};
	static char why[200];
	uint8_t digest[FG_DIGEST_SIZE];
	struct fg_slice s;
	int type = find(d, "type"), i;

	if (type <= 0 || tokens[type].type != JSMN_STRING)
		return "accepted without a type";
	s = text_of(d, type);
	if (s.ptr != m->type_name.ptr || s.len != m->type_name.len)
		return "another type";
	i = find(d, "flow.digest");
	if (i > 0) {
		s = text_of(d, i);
		if (tokens[i].type == JSMN_STRING &&
		    fg_text_hex(s.ptr, s.len, digest, sizeof(digest)) &&
		    (!m->digest_count ||
		     memcmp(digest, m->digest[0], sizeof(digest)) != 0))
			return "another digest";
	} else if (m->digest_count) {
		return "a digest out of nowhere";
	}
	for (unsigned a = 0; a < FG_ATTR_COUNT; a++) {
		union fg_value v;
		bool has;

		memset(&v, 0, sizeof(v));
		i = find(d, attrs[a].path);
		/* v4 and v5 spell this one in two ways */
		if (a == FG_ATTR_SSDP_USER_AGENT) {
			int old = find(d, "flow.ssdp.user-agent");

			i = i && old ? -1 : i + old;
		}
		has = i > 0 && read_value(d, i, attrs[a].kind, a, &v);
		if (has == fg_message_has(m, a) &&
		    (!has || same(&v, &m->value[a], attrs[a].kind, a)))
			continue;
		snprintf(why, sizeof(why), "%s: %s", attrs[a].path,
			 has == fg_message_has(m, a) ? "another value"
			 : has			     ? "not found"
						     : "not there, but found");
		return why;
	}
	return NULL;
}

static bool is_whole(const char *text, size_t len)
{
	struct fg_check c;
	size_t used;

	fg_check_begin(&c);
	if (fg_check_feed(&c, text, len, &used) != FG_CHECKED_WHOLE)
		return false;
	while (used < len && strchr(" \t\r\n", text[used]) && text[used])
		used++;
	return used == len;
}

const char *reference_compare(struct fg_reader *r, const char *text, size_t len,
			      int *result)
{
	struct document d = {.text = text};
	const struct fg_message *m;
	const jsmntok_t *given;
	jsmn_parser parser;
	uint32_t count;
	int err;

	err = fg_message_read(r, text, len, &m);
	*result = err;
	if ((err == -EBADMSG) == is_whole(text, len))
		return err == -EBADMSG ? "refused, but checked as whole"
				       : "accepted, but checked as broken";
	if (err == -EBADMSG)
		return NULL;
	jsmn_init(&parser);
	d.count = jsmn_parse(&parser, text, len, tokens, TOKENS);
	if (d.count == JSMN_ERROR_NOMEM)
		return err == -E2BIG || err == -ENOMSG || err == -EEXIST
			       ? NULL
			       : "accepted with too many tokens";
	if (d.count < 1)
		return "accepted, but not by jsmn";
	if (err == -E2BIG)
		return "refused for its tokens";
	if (err < 0)
		return NULL;
	given = fg_message_tokens(m, &count);
	if (count != (uint32_t)d.count || !given ||
	    memcmp(given, tokens, count * sizeof(*given)) != 0)
		return "other tokens";
	return compare(&d, m);
}
