#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Peer: the stream through jq into one nft, which reads to the end of its input
# before it does anything. jq-nft.sh SOCKET
set -eu -o pipefail
socat -u "UNIX-CONNECT:$1" - | jq -r '
	{"6": "tcp", "17": "udp"} as $names |
	select(.type == "flow") | .flow | select(.other_type == "remote") |
	"add element inet bench tuple.v\(.ip_version) { \(.local_ip) . " +
	"\($names[.ip_protocol | tostring] // .ip_protocol) . " +
	"\(.local_port) . \(.other_ip) . \(.other_port) timeout 900s }"' |
	nft -f -
