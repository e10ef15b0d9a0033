/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LINK: plugins/netifyd tests/fuzz/reference.c */
/* fuzz_message - any text as a message, read two ways. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../plugins/netifyd/names.h"
#include "reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches every byte that it is given. */
static void on_name(void *ctx, enum fg_name kind, uint32_t id,
		    struct fg_slice tag)
{
	unsigned *sum = ctx;

	*sum += kind + id;
	for (uint32_t i = 0; i < tag.len; i++)
		*sum += (unsigned char)tag.ptr[i];
}

static void on_role(void *ctx, struct fg_slice name, struct fg_slice role)
{
	on_name(ctx, FG_NAME_PROTOCOL, 0, name);
	on_name(ctx, FG_NAME_PROTOCOL, 0, role);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_reader *r;
	volatile unsigned sink;
	unsigned sum = 0;
	const char *why;
	int result;

	if (!r && fg_reader_new(&r, 65536) < 0)
		abort();
	why = reference_compare(r, (const char *)data, size, &result);
	if (why) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	if (result == 0) {
		fg_names_each(fg_message_part(r, FG_PART_PROTOCOLS),
			      fg_message_part(r, FG_PART_APPLICATIONS), on_name,
			      &sum);
		fg_roles_each(fg_message_part(r, FG_PART_INTERFACES), on_role,
			      &sum);
		sink = sum;
		(void)sink;
	}
	return 0;
}
