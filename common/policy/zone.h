/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zone.h - a time zone: how far its clocks are from UTC, at any time.
 *
 * Read from the system's zoneinfo files by itself, since libc knows only one
 * zone for the whole process. Times are Unix seconds, offsets seconds east.
 */
#ifndef FG_POLICY_ZONE_H
#define FG_POLICY_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fg_zone;

/*
 * name: "Europe/Berlin", or rules as POSIX writes them ("CET-1CEST,M3.5.0,
 * M10.5.0/3"); NULL: the system's, by TZ, /etc/localtime, /etc/TZ, and else
 * UTC. 0; -EINVAL with a sentence in err; -ENOMEM.
 */
int fg_zone_load(struct fg_zone **out, const char *name, char *err,
		 size_t errlen);
/* The content of a zoneinfo file. 0, -EINVAL, -ENOMEM. */
int fg_zone_parse(struct fg_zone **out, const void *data, size_t len);
/* POSIX rules alone. 0, -EINVAL, -ENOMEM. */
int fg_zone_rules(struct fg_zone **out, const char *rules, size_t len);
void fg_zone_free(struct fg_zone *z);

int32_t fg_zone_offset(const struct fg_zone *z, int64_t t);
/* The first time after t at which the offset may change; INT64_MAX: never. */
int64_t fg_zone_next(const struct fg_zone *z, int64_t t);

#endif
