/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sentence.c - every errno that the way to nftables can give says more
 * than its name. */
/* LINK: plugins/nftset/sentence.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../plugins/nftset/sentence.h"

/* As read in the kernel's nf_tables_api.c, nfnetlink.c and af_netlink.c. */
static const int errors[] = {
	ENOENT,	      EEXIST,	ENFILE,		 EMFILE,       EINVAL,
	E2BIG,	      ERANGE,	EOPNOTSUPP,	 EOVERFLOW,    ELOOP,
	EBUSY,	      EMSGSIZE, ENOMEM,		 ENOBUFS,      EAGAIN,
	EINTR,	      EPERM,	EACCES,		 EAFNOSUPPORT, EPROTO,
	ETIMEDOUT,    ENOTSUP,	EPROTONOSUPPORT, ECONNREFUSED, 524,
	ENAMETOOLONG,
};

static void each_has_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		print_message("%d: %s\n", errors[i], fg_sentence(errors[i]));
		assert_string_not_equal(fg_sentence(errors[i]),
					strerror(errors[i]));
	}
	/* what nobody foresaw still has its name */
	assert_string_equal(fg_sentence(EXDEV), strerror(EXDEV));
}

static void permission_names_the_capability(void **state)
{
	(void)state;
	assert_non_null(strstr(fg_sentence(EPERM), "CAP_NET_ADMIN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_one),
		cmocka_unit_test(permission_names_the_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
