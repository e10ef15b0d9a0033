#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random enters, leaves, bursts, reloads, flushes, thefts, firewall reloads,
# kills, restarts and stops against a real set, which must equal a model after
# each step. FG_SEED=N runs one again, FG_STEPS=N longer.
. tests/netns/lib.sh

ns_new gw
ns gw nft list ruleset >/dev/null 2>&1 || skip "no nftables in this kernel"
mkdir "$TMP/model"
ns gw "$B/tests/tools/model-check" -n "${FG_STEPS:-10000}" ${FG_SEED:+-s "$FG_SEED"} "$B/flowgated" "$TMP/model"
status=$?
[ $status = 0 ] || tail -n 20 "$TMP/model/flowgated.log"
exit $status
