/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.h - why it did not work, as one sentence that says what to do. Pure.
 */
#ifndef FG_MQTT_REASON_H
#define FG_MQTT_REASON_H

#include <stdbool.h>
#include <stddef.h>

/* What there is to know of a connection that is lost, or did not come about. */
struct fg_loss {
	int rc;	   /* enum mosq_err_t */
	int error; /* errno */
	bool was_up;
	bool tls;
	const char *certificate; /* why the broker's was refused, or "" */
	const char *hint;	 /* what the library logged last, or "" */
};

void fg_reason_lost(const struct fg_loss *loss, char *why, size_t len);
/* CONNACK or DISCONNECT, of MQTT 3.1.1 (1 to 5) or of MQTT 5 (from 0x80). */
void fg_reason_refused(int code, char *why, size_t len);
/* PUBACK, of MQTT 5. */
void fg_reason_unpublished(int code, char *why, size_t len);

#endif
