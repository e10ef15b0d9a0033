/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top.c - one page of what is going on. */
#include "top.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/text.h"
#include "gate.h"
#include "setup.h"
#include "show.h"
#include "source.h"

/* Distinct applications, and devices, that are told apart; the rest is one. */
#define LINES 1024
/* Flows looked at in one piece. */
#define PIECE 1024
/* An agent counts each 15 s: a rate that is older than two of these is none. */
#define STALE_MS 30000

struct line {
	bool used;
	uint8_t size; /* of key */
	uint8_t key[17];
	uint32_t flows;
	double up, down; /* bytes/s */
};

struct table {
	struct line lines[LINES];
	struct line rest;
	size_t count;
};

struct fg_top {
	struct fg_gate *gate;
	unsigned rows, columns;
	uint32_t cursor;
	uint32_t flows;
	double up, down;
	struct table applications; /* key: the id */
	struct table devices;	   /* 'm' and MAC, or version and address */
};

struct fg_top *fg_top_new(struct fg_gate *g, unsigned rows, unsigned columns)
{
	struct fg_top *top = calloc(1, sizeof(*top));

	if (!top)
		return NULL;
	top->gate = g;
	top->rows = rows;
	top->columns = columns;
	return top;
}

void fg_top_free(struct fg_top *top)
{
	free(top);
}

/* ------------------------------------------------------------------- adding */

static struct line *line_of(struct table *t, const void *key, uint8_t size)
{
	size_t at = fg_hash(key, size, 0) % LINES;

	for (; t->lines[at].used; at = (at + 1) % LINES)
		if (t->lines[at].size == size &&
		    !memcmp(t->lines[at].key, key, size))
			return &t->lines[at];
	/* a table that is nearly full would be slow, and nobody reads it */
	if (t->count == LINES / 2)
		return &t->rest;
	t->count++;
	t->lines[at].used = true;
	t->lines[at].size = size;
	memcpy(t->lines[at].key, key, size);
	return &t->lines[at];
}

static void add(struct line *line, double up, double down)
{
	line->flows++;
	line->up += up;
	line->down += down;
}

static void add_flow(struct fg_top *top, const struct fg_flow *f)
{
	int64_t quiet = fg_loop_now(top->gate->loop) -
			fg_flow_touched(top->gate->table, f);
	double up = quiet > STALE_MS ? 0 : (double)f->local_rate;
	double down = quiet > STALE_MS ? 0 : (double)f->other_rate;
	uint8_t key[17] = {f->ip_version};
	uint8_t size = 17;

	top->flows++;
	top->up += up;
	top->down += down;
	add(line_of(&top->applications, &f->application,
		    sizeof(f->application)),
	    up, down);
	if (f->flags & FG_FLOW_HAS_LOCAL_MAC) {
		key[0] = 'm';
		memcpy(key + 1, f->local_mac, 6);
		size = 7;
	} else {
		memcpy(key + 1, f->local_addr, 16);
	}
	add(line_of(&top->devices, key, size), up, down);
}

/* ------------------------------------------------------------------- drawing
 */

/* Most traffic first, then most flows. */
static int busier(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	double xr = x->up + x->down, yr = y->up + y->down;

	if (x->used != y->used)
		return x->used ? -1 : 1;
	if (xr != yr)
		return xr > yr ? -1 : 1;
	if (x->flows != y->flows)
		return x->flows > y->flows ? -1 : 1;
	return memcmp(x->key, y->key, sizeof(x->key));
}

/* "12.3 M", bytes a second; five characters and a unit. */
static const char *rate(double bytes, char text[16])
{
	static const char units[] = " kMGT";
	size_t unit = 0;

	while (bytes >= 999.5 && unit < sizeof(units) - 2) {
		bytes /= 1000;
		unit++;
	}
	snprintf(text, 16, unit ? "%.1f %c" : "%.0f %c", bytes, units[unit]);
	return text;
}

static void application_name(struct fg_top *top, const struct line *line,
			     char *out, size_t size)
{
	const char *name;
	uint32_t id;

	memcpy(&id, line->key, sizeof(id));
	name = id ? fg_catalog_name(top->gate->catalog, FG_NAME_APPLICATION, id)
		  : "unknown";
	if (name)
		fg_text_printable(fg_slice(name, strlen(name)), out, size);
	else
		snprintf(out, size, "%" PRIu32, id);
}

static void device_name(struct fg_top *top, const struct line *line, char *out,
			size_t size)
{
	char text[FG_ADDR_TEXT > FG_MAC_TEXT ? FG_ADDR_TEXT : FG_MAC_TEXT];

	(void)top;
	if (line->key[0] == 'm')
		snprintf(out, size, "%s", fg_mac_format(line->key + 1, text));
	else
		snprintf(out, size, "%s",
			 fg_addr_format(line->key[0], line->key + 1, text));
}

struct column {
	const char *title;
	struct table *table;
	void (*name)(struct fg_top *top, const struct line *line, char *out,
		     size_t size);
};

#define NUMBERS 31 /* width of " FLOWS     DOWN/s       UP/s" and its gaps */

static void draw_head(struct fg_reply *r, const struct column *c,
		      unsigned width)
{
	fg_reply_printf(r, "%-*s %7s %10s %10s ", (int)(width - NUMBERS),
			c->title, "FLOWS", "DOWN B/s", "UP B/s");
}

/* Cuts text to so many characters, none of them in two. Returns how many. */
static int fit(char *text, int room)
{
	const char *p = text, *end = text + strlen(text);
	uint32_t code;
	int n = 0;

	while (p < end && n < room) {
		size_t len = fg_text_char(p, end, &code);

		p += len ? len : 1;
		n++;
	}
	text[p - text] = '\0';
	return n;
}

static void draw_line(struct fg_top *top, struct fg_reply *r,
		      const struct column *c, size_t n, unsigned width)
{
	const struct line *line = &c->table->lines[n];
	char name[160], up[16], down[16];
	int room = (int)(width - NUMBERS), used;

	if (n >= c->table->count) {
		fg_reply_printf(r, "%*s", (int)width, "");
		return;
	}
	c->name(top, line, name, sizeof(name));
	used = fit(name, room);
	fg_reply_printf(r, "%s%*s %7" PRIu32 " %10s %10s ", name, room - used,
			"", line->flows, rate(line->down, down),
			rate(line->up, up));
}

static void draw_summary(struct fg_top *top, struct fg_reply *r, unsigned *used)
{
	struct fg_gate *g = top->gate;
	struct fg_show_counters own;
	char up[16], down[16];
	struct fg_status s;

	fg_reply_printf(
		r, "flowgated %s   %" PRIu32 " flows   down %sB/s   up %sB/s\n",
		FG_VERSION, top->flows, rate(top->down, down),
		rate(top->up, up));
	*used += 1;
	for (const struct fg_source *at = NULL;
	     (at = fg_setup_next_source(g->setup, at)) != NULL;) {
		struct fg_source_status source;

		fg_source_status(at, &source);
		fg_reply_printf(r, "source %-20s ", source.name);
		fg_reply_state(r, source.state,
			       !strcmp(source.state, "connected") ||
				       !strcmp(source.state, "ended"));
		fg_reply_printf(r,
				"  %" PRIu64 " message%s, %" PRIu64
				" skipped\n",
				source.messages, FG_S(source.messages),
				source.skipped);
		*used += 1;
	}
	for (size_t i = 0; i < fg_setup_target_count(g->setup); i++) {
		const struct fg_target *t = fg_setup_target(g->setup, i);

		fg_show_target_status(t, &s, &own);
		fg_reply_printf(r, "target %-20s ", t->name);
		fg_reply_state(r, s.state, !strcmp(s.state, "ok"));
		fg_reply_printf(r,
				"  %" PRIu64 " member%s, %" PRIu64
				" element%s, %" PRIu64 " error%s\n",
				t->members, FG_S(t->members), s.elements,
				FG_S(s.elements), s.errors, FG_S(s.errors));
		*used += 1;
	}
	fg_reply_printf(r, "\n");
	*used += 1;
}

static void draw(struct fg_top *top, struct fg_reply *r)
{
	const struct column columns[] = {
		{"APPLICATION", &top->applications, application_name},
		{"DEVICE", &top->devices, device_name},
	};
	unsigned used = 0, width, rows;

	for (size_t i = 0; i < 2; i++)
		qsort(columns[i].table->lines, LINES, sizeof(struct line),
		      busier);
	draw_summary(top, r, &used);
	rows = top->rows > used + 4 ? top->rows - used - 1 : 3;
	if (top->columns >= 110) {
		width = top->columns / 2;
		draw_head(r, &columns[0], width);
		draw_head(r, &columns[1], width);
		fg_reply_printf(r, "\n");
		for (size_t n = 0; n < rows && (n < columns[0].table->count ||
						n < columns[1].table->count);
		     n++) {
			draw_line(top, r, &columns[0], n, width);
			draw_line(top, r, &columns[1], n, width);
			fg_reply_printf(r, "\n");
		}
		return;
	}
	width = top->columns < NUMBERS + 10 ? NUMBERS + 10 : top->columns;
	rows = rows > 5 ? (rows - 2) / 2 : 2;
	for (size_t i = 0; i < 2; i++) {
		draw_head(r, &columns[i], width);
		fg_reply_printf(r, "\n");
		for (size_t n = 0; n < rows && n < columns[i].table->count;
		     n++) {
			draw_line(top, r, &columns[i], n, width);
			fg_reply_printf(r, "\n");
		}
		if (i == 0)
			fg_reply_printf(r, "\n");
	}
}

bool fg_top_more(struct fg_top *top, struct fg_reply *r)
{
	for (unsigned i = 0; i < PIECE; i++) {
		const struct fg_flow *f =
			fg_flow_next(top->gate->table, &top->cursor);

		if (!f) {
			draw(top, r);
			return false;
		}
		add_flow(top, f);
	}
	return true;
}
