/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c - reads names and roles out of JSON that is known to be valid. */
#include "names.h"

#include <string.h>

#include "base/text.h"

/* A place in a list or an object; at is NULL when it is through. */
struct cursor {
	const char *at;
};

struct value {
	struct fg_slice text; /* of a string: without its quotes */
	char first;	      /* the first byte: what kind it is */
};

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
		p++;
	return p;
}

/* From an opening quote to behind the closing one. */
static const char *skip_string(const char *p, uint32_t *flags)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\') {
			*flags |= FG_SLICE_ESCAPED;
			p++;
		}
	}
	return p + 1;
}

static const char *skip_container(const char *p)
{
	uint32_t flags = 0;
	unsigned depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p, &flags);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (depth);
	return p;
}

static const char *read_value(const char *p, struct value *v)
{
	const char *begin = p;

	v->first = *p;
	v->text.flags = 0;
	if (*p == '"') {
		p = skip_string(p, &v->text.flags);
		v->text.ptr = begin + 1;
		v->text.len = (uint32_t)(p - begin - 2);
		return p;
	}
	if (*p == '{' || *p == '[')
		p = skip_container(p);
	else
		while (*p != ',' && *p != '}' && *p != ']' && *p > ' ')
			p++;
	v->text.ptr = begin;
	v->text.len = (uint32_t)(p - begin);
	return p;
}

/* Enters a list or an object that text is. */
static struct cursor enter(struct fg_slice text, char kind)
{
	struct cursor c = {NULL};

	if (text.len && *text.ptr == kind)
		c.at = skip_space(text.ptr + 1);
	if (c.at && (*c.at == ']' || *c.at == '}'))
		c.at = NULL;
	return c;
}

/* What is in a string is none, whatever it looks like. */
static struct cursor enter_object(const struct value *v)
{
	return v->first == '{' ? enter(v->text, '{') : (struct cursor){NULL};
}

static void behind_value(struct cursor *c, const char *p)
{
	p = skip_space(p);
	c->at = *p == ',' ? skip_space(p + 1) : NULL;
}

static bool next_item(struct cursor *c, struct value *item)
{
	if (!c->at)
		return false;
	behind_value(c, read_value(c->at, item));
	return true;
}

static bool next_member(struct cursor *c, struct value *key, struct value *v)
{
	const char *p = c->at;

	if (!p)
		return false;
	p = skip_space(read_value(p, key));
	behind_value(c, read_value(skip_space(p + 1), v));
	return true;
}

/* ---------------------------------------------------------------- names */

struct name {
	uint32_t id;
	struct fg_slice tag;
};

static bool read_name(const struct value *item, struct name *name)
{
	struct cursor c = enter_object(item);
	bool has_id = false, has_tag = false;
	struct value key, v;
	uint64_t id = 0;

	while (next_member(&c, &key, &v)) {
		if (fg_slice_is(key.text, "id")) {
			has_id = fg_text_uint(v.text.ptr, v.text.len, &id) &&
				 id <= UINT32_MAX && v.first != '"';
		} else if (fg_slice_is(key.text, "tag")) {
			has_tag = v.first == '"' && !v.text.flags;
			name->tag = v.text;
		}
	}
	name->id = (uint32_t)id;
	return has_id && has_tag;
}

/*
 * The next name, as the agent writes it: {"id":0,"tag":"Unknown"}. There are
 * hundreds, so they get a way of their own; false: written otherwise.
 */
static bool next_plain_name(struct cursor *list, struct name *name)
{
	const char *p = list->at, *digits;
	uint64_t id;

	if (!p || strncmp(p, "{\"id\":", 6) != 0)
		return false;
	digits = p += 6;
	while (*p >= '0' && *p <= '9')
		p++;
	if (!fg_text_uint(digits, (size_t)(p - digits), &id) ||
	    id > UINT32_MAX || strncmp(p, ",\"tag\":\"", 8) != 0)
		return false;
	name->id = (uint32_t)id;
	name->tag.ptr = p += 8;
	while (*p != '"' && *p != '\\')
		p++;
	name->tag.len = (uint32_t)(p - name->tag.ptr);
	name->tag.flags = 0;
	if (p[0] != '"' || p[1] != '}')
		return false;
	behind_value(list, p + 2);
	return true;
}

static bool next_name(struct cursor *list, struct name *name)
{
	struct value item;

	do {
		if (next_plain_name(list, name))
			return true;
		if (!next_item(list, &item))
			return false;
	} while (!read_name(&item, name));
	return true;
}

/*
 * The list without the copy of another that it begins with. The agent writes
 * both in the same way, so that the copy has the same bytes.
 */
static struct cursor enter_behind(struct fg_slice list, struct fg_slice copy)
{
	struct cursor c = enter(list, '[');

	/* all but the closing bracket, at which the list may end, too */
	if (c.at && copy.len > 2 && list.len >= copy.len &&
	    memcmp(list.ptr, copy.ptr, copy.len - 1) == 0)
		behind_value(&c, list.ptr + copy.len - 1);
	return c;
}

void fg_names_each(struct fg_slice protocols, struct fg_slice applications,
		   fg_name_fn *each, void *ctx)
{
	struct cursor list = enter(protocols, '[');
	struct name name;

	while (next_name(&list, &name))
		each(ctx, FG_NAME_PROTOCOL, name.id, name.tag);
	list = enter_behind(applications, protocols);
	while (next_name(&list, &name))
		each(ctx, FG_NAME_APPLICATION, name.id,
		     fg_name_without_id(name.tag));
}

void fg_roles_each(struct fg_slice interfaces, fg_role_fn *each, void *ctx)
{
	struct cursor c = enter(interfaces, '{'), inner;
	struct value name, v, key, role;

	while (next_member(&c, &name, &v)) {
		inner = enter_object(&v);
		while (next_member(&inner, &key, &role))
			if (fg_slice_is(key.text, "role") &&
			    role.first == '"' && !name.text.flags)
				each(ctx, name.text, role.text);
	}
}

struct fg_slice fg_name_without_id(struct fg_slice tag)
{
	uint32_t n = 0;

	while (n < tag.len && tag.ptr[n] >= '0' && tag.ptr[n] <= '9')
		n++;
	if (n && n + 1 < tag.len && tag.ptr[n] == '.') {
		tag.ptr += n + 1;
		tag.len -= n + 1;
	}
	return tag;
}
