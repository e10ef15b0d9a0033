#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The page of flowgatectl report in a browser: it draws, says no error, and fits
# a desk and a phone, light and dark.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
	skip "needs chromium (Debian: chromium)"
# shellcheck source=tests/tools/stats.sh
. "$(dirname "$0")/../tools/stats.sh"

config '{"sources": ["unix://'"$T"'/agent.sock"],
  "targets": {"count": {"target_type": "stats"}, "list": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"no-video": {"criteria": "application == \"netflix\"", "targets": ["list"]},
              "try": {"criteria": "application == \"zoom\"", "mode": "observe", "targets": ["count"]}}}'
start -c "$T/config.json"

# Put into the page: tells the page around it what a person would look for.
# shellcheck disable=SC2016 # JavaScript's variables
probe='<script>
const errors = [];
addEventListener("error", e => errors.push(e.message));
setTimeout(() => {
	const n = what => document.querySelectorAll(what).length;
	const wide = document.scrollingElement.scrollWidth - innerWidth;
	parent.postMessage(`probe width=${innerWidth} wide=${wide > 0 ? wide : 0} errors=${errors.length} tiles=${n(".tile")} ` +
		`series=${n("path.series")} legend=${n(".legend li")} rows=${n(".heat tbody tr")} rules=${n(".rule")} ` +
		`images=${n("img")} help=${/Add a target of type/.test(document.body.innerText) ? 1 : 0} null=${/\bnull\b|undefined|NaN/.test(document.body.innerText) ? 1 : 0} ` +
		`page=${getComputedStyle(document.body).backgroundColor}`, "*");
}, 1500);
</script>'
look() { # NAME WIDTH dark|light: leaves the title in $T/title
	local scheme=1
	[ "$3" = light ] || scheme=0
	"$B/flowgatectl" -S "$T/control.sock" report -o "$T/$1.html"
	# before the page's own script, so that its errors are heard
	sed "s|^<script>\$|$(tr '\n' ' ' <<<"$probe" | sed 's/[&|\\]/\\&/g')\n<script>|" "$T/$1.html" >"$T/probe.html"
	# a window is never as narrow as a phone, a frame is
	echo "<title></title><script>onmessage = e => document.title = e.data</script>" \
		"<iframe src=probe.html style='border:0;width:$2px;height:900px'></iframe>" >"$T/frame.html"
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$T/browser" \
		--blink-settings="preferredColorScheme=$scheme" --window-size="1400,1000" --virtual-time-budget=6000 \
		--dump-dom "file://$T/frame.html" >"$T/dom" 2>"$T/browser.log"
	grep -o '<title>[^<]*' "$T/dom" >"$T/title"
}
sees() { # WHAT WORD...: each in the title
	local what=$1 word
	shift
	for word in "$@"; do
		if ! grep -qE "(^| )$word( |\$)" "$T/title"; then
			failed "$what: no $word" "$T/title"
			return
		fi
	done
	echo "ok: $what"
}

look empty 1280 light
sees "nothing counted yet" errors=0 wide=0 series=0 rows=0 rules=0 null=0
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	flow $n "02:00:00:00:00:0$((n % 5))" $((500 + n)) "netify.app$n"
	counted stats $n $((n * 1000)) $((n * 100000))
done
flow 20 02:00:00:00:00:01 133 netify.netflix 29 "$(date +%s%3N)"
flow 21 02:00:00:00:00:02 189 netify.zoom 32
flow 22 02:00:00:00:00:02 700 '<img src=x onerror=document.title=1>'
counted stats 20 1 2
counted stats 22 1000000 20000000
heard
look desk 1280 light
sees "a desk" width=1280 errors=0 wide=0 tiles=6 series=8 legend=8 rows=5 rules=2 images=0 null=0 'page=rgb\(246, 245, 242\)'
look phone 390 dark
sees "a phone in the dark" width=390 errors=0 wide=0 tiles=6 series=8 rows=5 rules=2 null=0 'page=rgb\(15, 15, 14\)'

config '{"sources": ["unix://'"$T"'/agent.sock"], "targets": {}, "actions": {}}'
ok "reload" grep -q '^ok' <(ctl reload)
look without 390 light
sees "no target of that type" errors=0 wide=0 tiles=0 help=1
finish
