"""Signals that end the program: the first begins the way out, the second does not tear it, the third does."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from peers import PATIENCE, Program, wirecat_command
from plain_peers import free_port, serving
from wirecat.cli.ending_of_signals import ending_of_signals
from wirecat.cli.signalled import Signalled
from wirecat.connection import ConnectionState
from wirecat.recording.reader import read
from wirecat.taps.tap import SENT, Tap

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals the way of POSIX")

TERM, HANGUP, INTERRUPT = signal.SIGTERM, getattr(signal, "SIGHUP", 1), signal.SIGINT


def test_the_second_signal_does_not_tear_the_way_out_and_the_third_does() -> None:
    steps = []
    before = signal.getsignal(TERM)
    with pytest.raises(Signalled) as ended, ending_of_signals():
        try:
            signal.raise_signal(TERM)
        finally:
            signal.raise_signal(INTERRUPT)
            steps.append("tidied up")
            with pytest.raises(Signalled):
                signal.raise_signal(TERM)
    assert (ended.value.number, ended.value.code) == (TERM, 143)
    assert steps == ["tidied up"]
    assert signal.getsignal(TERM) is before


def test_a_step_is_not_interrupted() -> None:
    seen: list[bytes] = []

    class Slow(Tap):
        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> None:
            signal.raise_signal(TERM)
            seen.append(data)

    with ending_of_signals() as signals:
        tap = signals.whole(Slow())
        with pytest.raises(Signalled):
            tap.chunk(1, SENT, b"all of it", 0.0)
    assert seen == [b"all of it"]


def test_what_is_held_twice_is_released_twice() -> None:
    with ending_of_signals() as signals:
        signals.hold()
        signals.hold()
        signal.raise_signal(TERM)
        signals.release()
        with pytest.raises(Signalled):
            signals.release()


def test_every_step_of_a_tap_reaches_it_and_other_threads_are_held_up_by_nothing() -> None:
    seen: list[str] = []

    class Telling(Tap):
        alters = True

        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes:
            seen.append("chunk")
            return data[::-1]

        def finish(self, connection: int, direction: str) -> bytes:
            seen.append("finish")
            return b"rest"

        def opened(self, connection: ConnectionState) -> None:
            seen.append("opened")

        def broke(self, connection: int) -> None:
            seen.append("broke")

        def closed(self, connection: ConnectionState, by: str, reason: str) -> None:
            seen.append(f"closed {by} {reason}")

        def close(self) -> None:
            seen.append("close")

        def detached(self, connection: ConnectionState) -> None:
            seen.append("detached")

    with ending_of_signals() as signals:
        tap = signals.whole(Telling())
        assert tap.alters
        state = ConnectionState()
        tap.opened(state)
        assert tap.chunk(1, SENT, b"ab", 0.0) == b"ba"
        assert tap.finish(1, SENT) == b"rest"
        tap.broke(1)
        tap.closed(state, "peer", "end")
        thread = threading.Thread(target=tap.detached, args=(state,))
        thread.start()
        thread.join()
        tap.close()
    assert seen == ["opened", "chunk", "finish", "broke", "closed peer end", "detached", "close"]


def test_the_keyboard_does_not_tear_a_way_out_that_began_by_itself() -> None:
    before = signal.getsignal(INTERRUPT)
    with ending_of_signals(["SIGTERM"]) as signals:
        signals.leave()
        signal.raise_signal(INTERRUPT)
        signal.raise_signal(TERM)
    assert signal.getsignal(INTERRUPT) is before


def test_outside_the_main_thread_it_does_nothing() -> None:
    before = signal.getsignal(TERM)
    handlers = []

    def run() -> None:
        with ending_of_signals():
            handlers.append(signal.getsignal(TERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert handlers == [before]


@pytest.mark.parametrize(
    ("words", "number"),
    [(["connect"], TERM), (["ncat"], INTERRUPT), (["listen"], HANGUP), (["ncat", "-l", "-v"], TERM)],
)
def test_all_that_was_recorded_is_written(tmp_path: Path, words: list[str], number: int) -> None:
    path = tmp_path / "talk.pcapng"
    port = str(free_port())
    place = ["127.0.0.1", port] if "ncat" in words else [f"127.0.0.1:{port}"]
    command = wirecat_command(*words, "--record", str(path), *place)

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"said last")
        program.wait_for("stdout", b"said last")  # so it was tapped before
        program.signal(number)
        program.process.wait(PATIENCE)

    if words[-1] in ("connect", "ncat"):
        with serving(talk, port=int(port)) as server, Program(command) as program:
            server.result()
    else:
        with Program(command) as program:
            program.wait_for("stderr", b"(?i)listening on")
            with socket.create_connection(("127.0.0.1", int(port)), PATIENCE) as connection:
                talk(connection)
    assert program.wait() in (-number, 128 + number)
    assert b"Traceback" not in program.stderr
    recording = read(path)
    assert recording.complete
    assert [each.data for each in recording.chunks(1)] == [b"said last"]
    assert recording.connections[0].reason == "end"
