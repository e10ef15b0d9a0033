#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The systemd unit is one that systemd knows all of, as closed as the README
# says; tests/netns/deb.sh is where it runs.
# shellcheck disable=SC2317 # functions are called by name through ok
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

command -v systemd-analyze >/dev/null || skip "no systemd-analyze (Debian: systemd)"

unit=$T/dist/systemd/flowgated.service
make -s "$unit" B="$T" >"$T/log" 2>&1 || { cat "$T/log"; exit 1; }
# its programs need not be installed here
sed -E 's#^(Exec[A-Za-z]*=)[^ ]*/flowgate(d|ctl)#\1/bin/true#' "$unit" >"$T/flowgated.service"
ok "nothing is left to fill in" test -z "$(grep '@[A-Z]*@' "$unit")"
says_nothing() { test -z "$("$@" 2>&1 | grep flowgated)"; }
ok "systemd knows all of it" says_nothing systemd-analyze verify --man=no "$T/flowgated.service"

score=$(systemd-analyze security --offline=true "$T/flowgated.service" 2>/dev/null | sed -n 's/.*exposure level[^:]*: *\([0-9.]*\).*/\1/p')
ok "its exposure is $score, as the README says" grep -q "systemd-analyze security\`: $score" README.md
finish
