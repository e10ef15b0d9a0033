/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dry.c - changes as nft commands, one a line. */
#include <stdio.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "dry.h"

const char *fg_duration_format(uint64_t ms, char text[FG_DURATION_TEXT])
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"d", 86400000},
		     {"h", 3600000},
		     {"m", 60000},
		     {"s", 1000},
		     {"ms", 1}};
	int n = 0;

	snprintf(text, FG_DURATION_TEXT, "0s");
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		uint64_t count = ms / units[i].ms;

		ms %= units[i].ms;
		if (count && n < FG_DURATION_TEXT - 24)
			n += snprintf(text + n, (size_t)(FG_DURATION_TEXT - n),
				      "%llu%s", (unsigned long long)count,
				      units[i].unit);
	}
	return text;
}

const char *fg_data_format(enum fg_map map, uint32_t data,
			   char text[FG_DATA_TEXT])
{
	switch (map) {
	case FG_MAP_VERDICT:
		snprintf(text, FG_DATA_TEXT, "%s",
			 data == NF_DROP		? "drop"
			 : data == NF_ACCEPT		? "accept"
			 : data == (uint32_t)NFT_RETURN ? "return"
							: "continue");
		break;
	case FG_MAP_CLASSID:
		snprintf(text, FG_DATA_TEXT, "%x:%x", data >> 16,
			 data & 0xffff);
		break;
	default:
		snprintf(text, FG_DATA_TEXT, "0x%08x", data);
	}
	return text;
}

void fg_dry_print(const struct fg_host *host, const struct fg_schema *schema,
		  const struct fg_lease_change *c, const char *comment)
{
	const char *family = fg_family_name(schema->family);
	char key[FG_KEY_TEXT], time[FG_DURATION_TEXT], data[FG_DATA_TEXT];
	char options[FG_DURATION_TEXT * 2 + 256];
	int n = 0;

	fg_key_format(&schema->shape, c->key, key);
	/* what is known to be there goes; anything else would be an error */
	if (c->op == FG_LEASE_DELETE ||
	    (c->op == FG_LEASE_REPLACE && schema->map != FG_MAP_NONE))
		host->print(host, "delete element %s %s %s { %s }", family,
			    schema->table, schema->set, key);
	if (c->op == FG_LEASE_DELETE)
		return;
	options[0] = '\0';
	if (schema->ttl_ms)
		n += snprintf(options + n, sizeof(options) - (size_t)n,
			      " timeout %s",
			      fg_duration_format(schema->ttl_ms, time));
	/* without it, an add of what is there does not renew it */
	if (schema->ttl_ms && c->op != FG_LEASE_ADD)
		n += snprintf(options + n, sizeof(options) - (size_t)n,
			      " expires %s", time);
	if (comment)
		n += snprintf(options + n, sizeof(options) - (size_t)n,
			      " comment \"%s\"", comment);
	if (schema->map != FG_MAP_NONE)
		snprintf(options + n, sizeof(options) - (size_t)n, " : %s",
			 fg_data_format(schema->map, c->data, data));
	host->print(host, "add element %s %s %s { %s%s }", family,
		    schema->table, schema->set, key, options);
}
