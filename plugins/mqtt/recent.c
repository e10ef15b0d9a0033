/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recent.c - a small set-associative memory. */
#include "recent.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define SETS 4096
#define WAYS 4

struct purge {
	uint64_t flow; /* the hash of probe and digest; 0: none */
	uint64_t first_seen;
	uint64_t last_seen;
	int64_t noted;
};

struct fg_recent {
	uint64_t seed;
	struct purge purges[SETS][WAYS];
};

int fg_recent_new(struct fg_recent **out, uint64_t seed)
{
	struct fg_recent *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->seed = seed;
	*out = r;
	return 0;
}

void fg_recent_free(struct fg_recent *r)
{
	free(r);
}

static uint64_t flow_of(const struct fg_recent *r, uint32_t probe,
			const struct fg_message *m)
{
	uint64_t h = fg_hash(m->digest[0], FG_DIGEST_SIZE, r->seed + probe);

	return h ? h : 1;
}

static bool says_when(const struct fg_message *m)
{
	return m->digest_count && fg_message_has(m, FG_ATTR_FIRST_SEEN) &&
	       fg_message_has(m, FG_ATTR_LAST_SEEN);
}

void fg_recent_purged(struct fg_recent *r, uint32_t probe,
		      const struct fg_message *m, int64_t now)
{
	struct purge *set, *oldest;
	uint64_t flow;

	if (!says_when(m))
		return;
	flow = flow_of(r, probe, m);
	set = r->purges[flow % SETS];
	oldest = set;
	for (int i = 0; i < WAYS; i++) {
		if (set[i].flow == flow) {
			oldest = &set[i];
			break;
		}
		if (set[i].noted < oldest->noted)
			oldest = &set[i];
	}
	*oldest = (struct purge){.flow = flow,
				 .first_seen = m->value[FG_ATTR_FIRST_SEEN].u,
				 .last_seen = m->value[FG_ATTR_LAST_SEEN].u,
				 .noted = now};
}

bool fg_recent_is_late(const struct fg_recent *r, uint32_t probe,
		       const struct fg_message *m, int64_t now)
{
	const struct purge *set;
	uint64_t flow, first;

	if (!says_when(m))
		return false;
	flow = flow_of(r, probe, m);
	set = r->purges[flow % SETS];
	for (int i = 0; i < WAYS; i++) {
		if (set[i].flow != flow || now - set[i].noted > FG_RECENT_MS)
			continue;
		first = m->value[FG_ATTR_FIRST_SEEN].u;
		return first < set[i].first_seen ||
		       (first == set[i].first_seen &&
			m->value[FG_ATTR_LAST_SEEN].u < set[i].last_seen);
	}
	return false;
}
