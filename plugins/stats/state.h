/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.h - the history as bytes of a file, to survive restarts. Pure.
 *
 * Independent of the machine's byte order; a file of another version, with
 * other sizes of tables, cut or altered is refused as a whole.
 */
#ifndef FG_STATS_STATE_H
#define FG_STATS_STATE_H

#include "history.h"

/* What fg_state_write() needs at most. */
size_t fg_state_size(void);
/* Bytes written; size is at least fg_state_size(). */
size_t fg_state_write(const struct fg_history *h, uint8_t *buf, size_t size);
/*
 * Fills an empty history. 0, or -EINVAL with *why a few words; then it is empty
 * again.
 */
int fg_state_read(struct fg_history *h, const uint8_t *buf, size_t len,
		  const char **why);

#endif
