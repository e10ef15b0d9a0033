/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * say.h - flows -> the messages of netifyd v3, v4 or v5, framed as theirs.
 */
#ifndef DPI_SAY_H
#define DPI_SAY_H

#include "flow.h"

enum dialect {
	DIALECT_V3 = 3,
	DIALECT_V4,
	DIALECT_V5,
};

enum framing {
	FRAMING_LENGTH, /* a header before each message */
	FRAMING_LINES,	/* newer sinks: one message a line */
	FRAMING_BARE,	/* v5 without its header: }{ */
};

struct speaker {
	enum dialect dialect;
	enum framing framing;
	const char *interface;
	const char *mac;  /* of the interface */
	bool internal;	  /* its role is LAN */
	bool nat;	  /* flows of a WAN interface are masqueraded */
	uint64_t started; /* wall ms */
	void (*write)(void *ctx, const char *bytes, size_t len);
	void *ctx;
};

void say_hello(const struct speaker *s);
void say_status(const struct speaker *s, uint64_t now, size_t flows);
void say_definitions(const struct speaker *s); /* v3: protocols; v5: none */

/* established: v3 to a client that comes late */
void say_flow(const struct speaker *s, const struct flow *f, bool established);
void say_update(const struct speaker *s, const struct flow *f);
void say_complete(const struct speaker *s, const struct flow *f);
void say_stats(const struct speaker *s, const struct flow *f);
void say_purge(const struct speaker *s, const struct flow *f,
	       const char *reason);

#endif
