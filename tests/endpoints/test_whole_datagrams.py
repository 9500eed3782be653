"""A datagram that a receive has no room for comes in parts, and never together with the next one."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.endpoints.whole_datagrams import WholeDatagrams
from wirecat.errors import UsageError


class Datagrams(WholeDatagrams):
    peer = Address("udp", "127.0.0.1", 7)  # type: ignore[assignment]

    def __init__(self, *datagrams: bytes) -> None:
        super().__init__()
        self.datagrams = list(datagrams)

    def _next(self) -> bytes:
        return self.datagrams.pop(0)


def test_each_receive_gives_one() -> None:
    stream = Datagrams(b"one", b"", b"two")
    assert [stream.receive(100) for _ in range(3)] == [b"one", b"", b"two"]


def test_what_had_no_room_comes_next() -> None:
    stream = Datagrams(b"abcdefg", b"next")
    buffer = bytearray(b"....")
    assert stream.receive(2) == b"ab"
    assert stream.receive_into(buffer) == 4
    assert buffer == b"cdef"
    assert stream.receive_into(buffer) == 1
    assert buffer == b"gdef"
    assert stream.receive(100) == b"next"


def test_they_have_no_half_close() -> None:
    with pytest.raises(UsageError, match="datagrams have no end"):
        Datagrams().half_close()
