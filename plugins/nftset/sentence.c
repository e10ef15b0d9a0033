/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sentence.c - a table of errno values. */
#include <errno.h>
#include <string.h>

#include "sentence.h"

/* the kernel's own, which some of its parts let through */
#define KERNEL_ENOTSUPP 524

static const struct {
	int error;
	const char *text;
} sentences[] = {
	{ENOENT, "something that it refers to is not there"},
	{EEXIST, "it is there with other data"},
	{ENFILE, "the set is full: raise its \"size\""},
	{EMFILE, "the table has more in it than the kernel can count"},
	{EINVAL, "it does not fit the set's declaration"},
	{E2BIG, "the key has more fields than the kernel allows"},
	{ENAMETOOLONG, "a name is longer than the kernel allows"},
	{ERANGE, "a value is out of range: is \"ttl\" too large?"},
	{EOPNOTSUPP, "the kernel does not support this for the set: is "
		     "\"comment\" set for one that cannot?"},
	{KERNEL_ENOTSUPP, "the kernel does not support this for the set"},
	{EOVERFLOW, "the data does not fit into the map"},
	{ELOOP, "the verdict would make a loop of chains"},
	{EBUSY, "the set is used in a way that forbids changes"},
	{EMSGSIZE, "the transaction is larger than the socket's buffer"},
	{ENOMEM, "the kernel is out of memory"},
	{ENOBUFS, "the kernel is out of buffers"},
	{EAGAIN, "the kernel was busy"},
	{EINTR, "it was interrupted"},
	{ETIMEDOUT, "the kernel gave no answer within two seconds"},
	{EPERM, "flowgated lacks the capability CAP_NET_ADMIN: run it as root"},
	{EACCES, "a security module forbids it"},
	{EAFNOSUPPORT, "the kernel has no such table family"},
	{EPROTONOSUPPORT, "the kernel has no netfilter: load the module "
			  "nfnetlink"},
	{ECONNREFUSED, "the kernel has no netfilter: load the module "
		       "nfnetlink"},
	{EPROTO, "the answer makes no sense"},
};

const char *fg_sentence(int error)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++)
		if (sentences[i].error == error)
			return sentences[i].text;
	return strerror(error);
}
