/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leftout.c - members without an element, counted and spoken of. */
#include <errno.h>
#include <stdlib.h>

#include "leftout.h"

/* For how long all members must be left out before that is said. */
#define QUIET_MS 60000

static const struct {
	const char *name; /* of its counter */
	const char *why;
} outs[] = {
	[FG_OUT_NOT] = {"", ""},
	[FG_OUT_SIDE] = {"left_out_side",
			 "they are of the side that \"sides\" leaves out"},
	[FG_OUT_OTHER_TYPE] = {"left_out_other_type",
			       "their other side is of a type that "
			       "\"other_types\" leaves out"},
	[FG_OUT_VERSION] = {"left_out_ip_version",
			    "they are of the IP version that \"set_family\" "
			    "leaves out"},
	[FG_OUT_KEY] = {"left_out_key",
			"the agent does not say all that \"type\" needs (a MAC "
			"address, a mark, or which side began)"},
	[FG_OUT_NEVER] = {"left_out_never",
			  "their address is on the never list"},
};
_Static_assert(sizeof(outs) / sizeof(*outs) == FG_OUT_COUNT, "a row for each");

struct fg_leftout {
	const struct fg_host *host;
	const char *name;
	uint64_t total[FG_OUT_COUNT];
	/* since when all were, how many, and why the last one */
	int64_t since;
	uint64_t count;
	enum fg_out why;
	struct fg_timer timer;
};

static void expired(struct fg_timer *timer, int64_t now)
{
	struct fg_leftout *l = timer->ctx;

	(void)now;
	l->host->log(l->host, FG_LOG_WARNING,
		     "target \"%s\": the last minute's members (%llu) are all "
		     "left out: %s",
		     l->name, (unsigned long long)l->count, outs[l->why].why);
	l->since = 0;
	l->count = 0;
}

int fg_leftout_new(struct fg_leftout **out, const struct fg_host *host,
		   const char *name)
{
	struct fg_leftout *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->host = host;
	l->name = name;
	l->timer = (struct fg_timer){.expired = expired, .ctx = l};
	*out = l;
	return 0;
}

void fg_leftout_free(struct fg_leftout *l)
{
	if (!l)
		return;
	l->host->timer_cancel(l->host, &l->timer);
	free(l);
}

void fg_leftout_count(struct fg_leftout *l, enum fg_out why)
{
	l->total[why]++;
	l->count++;
	l->why = why;
	if (l->since)
		return;
	l->since = l->host->now(l->host);
	l->host->timer_set(l->host, &l->timer, l->since + QUIET_MS);
}

void fg_leftout_end(struct fg_leftout *l)
{
	if (!l->since)
		return;
	l->since = 0;
	l->count = 0;
	l->host->timer_cancel(l->host, &l->timer);
}

const char *fg_leftout_why(enum fg_out why)
{
	return outs[why].why;
}

void fg_leftout_status(const struct fg_leftout *l, struct fg_status *status)
{
	for (int i = FG_OUT_NOT + 1; i < FG_OUT_COUNT; i++)
		status->more(status->ctx, outs[i].name, l->total[i]);
}
