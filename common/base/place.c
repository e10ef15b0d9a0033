/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.c - whether a file could be made somewhere. */
#include "place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fg_place_check(const char *folder, char *why, size_t size)
{
	struct stat st;
	int err = 0;

	/* first: root may not enter a file either, which would mislead */
	if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
		err = -ENOTDIR;
	else if (access(folder, W_OK | X_OK) < 0)
		err = -errno;
	switch (err) {
	case 0:
		break;
	case -ENOENT:
		snprintf(why, size,
			 "there is no folder %s: make it (install -d %s)",
			 folder, folder);
		break;
	case -ENOTDIR:
		snprintf(why, size, "%s is not a folder", folder);
		break;
	case -EACCES:
		snprintf(why, size,
			 "user %u may not write to the folder %s: change its "
			 "owner or mode, or take another",
			 (unsigned)geteuid(), folder);
		break;
	default:
		snprintf(why, size, "the folder %s: %s", folder,
			 strerror(-err));
	}
	return err;
}

int fg_place_check_file(const char *path, char *why, size_t size)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= sizeof(folder)) {
		snprintf(why, size, "its path is too long");
		return -ENAMETOOLONG;
	}
	if (!slash)
		strcpy(folder, ".");
	else if (!len)
		strcpy(folder, "/");
	else
		snprintf(folder, sizeof(folder), "%.*s", (int)len, path);
	return fg_place_check(folder, why, size);
}
