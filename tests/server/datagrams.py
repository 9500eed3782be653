"""Peers of a server for datagrams, as plain sockets."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from server.clients import PATIENCE, Served

ADDRESS = "udp://127.0.0.1:0"


@contextlib.contextmanager
def peer_of(served: Served, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.connect((host, served.port))
        yield client


def ask(client: socket.socket, data: bytes) -> bytes:
    client.send(data)
    return client.recv(1 << 17)


def silent(client: socket.socket) -> bool:
    client.settimeout(0.1)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE)
    return False
