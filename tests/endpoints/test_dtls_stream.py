"""DTLS over any stream of datagrams, here over one in memory. What it promises is tried out in test_dtls.py."""

from __future__ import annotations

import queue

import pytest

pytest.importorskip("OpenSSL", reason="DTLS needs pyOpenSSL")

from background import PATIENCE, Background
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints.dtls_context import DtlsContext
from wirecat.endpoints.dtls_stream import DtlsStream
from wirecat.errors import DeadlineExpired, TlsError
from wirecat.stream import Stream


class InMemory(Stream):
    """One end of a line in memory that keeps datagrams; None in it is its end."""

    def __init__(self, there: queue.Queue[bytes | None], back: queue.Queue[bytes | None]) -> None:
        self.there, self.back = there, back
        self.peer = self.local = Address("udp", "192.0.2.7", 1)
        self.timeout: float | None = None
        self.ended = False
        self.closed = False

    def receive(self, limit: int) -> bytes:
        try:
            datagram = self.back.get(timeout=self.timeout)
        except queue.Empty:
            raise DeadlineExpired("nothing came") from None
        self.ended = datagram is None
        return datagram or b""

    def send(self, data: bytes | bytearray | memoryview) -> None:
        self.there.put(bytes(data))

    def set_timeout(self, seconds: float | None) -> None:
        self.timeout = seconds

    def close(self) -> None:
        self.closed = True
        self.there.put(None)


def line() -> tuple[InMemory, InMemory]:
    one: queue.Queue[bytes | None] = queue.Queue()
    two: queue.Queue[bytes | None] = queue.Queue()
    return InMemory(one, two), InMemory(two, one)


def test_over_any_stream_of_datagrams() -> None:
    below = line()
    near = DtlsStream(below[0], DtlsContext(server_side=False, verify=False), deadline=Deadline(PATIENCE))
    far = DtlsStream(below[1], DtlsContext(server_side=True), server_side=True, deadline=Deadline(PATIENCE))
    near.set_timeout(PATIENCE)
    with Background(lambda: far.receive(100)) as receiving:
        near.send(b"hello")
        assert receiving.result() == b"hello"
    assert below[0].timeout == PATIENCE, "what the user set holds again after the handshake"
    far.close()
    assert near.receive(10) == b""
    assert near.ended
    near.close()
    assert below[0].closed
    assert below[1].closed


def test_a_line_that_ends_in_the_middle_of_the_handshake() -> None:
    below = line()
    near = DtlsStream(below[0], DtlsContext(server_side=False, verify=False), deadline=Deadline(PATIENCE))
    below[1].close()
    for _ in range(2):
        with pytest.raises(TlsError, match="ended the connection"):
            near.handshake()
    near.close()


def test_a_line_that_ends_later() -> None:
    below = line()
    near = DtlsStream(below[0], DtlsContext(server_side=False, verify=False), deadline=Deadline(PATIENCE))
    far = DtlsStream(below[1], DtlsContext(server_side=True), server_side=True, deadline=Deadline(PATIENCE))
    with Background(far.handshake):
        near.handshake()
    below[1].close()
    assert near.receive(10) == b""
    assert near.ended
    near.close()
