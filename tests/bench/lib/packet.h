/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h - packets of a flow, sent until the rules drop one.
 *
 * A packet that the output hook drops makes sendto() fail with EPERM: no
 * second socket, and nothing between the verdict and who measures it.
 */
#ifndef BENCH_PACKET_H
#define BENCH_PACKET_H

#include <stdbool.h>

#include "stream.h"

/* A raw socket; exits when there is none. */
int packet_socket(void);

/* key: of struct keys v4. True: the packet was dropped. */
bool packet_dropped(int fd, const uint8_t key[KEY_MAX]);

#endif
