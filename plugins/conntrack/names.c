/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c - the names of connection labels, as connlabel.conf has them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "names.h"

/* 128 labels of 255 characters are 33 kB; comments may be longer than that. */
#define FILE_MAX (1 << 20)

struct fg_names {
	size_t count;
	const char *name[FG_LABEL_BITS];
	uint8_t bit[FG_LABEL_BITS];
	char *text;
};

static int fail(char *err, size_t errlen, int value, const char *fmt, ...)
	FG_PRINTF(4, 5);
static int fail(char *err, size_t errlen, int value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, errlen, fmt, ap);
	va_end(ap);
	return value;
}

/* Where name is, or would be. */
static size_t position(const struct fg_names *n, const char *name, bool *found)
{
	size_t low = 0, high = n->count;

	*found = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(n->name[mid], name);

		if (!order) {
			*found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void insert(struct fg_names *n, size_t at, const char *name, uint8_t bit)
{
	size_t after = n->count - at;

	memmove(&n->name[at + 1], &n->name[at], after * sizeof(*n->name));
	memmove(&n->bit[at + 1], &n->bit[at], after);
	n->name[at] = name;
	n->bit[at] = bit;
	n->count++;
}

/* One line, NUL-terminated; its name is kept as a pointer into it. */
static int parse_line(struct fg_names *n, const char *path, unsigned number,
		      char *line, unsigned max_bits, char *err, size_t errlen)
{
	static const char blank[] = " \t\r";
	char *save = NULL, *bit, *name;
	uint64_t u;
	size_t at;
	bool found;

	line[strcspn(line, "#")] = '\0';
	bit = strtok_r(line, blank, &save);
	if (!bit)
		return 0;
	name = strtok_r(NULL, blank, &save);
	if (!name || strtok_r(NULL, blank, &save) ||
	    !fg_text_uint(bit, strlen(bit), &u))
		return fail(err, errlen, -EINVAL,
			    "%s:%u: expected a bit and a name, as in "
			    "\"1 games\"",
			    path, number);
	if (u > max_bits)
		return fail(err, errlen, -ERANGE,
			    "%s:%u: bit %llu of \"%s\" is above max_bits, %u",
			    path, number, (unsigned long long)u, name,
			    max_bits);
	at = position(n, name, &found);
	if (found && n->bit[at] == u)
		return 0;
	if (found)
		return fail(err, errlen, -EEXIST,
			    "%s:%u: \"%s\" is bit %u already", path, number,
			    name, n->bit[at]);
	if (n->count == FG_LABEL_BITS)
		return fail(err, errlen, -E2BIG, "%s:%u: more than %d names",
			    path, number, FG_LABEL_BITS);
	insert(n, at, name, (uint8_t)u);
	return 0;
}

int fg_names_parse(struct fg_names **out, const char *path, const char *text,
		   size_t len, unsigned max_bits, char *err, size_t errlen)
{
	struct fg_names *n = calloc(1, sizeof(*n));
	unsigned number = 1;
	int ret = -ENOMEM;
	char *line, *end;

	if (n)
		n->text = malloc(len + 1);
	if (!n || !n->text)
		goto no_memory;
	memcpy(n->text, text, len);
	n->text[len] = '\0';
	for (line = n->text; line < n->text + len; line = end + 1, number++) {
		end = memchr(line, '\n', (size_t)(n->text + len - line));
		if (!end)
			end = n->text + len;
		*end = '\0';
		ret = parse_line(n, path, number, line, max_bits, err, errlen);
		if (ret)
			goto fail;
	}
	*out = n;
	return 0;
no_memory:
	fail(err, errlen, 0, "%s: out of memory", path);
fail:
	fg_names_free(n);
	return ret;
}

int fg_names_load(struct fg_names **out, const char *path, unsigned max_bits,
		  char *err, size_t errlen)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len;
	int ret;

	if (!file)
		return fail(err, errlen, -errno, "%s: %s", path,
			    strerror(errno));
	text = malloc(FILE_MAX);
	if (!text) {
		ret = fail(err, errlen, -ENOMEM, "%s: out of memory", path);
		goto out;
	}
	len = fread(text, 1, FILE_MAX, file);
	if (ferror(file))
		ret = fail(err, errlen, -EIO, "%s: can't be read", path);
	else if (len == FILE_MAX)
		ret = fail(err, errlen, -EFBIG, "%s: over 1 MiB", path);
	else
		ret = fg_names_parse(out, path, text, len, max_bits, err,
				     errlen);
out:
	free(text);
	fclose(file);
	return ret;
}

void fg_names_free(struct fg_names *n)
{
	if (!n)
		return;
	free(n->text);
	free(n);
}

int fg_names_bit(const struct fg_names *n, const char *name)
{
	bool found = false;
	size_t at = n ? position(n, name, &found) : 0;

	return found ? n->bit[at] : -1;
}

size_t fg_names_all(const struct fg_names *n, const char *const **out)
{
	if (!n)
		return 0;
	*out = n->name;
	return n->count;
}

unsigned fg_names_bit_at(const struct fg_names *n, size_t i)
{
	return n->bit[i];
}
