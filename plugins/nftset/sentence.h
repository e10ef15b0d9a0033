/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sentence.h - what the kernel means by an errno on the way to nftables, and
 * what to do.
 */
#ifndef FG_NFTSET_SENTENCE_H
#define FG_NFTSET_SENTENCE_H

/* Of a positive errno; for one that nobody foresaw, strerror()'s. */
const char *fg_sentence(int error);

#endif
