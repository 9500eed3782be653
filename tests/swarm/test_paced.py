"""The open loop: latency counts from when a request should have left, and nothing that was due is forgotten."""

from __future__ import annotations

import socket
import threading
from time import perf_counter_ns

import pytest

from swarm.servers import PATIENCE, Scripted, echo, never_accepts, nobody_listens, pieces
from wirecat.swarm.paced import PacedClient
from wirecat.swarm.schedule import Schedule
from wirecat.swarm.swarm import swarm
from wirecat.swarm.tally import Tally

MS = 1_000_000


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def write_eof(self) -> None: ...

    def is_closing(self) -> bool:
        return False


class Bench:
    """One client of one, a message each 10 ms, the first of them ``ago`` milliseconds ago."""

    def __init__(self, *, ago: int = 0, messages: int = 5) -> None:
        self.tally = Tally()
        self.wire = Wire()
        self.schedule = Schedule(clients=1, rate=100, messages=messages, duration=None)
        self.now = perf_counter_ns()
        self.schedule.start = self.now - ago * MS
        self.client = PacedClient(
            1, schedule=self.schedule, limit=0, message_of=lambda number: b"m%d" % number, reply_to=lambda data: data,
            tally=self.tally, on_end=lambda: None, on_close=lambda: None,
        )  # fmt: skip
        self.client.connection_made(self.wire)  # type: ignore[arg-type]
        self.client.begin()


def test_a_turn_sends_what_is_due_and_nothing_before() -> None:
    bench = Bench()
    bench.client.turn(bench.now - 1)
    assert bench.wire.written == []
    bench.client.turn(bench.now)
    bench.client.turn(bench.now + 20 * MS)  # still waiting for the reply
    assert bench.wire.written == [b"m1"]


def test_after_a_late_reply_the_next_one_leaves_at_once_and_its_latency_counts_from_its_time() -> None:
    bench = Bench(ago=25)
    bench.client.turn(bench.now)  # the first, 25 ms late
    bench.client.data_received(b"m1")
    bench.client.data_received(b"m2")
    bench.client.data_received(b"m3")
    assert bench.wire.written == [b"m1", b"m2", b"m3"]  # the fourth is not due for 5 ms
    assert bench.tally.late == 3
    assert bench.tally.latency.count == 3
    assert bench.tally.latency.maximum >= 25 * MS
    assert bench.client.waiting_since == 0 and not bench.client.ended


def test_what_never_left_and_what_was_never_answered_count_with_their_waits() -> None:
    bench = Bench(ago=45)
    bench.client.turn(bench.now)
    bench.client.fail("reply_timeout")
    bench.client.settle(bench.now)
    assert (bench.tally.due, bench.tally.unsent) == (5, 4)
    assert bench.tally.waits.count == 5
    assert bench.tally.waits.maximum >= 45 * MS
    assert bench.tally.replies == 0


def test_one_without_a_request_ends_at_once() -> None:
    schedule = Schedule(clients=3, rate=10, messages=None, duration=0.1)
    tally = Tally()
    ends: list[int] = []
    client = PacedClient(
        3, schedule=schedule, limit=0, message_of=lambda number: b"", reply_to=None, tally=tally,
        on_end=lambda: ends.append(1), on_close=lambda: None,
    )  # fmt: skip
    client.connection_made(Wire())  # type: ignore[arg-type]
    client.begin()
    assert client.ended and ends == [1]


def test_the_rate_is_kept(loop_name: str) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 5, rate=200, duration=0.5, expect="echo")
    assert result.ok and result.due == result.replies_ok == 100
    assert result.unsent == 0 and result.late is not None and 0 <= result.late <= 100
    assert 0.45 <= result.seconds < 10


def test_messages_of_each_at_a_rate(loop_name: str) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 5, rate=1000, messages=4, expect="echo")
    assert result.ok and (result.due, result.messages_sent) == (20, 20)


def test_a_server_that_stalls_cannot_hide(loop_name: str) -> None:
    """It stands still for 0.6 s in the middle. A closed loop would see one slow reply for each client; half of all
    requests were due in that time, and their waits are there."""
    stalled = threading.Event()

    def script(connection: socket.socket) -> None:
        for count, data in enumerate(pieces(connection)):
            if count == 10 and not stalled.is_set():
                stalled.wait(0.6)
                stalled.set()
            connection.sendall(data)

    with Scripted(script) as server:
        result = swarm(server.address, 1, rate=50, duration=0.8, expect="echo")
    assert result.ok and result.due == 40
    assert result.late is not None and result.late >= 20
    assert result.latency_us.p50 is not None and result.latency_us.p50 > 20_000
    assert result.latency_us.max is not None and result.latency_us.max >= 550_000


def test_a_server_that_never_answers(loop_name: str) -> None:
    with never_accepts() as port:
        result = swarm(f"127.0.0.1:{port}", 4, rate=100, duration=0.2, expect="echo", reply_timeout=0.5)
    assert (result.due, result.messages_sent, result.unsent) == (20, 4, 16)
    assert result.errors == {"reply_timeout": 4} and not result.ok
    assert result.latency_us.p50 is not None and result.latency_us.p50 >= 400_000
    assert result.replies == 0


def test_nobody_is_there(loop_name: str) -> None:
    with nobody_listens() as port:
        result = swarm(port, 2, rate=100, messages=3, expect="echo")
    assert result.errors == {"refused": 2} and result.messages_sent == 0


@pytest.mark.parametrize("rate", [1e6, 1e9])
def test_more_than_can_be_done_is_bounded_in_time(loop_name: str, rate: float) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 3, rate=rate, duration=0.05, expect="echo")
    assert not result.ok
    assert result.due == pytest.approx(rate * 0.05)
    assert result.unsent == result.due - result.messages_sent
    assert result.seconds < PATIENCE


def test_a_greeting_before_the_first_turn_makes_the_first_reply_wrong(loop_name: str) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(b"Welcome\n")
        echo(connection)

    with Scripted(script) as server:
        result = swarm(server.address, 2, rate=4, messages=1, expect="echo")
    assert (result.replies_wrong, result.replies_ok) == (2, 0)
