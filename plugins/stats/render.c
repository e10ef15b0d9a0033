/* SPDX-License-Identifier: GPL-2.0-or-later */
/* render.c - counters as Prometheus text, history as JSON. */
#include "render.h"

#include <inttypes.h>
#include <stdio.h>

#include "out.h"

/* -------------------------------------------------------------- Prometheus */

static const struct {
	const char *family; /* flowgate_FAMILY_flows_total */
	const char *label;
	const char *what; /* "Bytes of ..." */
	const char *flows;
} dimensions[] = {
	[FG_BY_APPLICATION] = {"application", "application",
			       "flows of the application",
			       "Flows detected as the application; one that is "
			       "detected anew counts for both."},
	[FG_BY_CATEGORY] = {"category", "category",
			    "flows of the application category",
			    "Flows detected as of the application category; "
			    "one that is detected anew counts for both."},
	[FG_BY_DEVICE] = {"device", "device", "flows of the local device",
			  "Flows of the local device."},
	[FG_BY_ACTION] = {"action", "action",
			  "flows that the action sends to targets",
			  "Flows that the action sent to targets."},
	[FG_BY_OBSERVED] =
		{"observed", "action",
		 "flows that the action would send to targets",
		 "Flows that the action would have sent to targets."},
	[FG_BY_TARGET] = {"target", "target", "flows in the target",
			  "Flows that entered the target."},
};
_Static_assert(sizeof(dimensions) / sizeof(*dimensions) == FG_DIMENSION_COUNT,
	       "a family for each dimension");

static const char *const directions[] = {"up", "down"};
_Static_assert(sizeof(directions) / sizeof(*directions) == FG_DIRECTION_COUNT,
	       "a word for each direction");

static void head(const struct fg_out *o, const char *family, const char *what,
		 const char *type, const char *help)
{
	fg_out_printf(o, "# HELP flowgate_%s_%s %s\n# TYPE flowgate_%s_%s %s\n",
		      family, what, help, family, what, type);
}

/* An empty table has only "other", which is then left out. */
static bool shown(const struct fg_series *s, uint32_t i)
{
	return i || fg_series_tally(s, i)->flows ||
	       fg_series_tally(s, i)->packets[FG_UP] ||
	       fg_series_tally(s, i)->packets[FG_DOWN];
}

static void write_flows(const struct fg_out *o, const struct fg_series *s,
			enum fg_dimension d)
{
	head(o, dimensions[d].family, "flows_total", "counter",
	     dimensions[d].flows);
	for (uint32_t i = 0; i < fg_series_count(s); i++) {
		if (!shown(s, i))
			continue;
		fg_out_printf(o, "flowgate_%s_flows_total{%s=",
			      dimensions[d].family, dimensions[d].label);
		fg_out_label(o, fg_series_label(s, i));
		fg_out_printf(o, "} %" PRIu64 "\n",
			      fg_series_tally(s, i)->flows);
	}
}

static void write_both_ways(const struct fg_out *o, const struct fg_series *s,
			    enum fg_dimension d, const char *unit, bool bytes)
{
	char what[32], help[160];

	snprintf(what, sizeof(what), "%s_total", unit);
	snprintf(help, sizeof(help),
		 "%s of %s; up is from the local side, down to it.",
		 bytes ? "Bytes" : "Packets", dimensions[d].what);
	head(o, dimensions[d].family, what, "counter", help);
	for (uint32_t i = 0; i < fg_series_count(s); i++) {
		const struct fg_tally *t = fg_series_tally(s, i);

		for (int way = 0; shown(s, i) && way < FG_DIRECTION_COUNT;
		     way++) {
			fg_out_printf(
				o, "flowgate_%s_%s{%s=", dimensions[d].family,
				what, dimensions[d].label);
			fg_out_label(o, fg_series_label(s, i));
			fg_out_printf(o, ",direction=\"%s\"} %" PRIu64 "\n",
				      directions[way],
				      bytes ? t->bytes[way] : t->packets[way]);
		}
	}
}

static void write_delay(const struct fg_out *o, const struct fg_delay *d)
{
	uint64_t count = 0;

	head(o, "detection", "delay_seconds", "histogram",
	     "From the first packet of a flow until its application is known.");
	for (int i = 0; i < FG_DELAY_BUCKETS; i++) {
		count += d->count[i];
		fg_out_printf(o,
			      "flowgate_detection_delay_seconds_bucket{le=\"%"
			      "g\"} %" PRIu64 "\n",
			      fg_delay_bounds[i] / 1000.0, count);
	}
	count += d->count[FG_DELAY_BUCKETS];
	fg_out_printf(
		o,
		"flowgate_detection_delay_seconds_bucket{le=\"+Inf\"} %" PRIu64
		"\nflowgate_detection_delay_seconds_sum %" PRIu64
		".%03u\nflowgate_detection_delay_seconds_count %" PRIu64 "\n",
		count, d->sum_ms / 1000, (unsigned)(d->sum_ms % 1000), count);
	head(o, "detection", "delay_ignored_total", "counter",
	     "Flows whose delay the clocks cannot tell.");
	fg_out_printf(o, "flowgate_detection_delay_ignored_total %" PRIu64 "\n",
		      d->ignored);
}

void fg_render_prometheus(const struct fg_counts *c, fg_write *write, void *ctx)
{
	const struct fg_out o = {write, ctx};

	for (int d = 0; d < FG_DIMENSION_COUNT; d++) {
		write_flows(&o, c->by[d], d);
		write_both_ways(&o, c->by[d], d, "bytes", true);
		write_both_ways(&o, c->by[d], d, "packets", false);
	}
	write_delay(&o, &c->delay);
	head(&o, "stats", "crowded_total", "counter",
	     "Counts that went to \"other\" for want of a place of their own.");
	for (int d = 0; d < FG_DIMENSION_COUNT; d++)
		fg_out_printf(&o,
			      "flowgate_stats_crowded_total{dimension=\"%s\"} "
			      "%" PRIu64 "\n",
			      dimensions[d].family,
			      fg_series_crowded(c->by[d]));
}

/* ------------------------------------------------------------------ report */

/* The slots of a row and column, in order of time, as a JSON list. */
static void write_slots(const struct fg_out *o, const struct fg_history *h,
			enum fg_grid_name grid, int64_t first, size_t row,
			size_t column)
{
	const struct fg_grid_shape *g = &fg_grid_shapes[grid];
	const uint64_t *cells = fg_history_cells(h, grid);

	fg_out_printf(o, "[");
	for (int64_t i = first; i < first + g->slots; i++) {
		size_t slot = (size_t)(i % g->slots);

		fg_out_printf(
			o, "%s%" PRIu64, i == first ? "" : ",",
			cells[(slot * g->height + row) * g->width + column]);
	}
	fg_out_printf(o, "]");
}

/* [column, sum of all slots], of those that are not 0. */
static void write_pairs(const struct fg_out *o, const struct fg_history *h,
			enum fg_grid_name grid, size_t row)
{
	const struct fg_grid_shape *g = &fg_grid_shapes[grid];
	const uint64_t *cells = fg_history_cells(h, grid);
	const char *separator = "";

	fg_out_printf(o, "[");
	for (size_t c = 0; c < g->width; c++) {
		uint64_t sum = 0;

		for (size_t s = 0; s < g->slots; s++)
			sum += cells[(s * g->height + row) * g->width + c];
		if (!sum)
			continue;
		fg_out_printf(o, "%s[%zu,%" PRIu64 "]", separator, c, sum);
		separator = ",";
	}
	fg_out_printf(o, "]");
}

static void write_applications(const struct fg_out *o,
			       const struct fg_history *h, int64_t first)
{
	uint16_t count = fg_history_places(h, FG_THING_APPLICATION);

	for (uint16_t i = 0; i < count; i++) {
		fg_out_printf(o, "%s{\"name\":", i ? "," : "");
		fg_out_json(o,
			    &fg_history_at(h, FG_THING_APPLICATION, i)->name);
		fg_out_printf(o, ",\"up\":");
		write_slots(o, h, FG_GRID_BYTES, first, i, FG_UP);
		fg_out_printf(o, ",\"down\":");
		write_slots(o, h, FG_GRID_BYTES, first, i, FG_DOWN);
		fg_out_printf(o, "}");
	}
}

static void write_devices(const struct fg_out *o, const struct fg_history *h)
{
	uint16_t count = fg_history_places(h, FG_THING_DEVICE);

	for (uint16_t i = 0; i < count; i++) {
		const struct fg_name_place *p =
			fg_history_at(h, FG_THING_DEVICE, i);

		fg_out_printf(o, "%s{\"name\":", i ? "," : "");
		fg_out_json(o, &p->name);
		fg_out_printf(o, ",\"address\":");
		fg_out_json(o, &p->note);
		fg_out_printf(o, ",\"applications\":");
		write_pairs(o, h, FG_GRID_USE, i);
		fg_out_printf(o, "}");
	}
}

static void write_actions(const struct fg_out *o, const struct fg_history *h,
			  int64_t first)
{
	uint16_t count = fg_history_places(h, FG_THING_ACTION);

	for (uint16_t i = 0; i < count; i++) {
		const struct fg_name_place *p =
			fg_history_at(h, FG_THING_ACTION, i);

		fg_out_printf(o, "%s{\"name\":", i ? "," : "");
		fg_out_json(o, &p->name);
		fg_out_printf(o, ",\"targets\":");
		fg_out_json(o, &p->note);
		fg_out_printf(o, ",\"observe\":%s,\"flows\":",
			      p->observe ? "true" : "false");
		write_slots(o, h, FG_GRID_HITS, first, i, 0);
		fg_out_printf(o, ",\"applications\":");
		write_pairs(o, h, FG_GRID_HIT_APPS, i);
		fg_out_printf(o, ",\"devices\":");
		write_pairs(o, h, FG_GRID_HIT_DEVICES, i);
		fg_out_printf(o, "}");
	}
}

void fg_render_report(const struct fg_counts *c, const struct fg_history *h,
		      int64_t now, fg_write *write, void *ctx)
{
	const struct fg_out o = {write, ctx};
	int64_t newest = fg_history_newest(h, false);
	int64_t first;

	if (!newest)
		newest = now / FG_HISTORY_SLOT_MS;
	first = newest - FG_HISTORY_SLOTS + 1;
	if (first < 0)
		first = 0;
	fg_out_printf(&o,
		      "{\"version\":1,\"start_ms\":%" PRId64
		      ",\"slot_ms\":%d,\"now_ms\":%" PRId64
		      ",\"applications\":[",
		      first * FG_HISTORY_SLOT_MS, FG_HISTORY_SLOT_MS, now);
	write_applications(&o, h, first);
	fg_out_printf(&o, "],\"devices\":[");
	write_devices(&o, h);
	fg_out_printf(&o, "],\"actions\":[");
	write_actions(&o, h, first);
	fg_out_printf(&o, "],\"delay\":{\"bounds_ms\":[");
	for (int i = 0; i < FG_DELAY_BUCKETS; i++)
		fg_out_printf(&o, "%s%u", i ? "," : "", fg_delay_bounds[i]);
	fg_out_printf(&o, "],\"flows\":[");
	for (int i = 0; i <= FG_DELAY_BUCKETS; i++)
		fg_out_printf(&o, "%s%" PRIu64, i ? "," : "",
			      c->delay.count[i]);
	fg_out_printf(&o, "],\"sum_ms\":%" PRIu64 "}}", c->delay.sum_ms);
}
