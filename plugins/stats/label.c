/* SPDX-License-Identifier: GPL-2.0-or-later */
/* label.c - text of any origin made fit to be a name. */
#include "label.h"

#include <string.h>

#include "base/text.h"

/* Nearly every name is: it is copied as it is. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

void fg_label_set(struct fg_label *l, const char *text)
{
	size_t len = strlen(text);

	if (!len) {
		text = "unknown";
		len = strlen(text);
	}
	if (len <= FG_LABEL_MAX && is_plain(text, len)) {
		memcpy(l->text, text, len + 1);
		l->len = (uint8_t)len;
		return;
	}
	l->len = (uint8_t)fg_text_printable(fg_slice(text, len), l->text,
					    sizeof(l->text));
}

void fg_label_address(struct fg_label *l, const struct fg_flow *flow)
{
	char text[FG_ADDR_TEXT];

	if (flow->ip_version != 4 && flow->ip_version != 6) {
		fg_label_set(l, "");
		return;
	}
	fg_addr_format(flow->ip_version, flow->local_addr, text);
	fg_label_set(l, text);
}

void fg_label_device(struct fg_label *l, const struct fg_flow *flow)
{
	char text[FG_MAC_TEXT];

	if (flow->flags & FG_FLOW_HAS_LOCAL_MAC)
		fg_label_set(l, fg_mac_format(flow->local_mac, text));
	else
		fg_label_address(l, flow);
}

bool fg_label_equal(const struct fg_label *a, const struct fg_label *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}
