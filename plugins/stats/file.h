/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.h - a file that is replaced as a whole, beside the loop.
 *
 * Readers see the old or the new content, never a part: it is written under
 * another name in the same directory and renamed.
 */
#ifndef FG_STATS_FILE_H
#define FG_STATS_FILE_H

#include <flowgate/plugin.h>

#include "buffer.h"

struct fg_file;

/*
 * path: the configuration's, kept. turn: tells two that write the same path
 * apart. mode: of the file. 0 or -ENOMEM.
 */
int fg_file_new(struct fg_file **out, const struct fg_host *host,
		const char *path, unsigned turn, unsigned mode);
/* No job may be pending. */
void fg_file_free(struct fg_file *f);

/* Where the new content goes, empty; NULL: the last is not written yet. */
struct fg_buffer *fg_file_begin(struct fg_file *f);
/*
 * Writes what is in the buffer, as a job, or, at the end, at once. What fails
 * is said once, and once more when it is over.
 */
void fg_file_write(struct fg_file *f, bool at_once);
/* The last write's outcome: 0 or -errno. */
int fg_file_error(const struct fg_file *f);
uint64_t fg_file_written(const struct fg_file *f);
uint64_t fg_file_failures(const struct fg_file *f);

/* All of a file, at most max bytes, freed by the caller. 0 or -errno. */
int fg_file_read(const char *path, size_t max, char **text, size_t *len);

#endif
