"""Sockets handed to the event loop without a task for each: on each loop, by our transports and by the loop's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from event_loops import on_each_loop, settled
from wirecat.connection import ConnectionState
from wirecat.server.takeover import Takeover
from wirecat.socket_transport import SocketTransport
from wirecat.system import readiness


@pytest.fixture(autouse=True, params=["ours", "the loop's"])
def whose(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All of this with both transports."""
    if request.param == "ours" and not readiness.AVAILABLE:
        pytest.skip("the system has no epoll(7)")
    if request.param == "the loop's":
        monkeypatch.setattr(readiness, "AVAILABLE", False)
    yield


class Notes(asyncio.Protocol):
    def __init__(self) -> None:
        self.seen: list[object] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.seen.append("made")

    def data_received(self, data: bytes) -> None:
        self.seen.append(data)
        assert self.transport is not None
        self.transport.write(data.upper())

    def connection_lost(self, error: Exception | None) -> None:
        self.seen.append("lost")


class Failures(list[tuple[ConnectionState, asyncio.Protocol, Exception]]):
    def __call__(self, connection: ConnectionState, protocol: asyncio.Protocol, error: Exception) -> None:
        self.append((connection, protocol, error))


@on_each_loop
async def test_many_at_once_are_served_and_no_task_is_left() -> None:
    failures = Failures()
    takeover = Takeover(asyncio.get_running_loop(), failures)
    ends, notes = [], []
    for number in range(50):
        ours, theirs = socket.socketpair()
        theirs.sendall(b"hello %d" % number)  # before the loop has the socket
        notes.append(Notes())
        ends.append(theirs)
        takeover.take(ConnectionState(number), notes[-1], ours)
    assert len(asyncio.all_tasks()) == 1
    assert await settled(lambda: all(len(each.seen) == 2 for each in notes))
    for number, (theirs, each) in enumerate(zip(ends, notes, strict=True)):
        assert each.seen == ["made", b"hello %d" % number]
        theirs.setblocking(False)
        assert theirs.recv(100) == b"HELLO %d" % number
        theirs.close()
    assert await settled(lambda: all(each.seen[-1] == "lost" for each in notes))
    assert failures == []
    assert takeover._begun == {}
    assert all(isinstance(each.transport, SocketTransport) == readiness.AVAILABLE for each in notes)
    takeover.close()


@on_each_loop
async def test_a_socket_that_the_loop_cannot_take_is_told() -> None:
    failures = Failures()
    takeover = Takeover(asyncio.get_running_loop(), failures)
    connection, notes = ConnectionState(7), Notes()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unfit:  # no stream, which the loop sees to
        if readiness.AVAILABLE:
            unfit.close()
        takeover.take(connection, notes, unfit)
        ((told, protocol, error),) = failures
    assert (told, protocol) == (connection, notes)
    assert isinstance(error, (OSError, ValueError))
    assert notes.seen == []
    assert takeover._begun == {}
    takeover.close()


@on_each_loop
async def test_a_protocol_that_closes_at_once_is_taken_all_the_same() -> None:
    class Shy(Notes):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            transport.close()

    failures, notes = Failures(), Shy()
    takeover = Takeover(asyncio.get_running_loop(), failures)
    ours, theirs = socket.socketpair()
    with theirs:
        takeover.take(ConnectionState(1), notes, ours)
        assert await settled(lambda: notes.seen == ["made", "lost"] and not takeover._begun)
        theirs.settimeout(10)
        assert await asyncio.to_thread(theirs.recv, 1) == b""
    takeover.close()
