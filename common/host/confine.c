/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confine.c - the list of system calls that may be made. */
#include "confine.h"

#include <errno.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef FG_SECCOMP /* sanitizers trace their own process at its end */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef FG_SECCOMP
#endif
#endif

#ifndef FG_SECCOMP
int fg_confine(void)
{
	return -ENOSYS;
}
#else
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>

/*
 * By name, since no architecture has all of them. Not here, for good reason:
 * execve, ptrace, mount and all of its kind, modules, keys, bpf, namespaces,
 * other processes and their memory, setuid and its kind, chroot, device nodes.
 */
static const char *const allowed[] = {
	/* memory; plugins are loaded at a reload, expressions compiled */
	"brk",
	"mmap",
	"mmap2",
	"munmap",
	"mprotect",
	"mremap",
	"madvise",
	"membarrier",
	/* threads: jobs, name look-ups; for clone see below */
	"set_robust_list",
	"get_robust_list",
	"rseq",
	"set_tid_address",
	"gettid",
	"futex",
	"futex_time64",
	"futex_waitv",
	"sched_yield",
	"sched_getaffinity",
	"arch_prctl",
	"set_thread_area",
	"get_thread_area",
	"exit",
	"exit_group",
	/* signals */
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigpending",
	"rt_sigtimedwait",
	"rt_sigtimedwait_time64",
	"sigreturn",
	"sigaltstack",
	"restart_syscall",
	"tgkill",
	/* the loop */
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd2",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_settime64",
	"timerfd_gettime",
	"signalfd4",
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"_newselect",
	"pselect6",
	"pselect6_time64",
	"pipe2",
	"nanosleep",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	/* time, chance, who we are */
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"clock_getres_time64",
	"gettimeofday",
	"time",
	"getrandom",
	"getpid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getgroups",
	"getuid32",
	"geteuid32",
	"getgid32",
	"getegid32",
	"getgroups32",
	"getresuid",
	"getresgid",
	"getcwd",
	"uname",
	"sysinfo",
	"getrlimit",
	"ugetrlimit",
	"prlimit64",
	"getrusage",
	"capget",
	"prctl",
	"getcpu",
	/* files */
	"open",
	"openat",
	"openat2",
	"close",
	"close_range",
	"read",
	"readv",
	"pread64",
	"preadv",
	"write",
	"writev",
	"pwrite64",
	"pwritev",
	"lseek",
	"_llseek",
	"stat",
	"stat64",
	"lstat",
	"lstat64",
	"fstat",
	"fstat64",
	"newfstatat",
	"fstatat64",
	"statx",
	"statfs",
	"statfs64",
	"fstatfs",
	"fstatfs64",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents",
	"getdents64",
	"fcntl",
	"fcntl64",
	"flock",
	"ioctl",
	"dup",
	"dup2",
	"dup3",
	"fsync",
	"fdatasync",
	"ftruncate",
	"ftruncate64",
	"fallocate",
	"fadvise64",
	"fadvise64_64",
	"sendfile",
	"sendfile64",
	"rename",
	"renameat",
	"renameat2",
	"unlink",
	"unlinkat",
	"mkdir",
	"mkdirat",
	"rmdir",
	"link",
	"linkat",
	"symlink",
	"symlinkat",
	"chmod",
	"fchmod",
	"fchmodat",
	"fchmodat2",
	"chown",
	"fchown",
	"fchownat",
	"lchown",
	"chown32",
	"fchown32",
	"lchown32",
	"umask",
	"utimensat",
	"utimensat_time64",
	/* sockets: sources, netlink, the control socket, brokers */
	"socket",
	"socketpair",
	"bind",
	"listen",
	"accept",
	"accept4",
	"connect",
	"shutdown",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	"send",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"recv",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
	"recvmmsg_time64",
	"socketcall",
};

#define NAMESPACES                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* clone() makes threads, but neither processes nor namespaces. */
static int allow_threads(scmp_filter_ctx filter)
{
#ifdef __s390__
	const unsigned flags = 1;
#else
	const unsigned flags = 0;
#endif
	const struct scmp_arg_cmp thread =
		SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, CLONE_THREAD | NAMESPACES,
			 CLONE_THREAD);
	int nr = seccomp_syscall_resolve_name("clone3");
	int ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
					 SCMP_SYS(clone), 1, &thread);

	/* its flags are in memory, which a filter can't see: C libraries take
	 * clone() where the kernel does not know it */
	if (ret == 0 && nr != __NR_SCMP_ERROR)
		ret = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
	return ret == -EDOM ? 0 : ret;
}

int fg_confine(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = 0;

	if (!filter)
		return -ENOMEM;
	for (size_t i = 0; ret == 0 && i < sizeof(allowed) / sizeof(*allowed);
	     i++) {
		int nr = seccomp_syscall_resolve_name(allowed[i]);

		if (nr == __NR_SCMP_ERROR)
			continue;
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 0);
		if (ret == -EDOM) /* not of this architecture */
			ret = 0;
	}
	if (ret == 0)
		ret = allow_threads(filter);
	/* A decision tree: a filter of so many calls costs less by that. */
	if (ret == 0)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (ret == 0)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}
#endif
