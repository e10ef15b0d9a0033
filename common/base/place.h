/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h - whether a file could be made somewhere; looks, changes nothing. */
#ifndef FG_BASE_PLACE_H
#define FG_BASE_PLACE_H

#include <stddef.h>

/*
 * Is folder one that this process may make files in? 0, or -errno with a
 * sentence in why. Limits that come later (another user, a read-only view of
 * the file system under systemd) are not known here.
 */
int fg_place_check(const char *folder, char *why, size_t size);
/* The same of the folder that the file at path is to be in. */
int fg_place_check_file(const char *path, char *why, size_t size);

#endif
