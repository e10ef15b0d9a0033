/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.c - numbers of seven bits a byte, a check sum in front. */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The last byte is the version. */
static const uint8_t magic[8] = {'F', 'G', 'S', 'T', 'A', 'T', 'S', 1};

#define HEAD	   (sizeof(magic) + 8)
#define NUMBER_MAX 10 /* bytes of 64 bits, seven in each */
#define NAME_MAX   (3 + 2 * FG_LABEL_MAX)

/* ----------------------------------------------------------------- writing */

struct writer {
	uint8_t *at;
};

static void put_number(struct writer *w, uint64_t n)
{
	for (; n > 0x7f; n >>= 7)
		*w->at++ = (uint8_t)(n | 0x80);
	*w->at++ = (uint8_t)n;
}

static void put_label(struct writer *w, const struct fg_label *l)
{
	*w->at++ = l->len;
	memcpy(w->at, l->text, l->len);
	w->at += l->len;
}

/* FNV-1a: against bad disks and half files, not against people. */
static uint64_t sum_of(const uint8_t *p, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
	return sum;
}

size_t fg_state_size(void)
{
	size_t size = HEAD + 64 * NUMBER_MAX +
		      NAME_MAX * (FG_APPLICATION_PLACES + FG_DEVICE_PLACES +
				  FG_ACTION_PLACES);

	for (int i = 0; i < FG_GRID_COUNT; i++)
		size += 2 * NUMBER_MAX * fg_grid_size(i);
	return size;
}

/* What a reader must have, too. */
static void put_shapes(struct writer *w)
{
	for (int i = 0; i < FG_GRID_COUNT; i++) {
		const struct fg_grid_shape *g = &fg_grid_shapes[i];

		put_number(w, g->slots);
		put_number(w, g->height);
		put_number(w, g->width);
	}
}

static void put_names(struct writer *w, const struct fg_history *h,
		      enum fg_thing thing)
{
	uint16_t count = fg_history_places(h, thing);

	put_number(w, count - 1u);
	for (uint16_t i = 1; i < count; i++) {
		const struct fg_name_place *p = fg_history_at(h, thing, i);

		*w->at++ = p->observe;
		put_label(w, &p->name);
		put_label(w, &p->note);
	}
}

/* Cells that are not 0: how many, then how far from the last one, and what. */
static void put_grid(struct writer *w, const struct fg_history *h,
		     enum fg_grid_name grid)
{
	const uint64_t *cells = fg_history_cells(h, grid);
	size_t size = fg_grid_size(grid), count = 0, last = 0;

	for (size_t i = 0; i < size; i++)
		count += cells[i] != 0;
	put_number(w, count);
	for (size_t i = 0; i < size; i++)
		if (cells[i]) {
			put_number(w, i - last);
			put_number(w, cells[i]);
			last = i;
		}
}

size_t fg_state_write(const struct fg_history *h, uint8_t *buf, size_t size)
{
	struct writer w = {buf + HEAD};
	uint64_t sum;

	if (size < fg_state_size())
		return 0;
	put_shapes(&w);
	put_number(&w, (uint64_t)fg_history_newest(h, false));
	put_number(&w, (uint64_t)fg_history_newest(h, true));
	for (int t = 0; t < FG_THING_COUNT; t++)
		put_names(&w, h, t);
	for (int i = 0; i < FG_GRID_COUNT; i++)
		put_grid(&w, h, i);
	memcpy(buf, magic, sizeof(magic));
	sum = sum_of(buf + HEAD, (size_t)(w.at - buf) - HEAD);
	for (int i = 0; i < 8; i++)
		buf[sizeof(magic) + (size_t)i] = (uint8_t)(sum >> 8 * i);
	return (size_t)(w.at - buf);
}

/* ----------------------------------------------------------------- reading */

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static uint8_t get_byte(struct reader *r)
{
	if (r->at == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->at++;
}

static uint64_t get_number(struct reader *r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = get_byte(r);

		n |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return n;
	}
	r->bad = true;
	return 0;
}

static void get_label(struct reader *r, struct fg_label *l)
{
	char text[FG_LABEL_MAX + 1];
	uint8_t len = get_byte(r);

	l->len = 0;
	l->text[0] = '\0';
	if (len > FG_LABEL_MAX || len > r->end - r->at) {
		r->bad = true;
		return;
	}
	memcpy(text, r->at, len);
	text[len] = '\0';
	r->at += len;
	/* what is printable once is so twice: the file may be anybody's */
	if (len)
		fg_label_set(l, text);
}

static bool get_shapes(struct reader *r)
{
	bool same = true;

	for (int i = 0; i < FG_GRID_COUNT; i++) {
		const struct fg_grid_shape *g = &fg_grid_shapes[i];

		same &= get_number(r) == g->slots;
		same &= get_number(r) == g->height;
		same &= get_number(r) == g->width;
	}
	return same && !r->bad;
}

static void get_names(struct reader *r, struct fg_history *h,
		      enum fg_thing thing)
{
	uint64_t count = get_number(r);

	for (uint64_t i = 0; i < count && !r->bad; i++) {
		struct fg_name_place p;

		p.observe = get_byte(r);
		get_label(r, &p.name);
		get_label(r, &p.note);
		if (!r->bad && fg_history_restore_place(h, thing, &p) < 0)
			r->bad = true;
	}
}

static void get_grid(struct reader *r, struct fg_history *h,
		     enum fg_grid_name grid)
{
	uint64_t count = get_number(r), at = 0;
	size_t size = fg_grid_size(grid);

	for (uint64_t i = 0; i < count && !r->bad; i++) {
		uint64_t step = get_number(r), value = get_number(r);

		if (step >= size || (i && !step) ||
		    fg_history_restore_cell(h, grid, at + step, value) < 0)
			r->bad = true;
		at += step;
	}
}

static const char *read_all(struct fg_history *h, const uint8_t *buf,
			    size_t len)
{
	struct reader r = {buf + HEAD, buf + len, false};
	uint64_t sum = 0, newest, hour;

	if (len < HEAD || memcmp(buf, magic, sizeof(magic) - 1) != 0)
		return "it is no file of statistics";
	if (buf[sizeof(magic) - 1] != magic[sizeof(magic) - 1])
		return "another version of flowgated wrote it";
	for (int i = 8; i-- > 0;)
		sum = sum << 8 | buf[sizeof(magic) + (size_t)i];
	if (sum != sum_of(buf + HEAD, len - HEAD))
		return "it is damaged";
	if (!get_shapes(&r))
		return "another version of flowgated wrote it";
	newest = get_number(&r);
	hour = get_number(&r);
	/* 2^40 ten-minute slots are 20 million years */
	if (newest >> 40 || hour >> 40)
		r.bad = true;
	for (int t = 0; t < FG_THING_COUNT && !r.bad; t++)
		get_names(&r, h, t);
	for (int i = 0; i < FG_GRID_COUNT && !r.bad; i++)
		get_grid(&r, h, i);
	if (r.bad || r.at != r.end)
		return "it is damaged";
	fg_history_settle(h, (int64_t)newest, (int64_t)hour);
	return NULL;
}

int fg_state_read(struct fg_history *h, const uint8_t *buf, size_t len,
		  const char **why)
{
	*why = read_all(h, buf, len);
	if (!*why)
		return 0;
	fg_history_clear(h);
	return -EINVAL;
}
