/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prepare.h - what may block before a connection is made, as a job: looking up
 * the broker's name, reading password and certificates again, which may have
 * been renewed.
 */
#ifndef FG_MQTT_PREPARE_H
#define FG_MQTT_PREPARE_H

#include "login.h"

#define FG_PASSWORD 1024

struct addrinfo;
struct fg_prepare;
struct fg_tls;

/* What is taken is set to NULL; the rest is freed. */
struct fg_prepared {
	struct addrinfo *addresses; /* NULL: see error */
	struct fg_tls *tls;	    /* NULL: not wanted, or not readable */
	bool has_password;
	char password[FG_PASSWORD];
	char error[400];
	char warning[400]; /* of a file that can't be used; "" */
	char denied[400];  /* of one that we may not read any more; "" */
};

/* Without the newline at its end. 0, or -errno with a sentence. May block. */
int fg_password_read(const char *path, char out[FG_PASSWORD], char *err,
		     size_t len);

/* The texts of login stay until the job is through. 0 or -ENOMEM. */
int fg_prepare_new(struct fg_prepare **out, const struct fg_host *host,
		   const struct fg_login *login,
		   void (*done)(void *ctx, struct fg_prepared *p), void *ctx);
/* done() is not called any more. What the job still uses goes when it ends. */
void fg_prepare_free(struct fg_prepare *p);
/* done() follows. 0 or -EBUSY: one is under way. */
int fg_prepare_start(struct fg_prepare *p);

#endif
