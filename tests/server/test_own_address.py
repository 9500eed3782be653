"""Which connections lead back to the server that made them."""

from __future__ import annotations

import socket

import pytest

from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.server.own_address import leads_back


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("127.0.0.1:{port}", True), ("0.0.0.0:{port}", True), ("[::]:{port}", True), ("127.0.0.2:{port}", False),
        ("127.0.0.1:1", False), ("unix:///tmp/x", False),
    ],
)  # fmt: skip
def test_a_connection_to_an_address_of_our_own(own: str, expected: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Connection(SocketStream(socket.create_connection(("127.0.0.1", port)))) as connection:
            assert leads_back(connection, (Address.parse(own.format(port=port)),)) is expected
            assert not leads_back(connection, ())


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix domain sockets")
def test_a_path_of_our_own() -> None:
    one, other = socket.socketpair()
    with other, Connection(SocketStream(one, Address("unix", path="/tmp/here"))) as connection:
        assert leads_back(connection, (Address("unix", path="/tmp/here"),))
        assert not leads_back(connection, (Address("unix", path="/tmp/there"), Address("tcp", "127.0.0.1", 1)))
