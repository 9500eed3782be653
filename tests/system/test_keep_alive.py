"""The kernel's keep-alive, as it is set on a listener and inherited by its clients."""

from __future__ import annotations

import socket
import sys

import pytest

from wirecat.system.keep_alive import keep_alive, keep_clients_alive


@pytest.mark.skipif(sys.platform != "linux", reason="the names of Linux' options")
def test_accepted_socket_inherits_keep_alive_and_no_user_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert keep_clients_alive([server], 60)
        with socket.create_connection(server.getsockname()), server.accept()[0] as accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [accepted.getsockopt(socket.IPPROTO_TCP, name) for name in names] == [30, 10, 3, 0]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix domain sockets")
def test_unix_socket_is_left_alone() -> None:
    one, other = socket.socketpair()
    with one, other:
        keep_alive(one, 60)
        assert not one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
