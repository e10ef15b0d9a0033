/* SPDX-License-Identifier: GPL-2.0-or-later */
/* greedy.c - tries what no plugin has any business with, and says how it went.
 */
#define _GNU_SOURCE
#include "bad.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct fg_host *host;

static int open_greedy(const struct fg_host *h, const void *self,
		       const char *name, const struct fg_node *cfg,
		       const struct fg_node *globals, void **target)
{
	host = h;
	return bad_open(h, self, name, cfg, globals, target);
}

/* A format for each: what one says again and again is thinned out. */
#define try_it(what, ret)                                                      \
	host->log(host, FG_LOG_NOTICE, what ": %s",                            \
		  (ret) < 0 ? strerror(errno) : "done")

/* By clone() itself, as fork() would; the child ends at once. */
static long a_process(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0L);

	if (pid == 0)
		_exit(0);
	return pid;
}

static void on_flow(void *target, const struct fg_flow *flow,
		    const struct fg_member *member, enum fg_reason reason)
{
	static char *const argv[] = {(char *)"true", NULL};
	static bool tried;

	bad_member(target, flow, member, reason);
	if (tried)
		return;
	tried = true;
	try_it("a socket", socket(AF_UNIX, SOCK_STREAM, 0));
	try_it("a process", a_process(0));
	try_it("a user namespace", a_process(CLONE_NEWUSER));
	try_it("clone3", syscall(SYS_clone3, NULL, 0));
	try_it("unshare", unshare(CLONE_NEWNET));
	try_it("execve", execve("/bin/true", argv, NULL));
	try_it("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	try_it("setuid", syscall(SYS_setuid, 0));
	try_it("mount", mount("none", "/", "tmpfs", 0, NULL));
}

static const struct fg_target_type type = {
	.size = sizeof(type),
	.name = "greedy",
	.open = open_greedy,
	.enter = on_flow,
	.leave = bad_member,
	.close = bad_close,
};
static const struct fg_target_type *const targets[] = {&type, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("greedy", "1", "wants more than it needs"),
	.targets = targets,
};
