/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_handover.c - the hand-over file: any bytes, any bytes with a right
 * checksum, which is what a fuzzer would never find by itself, and leases
 * written and read again.
 */
/* LINK: plugins/nftset/handover.c */
#include <stdlib.h>
#include <string.h>

#include "../../plugins/nftset/handover.h"

#define KEY_LEN 8

static const struct fg_handover now = {
	.key_len = KEY_LEN,
	.table_handle = 1,
	.set_handle = 2,
	.boot_ms = 50000,
};

static void each(void *ctx, const struct fg_handover_lease *lease)
{
	uint8_t *sum = ctx;

	if (lease->left_ms == 0)
		abort();
	for (int i = 0; i < KEY_LEN; i++)
		*sum += lease->key[i];
}

/* Of the file: where its checksum is, and what is before the leases. */
#define CHECK  48
#define HEADER 56

static void with_checksum(const uint8_t *data, size_t size)
{
	uint64_t check = 0xcbf29ce484222325ull;
	uint8_t *buf = malloc(size), sum = 0;

	if (!buf || size < HEADER)
		goto out;
	memcpy(buf, data, size);
	memset(buf + CHECK, 0, sizeof(check));
	for (size_t i = 0; i < size; i++)
		check = (check ^ buf[i]) * 0x100000001b3ull;
	memcpy(buf + CHECK, &check, sizeof(check));
	fg_handover_read(buf, size, &now, each, &sum);
out:
	free(buf);
}

/* The bytes as leases, written and read again: all of those that live. */
static void there_and_back(const uint8_t *data, size_t size)
{
	size_t n = size / (8 + KEY_LEN);
	struct fg_handover then = now;
	struct fg_handover_writer w;
	void *buf = malloc(fg_handover_size(&then, n));
	uint8_t sum = 0;
	int ret;

	if (!buf)
		return;
	then.boot_ms = size & 1 ? 1000 : now.boot_ms;
	fg_handover_begin(&w, buf, &then);
	for (size_t i = 0; i < n; i++) {
		struct fg_handover_lease lease = {.key = data + 8};

		memcpy(&lease.data, data, 4);
		memcpy(&lease.left_ms, data + 4, 4);
		fg_handover_put(&w, &lease);
		data += 8 + KEY_LEN;
	}
	ret = fg_handover_read(buf, fg_handover_end(&w), &now, each, &sum);
	if (ret != 0)
		abort();
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;

	fg_handover_read(data, size, &now, each, &sum);
	with_checksum(data, size);
	there_and_back(data, size);
	return 0;
}
