/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.h - serves /metrics over HTTP, in the host's loop.
 *
 * At most FG_SERVER_CLIENTS connections, each idle for 10 s at most; the text
 * is made once a second however often it is asked for.
 */
#ifndef FG_STATS_SERVER_H
#define FG_STATS_SERVER_H

#include <flowgate/plugin.h>

#define FG_SERVER_CLIENTS 8

struct fg_server;

/*
 * other: the server of an earlier configuration at the same place, whose
 * socket is shared, or NULL. 0, or -errno with words in why.
 */
int fg_server_new(struct fg_server **out, const struct fg_host *host,
		  const char *where, const struct fg_server *other, char *why,
		  size_t size);
/* last: nobody shares the socket. */
void fg_server_free(struct fg_server *s, bool last);

const char *fg_server_where(const struct fg_server *s);
uint64_t fg_server_served(const struct fg_server *s);

#endif
