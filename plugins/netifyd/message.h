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
 *	-EEXIST		twice a key that the rest depends on: type, digest, an
 *			object with attributes
 *	-ENOKEY		of a type that needs a digest, without a valid one
 */
int fg_message_read(struct fg_reader *r, const char *text, size_t len,
		    const struct fg_message **out);
/* A sentence for each of these. */
const char *fg_message_why(int error);

/* Parts of a message that are not attributes; JSON text, empty when absent. */
enum fg_part {
	FG_PART_DIGEST_PREV,  /* flow.digest_prev: a list */
	FG_PART_PROTOCOLS,    /* a list; see names.h */
	FG_PART_APPLICATIONS, /* a list */
	FG_PART_INTERFACES,   /* an object */
	FG_PART_COUNT
};

/* Of the message that r read last. */
struct fg_slice fg_message_part(const struct fg_reader *r, enum fg_part part);

#endif
