/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recent.h - flows that were purged lately, so that an announcement from
 * before, which a broker delivers late or twice, does not bring one back. A
 * bounded memory: the oldest of what falls together is forgotten. Pure.
 */
#ifndef FG_MQTT_RECENT_H
#define FG_MQTT_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#include <flowgate/plugin.h>

/* A broker that is late by more has other worries. */
#define FG_RECENT_MS 120000

struct fg_recent;

/* seed: of the hash; random but in tests. 0 or -ENOMEM. */
int fg_recent_new(struct fg_recent **out, uint64_t seed);
void fg_recent_free(struct fg_recent *r);

/* probe: whose flow. Messages that do not say when are neither noted nor late.
 */
void fg_recent_purged(struct fg_recent *r, uint32_t probe,
		      const struct fg_message *m, int64_t now);
/* Is m about a flow as it was before it was purged? */
bool fg_recent_is_late(const struct fg_recent *r, uint32_t probe,
		       const struct fg_message *m, int64_t now);

#endif
