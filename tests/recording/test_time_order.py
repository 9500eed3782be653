"""Entries in the order of time, as far as what each side sent allows."""

from __future__ import annotations

from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark
from wirecat.recording.time_order import sort_by_time
from wirecat.wire.capture_items import NO_TIME


def ordered(*entries: Chunk | Mark) -> list[bytes | str]:
    found = list(entries)
    sort_by_time(found)
    return [each.data if isinstance(each, Chunk) else each.name for each in found]


def test_other_side_goes_by_its_time() -> None:
    answer, question = Chunk(1, 20, SERVER, b"answer"), Chunk(1, 10, CLIENT, b"question")
    assert ordered(Mark(1, 5, "opened"), answer, question) == ["opened", b"question", b"answer"]


def test_one_side_keeps_its_order_whatever_the_times() -> None:
    late, early = Chunk(1, 30, CLIENT, b"late"), Chunk(1, 10, CLIENT, b"early")
    assert ordered(late, early, Chunk(1, 20, SERVER, b"x")) == [b"x", b"late", b"early"]


def test_end_of_a_connection_stays_behind_both_sides() -> None:
    entries = (
        Chunk(1, 30, CLIENT, b"a"),
        Chunk(1, 40, SERVER, b"b"),
        Mark(1, 20, "closed", CLIENT),
        Chunk(2, 10, CLIENT, b"c"),
    )
    assert ordered(*entries) == [b"c", b"a", b"b", "closed"]


def test_entry_without_a_time_stays_behind_the_one_before() -> None:
    entries = Chunk(1, 20, CLIENT, b"a"), Chunk(2, NO_TIME, CLIENT, b"b"), Chunk(3, 10, CLIENT, b"c")
    assert ordered(*entries) == [b"c", b"a", b"b"]
