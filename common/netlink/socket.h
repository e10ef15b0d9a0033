/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket.h - a netfilter netlink socket: sequence numbers, every reply read.
 *
 * Non-blocking and close-on-exec, with extended ACKs. Sending is where the
 * kernel does the work: it returns when the transaction is in force, and may
 * wait long for the lock of another one. Nothing here allocates after
 * fg_nl_open().
 *
 * FLOWGATE_DEBUG=netlink in the environment writes every message to stderr.
 */
#ifndef FG_NETLINK_SOCKET_H
#define FG_NETLINK_SOCKET_H

#include <sys/types.h>

#include "reply.h"

struct fg_nl;
struct nlmsghdr;
struct sock_filter;

/*
 * portid: the address to have, or 0 for any. -EADDRINUSE when it is taken;
 * else -errno of the system call that failed.
 */
int fg_nl_open(struct fg_nl **out, uint32_t portid);
void fg_nl_close(struct fg_nl *nl);
int fg_nl_fd(const struct fg_nl *nl);
uint32_t fg_nl_portid(const struct fg_nl *nl);

/*
 * Receive what is multicast to group (NFNLGRP_*), but for datagrams that the
 * socket filter drops (filter NULL: all).
 */
int fg_nl_listen(struct fg_nl *nl, int group, struct sock_filter *filter,
		 unsigned short filter_len);
/* No longer. 0 or -errno. */
int fg_nl_leave(struct fg_nl *nl, int group);
/*
 * One datagram into buf. Its length, 0: nothing there, -ENOBUFS: the kernel
 * had to drop some, else -errno.
 */
ssize_t fg_nl_receive(struct fg_nl *nl, void *buf, size_t size);

/* The first of count sequence numbers that follow each other; none is 0. */
uint32_t fg_nl_sequence(struct fg_nl *nl, uint32_t count);

/*
 * Sends data as one datagram and reads all that is answered to the sequence
 * numbers first to first + count - 1. For messages without NLM_F_ACK, no
 * answer means success. buf is room for replies, 8 KiB or more. May run
 * outside the loop: touches only its arguments.
 */
void fg_nl_transact(struct fg_nl *nl, const void *data, size_t len,
		    uint32_t first, uint32_t count, void *buf, size_t size,
		    struct fg_nl_result *result);

/*
 * One request, for what is rare: stamps msg with a sequence number, sends it
 * and calls each(ctx, message) for every answer until the last one. each may be
 * NULL; a negative value from it ends the reading of answers to each. Returns
 * 0, the value of each, or -errno (the kernel's, too).
 */
int fg_nl_request(struct fg_nl *nl, struct nlmsghdr *msg,
		  int (*each)(void *ctx, const struct nlmsghdr *nlh),
		  void *ctx);

#endif
