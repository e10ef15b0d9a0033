/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h - a JSON document with comments, read whole, every value with its
 * place, so that whoever reads it can say where an error is. Serves struct
 * fg_config of the plugin ABI, and the host's own reading (one way to do it).
 *
 * Getters return 1 found, 0 absent, -EINVAL wrong (said already).
 */
#ifndef FG_POLICY_JSON_H
#define FG_POLICY_JSON_H

#include <stdarg.h>
#include <flowgate/plugin.h>

struct fg_json;

/*
 * Receives each message, "file:line:col: text", without a newline. Columns
 * count characters from 1, a tab is one. After 50 errors, the rest is counted.
 */
struct fg_report {
	void (*say)(void *ctx, enum fg_level level, const char *text);
	void *ctx;
};

/*
 * Parses text (// and # comments allowed) that was read from name. 0; -EINVAL
 * for a syntax error or a key twice in one object (said through report with
 * place and what was expected); -ENOMEM; -E2BIG over 16 MiB or 64 deep.
 */
int fg_json_parse(struct fg_json **out, const char *name, const char *text,
		  size_t len, struct fg_report report);
/* The same from a file; -errno of open/read is said, too ("is a directory"). */
int fg_json_load(struct fg_json **out, const char *path,
		 struct fg_report report);
void fg_json_free(struct fg_json *doc);

const struct fg_node *fg_json_root(const struct fg_json *doc);
/* Errors said so far, in parsing and by fg_node_error(). */
unsigned fg_json_errors(const struct fg_json *doc);
/*
 * Says an error for every key that nobody asked for, with the nearest that
 * was asked for in the same object; returns how many.
 */
unsigned fg_json_unknown_keys(const struct fg_json *doc);
/* The same for the keys of one object, but not for what they hold. */
unsigned fg_node_unknown_keys(const struct fg_node *object);

enum fg_node_kind {
	FG_NODE_NULL,
	FG_NODE_BOOL,
	FG_NODE_NUMBER,
	FG_NODE_TEXT,
	FG_NODE_LIST,
	FG_NODE_OBJECT
};

/*
 * To the getters, an object that is NULL or no object has no keys. Reading a
 * value of an object by fg_node_at() counts as asking for its key.
 */
enum fg_node_kind fg_node_kind(const struct fg_node *n);
int fg_node_text(const struct fg_node *object, const char *key,
		 const char **out);
int fg_node_uint(const struct fg_node *object, const char *key, uint64_t min,
		 uint64_t max, uint64_t *out);
int fg_node_boolean(const struct fg_node *object, const char *key, bool *out);
int fg_node_list(const struct fg_node *object, const char *key,
		 const struct fg_node **out);
int fg_node_object(const struct fg_node *object, const char *key,
		   const struct fg_node **out);
int fg_node_any(const struct fg_node *object, const char *key,
		const struct fg_node **out);
size_t fg_node_count(const struct fg_node *n);
const struct fg_node *fg_node_at(const struct fg_node *n, size_t i);
const char *fg_node_key_at(const struct fg_node *object, size_t i);
/* place of the nth key itself, for errors about the key */
const struct fg_node *fg_node_key_node(const struct fg_node *object, size_t i);
const char *fg_node_as_text(const struct fg_node *n);
int fg_node_as_uint(const struct fg_node *n, uint64_t *out);
int fg_node_as_bool(const struct fg_node *n, bool *out);
/*
 * All keys below, and those of its defaults, count as asked for: a part that is
 * passed over, or that was read before.
 */
void fg_node_ignore(const struct fg_node *n);
/*
 * From now on, keys absent in object are looked up in defaults (target_defaults
 * of its type). Both of the same document.
 */
void fg_node_set_defaults(const struct fg_node *object,
			  const struct fg_node *defaults);
/* Are a and b (of any documents) the same value, defaults included? */
bool fg_node_equal(const struct fg_node *a, const struct fg_node *b);

/*
 * "file:line:col: ..." at the node, which for text is its quote; offset: that
 * many bytes into the (decoded) text, for errors inside an expression.
 */
void fg_node_error(const struct fg_node *at, const char *fmt, ...)
	FG_PRINTF(2, 3);
void fg_node_error_at(const struct fg_node *at, size_t offset, const char *fmt,
		      ...) FG_PRINTF(3, 4);
void fg_node_warning(const struct fg_node *at, const char *fmt, ...)
	FG_PRINTF(2, 3);
void fg_node_notice(const struct fg_node *at, const char *fmt, ...)
	FG_PRINTF(2, 3);
void fg_node_say_at(const struct fg_node *at, enum fg_level level,
		    size_t offset, const char *fmt, ...) FG_PRINTF(4, 5);
void fg_node_say(const struct fg_node *at, enum fg_level level, size_t offset,
		 const char *fmt, va_list ap) FG_PRINTF(4, 0);

/* The functions above, as plugins get them. */
extern const struct fg_config fg_json_config;

#endif
