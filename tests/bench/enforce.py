#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The three parties of time-to-enforce.sh.

enforce.py sink ADDRESS PORT COUNT    reads, and never answers, on COUNT ports
enforce.py watch SOCKET FILE          notes when the agent names a connection
enforce.py probe ADDRESS PORT COUNT FILE
    on each port: a TLS hello, then a byte every 0.1 ms, until it is refused;
    writes when each of these was, and reads what watch noted
"""
import json
import selectors
import socket
import ssl
import statistics
import sys
import time

NAME = "www.netflix.com"


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sink(address, port, count):
    selector = selectors.DefaultSelector()
    for n in range(int(count)):
        s = socket.socket(family(address))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, int(port) + n))
        s.listen()
        selector.register(s, selectors.EVENT_READ, True)
    while True:
        for key, _ in selector.select():
            if key.data:
                selector.register(key.fileobj.accept()[0], selectors.EVENT_READ)
                continue
            try:
                gone = not key.fileobj.recv(65536)
            except OSError:
                gone = True
            if gone:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def watch(path, out):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    stream = s.makefile("rb")
    with open(out, "w", buffering=1) as notes:
        for line in stream:
            now = time.time()
            if not line.startswith(b'{"length"'):
                flow = json.loads(line).get("flow", {})
                if flow.get("host_server_name") == NAME:
                    print(flow["other_port"], now, file=notes)


def hello():
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=NAME).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def try_one(address, port):
    s = socket.create_connection((address, port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    text = hello()
    time.sleep(0.02)
    began = time.time()
    s.send(text)
    sent = 0
    try:
        while time.time() < began + 5:
            until = time.perf_counter() + 0.0001
            while time.perf_counter() < until:
                pass
            s.send(b"x")
            sent += 1
    except OSError:
        return began, time.time(), sent
    sys.exit("port %d: not refused within 5 s" % port)


def named(path):
    when = {}
    with open(path) as notes:
        for line in notes:
            port, at = line.split()
            when.setdefault(int(port), float(at))
    return when


def probe(address, port, count, notes):
    tries = {}
    for n in range(int(count)):
        tries[int(port) + n] = try_one(address, int(port) + n)
        time.sleep(0.05)
    when = named(notes)
    agent = sorted((when[p] - t[0]) * 1000 for p, t in tries.items())
    gate = sorted((t[1] - when[p]) * 1000 for p, t in tries.items())
    total = sorted((t[1] - t[0]) * 1000 for t in tries.values())
    for values in agent, gate, total:
        print("%7.2f %7.2f" % (statistics.median(values),
                               values[len(values) * 99 // 100]), end="  ")
    print()


if len(sys.argv) < 4:
    sys.exit(__doc__)
{"sink": sink, "watch": watch, "probe": probe}[sys.argv[1]](*sys.argv[2:])
