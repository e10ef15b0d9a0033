/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top.h - a live screen: what is going on, and whether all is well.
 *
 * flowgated makes the page ("top ROWS COLUMNS"); here it is put on the terminal
 * once an interval, with plain ANSI sequences that any serial line knows.
 */
#ifndef FG_CLI_TOP_H
#define FG_CLI_TOP_H

#include <stdbool.h>
#include <stddef.h>

struct fg_top_options {
	const char *socket;
	unsigned interval_ms;
	unsigned long count; /* pages; 0: until q or a signal */
	bool batch;	     /* plain pages, no terminal */
	bool colour;
};

/* 0, or -errno with a sentence in err. The terminal is as it was. */
int fg_top_run(const struct fg_top_options *o, char *err, size_t errlen);

#endif
