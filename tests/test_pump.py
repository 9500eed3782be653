"""The pump between two connections: every byte arrives, every end is passed on, and nothing is left running."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import everything, reset
from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.stdio import StdioStream
from wirecat.errors import ConnectionBroken, DeadlineExpired, OutputClosed
from wirecat.pump import PumpResult, pump
from wirecat.taps.tap import RECEIVED, SENT, Tap

needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="waits for pipes in POSIX' way")


def tcp_pair() -> tuple[Connection, socket.socket]:
    """A connection, and a plain socket as its peer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname(), timeout=PATIENCE)
        accepted, place = server.accept()
    return Connection(SocketStream(accepted, place)), peer


@pytest.fixture
def left() -> Iterator[tuple[Connection, socket.socket]]:
    connection, peer = tcp_pair()
    with connection, peer:
        yield connection, peer


@pytest.fixture
def right() -> Iterator[tuple[Connection, socket.socket]]:
    connection, peer = tcp_pair()
    with connection, peer:
        yield connection, peer


class Local:
    """Standard input and output played by pipes: `typed` is where a user types, `shown` what a user sees."""

    def __init__(self) -> None:
        self.source, self.typed = os.pipe()
        self.shown, self.sink = os.pipe()
        self.stream = StdioStream(self.source, self.sink)
        self.connection = Connection(self.stream)

    def close(self, *names: str) -> None:
        for name in names or ("source", "typed", "shown", "sink"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (piece := os.read(self.shown, count - len(data))):
            data += piece
        return data


@pytest.fixture
def local() -> Iterator[Local]:
    made = Local()
    yield made
    made.stream.close()
    made.close()


def result_of(pumping: Background[PumpResult]) -> PumpResult:
    """The result of a pump in which nothing failed."""
    result = pumping.result()
    assert result.failures == []
    return result


# Both ways


@pytest.mark.timeout(120)
def test_both_ways_at_once_with_their_ends(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    forth, back = os.urandom(1 << 20) * 16, os.urandom(1 << 20) * 8

    def send(peer: socket.socket, data: bytes) -> None:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)

    with (
        Background(lambda: pump(near, far)) as pumping,
        Background(lambda: send(a, forth)),
        Background(lambda: send(b, back)),
        Background(lambda: everything(b)) as at_b,
        Background(lambda: everything(a)) as at_a,
    ):
        assert hashlib.sha256(at_b.result()).digest() == hashlib.sha256(forth).digest()
        assert hashlib.sha256(at_a.result()).digest() == hashlib.sha256(back).digest()
        result = result_of(pumping)
    assert (result.forward, result.backward) == (len(forth), len(back))
    assert not near.closed
    assert not far.closed
    assert near.half_closed
    assert far.half_closed


def test_one_half_ends_and_the_other_goes_on(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        a.sendall(b"question")
        a.shutdown(socket.SHUT_WR)
        assert everything(b) == b"question"
        for word in (b"long", b"answer"):
            b.sendall(word)
            assert a.recv(100) == word
        assert pumping.running
        b.shutdown(socket.SHUT_WR)
        assert everything(a) == b""
        result_of(pumping)


def test_a_reader_that_stalls_holds_back_only_what_flows_to_it(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    data = os.urandom(1 << 20) * 24
    with Background(lambda: pump(near, far)) as pumping, Background(lambda: a.sendall(data)) as sending:
        assert stays(lambda: sending.running), "nobody holds 24 MiB for a peer that does not read"
        b.sendall(b"the other way is free")
        assert a.recv(100) == b"the other way is free"
        received = b""
        while len(received) < len(data):
            received += b.recv(1 << 18)
        sending.result()
        assert received == data
        a.shutdown(socket.SHUT_WR)
        b.shutdown(socket.SHUT_WR)
        result_of(pumping)


def test_bytes_that_trickle_are_passed_on_at_once(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        for number in range(50):
            a.sendall(bytes([number]))
            assert b.recv(10) == bytes([number])
            b.sendall(bytes([255 - number]))
            assert a.recv(10) == bytes([255 - number])
        a.close()
        assert everything(b) == b""
        b.close()
        result_of(pumping)


def test_bytes_that_had_come_before_are_passed_on(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    b.sendall(b"greeting\nand more")
    assert far.receive_line() == "greeting"
    with Background(lambda: pump(near, far)) as pumping:
        assert a.recv(100) == b"and more"
        a.shutdown(socket.SHUT_WR)
        b.shutdown(socket.SHUT_WR)
        result_of(pumping)


def test_without_half_close_the_right_side_is_told_nothing(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far, half_close=False)) as pumping:
        a.sendall(b"last")
        a.shutdown(socket.SHUT_WR)
        assert b.recv(100) == b"last"
        b.settimeout(0.1)
        with pytest.raises(TimeoutError):
            b.recv(1)
        b.sendall(b"still here")
        b.shutdown(socket.SHUT_WR)
        assert everything(a) == b"still here"
        result_of(pumping)
    assert not far.half_closed


# A side that breaks


def test_the_right_side_resets_in_the_middle(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        b.sendall(b"some")
        assert a.recv(100) == b"some"
        reset(b)
        result = pumping.result()
    assert [type(failure) for failure in result.failures] == [ConnectionBroken]
    assert result.backward == 4
    assert everything(a) == b"", "what waits at the other side is ended as well"


def test_the_left_side_resets_in_the_middle(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        a.sendall(b"some")
        assert b.recv(100) == b"some"
        reset(a)
        result = pumping.result()
    assert [type(failure) for failure in result.failures] == [ConnectionBroken]
    assert result.forward == 4
    assert everything(b) == b""


@pytest.mark.parametrize("which", ["left", "right"])
def test_a_side_that_resets_while_it_is_sent_to_says_how_much_was_lost(left: Any, right: Any, which: str) -> None:
    (near, a), (far, b) = left, right
    sender, receiver = (b, a) if which == "left" else (a, b)

    def send() -> None:
        with contextlib.suppress(OSError):
            sender.sendall(bytes(32 << 20))

    with Background(lambda: pump(near, far)) as pumping, Background(send) as sending:
        assert stays(lambda: sending.running)
        reset(receiver)
        result = pumping.result()
        near.close()
        far.close()
    assert isinstance(result.failures[0], ConnectionBroken)
    assert any(isinstance(failure, ConnectionBroken) and failure.unsent for failure in result.failures)


def fill(sender: socket.socket) -> None:
    """Send until there is no room."""
    sender.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        while True:
            sender.sendall(bytes(1 << 20))


def test_pump_client_fills_buffers_and_resets_ends(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        fill(a)
        reset(a)
        result = pumping.result()
    assert [failure.address for failure in result.failures] == [near.peer]  # type: ignore[attr-defined]
    b.close()


def test_pump_client_resets_after_half_of_the_target_has_ended_ends(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        b.shutdown(socket.SHUT_WR)
        assert everything(a) == b""
        fill(a)
        reset(a)
        assert isinstance(pumping.result().failures[0], ConnectionBroken)
    b.close()


def test_pump_client_half_closes_and_resets_later_ends(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        a.shutdown(socket.SHUT_WR)
        assert everything(b) == b""
        assert stays(lambda: pumping.running)
        reset(a)
        assert isinstance(pumping.result().failures[0], ConnectionBroken)


def test_pump_target_resets_while_client_is_silent_ends(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        b.shutdown(socket.SHUT_WR)
        assert everything(a) == b""
        assert stays(lambda: pumping.running)
        reset(b)
        assert [failure.address for failure in pumping.result().failures] == [far.peer]  # type: ignore[attr-defined]


def test_pump_target_sends_much_and_resets_slow_client_gets_all(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        b.settimeout(0.2)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while True:
                sent += b.send(bytes(1 << 16))
        part_of_it = a.recv(1 << 16)
        b.shutdown(socket.SHUT_WR)
        assert stays(lambda: pumping.running)
        a.shutdown(socket.SHUT_WR)
        assert len(part_of_it) + len(everything(a)) == sent
        pumping.result()


@pytest.mark.parametrize("how", ["reset", "close"])
def test_pump_last_words_of_a_client_that_is_lost_are_delivered(left: Any, right: Any, how: str) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        b.sendall(b"x")
        assert select.select([a], [], [], PATIENCE)[0], "it is unread: a close makes a reset"
        a.sendall(b"last words")
        reset(a) if how == "reset" else a.close()
        assert everything(b) == b"last words"
        pumping.result()


@needs_pipes
def test_pump_unix_client_that_closes_is_delivered_and_released() -> None:
    mine, a = socket.socketpair()
    (far, b) = tcp_pair()
    near = Connection(SocketStream(mine))
    with near, far, b, Background(lambda: pump(near, far)) as pumping:
        a.sendall(b"fire and forget")
        a.close()
        assert everything(b) == b"fire and forget"
        result = result_of(pumping)
    assert result.forward == len(b"fire and forget")


def test_a_tap_that_fails_ends_it_all_and_is_told(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right

    class Faulty(Tap):
        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
            raise ZeroDivisionError("a fault of the tap's own")

    far.attach(Faulty())
    with Background(lambda: pump(near, far)) as pumping:
        a.sendall(b"x")
        with pytest.raises(ZeroDivisionError, match="the tap's own"):
            pumping.result()
    assert everything(b) == b""
    assert everything(a) == b""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_both_directions(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    before = threading.active_count()
    main = threading.main_thread()
    assert threading.current_thread() is main

    def interrupt() -> None:
        b.sendall(b"it runs")
        a.recv(100)
        signal.pthread_kill(main.ident or 0, signal.SIGINT)

    with Background(interrupt), pytest.raises(KeyboardInterrupt):
        pump(near, far)
    assert threading.active_count() == before, "its threads have ended when it has"
    assert everything(a) == everything(b) == b""


@needs_pipes
def test_ctrl_c_does_not_wait_for_an_output_that_is_stuck(local: Local, right: Any) -> None:
    """A terminal may be stopped (Ctrl-S): its thread is left to the end of the process."""
    far, b = right
    with contextlib.ExitStack() as stack:

        def interrupt() -> None:
            with contextlib.suppress(OSError):
                b.sendall(bytes(8 << 20))

        sending = stack.enter_context(Background(interrupt))
        assert stays(lambda: sending.running)
        timer = threading.Timer(0.3, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            pump(local.connection, far, until_right_ends=True)
        assert time.monotonic() - started < 5
        timer.join()
        local.close("shown")  # so that this one's thread ends after all
        far.close()


# Standard input and output on the left


@needs_pipes
def test_a_conversation_until_the_right_side_ends(local: Local, right: Any) -> None:
    """The input is idle, and may be so for ever: it is not waited for."""
    far, b = right
    with Background(lambda: pump(local.connection, far, until_right_ends=True)) as pumping:
        os.write(local.typed, b"typed\n")
        assert b.recv(100) == b"typed\n"
        b.sendall(b"shown\n")
        assert local.read(6) == b"shown\n"
        assert stays(lambda: pumping.running)
        ended = time.monotonic()
        b.close()
        result = result_of(pumping)
        assert time.monotonic() - ended < 1
    assert (result.forward, result.backward) == (6, 6)


@needs_pipes
def test_the_end_of_the_input_half_closes_and_the_answer_is_awaited(local: Local, right: Any) -> None:
    far, b = right
    with Background(lambda: pump(local.connection, far, until_right_ends=True)) as pumping:
        os.write(local.typed, b"question")
        local.close("typed")
        assert everything(b) == b"question"
        assert stays(lambda: pumping.running)
        b.sendall(b"answer")
        b.close()
        result_of(pumping)
    assert local.read(6) == b"answer"


@needs_pipes
@pytest.mark.parametrize("name", ["/dev/null", "closed", "directory"])
def test_an_input_that_gives_nothing(name: str, right: Any, tmp_path: Path) -> None:
    far, b = right
    shown, sink = os.pipe()
    source = os.open(tmp_path if name == "directory" else "/dev/null", os.O_RDONLY)
    stream = StdioStream(source, sink)
    if name == "closed":
        os.close(source)
    with Background(lambda: pump(Connection(stream), far, until_right_ends=True)) as pumping:
        assert everything(b) == b""
        b.sendall(b"answer")
        b.close()
        result_of(pumping)
    assert os.read(shown, 100) == b"answer"
    stream.close()
    for descriptor in (shown, sink) if name == "closed" else (shown, sink, source):
        os.close(descriptor)


@needs_pipes
def test_what_the_input_holds_ready_is_sent_after_the_right_side_has_ended(right: Any, tmp_path: Path) -> None:
    """The right side sends no more and reads on: the whole file goes there."""
    far, b = right
    data = os.urandom(1 << 20) * 12
    (tmp_path / "file").write_bytes(data)
    source = os.open(tmp_path / "file", os.O_RDONLY)
    shown, sink = os.pipe()
    stream = StdioStream(source, sink)
    b.shutdown(socket.SHUT_WR)
    with Background(lambda: pump(Connection(stream), far, until_right_ends=True)) as pumping:
        assert stays(lambda: pumping.running)
        assert hashlib.sha256(everything(b)).digest() == hashlib.sha256(data).digest()
        assert result_of(pumping).forward == len(data)
    stream.close()
    for descriptor in (source, shown, sink):
        os.close(descriptor)


@needs_pipes
def test_what_the_input_holds_ready_and_cannot_be_sent_is_told(right: Any, tmp_path: Path) -> None:
    far, b = right
    (tmp_path / "file").write_bytes(bytes(32 << 20))
    source = os.open(tmp_path / "file", os.O_RDONLY)
    shown, sink = os.pipe()
    stream = StdioStream(source, sink)
    with Background(lambda: pump(Connection(stream), far, until_right_ends=True)) as pumping:
        assert b.recv(100)
        reset(b)
        result = pumping.result()
    assert isinstance(result.failures[0], ConnectionBroken)
    stream.close()
    for descriptor in (source, shown, sink):
        os.close(descriptor)


@needs_pipes
def test_an_output_closed_early_is_told_at_once_although_the_peer_is_silent(local: Local, right: Any) -> None:
    """`| head -1` has its line and goes; the next byte to find that out with may never come."""
    far, b = right
    with Background(lambda: pump(local.connection, far, until_right_ends=True)) as pumping:
        b.sendall(b"one line\n")
        assert local.read(9) == b"one line\n"
        closed = time.monotonic()
        local.close("shown")
        result = pumping.result()
        assert time.monotonic() - closed < 1
    assert [type(failure) for failure in result.failures] == [OutputClosed]


@needs_pipes
def test_an_output_closed_early_while_much_is_to_be_shown(local: Local, right: Any) -> None:
    far, b = right

    def send() -> None:
        with contextlib.suppress(OSError):
            b.sendall(bytes(8 << 20))

    with Background(lambda: pump(local.connection, far, until_right_ends=True)) as pumping, Background(send) as sending:
        assert stays(lambda: sending.running)
        local.close("shown")
        result = pumping.result()
        far.close()
    assert isinstance(result.failures[0], OutputClosed)
    assert "were not delivered" in str(result.failures[0])


@needs_pipes
def test_an_output_closed_early_is_the_first_failure_told_although_sending_fails_with_it(
    local: Local, right: Any
) -> None:
    """The exit code depends on it. The send that waits for the peer fails because of it, and may do so first."""
    far, b = right
    with Background(lambda: pump(local.connection, far, until_right_ends=True)) as pumping:

        def send() -> None:
            with contextlib.suppress(OSError):
                while os.write(local.typed, bytes(65536)):
                    pass

        with Background(send) as sending:
            assert stays(lambda: sending.running), "the peer does not read"
            local.close("shown")
            result = pumping.result()
            local.close("source")
    assert isinstance(result.failures[0], OutputClosed)


@needs_pipes
def test_bytes_that_had_come_before_are_shown(local: Local, right: Any) -> None:
    """They are no longer in the socket, and so do not make it readable."""
    far, b = right
    b.sendall(b"greeting\nand more")
    assert far.receive_line() == "greeting"
    with Background(lambda: pump(local.connection, far, until_right_ends=True)) as pumping:
        assert local.read(8) == b"and more"
        b.close()
        result_of(pumping)


@needs_pipes
@pytest.mark.parametrize("to_pipe", [True, False])
def test_the_time_that_a_side_may_be_silent_is_kept(local: Local, right: Any, to_pipe: bool, tmp_path: Path) -> None:
    far, _ = right
    far.timeout = 0.2
    descriptor = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    stream = StdioStream(local.source, local.sink if to_pipe else descriptor)
    started = time.monotonic()
    result = pump(Connection(stream), far, until_right_ends=True)
    assert 0.15 < time.monotonic() - started < 5
    assert [type(failure) for failure in result.failures] == [DeadlineExpired]
    stream.close()
    os.close(descriptor)


@needs_pipes
def test_an_output_that_is_no_pipe(right: Any, local: Local, tmp_path: Path) -> None:
    far, b = right
    descriptor = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    stream = StdioStream(local.source, descriptor)
    with Background(lambda: pump(Connection(stream), far, until_right_ends=True)) as pumping:
        b.sendall(b"kept")
        b.close()
        result_of(pumping)
    stream.close()
    os.close(descriptor)
    assert (tmp_path / "out").read_bytes() == b"kept"


# Taps


class Upper(Tap):
    alters = True

    def __init__(self, direction: str) -> None:
        self.direction = direction

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        return data.upper() if direction == self.direction else data

    def finish(self, connection: int, direction: str) -> bytes:
        return b"!" if direction == self.direction else b""


def test_taps_on_both_sides_alter_what_passes(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    near.attach(Upper(RECEIVED))
    far.attach(Upper(SENT))
    with Background(lambda: pump(near, far)) as pumping:
        a.sendall(b"forth")
        assert b.recv(5) == b"FORTH"
        a.shutdown(socket.SHUT_WR)
        assert everything(b) == b"!!"
        b.sendall(b"back")
        b.shutdown(socket.SHUT_WR)
        assert everything(a) == b"back"
        result = result_of(pumping)
    assert result.forward == 6, "as it left the left side"


def test_a_tap_attached_while_it_waits_sees_and_alters_the_next_byte(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far)) as pumping:
        a.sendall(b"one")
        assert b.recv(100) == b"one"
        tap = Upper(RECEIVED)
        near.attach(tap)
        a.sendall(b"two")
        assert b.recv(100) == b"TWO"
        near.detach(tap)
        a.sendall(b"three")
        assert b.recv(100) == b"!three"
        a.close()
        b.close()
        pumping.result()


# One way, and idle


def test_one_way_only(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far, backward=False)) as pumping:
        b.sendall(b"not asked for")
        a.sendall(b"forth")
        a.shutdown(socket.SHUT_WR)
        assert everything(b) == b"forth"
        assert result_of(pumping).backward == 0
    assert far.receive() == b"not asked for"


def test_the_left_sides_end_may_end_it_all(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far, until_left_ends=True)) as pumping:
        a.sendall(b"forth")
        a.shutdown(socket.SHUT_WR)
        assert everything(b) == b"forth"
        result_of(pumping)


def test_nothing_moves_for_too_long(left: Any, right: Any) -> None:
    (near, a), (far, b) = left, right
    with Background(lambda: pump(near, far, idle_timeout=1)) as pumping:
        for _ in range(4):
            stays(lambda: True, 0.3)
            a.sendall(b"x")
            assert b.recv(10) == b"x"
        with pytest.raises(DeadlineExpired, match="1 s"):
            pumping.result()
    assert everything(a) == everything(b) == b""
