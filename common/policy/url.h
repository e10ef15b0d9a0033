/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * url.h - what a source's URL says: unix:///path, tcp://host:port,
 * file:///path, "-" for standard input; any other scheme is an input plugin's.
 */
#ifndef FG_POLICY_URL_H
#define FG_POLICY_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fg_url_scheme {
	FG_URL_STDIN,
	FG_URL_UNIX,
	FG_URL_FILE,
	FG_URL_TCP,
	FG_URL_OTHER,
};

/* Room for a path; sockets have less. A host name has at most 253 bytes. */
#define FG_URL_PATH 4096
#define FG_URL_HOST 256

struct fg_url {
	enum fg_url_scheme scheme;
	char path[FG_URL_PATH]; /* UNIX, FILE: absolute */
	char host[FG_URL_HOST]; /* TCP: a name, or an address without brackets */
	uint16_t port;		/* TCP: 1 to 65535 */
};

/*
 * 0, or -EINVAL with a sentence (without place, URL and full stop) in err.
 * "unix:/path" and "file:/path" are taken, too.
 */
int fg_url_parse(struct fg_url *out, const char *text, char *err,
		 size_t errlen);
/*
 * The host and the port of scheme://host[:port], for a scheme that has them;
 * port: when it says none, 0: then it must. As fg_url_parse().
 */
int fg_url_endpoint(struct fg_url *out, const char *text, uint16_t port,
		    char *err, size_t errlen);
/*
 * A short name for people: "netifyd" for unix:///run/netifyd.sock,
 * "192.0.2.1:7150", "stdin".
 */
void fg_url_name(const char *text, char *out, size_t size);

#endif
