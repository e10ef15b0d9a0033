/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket.c - a netfilter netlink socket: sequence numbers, replies, dump. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <libmnl/libmnl.h>

#include "socket.h"

/*
 * A datagram may not exceed SO_SNDBUF - 32; a batch of 2048 elements with long
 * comments is 500 kB, so there is room to spare.
 */
#define SEND_BUFFER    (4 << 20)
#define RECEIVE_BUFFER (4 << 20)

/* How long a dump may pause before it counts as broken. */
#define REQUEST_MS 2000

struct fg_nl {
	int fd;
	uint32_t portid;
	uint32_t seq;
	bool dump;
};

static void buffer_size(int fd, int force, int plain, int bytes)
{
	/* FORCE needs CAP_NET_ADMIN in the first user namespace */
	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

static bool dump_wanted(void)
{
	const char *debug = getenv("FLOWGATE_DEBUG");

	return debug && strstr(debug, "netlink");
}

int fg_nl_open(struct fg_nl **out, uint32_t portid)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_pid = portid};
	socklen_t len = sizeof(addr);
	struct fg_nl *nl;
	int one = 1;
	int err;

	nl = calloc(1, sizeof(*nl));
	if (!nl)
		return -ENOMEM;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_NETFILTER);
	if (nl->fd < 0 ||
	    bind(nl->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    getsockname(nl->fd, (struct sockaddr *)&addr, &len) < 0) {
		err = -errno;
		goto fail;
	}
	/* older kernels lack these: then errors come without their place */
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	buffer_size(nl->fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
	buffer_size(nl->fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	nl->portid = addr.nl_pid;
	nl->seq = 1;
	nl->dump = dump_wanted();
	*out = nl;
	return 0;
fail:
	if (nl->fd >= 0)
		close(nl->fd);
	free(nl);
	return err;
}

void fg_nl_close(struct fg_nl *nl)
{
	if (!nl)
		return;
	close(nl->fd);
	free(nl);
}

int fg_nl_fd(const struct fg_nl *nl)
{
	return nl->fd;
}

uint32_t fg_nl_portid(const struct fg_nl *nl)
{
	return nl->portid;
}

int fg_nl_listen(struct fg_nl *nl, int group, struct sock_filter *filter,
		 unsigned short filter_len)
{
	struct sock_fprog program = {.len = filter_len, .filter = filter};

	if (filter && setsockopt(nl->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				 sizeof(program)) < 0)
		return -errno;
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)) < 0)
		return -errno;
	return 0;
}

int fg_nl_leave(struct fg_nl *nl, int group)
{
	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group,
			  sizeof(group)) < 0
		       ? -errno
		       : 0;
}

static void dump(const struct fg_nl *nl, const char *what, const void *data,
		 size_t len)
{
	if (!nl->dump)
		return;
	fprintf(stderr, "netlink %u: %s, %zu bytes\n", nl->portid, what, len);
	mnl_nlmsg_fprintf(stderr, data, len, sizeof(struct nfgenmsg));
}

ssize_t fg_nl_receive(struct fg_nl *nl, void *buf, size_t size)
{
	struct sockaddr_nl from;
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	for (;;) {
		msg.msg_namelen = sizeof(from);
		n = recvmsg(nl->fd, &msg, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		/* only the kernel is believed; anyone may send to a socket */
		if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
			continue;
		if (msg.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
		if (n == 0)
			continue;
		dump(nl, "received", buf, (size_t)n);
		return n;
	}
}

uint32_t fg_nl_sequence(struct fg_nl *nl, uint32_t count)
{
	uint32_t first = nl->seq;

	/* 0 is what notifications have */
	if (first + count < first || first == 0)
		first = 1;
	nl->seq = first + count;
	return first;
}

static int send_all(struct fg_nl *nl, const void *data, size_t len)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	dump(nl, "sent", data, len);
	do {
		n = sendto(nl->fd, data, len, 0,
			   (const struct sockaddr *)&kernel, sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

void fg_nl_transact(struct fg_nl *nl, const void *data, size_t len,
		    uint32_t first, uint32_t count, void *buf, size_t size,
		    struct fg_nl_result *result)
{
	ssize_t n;

	/* error[] is valid only up to errors */
	memset(result, 0, offsetof(struct fg_nl_result, error));
	result->sent = send_all(nl, data, len);
	if (result->sent < 0)
		return;
	while ((n = fg_nl_receive(nl, buf, size)) != 0) {
		if (n > 0) {
			fg_nl_reply(buf, (size_t)n, first, count, result);
			continue;
		}
		result->received = (int)n;
		/* after ENOBUFS there is more to read, else it is over */
		if (n != -ENOBUFS)
			return;
	}
}

/* The end of an answer: 1 it was the last, 0 not, or -errno. */
static int answer_end(const struct nlmsghdr *nlh)
{
	int error;

	if (nlh->nlmsg_type == NLMSG_DONE)
		return 1;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return 0;
	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EPROTO;
	memcpy(&error, NLMSG_DATA(nlh), sizeof(error));
	return error ? error : 1;
}

int fg_nl_request(struct fg_nl *nl, struct nlmsghdr *msg,
		  int (*each)(void *ctx, const struct nlmsghdr *nlh), void *ctx)
{
	_Alignas(struct nlmsghdr) uint8_t buf[32768];
	struct pollfd pfd = {.fd = nl->fd, .events = POLLIN};
	int ret = 0;
	int err;

	msg->nlmsg_seq = fg_nl_sequence(nl, 1);
	/* an ACK ends the answer when it is not a dump */
	if ((msg->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		msg->nlmsg_flags |= NLM_F_ACK;
	err = send_all(nl, msg, msg->nlmsg_len);
	if (err)
		return err;
	for (;;) {
		ssize_t n = fg_nl_receive(nl, buf, sizeof(buf));
		const struct nlmsghdr *nlh;
		size_t at = 0;

		if (n == 0) {
			if (poll(&pfd, 1, REQUEST_MS) <= 0)
				return -ETIMEDOUT;
			continue;
		}
		if (n < 0)
			return (int)n;
		while ((nlh = fg_nl_message(buf, (size_t)n, &at))) {
			if (nlh->nlmsg_seq != msg->nlmsg_seq)
				continue;
			err = answer_end(nlh);
			if (err)
				return err < 0 ? err : ret;
			if (each && ret >= 0)
				ret = each(ctx, nlh);
		}
	}
}
