/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - finds out what the kernel's nftables can do.
 *
 * By doing it, in a table of its own that is gone afterwards: version numbers
 * say nothing about a vendor's kernel. FLOWGATE_WITHOUT in the environment
 * ("destroy", "update", or both) makes a capability count as missing.
 */
#ifndef FG_NFTSET_PROBE_H
#define FG_NFTSET_PROBE_H

#include "batch.h"
#include "netlink/socket.h"

/* 0, or -errno; then *out is what works everywhere. */
int fg_probe(struct fg_nl *nl, struct fg_caps *out);

#endif
