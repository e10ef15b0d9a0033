/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.c - clock_gettime() and qsort(). */
#include "clock.h"

#include <err.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		err(1, "clock");
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_cpu(pid_t pid)
{
	clockid_t id;

	if (clock_getcpuclockid(pid, &id))
		errx(1, "process %d has gone", (int)pid);
	return read_clock(id);
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t clock_quantile(int64_t *values, size_t count, double part)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[(size_t)((double)(count - 1) * part)];
}
