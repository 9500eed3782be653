"""One peer of a datagram listener; how peers are told apart is in test_datagram_listener.py."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.endpoints.peer_stream import PeerStream
from wirecat.endpoints.udp import open_listener
from wirecat.errors import ConnectionClosed, DeadlineExpired, UsageError, WirecatError


@pytest.fixture
def ends() -> Iterator[tuple[PeerStream, socket.socket]]:
    with open_listener(Address.parse("udp://127.0.0.1:0"), 16) as listener:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", listener.addresses[0].port or 0))
            client.send(b"first")
            stream = listener.accept(PATIENCE)
            stream.set_timeout(PATIENCE)
            assert stream.receive(100) == b"first"
            yield stream, client
            stream.close()


def test_boundaries_empty_datagrams_and_rests(ends: tuple[PeerStream, socket.socket]) -> None:
    stream, client = ends
    for data in (b"", b"abcdef", b"x"):
        client.send(data)
    assert stream.receive(10) == b""
    assert not stream.ended
    buffer = bytearray(4)
    assert stream.receive_into(buffer) == 4
    assert buffer == b"abcd"
    assert [stream.receive(4), stream.receive(4)] == [b"ef", b"x"]


def test_through_a_connection(ends: tuple[PeerStream, socket.socket]) -> None:
    stream, client = ends
    with Connection(stream) as connection:
        client.send(b"")
        assert connection.receive() == b""
        client.send(b"a line\nand a")
        client.send(b"nother\n")
        assert connection.receive_line() == "a line"
        assert connection.receive_line() == "and another"
        connection.send(b"")
        connection.send(b"answer")
        assert [client.recv(10), client.recv(10)] == [b"", b"answer"]


def test_too_large_a_datagram_is_told(ends: tuple[PeerStream, socket.socket]) -> None:
    with pytest.raises(WirecatError, match="70000 bytes are too many"):
        ends[0].send(bytes(70_000))


def test_waiting_is_bounded_and_may_go_on(ends: tuple[PeerStream, socket.socket]) -> None:
    stream, client = ends
    for seconds in (0.05, 0):
        stream.set_timeout(seconds)
        with pytest.raises(DeadlineExpired, match=f"nothing came in {seconds:g} s"):
            stream.receive(1)
    stream.set_timeout(None)
    with Background(lambda: stream.receive(10)) as receiving:
        assert stays(lambda: receiving.running)
        client.send(b"late")
        assert receiving.result() == b"late"


@pytest.mark.parametrize("way", ["abort", "close"])
def test_ending_it_wakes_a_receive_in_another_thread(ends: tuple[PeerStream, socket.socket], way: str) -> None:
    stream, _ = ends
    stream.set_timeout(None)
    with Background(lambda: stream.receive(1)) as receiving:
        assert stays(lambda: receiving.running)
        getattr(stream, way)()
        with contextlib.suppress(ConnectionClosed):
            assert receiving.result() == b""
            assert way == "abort"
            assert stream.ended


def test_use_after_close_is_the_callers_fault(ends: tuple[PeerStream, socket.socket]) -> None:
    stream, _ = ends
    stream.close()
    stream.close()
    for use in (lambda: stream.send(b"x"), lambda: stream.receive(1)):
        with pytest.raises(ConnectionClosed):
            use()


def test_datagrams_have_no_half_close(ends: tuple[PeerStream, socket.socket]) -> None:
    stream, _ = ends
    with pytest.raises(UsageError, match="no end"):
        stream.half_close()
    assert stream.fileno() == -1
    assert stream.keeps_boundaries
    assert not stream.can_half_close
