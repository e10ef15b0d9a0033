#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Peer: Python reads the stream with json and runs one nft for each element."""
import json
import socket
import subprocess
import sys

s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for line in s.makefile("rb"):
	message = json.loads(line)
	if message.get("type") != "flow":
		continue
	f = message["flow"]
	if f["other_type"] != "remote":
		continue
	subprocess.run(["nft", "add", "element", "inet", "bench",
			f"tuple.v{f['ip_version']}",
			"{ %s . %d . %d . %s . %d timeout 900s }" % (
				f["local_ip"], f["ip_protocol"], f["local_port"],
				f["other_ip"], f["other_port"])], check=True)
