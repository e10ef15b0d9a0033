/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pages.c - calloc() and madvise(). */
#include "pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

void *fg_pages_calloc(size_t count, size_t size)
{
	const uintptr_t page = 4096;
	char *p = calloc(count, size);
	uintptr_t first = ((uintptr_t)p + page - 1) & ~(page - 1);

	/* only advice: a kernel without huge pages gives others */
	if (p && count * size >= FG_PAGES_LARGE)
		madvise((void *)first,
			(count * size - (first - (uintptr_t)p)) & ~(page - 1),
			MADV_HUGEPAGE);
	return p;
}
