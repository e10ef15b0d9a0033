#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expressions of every flow that was ever recorded, against jq's answers to the
# same questions: jq reads the JSON itself, and knows nothing of our code.
set -eu

match=$B/tests/tools/match-flows
streams=${FG_STREAMS:-../shared/streams}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ours ~ jq's, where . is the flow; absent is false, and != is what == is not
cat >"$work/table" <<'EOF'
*                                                ~ true
application == 133                               ~ .detected_application == 133
application != 133                               ~ .detected_application != 133
app > 10000                                      ~ .detected_application > 10000
app                                              ~ .detected_application != 0
app == 'netify.netflix'                          ~ app == "netify.netflix"
ai:Facebook                                      ~ app == "netify.facebook"
app == 'rx:^netify\.(apple|google)'              ~ (app | test("^netify\\.(apple|google)"; "i"))
!ai:netflix && !ai:google                        ~ app != "netify.netflix" and app != "netify.google"
protocol == 5                                    ~ .detected_protocol == 5
proto == 'dns'                                   ~ (.detected_protocol_name | ascii_downcase) == "dns"
pi:HTTP/S                                        ~ .detected_protocol_name == "HTTP/S"
protocol != 'rx:dns'                             ~ (.detected_protocol_name | test("dns"; "i") | not)
app_category == 29                               ~ .category.application == 29
ac:streaming-media                               ~ .category.application == 29
protocol_category == 'web'                       ~ .category.protocol == 22
category == 9                                    ~ ([.category[]?] | any(. == 9))
ip_protocol == 17                                ~ .ip_protocol == 17
ip_version == 6                                  ~ .ip_version == 6
ip_nat                                           ~ .ip_nat
vlan_id > 0                                      ~ .vlan_id > 0
local_port == 53                                 ~ .local_port == 53
port >= 50000                                    ~ .local_port >= 50000 or .other_port >= 50000
port != 443                                      ~ .local_port != 443 and .other_port != 443
src_port == 53                                   ~ (if .local_origin then .local_port else .other_port end) == 53
dst_port < 1024                                  ~ (if .local_origin then .other_port else .local_port end) < 1024
other_ip == 17.0.0.0/8                           ~ (.ip_version == 4 and (.other_ip | startswith("17.")))
ip == 192.168.115.0/24                           ~ ([.local_ip, .other_ip] | any(startswith("192.168.115.")))
local_ip == fe80::/16                            ~ (.local_ip | startswith("fe80:"))
dst_ip == 8.8.8.8                                ~ (if .local_origin then .other_ip else .local_ip end) == "8.8.8.8"
local_mac == 00:02:00:33:3c:56                   ~ .local_mac == "00:02:00:33:3c:56"
mac == ff:ff:ff:ff:ff:ff                         ~ ([.local_mac, .other_mac] | any(. == "ff:ff:ff:ff:ff:ff"))
origin == origin_local                           ~ .local_origin
origin == origin_other                           ~ (.local_origin | not)
other_type == other_remote                       ~ .other_type == "remote"
other_type == other_multicast                    ~ .other_type == "multicast"
other_type != other_broadcast                    ~ .other_type != "broadcast"
tunnel_type == tunnel_gtp                        ~ has("gtp")
detection_guessed                                ~ (.detection_guessed == true or .detection_guessed == 1)
detection_updated == false                       ~ (.detection_updated // false | not)
detected_hostname                                ~ (.host_server_name // "") != ""
detected_hostname == 'rx:(^|\.)netflix\.com$'    ~ ((.host_server_name // "") | test("(^|\\.)netflix\\.com$"; "i"))
detected_hostname != 'www.apple.com'             ~ ((.host_server_name // "") | ascii_downcase) != "www.apple.com"
dns_hostname == 'rx:akamai'                      ~ ((.dns_host_name // "") | test("akamai"; "i"))
tls_version == 0x0303                            ~ .ssl.version == "0x0303"
tls_version >= 0x0303                            ~ ((.ssl.version // "0x0000") | . == "0x0303" or . == "0x0304")
tls_cipher == 0xc02f                             ~ .ssl.cipher_suite == "0xc02f"
tls_alpn == 'h2'                                 ~ ((.ssl.alpn // []) | any(. == "h2"))
tls_alpn != 'http/1.1'                           ~ ((.ssl.alpn // []) | any(. == "http/1.1") | not)
tls_server_cn == 'rx:netflix'                    ~ ((.ssl.server_cn // "") | test("netflix"; "i"))
tls_issuer_dn == 'rx:DigiCert'                   ~ ((.ssl.issuer_dn // "") | test("digicert"; "i"))
tls_subject_dn                                   ~ (.ssl.subject_dn // "") != ""
http_url == 'rx:\.jpe?g'                         ~ ((.http.url // "") | test("\\.jpe?g"; "i"))
http_user_agent == 'rx:t"est'                    ~ ((.http.user_agent // "") | test("t\"est"; "i"))
dhcp_fingerprint == '1,3,6,15,44,33'             ~ .dhcp.fingerprint == "1,3,6,15,44,33"
dhcp_class_ident == 'MSFT 5.0'                   ~ .dhcp.class_ident == "MSFT 5.0"
mdns_domain_name                                 ~ (.mdns.answer // "") != ""
ssh_client_agent == 'rx:openssh'                 ~ ((.ssh.client // "") | test("openssh"; "i"))
ssh_server_agent == 'rx:openssh_5\.6'             ~ ((.ssh.server // "") | test("openssh_5\\.6"; "i"))
bt_info_hash == 'DCFCDCCFB9E670CCC3DD40C78C161F2BEA243126' ~ .bt.info_hash == "dcfcdccfb9e670ccc3dd40c78c161f2bea243126"
risks == 30                                      ~ ((.risks.risks // []) | any(. == 30))
risks != 30                                      ~ ((.risks.risks // []) | any(. == 30) | not)
ndpi_risk_score > 100                            ~ (.risks.ndpi_risk_score // 0) > 100
ndpi_risk_client <= 55                           ~ (has("risks") and .risks.ndpi_risk_score_client <= 55)
local_mac == 9c:b6:d0:d3:e3:33 && (port == 80 || tls_version) ~ .local_mac == "9c:b6:d0:d3:e3:33" and (.local_port == 80 or .other_port == 80 or (.ssl.version // "0x0000") != "0x0000")
!(ip_protocol == 6 && port == 443) || ai:netflix ~ ((.ip_protocol == 6 and (.local_port == 443 or .other_port == 443)) | not) or app == "netify.netflix"
EOF
sed 's/ *~ .*//' "$work/table" >"$work/ours"
{
	# v3 has the id in front of the name
	# shellcheck disable=SC2028 # a backslash for jq
	echo 'def app: .detected_application_name | sub("^[0-9]+\\."; "");'
	echo 'def bit: if . then "1" else "0" end;'
	echo 'select(.type == "flow").flow | .digest + " " +'
	sed 's/^.* ~ //; s/.*/((&) | bit) +/' "$work/table"
	echo '""'
} >"$work/theirs.jq"

n=0
flows=0
for f in tests/data/v[345].stream "$streams"/*.stream; do
	[ -s "$f" ] || continue
	jq -r -f "$work/theirs.jq" "$f" >"$work/want"
	"$match" "$work/ours" "$f" >"$work/got"
	if ! cmp -s "$work/want" "$work/got"; then
		echo "$f: differs"
		# which expressions, and for which flows
		paste -d ' ' "$work/want" "$work/got" |
			awk -v table="$work/table" '
			BEGIN { while ((getline line < table) > 0) e[++n] = line }
			$1 != $3 { print "other flows: " $1 " " $3; exit }
			{ for (i = 1; i <= n; i++)
				if (substr($2, i, 1) != substr($4, i, 1))
					print $1, "jq " substr($2, i, 1), e[i] }' |
			head -n 20
		exit 1
	fi
	n=$((n + 1))
	flows=$((flows + $(wc -l <"$work/got")))
	cat "$work/got" >>"$work/all"
done
[ -d "$streams" ] || echo "only our own recordings: no $streams (set FG_STREAMS)"

# an expression that is always or never true was not asked anything
if [ -d "$streams" ]; then
	awk -v table="$work/table" '
		BEGIN { while ((getline line < table) > 0) e[++n] = line }
		{ for (i = 1; i <= n; i++) ones[i] += substr($2, i, 1) }
		END { for (i = 2; i <= n; i++)
			if (ones[i] == 0 || ones[i] == NR)
				print ones[i], "of", NR, e[i] }' "$work/all" >"$work/dull"
	# nothing that was recorded is behind NAT
	grep -v '^0 of .* ip_nat ' "$work/dull" && exit 1
fi
echo "$(wc -l <"$work/ours") expressions, $flows flows, $n recordings"
