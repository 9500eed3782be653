"""One client without a network: bytes go in piece by piece, and its replies are told apart and judged."""

from __future__ import annotations

import errno
from time import perf_counter_ns

import pytest

from wirecat.swarm.client import QUIET, Client
from wirecat.swarm.tally import Tally

SECOND = 1_000_000_000


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.half_closed = self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def write_eof(self) -> None:
        self.half_closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


class Bench:
    """A client that is connected and has begun, with what it counts."""

    def __init__(self, *, limit: int = 3, prefix: bytes | None = b"got ", begin: bool = True) -> None:
        self.tally = Tally()
        self.wire = Wire()
        self.ends: list[str] = []
        self.client = Client(
            7,
            limit=limit,
            message_of=lambda number: b"m%d" % number,
            reply_to=None if prefix is None else lambda message: prefix + message,
            tally=self.tally,
            on_end=lambda: self.ends.append("end"),
            on_close=lambda: self.ends.append("close"),
        )
        self.client.connection_made(self.wire)  # type: ignore[arg-type]
        if begin:
            self.client.begin()

    def receive(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.client.data_received(piece)

    def pass_time(self, nanoseconds: int, reply_timeout: int = 10 * SECOND) -> None:
        self.client.look_at_clock(perf_counter_ns() + nanoseconds, reply_timeout)

    @property
    def right(self) -> int:
        return self.tally.latency.count - self.tally.spoilt


def test_it_waits_for_each_reply_before_the_next_message() -> None:
    bench = Bench()
    assert bench.wire.written == [b"m1"]
    bench.receive(b"got m1")
    assert bench.wire.written == [b"m1", b"m2"]
    bench.receive(b"got m2", b"got m3")
    assert bench.wire.written == [b"m1", b"m2", b"m3"]
    assert (bench.right, bench.tally.replies_wrong, bench.ends) == (3, 0, ["end"])
    assert bench.client.ended and not bench.client.waiting_since


def test_a_reply_in_pieces_is_one_reply() -> None:
    bench = Bench(limit=2)
    bench.receive(b"g", b"ot", b" m", b"1", b"got m", b"2")
    assert (bench.right, bench.tally.wrong, bench.ends) == (2, 0, ["end"])


def test_a_wrong_reply_of_the_right_length_is_over_at_once() -> None:
    bench = Bench()
    bench.receive(b"got m2")
    assert (bench.right, bench.tally.wrong) == (0, 1)
    assert bench.wire.written == [b"m1", b"m2"]
    bench.receive(b"got m2", b"got m3")
    assert (bench.right, bench.tally.wrong) == (2, 1)
    wrong = bench.tally.first_wrong
    assert wrong is not None
    assert (wrong.client, wrong.message, wrong.offset) == (7, 1, 5)
    assert (wrong.expected, wrong.got) == (b"got m1", b"got m2")


def test_the_first_byte_that_differs_makes_it_wrong() -> None:
    bench = Bench()
    bench.receive(b"gox")
    assert bench.tally.wrong == 1
    assert bench.wire.written == [b"m1"]  # where it ends is not known yet
    bench.receive(b" m1")  # as long as a right one now
    assert bench.wire.written == [b"m1", b"m2"]
    assert bench.tally.wrong == 1


def test_a_wrong_reply_of_another_length_is_over_after_a_silence() -> None:
    bench = Bench()
    bench.receive(b"no")
    bench.pass_time(QUIET // 2)
    assert bench.wire.written == [b"m1"]
    bench.pass_time(QUIET)
    assert bench.wire.written == [b"m1", b"m2"]
    bench.receive(b"got m2")
    assert (bench.right, bench.tally.wrong) == (1, 1)


def test_a_byte_too_many_makes_it_wrong() -> None:
    bench = Bench(limit=2)
    bench.receive(b"got m1!")
    assert (bench.right, bench.tally.wrong) == (0, 1)
    bench.receive(b" and more of it")
    assert bench.wire.written == [b"m1"]
    bench.pass_time(QUIET)
    bench.receive(b"got m2")
    assert (bench.right, bench.tally.wrong, bench.ends) == (1, 1, ["end"])


def test_a_byte_too_many_that_comes_later_spoils_the_next_one() -> None:
    bench = Bench()
    bench.receive(b"got m1", b"!")
    assert (bench.right, bench.tally.wrong) == (1, 1)
    bench.receive(b"got m2")  # the rest of the wrong one, as far as can be known
    assert (bench.right, bench.tally.wrong) == (1, 1)


@pytest.mark.parametrize("more", [b"!", b"got m1"])
def test_bytes_after_the_last_reply_make_it_wrong_after_all(more: bytes) -> None:
    bench = Bench(limit=1)
    bench.receive(b"got m1")
    assert (bench.right, bench.tally.replies_wrong) == (1, 0)
    bench.receive(more, more)
    assert (bench.right, bench.tally.replies_wrong, bench.tally.replies) == (0, 1, 1)
    assert bench.tally.first_wrong is not None
    assert bench.tally.first_wrong.got == b"got m1" + more
    assert bench.ends == ["end"]


def test_bytes_after_a_last_reply_that_was_wrong_do_not_count_again() -> None:
    bench = Bench(limit=1)
    bench.receive(b"got mX", b"more")
    assert (bench.tally.replies, bench.tally.replies_wrong, bench.ends) == (1, 1, ["end"])


def test_bytes_before_the_first_message_make_the_first_reply_wrong() -> None:
    bench = Bench(begin=False)
    bench.receive(b"Welcome\n")
    bench.client.begin()
    bench.receive(b"got m1")
    assert (bench.right, bench.tally.wrong) == (0, 1)
    assert bench.tally.first_wrong is not None
    assert bench.tally.first_wrong.got == b"Welcome\ngot m1"


def test_a_flood_before_the_first_message_does_not_fill_the_memory() -> None:
    bench = Bench(begin=False)
    for _ in range(100):
        bench.receive(b"x" * 65536)
    assert len(bench.client._early) == 65536


def test_unchecked_anything_that_arrives_is_the_reply() -> None:
    bench = Bench(limit=2, prefix=None)
    bench.receive(b"whatever", b"\xff")
    assert bench.wire.written == [b"m1", b"m2"]
    assert (bench.tally.replies, bench.tally.wrong, bench.ends) == (2, 0, ["end"])
    bench.receive(b"more")
    assert bench.tally.replies_wrong == 0


def test_no_reply_in_time() -> None:
    bench = Bench()
    bench.receive(b"got")
    bench.pass_time(9 * SECOND)
    assert not bench.client.ended
    bench.pass_time(10 * SECOND)
    assert bench.tally.errors == {"reply_timeout": 1}
    assert bench.wire.half_closed and bench.ends == ["end"]
    bench.receive(b" m1")  # too late
    assert bench.tally.replies == 0


def test_a_wrong_reply_without_an_end() -> None:
    bench = Bench()
    bench.receive(b"x" * 1000)
    bench.client._heard += 20 * SECOND  # bytes kept coming
    bench.pass_time(11 * SECOND)
    assert bench.tally.errors == {"endless_reply": 1}
    assert bench.tally.wrong == 1


def test_a_wrong_reply_is_no_timeout_even_where_the_time_is_short() -> None:
    bench = Bench(limit=1)
    bench.receive(b"no")
    bench.pass_time(QUIET // 2, reply_timeout=QUIET // 4)
    assert not bench.tally.errors
    bench.pass_time(QUIET, reply_timeout=QUIET // 4)
    assert (bench.tally.errors, bench.tally.wrong, bench.ends) == ({}, 1, ["end"])


@pytest.mark.parametrize(
    ("error", "kind"), [(None, "closed_early"), (ConnectionResetError(errno.ECONNRESET, ""), "reset")]
)
@pytest.mark.parametrize("begin", [True, False])
def test_the_server_goes(error: Exception | None, kind: str, begin: bool) -> None:
    bench = Bench(begin=begin)
    bench.client.connection_lost(error)
    assert bench.tally.errors == {kind: 1}
    assert bench.ends == ["end", "close"]


def test_the_server_may_go_after_the_last_reply() -> None:
    bench = Bench(limit=1)
    bench.receive(b"got m1")
    bench.client.connection_lost(ConnectionResetError())
    assert (bench.tally.errors, bench.ends) == ({}, ["end", "close"])


def test_lowering_the_limit_makes_the_present_message_the_last() -> None:
    bench = Bench(limit=1000)
    bench.receive(b"got m1")
    bench.client.limit = 0
    bench.receive(b"got m2")
    assert bench.wire.written == [b"m1", b"m2"]
    assert (bench.right, bench.ends) == (2, ["end"])


def test_stopped_it_judges_nothing_more() -> None:
    bench = Bench()
    bench.client.stop()
    bench.receive(b"got m1", b"rubbish")
    bench.client.connection_lost(None)
    assert (bench.tally.replies, bench.tally.errors, bench.ends) == (0, {}, ["end", "close"])


def test_stopped_while_it_connected_it_closes() -> None:
    bench = Bench(begin=False)
    late = Client(
        8,
        limit=1,
        message_of=lambda number: b"",
        reply_to=None,
        tally=bench.tally,
        on_end=lambda: None,
        on_close=lambda: None,
    )
    late.stop()
    wire = Wire()
    late.connection_made(wire)  # type: ignore[arg-type]
    assert wire.aborted and not late.ready


def test_the_latency_is_that_of_right_replies() -> None:
    bench = Bench()
    before = perf_counter_ns()
    bench.client.waiting_since = before - SECOND
    bench.receive(b"got m1")
    assert SECOND <= bench.tally.latency.maximum <= perf_counter_ns() - before + SECOND
    bench.receive(b"got mX")
    assert bench.tally.latency.count == 1
