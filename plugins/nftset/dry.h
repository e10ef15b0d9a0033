/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dry.h - changes as nft commands, for -n. */
#ifndef FG_NFTSET_DRY_H
#define FG_NFTSET_DRY_H

#include "lease/lease.h"
#include "schema.h"

/* "15m", "1h30m", "500ms"; returns text. */
#define FG_DURATION_TEXT 48
const char *fg_duration_format(uint64_t ms, char text[FG_DURATION_TEXT]);

/* What data is to nft: "0x00000010", "1:10", "drop"; returns text. */
#define FG_DATA_TEXT 32
const char *fg_data_format(enum fg_map map, uint32_t data,
			   char text[FG_DATA_TEXT]);

/*
 * Prints the command, or the two, that do what change does:
 * "add element inet fw4 nfa.blocks.v4 { 10.0.0.2 . tcp timeout 15m }". comment
 * is NULL or without quotes.
 */
void fg_dry_print(const struct fg_host *host, const struct fg_schema *schema,
		  const struct fg_lease_change *change, const char *comment);

#endif
