/* SPDX-License-Identifier: GPL-2.0-or-later */
/* privilege.c - gives up what is not needed. */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

int fg_user_find(struct fg_user *out, const char *name, char *err, size_t len)
{
	struct passwd *pw = getpwnam(name);
	uint64_t uid;

	if (!pw && fg_text_uint(name, strlen(name), &uid) && uid < UINT32_MAX)
		pw = getpwuid((uid_t)uid);
	if (!pw) {
		snprintf(err, len,
			 "there is no user \"%s\" (useradd --system %s)", name,
			 name);
		return -ENOENT;
	}
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	snprintf(out->name, sizeof(out->name), "%s", pw->pw_name);
	return 0;
}

/* Only the kernel knows: a child becomes the user, and asks. */
int fg_user_may_read(const struct fg_user *user, const char *path)
{
	int status = 0;
	pid_t child;

	if (geteuid() != 0)
		return 0;
	child = fork();
	if (child == 0) {
		if (initgroups(user->name, user->gid) < 0 ||
		    setresgid(user->gid, user->gid, user->gid) < 0 ||
		    setresuid(user->uid, user->uid, user->uid) < 0)
			_exit(0);
		_exit(access(path, R_OK) < 0 ? errno : 0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 0;
}

static int failed(const char *what, const struct fg_user *user, char *err,
		  size_t len)
{
	int error = errno;

	snprintf(err, len,
		 "cannot become user %s: %s: %s (in a service whose "
		 "capabilities are bounded: take \"user\" out of the "
		 "configuration, and let the service manager do it)",
		 user->name, what, strerror(error));
	return -error;
}

/* Without libcap: two words of bits, of which we want one. */
static int keep_net_admin(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = 1u << CAP_NET_ADMIN,
		 .permitted = 1u << CAP_NET_ADMIN},
	};

	return (int)syscall(SYS_capset, &header, data);
}

int fg_privilege_drop(const struct fg_user *user, char *err, size_t len)
{
	if (geteuid() == user->uid && user->uid != 0)
		return 0;
	if (geteuid() != 0) {
		snprintf(
			err, len,
			"cannot become user %s: only root can (start flowgated "
			"as root, or as that user with CAP_NET_ADMIN)",
			user->name);
		return -EPERM;
	}
	/* While we may: nothing can be gained from it any more. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (cap != CAP_NET_ADMIN && prctl(PR_CAPBSET_DROP, cap) < 0)
			return failed("bounding set", user, err, len);
	if (initgroups(user->name, user->gid) < 0)
		return failed("groups", user, err, len);
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return failed("group", user, err, len);
	if (prctl(PR_SET_KEEPCAPS, 1) < 0)
		return failed("keeping capabilities", user, err, len);
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return failed("user", user, err, len);
	if (keep_net_admin() < 0)
		return failed("capabilities", user, err, len);
	return 0;
}

void fg_privilege_no_new(void)
{
	/* Cannot fail on any kernel since 3.5. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
