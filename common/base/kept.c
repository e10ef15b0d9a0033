/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept.c - writes beside, renames; reads what is ours. */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_own(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       (st->st_uid == 0 || st->st_uid == geteuid());
}

bool fg_kept_is_own(int fd, const char *path)
{
	struct stat opened, st;

	/* names come and go: at one moment this is the only one of it */
	return fstat(fd, &opened) == 0 && lstat(path, &st) == 0 &&
	       st.st_ino == opened.st_ino && st.st_dev == opened.st_dev &&
	       is_own(&st);
}

/* Whoever owns its folder may put into that what he likes anyway. */
static bool is_of_folder(const struct stat *st, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat dir;

	if (!slash || slash == path || slash - path >= (long)sizeof(folder))
		return false;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	return lstat(folder, &dir) == 0 && S_ISDIR(dir.st_mode) &&
	       S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       dir.st_uid == st->st_uid;
}

/* ----------------------------------------------------------------- writing */

static int name_new(char name[PATH_MAX], const char *path)
{
	int n = snprintf(name, PATH_MAX, "%s.new", path);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int fg_kept_create(struct fg_kept *k, const char *path)
{
	char name[PATH_MAX];
	int err = name_new(name, path);

	if (err)
		return err;
	/* left by a run that was killed, or put there by someone */
	unlink(name);
	unlink(path);
	k->path = path;
	k->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		     0600);
	return k->fd < 0 ? -errno : 0;
}

int fg_kept_write(struct fg_kept *k, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(k->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fg_kept_end(struct fg_kept *k, int err)
{
	char name[PATH_MAX];

	if (close(k->fd) < 0 && !err)
		err = -errno;
	k->fd = -1;
	name_new(name, k->path);
	if (!err && rename(name, k->path) < 0)
		err = -errno;
	if (err)
		unlink(name);
	return err;
}

/* ----------------------------------------------------------------- reading */

int fg_kept_take(const char *path, int *fd, uint64_t *size)
{
	struct stat st = {0};
	int err = -EINVAL;

	/* a FIFO must not make us wait */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd < 0)
		err = errno == ELOOP ? -EINVAL : -errno;
	else if (fstat(*fd, &st) < 0)
		err = -errno;
	else if ((is_own(&st) || is_of_folder(&st, path)) &&
		 !(st.st_mode & (S_IWGRP | S_IWOTH)) && st.st_size > 0)
		err = 0;
	if (err != -ENOENT)
		unlink(path);
	if (!err)
		*size = (uint64_t)st.st_size;
	else if (*fd >= 0)
		close(*fd);
	return err;
}

int fg_kept_read(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EINVAL;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
