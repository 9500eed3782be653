"""The gate: who waits for the supervisor's word, and what becomes of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from server.clients import PATIENCE, Recorder
from wirecat.events import Denied, Failed, Publisher
from wirecat.server import gate as module
from wirecat.server.gate import Gate
from wirecat.server.registry import Registry


class Bench:
    """A gate with what stands around it."""

    def __init__(self) -> None:
        self.events = Recorder()
        self.publisher = Publisher()
        self.publisher.subscribe(self.events)
        self.registry = Registry(self.publisher, 1000)
        self.sent: list[tuple[str, dict[str, int]]] = []
        self.adopted: list[tuple[socket.socket, Any, int]] = []
        self.fault: Exception | None = None
        self.gate = Gate(lambda type, **fields: self.sent.append((type, fields)), self.registry, self.adopt)
        self.ours: list[socket.socket] = []

    def adopt(self, accepted: socket.socket, peer: Any, id: int) -> None:
        if self.fault is not None:
            raise self.fault
        self.adopted.append((accepted, peer, id))

    def client(self) -> socket.socket:
        """A client's end; the other was accepted, and has asked."""
        ours, theirs = socket.socketpair()
        self.ours.append(ours)
        self.gate.ask(theirs, "")
        return ours


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.gate.close()
    made.publisher.close()
    for each in made.ours + [accepted for accepted, _, _ in made.adopted]:
        each.close()


def test_who_is_admitted_is_adopted_under_its_number(bench: Bench) -> None:
    bench.client(), bench.client()
    assert bench.sent == [("ask", {"n": 1}), ("ask", {"n": 2})]
    assert bench.registry.count == 2  # a stop waits for them
    bench.gate.admit(2, 7)
    bench.gate.admit(1, 8)
    assert [id for _, _, id in bench.adopted] == [7, 8]
    assert bench.registry.count == 0  # the engine's own counting goes on from here


def test_who_is_refused_is_closed_and_told(bench: Bench) -> None:
    room: list[bool] = []
    bench.registry.on_room = lambda: room.append(True)
    first, second = bench.client(), bench.client()
    bench.gate.refuse(1, "connection limit reached (1)")
    bench.gate.refuse(2, None)
    assert first.recv(1) == second.recv(1) == b""
    assert bench.events.wait(Denied).reason == "connection limit reached (1)"
    assert bench.registry.count == 0 and len(room) == 2
    bench.publisher.close()
    assert len(bench.events.of(Denied)) == 1


def test_who_cannot_be_served_is_told_as_gone(bench: Bench) -> None:
    client = bench.client()
    bench.fault = RuntimeError("on purpose")
    bench.gate.admit(1, 7)
    assert client.recv(1) == b""
    assert bench.sent[1:] == [("gone", {"id": 7})]
    assert bench.events.wait(Failed).error == "RuntimeError: on purpose"
    assert bench.registry.count == 0


def test_so_many_wait_and_no_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    bench.client(), bench.client()
    third = threading.Thread(target=bench.client)
    third.start()
    third.join(0.05)
    assert third.is_alive() and len(bench.sent) == 2
    bench.gate.admit(1, 1)
    third.join(PATIENCE)
    assert len(bench.sent) == 3


def test_a_close_lets_go_of_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    first = bench.client()
    second = threading.Thread(target=bench.client)
    second.start()
    bench.gate.close()
    second.join(PATIENCE)
    assert first.recv(1) == bench.client().recv(1) == b""
    assert bench.registry.count == 0
