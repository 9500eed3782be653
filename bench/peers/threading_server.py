"""An echo server with ``socketserver.ThreadingTCPServer``: a thread for each client. ``threading_server.py PORT``"""

from __future__ import annotations

import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 4096


with Server(("127.0.0.1", int(sys.argv[1])), Echo) as server:
    server.serve_forever()
