/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.h - the ctnetlink messages that change or delete one entry.
 *
 * Each function writes one message at buf, which has room for
 * FG_CT_MESSAGE_MAX bytes and is aligned for a struct nlmsghdr, and returns
 * its length. No ACK is asked for: only failures are answered.
 *
 * A message never goes without a tuple: to the kernel, a delete of nothing in
 * particular is a delete of everything.
 */
#ifndef FG_CONNTRACK_MESSAGE_H
#define FG_CONNTRACK_MESSAGE_H

#include "tuple.h"

/* header 20, an IPv6 tuple 76, two attributes of labels 40, rounded up */
#define FG_CT_MESSAGE_MAX 160

#define FG_LABEL_BITS  128
#define FG_LABEL_WORDS (FG_LABEL_BITS / 32)

/* One bit a label, bit n in word n / 32. */
struct fg_labels {
	uint32_t word[FG_LABEL_WORDS];
};

static inline void fg_labels_add(struct fg_labels *l, unsigned bit)
{
	l->word[bit / 32] |= UINT32_C(1) << bit % 32;
}

/* mark becomes (mark & ~mask) | (value & mask) */
size_t fg_ct_mark(void *buf, uint32_t seq, const struct fg_tuple *t,
		  uint32_t value, uint32_t mask);
/* the same for labels, bit by bit */
size_t fg_ct_labels(void *buf, uint32_t seq, const struct fg_tuple *t,
		    const struct fg_labels *value,
		    const struct fg_labels *mask);
/* id: only when the entry is still this one; NULL: whichever it is */
size_t fg_ct_delete(void *buf, uint32_t seq, const struct fg_tuple *t,
		    const uint32_t *id);
/* asks for the entry */
size_t fg_ct_get(void *buf, uint32_t seq, const struct fg_tuple *t);

/* What an entry holds; fields that the kernel did not say are zero. */
struct fg_ct_entry {
	uint32_t id;
	uint32_t mark;
	uint32_t status;  /* IPS_* */
	uint32_t timeout; /* s */
	struct fg_labels labels;
};

/* From the answer to fg_ct_get(): 0, -EBADMSG when it is something else. */
int fg_ct_parse(const void *message, size_t len, struct fg_ct_entry *out);

#endif
