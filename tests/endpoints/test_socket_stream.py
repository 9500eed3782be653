"""What is particular to streams over sockets; what holds for every stream is in conformance.py."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator

import pytest

from background import PATIENCE, Background
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.endpoints.socket_stream import SocketStream, on_its_way, place_of

LOOPBACK, LOOPBACK_NAME = socket.if_nameindex()[0]


@pytest.fixture
def ends() -> Iterator[tuple[SocketStream, SocketStream]]:
    one, other = (SocketStream(each) for each in socket.socketpair())
    yield one, other
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("raw", "family", "address"),
    [
        (("127.0.0.1", 80), socket.AF_INET, Address("tcp", "127.0.0.1", 80)),
        (("::1", 80, 0, 0), socket.AF_INET6, Address("tcp", "::1", 80)),
        (("fe80::1", 80, 0, LOOPBACK), socket.AF_INET6, Address("tcp", f"fe80::1%{LOOPBACK_NAME}", 80)),
        (("fe80::1", 80, 0, 54321), socket.AF_INET6, Address("tcp", "fe80::1%54321", 80)),
        ("/run/x", getattr(socket, "AF_UNIX", 1), Address("unix", path="/run/x")),
        ("", getattr(socket, "AF_UNIX", 1), Address("unix")),
        (None, getattr(socket, "AF_UNIX", 1), Address("unix")),
        (b"\0name", getattr(socket, "AF_UNIX", 1), Address("unix", path="@name")),
        (b"\0\xff", getattr(socket, "AF_UNIX", 1), Address("unix", path="@\udcff")),
    ],
)
def test_the_address_of_what_the_kernel_gives(raw: object, family: int, address: Address) -> None:
    assert place_of(raw, family) == address


def test_it_remembers_that_it_was_ended_or_cut(ends: tuple[SocketStream, SocketStream]) -> None:
    one, other = ends
    assert not one.ended
    other.half_close()
    assert one.receive(1) == b""
    assert one.ended
    assert not one.aborted
    one.abort()
    assert one.aborted


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


def test_an_end_that_nobody_can_name_any_more(ends: tuple[SocketStream, SocketStream]) -> None:
    one, _ = ends
    one.socket.close()
    assert one.peer == one.local == Address("tcp", "unknown", 0)
