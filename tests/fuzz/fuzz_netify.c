/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: common/flow */
/*
 * fuzz_netify.c - Netify's files: a file is refused with a sentence and told
 * nothing of, or told of without an error, within the number of members that
 * was announced.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/netify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

struct told {
	size_t room[FG_CATEGORY_COUNT];
	size_t things;
};

static int begin(void *ctx, enum fg_category kind, size_t members)
{
	struct told *told = ctx;

	CHECK(members > 0 && !told->room[kind]);
	told->room[kind] = members;
	return 0;
}

static void application(void *ctx, uint32_t id, struct fg_slice tag)
{
	(void)id;
	CHECK(tag.len > 0);
	((struct told *)ctx)->things++;
}

static void category(void *ctx, enum fg_category kind, uint16_t id,
		     struct fg_slice tag)
{
	(void)kind;
	application(ctx, id, tag);
}

static uint16_t category_id(void *ctx, enum fg_category kind,
			    struct fg_slice tag)
{
	(void)kind;
	(void)tag;
	((struct told *)ctx)->things++;
	return 1;
}

static void member(void *ctx, enum fg_category kind, uint16_t id, uint32_t of)
{
	struct told *told = ctx;

	(void)id;
	(void)of;
	CHECK(told->room[kind] > 0);
	told->room[kind]--;
	told->things++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fg_netify_sink sink = {
		begin, application, category, category_id, member,
	};
	struct told told = {{0}, 0};
	char err[200] = "";
	int ret;

	ret = fg_netify_parse("file", (const char *)data, size, &sink, &told,
			      err, sizeof(err));
	CHECK(ret == 0 || (told.things == 0 && memcmp(err, "file:", 5) == 0));
	CHECK(ret != 0 || (!told.room[0] && !told.room[1]));
	return 0;
}
