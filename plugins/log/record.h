/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - what happened to a membership, as one line of a format.
 *
 * Pure but for what it asks the host: names, and the flow's host name.
 */
#ifndef FG_LOG_RECORD_H
#define FG_LOG_RECORD_H

#include "line.h"

enum fg_log_event {
	FG_LOG_ENTER,
	FG_LOG_LEAVE,
	FG_LOG_UPDATE, /* detected as something else; still a member */
	FG_LOG_EVENT_COUNT
};

extern const char *const fg_log_events[FG_LOG_EVENT_COUNT];

struct fg_record {
	const struct fg_host *host;
	const char *target;
	const struct fg_flow *flow;
	const struct fg_member *member;
	enum fg_log_event event;
	enum fg_reason reason;
	int64_t wall; /* epoch ms */
};

/*
 * Each writes a whole record, its end included, and returns its length; 0 when
 * it does not fit into size.
 *
 * csv		time, digest, local address:port, other address:port,
 *		protocol, application, host name
 * json		one object a line
 * syslog	"<priority>time name[pid]: key=value ...", NUL-terminated
 * journal	the fields of its native protocol, NUL-terminated
 */
size_t fg_record_csv(const struct fg_record *r, char *buf, size_t size);
size_t fg_record_json(const struct fg_record *r, char *buf, size_t size);
size_t fg_record_syslog(const struct fg_record *r, char *buf, size_t size);
size_t fg_record_journal(const struct fg_record *r, char *buf, size_t size);

#endif
