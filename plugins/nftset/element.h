/* SPDX-License-Identifier: GPL-2.0-or-later */
/* element.h - asks the kernel about one element; 5 us, however large the set.
 */
#ifndef FG_NFTSET_ELEMENT_H
#define FG_NFTSET_ELEMENT_H

#include "schema.h"

struct fg_element {
	uint64_t timeout_ms; /* 0: none */
	uint64_t left_ms;
	uint32_t data;
	bool counted;
	uint64_t packets;
	uint64_t bytes;
};

/* 0, -ENOENT: the element (or the set) is not there, or -errno. */
int fg_element_get(struct fg_nl *nl, const struct fg_schema *schema,
		   const uint8_t *key, struct fg_element *out);

#endif
