"""The tally: replies counted once each, whenever it comes out that one was wrong."""

from __future__ import annotations

from wirecat.swarm.tally import Tally


def test_replies() -> None:
    tally = Tally()
    for _ in range(3):
        tally.latency.record(1000)
    tally.wrong += 1
    assert (tally.replies, tally.replies_wrong) == (4, 1)
    tally.spoilt += 1  # one of the three turned out to be too long
    assert (tally.replies, tally.replies_wrong) == (4, 2)


def test_failures_are_counted_by_kind() -> None:
    tally = Tally()
    for kind in ("reset", "refused", "reset"):
        tally.fail(kind)
    assert tally.errors == {"reset": 2, "refused": 1}
    assert tally.failed == 3


def test_adding_up() -> None:
    tally, other = Tally(), Tally()
    tally.latency.record(1000)
    other.latency.record(9000)
    other.waits.record(5)
    other.connected, other.late, other.spoilt = 3, 2, 1
    other.fail("reset", 2)
    other.show_wrong(3, 4, b"right", b"rigid")
    tally.add(other)
    assert (tally.replies, tally.latency.maximum, tally.waits.count) == (2, 9000, 1)
    assert (tally.connected, tally.late, tally.spoilt, tally.errors) == (3, 2, 1, {"reset": 2})
    assert tally.first_wrong == other.first_wrong
    assert tally.all_waits().count == 3


def test_connects_are_no_replies() -> None:
    tally = Tally()
    tally.latency.record(1000)
    tally.connects += 1
    assert tally.replies == 0


def test_the_first_wrong_reply_is_kept() -> None:
    tally = Tally()
    tally.show_wrong(3, 4, b"right", b"rigid")
    tally.show_wrong(5, 6, b"a", b"b")
    assert tally.first_wrong is not None
    assert (tally.first_wrong.client, tally.first_wrong.message, tally.first_wrong.offset) == (3, 4, 3)
