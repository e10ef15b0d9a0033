/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold-commit.c - preloaded, holds up one nftables transaction, as a kernel
 * would whose commit lock somebody else has: the first datagram of more than
 * a header to netlink after the file HOLD exists waits for HOLD_MS
 * milliseconds before it is sent, and the file is gone when that begins.
 *
 *	cc -shared -fPIC -o hold-commit.so hold-commit.c
 *	HOLD=file HOLD_MS=10000 LD_PRELOAD=hold-commit.so program
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/netlink.h>

static void hold(void)
{
	const char *path = getenv("HOLD"), *ms = getenv("HOLD_MS");
	long wait = ms ? atol(ms) : 0;
	struct timespec left = {wait / 1000, wait % 1000 * 1000000};

	if (!path || unlink(path) < 0)
		return;
	while (nanosleep(&left, &left) < 0)
		;
}

ssize_t sendto(int fd, const void *data, size_t len, int flags,
	       const struct sockaddr *to, socklen_t to_len)
{
	const struct nlmsghdr *nlh = data;

	if (to && to->sa_family == AF_NETLINK && len > nlh->nlmsg_len &&
	    nlh->nlmsg_type == NLMSG_MIN_TYPE)
		hold();
	return syscall(SYS_sendto, fd, data, len, flags, to, to_len);
}
