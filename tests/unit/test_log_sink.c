/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_log_sink.c - files, intervals, loggers; full disks and lost sockets. */
/* LINK: plugins/log/sink.c */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../plugins/log/sink.h"

/* -------------------------------------------------------------- the host */

static int64_t clock_now, clock_wall;
static struct fg_job *in_flight;
static bool deferred;
static unsigned errors_said, notices_said;
static char said[512];

static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...) FG_PRINTF(3, 4);
static void host_log(const struct fg_host *h, enum fg_level level,
		     const char *fmt, ...)
{
	va_list ap;

	(void)h;
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	errors_said += level == FG_LOG_ERROR;
	notices_said += level == FG_LOG_NOTICE;
}

static int64_t host_now(const struct fg_host *h)
{
	(void)h;
	return clock_now;
}

static int64_t host_wall(const struct fg_host *h)
{
	(void)h;
	return clock_wall;
}

static void host_timer_set(const struct fg_host *h, struct fg_timer *t,
			   int64_t deadline)
{
	(void)h;
	t->deadline = deadline;
}

static void host_timer_cancel(const struct fg_host *h, struct fg_timer *t)
{
	(void)h;
	t->deadline = 0;
}

static int host_submit(const struct fg_host *h, struct fg_job *job)
{
	(void)h;
	if (deferred) {
		assert_null(in_flight);
		in_flight = job;
		return 0;
	}
	job->run(job);
	job->done(job);
	return 0;
}

static void land(void)
{
	struct fg_job *job = in_flight;

	in_flight = NULL;
	job->run(job);
	job->done(job);
}

static const struct fg_host host = {
	.log = host_log,
	.now = host_now,
	.wall = host_wall,
	.timer_set = host_timer_set,
	.timer_cancel = host_timer_cancel,
	.submit = host_submit,
};

/* -------------------------------------------------------------- helpers */

static char dir[] = "/tmp/fg-log-XXXXXX", path[256], err[512];
static struct fg_sink *sink;
static struct fg_sink_counts counts;

static const char *in_dir(const char *name)
{
	static char full[4][256];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(full[turn], sizeof(full[turn]), "%s/%s", dir, name);
	return full[turn];
}

static int open_kind(enum fg_sink_kind kind, const char *where, size_t size)
{
	struct fg_sink_setup setup = {.host = &host,
				      .name = "t",
				      .kind = kind,
				      .path = where,
				      .prefix = "p",
				      .suffix = ".x",
				      .interval_s =
					      kind == FG_SINK_INTERVAL ? 60 : 0,
				      .size = size};

	return fg_sink_open(&sink, &setup, err, sizeof(err));
}

static void put_bytes(const char *text, size_t len)
{
	size_t size;
	char *to = fg_sink_room(sink, &size);

	if (len > size)
		len = 0;
	memcpy(to, text, len);
	fg_sink_commit(sink, len);
}

static void put(const char *text)
{
	put_bytes(text, strlen(text));
}

static const char *content(const char *file)
{
	static char text[8192];
	FILE *f = fopen(file, "r");
	size_t n;

	if (!f)
		return "(none)";
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static unsigned files(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static int setup(void **state)
{
	(void)state;
	clock_now = 1000;
	clock_wall = 1700000000000;
	in_flight = NULL;
	deferred = false;
	errors_said = notices_said = 0;
	sink = NULL;
	strcpy(dir, "/tmp/fg-log-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/log", dir);
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	(void)state;
	fg_sink_close(sink);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

/* ---------------------------------------------------------------- cases */

static void test_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(open_kind(FG_SINK_FILE, path, 1024), 0);
	put("one\n");
	assert_string_equal(content(path), "");
	fg_sink_flush(sink);
	assert_string_equal(content(path), "one\n");
	put("two\n");
	fg_sink_close(sink); /* writes what waits */
	assert_string_equal(content(path), "one\ntwo\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777 & ~0640u, 0);
	/* appended to */
	assert_int_equal(open_kind(FG_SINK_FILE, path, 1024), 0);
	put("three\n");
	fg_sink_flush(sink);
	assert_string_equal(content(path), "one\ntwo\nthree\n");
}

static void test_rotation(void **state)
{
	(void)state;
	assert_int_equal(open_kind(FG_SINK_FILE, path, 1024), 0);
	put("one\n");
	fg_sink_flush(sink);
	assert_int_equal(rename(path, in_dir("log.1")), 0);
	put("two\n");
	fg_sink_flush(sink);
	assert_string_equal(content(in_dir("log.1")), "one\ntwo\n");
	fg_sink_reopen(sink);
	put("three\n");
	fg_sink_flush(sink);
	assert_string_equal(content(in_dir("log.1")), "one\ntwo\n");
	assert_string_equal(content(path), "three\n");
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(open_kind(FG_SINK_FILE, in_dir("no/such"), 64),
			 -ENOENT);
	/* whoever can write to the folder may not choose what is written to */
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(open_kind(FG_SINK_FILE, path, 64), -ELOOP);
	assert_non_null(strstr(err, "a symbolic link"));
	assert_int_equal(unlink(path), 0);
	fclose(fopen(in_dir("victim"), "w"));
	assert_int_equal(link(in_dir("victim"), path), 0);
	assert_int_equal(open_kind(FG_SINK_FILE, path, 64), -EMLINK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	/* ENXIO: nobody reads it; and it does not hang */
	assert_int_equal(open_kind(FG_SINK_FILE, path, 64), -ENXIO);
	assert_int_equal(unlink(path), 0);
	if (geteuid() == 0) {
		fclose(fopen(path, "w"));
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(open_kind(FG_SINK_FILE, path, 64), -EPERM);
	}
	assert_null(sink);
}

static void test_interval(void **state)
{
	(void)state;
	assert_int_equal(open_kind(FG_SINK_INTERVAL, dir, 1024), 0);
	fg_sink_flush(sink);
	assert_int_equal(files(), 0); /* only when there is something */
	put("one\n");
	fg_sink_flush(sink);
	clock_wall += 19000;
	put("two\n");
	fg_sink_flush(sink);
	assert_int_equal(files(), 1);
	/* 22:13:20 is in the interval that began at 22:13:00 */
	assert_string_equal(content(in_dir("p-20231114-221300.x")),
			    "one\ntwo\n");
	clock_wall += 60000;
	fg_sink_flush(sink);
	assert_int_equal(files(), 1);
	put("three\n");
	fg_sink_flush(sink);
	assert_string_equal(content(in_dir("p-20231114-221400.x")), "three\n");
	/* what another run left is neither written to nor lost */
	fg_sink_close(sink);
	assert_int_equal(open_kind(FG_SINK_INTERVAL, dir, 1024), 0);
	put("four\n");
	fg_sink_flush(sink);
	assert_string_equal(content(in_dir("p-20231114-221400-1.x")), "four\n");
	/* nor is what somebody laid out */
	assert_int_equal(
		symlink("/tmp/fg-log-elsewhere", in_dir("p-20231114-221500.x")),
		0);
	clock_wall += 60000;
	put("five\n");
	fg_sink_flush(sink);
	assert_string_equal(content(in_dir("p-20231114-221500-1.x")), "five\n");
	assert_int_equal(access("/tmp/fg-log-elsewhere", F_OK), -1);
}

static void limit(rlim_t bytes)
{
	struct rlimit r = {bytes, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void test_full_disk(void **state)
{
	(void)state;
	assert_int_equal(open_kind(FG_SINK_FILE, path, 32), 0);
	limit(6);
	put("one\n");
	fg_sink_flush(sink);
	put("two\n");
	fg_sink_flush(sink); /* two bytes of it go in */
	fg_sink_counts(sink, &counts);
	assert_int_equal(counts.error, -EFBIG);
	assert_int_equal(errors_said, 1);
	for (int i = 0; i < 20; i++) {
		put("more\n");
		fg_sink_flush(sink);
	}
	fg_sink_counts(sink, &counts);
	/* six of five bytes fit; nothing was tried before its time */
	assert_int_equal(counts.dropped, 14);
	assert_int_equal(counts.failures, 1);
	clock_now += 1000;
	fg_sink_flush(sink);
	fg_sink_counts(sink, &counts);
	assert_int_equal(counts.failures, 2);
	assert_int_equal(errors_said, 1); /* once */
	limit(RLIM_INFINITY);
	clock_now += 1000;
	fg_sink_flush(sink);
	fg_sink_flush(sink);
	assert_int_equal(notices_said, 1);
	assert_non_null(strstr(said, "records lost: 14"));
	assert_string_equal(content(path),
			    "one\ntwo\nmore\nmore\nmore\nmore\nmore\nmore\n");
	fg_sink_counts(sink, &counts);
	assert_int_equal(counts.written, 8);
	assert_int_equal(counts.error, 0);
	assert_int_equal(counts.waiting, 0);
}

/* The second half of a record may not begin another file. */
static void test_full_then_rotated(void **state)
{
	(void)state;
	assert_int_equal(open_kind(FG_SINK_FILE, path, 64), 0);
	limit(6);
	put("one\n");
	put("two\n");
	put("three\n");
	fg_sink_flush(sink);
	assert_int_equal(rename(path, in_dir("log.1")), 0);
	limit(RLIM_INFINITY);
	fg_sink_reopen(sink);
	assert_string_equal(content(in_dir("log.1")), "one\ntw");
	assert_string_equal(content(path), "three\n");
}

static void test_header(void **state)
{
	struct fg_sink_setup s = {.host = &host,
				  .name = "t",
				  .kind = FG_SINK_FILE,
				  .path = path,
				  .header = "a,b\n",
				  .size = 64};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fg_sink_open(&sink, &s, err, sizeof(err)), 0);
		put("1,2\n");
		fg_sink_flush(sink);
		fg_sink_close(sink);
	}
	sink = NULL;
	/* once a file, not once a run */
	assert_string_equal(content(path), "a,b\n1,2\n1,2\n");
}

static void test_while_in_flight(void **state)
{
	(void)state;
	assert_int_equal(open_kind(FG_SINK_FILE, path, 16), 0);
	deferred = true;
	put("one\n");
	fg_sink_flush(sink);
	put("two\n");
	fg_sink_flush(sink);
	land();
	assert_string_equal(content(path), "one\n");
	/* what came meanwhile is next: maybe nobody else ever calls flush */
	assert_non_null(in_flight);
	put("three, four\n"); /* over half full: does not wait for flush */
	land();
	assert_string_equal(content(path), "one\ntwo\n");
	land();
	assert_string_equal(content(path), "one\ntwo\nthree, four\n");
}

static int logger(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", in_dir("socket"));
	unlink(addr.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void test_datagram(void **state)
{
	char got[64];
	int fd;

	(void)state;
	/* it may come later */
	assert_int_equal(open_kind(FG_SINK_DATAGRAM, in_dir("socket"), 64), 0);
	put_bytes("one", 4);
	fg_sink_flush(sink);
	assert_int_equal(errors_said, 1);
	fd = logger();
	put_bytes("two", 4);
	clock_now += 1000;
	fg_sink_flush(sink);
	fg_sink_flush(sink);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 3);
	assert_memory_equal(got, "one", 3);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 3);
	assert_memory_equal(got, "two", 3);
	/* and may be started anew */
	close(fd);
	fd = logger();
	put_bytes("three", 6);
	fg_sink_flush(sink);
	clock_now += 1000;
	fg_sink_flush(sink);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 5);
	fg_sink_counts(sink, &counts);
	assert_int_equal(counts.written, 3);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_file),	   T(test_rotation),
		T(test_refused),   T(test_interval),
		T(test_full_disk), T(test_full_then_rotated),
		T(test_header),	   T(test_while_in_flight),
		T(test_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
