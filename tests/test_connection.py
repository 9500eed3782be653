"""Connections whose calls wait: counters, framing, timeouts, taps, two threads on one connection."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import everything, reset
from sample_taps import HoldLast, Recorder, Replace
from wirecat.address import Address
from wirecat.connection import READ_SIZE, Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import (
    ConnectionBroken,
    ConnectionClosed,
    DeadlineExpired,
    IncompleteReceive,
    LineTooLong,
    UsageError,
)
from wirecat.taps.tap import RECEIVED, SENT, Tap


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection, and a plain socket as its peer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname(), timeout=PATIENCE)
        accepted, place = server.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = Connection(SocketStream(accepted, place), 7)
    connection.timeout = PATIENCE
    yield connection, peer
    peer.close()
    connection.close()


@pytest.fixture
def connection(ends: tuple[Connection, socket.socket]) -> Connection:
    return ends[0]


@pytest.fixture
def peer(ends: tuple[Connection, socket.socket]) -> socket.socket:
    return ends[1]


# Bytes, ends, counters


def test_bytes_both_ways_are_counted(connection: Connection, peer: socket.socket) -> None:
    peer.sendall(b"12345")
    assert connection.receive(2) == b"12"
    assert connection.bytes_received == 2
    assert connection.receive() == b"345"
    buffer = bytearray(10)
    peer.sendall(b"ab")
    assert connection.receive_into(buffer) == 2
    connection.send(b"answer")
    connection.send(bytearray(b"!"))
    connection.send(memoryview(b"?"))
    assert connection.bytes_received == 7
    assert connection.bytes_sent == 8
    assert connection.id == 7


def test_the_end_is_none_and_stays_none(connection: Connection, peer: socket.socket) -> None:
    ended: list[int] = []
    connection.on_end = lambda: ended.append(1)
    peer.sendall(b"last")
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive() == b"last"
    assert not connection.ended
    assert connection.receive() is None
    assert connection.receive() is None
    assert connection.receive_into(bytearray(1)) == 0
    assert connection.receive_line() is None
    assert connection.ended
    assert ended == [1]
    connection.send(b"still sending")
    connection.half_close()
    assert everything(peer) == b"still sending"


def test_an_end_seen_by_receive_into(connection: Connection, peer: socket.socket) -> None:
    ended: list[int] = []
    connection.on_end = lambda: ended.append(1)
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive_into(bytearray(1)) == 0
    assert connection.receive_into(bytearray(1)) == 0
    assert connection.receive() is None
    assert ended == [1]


def test_its_state_can_be_read(connection: Connection, peer: socket.socket) -> None:
    assert "open" in repr(connection)
    server = peer.getpeername()
    peer.shutdown(socket.SHUT_WR)
    connection.receive()
    assert "ended" in repr(connection)
    connection.half_close()
    connection.half_close()
    assert connection.half_closed
    assert "half-closed" in repr(connection)
    assert connection.peer == Address("tcp", "127.0.0.1", peer.getsockname()[1])
    assert connection.local == Address("tcp", *server)
    connection.close()
    connection.close()
    assert connection.closed
    assert f"127.0.0.1:{peer.getsockname()[1]} closed" in repr(connection)


def test_use_after_close_is_the_callers_fault(connection: Connection, peer: socket.socket) -> None:
    peer.sendall(b"unread")
    peer.shutdown(socket.SHUT_WR)
    connection.close()
    for use in (
        connection.receive,
        lambda: connection.receive_into(bytearray(1)),
        connection.receive_line,
        lambda: next(connection.lines()),
        lambda: connection.receive_exactly(1),
        connection.receive_reply,
        lambda: connection.send(b"x"),
        lambda: connection.send_line("x"),
    ):
        with pytest.raises(ConnectionClosed, match="closed the connection already"):
            use()
    connection.half_close()
    connection.abort()


def test_use_after_close_is_the_callers_fault_although_the_peer_had_ended(
    connection: Connection, peer: socket.socket
) -> None:
    peer.sendall(b"one\ntwo\nthree\n")
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive_line() == "one"
    connection.close()
    for use in (connection.receive, connection.receive_line, lambda: connection.receive_exactly(1)):
        with pytest.raises(ConnectionClosed):
            use()


def test_sending_after_half_close_is_the_callers_fault(connection: Connection, peer: socket.socket) -> None:
    connection.half_close()
    with pytest.raises(ConnectionClosed, match="half-closed"):
        connection.send(b"x")
    peer.sendall(b"still receiving")
    assert connection.receive() == b"still receiving"


def test_leaving_the_block_closes(ends: tuple[Connection, socket.socket]) -> None:
    connection, peer = ends
    with pytest.raises(ZeroDivisionError), connection as same:
        assert same is connection
        raise ZeroDivisionError
    assert connection.closed
    assert peer.recv(1) == b""


@pytest.mark.parametrize("limit", [0, -1])
def test_nothing_can_be_asked_for(connection: Connection, peer: socket.socket, limit: int) -> None:
    """recv(2) of 0 bytes gives 0 bytes, which would be taken for the end."""
    peer.sendall(b"data")
    for use in (
        lambda: connection.receive(limit),
        lambda: connection.receive_into(bytearray(0)),
        lambda: connection.receive_exactly(-1),
    ):
        with pytest.raises(UsageError):
            use()
    assert not connection.ended
    assert connection.receive_exactly(0) == b""
    assert connection.receive() == b"data"


def test_bytes_that_were_sent_before_it_broke_are_counted(connection: Connection, peer: socket.socket) -> None:
    size = 32 << 20
    with Background(lambda: connection.send(bytes(size))) as sending:
        assert stays(lambda: sending.running)
        reset(peer)
        with pytest.raises(ConnectionBroken) as caught:
            sending.result()
    assert caught.value.unsent is not None
    assert connection.bytes_sent == size - caught.value.unsent > 0


# Waiting


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "5"])
def test_a_time_that_cannot_be(connection: Connection, seconds: Any) -> None:
    with pytest.raises(UsageError, match="timeout"):
        connection.timeout = seconds
    assert connection.timeout == PATIENCE


def test_any_length_of_time_can_be_waited(connection: Connection, peer: socket.socket) -> None:
    for seconds in (3e6, 1e12, None):
        connection.timeout = seconds
        assert connection.timeout == seconds
        with Background(connection.receive) as receiving:
            assert stays(lambda: receiving.running, 0.05)
            peer.sendall(b"x")
            assert receiving.result() == b"x"


def test_a_receive_that_gave_up_may_go_on(connection: Connection, peer: socket.socket) -> None:
    connection.timeout = 0.05
    for use in (connection.receive, connection.receive_line, lambda: connection.receive_exactly(5)):
        with pytest.raises(DeadlineExpired):
            use()
    peer.sendall(b"half a li")
    for use in (connection.receive_line, lambda: connection.receive_exactly(50)):
        with pytest.raises(DeadlineExpired):
            use()
    connection.timeout = PATIENCE
    peer.sendall(b"ne\n")
    assert connection.receive_line() == "half a line"


def test_bytes_that_were_sent_before_time_was_up_are_counted(connection: Connection, peer: socket.socket) -> None:
    size = 32 << 20
    connection.timeout = 0.05
    with pytest.raises(DeadlineExpired) as caught:
        connection.send(bytes(size))
    assert caught.value.unsent is not None
    assert connection.bytes_sent == size - caught.value.unsent > 0
    connection.half_close()
    assert len(everything(peer)) == connection.bytes_sent


def test_it_is_known_how_long_it_was_silent(connection: Connection, peer: socket.socket) -> None:
    now = connection.opened
    assert connection.note_traffic(now + 5) == 5
    peer.sendall(b"x")
    connection.receive()
    assert connection.note_traffic(now + 6) == 0
    assert connection.last_heard == now + 6
    connection.send(b"y")
    assert connection.note_traffic(now + 8) == 0
    assert connection.note_traffic(now + 9) == 1


# Framing


def test_lines(connection: Connection, peer: socket.socket) -> None:
    peer.sendall(b"one\r\ntwo\n\nlast")
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive_line() == "one"
    assert list(connection.lines()) == ["two", "", "last"]
    assert connection.receive_line() is None


def test_text_is_utf_8_and_everything_else_survives(connection: Connection, peer: socket.socket) -> None:
    connection.send_line("Grüße")
    connection.send_line("\udcff", "\r\n")
    connection.send_line(b"\xff", "")
    connection.half_close()
    assert everything(peer) == "Grüße\n".encode() + b"\xff\r\n\xff"
    peer.sendall("Grüße\n".encode() + b"\xff\xfe\nlast")
    peer.shutdown(socket.SHUT_WR)
    assert list(connection.lines()) == ["Grüße", "\udcff\udcfe", "last"]


def test_a_character_split_between_pieces(connection: Connection, peer: socket.socket) -> None:
    data = "Grüße\n".encode()
    with Background(connection.receive_line) as receiving:
        for place in range(len(data)):
            peer.sendall(data[place : place + 1])
        assert receiving.result() == "Grüße"


def test_what_lines_left_is_handed_out_first(connection: Connection, peer: socket.socket) -> None:
    peer.sendall(b"line\nrest of it")
    assert connection.receive_line() == "line"
    assert connection.buffered == 10
    assert connection.receive(4) == b"rest"
    buffer = bytearray(3)
    assert connection.receive_into(buffer) == 3
    assert buffer == b" of"
    assert connection.receive_exactly(3) == b" it"
    assert connection.buffered == 0
    peer.sendall(b"more")
    assert connection.receive() == b"more"


def test_a_line_that_is_too_long_can_still_be_had(connection: Connection, peer: socket.socket) -> None:
    peer.sendall(b"x" * 100 + b"\nnext\n")
    with pytest.raises(LineTooLong):
        connection.receive_line(50)
    assert connection.receive_line(100) == "x" * 100
    assert connection.receive_line(50) == "next"


def test_exact_counts(connection: Connection, peer: socket.socket) -> None:
    data = bytes(range(256)) * 1000
    with Background(lambda: peer.sendall(data)):
        assert connection.receive_exactly(1) == data[:1]
        assert connection.receive_exactly(len(data) - 1) == data[1:]


def test_an_end_before_the_count_gives_what_had_come(connection: Connection, peer: socket.socket) -> None:
    peer.sendall(b"only this")
    peer.shutdown(socket.SHUT_WR)
    with pytest.raises(IncompleteReceive, match="after 9 of 20 bytes") as caught:
        connection.receive_exactly(20)
    assert caught.value.partial == b"only this"
    assert isinstance(caught.value, EOFError)
    with pytest.raises(IncompleteReceive, match="after 0 of 1 bytes"):
        connection.receive_exactly(1)
    assert connection.receive() is None


def test_a_reset_before_the_count_leaves_what_had_come(connection: Connection, peer: socket.socket) -> None:
    peer.sendall(b"only this")
    assert connection.receive(4) == b"only"
    connection.timeout = 0.1
    with pytest.raises(DeadlineExpired):
        connection.receive_exactly(20)
    reset(peer)
    connection.timeout = PATIENCE
    with pytest.raises(ConnectionBroken):
        connection.receive_exactly(20)
    assert connection.receive() == b" this"
    with pytest.raises(ConnectionBroken):
        connection.receive()


def test_a_reply_without_an_end(connection: Connection, peer: socket.socket) -> None:
    assert connection.receive_reply(first=0.05) == b""
    peer.sendall(b"rep")
    with Background(lambda: connection.receive_reply(silence=0.3)) as receiving:
        stays(lambda: True, 0.05)
        peer.sendall(b"ly")
        assert receiving.result() == b"reply"
    assert connection.timeout == PATIENCE
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive_reply() is None


# Two threads


def test_one_thread_sends_while_another_receives(connection: Connection, peer: socket.socket) -> None:
    data = bytes(range(256)) * 40_000

    def echo() -> None:
        while piece := peer.recv(65536):
            peer.sendall(piece)
        peer.shutdown(socket.SHUT_WR)

    def send() -> None:
        for start in range(0, len(data), 100_000):
            connection.send(data[start : start + 100_000])
        connection.half_close()

    with Background(echo), Background(send):
        received = b"".join(iter(connection.receive, None))
    assert received == data
    assert connection.bytes_sent == connection.bytes_received == len(data)


def test_a_receive_that_waits_disturbs_no_send(connection: Connection, peer: socket.socket) -> None:
    with Background(connection.receive_line) as receiving:
        assert stays(lambda: receiving.running)
        connection.send(b"question")
        assert peer.recv(100) == b"question"
        peer.sendall(b"answer\n")
        assert receiving.result() == "answer"


def test_abort_from_another_thread_gives_the_end(connection: Connection) -> None:
    connection.timeout = None
    aborted: list[int] = []
    connection.on_abort = lambda: aborted.append(1)
    with Background(connection.receive) as receiving:
        assert stays(lambda: receiving.running)
        connection.cut("idle")
        connection.cut("kicked")
        assert receiving.result() is None
    assert connection.cut_reason == "idle", "the first reason counts"
    assert aborted
    with pytest.raises(ConnectionBroken):
        connection.send(b"x")


# Taps


def test_an_observer_sees_it_all_with_direction_and_time(connection: Connection, peer: socket.socket) -> None:
    recorder = Recorder()
    connection.attach(recorder)
    before = time.monotonic()
    peer.sendall(b"one\ntwo")
    assert connection.receive_line() == "one"
    connection.send(memoryview(b"answer"))
    buffer = bytearray(10)
    assert connection.receive_into(buffer) == 3
    peer.sendall(b"direct")
    assert connection.receive_into(buffer) == 6
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive() is None
    connection.half_close()
    connection.close()
    assert recorder.chunks == [(RECEIVED, b"one\ntwo"), (SENT, b"answer"), (RECEIVED, b"direct")]
    assert recorder.ends == [RECEIVED, SENT]
    assert before <= recorder.times[0] <= recorder.times[-1] <= time.monotonic()
    assert recorder.ids == {7}
    assert everything(peer) == b"answer"


@pytest.mark.parametrize("into", [False, True], ids=["receive", "receive_into"])
def test_taps_stand_in_a_row(connection: Connection, peer: socket.socket, into: bool) -> None:
    before, after = Recorder(), Recorder()
    for tap in (before, Replace(bytes.upper), Replace(lambda data: data + b"!"), after):
        connection.attach(tap)
    peer.sendall(b"in")
    buffer = bytearray(20)
    got = bytes(buffer[: connection.receive_into(buffer)]) if into else connection.receive()
    assert got == b"IN!"
    connection.send(b"out")
    assert peer.recv(100) == b"OUT!"
    assert before.chunks == [(RECEIVED, b"in"), (SENT, b"out")]
    assert after.chunks == [(RECEIVED, b"IN!"), (SENT, b"OUT!")]
    assert (connection.bytes_received, connection.bytes_sent) == (2, 4), "what went over the wire"


@pytest.mark.parametrize("into", [False, True], ids=["receive", "receive_into"])
def test_a_tap_that_swallows_is_no_end(connection: Connection, peer: socket.socket, into: bool) -> None:
    behind = Recorder()
    connection.attach(Replace(lambda data: data.replace(b"x", b"")))
    connection.attach(behind)
    peer.sendall(b"xxx")
    with Background(lambda: connection.receive_into(bytearray(9)) if into else connection.receive()) as receiving:
        assert stays(lambda: receiving.running)
        peer.sendall(b"xax")
        assert receiving.result() == (1 if into else b"a")
    connection.send(b"x")
    connection.send(b"b")
    assert peer.recv(100) == b"b"
    assert behind.chunks == [(RECEIVED, b"a"), (SENT, b"b")], "there is no empty chunk"
    nothing = Replace(lambda data: None)
    connection.attach(nothing)
    connection.send(b"c")
    connection.detach(nothing)
    connection.send(b"d")
    assert peer.recv(100) == b"d"


@pytest.mark.parametrize("into", [False, True], ids=["receive", "receive_into"])
def test_a_tap_that_expands_loses_nothing_to_a_limit(connection: Connection, peer: socket.socket, into: bool) -> None:
    connection.attach(Replace(lambda data: data * 1000, last=b"the end"))
    peer.sendall(b"ab")
    peer.shutdown(socket.SHUT_WR)
    received = b""
    while True:
        if into:
            buffer = bytearray(7)
            piece = bytes(buffer[: connection.receive_into(buffer)])
        else:
            piece = connection.receive(7) or b""
        if not piece:
            break
        assert len(piece) <= 7
        received += piece
    assert received in (b"ab" * 1000 + b"the end", b"a" * 1000 + b"b" * 1000 + b"the end")


def test_a_tap_that_expands_loses_nothing_to_lines(connection: Connection, peer: socket.socket) -> None:
    connection.attach(Replace(lambda data: data * (READ_SIZE // 2)))
    peer.sendall(b"abcd\n")
    peer.shutdown(socket.SHUT_WR)
    assert sum(1 for _ in connection.lines()) == READ_SIZE // 2


def test_what_a_tap_held_back_comes_before_the_end(connection: Connection, peer: socket.socket) -> None:
    behind = Recorder()
    connection.attach(HoldLast())
    connection.attach(behind)
    peer.sendall(b"abc")
    assert connection.receive() == b"ab"
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive() == b"c"
    assert connection.receive() is None
    connection.send(b"xyz")
    connection.half_close()
    assert everything(peer) == b"xyz"
    assert connection.bytes_sent == 3
    assert behind.bytes_of(RECEIVED) == b"abc", "those behind it see it too"
    assert behind.bytes_of(SENT) == b"xyz"
    assert behind.ends == [RECEIVED, SENT]


def test_what_a_tap_held_back_is_part_of_the_last_line(connection: Connection, peer: socket.socket) -> None:
    connection.attach(HoldLast())
    peer.sendall(b"one\ntwo")
    peer.shutdown(socket.SHUT_WR)
    assert list(connection.lines()) == ["one", "two"]


def test_what_a_tap_held_back_completes_a_count(connection: Connection, peer: socket.socket) -> None:
    connection.attach(HoldLast())
    peer.sendall(b"abc")
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive_exactly(3) == b"abc"


def test_what_a_tap_held_back_goes_out_at_close(connection: Connection, peer: socket.socket) -> None:
    recorder = Recorder()
    connection.attach(HoldLast())
    connection.attach(recorder)
    connection.send(b"xyz")
    connection.close()
    connection.close()
    assert everything(peer) == b"xyz"
    assert recorder.ends == [SENT]
    assert connection.bytes_sent == 3


def test_close_does_not_wait_for_a_peer_that_takes_no_more(connection: Connection, peer: socket.socket) -> None:
    tap = HoldLast()
    connection.attach(tap)
    connection.timeout = 0.05
    with pytest.raises(DeadlineExpired):
        connection.send(bytes(32 << 20))
    connection.timeout = None
    started = time.monotonic()
    connection.close()
    assert time.monotonic() - started < 5
    assert tap.held[SENT] == b""


def test_close_of_a_cut_connection_sends_nothing(connection: Connection, peer: socket.socket) -> None:
    connection.attach(HoldLast())
    connection.send(b"xyz")
    connection.cut("kicked")
    connection.close()
    assert everything(peer) == b"xy"


def test_close_after_the_peer_went_never_raises(connection: Connection, peer: socket.socket) -> None:
    connection.attach(HoldLast())
    connection.send(b"xyz")
    reset(peer)
    connection.close()


def test_a_tap_that_is_taken_off_gives_back_what_it_held(connection: Connection, peer: socket.socket) -> None:
    """In its place in the row, and with the next bytes of that direction."""
    tap, behind = HoldLast(), Recorder()
    connection.attach(tap)
    connection.attach(behind)
    peer.sendall(b"abc")
    assert connection.receive() == b"ab"
    connection.send(b"xyz")
    connection.detach(tap)
    peer.sendall(b"def")
    assert connection.receive() == b"cdef"
    connection.send(b"!")
    connection.half_close()
    assert everything(peer) == b"xyz!"
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive() is None
    assert behind.bytes_of(RECEIVED) == b"abcdef"
    assert behind.bytes_of(SENT) == b"xyz!"


def test_a_tap_that_is_taken_off_before_the_end_gives_back_what_it_held(
    connection: Connection, peer: socket.socket
) -> None:
    tap = HoldLast()
    connection.attach(tap)
    peer.sendall(b"abc")
    assert connection.receive() == b"ab"
    connection.send(b"xyz")
    connection.detach(tap)
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive() == b"c"
    assert connection.receive() is None
    connection.close()
    assert everything(peer) == b"xyz"


def test_taps_that_are_gone_cost_nothing(connection: Connection, peer: socket.socket) -> None:
    """With no tap there is no copy."""
    observer, altering = Recorder(), HoldLast()
    for tap in (observer, altering):
        connection.attach(tap)
        assert connection.taps
    for tap in (observer, altering, altering):
        connection.detach(tap)
    peer.sendall(b"ab")
    connection.receive()
    connection.send(b"ab")
    assert connection.taps == ()


@pytest.mark.timeout(120)
def test_taps_come_and_go_while_bytes_flow(connection: Connection, peer: socket.socket) -> None:
    """Whatever stands in the stream at the moment, no byte is lost, doubled or moved."""
    data = bytes(range(256)) * 20_000

    def echo() -> None:
        while piece := peer.recv(1000):
            peer.sendall(piece)
        peer.shutdown(socket.SHUT_WR)

    def send() -> None:
        for start in range(0, len(data), 3000):
            connection.send(data[start : start + 3000])
        connection.half_close()

    buffer = bytearray(5000)

    def receive() -> bytes:
        received = bytearray()
        while count := connection.receive_into(buffer):
            received += buffer[:count]
        return bytes(received)

    with Background(echo), Background(send), Background(receive) as receiving:
        while receiving.running:
            taps: list[Tap] = [HoldLast(), Recorder(), HoldLast()]
            for tap in taps:
                connection.attach(tap)
            for tap in taps:
                connection.detach(tap)
        assert receiving.result(60) == data
