/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reference.h - reads messages another way: jsmn tokens, a walk along each
 * path, nothing clever. What it finds must be what plugins/netifyd found.
 */
#ifndef TESTS_FUZZ_REFERENCE_H
#define TESTS_FUZZ_REFERENCE_H

#include "../../plugins/netifyd/message.h"

/*
 * Reads text with r and compares: that it is accepted exactly when the check
 * byte by byte finds one whole object, and what was found in it. NULL when all
 * agrees, else a sentence (static). *result is what fg_message_read returned.
 */
const char *reference_compare(struct fg_reader *r, const char *text, size_t len,
			      int *result);

#endif
