/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netify.h - Netify's files of names: netify-apps.conf, netify-categories.json.
 *
 * Read when the configuration is: allocates, and gives everything back.
 */
#ifndef FG_FLOW_NETIFY_H
#define FG_FLOW_NETIFY_H

#include "catalog.h"

/* Receives what a file says, once it is known to have no error. */
struct fg_netify_sink {
	/* first, if there is an index: how many members it has at most */
	int (*begin)(void *ctx, enum fg_category kind, size_t members);
	void (*application)(void *ctx, uint32_t id, struct fg_slice tag);
	void (*category)(void *ctx, enum fg_category kind, uint16_t id,
			 struct fg_slice tag);
	/* the older form has tags only: which id is it? */
	uint16_t (*category_id)(void *ctx, enum fg_category kind,
				struct fg_slice tag);
	/* application or protocol id is listed under category */
	void (*member)(void *ctx, enum fg_category kind, uint16_t category,
		       uint32_t id);
};

/*
 * Reads a file, told apart by its first character. 0, or -errno with a
 * sentence, "path:line: ...", in err; then nothing but begin() was called.
 */
int fg_netify_read(const char *path, const struct fg_netify_sink *sink,
		   void *ctx, char *err, size_t errlen);
/* The same from memory; path is only for messages. */
int fg_netify_parse(const char *path, const char *text, size_t len,
		    const struct fg_netify_sink *sink, void *ctx, char *err,
		    size_t errlen);

#endif
