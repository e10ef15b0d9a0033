/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_stats.c - the state file of statistics: whatever is read can be counted
 * on, rendered, and written again as the same.
 *
 * The check sum is put right, so that the fuzzer gets past it: the input is the
 * file without its first 16 bytes.
 */
/* LINK: plugins/stats/label.c plugins/stats/series.c plugins/stats/delay.c */
/* LINK: plugins/stats/counts.c plugins/stats/history.c plugins/stats/state.c */
/* LINK: plugins/stats/out.c plugins/stats/render.c */
#include <stdlib.h>
#include <string.h>

#include "../../plugins/stats/render.h"
#include "../../plugins/stats/state.h"

#define HEAD 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* JSON text and labels are printable, and nothing in them is markup. */
static void check(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		must((text[i] >= ' ' || text[i] < 0) && text[i] != 0x7f &&
		     text[i] != '<' && text[i] != '>' && text[i] != '&');
}

static void put_sum(uint8_t *file, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	memcpy(file, "FGSTATS\1", 8);
	for (size_t i = HEAD; i < len; i++)
		sum = (sum ^ file[i]) * UINT64_C(0x100000001b3);
	for (int i = 0; i < 8; i++)
		file[8 + i] = (uint8_t)(sum >> 8 * i);
}

static void go_on(struct fg_history *h)
{
	struct fg_label name;

	fg_label_set(&name, "new");
	fg_history_tell_time(h, INT64_C(1764000000000));
	fg_history_bytes(
		h, fg_history_place(h, FG_THING_APPLICATION, &name, false),
		fg_history_place(h, FG_THING_DEVICE, &name, false), 1, 2);
	fg_history_hit(h, fg_history_place(h, FG_THING_ACTION, &name, true), 0,
		       1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_history *h, *again;
	static struct fg_counts *c;
	static uint8_t *file, *written;
	size_t len = HEAD + size, n;
	const char *why;

	if (!h) {
		must(fg_history_new(&h) == 0 && fg_history_new(&again) == 0 &&
		     fg_counts_new(&c, 4) == 0);
		file = malloc(fg_state_size());
		written = malloc(fg_state_size());
		must(file && written);
	}
	if (len > fg_state_size())
		return 0;
	memcpy(file + HEAD, data, size);
	put_sum(file, len);
	if (fg_state_read(h, file, len, &why) < 0) {
		must(why && fg_history_places(h, FG_THING_DEVICE) == 1);
		return 0;
	}
	n = fg_state_write(h, written, fg_state_size());
	must(fg_state_read(again, written, n, &why) == 0);
	for (int i = 0; i < FG_GRID_COUNT; i++)
		must(!memcmp(fg_history_cells(h, i), fg_history_cells(again, i),
			     fg_grid_size(i) * sizeof(uint64_t)));
	go_on(h);
	fg_render_report(c, h, INT64_C(1764000000000), check, NULL);
	fg_history_clear(h);
	fg_history_clear(again);
	return 0;
}
