/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bare-jsmn.h - the floor of reading: jsmn and nothing else. */
#ifndef BENCH_BARE_JSMN_H
#define BENCH_BARE_JSMN_H

#include "stream.h"

/* Tokenises every message (STRICT, PARENT_LINKS); returns the tokens. */
uint64_t bare_jsmn(const struct stream *s);

#endif
