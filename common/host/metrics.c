/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.c - counters of sources, flows and targets for Prometheus. */
#include "metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gate.h"
#include "setup.h"
#include "show.h"
#include "source.h"

static void head(struct fg_reply *r, const char *name, const char *type,
		 const char *help)
{
	fg_reply_printf(r, "# HELP flowgate_%s %s\n# TYPE flowgate_%s %s\n",
			name, help, name, type);
}

/* In a label \, " and newline are escaped; all else is made printable. */
static void label(struct fg_reply *r, const char *text)
{
	char shown[256];

	fg_text_printable(fg_slice(text, strlen(text)), shown, sizeof(shown));
	fg_reply_printf(r, "\"");
	for (const char *p = shown; *p; p++)
		fg_reply_printf(r, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	fg_reply_printf(r, "\"");
}

/* A column of the table: where its value is, and how it is called. */
struct column {
	size_t offset;
	const char *name;
	const char *type;
	const char *help;
};

static uint64_t value_at(const void *object, size_t offset)
{
	uint64_t v;

	memcpy(&v, (const char *)object + offset, sizeof(v));
	return v;
}

static void write_sources(struct fg_reply *r, struct fg_gate *g)
{
#define SOURCE(field) offsetof(struct fg_source_status, field)
	static const struct column columns[] = {
		{SOURCE(messages), "source_messages_total", "counter",
		 "Messages read from the source."},
		{SOURCE(bytes), "source_bytes_total", "counter",
		 "Bytes read from the source."},
		{SOURCE(skipped), "source_skipped_total", "counter",
		 "Pieces of the stream that were no message."},
		{SOURCE(reconnects), "source_reconnects_total", "counter",
		 "Connections to the source after the first."},
	};
#undef SOURCE
	const struct fg_source *source = NULL;
	struct fg_source_status s;

	head(r, "source_up", "gauge", "1 while the source is connected.");
	while ((source = fg_setup_next_source(g->setup, source)) != NULL) {
		fg_source_status(source, &s);
		fg_reply_printf(r, "flowgate_source_up{source=");
		label(r, s.name);
		fg_reply_printf(r, "} %d\n", !strcmp(s.state, "connected"));
	}
	for (size_t c = 0; c < sizeof(columns) / sizeof(*columns); c++) {
		head(r, columns[c].name, columns[c].type, columns[c].help);
		while ((source = fg_setup_next_source(g->setup, source)) !=
		       NULL) {
			fg_source_status(source, &s);
			fg_reply_printf(r,
					"flowgate_%s{source=", columns[c].name);
			label(r, s.name);
			fg_reply_printf(r, "} %" PRIu64 "\n",
					value_at(&s, columns[c].offset));
		}
	}
}

static void write_flows(struct fg_reply *r, struct fg_gate *g)
{
#define COUNT(field) offsetof(struct fg_membership_counts, field)
	static const struct column columns[] = {
		{COUNT(announced), "flows_announced_total", "counter",
		 "Flows that sources announced."},
		{COUNT(updated), "flows_updated_total", "counter",
		 "Messages that said more of a known flow."},
		{COUNT(purged), "flows_purged_total", "counter",
		 "Flows that sources said are gone."},
		{COUNT(unknown), "flows_unknown_total", "counter",
		 "Messages about flows never heard of."},
		{COUNT(evicted), "flows_evicted_total", "counter",
		 "Flows put out because the table was full."},
		{COUNT(refused), "flows_refused_total", "counter",
		 "Flows not taken: the table was full of members."},
		{COUNT(idle), "flows_idle_total", "counter",
		 "Flows left because no message mentioned them."},
		{COUNT(source_lost), "flows_source_lost_total", "counter",
		 "Flows left because their source stayed away."},
	};
#undef COUNT
	struct fg_membership_counts n;
	struct fg_flow_counts f;

	fg_membership_counts(g->membership, &n);
	fg_flow_counts(g->table, &f);
	head(r, "flows", "gauge", "Live flows.");
	fg_reply_printf(r, "flowgate_flows %u\n", f.live);
	head(r, "flows_peak", "gauge", "Most live flows at a time.");
	fg_reply_printf(r, "flowgate_flows_peak %u\n", f.peak);
	for (size_t c = 0; c < sizeof(columns) / sizeof(*columns); c++) {
		head(r, columns[c].name, columns[c].type, columns[c].help);
		fg_reply_printf(r, "flowgate_%s %" PRIu64 "\n", columns[c].name,
				value_at(&n, columns[c].offset));
	}
}

/* What is asked of a target once, for all of its lines. */
struct row {
	const struct fg_target *target;
	const char *type;
	struct fg_status status;
	struct fg_show_counters own;
	uint64_t members;
	uint64_t observed;
	uint64_t refused;
};

static void write_labels(struct fg_reply *r, const struct row *row)
{
	fg_reply_printf(r, "{target=");
	label(r, row->target->name);
	fg_reply_printf(r, ",type=");
	label(r, row->type);
}

static void write_rows(struct fg_reply *r, const struct row *rows, size_t n)
{
#define ROW(field) offsetof(struct row, field)
	static const struct column columns[] = {
		{ROW(members), "target_members", "gauge",
		 "Flows that are members of the target."},
		{ROW(observed), "target_observed", "gauge",
		 "Flows that would be, were their action enforced."},
		{ROW(refused), "target_refused_total", "counter",
		 "Flows left out for want of room."},
		{ROW(status.elements), "target_elements", "gauge",
		 "Elements that the target has in force."},
		{ROW(status.pending), "target_pending", "gauge",
		 "Changes not yet in force."},
		{ROW(status.adds), "target_adds_total", "counter",
		 "Elements added."},
		{ROW(status.deletes), "target_deletes_total", "counter",
		 "Elements deleted."},
		{ROW(status.renewals), "target_renewals_total", "counter",
		 "Elements renewed."},
		{ROW(status.errors), "target_errors_total", "counter",
		 "Changes that were refused."},
		{ROW(status.rebuilds), "target_rebuilds_total", "counter",
		 "Times that all elements were put back."},
	};
#undef ROW

	for (size_t c = 0; c < sizeof(columns) / sizeof(*columns); c++) {
		head(r, columns[c].name, columns[c].type, columns[c].help);
		for (size_t i = 0; i < n; i++) {
			fg_reply_printf(r, "flowgate_%s", columns[c].name);
			write_labels(r, &rows[i]);
			fg_reply_printf(r, "} %" PRIu64 "\n",
					value_at(&rows[i], columns[c].offset));
		}
	}
	head(r, "target_ok", "gauge",
	     "1 while all that should be in force is.");
	for (size_t i = 0; i < n; i++) {
		fg_reply_printf(r, "flowgate_target_ok");
		write_labels(r, &rows[i]);
		fg_reply_printf(r, "} %d\n",
				!strcmp(rows[i].status.state, "ok"));
	}
	head(r, "target_detail", "untyped",
	     "Counters of the target's own, by name.");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < rows[i].own.count; k++) {
			fg_reply_printf(r, "flowgate_target_detail");
			write_labels(r, &rows[i]);
			fg_reply_printf(r, ",counter=");
			label(r, rows[i].own.counters[k].name);
			fg_reply_printf(r, "} %" PRIu64 "\n",
					rows[i].own.counters[k].value);
		}
}

static void write_targets(struct fg_reply *r, struct fg_gate *g)
{
	size_t count = fg_setup_target_count(g->setup), n = 0;
	struct row *rows = calloc(count + 1, sizeof(*rows));

	if (!rows) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct fg_target *t = fg_setup_target(g->setup, i);
		struct row *row = &rows[n];

		if (!t->type)
			continue;
		row->target = t;
		row->type = fg_setup_settings(g->setup)->targets[i].type;
		row->members = t->members;
		row->observed = t->observed;
		row->refused = t->refused;
		fg_show_target_status(t, &row->status, &row->own);
		n++;
	}
	write_rows(r, rows, n);
	free(rows);
}

static void write_host(struct fg_reply *r, struct fg_gate *g)
{
	head(r, "info", "gauge", "1, with the version.");
	fg_reply_printf(r, "flowgate_info{version=\"%s\"} 1\n", FG_VERSION);
	head(r, "uptime_seconds", "gauge", "Time since the start.");
	fg_reply_printf(r, "flowgate_uptime_seconds %lld\n",
			(long long)(fg_loop_now(g->loop) - g->started) / 1000);
	write_sources(r, g);
	write_flows(r, g);
	write_targets(r, g);
}

static void render_prometheus(struct fg_reply *r, struct fg_gate *g)
{
	size_t count = fg_setup_target_count(g->setup);

	write_host(r, g);
	for (size_t i = 0; i < count; i++) {
		const struct fg_target *t = fg_setup_target(g->setup, i);

		if (t->type && t->type->render)
			t->type->render(t->instance, "prometheus",
					fg_reply_write, r);
	}
}

static void render_report(struct fg_reply *r, struct fg_gate *g)
{
	size_t count = fg_setup_target_count(g->setup);
	const char *separator = "";

	fg_reply_printf(r, "{\"version\":\"%s\",\"wall_ms\":%lld,\"targets\":[",
			FG_VERSION, (long long)fg_loop_wall(g->loop));
	for (size_t i = 0; i < count; i++) {
		const struct fg_target *t = fg_setup_target(g->setup, i);
		struct fg_reply own = {0};

		if (t->type && t->type->render &&
		    t->type->render(t->instance, "report", fg_reply_write,
				    &own) &&
		    !own.failed) {
			fg_reply_printf(r, "%s{\"name\":", separator);
			fg_reply_json_text(r, t->name);
			fg_reply_printf(r, ",\"type\":");
			fg_reply_json_text(r, t->type->name);
			fg_reply_printf(r, ",\"report\":");
			fg_reply_write(r, own.text, own.len);
			fg_reply_printf(r, "}");
			separator = ",";
		}
		fg_reply_fini(&own);
	}
	fg_reply_printf(r, "]}\n");
}

void fg_metrics_render(struct fg_gate *g, const char *format, fg_write *write,
		       void *ctx)
{
	struct fg_reply r = {0};

	if (!strcmp(format, "prometheus"))
		render_prometheus(&r, g);
	else if (!strcmp(format, "report"))
		render_report(&r, g);
	if (!r.failed && r.len)
		write(ctx, r.text, r.len);
	fg_reply_fini(&r);
}
