"""Connections in which the same was said are found, and a real one stands for them."""

from __future__ import annotations

from views.report.stories import START, crowd
from wirecat.views.report.collect import Collector
from wirecat.views.report.kinds import kinds, typical
from wirecat.views.report.story import Talk


def test_equal_contents_are_alike_but_for_those_that_were_reset() -> None:
    groups = kinds(crowd(100, broken_every=10, alike=True).talks)
    assert [len(group) for group in groups] == [90, 10]


def test_different_contents_are_never_merged() -> None:
    """25 students who each said something else are 25."""
    assert len(kinds(crowd(25).talks)) == 25


def test_how_many_pieces_each_spoke_in_makes_no_difference() -> None:
    collector = Collector()
    for pieces in (1, 2, 3):
        talk = collector.open("a", "s", START)
        for piece in range(pieces):
            collector.turn(talk, START + piece, True, b"abcdef"[piece * 6 // pieces : (piece + 1) * 6 // pieces])
        collector.turn(talk, START + 9, False, b"y")
    other = collector.open("a", "s", START)
    collector.turn(other, START + 1, False, b"the server speaks first")
    assert [len(group) for group in kinds(collector.story().talks)] == [3, 1]


def test_same_bytes_at_other_places_are_not_alike() -> None:
    collector = Collector()
    for order in ((True, False, True), (True, True, False)):
        talk = collector.open("a", "s", START)
        for step, to_server in enumerate(order):
            collector.turn(talk, START + step, to_server, b"x")
    assert len(kinds(collector.story().talks)) == 2


def test_difference_behind_what_is_kept_of_a_turn_counts() -> None:
    collector = Collector()
    for last in (b"a", b"b"):
        collector.turn(collector.open("a", "s", START), START, True, bytes(100_000) + last)
    assert len(kinds(collector.story().talks)) == 2


def test_the_typical_one_is_of_middle_length() -> None:
    talks = [Talk(number, "a", "s", START, START + length) for number, length in ((1, 900), (2, 5), (3, 30))]
    assert typical(talks).number == 3
