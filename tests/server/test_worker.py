"""A worker, driven over its channel as a supervisor drives it."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from server.clients import PATIENCE, ask, connect, everything
from wirecat.options import ServeOptions
from wirecat.server.channel import VERSION, Channel
from wirecat.server.worker import Worker, _ignore_signals

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="workers are for systems that share ports")


class Driven:
    """A worker in a thread, and the other end of its channel."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        self._theirs = Channel(theirs)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.port = self.listening.getsockname()[1]
        self.ended: list[bool] = []
        self._said: list[dict[str, Any]] = []
        worker = Worker(self._theirs)
        self._thread = threading.Thread(target=lambda: self.ended.append(worker.run()))
        self._thread.start()

    def task(self, handler: str = "echo", **changes: Any) -> None:
        """Give it its task, with a listener of its own."""
        task = {
            "v": VERSION, "handler": handler, "options": ServeOptions().fields(), "number": 1,
            "listeners": [self.listening.dup().detach()],
        }  # fmt: skip
        self.channel.send("task", **task | changes)

    def wait(self, type: str) -> dict[str, Any]:
        """The next message of that type; those before it are passed over."""
        while True:
            for number, message in enumerate(self._said):
                if message["type"] == type:
                    del self._said[: number + 1]
                    return message
            come = self.channel.receive(PATIENCE)
            assert come is not None, f"it ended, without {type}"
            self._said += come

    def event(self, name: str) -> dict[str, Any]:
        while (event := self.wait("event")["event"])["event"] != name:
            pass
        return dict(event)

    def end(self) -> None:
        self.channel.end()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.channel.close()
        self._theirs.close()
        self.listening.close()


@pytest.fixture
def driven() -> Iterator[Driven]:
    made = Driven()
    yield made
    made.end()


def test_a_whole_life(driven: Driven) -> None:
    driven.task()
    driven.wait("ready")
    driven.channel.send("go", transcript=0)
    with connect(driven.port) as client:
        asked = driven.wait("ask")
        driven.channel.send("admit", n=asked["n"], id=41)
        assert ask(client, b"Hallo") == b"Hallo"
        opened = driven.event("opened")
        assert (opened["connection"], opened["peer"][1:3]) == (41, list(client.getsockname()))
        driven.channel.send("table", n=1)
        table = driven.wait("table")
        assert (table["n"], [(row["id"], row["received"]) for row in table["rows"]]) == (1, [(41, 5)])
        driven.channel.send("kick", id=41)
        assert everything(client) == b""
    closed = driven.event("closed")
    assert (closed["connection"], closed["reason"], closed["sent"]) == (41, "kicked", 5)
    with connect(driven.port) as client:
        driven.channel.send("refuse", n=driven.wait("ask")["n"], reason="too many")
        assert everything(client) == b""
    assert driven.event("denied")["reason"] == "too many"
    driven.channel.send("stop", seconds=1)
    driven.wait("quiet")
    assert driven.wait("ended")["stuck"] == 0
    driven.end()
    assert driven.ended == [True]


def test_a_long_table_comes_in_pieces(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wirecat.server.worker.ROWS", 2)
    driven.task()
    driven.channel.send("go", transcript=0)
    driven.channel.send("table", n=1)
    assert driven.wait("table")["rows"] == []
    with contextlib.ExitStack() as stack:
        for id in (1, 2, 3):
            client = stack.enter_context(connect(driven.port))
            driven.channel.send("admit", n=driven.wait("ask")["n"], id=id)
            assert ask(client, b"x") == b"x"
        driven.channel.send("table", n=2)
        pieces = [driven.wait("table"), driven.wait("table")]
    assert [([row["id"] for row in each["rows"]], each["more"]) for each in pieces] == [([1, 2], True), ([3], False)]


def test_who_waits_for_an_answer_is_served_in_a_drain(driven: Driven) -> None:
    driven.task()
    driven.channel.send("go", transcript=0)
    with connect(driven.port) as client:
        asked = driven.wait("ask")
        driven.channel.send("stop", seconds=PATIENCE)
        driven.wait("quiet")
        driven.channel.send("admit", n=asked["n"], id=1)
        assert ask(client, b"x") == b"x"
    driven.wait("ended")


def test_a_drain_is_cut(driven: Driven) -> None:
    driven.task()
    driven.channel.send("go", transcript=0)
    with connect(driven.port) as client:
        driven.channel.send("admit", n=driven.wait("ask")["n"], id=1)
        assert ask(client, b"x") == b"x"
        driven.channel.send("stop", seconds=1000)
        driven.wait("quiet")
        driven.channel.send("cut")
        assert everything(client) == b""
    driven.wait("ended")


def test_no_more_are_accepted(driven: Driven) -> None:
    driven.task()
    driven.channel.send("go", transcript=0)
    with connect(driven.port) as client:
        driven.channel.send("admit", n=driven.wait("ask")["n"], id=1)
        driven.channel.send("close")
        driven.wait("quiet")
        assert ask(client, b"x") == b"x"


def test_what_clients_say_is_told_where_it_is_asked_for(driven: Driven) -> None:
    driven.task()
    driven.channel.send("go", transcript=10)
    with connect(driven.port) as client:
        driven.channel.send("admit", n=driven.wait("ask")["n"], id=1)
        assert ask(client, b"Hallo") == b"Hallo"
        assert driven.event("said")["text"] == "Hallo"


def test_the_end_of_the_channel_ends_it(driven: Driven) -> None:
    driven.task(options=ServeOptions(drain=0.05).fields())
    driven.channel.send("go", transcript=0)
    with connect(driven.port) as admitted:
        driven.channel.send("admit", n=driven.wait("ask")["n"], id=1)
        assert ask(admitted, b"x") == b"x"
        with connect(driven.port) as waiting:
            driven.wait("ask")
            driven.end()
            assert everything(waiting) == b""
        assert everything(admitted) == b""
    assert driven.ended == [True]


def test_a_supervisor_that_says_nothing(driven: Driven) -> None:
    driven.end()
    assert driven.ended == [True]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"v": VERSION + 1}, f"ValueError: version {VERSION + 1} of the channel to workers, not {VERSION}"),
        ({"handler": "no_such_module:f"}, "there is no module 'no_such_module'"),
        ({"options": {"nonsense": 1}}, "TypeError: "),
    ],
)
def test_what_it_cannot_do_is_told(driven: Driven, changes: dict[str, Any], said: str) -> None:
    driven.task(**{"listeners": [], **changes})
    assert said in driven.wait("fault")["text"]
    driven.channel.send("go", transcript=0)


def test_a_server_that_does_not_start_is_told(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: object) -> None:
        raise OSError("no loop")

    monkeypatch.setattr("wirecat.server.worker.WorkerServer.start", start)
    driven.task()
    driven.channel.send("go", transcript=0)
    assert driven.wait("fault")["text"] == "OSError: no loop"


def test_signals_of_the_supervisor_do_nothing() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        for number in numbers:
            signal.raise_signal(number)
        _ignore_signals()
        for number in numbers:
            signal.raise_signal(number)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
