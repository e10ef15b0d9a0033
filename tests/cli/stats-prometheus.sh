#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real Prometheus scrapes flowgated, and the dashboard's queries find what
# they ask for in it.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v prometheus >/dev/null || skip "needs prometheus (Debian: prometheus)"
# shellcheck source=tests/tools/stats.sh
. "$(dirname "$0")/../tools/stats.sh"
port=$(free_port)
web=$(free_port)
dashboard=$PWD/common/dist/grafana/flowgate.json

config '{"sources": ["unix://'"$T"'/agent.sock"],
  "targets": {"count": {"target_type": "stats", "listen": "127.0.0.1:'"$port"'"},
              "list": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"no-video": {"criteria": "application == \"netflix\"", "targets": ["list"]},
              "try": {"criteria": "application == \"zoom\"", "mode": "observe", "targets": ["count"]}}}'
start -c "$T/config.json"
cat >"$T/prometheus.yml" <<YML
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: flowgate
    static_configs: [{targets: ["127.0.0.1:$port"]}]
YML
ok "promtool takes all of it" test -z "$(curl -s "http://127.0.0.1:$port/metrics" | promtool check metrics 2>&1)"
prometheus --config.file="$T/prometheus.yml" --storage.tsdb.path="$T/tsdb" --log.level=error \
	--web.listen-address="127.0.0.1:$web" >"$T/prometheus.log" 2>&1 &
pids+=($!)

query() { # EXPRESSION: the JSON list of results
	curl -sf --get --data-urlencode "query=$1" "http://127.0.0.1:$web/api/v1/query" | jq -c .data.result
}
is() { # EXPRESSION VALUE
	test "$(query "$1" | jq -r '.[0].value[1]')" = "$2"
}
ok "it finds us up" wait_for 30 is 'up{job="flowgate"}' 1
now=$(date +%s%3N)
flow 1 02:00:00:00:00:01 133 netify.netflix 29 "$((now - 30))"
flow 2 02:00:00:00:00:02 189 netify.zoom 32 "$((now - 20))"
counted stats 1 100 2000
counted stats 2 30 40
heard
ok "it has bytes" wait_for 20 is 'flowgate_application_bytes_total{application="netify.netflix",direction="down"}' 2000
for n in 1 2 3; do
	counted stats 1 1000 2000
	ok "and they grow" wait_for 20 is 'flowgate_application_bytes_total{application="netify.netflix",direction="down"}' $((2000 + n * 2000))
done
ok "at a rate" test "$(query 'rate(flowgate_application_bytes_total{application="netify.netflix",direction="down"}[1m])' | jq '.[0].value[1] | tonumber > 0')" = true
ok "the delay as a histogram" is 'histogram_quantile(0.5, sum(flowgate_detection_delay_seconds_bucket) by (le)) > bool 0' 1

# What Grafana would fill in
count=0
jq -r '.. | objects | select(has("expr")) | .expr' "$dashboard" >"$T/queries"
while read -r expression; do
	count=$((count + 1))
	# shellcheck disable=SC2016 # Grafana's variables
	filled=$(sed 's/\$__rate_interval/10s/g; s/\$__range/1m/g; s/\$instance/.*/g; s/\$top/10/g' <<<"$expression")
	if [ "$(query "$filled" | jq length)" -gt 0 ] 2>/dev/null; then
		echo "ok: $expression"
	else
		failed "the dashboard asks in vain: $filled"
	fi
done <"$T/queries"
ok "the dashboard has queries" test "$count" -gt 10
stop
ok "flowgated down is seen" wait_for 30 is 'up{job="flowgate"}' 0
finish
