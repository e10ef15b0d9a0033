/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - the page that `flowgatectl report` makes.
 *
 * report.html is compiled in; the reply to "report" takes the place of the one
 * word in it, @REPORT@, with nothing left in it that HTML could mistake for its
 * own.
 */
#ifndef FG_CLI_REPORT_H
#define FG_CLI_REPORT_H

#include <stddef.h>
#include <stdio.h>

/* The page for this JSON text to out. 0 or -errno. */
int fg_report_write(FILE *out, const char *json, size_t len);
/* To a file, which is replaced as a whole. 0 or -errno. */
int fg_report_save(const char *path, const char *json, size_t len);

#endif
