"""A client's datagrams: boundaries, empty ones, errors that come back, ends."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints.datagram_stream import DatagramStream
from wirecat.endpoints.udp import open_stream
from wirecat.errors import ConnectionClosed, DeadlineExpired, Refused, UsageError, WirecatError


@contextlib.contextmanager
def pair(options: str = "") -> Iterator[tuple[DatagramStream, socket.socket]]:
    """A stream, and the plain socket that it is connected to, which is connected to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("127.0.0.1", 0))
        plain.settimeout(PATIENCE)
        stream = open_stream(Address.parse(f"udp://127.0.0.1:{plain.getsockname()[1]}{options}"), Deadline(PATIENCE))
        plain.connect((stream.local.host or "", stream.local.port or 0))
        stream.set_timeout(PATIENCE)
        yield stream, plain
        stream.close()


def test_each_send_is_one_datagram_and_each_receive_gives_one() -> None:
    with pair() as (stream, plain):
        for data in (b"one", b"", b"three"):
            stream.send(data)
        assert [plain.recv(100) for _ in range(3)] == [b"one", b"", b"three"]
        for data in (b"1", b"", b"333"):
            plain.send(data)
        assert stream.receive(100) == b"1"
        assert stream.receive(100) == b""
        assert not stream.ended, "that was an empty datagram"
        buffer = bytearray(10)
        assert stream.receive_into(buffer) == 3
        assert buffer[:3] == b"333"


def test_a_connection_tells_an_empty_datagram_from_the_end() -> None:
    with pair() as (stream, plain), Connection(stream) as connection:
        plain.send(b"")
        plain.send(b"x")
        assert connection.receive() == b""
        assert connection.receive() == b"x"
        connection.abort()
        assert connection.receive() is None


def test_what_a_receive_has_no_room_for_comes_next() -> None:
    with pair() as (stream, plain):
        plain.send(b"abcdef")
        plain.send(b"next")
        assert [stream.receive(4), stream.receive(4), stream.receive(4)] == [b"abcd", b"ef", b"next"]


def test_the_largest_datagram_there_is() -> None:
    with pair() as (stream, plain):
        data = bytes(range(256)) * 255 + bytes(227)
        assert len(data) == 65507
        stream.send(data)
        assert plain.recv(65536) == data
        plain.send(data)
        assert stream.receive(1 << 20) == data
        with pytest.raises(WirecatError, match="65508 bytes are too many for one datagram") as caught:
            stream.send(data + b"x")
        assert caught.value.exit_code == 1


def test_nobody_there_is_told_when_a_datagram_has_come_back() -> None:
    with pair() as (stream, plain):
        plain.close()
        stream.send(b"anybody?")
        with pytest.raises(Refused, match="connection refused"):
            stream.receive(1)


def test_datagrams_have_no_half_close() -> None:
    with pair() as (stream, _):
        with pytest.raises(UsageError, match="no end"):
            stream.half_close()
        assert not stream.can_half_close
        assert stream.keeps_boundaries


def test_waiting_is_bounded() -> None:
    with pair() as (stream, plain):
        stream.set_timeout(0.05)
        with pytest.raises(DeadlineExpired, match=r"nothing came in 0\.05 s"):
            stream.receive(1)
        stream.set_timeout(0)
        with pytest.raises(DeadlineExpired):
            stream.receive(1)
        stream.set_timeout(PATIENCE)
        plain.send(b"late")
        assert stream.receive(10) == b"late"


def test_it_ends_by_idling_where_that_is_asked_for() -> None:
    with pair("?idle=0.3") as (stream, plain):
        started = time.monotonic()
        for _ in range(4):  # each datagram puts it off
            stays(lambda: True, 0.1)
            plain.send(b"x")
            assert stream.receive(10) == b"x"
        assert stream.receive(10) == b""
        assert stream.ended
        assert 0.65 < time.monotonic() - started < 5
        assert stream.receive(10) == b"", "the end stays the end"


def test_a_shorter_timeout_comes_before_the_idling() -> None:
    with pair("?idle=5") as (stream, _):
        stream.set_timeout(0.05)
        with pytest.raises(DeadlineExpired):
            stream.receive(1)
        assert not stream.ended


def test_abort_wakes_a_receive_in_another_thread() -> None:
    with pair() as (stream, _):
        stream.set_timeout(None)
        with Background(lambda: stream.receive(1)) as receiving:
            assert stays(lambda: receiving.running)
            stream.abort()
            assert receiving.result() == b""
        assert stream.ended


def test_close_wakes_a_receive_and_ends_all_use() -> None:
    with pair() as (stream, _):
        stream.set_timeout(None)
        local = stream.local
        with Background(lambda: stream.receive(1)) as receiving:
            assert stays(lambda: receiving.running)
            stream.close()
            with contextlib.suppress(ConnectionClosed):
                assert receiving.result() == b""
        stream.close()
        stream.abort()
        assert stream.fileno() == -1
        assert stream.local == local
    with pair() as (stream, _):
        stream.close()
        for use in (lambda: stream.send(b"x"), lambda: stream.receive(1)):
            with pytest.raises(ConnectionClosed):
                use()
