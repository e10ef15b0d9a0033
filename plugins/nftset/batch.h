/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * batch.h - changes of leases -> the bytes of one nftables transaction, and
 * the kernel's answer -> what became of each.
 *
 * Pure; sized once. The bytes are what libnftnl would make of the same, for
 * less than half of the time (a unit test compares them).
 *
 * A batch has up to three parts, in this order: on a kernel without
 * DESTROYSETELEM, elements to be removed are first added, since deleting one
 * that is not there (it may have expired) fails the whole; then the removals;
 * then what is to be there. Each is one message, or more when it would exceed
 * the 64 KiB of a netlink attribute.
 */
#ifndef FG_NFTSET_BATCH_H
#define FG_NFTSET_BATCH_H

#include "lease/lease.h"
#include "netlink/reply.h"

/*
 * Two milliseconds of the kernel's time. More gain nothing, and take long to be
 * taken apart or waited for; fewer, and a burst is over before the kernel is.
 */
#define FG_BATCH_MAX 2048
/* Bytes of a comment with its NUL: nft's own limit. */
#define FG_COMMENT_MAX 128

enum fg_batch_data {
	FG_DATA_NONE,	 /* a set */
	FG_DATA_VALUE,	 /* a map to 32 bits in host order: mark, classid */
	FG_DATA_VERDICT, /* a map to verdicts: NF_ACCEPT, NF_DROP, ... */
};

/* What the kernel can do; see probe.h. */
struct fg_caps {
	bool destroy; /* NFT_MSG_DESTROYSETELEM, 6.3 */
	bool update;  /* adding an existing element renews it, 6.12 */
};

struct fg_batch_setup {
	uint8_t family; /* NFPROTO_* */
	const char *table;
	const char *set;
	uint8_t key_len;
	enum fg_batch_data data;
	bool timeouts;	     /* the set has "flags timeout" */
	uint64_t timeout_ms; /* 0: none, even if the set has a default */
	struct fg_caps caps;
	/* writes a comment, NUL-terminated; NULL: elements have none */
	void (*comment)(void *ctx, const struct fg_lease_change *change,
			char text[FG_COMMENT_MAX]);
	void *ctx;
};

struct fg_batch;

/* 0, -EINVAL (a name is too long), -ENOMEM. */
int fg_batch_new(struct fg_batch **out, const struct fg_batch_setup *setup);
void fg_batch_free(struct fg_batch *b);
/*
 * Other timeouts, timeout_ms and caps, from the next batch on; the
 * rest of setup is not looked at. Allocates nothing.
 */
void fg_batch_set(struct fg_batch *b, const struct fg_batch_setup *setup);

/*
 * Builds the transaction of the n (at most FG_BATCH_MAX) changes, its messages
 * numbered from first on. The bytes are valid until the next call.
 */
void fg_batch_build(struct fg_batch *b, const struct fg_lease_change *changes,
		    size_t n, uint32_t first);
const void *fg_batch_bytes(const struct fg_batch *b, size_t *len);
/* How many sequence numbers any batch needs at most. */
#define FG_BATCH_MESSAGES 64
uint32_t fg_batch_messages(const struct fg_batch *b);

/* What is to be done about a transaction. */
enum fg_verdict {
	FG_VERDICT_DONE,   /* committed */
	FG_VERDICT_REPAIR, /* some are named; the others are to be sent again */
	FG_VERDICT_SPLIT,  /* refused, nobody is named: send in halves */
	FG_VERDICT_LATER,  /* the kernel is short of memory: wait */
	FG_VERDICT_MISSING, /* table or set are not there */
	FG_VERDICT_DENIED,  /* no permission */
	FG_VERDICT_UNKNOWN, /* the answer was lost */
};

/*
 * Judges the answer to the batch built last, of the n changes: result[i] is
 * what to settle changes[i] with. *error is the errno that decided, 0 when
 * none.
 */
enum fg_verdict fg_batch_judge(const struct fg_batch *b,
			       const struct fg_lease_change *changes, size_t n,
			       const struct fg_nl_result *answer,
			       enum fg_lease_result *result, int *error);

#endif
