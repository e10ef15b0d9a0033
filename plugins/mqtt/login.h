/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * login.h - how a broker is reached and convinced: the keys that the input and
 * the target have in common.
 */
#ifndef FG_MQTT_LOGIN_H
#define FG_MQTT_LOGIN_H

#include <flowgate/plugin.h>

#define FG_MQTT_HOST 256

/* Texts are the configuration's. */
struct fg_login {
	const char *url;
	char host[FG_MQTT_HOST]; /* a name, or an address without brackets */
	uint16_t port;
	bool tls;
	const char *client_id; /* NULL: not said, likewise the others */
	const char *username;
	const char *password_file;
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	uint8_t qos;	    /* 0, 1 */
	uint16_t keepalive; /* s */
	uint32_t ttl_ms;
};

/*
 * Takes url apart and asks cfg (NULL: there is none) for all the keys; also
 * looks whether files are there, and warns of a password that others can read.
 * where: what errors are about, 'source "mqtt://..."'. Without a url (said
 * already) the keys are asked for all the same. 0 or -EINVAL (said).
 */
int fg_login_read(struct fg_login *l, const struct fg_host *host,
		  const struct fg_node *cfg, const char *url,
		  const char *where);

#endif
