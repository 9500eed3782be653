"""What the loop does to a connection, call by call. (On real sockets: tests/test_async_connection.py.)"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from event_loops import on_each_loop
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.async_state import HIGH_WATER, AsyncState, _Protocol, unread, wake
from wirecat.taps.tap import RECEIVED, Tap


class Transport(asyncio.Transport):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name in ("pause_reading", "abort"):
            return lambda: self.calls.append(name)
        return super().__getattribute__(name)


def begun() -> tuple[AsyncState, _Protocol, Transport, socket.socket]:
    ours, theirs = socket.socketpair()
    state, transport = AsyncState(ours), Transport()
    protocol = _Protocol(state)
    protocol.connection_made(transport)
    return state, protocol, transport, theirs


@on_each_loop
async def test_reading_pauses_once_above_the_mark() -> None:
    state, protocol, transport, theirs = begun()
    with state.socket, theirs:
        protocol.data_received(bytes(HIGH_WATER))
        assert transport.calls == []
        protocol.data_received(b"x")
        protocol.data_received(b"x")
        assert transport.calls == ["pause_reading"]
        assert state.buffered == HIGH_WATER + 2 == state.bytes_received


@on_each_loop
async def test_who_waits_is_woken_once() -> None:
    state, protocol, _, theirs = begun()
    with state.socket, theirs:
        loop = asyncio.get_running_loop()
        state._reader = reader = loop.create_future()
        protocol.data_received(b"x")
        protocol.data_received(b"y")
        assert reader.done()
        protocol.pause_writing()
        writers = state._writers
        assert writers is not None
        protocol.resume_writing()
        assert writers.done()
        assert state._writers is None
        protocol.resume_writing()
        wake(None)
        wake(reader)


@on_each_loop
async def test_an_end_and_a_loss() -> None:
    state, protocol, _, theirs = begun()
    with state.socket, theirs:
        ended: list[int] = []
        state.on_end = lambda: ended.append(1)
        assert protocol.eof_received(), "it goes on sending"
        assert state.ended
        assert ended == [1]
        protocol.pause_writing()
        writers = state._writers
        assert writers is not None
        protocol.connection_lost(ConnectionResetError(104, "reset"))
        assert writers.done()
        assert state._gone.done()
        assert isinstance(state._failure, ConnectionResetError)
        protocol.connection_lost(None)


@on_each_loop
async def test_a_loss_that_we_wanted_is_no_failure() -> None:
    state, protocol, transport, theirs = begun()
    with state.socket, theirs:
        state.cut("idle")
        assert transport.calls == ["abort"]
        protocol.connection_lost(ConnectionAbortedError(103, "aborted"))
        assert state._failure is None
        assert state.ended


@on_each_loop
async def test_bytes_after_close_are_seen_and_dropped() -> None:
    class Seen(Tap):
        def __init__(self) -> None:
            self.chunks: list[bytes] = []

        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
            self.chunks.append(data)
            return None

        def finish(self, connection: int, direction: str) -> bytes:
            assert direction == RECEIVED
            return b""

    state, protocol, transport, theirs = begun()
    with state.socket, theirs:
        seen = Seen()
        state.attach(seen)
        state.closed = True
        protocol.data_received(bytes(HIGH_WATER * 2))
        protocol.eof_received()
        assert state._heard
        assert (state.buffered, state.bytes_received) == (0, HIGH_WATER * 2)
        assert transport.calls == []
        assert seen.chunks == [bytes(HIGH_WATER * 2)]


@on_each_loop
async def test_what_the_kernel_still_holds() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        assert not unread(ours)
        theirs.sendall(b"x")
        assert unread(ours)
        assert ours.recv(10) == b"x", "it was only looked at"
        theirs.shutdown(socket.SHUT_WR)
        assert not unread(ours)
        ours.close()
        assert not unread(ours)
