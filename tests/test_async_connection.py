"""Connections on an event loop: what `Connection` promises, awaited; on plain asyncio and on uvloop."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from event_loops import KINDS, on_each_loop, run_on, settled, still_waits
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import everything, reset
from sample_taps import HoldLast, Recorder, Replace
from wirecat.address import Address
from wirecat.async_connection import AsyncConnection
from wirecat.async_state import HIGH_WATER
from wirecat.endpoints.socket_stream import LINGER
from wirecat.errors import (
    ConnectionBroken,
    ConnectionClosed,
    DeadlineExpired,
    IncompleteReceive,
    LineTooLong,
    UsageError,
)
from wirecat.taps.tap import RECEIVED, SENT

PATIENCE = 20.0
TOO_MUCH = 32 << 20


@contextlib.asynccontextmanager
async def ends(unix: bool = False) -> AsyncIterator[tuple[AsyncConnection, socket.socket]]:
    """A connection, and a plain socket (that blocks) as its peer."""
    if unix:
        accepted, peer = socket.socketpair()
        place: Any = ""
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            peer = socket.create_connection(server.getsockname())
            accepted, place = server.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.settimeout(PATIENCE)
    connection = await AsyncConnection(accepted, place, 7).start()
    connection.timeout = PATIENCE
    try:
        yield connection, peer
    finally:
        peer.close()
        await connection.close()


def exactly(peer: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        data += peer.recv(count - len(data))
    return bytes(data)


async def thread(work: Any, *arguments: Any) -> Any:
    return await asyncio.to_thread(work, *arguments)


async def all_of(connection: AsyncConnection) -> bytes:
    pieces = []
    while (piece := await connection.receive()) is not None:
        pieces.append(piece)
    return b"".join(pieces)


# Bytes, ends, counters


@on_each_loop
async def test_bytes_both_ways_are_counted() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"12345")
        assert await connection.receive(2) == b"12"
        assert await connection.receive() == b"345"
        for kind in (bytes, bytearray, memoryview):
            await connection.send(kind(b"answer"))
        await connection.send(b"")
        assert connection.bytes_received == 5
        assert connection.bytes_sent == 18
        assert connection.id == 7
        await connection.half_close()
        assert await thread(everything, peer) == b"answer" * 3


@on_each_loop
async def test_a_buffer_that_is_changed_after_it_was_sent() -> None:
    async with ends() as (connection, peer):
        data = bytearray(b"x" * (64 << 20))  # no kernel takes as much at once
        sending = asyncio.ensure_future(connection.send(data))
        assert await still_waits(sending, seconds=0.05)
        data[:] = b"y" * len(data)
        received = await thread(exactly, peer, len(data))
        await sending
        assert received == b"x" * len(data)


@on_each_loop
async def test_the_end_is_none_and_stays_none() -> None:
    async with ends() as (connection, peer):
        ended: list[int] = []
        connection.on_end = lambda: ended.append(1)
        peer.sendall(b"last")
        peer.shutdown(socket.SHUT_WR)
        assert await settled(lambda: bool(ended))
        assert await connection.receive() == b"last", "although the end has come already"
        assert await connection.receive() is None
        assert await connection.receive() is None
        assert await connection.receive_line() is None
        await connection.send(b"still sending")
        await connection.half_close()
        assert await thread(everything, peer) == b"still sending"
        assert ended == [1]


@on_each_loop
async def test_half_close_then_receive() -> None:
    async with ends() as (connection, peer):
        await connection.send(b"question")
        await connection.half_close()
        await connection.half_close()
        assert connection.half_closed
        assert await thread(everything, peer) == b"question"
        with pytest.raises(ConnectionClosed, match="half-closed"):
            await connection.send(b"more")
        peer.sendall(b"answer")
        peer.shutdown(socket.SHUT_WR)
        assert await all_of(connection) == b"answer"


@on_each_loop
async def test_half_close_sends_what_waits_first() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(8 << 20)
        sending = asyncio.ensure_future(connection.send(data))
        assert await still_waits(sending, seconds=0.05)
        await connection.half_close()
        assert await thread(everything, peer) == data
        await sending


@on_each_loop
async def test_its_state_can_be_read() -> None:
    async with ends() as (connection, peer):
        place, server = peer.getsockname(), peer.getpeername()
        assert "open" in repr(connection)
        assert connection.peer == Address("tcp", *place)
        await connection.close()
        await connection.close()
        assert connection.closed
        assert connection.peer == Address("tcp", *place)
        assert connection.local == Address("tcp", *server), "also when nobody asked before"
        assert "closed" in repr(connection)


@on_each_loop
async def test_use_after_close_is_the_callers_fault() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"one\ntwo\n")
        peer.shutdown(socket.SHUT_WR)
        assert await connection.receive_line() == "one"
        await connection.close()
        for use in (
            connection.receive(),
            connection.receive_line(),
            connection.lines().__anext__(),
            connection.receive_exactly(1),
            connection.send(b"x"),
            connection.send_line("x"),
        ):
            with pytest.raises(ConnectionClosed, match="closed the connection already"):
                await use
        await connection.half_close()
        connection.abort()


@on_each_loop
async def test_nothing_can_be_asked_for() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"data")
        for use in (connection.receive(0), connection.receive(-1), connection.receive_exactly(-1)):
            with pytest.raises(UsageError):
                await use
        assert await connection.receive_exactly(0) == b""
        assert await connection.receive() == b"data"


@on_each_loop
async def test_small_limits_take_linear_time() -> None:
    async with ends() as (connection, peer):
        await thread(peer.sendall, bytes(200_000))
        await settled(lambda: connection.buffered >= 200_000)
        started = time.process_time()
        for _ in range(200_000):
            assert await connection.receive(1) == b"\0"
        assert time.process_time() - started < 4  # 0.1 s; copying the rest for each byte would be 20 GB


@on_each_loop
async def test_over_a_unix_socket() -> None:
    async with ends(unix=True) as (connection, peer):
        await connection.send_line("Grüße")
        assert peer.recv(100) == "Grüße\n".encode()
        peer.sendall(b"unread")
        await settled(lambda: connection.buffered > 0)


# Back-pressure


@on_each_loop
async def test_what_is_not_taken_is_not_read() -> None:
    """Memory stays bounded, and the peer's send waits, when nobody receives."""
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20) * (TOO_MUCH >> 20)
        sending = asyncio.ensure_future(thread(peer.sendall, data))
        assert await still_waits(sending, seconds=0.3)
        assert HIGH_WATER < connection.buffered <= HIGH_WATER + (1 << 18)
        assert connection.bytes_received == connection.buffered
        digest, count = hashlib.sha256(), 0
        while count < len(data):
            piece = await connection.receive()
            assert piece
            digest.update(piece)
            count += len(piece)
            assert connection.buffered <= HIGH_WATER + (1 << 18)
        await sending
        assert digest.digest() == hashlib.sha256(data).digest()


@on_each_loop
async def test_send_waits_while_the_peer_takes_nothing() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20)
        count = 0

        async def send() -> None:
            nonlocal count
            while count < TOO_MUCH:
                await connection.send(data)
                count += len(data)
            await connection.half_close()

        sending = asyncio.ensure_future(send())
        assert await still_waits(sending, seconds=0.3)
        assert count < TOO_MUCH, "it has not taken it all into memory"
        assert len(await thread(everything, peer)) == TOO_MUCH
        await sending


@on_each_loop
async def test_many_tasks_that_send_do_not_fill_the_memory() -> None:
    """While the transport holds too much nobody adds to it; then each message goes out in one piece."""
    async with ends() as (connection, peer):
        messages = [bytes([number]) * 100_000 for number in range(200)]
        sending = [asyncio.ensure_future(connection.send(message)) for message in messages]
        await asyncio.wait(sending, timeout=0.3)
        assert not all(each.done() for each in sending)
        assert connection.bytes_sent < 10_000_000
        reading = asyncio.ensure_future(thread(everything, peer))
        await asyncio.gather(*sending)
        await connection.half_close()
        received = await reading
        assert sorted(received[start : start + 100_000] for start in range(0, len(received), 100_000)) == messages


@on_each_loop
async def test_one_task_sends_while_another_receives() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20) * 8

        def echo() -> None:
            while piece := peer.recv(1 << 16):
                peer.sendall(piece)
            peer.shutdown(socket.SHUT_WR)

        async def send() -> None:
            await connection.send(data)
            await connection.half_close()

        echoing = asyncio.ensure_future(thread(echo))
        _, received = await asyncio.gather(send(), all_of(connection))
        await echoing
        assert received == data


# Two that receive


@on_each_loop
async def test_two_tasks_that_receive_are_told() -> None:
    async with ends() as (connection, peer):
        first = asyncio.ensure_future(connection.receive_line())
        assert await still_waits(first, seconds=0.02)
        for use in (connection.receive(), connection.receive_line(), connection.receive_exactly(1)):
            with pytest.raises(UsageError, match="another task"):
                await use
        peer.sendall(b"for the first\n")
        assert await first == "for the first", "which is not disturbed"
        peer.sendall(b"again\n")
        assert await connection.receive_line() == "again"


@on_each_loop
async def test_close_ends_a_receive_of_another_task() -> None:
    async with ends() as (connection, peer):
        receiving = asyncio.ensure_future(connection.receive())
        assert await still_waits(receiving, seconds=0.02)
        await connection.close()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(receiving, 5)


# Waiting, cancelling


@on_each_loop
async def test_a_receive_that_gave_up_may_go_on() -> None:
    async with ends() as (connection, peer):
        connection.timeout = 0.03
        for use in (connection.receive(), connection.receive_line(), connection.receive_exactly(5)):
            with pytest.raises(DeadlineExpired, match=r"nothing came in 0\.03 s"):
                await use
        peer.sendall(b"half a li")
        for use in (connection.receive_line(), connection.receive_exactly(50)):
            with pytest.raises(DeadlineExpired):
                await use
        connection.timeout = PATIENCE
        peer.sendall(b"ne\nrest")
        assert await connection.receive_line() == "half a line"
        assert await connection.receive() == b"rest"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "5"])
def test_a_time_that_cannot_be(kind: str, seconds: Any) -> None:
    async def check() -> None:
        async with ends() as (connection, _):
            with pytest.raises(UsageError, match="timeout"):
                connection.timeout = seconds
            assert connection.timeout == PATIENCE

    run_on(kind, check())


@on_each_loop
async def test_any_length_of_time_can_be_waited() -> None:
    async with ends() as (connection, peer):
        for seconds in (3e6, 1e12, None):
            connection.timeout = seconds
            receiving = asyncio.ensure_future(connection.receive())
            assert await still_waits(receiving, seconds=0.02)
            peer.sendall(b"x")
            assert await receiving == b"x"


@on_each_loop
async def test_no_time_at_all_takes_what_is_there() -> None:
    async with ends() as (connection, peer):
        connection.timeout = 0
        with pytest.raises(DeadlineExpired):
            await connection.receive()
        peer.sendall(b"there")
        await settled(lambda: connection.buffered > 0)
        assert await connection.receive() == b"there"
        await connection.send(b"x")


@on_each_loop
async def test_a_send_gives_up_after_its_time_and_says_how_much_was_left() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20) * 16
        connection.timeout = 0.05
        with pytest.raises(DeadlineExpired, match="took no more") as caught:
            await connection.send(data)
        assert 0 < (caught.value.unsent or 0) < len(data)
        with pytest.raises(DeadlineExpired) as next_one:
            await connection.send(b"nothing of this one")
        assert next_one.value.unsent == 19, "it does not pile up"
        connection.timeout = PATIENCE
        await connection.half_close()
        assert await thread(everything, peer) == data, "what was taken over still goes out"
        assert connection.bytes_sent == len(data)


@on_each_loop
async def test_a_cancelled_receive_loses_no_byte() -> None:
    """Whenever it is cancelled, also in the very moment in which something comes."""
    async with ends() as (connection, peer):
        data = os.urandom(60_000)
        received = bytearray()
        connection.timeout = None

        def send() -> None:
            for start in range(0, len(data), 100):
                peer.sendall(data[start : start + 100])
            peer.shutdown(socket.SHUT_WR)

        sending = asyncio.ensure_future(thread(send))
        turn = 0
        while len(received) < len(data):
            turn += 1
            reading = connection.receive(77) if turn % 2 else connection.receive_exactly(50)
            task = asyncio.ensure_future(reading)
            for _ in range(turn % 4):
                await asyncio.sleep(0)
            task.cancel()
            try:
                received += await task or b""
            except asyncio.CancelledError:
                continue
            except IncompleteReceive as error:
                received += error.partial
        await sending
        assert bytes(received) == data
        assert await connection.receive() is None


@on_each_loop
async def test_a_time_out_loses_no_byte() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(20_000)
        received = bytearray()
        connection.timeout = 0.0005

        def send() -> None:
            for start in range(0, len(data), 100):
                peer.sendall(data[start : start + 100])
            peer.shutdown(socket.SHUT_WR)

        sending = asyncio.ensure_future(thread(send))
        while True:
            try:
                piece = await connection.receive_exactly(64)
            except DeadlineExpired:
                continue
            except IncompleteReceive as error:
                received += error.partial
                break
            received += piece
        await sending
        assert bytes(received) == data


@on_each_loop
async def test_a_cancelled_send_still_goes_out_whole() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20) * 16
        sending = asyncio.ensure_future(connection.send(data))
        assert await still_waits(sending, seconds=0.05)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await connection.half_close()
        assert await thread(everything, peer) == data


@on_each_loop
async def test_cancellation_is_never_swallowed() -> None:
    """When the byte and the cancellation come at once, it is cancelled, and the byte is there later."""
    async with ends() as (connection, peer):
        for _ in range(20):
            task = asyncio.ensure_future(connection.receive())
            await asyncio.sleep(0)
            peer.sendall(b"x")
            while not connection.buffered:  # the task is woken, and has not run yet
                await asyncio.sleep(0)
                if task.done():
                    break
            if task.done():
                assert await task == b"x"
                continue
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await connection.receive() == b"x"


# Framing


@on_each_loop
async def test_lines_and_counts() -> None:
    async with ends() as (connection, peer):
        peer.sendall("one\r\nGrüße\n\n".encode() + b"\xff\xfe\n" + b"12345rest\nlast")
        peer.shutdown(socket.SHUT_WR)
        assert await connection.receive_line() == "one"
        assert await connection.receive_line() == "Grüße"
        assert await connection.receive_line() == ""
        assert await connection.receive_line() == "\udcff\udcfe"
        assert await connection.receive_exactly(5) == b"12345"
        assert [line async for line in connection.lines()] == ["rest", "last"]
        with pytest.raises(IncompleteReceive) as caught:
            await connection.receive_exactly(1)
        assert caught.value.partial == b""


@on_each_loop
async def test_an_end_before_the_count_gives_what_had_come() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"only")
        await settled(lambda: connection.buffered == 4)
        peer.sendall(b" this")
        peer.shutdown(socket.SHUT_WR)
        await settled(lambda: connection.ended)
        with pytest.raises(IncompleteReceive, match="after 9 of 20 bytes") as caught:
            await connection.receive_exactly(20)
        assert caught.value.partial == b"only this"


@on_each_loop
async def test_a_line_that_is_too_long_can_still_be_had() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"x" * 100 + b"\nnext\n")
        with pytest.raises(LineTooLong):
            await connection.receive_line(50)
        assert await connection.receive_line(100) == "x" * 100
        assert await connection.receive_line(50) == "next"


@on_each_loop
async def test_send_line() -> None:
    async with ends() as (connection, peer):
        await connection.send_line("Grüße")
        await connection.send_line("\udcff", "\r\n")
        await connection.send_line(b"\xff", "")
        await connection.half_close()
        assert await thread(everything, peer) == "Grüße\n".encode() + b"\xff\r\n\xff"


# Closing


@on_each_loop
async def test_close_lets_what_was_sent_arrive() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20) * 8
        reading = asyncio.ensure_future(thread(everything, peer))
        await connection.send(data)
        await connection.close()
        assert await reading == data


@on_each_loop
async def test_close_lets_what_still_waits_arrive_at_a_slow_reader() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20) * 8
        sending = asyncio.ensure_future(connection.send(data))
        assert await still_waits(sending, seconds=0.05)
        closing = asyncio.ensure_future(connection.close())
        assert await still_waits(closing, seconds=LINGER + 0.3), "the peer has not taken it yet"
        assert await thread(everything, peer) == data
        peer.close()
        await closing
        await asyncio.gather(sending, return_exceptions=True)


@on_each_loop
async def test_close_waits_for_a_stuck_reader_as_long_as_the_timeout_says() -> None:
    async with ends() as (connection, _):
        connection.timeout = 0.3
        with pytest.raises(DeadlineExpired):
            await connection.send(bytes(TOO_MUCH))
        started = time.monotonic()
        await connection.close()
        assert 0.2 < time.monotonic() - started < 5


@on_each_loop
async def test_close_with_unread_input_loses_no_reply() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"unread")
        answer = os.urandom(100_000)
        await connection.send(answer)
        closing = asyncio.ensure_future(connection.close())
        assert await thread(everything, peer) == answer
        peer.close()
        await closing


@on_each_loop
async def test_close_with_unread_input_beyond_the_high_water_mark_loses_no_reply() -> None:
    async with ends() as (connection, peer):
        talking = asyncio.ensure_future(thread(peer.sendall, bytes(2 << 20)))
        await settled(lambda: connection.buffered > HIGH_WATER)
        answer = os.urandom(100_000)
        await connection.send(answer)
        closing = asyncio.ensure_future(connection.close())
        assert await thread(everything, peer) == answer
        await talking
        peer.close()
        await closing


@on_each_loop
async def test_close_loses_no_reply_while_the_peer_goes_on_sending() -> None:
    async with ends() as (connection, peer):
        answer = os.urandom(1 << 20)

        def talk() -> bytes:
            received = b""
            talking = True
            while piece := peer.recv(1 << 14):
                received += piece
                try:
                    if talking:
                        peer.sendall(b"still talking")
                except OSError:
                    talking = False
            peer.close()
            return received

        await connection.send(answer[:1000])
        peer.recv(1, socket.MSG_PEEK)
        sending = asyncio.ensure_future(connection.send(answer[1000:]))
        await asyncio.sleep(0)
        conversation = asyncio.ensure_future(thread(talk))
        await sending
        await connection.close()
        assert await conversation == answer


@on_each_loop
async def test_close_with_nothing_unread_returns_at_once() -> None:
    async with ends() as (connection, peer):
        await connection.send(b"x")
        assert await thread(peer.recv, 1) == b"x"
        started = time.monotonic()
        await connection.close()
        assert time.monotonic() - started < LINGER / 2
        assert await thread(peer.recv, 1) == b""


@on_each_loop
async def test_close_waits_a_moment_at_most_for_a_peer_that_sends_for_ever() -> None:
    async with ends() as (connection, peer):

        def talk() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer.sendall(bytes(1000))

        talking = asyncio.ensure_future(thread(talk))
        await settled(lambda: connection.buffered > 0)
        started = time.monotonic()
        await connection.close()
        assert time.monotonic() - started < LINGER + 2
        await talking


@on_each_loop
async def test_two_tasks_may_close() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"unread")
        await settled(lambda: connection.buffered > 0)
        closing = asyncio.gather(connection.close(), connection.close())
        peer.close()
        await asyncio.wait_for(closing, 5)


@on_each_loop
async def test_a_cancelled_close_still_closes() -> None:
    async with ends() as (connection, peer):
        with pytest.raises(asyncio.CancelledError):
            sending = asyncio.ensure_future(connection.send(bytes(TOO_MUCH)))
            assert await still_waits(sending, seconds=0.02)
            closing = asyncio.ensure_future(connection.close())
            assert await still_waits(closing, seconds=0.05)
            closing.cancel()
            await closing
        await asyncio.wait_for(connection.close(), 5)
        await asyncio.gather(sending, return_exceptions=True)
        assert connection.socket.fileno() == -1


@on_each_loop
async def test_leaving_the_block_closes() -> None:
    async with ends() as (connection, peer):
        with pytest.raises(ZeroDivisionError):
            async with connection as same:
                assert same is connection
                raise ZeroDivisionError
        assert connection.closed
        assert await thread(peer.recv, 1) == b""


# Cutting, breaking


@on_each_loop
async def test_abort_gives_a_receive_the_end_and_fails_a_send() -> None:
    async with ends() as (connection, peer):
        receiving = asyncio.ensure_future(connection.receive())
        sending = asyncio.ensure_future(connection.send(bytes(TOO_MUCH)))
        assert await still_waits(receiving, sending, seconds=0.05)
        connection.cut("idle")
        connection.cut("kicked")
        assert await receiving is None
        with pytest.raises(ConnectionBroken):
            await sending
        with pytest.raises(ConnectionBroken):
            await connection.send(b"x")
        assert await connection.receive() is None
        assert connection.cut_reason == "idle"


@on_each_loop
async def test_whatever_comes_right_after_an_abort() -> None:
    for use in ("send", "half_close", "close", "receive"):
        async with ends() as (connection, _):
            connection.abort()
            connection.abort()
            if use == "send":
                with pytest.raises(ConnectionBroken):
                    await connection.send(b"x")
            elif use == "half_close":
                await connection.half_close()
            elif use == "close":
                await connection.close()
            else:
                assert await connection.receive() is None


@on_each_loop
async def test_cut_before_the_loop_has_it() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        connection = AsyncConnection(ours)
        connection.cut("shutdown")
        await connection.start()
        assert await connection.receive() is None
        with pytest.raises(ConnectionBroken):
            await connection.send(b"x")
        await connection.close()
        assert theirs.recv(1) == b""


@on_each_loop
async def test_a_reset_breaks_a_receive_and_stays_broken() -> None:
    async with ends() as (connection, peer):
        place = peer.getsockname()
        receiving = asyncio.ensure_future(connection.receive())
        await asyncio.sleep(0)
        reset(peer)
        with pytest.raises(ConnectionBroken, match="broke the connection off") as caught:
            await receiving
        assert caught.value.address == Address("tcp", *place)
        for use in (connection.receive(), connection.receive_line(), connection.send(b"x")):
            with pytest.raises(ConnectionBroken):
                await use
        await connection.half_close()
        await connection.close()


@on_each_loop
async def test_what_came_before_a_reset_is_there() -> None:
    async with ends() as (connection, peer):
        peer.sendall(b"one\ntwo")
        await settled(lambda: connection.buffered == 7)
        reset(peer)
        await settled(lambda: connection.ended)
        assert await connection.receive_line() == "one"
        with pytest.raises(ConnectionBroken):
            await connection.receive_exactly(20)
        assert await connection.receive_exactly(3) == b"two"
        with pytest.raises(ConnectionBroken):
            await connection.receive()


@on_each_loop
async def test_a_reset_breaks_a_send_that_waits() -> None:
    async with ends() as (connection, peer):
        sending = asyncio.ensure_future(connection.send(bytes(TOO_MUCH)))
        assert await still_waits(sending, seconds=0.05)
        reset(peer)
        with pytest.raises(ConnectionBroken):
            await sending


@on_each_loop
async def test_sending_to_a_peer_that_is_gone_fails_in_the_end() -> None:
    """It never goes on for ever as if somebody took it."""
    async with ends() as (connection, peer):
        peer.close()
        with pytest.raises(ConnectionBroken):
            for _ in range(10_000):
                await connection.send(b"x" * 1000)
                await asyncio.sleep(0)


# Taps


@on_each_loop
async def test_an_observer_sees_it_all() -> None:
    async with ends() as (connection, peer):
        recorder = Recorder()
        connection.attach(recorder)
        peer.sendall(b"one\ntwo")
        assert await connection.receive_line() == "one"
        await connection.send(memoryview(b"answer"))
        peer.shutdown(socket.SHUT_WR)
        assert await all_of(connection) == b"two"
        await connection.close()
        assert recorder.bytes_of(RECEIVED) == b"one\ntwo"
        assert recorder.chunks[-1] == (SENT, b"answer")
        assert recorder.ends == [RECEIVED, SENT]
        assert await thread(everything, peer) == b"answer"


@on_each_loop
async def test_taps_stand_in_a_row() -> None:
    async with ends() as (connection, peer):
        before, after = Recorder(), Recorder()
        for tap in (before, Replace(bytes.upper), Replace(lambda data: data + b"!"), after):
            connection.attach(tap)
        peer.sendall(b"in")
        assert await connection.receive() == b"IN!"
        await connection.send(b"out")
        assert await thread(peer.recv, 100) == b"OUT!"
        assert before.chunks == [(RECEIVED, b"in"), (SENT, b"out")]
        assert after.chunks == [(RECEIVED, b"IN!"), (SENT, b"OUT!")]
        assert (connection.bytes_received, connection.bytes_sent) == (2, 4)


@on_each_loop
async def test_a_tap_that_swallows_is_no_end() -> None:
    async with ends() as (connection, peer):
        connection.attach(Replace(lambda data: data.replace(b"x", b"")))
        receiving = asyncio.ensure_future(connection.receive())
        peer.sendall(b"xxx")
        assert await still_waits(receiving, seconds=0.05)
        peer.sendall(b"xax")
        assert await receiving == b"a"
        await connection.send(b"x")
        await connection.send(b"b")
        assert await thread(peer.recv, 100) == b"b"


@on_each_loop
async def test_a_tap_that_expands_loses_nothing_to_a_limit() -> None:
    async with ends() as (connection, peer):
        connection.attach(Replace(lambda data: data * 1000, last=b"the end"))
        peer.sendall(b"ab")
        peer.shutdown(socket.SHUT_WR)
        received = b""
        while (piece := await connection.receive(7)) is not None:
            assert 0 < len(piece) <= 7
            received += piece
        assert received in (b"ab" * 1000 + b"the end", b"a" * 1000 + b"b" * 1000 + b"the end")


@on_each_loop
async def test_what_a_tap_held_back_comes_before_the_end() -> None:
    async with ends() as (connection, peer):
        connection.attach(HoldLast())
        peer.sendall(b"one\ntwo")
        peer.shutdown(socket.SHUT_WR)
        assert [line async for line in connection.lines()] == ["one", "two"]
        await connection.send(b"xyz")
        await connection.half_close()
        assert await thread(everything, peer) == b"xyz"
        assert connection.bytes_sent == 3


@on_each_loop
async def test_what_a_tap_held_back_goes_out_at_close() -> None:
    async with ends() as (connection, peer):
        recorder = Recorder()
        connection.attach(HoldLast())
        connection.attach(recorder)
        await connection.send(b"xyz")
        await connection.close()
        assert await thread(everything, peer) == b"xyz"
        assert recorder.bytes_of(SENT) == b"xyz"
        assert recorder.ends == [SENT]


@on_each_loop
async def test_close_of_a_cut_connection_sends_nothing() -> None:
    async with ends() as (connection, peer):
        connection.attach(HoldLast())
        await connection.send(b"xyz")
        connection.cut("kicked")
        await connection.close()
        with contextlib.suppress(ConnectionError):
            assert await thread(everything, peer) in (b"xy", b"")


@on_each_loop
async def test_taps_come_and_go_while_bytes_flow() -> None:
    async with ends() as (connection, peer):
        data = os.urandom(1 << 20)

        def echo() -> None:
            while piece := peer.recv(1000):
                peer.sendall(piece)
            peer.shutdown(socket.SHUT_WR)

        async def send() -> None:
            for start in range(0, len(data), 3000):
                await connection.send(data[start : start + 3000])
                await asyncio.sleep(0)
            await connection.half_close()

        async def come_and_go() -> None:
            while not connection.ended:
                taps = [HoldLast(), Recorder(), HoldLast()]
                for tap in taps:
                    connection.attach(tap)
                await asyncio.sleep(0)
                for tap in taps:
                    connection.detach(tap)
                await asyncio.sleep(0)

        echoing = asyncio.ensure_future(thread(echo))
        _, received, _ = await asyncio.gather(send(), all_of(connection), come_and_go())
        await echoing
        assert received == data
