/* SPDX-License-Identifier: GPL-2.0-or-later */
/* announce.c - attributes in the order of their paths, nested by objects. */
#include "announce.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

/* What a message has besides attributes. */
enum { DIGEST = FG_ATTR_COUNT, TYPE, KEYS };

#define KEY_TEXT    40 /* "detected_application_name": with quotes and colon */
#define OBJECTS_MAX 64

struct object {
	char key[KEY_TEXT]; /* "flow":{ */
	uint8_t key_len;
	uint8_t in; /* the object that it is in; the first is the message */
	const char *path;
	size_t path_len; /* with the dot */
};

struct key {
	char key[KEY_TEXT]; /* "ip_nat": */
	uint8_t key_len;
	uint8_t object;
	uint8_t what; /* an attribute, or one of the above */
	uint8_t kind;
};

struct fg_announcer {
	const struct fg_flow_table *table;
	const struct fg_catalog *catalog;
	size_t object_count;
	struct object objects[OBJECTS_MAX];
	struct key keys[KEYS];
};

static const struct {
	const char *path;
	enum fg_kind kind;
} keys[KEYS] = {
#define X(name, path, kind, store) {path, FG_KIND_##kind},
	FG_ATTRIBUTES(X)
#undef X
		[DIGEST] = {"flow.digest", FG_KIND_TEXT},
	[TYPE] = {"type", FG_KIND_TEXT},
};

/* What a message of a type says; flow: all that there is. */
static const bool in_purge[KEYS] = {
	[DIGEST] = true,
	[TYPE] = true,
	[FG_ATTR_INTERFACE] = true,
	[FG_ATTR_INTERNAL] = true,
	[FG_ATTR_REASON] = true,
	[FG_ATTR_DETECTION_PACKETS] = true,
	[FG_ATTR_FIRST_SEEN] = true,
	[FG_ATTR_LAST_SEEN] = true,
	[FG_ATTR_TOTAL_BYTES] = true,
	[FG_ATTR_TOTAL_PACKETS] = true,
};
static const bool in_complete[KEYS] = {
	[DIGEST] = true,
	[TYPE] = true,
	[FG_ATTR_INTERFACE] = true,
	[FG_ATTR_INTERNAL] = true,
};

static const struct {
	const char *name;
	const bool *keys; /* NULL: all */
} types[FG_MESSAGE_TYPE_COUNT] = {
	[FG_MESSAGE_FLOW] = {"flow", NULL},
	[FG_MESSAGE_FLOW_DPI_COMPLETE] = {"flow_dpi_complete", in_complete},
	[FG_MESSAGE_FLOW_PURGE] = {"flow_purge", in_purge},
};

/* ------------------------------------------------------------ new and free */

/* Paths that begin alike stand together: all that is in one object. */
static int by_path(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return strcmp(keys[x->what].path, keys[y->what].path);
}

/* The object of the first len bytes of path, which end with a dot. */
static uint8_t find_object(struct fg_announcer *a, const char *path, size_t len)
{
	size_t up = 0;
	struct object *o;
	uint8_t in;

	for (size_t i = 0; i < a->object_count; i++)
		if (a->objects[i].path_len == len &&
		    memcmp(a->objects[i].path, path, len) == 0)
			return (uint8_t)i;
	for (size_t i = 0; i + 1 < len; i++)
		if (path[i] == '.')
			up = i + 1;
	/* one recursion for each dot of a path of our own table */
	in = find_object(a, path, up);
	o = &a->objects[a->object_count];
	o->in = in;
	o->path = path;
	o->path_len = len;
	o->key_len = (uint8_t)snprintf(o->key, KEY_TEXT, "\"%.*s\":{",
				       (int)(len - up - 1), path + up);
	return (uint8_t)a->object_count++;
}

int fg_announcer_new(struct fg_announcer **out, const struct fg_flow_table *t,
		     const struct fg_catalog *c)
{
	struct fg_announcer *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->table = t;
	a->catalog = c;
	a->object_count = 1;
	a->objects[0].path = "";
	for (size_t i = 0; i < KEYS; i++)
		a->keys[i] = (struct key){.what = (uint8_t)i,
					  .kind = (uint8_t)keys[i].kind};
	qsort(a->keys, KEYS, sizeof(*a->keys), by_path);
	for (size_t i = 0; i < KEYS; i++) {
		struct key *k = &a->keys[i];
		const char *path = keys[k->what].path;
		const char *dot = strrchr(path, '.');
		size_t up = dot ? (size_t)(dot + 1 - path) : 0;

		k->object = find_object(a, path, up);
		k->key_len = (uint8_t)snprintf(k->key, KEY_TEXT,
					       "\"%s\":", path + up);
	}
	*out = a;
	return 0;
}

void fg_announcer_free(struct fg_announcer *a)
{
	free(a);
}

/* ----------------------------------------------------------------- writing */

struct writer {
	char *buf;
	size_t size;
	size_t len;
	bool overfull;
	bool first; /* nothing is in this object yet */
	uint8_t in; /* which object that is */
};

static void put(struct writer *w, const char *p, size_t len)
{
	if (w->overfull || len > w->size - w->len) {
		w->overfull = true;
		return;
	}
	memcpy(w->buf + w->len, p, len);
	w->len += len;
}

static void put_uint(struct writer *w, uint64_t u)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	put(w, digits + at, sizeof(digits) - at);
}

static void put_text(struct writer *w, struct fg_slice text)
{
	size_t room = w->size - w->len, need;

	if (w->overfull)
		return;
	need = fg_text_json(text, w->buf + w->len, room);
	if (need > room)
		w->overfull = true;
	else
		w->len += need;
}

static void put_word(struct writer *w, const char *word)
{
	put_text(w, fg_slice(word, strlen(word)));
}

/* JSON as the agent wrote it, maybe over many lines. */
static void put_list(struct writer *w, struct fg_slice list)
{
	const char *p = list.ptr, *end = p + list.len;

	while (p < end) {
		struct fg_slice text = {.ptr = p + 1};

		if (*p != '"') {
			if (!strchr(" \n\r\t", *p))
				put(w, p, 1);
			p++;
			continue;
		}
		for (p++; p < end && *p != '"'; p++)
			if (*p == '\\') {
				text.flags = FG_SLICE_ESCAPED;
				p++;
			}
		if (p >= end)
			return; /* no list: the reader saw to that */
		text.len = (uint32_t)(p++ - text.ptr);
		put_text(w, text);
	}
}

static const char *other_type(uint64_t type)
{
	static const char *const names[FG_OTHER_COUNT] = {
		[FG_OTHER_UNKNOWN] = "unknown",
		[FG_OTHER_LOCAL] = "local",
		[FG_OTHER_REMOTE] = "remote",
		[FG_OTHER_MULTICAST] = "multicast",
		[FG_OTHER_BROADCAST] = "broadcast",
		[FG_OTHER_UNSUPPORTED] = "unsupported",
		[FG_OTHER_ERROR] = "error",
	};

	return names[type < FG_OTHER_COUNT ? type : FG_OTHER_UNKNOWN];
}

/* Of the bytes alone, an IPv6 address that ends in zeros could be IPv4. */
static int version_of(const struct fg_announcer *a, const struct fg_flow *flow,
		      unsigned attr, const uint8_t addr[16])
{
	static const uint8_t zero[12];
	union fg_value v = {.u = flow->ip_version};

	if (memcmp(addr + 4, zero, sizeof(zero)) != 0)
		return 6;
	if ((attr == FG_ATTR_GTP_LOCAL_IP || attr == FG_ATTR_GTP_OTHER_IP) &&
	    !fg_flow_get(a->table, flow, FG_ATTR_GTP_IP_VERSION, &v))
		return 4;
	return v.u == 6 ? 6 : 4;
}

static void put_value(struct writer *w, enum fg_kind kind, int version,
		      const union fg_value *v)
{
	char text[FG_ADDR_TEXT];
	int n;

	switch (kind) {
	case FG_KIND_UINT:
		put_uint(w, v->u);
		break;
	case FG_KIND_BOOL:
		put(w, v->u ? "true" : "false", v->u ? 4 : 5);
		break;
	case FG_KIND_REAL:
		/* what the table keeps is a float */
		n = snprintf(text, sizeof(text), "%.9g", v->r);
		put(w, text, (size_t)n);
		break;
	case FG_KIND_HEX:
		n = snprintf(text, sizeof(text), "\"0x%04llx\"",
			     (unsigned long long)v->u);
		put(w, text, (size_t)n);
		break;
	case FG_KIND_TEXT:
		put_text(w, v->text);
		break;
	case FG_KIND_ADDR:
		put_word(w, fg_addr_format(version, v->addr, text));
		break;
	case FG_KIND_MAC:
		put_word(w, fg_mac_format(v->mac, text));
		break;
	case FG_KIND_LIST:
		put_list(w, v->text);
		break;
	case FG_KIND_OTHER_TYPE:
		put_word(w, other_type(v->u));
		break;
	}
}

/* Closes and opens objects until the one that we are in is the wanted one. */
static void enter(struct writer *w, const struct fg_announcer *a,
		  uint8_t wanted)
{
	uint8_t in, next;

	while (w->in != wanted) {
		/* is it in this one, or in one that this one has? */
		next = wanted;
		for (in = a->objects[next].in; next && in != w->in;
		     in = a->objects[next].in)
			next = in;
		if (next) {
			if (!w->first)
				put(w, ",", 1);
			put(w, a->objects[next].key, a->objects[next].key_len);
			w->in = next;
			w->first = true;
		} else {
			put(w, "}", 1);
			w->in = a->objects[w->in].in;
			w->first = false;
		}
	}
}

/* ----------------------------------------------------------------- reading */

static bool name_of(const struct fg_announcer *a, enum fg_name kind,
		    uint32_t id, union fg_value *out)
{
	const char *name = "Unknown"; /* what agents call it */

	if (id)
		name = fg_catalog_name(a->catalog, kind, id);
	if (name)
		out->text = fg_slice(name, strlen(name));
	return name != NULL;
}

static struct fg_slice hex(const uint8_t digest[FG_DIGEST_SIZE],
			   char text[2 * FG_DIGEST_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < FG_DIGEST_SIZE; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	return fg_slice(text, 2 * FG_DIGEST_SIZE);
}

size_t fg_announcer_say(const struct fg_announcer *a,
			const struct fg_flow *flow, enum fg_message_type type,
			const char *reason, char *buf, size_t size)
{
	struct writer w = {.buf = buf, .size = size, .first = true};
	char digest[2 * FG_DIGEST_SIZE];

	if ((unsigned)type >= FG_MESSAGE_TYPE_COUNT || !types[type].name ||
	    !size)
		return 0;
	w.size--; /* a NUL ends it */
	put(&w, "{", 1);
	for (size_t i = 0; i < KEYS; i++) {
		const struct key *k = &a->keys[i];
		const bool *said = types[type].keys;
		int version = 0;
		union fg_value v;
		bool has;

		if (said && !said[k->what])
			continue;
		switch (k->what) {
		case DIGEST:
			v.text = hex(flow->digest, digest);
			has = true;
			break;
		case TYPE:
			v.text = fg_slice(types[type].name,
					  strlen(types[type].name));
			has = true;
			break;
		case FG_ATTR_REASON:
			has = reason && type == FG_MESSAGE_FLOW_PURGE;
			if (has)
				v.text = fg_slice(reason, strlen(reason));
			break;
		case FG_ATTR_APPLICATION_NAME:
			has = name_of(a, FG_NAME_APPLICATION, flow->application,
				      &v);
			break;
		case FG_ATTR_PROTOCOL_NAME:
			has = name_of(a, FG_NAME_PROTOCOL, flow->protocol, &v);
			break;
		default:
			has = fg_flow_get(a->table, flow, (enum fg_attr)k->what,
					  &v);
		}
		if (!has)
			continue;
		if (k->kind == FG_KIND_ADDR)
			version = version_of(a, flow, k->what, v.addr);
		enter(&w, a, k->object);
		if (!w.first)
			put(&w, ",", 1);
		w.first = false;
		put(&w, k->key, k->key_len);
		put_value(&w, (enum fg_kind)k->kind, version, &v);
	}
	put(&w, "}", 1); /* the type is last, and in no object */
	if (w.overfull)
		return 0;
	buf[w.len] = '\0';
	return w.len;
}
