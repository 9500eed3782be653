"""Congestion control within this machine: what paces is taken off a connection that sends much, and only there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from background import Background
from plain_peers import everything
from wirecat.address import Address
from wirecat.carrier import BUFFER, Carrier
from wirecat.connection import Connection
from wirecat.endpoints.congestion import stays_here, stop_pacing
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.stdio import StdioStream

ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
HAS_BBR = ALLOWED.exists() and "bbr" in ALLOWED.read_text().split()
needs_bbr = pytest.mark.skipif(not HAS_BBR, reason="the kernel has no BBR, or not for everybody")


def congestion_control(of: socket.socket) -> str:
    return of.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as one:
        other, _ = listening.accept()
        with other:
            yield one, other


@pytest.mark.parametrize(
    ("local", "peer", "here"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.8.9.1", True),
        ("::1", "::1", True),
        ("192.0.2.1", "192.0.2.1", True),  # over loopback as well, whatever its name
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", False),
    ],
)
def test_what_stays_here(local: str, peer: str, here: bool) -> None:
    assert stays_here(Address("tcp", local, 1), Address("tcp", peer, 2)) is here


def test_a_unix_socket_has_none() -> None:
    assert not stays_here(Address("unix", path="/one"), Address("unix", path="/other"))
    one, other = socket.socketpair()
    with one, other:
        stop_pacing(one)
        SocketStream(one).expect_bulk()


def test_a_socket_that_is_closed_is_let_be() -> None:
    closed = socket.socket()
    closed.close()
    stop_pacing(closed)


@needs_bbr
def test_reno_stands_in_for_bbr(ends: tuple[socket.socket, socket.socket]) -> None:
    one, _ = ends
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    stop_pacing(one)
    assert congestion_control(one) == "reno"


@pytest.mark.skipif(not hasattr(socket, "TCP_CONGESTION"), reason="the system lets nobody choose")
def test_what_does_not_pace_stays_as_it_is(ends: tuple[socket.socket, socket.socket]) -> None:
    one, _ = ends
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    stop_pacing(one)
    assert congestion_control(one) == "reno"


@needs_bbr
@pytest.mark.parametrize(("size", "meant"), [(1000, "bbr"), (8 * BUFFER, "reno")])
def test_only_who_sends_much_is_changed(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path, size: int, meant: str
) -> None:
    one, other = ends
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    with path.open("rb") as file, Background(lambda: everything(other)) as reading:
        source = Connection(StdioStream(file.fileno(), file.fileno()))
        Carrier(source, Connection(SocketStream(one))).carry()
        assert congestion_control(one) == meant
        one.shutdown(socket.SHUT_WR)
        assert reading.result() == path.read_bytes()
