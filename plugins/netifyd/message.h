/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.h - the JSON text of one message -> struct fg_message.
 *
 * What netifyd v3, v4 and v5 write differently is one from here on: the number
 * in front of v3's application names, 0/1 for false/true, agent_version as a
 * number, SSDP's user-agent.
 *
 * An attribute whose value is of another kind than the table says, is null, or
 * that is there twice, is absent; the message is not.
 */
#ifndef FG_NETIFYD_MESSAGE_H
#define FG_NETIFYD_MESSAGE_H

#include <flowgate/plugin.h>

struct fg_reader;

/*
 * max_tokens: what one message may have (at least 16), counted as jsmn does:
 * objects, arrays, keys, values. All memory is taken here, but touched only
 * when tokens are asked for. 0, -EINVAL, -ENOMEM.
 */
int fg_reader_new(struct fg_reader **out, uint32_t max_tokens);
void fg_reader_free(struct fg_reader *r);

/*
 * Reads text, which may end in space. *out is the reader's, valid, as text is,
 * until the next call. On anything but 0, *out is not set:
 *	-EBADMSG	not one whole JSON object, or deeper than
 *			FG_JSON_DEPTH_MAX
 *	-ENOMSG		an object without a type
 *	-E2BIG		more than max_tokens
 *	-EEXIST		type, digest or an object with attributes twice
 *	-ENOKEY		of a type that needs a digest, without a valid one
 */
int fg_message_read(struct fg_reader *r, const char *text, size_t len,
		    const struct fg_message **out);
/* A sentence for each of these. */
const char *fg_message_why(int error);

/*
 * The names in a "definitions" or "protocols" message. v4's applications begin
 * with a copy of all protocols, under ids that mean other applications: that
 * is left out. Text without escapes, valid until each() returns.
 */
void fg_message_names(const struct fg_message *m,
		      void (*each)(void *ctx, enum fg_name kind, uint32_t id,
				   struct fg_slice tag),
		      void *ctx);
/* The interfaces of an "agent_status" that have a role (v3, v4). */
void fg_message_interfaces(const struct fg_message *m,
			   void (*each)(void *ctx, struct fg_slice name,
					struct fg_slice role),
			   void *ctx);

#endif
