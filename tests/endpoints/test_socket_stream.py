"""What is particular to streams over sockets; what holds for every stream is in conformance.py."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator

import pytest

from background import Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import ConnectionBroken


@pytest.fixture
def ends() -> Iterator[tuple[SocketStream, SocketStream]]:
    one, other = (SocketStream(each) for each in socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_it_remembers_that_it_was_ended_or_cut(ends: tuple[SocketStream, SocketStream]) -> None:
    one, other = ends
    assert not one.ended
    other.half_close()
    assert one.receive(1) == b""
    assert one.ended
    assert not one.aborted
    one.abort()
    assert one.aborted


def test_an_end_that_nobody_can_name_any_more(ends: tuple[SocketStream, SocketStream]) -> None:
    one, _ = ends
    one.socket.close()
    assert one.peer == one.local == Address("tcp", "unknown", 0)


def test_its_descriptor_may_be_used_as_long_as_that_gives_the_same(ends: tuple[SocketStream, SocketStream]) -> None:
    one, _ = ends
    assert one.raw_source() == one.raw_sink() == one.fileno()
    one.set_timeout(1)
    assert one.raw_source() == one.raw_sink() == "a time limit"
    one.set_timeout(None)
    one.half_close()
    assert one.raw_source() == one.fileno()
    assert one.raw_sink() == "this half has ended"
    one.abort()
    assert one.raw_source() == "it has ended"
    one.close()
    assert isinstance(one.raw_sink(), str)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no poll(2) there, and nothing that would wait so")
def test_it_waits_for_bytes_without_reading_them(ends: tuple[SocketStream, SocketStream]) -> None:
    one, other = ends
    with Background(one.raw_wait) as waiting:
        assert stays(lambda: waiting.running)
        other.send(b"abc")
        assert waiting.result() is True
    assert one.receive(10) == b"abc"
    with Background(one.raw_wait) as waiting:
        assert stays(lambda: waiting.running)
        one.abort()
        assert waiting.result() is False
    assert one.receive(10) == b""


def test_what_a_descriptor_fails_with_is_told_in_its_own_words(ends: tuple[SocketStream, SocketStream]) -> None:
    one, _ = ends
    lost = one.raw_send_failure(BrokenPipeError(errno.EPIPE, "Broken pipe"), 7)
    assert isinstance(lost, ConnectionBroken)
    assert (lost.unsent, lost.errno) == (7, errno.EPIPE)
    failure = one.raw_receive_failure(ConnectionResetError(errno.ECONNRESET, "reset"))
    assert isinstance(failure, ConnectionBroken)
    assert one.ended
    assert one.raw_source() == "it has ended"
