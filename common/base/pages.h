/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pages.h - memory for tables that may be large. */
#ifndef FG_BASE_PAGES_H
#define FG_BASE_PAGES_H

#include <stddef.h>

/*
 * As calloc(), for what is hardly ever read in order. Pages that nobody writes
 * to cost nothing; a table of FG_PAGES_LARGE bytes or more asks for huge pages:
 * at a million flows nearly every access would miss the TLB otherwise. Smaller
 * ones do without, since the first byte would cost 2 MiB. free() frees it.
 */
#define FG_PAGES_LARGE (8u << 20)
void *fg_pages_calloc(size_t count, size_t size);

#endif
