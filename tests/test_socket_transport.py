"""What asyncio promises of a transport: the same tests for the loop's own one and for ours, on each loop."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from event_loops import KINDS, run_on, settled
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.socket_transport import FIRST_PIECE, HIGH_WATER, LARGEST_PIECE, SocketTransport
from wirecat.system import readiness as module
from wirecat.system.readiness import Readiness

pytestmark = pytest.mark.skipif(not module.AVAILABLE, reason="the system has no epoll(7)")


class Notes(asyncio.Protocol):
    """Notes what it is told. ``keeps_open`` after the peer's end; ``answers`` makes an answer of each piece."""

    def __init__(self, keeps_open: bool = False, answers: Callable[[bytes], bytes] | None = None) -> None:
        self.told: list[str] = []
        self.received = bytearray()
        self.lost: BaseException | None = None
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self._keeps_open, self._answers = keeps_open, answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self._answers is not None:
            self.transport.write(self._answers(data))

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self._keeps_open

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append("lost")
        self.lost = error

    async def is_lost(self) -> bool:
        return await settled(lambda: "lost" in self.told)


Take = Callable[[asyncio.Protocol, socket.socket], Awaitable[None]]
Body = Callable[[Take], Coroutine[Any, Any, None]]


async def _with_ours(body: Body) -> None:
    readiness = Readiness(asyncio.get_running_loop())

    async def take(protocol: asyncio.Protocol, connected: socket.socket) -> None:
        SocketTransport(readiness, connected, protocol)

    try:
        await body(take)
    finally:
        readiness.close()


async def _with_the_loops(body: Body) -> None:
    async def take(protocol: asyncio.Protocol, connected: socket.socket) -> None:
        connected.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connected)

    await body(take)


WHOSE = {"ours": _with_ours, "the loop's": _with_the_loops}


def on_each_transport(body: Body) -> Callable[[str, str], None]:
    """Run it on both loops, with both transports: what holds for ours alone is ``on_ours``."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("whose", WHOSE)
    def test(kind: str, whose: str) -> None:
        run_on(kind, WHOSE[whose](body))

    return test


def on_ours(body: Callable[[Readiness], Coroutine[Any, Any, None]]) -> Callable[[str], None]:
    @pytest.mark.parametrize("kind", KINDS)
    def test(kind: str) -> None:
        async def run() -> None:
            readiness = Readiness(asyncio.get_running_loop())
            try:
                await body(readiness)
            finally:
                readiness.close()

        run_on(kind, run())

    return test


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    theirs.settimeout(10)
    return ours, theirs


def reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


async def everything(theirs: socket.socket) -> bytes:
    def read() -> bytes:
        pieces = []
        while piece := theirs.recv(1 << 20):
            pieces.append(piece)
        return b"".join(pieces)

    return await asyncio.to_thread(read)


@on_each_transport
async def test_bytes_go_both_ways_until_the_peer_ends(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes(answers=bytes.upper)
    with theirs:
        theirs.sendall(b"before ")
        await take(notes, ours)
        theirs.sendall(b"and after")
        assert await settled(lambda: notes.received == b"before and after")
        transport = notes.transport
        assert transport.get_extra_info("socket").fileno() == ours.fileno()
        assert transport.get_extra_info("nothing", "default") == "default"
        assert transport.can_write_eof() and transport.is_reading() and not transport.is_closing()
        theirs.shutdown(socket.SHUT_WR)
        assert await everything(theirs) == b"BEFORE AND AFTER"
        assert await notes.is_lost()
        assert (notes.told, notes.lost) == (["made", "eof", "lost"], None)
        assert ours.fileno() == -1


@on_each_transport
async def test_after_the_peers_end_we_may_go_on(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes(keeps_open=True)
    with theirs:
        await take(notes, ours)
        theirs.shutdown(socket.SHUT_WR)
        assert await settled(lambda: notes.told == ["made", "eof"])
        notes.transport.write(b"still here")
        if isinstance(notes.transport, SocketTransport):  # uvloop's tells the end twice
            notes.transport.resume_reading()
        notes.transport.write_eof()
        assert await everything(theirs) == b"still here"
        assert notes.told == ["made", "eof"]
        notes.transport.close()
        assert await notes.is_lost()


@on_each_transport
async def test_our_end_comes_behind_all_that_was_written(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    size = 20_000_000
    with theirs:
        await take(notes, ours)
        notes.transport.write(bytes(size))
        notes.transport.write_eof()
        notes.transport.write_eof()
        assert notes.transport.get_write_buffer_size() > 0
        assert len(await everything(theirs)) == size
        with pytest.raises(RuntimeError):
            notes.transport.write(b"too late")
        theirs.sendall(b"we still talk")
        assert await settled(lambda: notes.received == b"we still talk")
        notes.transport.close()
        assert await notes.is_lost()
        assert notes.lost is None


@on_each_transport
async def test_many_pieces_for_a_slow_reader_arrive_in_order(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    chance = random.Random(7)
    pieces = [chance.randbytes(chance.choice((1, 10, 1000, 70_000))) for _ in range(1000)]
    with theirs:
        await take(notes, ours)
        for piece in pieces:
            notes.transport.write(piece)
        assert notes.told == ["made", "pause"]
        notes.transport.close()
        notes.transport.write(b"as long as some wait")
        assert notes.transport.is_closing()
        assert await everything(theirs) == b"".join(pieces) + b"as long as some wait"
        assert await notes.is_lost()
        assert notes.told == ["made", "pause", "resume", "lost"]
        assert notes.lost is None


@on_each_transport
async def test_flow_control_goes_by_the_marks(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    with theirs:
        await take(notes, ours)
        while not notes.transport.get_write_buffer_size():  # until the kernel takes no more
            notes.transport.write(bytes(50_000))
            await asyncio.sleep(0)
        while notes.transport.get_write_buffer_size() <= HIGH_WATER:
            assert "pause" not in notes.told
            notes.transport.write(bytes(5000))
        assert notes.told == ["made", "pause"]
        notes.transport.write(bytes(100_000))
        reading = asyncio.ensure_future(everything(theirs))
        assert await settled(lambda: "resume" in notes.told)
        notes.transport.write(bytes(5))
        assert notes.told == ["made", "pause", "resume"]
        notes.transport.close()
        await reading
        assert await notes.is_lost()


@on_each_transport
async def test_what_is_written_may_be_changed_after(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    data = bytearray(b"x" * 5_000_000)
    with theirs:
        await take(notes, ours)
        notes.transport.write(memoryview(data))
        notes.transport.write(data)
        if not isinstance(notes.transport, SocketTransport):
            await settled(lambda: False, seconds=0.05)  # uvloop promises less: it writes in its next round
        else:
            data[:] = b"y" * len(data)
        notes.transport.close()
        assert await everything(theirs) == b"x" * 10_000_000
        assert await notes.is_lost()


@on_each_transport
async def test_while_reading_is_paused_nothing_is_received(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    with theirs:
        await take(notes, ours)
        notes.transport.pause_reading()
        assert not notes.transport.is_reading()
        theirs.sendall(b"wait")
        theirs.shutdown(socket.SHUT_WR)
        notes.transport.write(b"writing goes on")
        assert await asyncio.to_thread(theirs.recv, 100) == b"writing goes on"
        assert (notes.told, notes.received) == (["made"], b"")
        notes.transport.resume_reading()
        assert await notes.is_lost()
        assert (notes.told, notes.received) == (["made", "eof", "lost"], b"wait")


@on_each_transport
async def test_a_reset_is_told_as_the_reason(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    await take(notes, ours)
    theirs.sendall(b"a last word")
    assert await settled(lambda: notes.received == b"a last word")
    reset(theirs)
    assert await notes.is_lost()
    assert isinstance(notes.lost, ConnectionResetError)
    assert notes.told == ["made", "lost"]


@on_each_transport
async def test_who_writes_to_a_peer_that_has_gone_is_told_once(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes(keeps_open=True)
    await take(notes, ours)
    theirs.close()
    assert await settled(lambda: notes.told == ["made", "eof"])

    def is_over() -> bool:
        if not notes.transport.is_closing():
            notes.transport.write(b"x")
        return "lost" in notes.told

    assert await settled(is_over)
    assert isinstance(notes.lost, (BrokenPipeError, ConnectionResetError))
    assert notes.told == ["made", "eof", "lost"]
    assert notes.transport.is_closing()
    notes.transport.close()
    notes.transport.abort()


@on_each_transport
async def test_a_reset_while_much_waits_ends_it(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    await take(notes, ours)
    notes.transport.pause_reading()
    notes.transport.write(bytes(20_000_000))
    reset(theirs)
    assert await notes.is_lost()
    assert isinstance(notes.lost, (BrokenPipeError, ConnectionResetError))
    assert notes.transport.get_write_buffer_size() == 0


@on_each_transport
async def test_an_abort_drops_what_waits(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes()
    size = 50_000_000
    with theirs:
        await take(notes, ours)
        notes.transport.write(bytes(size))
        notes.transport.abort()
        assert notes.told[-1] != "lost"  # it is told in a round of its own
        assert await notes.is_lost()
        assert notes.lost is None
        try:
            assert len(await everything(theirs)) < size
        except ConnectionResetError:
            pass  # that tells it as well


@on_each_transport
async def test_who_closes_at_once_is_told_so(take: Take) -> None:
    class Shy(Notes):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            transport.close()

    ours, theirs = pair()
    notes = Shy()
    with theirs:
        await take(notes, ours)
        assert await everything(theirs) == b""
        assert await notes.is_lost()
        assert notes.told == ["made", "lost"]


@on_each_transport
async def test_much_comes_whole(take: Take) -> None:
    ours, theirs = pair()
    notes = Notes(keeps_open=True)
    data = random.Random(3).randbytes(10_000_000)

    def send() -> None:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)

    with theirs:
        await take(notes, ours)
        await asyncio.to_thread(send)
        assert await settled(lambda: "eof" in notes.told)
        assert notes.received == data
        notes.transport.close()
        assert await notes.is_lost()


@on_ours
async def test_what_a_protocol_raises_ends_its_connection(readiness: Readiness) -> None:
    """It is told to the loop, as what nobody has dealt with."""

    class FaultyData(Notes):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError

    class FaultyEnd(Notes):
        def eof_received(self) -> bool:
            raise ZeroDivisionError

    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    for notes in (FaultyData(), FaultyEnd()):
        ours, theirs = pair()
        with theirs:
            SocketTransport(readiness, ours, notes)
            theirs.sendall(b"x")
            theirs.shutdown(socket.SHUT_WR)
            assert await notes.is_lost()
            assert isinstance(notes.lost, ZeroDivisionError)
    told = [(each["message"], type(each["exception"])) for each in complaints]
    steps = ("data_received", "eof_received")
    assert told == [(f"protocol.{step}() failed", ZeroDivisionError) for step in steps]


@on_ours
async def test_what_is_raised_as_it_is_made_or_paused_is_told(readiness: Readiness) -> None:
    class Faulty(Notes):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            raise ZeroDivisionError

    class Deaf(Notes):
        def pause_writing(self) -> None:
            raise ZeroDivisionError

    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    ours, theirs = pair()
    faulty = Faulty()
    with theirs:
        SocketTransport(readiness, ours, faulty)
        assert await faulty.is_lost()
        assert isinstance(faulty.lost, ZeroDivisionError)
    ours, theirs = pair()
    deaf = Deaf()
    with theirs:
        SocketTransport(readiness, ours, deaf)
        deaf.transport.write(bytes(20_000_000))
        deaf.transport.close()
        assert len(await everything(theirs)) == 20_000_000  # it goes on all the same
        assert await deaf.is_lost()
    assert [each["message"] for each in complaints] == [
        "protocol.connection_made() failed",
        "protocol.pause_writing() failed",
    ]


@on_ours
async def test_pieces_grow_with_what_comes_and_shrink_again(readiness: Readiness) -> None:
    sizes: list[int] = []

    class Sizes(Notes):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            sizes.append(len(data))

    ours, theirs = pair()
    notes = Sizes()
    with theirs:
        SocketTransport(readiness, ours, notes)
        notes.transport.pause_reading()
        sent = 0
        theirs.setblocking(False)
        try:
            while sent < 1_000_000:
                sent += theirs.send(bytes(100_000))
        except BlockingIOError:
            pass
        notes.transport.resume_reading()
        assert await settled(lambda: len(notes.received) == sent)
        assert sizes[0] == FIRST_PIECE and max(sizes) == LARGEST_PIECE
        theirs.send(b"x")
        assert await settled(lambda: len(notes.received) == sent + 1)
        assert notes.transport._piece == FIRST_PIECE  # type: ignore[attr-defined]
    assert await notes.is_lost()


@on_ours
async def test_a_peer_that_goes_while_nobody_looks_turns_no_loop(readiness: Readiness) -> None:
    """Reading is paused and nothing waits to be sent: a hang-up, which poll(2) tells for ever, is not asked for."""
    ours, theirs = pair()
    notes = Notes()
    SocketTransport(readiness, ours, notes)
    notes.transport.pause_reading()
    reset(theirs)
    assert readiness._epoll.poll(0.05) == []
    notes.transport.resume_reading()
    assert await notes.is_lost()
    assert isinstance(notes.lost, ConnectionResetError)


@on_ours
async def test_one_that_cannot_be_watched_any_more_is_lost(readiness: Readiness) -> None:
    """The system's room for what is watched (epoll(7), max_user_watches) is used up as reading goes on."""
    ours, theirs = pair()
    notes = Notes()
    with theirs:
        SocketTransport(readiness, ours, notes)
        notes.transport.pause_reading()

        def add(*arguments: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        readiness.add = add  # type: ignore[method-assign]
        notes.transport.resume_reading()
        assert await notes.is_lost()
        assert isinstance(notes.lost, OSError) and notes.lost.errno == errno.ENOSPC


@on_ours
async def test_a_socket_that_cannot_be_watched_is_told_and_the_protocol_is_not(readiness: Readiness) -> None:
    ours, theirs = pair()
    theirs.close()
    ours.close()
    notes = Notes()
    with pytest.raises((OSError, ValueError)):
        SocketTransport(readiness, ours, notes)
    assert notes.told == []
