/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keep.h - files in the runtime directory: one lock and one hand-over a set.
 *
 * Names are made of the set's and of the network namespace: two flowgated in
 * two namespaces may share the directory. No link is followed, nothing there is
 * believed before it was checked.
 */
#ifndef FG_NFTSET_KEEP_H
#define FG_NFTSET_KEEP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Room for a path here. */
#define FG_KEEP_PATH 512

/*
 * The path of a set's file without its ending; dir "" or too long: "", and then
 * nothing is kept. Returns path.
 */
const char *fg_keep_path(char path[FG_KEEP_PATH], const char *dir,
			 const char *family, const char *table,
			 const char *set);

/*
 * Takes the lock of path; it is held until *fd is closed, or the process ends.
 * 0; -EBUSY: another process has it (*owner, or 0); else -errno.
 */
int fg_keep_lock(const char *path, int *fd, pid_t *owner);

/* Replaces the hand-over as a whole. 0 or -errno; then there is none. */
int fg_keep_write(const char *path, const void *data, size_t len);
/*
 * Reads it and removes it: it is true only once. *data is to be freed. -ENOENT:
 * there is none; -EINVAL: not a plain file of ours; else -errno.
 */
int fg_keep_take(const char *path, void **data, size_t *len);

#endif
