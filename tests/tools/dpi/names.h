/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h - what nDPI or a host name says -> the agent's names and numbers.
 *
 * A few applications, enough for tests and demos: the real agent knows
 * thousands.
 */
#ifndef DPI_NAMES_H
#define DPI_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name {
	uint32_t id;
	const char *tag;
	uint16_t category;
};

/* By host name (its end), else by what nDPI thinks; never NULL. */
const struct name *name_application(const char *host, uint16_t ndpi_id);
const struct name *name_protocol(uint16_t ndpi_id, uint8_t ip_protocol,
				 uint16_t port);
/* the nth of all, or NULL; for definitions */
const struct name *name_application_at(size_t n);
const struct name *name_protocol_at(size_t n);

#endif
