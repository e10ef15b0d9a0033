/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls.h - what a TLS connection to a broker is made with: certificates and the
 * key, read once, so that a daemon that is root no more need not open them
 * again; and why the other side was not believed.
 *
 * The library connects to an address, that of one of the broker's machines:
 * the name that the certificate must have, and that is asked for (SNI), is set
 * here.
 */
#ifndef FG_MQTT_TLS_H
#define FG_MQTT_TLS_H

#include "login.h"

struct fg_tls;

/* Reads the files. 0, or -errno with a sentence in err. May block. */
int fg_tls_new(struct fg_tls **out, const struct fg_login *login, char *err,
	       size_t len);
void fg_tls_free(struct fg_tls *t);
/* An SSL_CTX; whoever keeps it takes a reference. */
void *fg_tls_context(struct fg_tls *t);
/* Why the last certificate was refused, "" when none was; forgets it. */
void fg_tls_why(struct fg_tls *t, char *why, size_t len);

#endif
