/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confine.h - after the start only the system calls that flowgated and its
 * plugins have a use for; above all no new program is ever run. Built with
 * libseccomp where that is there.
 */
#ifndef FG_HOST_CONFINE_H
#define FG_HOST_CONFINE_H

/*
 * 0; -ENOSYS when it was built without; or -errno. Threads that are started
 * later are confined, too. What is not allowed fails with EPERM.
 */
int fg_confine(void);

#endif
