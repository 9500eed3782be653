"""A responder on an event loop: back-pressure, pieces, fairness, and an end in order."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from server.clients import PATIENCE, ask, eventually, everything, exactly, read_slowly, serving
from wirecat import Responder
from wirecat.events import HalfClosed
from wirecat.server.responder_protocol import LINE_PIECE


@pytest.fixture(autouse=True)
def each_loop(loop: str) -> None:
    """All of this on both loops."""


def test_the_pieces_are_no_larger_than_asked_for() -> None:
    sizes: list[int] = []

    class Note(Responder):
        def receive(self, data: bytes) -> bytes | None:
            sizes.append(len(data))
            return data

    with serving(Note, engine="async", chunk=7) as served, served.connect() as client:
        client.sendall(b"x" * 1000)
        assert exactly(client, 1000) == b"x" * 1000
    assert sum(sizes) == 1000 and max(sizes) == 7


def waiting(served: object) -> int:
    """The bytes that the transport of the one connection holds."""
    (protocol,) = served.server._registry.connections()  # type: ignore[attr-defined]
    return int(protocol._transport.get_write_buffer_size())


@pytest.mark.parametrize(("framing", "chunk"), [("line", None), ("none", 2)])
def test_short_pieces_with_long_answers_fill_no_memory(framing: str, chunk: int | None) -> None:
    """A client that sends 200 KB of empty lines and reads nothing: its answers would take 200 MB."""
    answer = b"y" * 1000

    class Long(Responder):
        def receive(self, data: bytes) -> bytes | None:
            return answer

    count = 200_000
    with serving(Long, engine="async", framing=framing, chunk=chunk) as served, served.connect() as client:
        client.settimeout(PATIENCE * 2)
        pieces = count if framing == "line" else count // 2
        sending = threading.Thread(target=client.sendall, args=(b"\n" * count,))
        sending.start()
        eventually(lambda: served.server.connections and served.server.connections[0].received, "it has begun")
        tick = threading.Event()
        worst = 0
        for _ in range(30):
            worst = max(worst, waiting(served))
            tick.wait(0.01)
        assert worst <= LINE_PIECE * (len(answer) + 1) * 1.1
        if framing == "line":  # and they all come, once it reads
            client.recv(10)
            got = 10
            total = pieces * (len(answer) + 1)
            client.shutdown(socket.SHUT_WR) if not sending.is_alive() else None
            while got < total // 20:
                got += len(client.recv(1 << 20))


def test_what_was_pending_is_answered_in_full() -> None:
    """Pieces that wait for the client to read are not lost, nor is the end that came behind them."""

    class Long(Responder):
        def receive(self, data: bytes) -> bytes | None:
            return data * 1000

        def ended(self) -> bytes | None:
            return b"end"

    data = bytes(range(1, 201)) * 60  # comes in one piece, or the pieces of it would not be of ten
    with serving(Long, engine="async", chunk=10) as served, served.connect() as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        served.wait_open()
        threading.Event().wait(0.2)  # let it fill its buffers
        expected = b"".join(data[start : start + 10] * 1000 for start in range(0, len(data), 10)) + b"end"
        answer = everything(client)
        assert len(answer) == len(expected)
        assert answer == expected
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.sent) == ("peer", "end", len(expected))
        assert served.events.names(1) == ["opened", "half_closed", "closed"]


def test_an_endless_answer_to_a_fast_reader_leaves_the_loop_to_others() -> None:
    with serving("chargen", engine="async") as served, served.connect() as greedy:
        enough = threading.Event()

        def read() -> None:
            while not enough.is_set():
                greedy.recv(1 << 20)

        reading = threading.Thread(target=read)
        reading.start()
        try:
            for _ in range(20):
                with served.connect() as other:
                    assert other.recv(10)
        finally:
            enough.set()
            reading.join(PATIENCE)


def test_a_slow_reader_of_much_is_not_idle() -> None:
    """What the transport holds goes out piece by piece: bytes move, although the responder was asked but once."""
    size = 30_000_000

    class Much(Responder):
        def receive(self, data: bytes) -> bytes | None:
            return b"x" * size

    with serving(Much, engine="async", idle_timeout=1.0) as served, served.connect() as client:
        client.sendall(b"x")
        read_slowly(client, size)
        client.close()
        assert served.wait_gone()[0].reason == "end"


def test_one_that_has_finished_reads_away_what_still_comes() -> None:
    class One(Responder):
        def receive(self, data: bytes) -> bytes | None:
            self.finished = True
            return b"answer"

    with serving(One, engine="async") as served, served.connect() as client:
        assert exactly(client, 0) == b""
        client.sendall(b"x")
        assert exactly(client, 6) == b"answer"
        client.sendall(b"y" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b""
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("server", "end")
        assert closed.received == 1_000_001


def test_one_that_has_finished_waits_no_longer_than_it_must() -> None:
    with serving("daytime", engine="async") as served:
        started = time.monotonic()
        with served.connect() as client:
            everything(client)
        served.wait_gone()
        assert time.monotonic() - started < 0.9, "the client's end is enough"


def test_nothing_is_given_to_one_that_has_finished() -> None:
    seen: list[bytes] = []

    class One(Responder):
        def receive(self, data: bytes) -> bytes | None:
            seen.append(data)
            self.finished = True
            return None

    with serving(One, engine="async", chunk=1) as served, served.connect() as client:
        client.sendall(b"abc")
        assert everything(client) == b""
    assert seen == [b"a"]


def test_half_closes_are_told_once() -> None:
    with serving("chargen", engine="async") as served, served.connect() as client:
        client.shutdown(socket.SHUT_WR)
        served.events.wait(HalfClosed)
        eventually(lambda: served.server.connections[0].sent > 1_000_000, "the answer goes on")
        client.close()
        served.wait_gone()
        assert served.events.names(1) == ["opened", "half_closed", "closed"]


def test_a_large_echo_comes_back_whole() -> None:
    data = bytes(range(256)) * 40_000
    with serving("echo", engine="async") as served, served.connect() as client:
        sending = threading.Thread(target=client.sendall, args=(data,))
        sending.start()
        assert exactly(client, len(data)) == data
        sending.join()
        assert ask(client, b"x") == b"x"
