/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep.c - locks and hand-over files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/kept.h"
#include "keep.h"

/* 2 million elements of the longest keys; more is not ours. */
#define HANDOVER_MAX ((size_t)256 << 20)

const char *fg_keep_path(char path[FG_KEEP_PATH], const char *dir,
			 const char *family, const char *table, const char *set)
{
	char readable[49];
	struct stat ns;
	uint64_t id;
	size_t i;
	int n;

	path[0] = '\0';
	if (!dir[0] || stat("/proc/self/ns/net", &ns) < 0)
		return path;
	/* the hash tells apart what looks the same, the rest is for people */
	id = fg_hash(family, strlen(family), ns.st_ino);
	id = fg_hash(table, strlen(table), id);
	id = fg_hash(set, strlen(set), id);
	for (i = 0; i < sizeof(readable) - 1 && set[i]; i++)
		readable[i] =
			(set[i] >= 'a' && set[i] <= 'z') ||
					(set[i] >= 'A' && set[i] <= 'Z') ||
					(set[i] >= '0' && set[i] <= '9')
				? set[i]
				: '_';
	readable[i] = '\0';
	n = snprintf(path, FG_KEEP_PATH, "%s/nftset-%s-%016llx", dir, readable,
		     (unsigned long long)id);
	if (n < 0 || n >= FG_KEEP_PATH - 16)
		path[0] = '\0';
	return path;
}

static void with_ending(char out[FG_KEEP_PATH], const char *path,
			const char *ending)
{
	snprintf(out, FG_KEEP_PATH, "%s%s", path, ending);
}

int fg_keep_lock(const char *path, int *fd, pid_t *owner)
{
	char name[FG_KEEP_PATH], text[24];
	int err;
	ssize_t n;

	with_ending(name, path, ".lock");
	*owner = 0;
	*fd = open(name,
		   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		   0600);
	if (*fd < 0)
		return -errno;
	/* somebody may have laid out a file that he keeps locked, or a link */
	if (!fg_kept_is_own(*fd, name)) {
		close(*fd);
		*fd = -1;
		return -EPERM;
	}
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		n = pread(*fd, text, sizeof(text) - 1, 0);
		if (n > 0) {
			text[n] = '\0';
			*owner = (pid_t)strtol(text, NULL, 10);
		}
		close(*fd);
		*fd = -1;
		return err;
	}
	/* only for the sentence that another one says: no harm if it fails */
	n = snprintf(text, sizeof(text), "%d\n", getpid());
	if (ftruncate(*fd, 0) < 0 || pwrite(*fd, text, (size_t)n, 0) < 0)
		return 0;
	return 0;
}

int fg_keep_write(const char *path, const void *data, size_t len)
{
	char name[FG_KEEP_PATH];
	struct fg_kept k;
	int err;

	with_ending(name, path, ".leases");
	err = fg_kept_create(&k, name);
	if (err)
		return err;
	return fg_kept_end(&k, fg_kept_write(&k, data, len));
}

int fg_keep_take(const char *path, void **data, size_t *len)
{
	char name[FG_KEEP_PATH];
	uint64_t size;
	int fd, err;

	with_ending(name, path, ".leases");
	*data = NULL;
	err = fg_kept_take(name, &fd, &size);
	if (err)
		return err;
	err = -EINVAL;
	if (size > HANDOVER_MAX)
		goto out;
	*len = (size_t)size;
	err = -ENOMEM;
	*data = malloc(*len);
	if (*data)
		err = fg_kept_read(fd, *data, *len);
out:
	close(fd);
	if (err) {
		free(*data);
		*data = NULL;
	}
	return err;
}
