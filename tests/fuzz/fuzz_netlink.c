/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_netlink.c - what comes out of a netlink socket: replies, notifications,
 * and what is made of a reply to a batch. The first byte says how the bytes
 * behind it are read.
 */
/* LINK: common/netlink common/lease plugins/nftset/batch.c */
/* LINK: plugins/nftset/monitor.c */
/* LIBS: -lmnl */
#include <stdlib.h>
#include <string.h>

#include "../../plugins/nftset/batch.h"
#include "../../plugins/nftset/monitor.h"

#define CHANGES 6
#define FIRST	7

static const uint8_t keys[CHANGES][8];

/* Every byte of an event must be there to be read. */
static void event(void *ctx, const struct fg_monitor_event *e)
{
	uint8_t *sum = ctx;

	*sum += (uint8_t)strlen(e->table);
	if (e->set)
		*sum += (uint8_t)strlen(e->set);
	for (size_t i = 0; i < e->key_len && e->key; i++)
		*sum += e->key[i];
}

/* A batch on an old kernel, so that it has all parts. */
static void judge(const uint8_t *data, size_t size)
{
	static const enum fg_lease_op ops[CHANGES] = {
		FG_LEASE_ADD,	  FG_LEASE_DELETE, FG_LEASE_RENEW,
		FG_LEASE_REPLACE, FG_LEASE_ADD,	   FG_LEASE_DELETE};
	const struct fg_batch_setup setup = {.table = "t",
					     .set = "s",
					     .key_len = 8,
					     .timeouts = true,
					     .timeout_ms = 1000};
	struct fg_lease_change changes[CHANGES];
	enum fg_lease_result result[CHANGES];
	struct fg_nl_result answer = {0};
	enum fg_verdict verdict;
	struct fg_batch *b;
	int error;

	if (fg_batch_new(&b, &setup) < 0)
		abort();
	for (uint32_t i = 0; i < CHANGES; i++)
		changes[i] = (struct fg_lease_change){.id = i,
						      .op = ops[i],
						      .fresh = ops[i] ==
							       FG_LEASE_ADD,
						      .key = keys[i]};
	fg_batch_build(b, changes, CHANGES, FIRST);
	fg_nl_reply(data, size, FIRST, fg_batch_messages(b), &answer);
	memset(result, 0xff, sizeof(result));
	verdict = fg_batch_judge(b, changes, CHANGES, &answer, result, &error);
	/* committed only when nothing at all was wrong */
	if ((verdict == FG_VERDICT_DONE) != (answer.errors == 0))
		abort();
	for (int i = 0; i < CHANGES; i++) {
		if (result[i] > FG_LEASE_UNKNOWN)
			abort();
		if (verdict != FG_VERDICT_DONE && result[i] == FG_LEASE_DONE)
			abort();
	}
	fg_batch_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;
	void *copy;

	if (size < 1)
		return 0;
	/* aligned, as a buffer for recv() is, and nothing behind its end */
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		fg_monitor_parse(copy, size - 1, event, &sum);
	else
		judge(copy, size - 1);
	free(copy);
	return 0;
}
