/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - one request to a running flowgated, and its reply.
 *
 * The protocol is that of host/control.h: "[-j ]COMMAND[ ARGUMENTS]\n" out;
 * "ok\n" or "error SENTENCE\n" and a body in, until the end.
 */
#ifndef FG_CLI_CLIENT_H
#define FG_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Takes the body as it comes; false: enough. */
typedef bool fg_client_take(void *ctx, const char *text, size_t len);

/*
 * 0, and the body through take; -EREMOTEIO when flowgated refused, -EBUSY when
 * it has too many clients (its sentence, or ours for any other -errno, is in
 * err).
 */
int fg_client_ask(const char *socket, const char *request, fg_client_take *take,
		  void *ctx, char *err, size_t errlen);

/* The whole body at once, NUL-terminated, to be freed; -EFBIG over 64 MiB. */
int fg_client_body(const char *socket, const char *request, char **body,
		   size_t *len, char *err, size_t errlen);

#endif
