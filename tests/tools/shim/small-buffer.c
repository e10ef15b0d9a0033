/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * small-buffer.c - preloaded, gives sockets the send buffer that one without
 * rights in the first user namespace may get, on a machine that grants little.
 *
 *	cc -shared -fPIC -o small-buffer.so small-buffer.c
 *	LD_PRELOAD=small-buffer.so program
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BYTES 8192 /* the kernel doubles it */

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	static const int bytes = BYTES;

	if (level == SOL_SOCKET && name == SO_SNDBUFFORCE) {
		name = SO_SNDBUF;
		value = &bytes;
		len = sizeof(bytes);
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}
