/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * count-alloc.c - preloaded, counts calls of malloc() and its kin into the
 * file COUNT: four numbers of 64 bits, malloc, calloc, realloc, free. Others
 * read it while the program runs.
 *
 *	cc -shared -fPIC -o count-alloc.so count-alloc.c
 *	COUNT=file LD_PRELOAD=count-alloc.so program
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, under their other names: no dlsym(), which allocates */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

enum { MALLOC, CALLOC, REALLOC, FREE, COUNTS };

static _Atomic uint64_t early[COUNTS];
static _Atomic uint64_t *counts = early;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("COUNT");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	void *map;

	/* not for what the program starts */
	unsetenv("LD_PRELOAD");
	if (fd < 0 || ftruncate(fd, sizeof(early)) < 0)
		return;
	map = mmap(NULL, sizeof(early), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	close(fd);
	if (map != MAP_FAILED)
		counts = map;
}

void *malloc(size_t size)
{
	counts[MALLOC]++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	counts[CALLOC]++;
	return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	counts[REALLOC]++;
	return __libc_realloc(p, size);
}

void free(void *p)
{
	counts[FREE]++;
	__libc_free(p);
}
