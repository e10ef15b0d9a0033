/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privilege.h - from root to a user of its own that may only configure the
 * network (CAP_NET_ADMIN).
 *
 * Capabilities are per thread: call it before there are others.
 */
#ifndef FG_HOST_PRIVILEGE_H
#define FG_HOST_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct fg_user {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* A name or a number. 0, or -ENOENT with a sentence in err. */
int fg_user_find(struct fg_user *out, const char *name, char *err, size_t len);
/*
 * As root: could that user read path, once we are it? 0 or -errno; also 0 when
 * it cannot be found out.
 */
int fg_user_may_read(const struct fg_user *user, const char *path);
/*
 * Becomes user, for good, with CAP_NET_ADMIN alone. 0 (also when we are that
 * user and not root), or -errno with a sentence in err: then do not go on.
 */
int fg_privilege_drop(const struct fg_user *user, char *err, size_t len);
/* No program that we might run gets more than we have. */
void fg_privilege_no_new(void);

#endif
