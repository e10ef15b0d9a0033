/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_log.c - levels, and what becomes of messages that repeat. */
/* LINK: common/host/log.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/log.h"

struct fixture {
	struct fg_log *log;
	int saved, pipe[2];
	char said[65536];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	assert_int_equal(pipe2(f->pipe, O_NONBLOCK), 0);
	f->saved = dup(STDERR_FILENO);
	dup2(f->pipe[1], STDERR_FILENO);
	assert_int_equal(fg_log_new(&f->log, FG_LOG_NOTICE), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dup2(f->saved, STDERR_FILENO);
	close(f->saved);
	close(f->pipe[0]);
	close(f->pipe[1]);
	fg_log_free(f->log);
	free(f);
	return 0;
}

/* What was said since the last call. */
static const char *said(struct fixture *f)
{
	ssize_t n = read(f->pipe[0], f->said, sizeof(f->said) - 1);

	f->said[n > 0 ? n : 0] = '\0';
	return f->said;
}

static void repeat(struct fixture *f, const void *owner, int64_t now,
		   const char *fmt, ...) FG_PRINTF(4, 5);

static void repeat(struct fixture *f, const void *owner, int64_t now,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fg_log_repeated(f->log, owner, "", now, FG_LOG_WARNING, fmt, ap);
	va_end(ap);
}

static void levels_have_names_and_numbers(void **state)
{
	enum fg_level l;

	(void)state;
	assert_true(fg_log_level("error", &l) && l == FG_LOG_ERROR);
	assert_true(fg_log_level("debug", &l) && l == FG_LOG_DEBUG);
	assert_true(fg_log_level("5", &l) && l == FG_LOG_NOTICE);
	assert_false(fg_log_level("2", &l));
	assert_false(fg_log_level("", &l));
	assert_false(fg_log_level("errors", &l));
}

static void less_urgent_is_not_said(void **state)
{
	struct fixture *f = *state;

	fg_log_say(f->log, FG_LOG_INFO, "no");
	assert_string_equal(said(f), "");
	fg_log_say(f->log, FG_LOG_NOTICE, "yes");
	assert_string_equal(said(f), "flowgated: yes\n");
	fg_log_say(f->log, FG_LOG_ERROR, "bad");
	assert_string_equal(said(f), "flowgated: error: bad\n");
	/* a place in a file speaks for itself, and editors jump to it */
	fg_log_text(f->log, FG_LOG_ERROR, "a.json:1:2: bad");
	assert_string_equal(said(f), "a.json:1:2: bad\n");
	fg_log_set_level(f->log, FG_LOG_DEBUG);
	fg_log_say(f->log, FG_LOG_DEBUG, "all");
	assert_string_equal(said(f), "flowgated: debug: all\n");
}

static void the_journal_gets_priorities(void **state)
{
	struct fixture *f = *state;
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	fg_log_free(f->log);
	assert_int_equal(fg_log_new(&f->log, FG_LOG_NOTICE), 0);
	fg_log_say(f->log, FG_LOG_WARNING, "hm");
	assert_string_equal(said(f), "<4>hm\n");
	/* the variable is inherited, the stream need not be: another inode */
	setenv("JOURNAL_STREAM", "1:1", 1);
	fg_log_free(f->log);
	assert_int_equal(fg_log_new(&f->log, FG_LOG_NOTICE), 0);
	fg_log_say(f->log, FG_LOG_WARNING, "hm");
	assert_string_equal(said(f), "flowgated: warning: hm\n");
	unsetenv("JOURNAL_STREAM");
}

static void nothing_reaches_the_terminal_raw(void **state)
{
	struct fixture *f = *state;

	fg_log_say(f->log, FG_LOG_NOTICE, "a\x1b[31mb\nc\xff");
	assert_string_equal(said(f), "flowgated: a\\x1b[31mb\\x0ac\\xff\n");
}

static void repeats_are_thinned_out(void **state)
{
	struct fixture *f = *state;
	int owner = 0;

	repeat(f, &owner, 1000, "full");
	assert_string_equal(said(f), "flowgated: warning: full\n");
	for (int i = 1; i <= 100; i++)
		repeat(f, &owner, 1000 + i, "full");
	assert_string_equal(said(f), "");
	/* the first interval is over: once more, with the number */
	repeat(f, &owner, 6000, "full");
	assert_string_equal(
		said(f),
		"flowgated: warning: full (and 100 times more since)\n");
	/* the next is twice as long */
	repeat(f, &owner, 15999, "full");
	assert_string_equal(said(f), "");
	repeat(f, &owner, 16000, "full");
	assert_string_equal(
		said(f), "flowgated: warning: full (and 1 time more since)\n");
}

static void the_end_is_said(void **state)
{
	struct fixture *f = *state;
	int owner = 0;

	repeat(f, &owner, 1000, "full");
	repeat(f, &owner, 2000, "full");
	said(f);
	assert_int_equal(fg_log_tick(f->log, 3000), 12000);
	assert_string_equal(said(f), "");
	assert_int_equal(fg_log_tick(f->log, 12000), INT64_MAX);
	assert_string_equal(said(f), "flowgated: warning: full (1 time more, "
				     "the last 10 s ago; over since)\n");
	/* and then it is news again */
	repeat(f, &owner, 13000, "full");
	assert_string_equal(said(f), "flowgated: warning: full\n");
	/* one that did not repeat has no end to be said */
	assert_int_equal(fg_log_tick(f->log, 99000), INT64_MAX);
	assert_string_equal(said(f), "");
}

static void places_are_apart(void **state)
{
	struct fixture *f = *state;
	int a = 0, b = 0;

	repeat(f, &a, 1000, "full");
	repeat(f, &b, 1000, "full");
	repeat(f, &a, 1000, "empty");
	assert_string_equal(said(f), "flowgated: warning: full\n"
				     "flowgated: warning: full\n"
				     "flowgated: warning: empty\n");
	/* whoever has gone leaves nothing to his successor at that address */
	fg_log_forget(f->log, &a);
	repeat(f, &a, 1001, "full");
	assert_string_equal(said(f), "flowgated: warning: full\n");
}

/* One place with other words each time: a few are news, the rest is noise. */
static void words_that_differ(void **state)
{
	struct fixture *f = *state;
	int owner = 0, lines = 0;

	for (int i = 0; i < 1000; i++)
		repeat(f, &owner, 1000 + i, "no %d", i);
	for (const char *p = said(f); (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_in_range(lines, 2, 8);
}

/* Nobody reads our standard error: that does not hold us up. */
static void a_full_pipe_does_not_block(void **state)
{
	struct fixture *f = *state;
	char line[1000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 500; i++) /* 64 KiB are its room */
		fg_log_say(f->log, FG_LOG_NOTICE, "%s", line);
	while (*said(f))
		;
	fg_log_say(f->log, FG_LOG_NOTICE, "again");
	assert_non_null(strstr(said(f), "messages before this one were lost"));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_have_names_and_numbers),
		T(less_urgent_is_not_said),
		T(the_journal_gets_priorities),
		T(nothing_reaches_the_terminal_raw),
		T(repeats_are_thinned_out),
		T(the_end_is_said),
		T(places_are_apart),
		T(words_that_differ),
		T(a_full_pipe_does_not_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
