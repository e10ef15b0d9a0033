/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept.h - files in the runtime directory that one run keeps for the next.
 *
 * Whoever else can write to that directory must not choose what is written to
 * nor what is read: no link is followed, what is written is a new file under a
 * new name, what is read is a plain file with one name that nobody else can
 * write to, of ours, root's, or the folder's owner's (who we are to become, when
 * started by root). What is in it is to be checked all the same.
 */
#ifndef FG_BASE_KEPT_H
#define FG_BASE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it a plain file, of ours or root's, whose only name is path? */
bool fg_kept_is_own(int fd, const char *path);

/*
 * A file that is there under its name when all of it is written. Until then
 * it is path with ".new" behind it, and what was under path before is gone.
 */
struct fg_kept {
	int fd;
	const char *path; /* the caller's, until it ends */
};

/* 0 or -errno, as all of these; then there is nothing to end. */
int fg_kept_create(struct fg_kept *k, const char *path);
int fg_kept_write(struct fg_kept *k, const void *data, size_t len);
/* Where err is not 0, nothing is left of it. Returns err, or what failed. */
int fg_kept_end(struct fg_kept *k, int err);

/*
 * To read it, once: its name is gone then, whatever it is. *fd is the caller's
 * to close. -ENOENT: there is none; -EINVAL: not such a file, or empty.
 */
int fg_kept_take(const char *path, int *fd, uint64_t *size);
/* Exactly len bytes; -EINVAL: there are fewer. */
int fg_kept_read(int fd, void *data, size_t len);

#endif
