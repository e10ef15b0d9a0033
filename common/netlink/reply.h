/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply.h - what the kernel answered to the messages of one send.
 *
 * Pure: bytes in, errors out. The kernel tries every message of a batch, so
 * one reply can hold several errors; a transaction is committed only when it
 * holds none.
 */
#ifndef FG_NETLINK_REPLY_H
#define FG_NETLINK_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Errors that are kept of one reply; a batch has about a dozen messages. */
#define FG_NL_ERRORS_MAX 64

struct fg_nl_error {
	uint32_t seq;	 /* of the message that failed */
	uint32_t offset; /* of the bad attribute in it, from its header; or 0 */
	int error;	 /* a positive errno, or one of ipset's own */
};

/* How a send went. */
struct fg_nl_result {
	int sent;	 /* 0, or -errno of sendmsg(): nothing was done */
	int received;	 /* 0, or -errno of recv(): what was done is unknown */
	uint32_t acks;	 /* messages answered with success */
	uint32_t errors; /* all of them, also those beyond error[] */
	struct fg_nl_error error[FG_NL_ERRORS_MAX];
};

struct nlmsghdr;

/*
 * The message at *at (begin with 0) of the datagram buf, and *at behind it;
 * NULL at the end, or when no whole message follows. For buffers that are
 * aligned as a message is. (libmnl's own loop never ends when a length has its
 * highest bit set.)
 */
const struct nlmsghdr *fg_nl_message(const void *buf, size_t len, size_t *at);

/*
 * Adds to result what the datagram buf says about the sequence numbers first
 * to first + count - 1; others are old answers and left out. Any bytes are
 * safe. Returns how many messages were about them.
 */
uint32_t fg_nl_reply(const void *buf, size_t len, uint32_t first,
		     uint32_t count, struct fg_nl_result *result);

#endif
