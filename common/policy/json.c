/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.c - a JSON document, its values, and what to say about them. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "../base/text.h"
#include "document.h"
#include "syntax.h"

#define SIZE_LIMIT (16u << 20)
/* More than anybody reads; a binary file has thousands. */
#define ERRORS_SHOWN 50

/* ----------------------------------------------------------- messages */

void fg_json_say(struct fg_json *doc, enum fg_level level, size_t offset,
		 const char *message)
{
	char line[2048], shown[2048];
	unsigned row, column;
	int n;

	if (level == FG_LOG_ERROR && ++doc->errors > ERRORS_SHOWN) {
		if (doc->errors > ERRORS_SHOWN + 1)
			return;
		message = "too many errors: the rest is not shown";
	}
	fg_syntax_place(doc->text, offset, &row, &column);
	n = snprintf(line, sizeof(line), "%s:%u:%u: %s", doc->name, row, column,
		     message);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	/* it may quote anything out of the file, whoever wrote it */
	fg_text_printable(fg_slice(line, (size_t)n), shown, sizeof(shown));
	doc->report.say(doc->report.ctx, level, shown);
}

static void syntax_error(void *ctx, size_t offset, const char *message)
{
	fg_json_say(ctx, FG_LOG_ERROR, offset, message);
}

static void FG_PRINTF(3, 4) complain(struct fg_report report, const char *name,
				     const char *fmt, ...)
{
	char message[256], line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "%s: %s", name, message);
	report.say(report.ctx, FG_LOG_ERROR, line);
}

/* ------------------------------------------------------------ reading */

static int by_name(const void *a, const void *b)
{
	const struct fg_node *x = *(const struct fg_node *const *)a;
	const struct fg_node *y = *(const struct fg_node *const *)b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x > y) - (x < y);
}

static enum fg_node_kind kind_of(const jsmntok_t *t, const char *text)
{
	switch (t->type) {
	case JSMN_OBJECT:
		return FG_NODE_OBJECT;
	case JSMN_ARRAY:
		return FG_NODE_LIST;
	case JSMN_STRING:
		return FG_NODE_TEXT;
	default:
		break;
	}
	switch (text[t->start]) {
	case 't':
	case 'f':
		return FG_NODE_BOOL;
	case 'n':
		return FG_NODE_NULL;
	default:
		return FG_NODE_NUMBER;
	}
}

/* Nodes from tokens; every token is one, in the same order. */
static void read_tokens(struct fg_json *doc, const jsmntok_t *tokens)
{
	const struct fg_node **links = doc->links;
	char *strings = doc->strings;

	for (size_t i = 0; i < doc->count; i++) {
		const jsmntok_t *t = &tokens[i];
		struct fg_node *n = &doc->nodes[i], *parent;
		struct fg_slice raw = {doc->text + t->start,
				       (uint32_t)(t->end - t->start), 0};

		n->doc = doc;
		n->kind = kind_of(t, doc->text);
		n->start = (uint32_t)t->start;
		n->end = (uint32_t)t->end;
		if (t->type == JSMN_STRING) {
			n->start--;
			n->end++;
			if (memchr(raw.ptr, '\\', raw.len))
				raw.flags = FG_SLICE_ESCAPED;
			n->text = strings;
			strings += fg_text_decode(raw, strings, raw.len);
			*strings++ = '\0';
		} else if (t->type != JSMN_PRIMITIVE) {
			n->items = links;
			links += t->size;
			n->sorted = links;
			links += t->type == JSMN_OBJECT ? t->size : 0;
		}
		if (t->parent < 0)
			continue;
		parent = &doc->nodes[t->parent];
		n->parent = parent;
		if (parent->items)
			parent->items[parent->count++] = n;
	}
}

/* Sorts the keys of every object; a key that is there twice is an error. */
static void sort_keys(struct fg_json *doc)
{
	char key[FG_SYNTAX_SHORT];
	unsigned line, column;

	for (size_t i = 0; i < doc->count; i++) {
		const struct fg_node *n = &doc->nodes[i], *first = NULL;

		if (n->kind != FG_NODE_OBJECT)
			continue;
		memcpy(n->sorted, n->items, n->count * sizeof(*n->sorted));
		qsort(n->sorted, n->count, sizeof(*n->sorted), by_name);
		for (uint32_t k = 0; k < n->count; k++) {
			const struct fg_node *this = n->sorted[k];

			if (!first || strcmp(first->text, this->text) != 0) {
				first = this;
				continue;
			}
			fg_syntax_place(doc->text, first->start, &line,
					&column);
			fg_node_error(this,
				      "%s is here twice: the first is at "
				      "%u:%u",
				      fg_node_describe(this, key), line,
				      column);
		}
	}
}

static int build(struct fg_json *doc)
{
	jsmn_parser parser;
	jsmntok_t *tokens;
	int ret, n;

	/* a token is a link of its parent, and once more when it is a key */
	tokens = calloc(doc->count, sizeof(*tokens));
	doc->nodes = calloc(doc->count, sizeof(*doc->nodes));
	doc->notes = calloc(doc->count, sizeof(*doc->notes));
	doc->links = calloc(2 * doc->count, sizeof(*doc->links));
	/* each text loses its two quotes and gains a NUL */
	doc->strings = malloc(doc->len);
	ret = -ENOMEM;
	if (!tokens || !doc->nodes || !doc->notes || !doc->links ||
	    !doc->strings)
		goto out;
	jsmn_init(&parser);
	n = jsmn_parse(&parser, doc->text, doc->len, tokens,
		       (unsigned)doc->count);
	ret = -EINVAL;
	if (n < 0 || (size_t)n != doc->count) {
		fg_json_say(doc, FG_LOG_ERROR, parser.pos, "this is not JSON");
		goto out;
	}
	read_tokens(doc, tokens);
	sort_keys(doc);
	ret = doc->errors ? -EINVAL : 0;
out:
	free(tokens);
	return ret;
}

/* Takes text, whose room is len + 1, over. */
static int parse(struct fg_json **out, const char *name, char *text, size_t len,
		 struct fg_report report)
{
	struct fg_json *doc;
	int ret = -ENOMEM;

	doc = calloc(1, sizeof(*doc));
	if (!doc) {
		free(text);
		goto no_memory;
	}
	doc->report = report;
	doc->len = len;
	doc->text = text;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): -errno is not 0 */
	text[len] = '\0';
	doc->name = strdup(name);
	if (!doc->name)
		goto fail;
	ret = fg_syntax_check(text, len,
			      (struct fg_syntax_report){syntax_error, doc},
			      &doc->count);
	if (ret == 0)
		ret = build(doc);
	if (ret)
		goto fail;
	*out = doc;
	return 0;
fail:
	fg_json_free(doc);
no_memory:
	if (ret == -ENOMEM)
		complain(report, name, "out of memory");
	return ret;
}

int fg_json_parse(struct fg_json **out, const char *name, const char *text,
		  size_t len, struct fg_report report)
{
	char *copy;

	if (len > SIZE_LIMIT) {
		complain(report, name, "larger than %u MiB", SIZE_LIMIT >> 20);
		return -E2BIG;
	}
	copy = malloc(len + 1);
	if (!copy) {
		complain(report, name, "out of memory");
		return -ENOMEM;
	}
	memcpy(copy, text, len);
	return parse(out, name, copy, len, report);
}

/* Reads until the end, or one byte more than is allowed. */
static int read_all(int fd, char **out, size_t *len)
{
	size_t room = 0, used = 0;
	char *text = NULL, *larger;
	ssize_t n;
	int ret;

	do {
		if (used == room) {
			room = room ? 2 * room : 4096;
			if (room > SIZE_LIMIT + 1)
				room = SIZE_LIMIT + 1;
			larger = realloc(text, room + 1);
			if (!larger) {
				ret = -ENOMEM;
				goto fail;
			}
			text = larger;
		}
		n = read(fd, text + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = -errno;
			goto fail;
		}
		used += (size_t)n;
	} while (n != 0 && used <= SIZE_LIMIT);
	*out = text;
	*len = used;
	return 0;
fail:
	free(text);
	return ret;
}

int fg_json_load(struct fg_json **out, const char *path,
		 struct fg_report report)
{
	char *text = NULL;
	size_t len = 0;
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		goto fail;
	}
	ret = read_all(fd, &text, &len);
	close(fd);
	if (ret)
		goto fail;
	if (len > SIZE_LIMIT) {
		free(text);
		complain(report, path, "larger than %u MiB", SIZE_LIMIT >> 20);
		return -E2BIG;
	}
	return parse(out, path, text, len, report);
fail:
	switch (ret) {
	case -ENOENT:
		complain(report, path,
			 "no such file: write one, see "
			 "flowgate.json(5), or name another with -c");
		break;
	case -EISDIR:
		complain(report, path, "is a directory: name a file in it");
		break;
	case -EACCES:
		complain(report, path,
			 "user %u may not read it: change its owner or mode, "
			 "or be root",
			 (unsigned)geteuid());
		break;
	default:
		complain(report, path, "can't read it: %s", strerror(-ret));
		break;
	}
	return ret;
}

void fg_json_free(struct fg_json *doc)
{
	if (!doc)
		return;
	for (size_t i = 0; doc->notes && i < doc->count; i++) {
		struct asked *a = doc->notes[i].asked, *next;

		for (; a; a = next) {
			next = a->next;
			free(a);
		}
	}
	free(doc->strings);
	free(doc->links);
	free(doc->notes);
	free(doc->nodes);
	free(doc->text);
	free(doc->name);
	free(doc);
}

const struct fg_node *fg_json_root(const struct fg_json *doc)
{
	return doc->nodes;
}

unsigned fg_json_errors(const struct fg_json *doc)
{
	return doc->errors;
}
