"""Connections that went the same way are found, and a real one stands for them."""

from __future__ import annotations

from views.report.stories import START, crowd
from wirecat.views.report.collect import Collector
from wirecat.views.report.kinds import kinds, typical
from wirecat.views.report.story import Talk


def test_a_crowd_goes_one_way_but_for_those_that_were_broken_off() -> None:
    groups = kinds(crowd(100, broken_every=10).talks)
    assert [len(group) for group in groups] == [90, 10]


def test_how_many_pieces_each_spoke_in_makes_no_difference() -> None:
    collector = Collector()
    for pieces in (1, 2, 3):
        talk = collector.open("a", "s", START)
        for piece in range(pieces):
            collector.turn(talk, START + piece, True, b"x")
        collector.turn(talk, START + 9, False, b"y")
    other = collector.open("a", "s", START)
    collector.turn(other, START + 1, False, b"the server speaks first")
    assert [len(group) for group in kinds(collector.story().talks)] == [3, 1]


def test_long_talks_are_alike_that_began_alike() -> None:
    collector = Collector()
    for turns in (100, 120):
        talk = collector.open("a", "s", START)
        for turn in range(turns):
            collector.turn(talk, START + turn, turn % 2 == 0, b"x")
    assert len(kinds(collector.story().talks)) == 1


def test_the_typical_one_is_of_middle_length() -> None:
    talks = [Talk(number, "a", "s", START, START + length) for number, length in ((1, 900), (2, 5), (3, 30))]
    assert typical(talks).number == 3
