/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - JSON text in the middle of a page. */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* report.html, as the Makefile turns it into numbers */
static const char page[] = {
#include "common/cli/report.inc"
};

static const char place[] = "@REPORT@";

/*
 * In JSON, these only stand in strings, where an escape means the same: so
 * nothing can end the script element that holds the text, nor begin another.
 */
static void write_json(FILE *out, const char *json, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		if (json[i] != '<' && json[i] != '>' && json[i] != '&')
			continue;
		fwrite(json + from, 1, i - from, out);
		fprintf(out, "\\u%04x", (unsigned)json[i]);
		from = i + 1;
	}
	fwrite(json + from, 1, len - from, out);
}

int fg_report_write(FILE *out, const char *json, size_t len)
{
	const char *at = memmem(page, sizeof(page), place, sizeof(place) - 1);
	const char *rest = at + sizeof(place) - 1;

	errno = 0; /* what stays in it is what the first failure left */
	fwrite(page, 1, (size_t)(at - page), out);
	write_json(out, json, len);
	fwrite(rest, 1, sizeof(page) - (size_t)(rest - page), out);
	if (ferror(out) || fflush(out))
		return errno ? -errno : -EIO;
	return 0;
}

int fg_report_save(const char *path, const char *json, size_t len)
{
	mode_t mask = umask(077);
	char *other = NULL;
	FILE *out;
	int fd = -1, err;

	umask(mask);
	if (asprintf(&other, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(other);
	if (fd < 0) {
		err = -errno;
		free(other);
		return err;
	}
	out = fdopen(fd, "w");
	if (!out) {
		err = -errno;
		close(fd);
		goto fail;
	}
	err = fg_report_write(out, json, len);
	/* as any program's file: mkstemp() is stricter than that */
	if (fchmod(fd, 0666 & ~mask) < 0 && !err)
		err = -errno;
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(other, path) < 0)
		err = -errno;
fail:
	if (err)
		unlink(other);
	free(other);
	return err;
}
