/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_place.c - whether a file could be made somewhere, and what is said. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/place.h"

static char folder[] = "/tmp/flowgate-place-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void folders(void **state)
{
	char why[256] = "";

	(void)state;
	assert_int_equal(fg_place_check(folder, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_int_equal(fg_place_check("/tmp/no such", why, sizeof(why)),
			 -ENOENT);
	assert_non_null(strstr(why, "make it (install -d /tmp/no such)"));
	assert_int_equal(fg_place_check("/proc/self/status", why, sizeof(why)),
			 -ENOTDIR);
	assert_string_equal(why, "/proc/self/status is not a folder");
	assert_int_equal(
		fg_place_check("/proc/self/status/x", why, sizeof(why)),
		-ENOTDIR);
}

static void names(void **state)
{
	char path[PATH_MAX + 2], why[64] = "";

	(void)state;
	snprintf(path, sizeof(path), "%s/a", folder);
	assert_int_equal(fg_place_check_file(path, why, sizeof(why)), 0);
	snprintf(path, sizeof(path), "%s/a/b", folder);
	assert_int_equal(fg_place_check_file(path, why, sizeof(why)), -ENOENT);
	assert_int_equal(fg_place_check_file("a", why, sizeof(why)),
			 access(".", W_OK) ? -EACCES : 0);
	assert_int_equal(fg_place_check_file("/a", why, sizeof(why)),
			 access("/", W_OK) ? -EACCES : 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 2] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(fg_place_check_file(path, why, sizeof(why)),
			 -ENAMETOOLONG);
	assert_string_equal(why, "its path is too long");
	/* as long as it may be, and yet more than the system takes */
	memmove(path, path + 2, sizeof(path) - 2);
	assert_int_equal(fg_place_check_file(path, why, sizeof(why)),
			 -ENAMETOOLONG);
}

/* 1: as another user it is said who may not. */
static int tried_as_nobody(void)
{
	char why[256] = "";

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 2;
	return fg_place_check(folder, why, sizeof(why)) == -EACCES &&
	       strstr(why, "user 65534 may not write to the folder");
}

static void another_user(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	pid = fork();
	if (!pid)
		_exit(tried_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders),
		cmocka_unit_test(names),
		cmocka_unit_test(another_user),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
