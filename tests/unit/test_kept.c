/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_kept.c - files that one run keeps for the next, in a directory where
 * others may have put something first.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/kept.h"

static char folder[] = "/tmp/flowgate-kept-XXXXXX";
static char path[64], new[64], victim[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/kept", folder);
	snprintf(new, sizeof(new), "%s/kept.new", folder);
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int clean(void **state)
{
	(void)state;
	unlink(path);
	unlink(new);
	unlink(victim);
	return 0;
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

/* Takes it; its text, or "" with what is wrong in *err. */
static const char *taken(int *err)
{
	static char text[32];
	uint64_t size = 0;
	int fd;

	memset(text, 0, sizeof(text));
	*err = fg_kept_take(path, &fd, &size);
	if (*err)
		return text;
	assert_in_range(size, 1, sizeof(text) - 1);
	/* it has no name any more */
	assert_false(fg_kept_is_own(fd, path));
	assert_int_equal(fg_kept_read(fd, text, size), 0);
	/* and no more */
	assert_int_equal(fg_kept_read(fd, text + size, 1), -EINVAL);
	close(fd);
	return text;
}

static void there_and_back(void **state)
{
	struct fg_kept k;
	struct stat st;
	int err;

	(void)state;
	put(path, "old", 0600);
	assert_int_equal(fg_kept_create(&k, path), 0);
	assert_true(fg_kept_is_own(k.fd, new));
	assert_false(fg_kept_is_own(k.fd, path));
	put(victim, "", 0600);
	assert_false(fg_kept_is_own(k.fd, victim));
	/* not there until all of it is, and the old one is not either */
	assert_false(is_there(path));
	assert_int_equal(fg_kept_write(&k, "ab", 2), 0);
	assert_int_equal(fg_kept_write(&k, "c", 1), 0);
	assert_false(is_there(path));
	assert_int_equal(fg_kept_end(&k, 0), 0);
	assert_false(is_there(new));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(taken(&err), "abc");
	/* once */
	assert_false(is_there(path));
	taken(&err);
	assert_int_equal(err, -ENOENT);
}

static void nothing_is_left_of_a_failure(void **state)
{
	struct fg_kept k;
	char far[8192];

	(void)state;
	assert_int_equal(fg_kept_create(&k, path), 0);
	assert_int_equal(fg_kept_write(&k, "half", 4), 0);
	assert_int_equal(fg_kept_end(&k, -EIO), -EIO);
	assert_false(is_there(path) || is_there(new));
	/* a full disk */
	k.fd = open("/dev/full", O_WRONLY);
	k.path = path;
	assert_int_equal(fg_kept_write(&k, "x", 1), -ENOSPC);
	assert_int_equal(fg_kept_end(&k, -ENOSPC), -ENOSPC);
	assert_false(is_there(path) || is_there(new));
	/* somebody takes it away in between */
	assert_int_equal(fg_kept_create(&k, path), 0);
	unlink(new);
	assert_int_equal(fg_kept_end(&k, 0), -ENOENT);
	/* written, and yet not */
	assert_int_equal(fg_kept_create(&k, path), 0);
	close(k.fd);
	assert_int_equal(fg_kept_write(&k, "x", 1), -EBADF);
	assert_int_equal(fg_kept_end(&k, 0), -EBADF);
	assert_false(is_there(path) || is_there(new));
	memset(far, 'x', sizeof(far));
	far[sizeof(far) - 1] = '\0';
	assert_int_equal(fg_kept_create(&k, far), -ENAMETOOLONG);
	assert_int_equal(fg_kept_create(&k, "/nonexistent/x"), -ENOENT);
}

/* What was put under our names is neither written to nor followed. */
static void writes_to_its_own_alone(void **state)
{
	struct fg_kept k;
	char text[8] = "";
	int fd, err;

	(void)state;
	put(victim, "theirs", 0644);
	for (int hard = 0; hard < 2; hard++) {
		assert_int_equal(
			hard ? link(victim, new) : symlink(victim, new), 0);
		assert_int_equal(
			hard ? link(victim, path) : symlink(victim, path), 0);
		assert_int_equal(fg_kept_create(&k, path), 0);
		assert_int_equal(fg_kept_write(&k, "ours", 4), 0);
		assert_int_equal(fg_kept_end(&k, 0), 0);
		assert_string_equal(taken(&err), "ours");
	}
	fd = open(victim, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 6);
	close(fd);
	assert_string_equal(text, "theirs");
}

static void takes_its_own_alone(void **state)
{
	int err;

	(void)state;
	put(victim, "theirs", 0644);
	assert_int_equal(symlink(victim, path), 0);
	taken(&err);
	assert_int_equal(err, -EINVAL);
	assert_false(is_there(path));
	/* one that has another name, too, where it can be written to */
	assert_int_equal(link(victim, path), 0);
	taken(&err);
	assert_int_equal(err, -EINVAL);
	assert_true(is_there(victim));
	/* would make us wait */
	assert_int_equal(mkfifo(path, 0600), 0);
	taken(&err);
	assert_int_equal(err, -EINVAL);
	assert_false(is_there(path));
	put(path, "", 0600);
	taken(&err);
	assert_int_equal(err, -EINVAL);
	put(path, "x", 0620);
	taken(&err);
	assert_int_equal(err, -EINVAL);
	put(path, "x", 0602);
	taken(&err);
	assert_int_equal(err, -EINVAL);
	put(path, "x", 0644);
	assert_string_equal(taken(&err), "x");
	if (geteuid() == 0) {
		put(path, "x", 0600);
		assert_int_equal(chown(path, 65534, 65534), 0);
		taken(&err);
		assert_int_equal(err, -EINVAL);
		/* the folder's owner, who we were before a restart */
		put(path, "x", 0600);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(chown(folder, 65534, 65534), 0);
		assert_string_equal(taken(&err), "x");
		put(path, "x", 0600);
		assert_int_equal(chown(path, 65533, 65533), 0);
		taken(&err);
		assert_int_equal(err, -EINVAL);
		assert_int_equal(chown(folder, 0, 0), 0);
	}
	assert_int_equal(fg_kept_read(-1, &err, 1), -EBADF);
	assert_false(fg_kept_is_own(-1, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(there_and_back, clean),
		cmocka_unit_test_teardown(nothing_is_left_of_a_failure, clean),
		cmocka_unit_test_teardown(writes_to_its_own_alone, clean),
		cmocka_unit_test_teardown(takes_its_own_alone, clean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
