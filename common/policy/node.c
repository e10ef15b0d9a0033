/* SPDX-License-Identifier: GPL-2.0-or-later */
/* node.c - asking a document for its values, and what nobody asked for. */
#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

/* ----------------------------------------------------------- messages */

/* Bytes of text that make n bytes when decoded. */
static size_t encoded_length(const char *p, size_t len, size_t n)
{
	size_t i = 0, done = 0, unit;

	while (i < len && done < n) {
		unit = 1;
		if (p[i] == '\\') {
			unit = i + 1 < len && p[i + 1] == 'u' ? 6 : 2;
			/* the second half of a pair */
			if (unit == 6 && i + 7 < len &&
			    (p[i + 2] | 32) == 'd' &&
			    strchr("89abAB", p[i + 3]))
				unit = 12;
		}
		if (unit > len - i)
			unit = len - i;
		done += fg_text_decode((struct fg_slice){p + i, (uint32_t)unit,
							 FG_SLICE_ESCAPED},
				       NULL, 0);
		i += unit;
	}
	return i;
}

static void say(const struct fg_node *at, enum fg_level level, size_t place,
		const char *fmt, va_list ap) FG_PRINTF(4, 0);
static void say(const struct fg_node *at, enum fg_level level, size_t place,
		const char *fmt, va_list ap)
{
	char message[1536];

	vsnprintf(message, sizeof(message), fmt, ap);
	fg_json_say(at->doc, level, place, message);
}

void fg_node_say(const struct fg_node *at, enum fg_level level, size_t offset,
		 const char *fmt, va_list ap)
{
	const char *text = at->doc->text + at->start;
	size_t place = at->start;

	if (at->kind == FG_NODE_TEXT)
		place += 1 + encoded_length(text + 1, at->end - at->start - 2,
					    offset);
	say(at, level, place, fmt, ap);
}

void fg_node_error(const struct fg_node *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(at, FG_LOG_ERROR, at->start, fmt, ap);
	va_end(ap);
}

void fg_node_error_at(const struct fg_node *at, size_t offset, const char *fmt,
		      ...)
{
	va_list ap;

	va_start(ap, fmt);
	fg_node_say(at, FG_LOG_ERROR, offset, fmt, ap);
	va_end(ap);
}

void fg_node_say_at(const struct fg_node *at, enum fg_level level,
		    size_t offset, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fg_node_say(at, level, offset, fmt, ap);
	va_end(ap);
}

void fg_node_notice(const struct fg_node *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(at, FG_LOG_NOTICE, at->start, fmt, ap);
	va_end(ap);
}

void fg_node_warning(const struct fg_node *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(at, FG_LOG_WARNING, at->start, fmt, ap);
	va_end(ap);
}

const char *fg_node_describe(const struct fg_node *n, char out[FG_SYNTAX_SHORT])
{
	if (n->kind == FG_NODE_LIST)
		return "a list";
	if (n->kind == FG_NODE_OBJECT)
		return "an object";
	return fg_syntax_short(
		fg_slice(n->doc->text + n->start, n->end - n->start), out);
}

static const struct fg_node *value_of(const struct fg_node *key)
{
	return key + 1;
}

/* -------------------------------------------------------------- asking */

/* The key of this name in the object itself, or NULL. */
static const struct fg_node *own_key(const struct fg_node *object,
				     const char *key)
{
	uint32_t low = 0, high = object->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(key, object->sorted[middle]->text);

		if (order == 0)
			return object->sorted[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/*
 * Keeps a copy, since the plugin that asked may be unloaded by the time that
 * near misses are looked for. Without memory there are none.
 */
static void declare(const struct fg_node *object, const char *key)
{
	struct note *note = note_of(object);
	size_t len = strlen(key);
	struct asked *a;

	for (a = note->asked; a; a = a->next)
		if (strcmp(a->key, key) == 0)
			return;
	a = malloc(sizeof(*a) + len + 1);
	if (!a)
		return;
	memcpy(a->key, key, len + 1);
	a->next = note->asked;
	note->asked = a;
}

static bool is_object(const struct fg_node *n)
{
	return n && n->kind == FG_NODE_OBJECT;
}

int fg_node_any(const struct fg_node *object, const char *key,
		const struct fg_node **out)
{
	const struct fg_node *value = NULL, *own;

	/* also where it is not taken from, since it is known there */
	for (; is_object(object); object = note_of(object)->defaults) {
		declare(object, key);
		own = own_key(object, key);
		if (!own)
			continue;
		note_of(own)->used = true;
		if (!value)
			value = value_of(own);
	}
	if (!value)
		return 0;
	*out = value;
	return 1;
}

static int wrong(const struct fg_node *n, const char *key, const char *wanted)
{
	char shown[FG_SYNTAX_SHORT];

	fg_node_error(n, "\"%s\" must be %s, not %s", key, wanted,
		      fg_node_describe(n, shown));
	return -EINVAL;
}

static int of_kind(const struct fg_node *object, const char *key,
		   enum fg_node_kind kind, const char *wanted,
		   const struct fg_node **out)
{
	const struct fg_node *n;

	if (!fg_node_any(object, key, &n))
		return 0;
	if (n->kind != kind)
		return wrong(n, key, wanted);
	*out = n;
	return 1;
}

int fg_node_text(const struct fg_node *object, const char *key,
		 const char **out)
{
	const struct fg_node *n;
	int ret = of_kind(object, key, FG_NODE_TEXT, "text in quotes", &n);

	if (ret == 1)
		*out = n->text;
	return ret;
}

int fg_node_uint(const struct fg_node *object, const char *key, uint64_t min,
		 uint64_t max, uint64_t *out)
{
	const struct fg_node *n;
	char wanted[96];
	uint64_t value;

	if (!fg_node_any(object, key, &n))
		return 0;
	snprintf(wanted, sizeof(wanted), "a whole number from %llu to %llu",
		 (unsigned long long)min, (unsigned long long)max);
	if (fg_node_as_uint(n, &value) || value < min || value > max)
		return wrong(n, key, wanted);
	*out = value;
	return 1;
}

int fg_node_boolean(const struct fg_node *object, const char *key, bool *out)
{
	const struct fg_node *n;
	int ret = of_kind(object, key, FG_NODE_BOOL, "true or false", &n);

	return ret == 1 ? (fg_node_as_bool(n, out), 1) : ret;
}

int fg_node_list(const struct fg_node *object, const char *key,
		 const struct fg_node **out)
{
	return of_kind(object, key, FG_NODE_LIST, "a list [ ]", out);
}

int fg_node_object(const struct fg_node *object, const char *key,
		   const struct fg_node **out)
{
	return of_kind(object, key, FG_NODE_OBJECT, "an object { }", out);
}

enum fg_node_kind fg_node_kind(const struct fg_node *n)
{
	return n->kind;
}

size_t fg_node_count(const struct fg_node *n)
{
	return n ? n->count : 0;
}

const struct fg_node *fg_node_at(const struct fg_node *n, size_t i)
{
	if (i >= fg_node_count(n))
		return NULL;
	if (n->kind == FG_NODE_LIST)
		return n->items[i];
	note_of(n->items[i])->used = true;
	return value_of(n->items[i]);
}

const struct fg_node *fg_node_key_node(const struct fg_node *object, size_t i)
{
	return is_object(object) && i < object->count ? object->items[i] : NULL;
}

const char *fg_node_key_at(const struct fg_node *object, size_t i)
{
	const struct fg_node *key = fg_node_key_node(object, i);

	return key ? key->text : NULL;
}

const char *fg_node_as_text(const struct fg_node *n)
{
	return n ? n->text : NULL;
}

int fg_node_as_uint(const struct fg_node *n, uint64_t *out)
{
	bool ok = false;

	if (n && n->kind == FG_NODE_TEXT)
		ok = fg_text_uint_any(n->text, strlen(n->text), out);
	else if (n && n->kind == FG_NODE_NUMBER)
		ok = fg_text_uint(n->doc->text + n->start, n->end - n->start,
				  out);
	return ok ? 0 : -EINVAL;
}

int fg_node_as_bool(const struct fg_node *n, bool *out)
{
	if (!n || n->kind != FG_NODE_BOOL)
		return -EINVAL;
	*out = n->doc->text[n->start] == 't';
	return 0;
}

void fg_node_set_defaults(const struct fg_node *object,
			  const struct fg_node *defaults)
{
	note_of(object)->defaults = defaults;
}

/* The first node that is not below n. */
static size_t after(const struct fg_node *n)
{
	const struct fg_json *doc = n->doc;
	size_t i = (size_t)(n - doc->nodes);

	while (i < doc->count && doc->nodes[i].start < n->end)
		i++;
	return i;
}

void fg_node_ignore(const struct fg_node *n)
{
	for (; n; n = note_of(n)->defaults) {
		size_t end = after(n);

		for (size_t i = (size_t)(n - n->doc->nodes); i < end; i++)
			n->doc->notes[i].used = true;
	}
}

/* ------------------------------------------------------- unknown keys */

#define CANDIDATES 64

/* What somebody asked for in the object, oldest last; how many. */
static size_t candidates(const struct fg_node *object,
			 const char *out[CANDIDATES])
{
	const struct asked *a = note_of(object)->asked;
	size_t n = 0;

	for (; a && n < CANDIDATES; a = a->next)
		out[n++] = a->key;
	return n;
}

static void say_unknown(const struct fg_node *key)
{
	const struct fg_node *object = key->parent, *owner = object->parent;
	char shown[FG_SYNTAX_SHORT], name[FG_SYNTAX_SHORT], all[512] = "";
	const char *known[CANDIDATES], *near, *where = "at the top level";
	size_t n = candidates(object, known), len = 0;

	/* of an object in a list, the key that the list is at */
	while (owner && owner->kind != FG_NODE_TEXT)
		owner = owner->parent;
	if (owner) {
		char buf[FG_SYNTAX_SHORT];

		snprintf(name, sizeof(name), "in %.150s",
			 fg_node_describe(owner, buf));
		where = name;
	}
	fg_node_describe(key, shown);
	near = fg_text_nearest(key->text, strlen(key->text), known, n);
	if (near) {
		fg_node_error(key, "unknown key %s %s (did you mean \"%s\"?)",
			      shown, where, near);
		return;
	}
	/* those asked for first are the ones that matter most */
	while (n > 0 && len < sizeof(all) - 80)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%.64s",
					len ? ", " : "", known[--n]);
	if (len)
		fg_node_error(key, "unknown key %s %s (known: %s%s)", shown,
			      where, all, n ? ", ..." : "");
	else
		fg_node_error(key, "unknown key %s %s", shown, where);
}

unsigned fg_node_unknown_keys(const struct fg_node *object)
{
	unsigned found = 0;

	for (uint32_t i = 0; is_object(object) && i < object->count; i++) {
		const struct fg_node *key = object->items[i];

		if (note_of(key)->used)
			continue;
		say_unknown(key);
		found++;
		/* once is enough, and what is in it is no news */
		note_of(key)->used = true;
		fg_node_ignore(value_of(key));
	}
	return found;
}

unsigned fg_json_unknown_keys(const struct fg_json *doc)
{
	unsigned found = 0;

	for (size_t i = 0; i < doc->count; i++)
		found += fg_node_unknown_keys(&doc->nodes[i]);
	return found;
}

/* ------------------------------------------------------------ equality */

static const struct fg_node *peek(const struct fg_node *object, const char *key)
{
	const struct fg_node *own;

	for (; is_object(object); object = note_of(object)->defaults) {
		own = own_key(object, key);
		if (own)
			return value_of(own);
	}
	return NULL;
}

/* Is each key of a in b, and with the same value, if values matter? */
static bool covers(const struct fg_node *b, const struct fg_node *a,
		   bool values)
{
	const struct fg_node *o, *x, *y;

	for (o = a; is_object(o); o = note_of(o)->defaults) {
		for (uint32_t i = 0; i < o->count; i++) {
			y = peek(b, o->items[i]->text);
			if (!y)
				return false;
			if (!values)
				continue;
			x = peek(a, o->items[i]->text);
			if (!fg_node_equal(x, y))
				return false;
		}
	}
	return true;
}

/* Recursion ends at the depth that a document can have. */
bool fg_node_equal(const struct fg_node *a, const struct fg_node *b)
{
	size_t len;

	if (a == b)
		return true;
	if (!a || !b || a->kind != b->kind)
		return false;
	switch (a->kind) {
	case FG_NODE_TEXT:
		return strcmp(a->text, b->text) == 0;
	case FG_NODE_OBJECT:
		return covers(b, a, true) && covers(a, b, false);
	case FG_NODE_LIST:
		if (a->count != b->count)
			return false;
		for (uint32_t i = 0; i < a->count; i++)
			if (!fg_node_equal(a->items[i], b->items[i]))
				return false;
		return true;
	default:
		len = a->end - a->start;
		return len == b->end - b->start &&
		       memcmp(a->doc->text + a->start, b->doc->text + b->start,
			      len) == 0;
	}
}

/* ------------------------------------------------------------- plugins */

static const char *nearest(const char *word, const char *const *list, size_t n)
{
	return fg_text_nearest(word, strlen(word), list, n);
}

const struct fg_config fg_json_config = {
	.size = sizeof(struct fg_config),
	.text = fg_node_text,
	.uint = fg_node_uint,
	.boolean = fg_node_boolean,
	.list = fg_node_list,
	.object = fg_node_object,
	.any = fg_node_any,
	.count = fg_node_count,
	.at = fg_node_at,
	.key_at = fg_node_key_at,
	.as_text = fg_node_as_text,
	.as_uint = fg_node_as_uint,
	.error = fg_node_error,
	.warning = fg_node_warning,
	.nearest = nearest,
};
