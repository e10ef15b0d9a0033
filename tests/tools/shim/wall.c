/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wall.c - preloaded, makes it WALL (seconds of the epoch) when a program starts,
 * for tests of schedules. The clock goes on from there, and is set by so many
 * seconds more or less as the file WALL_MOVED says at any time.
 *
 *	cc -shared -fPIC -o wall.so wall.c; LD_PRELOAD=wall.so WALL=0 program
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset;
static int moved = -1;

static int real(clockid_t id, struct timespec *ts)
{
	return (int)syscall(SYS_clock_gettime, id, ts);
}

__attribute__((constructor)) static void start(void)
{
	const char *wall = getenv("WALL"), *file = getenv("WALL_MOVED");
	struct timespec now;

	if (wall && !real(CLOCK_REALTIME, &now))
		offset = atol(wall) - now.tv_sec;
	if (file)
		moved = open(file, O_RDONLY | O_CLOEXEC);
}

static long total(void)
{
	char text[32];
	ssize_t n = moved < 0 ? -1 : pread(moved, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return offset;
	text[n] = '\0';
	return offset + atol(text);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = real(id, ts);

	if (!rc && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += total();
	return rc;
}

int gettimeofday(struct timeval *tv, void *tz)
{
	struct timespec ts;

	(void)tz;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
