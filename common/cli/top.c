/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top.c - a live screen: what is going on, and whether all is well. */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define HOME	    "\033[H"
#define CLEAR_LINE  "\033[K"
#define CLEAR_BELOW "\033[J"
#define CLEAR_ALL   "\033[2J"
#define PLAIN	    "\033[0m"
#define CURSOR_OFF  "\033[?25l"
#define CURSOR_ON   "\033[?25h"

struct screen {
	const struct fg_top_options *options;
	struct termios was;
	bool raw;     /* the terminal is ours: put it back */
	int signals;  /* signalfd: resize, end */
	sigset_t old; /* signal mask */
};

static void size_of(const struct screen *s, unsigned *rows, unsigned *columns)
{
	struct winsize w;

	*rows = 24;
	*columns = 80;
	if (s->options->batch) {
		/* a page for a file or a mail: as long as it gets */
		*rows = 500;
		*columns = 132;
		return;
	}
	/* a serial line knows no size: 24 x 80 fits it */
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_row && w.ws_col) {
		*rows = w.ws_row;
		*columns = w.ws_col;
	}
}

/* Bytes of the line that fit into the columns; colours have no width. */
static size_t fitting(const char *line, size_t len, unsigned columns)
{
	size_t i = 0;

	while (i < len) {
		if (line[i] == '\033') {
			while (i < len && line[i] != 'm')
				i++;
		} else if ((line[i] & 0xc0) != 0x80 && columns-- == 0) {
			break;
		}
		i++;
	}
	return i < len ? i : len;
}

/*
 * Each line over what was there before; no newline after the last one. A line
 * is cut where it would wrap, and push others off the screen. It is cleared
 * first: at its end the cursor may still be on the last character.
 */
static void draw(const struct screen *s, const char *page, unsigned rows,
		 unsigned columns)
{
	const char *end;

	fputs(HOME, stdout);
	for (unsigned i = 0; i < rows && *page; i++) {
		end = strchrnul(page, '\n');
		if (i)
			fputs("\r\n", stdout);
		fputs(CLEAR_LINE, stdout);
		fwrite(page, 1, fitting(page, (size_t)(end - page), columns),
		       stdout);
		if (s->options->colour)
			fputs(PLAIN, stdout);
		page = *end ? end + 1 : end;
	}
	fputs(CLEAR_BELOW, stdout);
}

static int show_page(const struct screen *s, char *err, size_t errlen)
{
	unsigned rows, columns;
	char request[64];
	size_t len;
	char *page;
	int error;

	size_of(s, &rows, &columns);
	snprintf(request, sizeof(request), "%stop %u %u",
		 s->options->colour ? "-c " : "", rows, columns);
	error = fg_client_body(s->options->socket, request, &page, &len, err,
			       errlen);
	if (error)
		return error;
	if (s->options->batch)
		fwrite(page, 1, len, stdout);
	else
		draw(s, page, rows, columns);
	free(page);
	if (!fflush(stdout))
		return 0;
	error = -errno;
	snprintf(err, errlen, "standard output: %s", strerror(-error));
	return error;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the next page is due: 0; 1: enough. */
static int wait_until(const struct screen *s, int64_t deadline)
{
	struct pollfd fds[2] = {
		{.fd = s->signals, .events = POLLIN},
		{.fd = s->raw ? STDIN_FILENO : -1, .events = POLLIN},
	};
	struct signalfd_siginfo info;
	int64_t left;
	char key;

	while ((left = deadline - now_ms()) > 0) {
		if (poll(fds, 2, (int)left) <= 0)
			continue;
		if (fds[0].revents & POLLIN) {
			if (read(s->signals, &info, sizeof(info)) !=
			    sizeof(info))
				return 1;
			if (info.ssi_signo != SIGWINCH)
				return 1;
			fputs(CLEAR_ALL, stdout);
			return 0;
		}
		if (fds[1].revents) {
			if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' ||
			    key == 'Q' || key == 3)
				return 1;
			if (key == ' ')
				return 0;
		}
	}
	return 0;
}

static void begin(struct screen *s)
{
	struct termios raw;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &s->old);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (s->options->batch)
		return;
	if (!tcgetattr(STDIN_FILENO, &s->was)) {
		raw = s->was;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		s->raw = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	fputs(CURSOR_OFF CLEAR_ALL, stdout);
}

static void end(struct screen *s)
{
	if (!s->options->batch)
		fputs(CURSOR_ON "\r\n", stdout);
	fflush(stdout);
	if (s->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &s->was);
	if (s->signals >= 0)
		close(s->signals);
	sigprocmask(SIG_SETMASK, &s->old, NULL);
}

int fg_top_run(const struct fg_top_options *o, char *err, size_t errlen)
{
	struct screen s = {.options = o, .signals = -1};
	int64_t due = now_ms();
	int error;

	begin(&s);
	for (unsigned long n = 1;; n++) {
		error = show_page(&s, err, errlen);
		if (error || n == o->count)
			break;
		due += o->interval_ms;
		if (wait_until(&s, due))
			break;
		if (due < now_ms())
			due = now_ms();
	}
	end(&s);
	return error;
}
