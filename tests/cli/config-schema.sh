#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The JSON Schema takes every configuration that the project shows to people,
# and the examples of the manual; and it can say no.
set -eu
schema=common/dist/flowgate.schema.json
manual=common/dist/man/flowgate.json.5

if ! python3 -c 'import jsonschema' 2>/dev/null; then
	echo "SKIPPED: no Python module jsonschema (Debian: python3-jsonschema)"
	exit 77
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# literal displays that are a whole object
awk -v dir="$tmp" '
	/^\.Bd -literal/ { inside = 1; first = 1; next }
	/^\.Ed/ { inside = 0; out = ""; next }
	inside && first { first = 0; if ($0 == "{") out = dir "/example" ++n ".json" }
	inside && out { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print > out }
' "$manual"
set -- "$tmp"/example*.json
if [ ! -e "$tmp/example2.json" ]; then
	echo "examples of the manual not found"
	exit 1
fi
for f in tests/data/config/*.json rules/*/*.json common/dist/*/*.json; do
	case $f in
	*\** | common/dist/grafana/*) ;;
	*) set -- "$@" "$f" ;;
	esac
done
tests/tools/schema.py "$schema" "$@"
tests/tools/schema.py -f "$schema" tests/data/config/wrong/*.json
echo "$# configurations fit the schema"
