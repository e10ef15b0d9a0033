#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The keys, certificates and passwords of a fleet, for mosquitto and flowgated.
set -eu
umask 077

usage() {
	cat <<-'U' >&2
		usage: keys.sh ca DIR             DIR/ca.key, DIR/ca.crt: who is believed
		       keys.sh broker DIR NAME... DIR/broker.key, DIR/broker.crt, by that
		                                  authority, for these names or addresses
		       keys.sh client DIR USER    DIR/USER.key, DIR/USER.crt
		       keys.sh user FILE USER     USER.password, and its hash in FILE, a
		                                  password file of mosquitto
		DAYS=N: how long a certificate is good for (ca: 3650, others: 397)
	U
	exit 1
}

new_key() { # FILE
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

# sign DIR FILE SUBJECT EXTENSION...: DIR/FILE.crt for DIR/FILE.key
sign() {
	dir=$1 file=$2 subject=$3
	shift 3
	new_key "$dir/$file.key"
	printf '%s\n' "$@" basicConstraints=critical,CA:false >"$dir/.extensions"
	openssl req -new -key "$dir/$file.key" -subj "/CN=$subject" |
		openssl x509 -req -CA "$dir/ca.crt" -CAkey "$dir/ca.key" \
			-days "${DAYS:-397}" -extfile "$dir/.extensions" \
			-out "$dir/$file.crt"
	rm "$dir/.extensions"
}

[ $# -ge 2 ] || usage
what=$1 dir=$2
shift 2
case $what in
ca)
	mkdir -p "$dir"
	[ ! -e "$dir/ca.key" ] || { echo "$dir/ca.key is there already" >&2; exit 1; }
	new_key "$dir/ca.key"
	# a name of its own: two authorities with the same one, during a
	# change, would be taken for each other
	openssl req -x509 -new -key "$dir/ca.key" -days "${DAYS:-3650}" \
		-subj "/CN=fleet $(date +%F) $(openssl rand -hex 4)" \
		-addext keyUsage=critical,keyCertSign,cRLSign -out "$dir/ca.crt"
	;;
broker)
	[ $# -ge 1 ] || usage
	names=
	for n in "$@"; do
		case $n in
		*:* | *[0-9].*[0-9].*[0-9].*[0-9]) names=$names,IP:$n ;;
		*) names=$names,DNS:$n ;;
		esac
	done
	sign "$dir" broker "$1" "subjectAltName=${names#,}" extendedKeyUsage=serverAuth
	;;
client)
	[ $# = 1 ] || usage
	sign "$dir" "$1" "$1" extendedKeyUsage=clientAuth
	;;
user)
	[ $# = 1 ] || usage
	password=$(openssl rand -base64 24)
	[ -e "$dir" ] || : >"$dir"
	# standard input, not an argument that everybody's ps shows
	printf '%s\n%s\n' "$password" "$password" | mosquitto_passwd "$dir" "$1" >/dev/null
	printf '%s\n' "$password" >"$1.password"
	;;
*) usage ;;
esac
