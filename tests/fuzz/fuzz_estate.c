/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_estate.c - the line before the flows that one run leaves to the next:
 * any bytes; and what is read, written and read again. The same of targets.
 */
/* LINK: common/flow */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "flow/estate.h"

/* Texts are given to those who decode them: every byte is looked at. */
static bool same(struct fg_slice a, struct fg_slice b)
{
	static char x[FG_ESTATE_LINE], y[FG_ESTATE_LINE];
	size_t n = fg_text_decode(a, x, sizeof(x));

	return fg_text_decode(b, y, sizeof(y)) == n &&
	       (n > sizeof(x) || memcmp(x, y, n) == 0);
}

static void targets(const char *data, size_t size)
{
	struct fg_slice rest, name;
	bool observe;

	if (!fg_estate_targets(fg_slice(data, size), &rest))
		return;
	while (fg_estate_targets_next(&rest, &name, &observe))
		(void)same(name, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[FG_ESTATE_LINE], twice[FG_ESTATE_LINE];
	struct fg_estate e, again, third;
	size_t len, n;

	targets((const char *)data, size);
	if (fg_estate_read(&e, (const char *)data, size, &len) < 0)
		return 0;
	if (len > size || len > FG_ESTATE_LINE || data[len - 1] != '\n')
		abort();
	(void)fg_estate_is((const char *)data, len, 7);
	(void)fg_estate_age(&e, 1000, 2000, 60000);
	/* of bytes that are no UTF-8, another text may come */
	n = fg_estate_write(&e, 7, line);
	if (!n)
		return 0;
	if (fg_estate_read(&again, line, n, &len) < 0 || len != n ||
	    !fg_estate_is(line, n, 7) || again.bytes != e.bytes ||
	    again.flows != e.flows || again.boot_ms != e.boot_ms ||
	    again.wall_ms != e.wall_ms || again.heard_ms != e.heard_ms)
		abort();
	n = fg_estate_write(&again, 7, twice);
	if (!n)
		return 0;
	if (fg_estate_read(&third, twice, n, &len) < 0 || len != n ||
	    !same(again.name, third.name) || !same(again.part, third.part) ||
	    !same(again.url, third.url) || !same(again.agent, third.agent))
		abort();
	return 0;
}
