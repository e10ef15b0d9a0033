/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - nanoseconds of the wall, of a process; the middle of many. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t clock_wall(void);
/* CPU time of a process, all its threads; 0: this one. */
int64_t clock_cpu(pid_t pid);
/* Sorts values; the one at that part (0.5: the median) of them. */
int64_t clock_quantile(int64_t *values, size_t count, double part);

#endif
