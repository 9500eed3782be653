"""The queue to one client: nobody waits, nothing is lost or out of order, and it is bounded."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, eventually, everything, reset
from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.server import outbox as module
from wirecat.server.outbox import Outbox
from wirecat.taps.tap import SENT, Tap

Pair = tuple[Connection, socket.socket]


@pytest.fixture(params=["at once", "by its thread"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A connection and the plain socket of its client; with and without sends that do not wait."""
    if request.param == "by its thread":
        monkeypatch.setattr(module, "_AT_ONCE", None)
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    client.settimeout(PATIENCE)
    accepted, peer = listener.accept()
    listener.close()
    connection = Connection(SocketStream(accepted, peer), 1)
    yield connection, client
    client.close()
    connection.close()


def senders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.endswith("-sender")]


def test_it_arrives_whole_and_in_order(pair: Pair) -> None:
    connection, client = pair
    box = Outbox(connection, limit=1 << 16)
    sent, taken, full = hashlib.sha256(), hashlib.sha256(), 0
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(everything(client)))
    made = threading.Semaphore(0)
    box._on_room = made.release
    for number in range(6000):
        if number == 5000:
            reader.start()  # by now the queue is full
        piece = bytes([number % 256]) * (number * 7 % 10_000)
        while not box.offer(piece):
            full += 1
            if number < 5000:
                break  # nobody reads, so it will not fit
            assert made.acquire(timeout=PATIENCE)
        else:
            sent.update(piece)
    assert full
    assert box.finish(PATIENCE)
    connection.half_close()
    reader.join(PATIENCE)
    taken.update(received[0])
    assert taken.digest() == sent.digest()
    assert connection.bytes_sent == len(received[0])


def test_what_does_not_fit_is_refused_whole(pair: Pair) -> None:
    connection, client = pair
    box = Outbox(connection, limit=10_000)
    assert box.offer(b"x" * 50_000_000), "an empty queue takes any size"
    assert not box.offer(b"y" * 10_001)
    assert not box.offer(b"z")
    assert not box.finish(0.05)
    assert box.gone and box.offer(b"more"), "thrown away"
    client.close()


def test_a_client_that_reads_costs_no_thread(pair: Pair) -> None:
    connection, client = pair
    if module._AT_ONCE is None:
        pytest.skip("without sends that do not wait there is a thread")
    box = Outbox(connection)
    for _ in range(100):
        box.offer(b"hello")
        assert client.recv(5, socket.MSG_WAITALL) == b"hello"
        assert not senders()


def test_the_thread_ends_with_the_queue(pair: Pair) -> None:
    connection, client = pair
    box = Outbox(connection)
    box.offer(b"x" * 20_000_000)
    assert senders()
    left = 20_000_000
    while left:
        left -= len(client.recv(1 << 20))
    eventually(lambda: not senders(), "the thread has ended")
    assert box.size == 0
    box.offer(b"again")
    assert client.recv(10) == b"again"
    assert box.finish(PATIENCE)


@pytest.mark.parametrize("end", [reset, socket.socket.close])
def test_a_client_that_goes(pair: Pair, end: Any) -> None:
    connection, client = pair
    box = Outbox(connection)
    box.offer(b"x" * 20_000_000)
    end(client)
    eventually(lambda: box.gone, "it is seen")
    assert box.offer(b"nobody hears it")
    assert box.finish(PATIENCE)


def test_finish_gives_up_and_leaves_nothing(pair: Pair) -> None:
    connection, _ = pair
    box = Outbox(connection)
    box.offer(b"x" * 20_000_000)
    assert not box.finish(0.1)
    assert not senders()


def test_finish_does_not_wait_for_one_that_was_cut(pair: Pair) -> None:
    connection, _ = pair
    box = Outbox(connection)
    box.offer(b"x" * 20_000_000)
    connection.cut("kicked")
    box.finish(PATIENCE * 10)
    assert not senders()


def test_taps_see_each_piece_once(pair: Pair) -> None:
    connection, client = pair
    seen: list[bytes] = []

    class Seeing(Tap):
        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
            assert direction == SENT
            seen.append(data)
            return None

    connection.attach(Seeing())
    box = Outbox(connection)
    for word in (b"one", b"two", b"three"):
        box.offer(word)
    assert box.finish(PATIENCE)
    connection.half_close()
    assert everything(client) == b"onetwothree" == b"".join(seen)


def test_without_a_thread_the_connection_is_cut(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    connection, _ = pair
    box = Outbox(connection)
    with monkeypatch.context() as changed:
        changed.setattr(threading.Thread, "start", none_left)
        assert box.offer(b"x" * 20_000_000)
    assert connection.cut_reason == "no thread left"
    assert box.gone
