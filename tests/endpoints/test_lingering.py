"""What a close waits for, and what a connection has failed with."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys

import pytest

from background import PATIENCE, Background
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import reset
from wirecat.endpoints.lingering import on_its_way, pending_error
from wirecat.endpoints.socket_stream import SocketStream


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells what has arrived")
@pytest.mark.parametrize("how", ["read", "aborted"])
def test_it_waits_for_what_is_on_its_way(how: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname(), PATIENCE)
        stream = SocketStream(*server.accept())
    try:
        stream.settle()  # nothing is
        stream.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                stream.socket.send(bytes(65536))
        assert on_its_way(stream.socket)
        with Background(stream.settle) as settling:
            if how == "aborted":
                stream.abort()
            else:
                while on_its_way(stream.socket):
                    peer.recv(1 << 20)
            settling.result()
    finally:
        peer.close()
        stream.close()
    stream.settle()  # closed: nothing is


def test_pending_error_reset_is_given_once_and_data_stay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname(), PATIENCE)
        accepted, _ = server.accept()
    with accepted:
        peer.sendall(b"before")
        assert pending_error(accepted) == 0
        reset(peer)
        while not (number := pending_error(accepted)):
            pass
        assert number == errno.ECONNRESET
        assert pending_error(accepted) == 0
        if sys.platform != "win32":
            assert accepted.recv(10) == b"before"
