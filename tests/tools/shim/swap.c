/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swap.c - preloaded, puts a link to the file VICTIM in the place of the socket
 * SWAPPED as soon as it is bound, a hard one if there is HARD: whoever may
 * write to the folder could be so fast.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t) =
		dlsym(RTLD_NEXT, "bind");
	const struct sockaddr_un *un = (const void *)addr;
	const char *victim = getenv("VICTIM"), *swapped = getenv("SWAPPED");
	int ret = real(fd, addr, len);

	if (ret < 0 || addr->sa_family != AF_UNIX || !victim || !swapped ||
	    strcmp(un->sun_path, swapped) != 0)
		return ret;
	if (unlink(swapped) < 0 ||
	    (getenv("HARD") ? link(victim, swapped)
			    : symlink(victim, swapped)) < 0)
		abort(); /* or nothing would have been tried */
	return ret;
}
