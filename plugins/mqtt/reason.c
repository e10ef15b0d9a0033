/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.c - codes of the protocol and of the library -> sentences. */
#include "reason.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#define LOGIN                                                                  \
	"the broker does not let it in: check username, password_file and "    \
	"what the broker's ACL says of this user"

static const struct {
	int code;
	const char *why;
} refusals[] = {
	{1, "the broker does not know this version of MQTT"},
	{2, "the broker does not take this client_id"},
	{3, "the broker says that it is unavailable"},
	{4, LOGIN},
	{5, LOGIN},
	{MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION,
	 "the broker does not know MQTT 5: 3.1.1 is next"},
	{MQTT_RC_CLIENTID_NOT_VALID, "the broker does not take this client_id"},
	{MQTT_RC_BAD_USERNAME_OR_PASSWORD, LOGIN},
	{MQTT_RC_NOT_AUTHORIZED, LOGIN},
	{MQTT_RC_SERVER_UNAVAILABLE, "the broker says that it is unavailable"},
	{MQTT_RC_SERVER_BUSY, "the broker says that it is busy"},
	{MQTT_RC_BANNED, "the broker has banned this client"},
	{MQTT_RC_SERVER_SHUTTING_DOWN, "the broker shuts down"},
	{MQTT_RC_BAD_AUTHENTICATION_METHOD,
	 "the broker wants another way to authenticate than a password"},
	{MQTT_RC_KEEP_ALIVE_TIMEOUT, "the broker did not hear from us in time"},
	{MQTT_RC_SESSION_TAKEN_OVER,
	 "another client has come with the same client_id: give each its own"},
	{MQTT_RC_PACKET_TOO_LARGE,
	 "the broker does not take packets of this size "
	 "(max_packet_size, message_size_limit)"},
	{MQTT_RC_QUOTA_EXCEEDED, "a quota of the broker is exceeded"},
	{MQTT_RC_CONNECTION_RATE_EXCEEDED,
	 "the broker is asked for connections too often"},
};

static const char *refusal(int code)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].code == code)
			return refusals[i].why;
	return NULL;
}

void fg_reason_refused(int code, char *why, size_t len)
{
	const char *text = refusal(code);

	if (text)
		snprintf(why, len, "%s", text);
	else
		snprintf(why, len, "the broker refuses it: %s",
			 code < 0x80 ? mosquitto_connack_string(code)
				     : mosquitto_reason_string(code));
}

void fg_reason_unpublished(int code, char *why, size_t len)
{
	if (code == MQTT_RC_NOT_AUTHORIZED)
		snprintf(why, len,
			 "the broker does not let it publish on its topics: "
			 "the right to is missing there (an ACL)");
	else
		snprintf(why, len, "the broker does not take messages: %s",
			 mosquitto_reason_string(code));
}

/* "OpenSSL Error[0]: error:0A00010B:SSL routines::wrong version number" */
static const char *last_part(const char *hint)
{
	const char *colon = strrchr(hint, ':');

	return colon && strstr(hint, "OpenSSL") ? colon + 1 : "";
}

static void tls_failed(const struct fg_loss *l, char *why, size_t len)
{
	const char *what = last_part(l->hint);

	if (strstr(what, "wrong version") || strstr(what, "unknown protocol"))
		snprintf(why, len,
			 "it does not speak TLS on this port: mqtt:// or "
			 "another port");
	else if (strstr(what, "unexpected eof"))
		snprintf(why, len,
			 "the broker ended TLS at once (does it want mqtt:// "
			 "on this port?)");
	else if (strstr(what, "alert"))
		snprintf(why, len,
			 "the broker ends the TLS handshake (%s): check "
			 "cert_file, key_file and their CA there",
			 what);
	else
		snprintf(why, len, "TLS failed: %s",
			 *what ? what : "the broker ended the handshake");
}

void fg_reason_lost(const struct fg_loss *l, char *why, size_t len)
{
	bool closed = l->rc == MOSQ_ERR_CONN_LOST || l->error == ECONNRESET ||
		      l->error == EPIPE ||
		      (l->was_up && strstr(last_part(l->hint), "eof"));

	if (*l->certificate)
		snprintf(why, len,
			 "the broker's certificate is not believed: %s (check "
			 "ca_file and the name in the url)",
			 l->certificate);
	else if (l->rc == MOSQ_ERR_KEEPALIVE)
		snprintf(why, len, "the broker does not answer any more");
	else if (l->error == ECONNREFUSED)
		snprintf(why, len,
			 "nobody listens there (is the broker running?)");
	else if (closed && l->was_up)
		snprintf(why, len, "the broker closed it");
	else if (l->tls && (l->error == EPROTO || l->rc == MOSQ_ERR_TLS))
		tls_failed(l, why, len);
	else if (closed)
		snprintf(why, len, "the broker closed it at once (%s?)",
			 l->tls ? "does it want mqtt:// on this port, or a "
				  "certificate of ours"
				: "does it want mqtts:// on this port");
	else if (l->rc == MOSQ_ERR_ERRNO && l->error)
		snprintf(why, len, "%s", strerror(l->error));
	else
		snprintf(why, len, "%s", mosquitto_strerror(l->rc));
}
