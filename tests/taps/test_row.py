"""The row of taps: what comes and goes in it. (With bytes that really flow: tests/test_connection.py.)"""

from __future__ import annotations

from wirecat.taps.row import Leaving, Tapped
from wirecat.taps.tap import RECEIVED, SENT, Tap


class Holding(Tap):
    """Alters: holds everything back."""

    alters = True

    def __init__(self, *held: str) -> None:
        self.held = dict.fromkeys(held, b"held ")

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self.held[direction] = self.held.get(direction, b"") + data
        return b""

    def finish(self, connection: int, direction: str) -> bytes:
        return self.held.pop(direction, b"")


class Watching(Tap):
    def __init__(self) -> None:
        self.seen: list[tuple[int, str, bytes]] = []

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self.seen.append((connection, direction, data))
        return None


def test_nobody_in_the_row() -> None:
    row = Tapped(3)
    assert row.tapped(SENT, b"x") == b"x"
    assert row.tapped_end(SENT) == b""


def test_order_and_number() -> None:
    row, first, last = Tapped(3), Watching(), Watching()
    for tap in (first, Holding(RECEIVED), last):
        row.attach(tap)
    assert row.tapped(SENT, b"x") == b""
    assert row.tapped_end(SENT) == b"x"
    assert row.tapped_end(RECEIVED) == b"held "
    assert first.seen == [(3, SENT, b"x")]
    assert last.seen == [(3, SENT, b"x"), (3, RECEIVED, b"held ")]


def test_an_observer_leaves_at_once() -> None:
    row, tap, other = Tapped(0), Watching(), Watching()
    row.attach(tap)
    row.attach(other)
    row.attach(tap)
    row.detach(tap)
    assert row.taps == (other,)
    row.detach(tap)
    assert row.taps == (other,)


def test_one_that_alters_leaves_when_both_directions_have_what_it_held() -> None:
    row, tap = Tapped(0), Holding(RECEIVED, SENT)
    row.attach(tap)
    row.detach(tap)
    assert row.tapped(SENT, b"1") == b"held 1"
    assert row.tapped(SENT, b"2") == b"2"
    assert len(row.taps) == 1
    assert row.tapped_end(RECEIVED) == b"held "
    assert row.taps == ()


def test_one_that_alters_does_not_wait_for_a_direction_that_has_ended() -> None:
    row, tap = Tapped(0), Holding()
    row.attach(tap)
    row.tapped_end(RECEIVED)
    row.detach(tap)
    assert row.tapped(SENT, b"x") == b"x"
    assert row.taps == ()
    row.attach(tap)
    row.tapped_end(SENT)
    row.detach(tap)
    assert row.taps == ()


def test_leaving_asks_once() -> None:
    dropped: list[Tap] = []
    leaving = Leaving(Holding(RECEIVED, SENT), (), dropped.append)
    assert not leaving.done
    assert leaving.chunk(0, RECEIVED, b"x", 0.0) == b"held x"
    assert leaving.finish(0, RECEIVED) == b""
    assert dropped == []
    assert leaving.finish(0, SENT) == b"held "
    assert dropped == [leaving]
    assert leaving.done
