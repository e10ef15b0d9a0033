/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields.h - which attribute of a message is which field of struct fg_flow:
 * everything of storage class CORE but the interface, and the counters.
 */
#ifndef FG_FLOW_FIELDS_H
#define FG_FLOW_FIELDS_H

#include <flowgate/plugin.h>

/*
 * Flags that say what a flow was detected as, or how, belong to its class;
 * FG_FLOW_ESTABLISHED, which only says how it was announced, to the counters;
 * the others to its key.
 */
#define FG_CLASS_FLAGS                                                         \
	(FG_FLOW_DHC_HIT | FG_FLOW_GUESSED | FG_FLOW_UPDATED |                 \
	 FG_FLOW_COMPLETE | FG_FLOW_TUNNEL_GTP)

/* Changes *f to what m says of it. Values out of range are not said. */
void fg_fields_apply(struct fg_flow *f, const struct fg_message *m);
/* FG_CHANGED_*, but for the detail. */
uint32_t fg_fields_compare(const struct fg_flow *a, const struct fg_flow *b);
/*
 * The value of a field; false when the agent did not say it, or there is no
 * such field. Of the counters it is what was counted so far.
 */
bool fg_fields_get(const struct fg_flow *f, enum fg_attr attr,
		   union fg_value *out);

#endif
