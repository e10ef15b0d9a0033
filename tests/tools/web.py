#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""web.py CERT KEY ADDRESS...: serves the current folder over TLS on port 443.

Unlike openssl s_server, it goes on when a connection was cut off by a firewall
without its knowing.
"""
import http.server
import socket
import ssl
import sys
import threading


class Handler(http.server.SimpleHTTPRequestHandler):
    def setup(self):
        # here, in the connection's own thread, not in accept()
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # reset: what these tests are about

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


class Server6(Server):
    address_family = socket.AF_INET6


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
for address in sys.argv[3:]:
    server = (Server6 if ":" in address else Server)((address, 443), Handler)
    threading.Thread(target=server.serve_forever).start()
