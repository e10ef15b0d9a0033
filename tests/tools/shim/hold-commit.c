/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold-commit.c - preloaded, holds up nftables transactions, as a kernel would
 * whose commit lock somebody else has: none is sent before HOLD_MS milliseconds
 * after the file HOLD was written.
 *
 *	cc -shared -fPIC -o hold-commit.so hold-commit.c
 *	HOLD=file HOLD_MS=10000 LD_PRELOAD=hold-commit.so program
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

static void hold(void)
{
	const char *path = getenv("HOLD"), *ms = getenv("HOLD_MS");
	struct timespec now, until;
	struct stat st;

	if (!path || !ms || stat(path, &st) < 0)
		return;
	until = st.st_mtim;
	until.tv_sec += atol(ms) / 1000;
	until.tv_nsec += atol(ms) % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec < until.tv_sec ||
	    (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec))
		while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until,
				       NULL))
			;
}

ssize_t sendto(int fd, const void *data, size_t len, int flags,
	       const struct sockaddr *to, socklen_t to_len)
{
	const struct nlmsghdr *nlh = data;

	if (to && to->sa_family == AF_NETLINK && len >= sizeof(*nlh) &&
	    nlh->nlmsg_type == NFNL_MSG_BATCH_BEGIN)
		hold();
	return syscall(SYS_sendto, fd, data, len, flags, to, to_len);
}
