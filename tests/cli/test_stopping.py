"""The end of a server by signals: the first drains, the second cuts, and none comes too early or is lost."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from peers import Program, environment
from wirecat.cli.stopping import StopSignals
from wirecat.events import Closed, Event, Stopping
from wirecat.server.server import serve

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals the way of POSIX")

PATIENCE = 15.0


@pytest.fixture
def signals() -> Iterator[StopSignals]:
    """Signals that are caught, and given back at the end."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with StopSignals() as caught:
        caught.catch()
        yield caught
    assert {number: signal.getsignal(number) for number in before} == before


def kill() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_drains(signals: StopSignals, number: int) -> None:
    events: list[Event] = []
    with serve("echo", "127.0.0.1:0", drain=PATIENCE) as server:
        client = socket.create_connection(("127.0.0.1", server.address.port or 0), PATIENCE)
        client.sendall(b"x")
        assert client.recv(1) == b"x"

        def at(event: Event) -> None:
            events.append(event)
            if isinstance(event, Stopping):
                client.close()

        server.subscribe(at)
        os.kill(os.getpid(), number)
        assert signals.wait(server) == 0
    (closed,) = (each for each in events if isinstance(each, Closed))
    assert (closed.by, closed.reason) == ("peer", "end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_cuts(signals: StopSignals, number: int) -> None:
    with serve("echo", "127.0.0.1:0", drain=60) as server:
        with socket.create_connection(("127.0.0.1", server.address.port or 0), PATIENCE) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            server.subscribe(lambda event: os.kill(os.getpid(), number) if isinstance(event, Stopping) else None)
            kill()
            started = time.monotonic()
            assert signals.wait(server) == 128 + number
            assert time.monotonic() - started < PATIENCE
            assert client.recv(1) == b""


def test_two_that_come_at_once(signals: StopSignals) -> None:
    """Also before the first was looked at."""
    with serve("echo", "127.0.0.1:0", drain=60) as server:
        with socket.create_connection(("127.0.0.1", server.address.port or 0), PATIENCE) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            kill()
            os.kill(os.getpid(), signal.SIGINT)
            assert signals.wait(server) == 128 + signal.SIGINT


def test_many_that_come_all_the_time(signals: StopSignals) -> None:
    """At every place of the code that handles them: none may find a lock that it waits for itself."""
    enough = threading.Event()

    def shoot() -> None:
        while not enough.wait(0.0005):
            kill()

    shooting = threading.Thread(target=shoot)
    for _ in range(10):
        enough.clear()
        with serve("echo", "127.0.0.1:0") as server:
            shooting = threading.Thread(target=shoot)
            shooting.start()
            assert signals.wait(server) in (0, 128 + signal.SIGTERM)
            enough.set()
            shooting.join(PATIENCE)
        while not signals._words.empty():
            signals._words.get()


def test_the_servers_own_end(signals: StopSignals) -> None:
    with serve("echo", "127.0.0.1:0", once=True) as server:
        port = server.address.port or 0
        threading.Thread(target=lambda: socket.create_connection(("127.0.0.1", port), PATIENCE).close()).start()
        assert signals.wait(server) == 0
        assert server.served == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")
@pytest.mark.parametrize("ignored", [True, False])
def test_a_hangup_that_is_ignored_stays_ignored(ignored: bool) -> None:
    """nohup(1) ignores it for the program that it starts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        with StopSignals() as caught:
            caught.catch(hangup=True)
            assert (signal.getsignal(signal.SIGHUP) == signal.SIG_IGN) is ignored
    finally:
        signal.signal(signal.SIGHUP, before)


def test_until_they_are_caught_signals_do_what_they_did() -> None:
    with StopSignals():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


STUCK = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from wirecat.cli.environment import Environment
from wirecat.cli.stopping import leave
pool = ThreadPoolExecutor()
started = threading.Event()
pool.submit(lambda: (started.set(), threading.Event().wait()))
started.wait()
sys.stdout.write("not flushed yet")
leave(7, Environment.of_process())
"""


def test_leaving_waits_for_nobody_and_loses_nothing() -> None:
    """A pool's thread would be waited for by Python's own end, for ever."""
    with Program([sys.executable, "-c", STUCK], env=environment()) as program:
        assert program.wait() == 7
        assert program.stdout == b"not flushed yet"
