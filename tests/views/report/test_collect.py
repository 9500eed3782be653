"""Building a story: order, sums, round trips, and that memory stays bounded however long a recording is."""

from __future__ import annotations

from views.report.stories import MICRO, MILLI, SECOND, START
from wirecat.views.report import collect
from wirecat.views.report.collect import Collector
from wirecat.views.report.story import CLIENT, END, OPEN


def test_talks_stand_in_the_order_of_their_opening() -> None:
    collector = Collector()
    collector.open("b", "s", START + 5)
    collector.open("a", "s", START)
    story = collector.story()
    assert [(talk.number, talk.client) for talk in story.talks] == [(1, "a"), (2, "b")]
    assert (story.started, story.ended) == (START, START + 5)
    assert {talk.ending for talk in story.talks} == {OPEN}


def test_a_round_trip_is_from_the_last_piece_of_a_question_to_the_first_of_its_reply() -> None:
    collector = Collector()
    talk = collector.open("a", "s", START)
    collector.turn(talk, START + 1, False, b"banner")  # nobody asked for it
    collector.turn(talk, START + MILLI, True, b"first ")
    collector.turn(talk, START + 2 * MILLI, True, b"second")
    collector.turn(talk, START + 2 * MILLI + 300 * MICRO, False, b"reply")
    collector.turn(talk, START + 9 * MILLI, False, b"and more of it")
    assert list(collector.story().trips) == [300 * MICRO]


def test_an_end_is_told_once_for_each_side() -> None:
    collector = Collector()
    talk = collector.open("a", "s", START)
    talk.fin(START + 1, True)
    talk.fin(START + 2, True)
    talk.fin(START + 3, False)
    talk.close(START + 4, END, CLIENT)
    told = collector.story().talks[0]
    assert told.fins == ((START + 1, True), (START + 3, False))
    assert (told.closed, told.ending, told.closed_by) == (START + 4, END, CLIENT)


def test_bytes_over_time_keep_their_sum_and_stay_few() -> None:
    collector = Collector()
    talk = collector.open("a", "s", START)
    for number in range(5000):
        collector.turn(talk, START + number * 7 * MILLI, number % 2 == 0, b"x" * (number % 50))
    talk.close(START + 3600 * SECOND, END, CLIENT)
    story = collector.story()
    volume = story.volume
    assert len(volume.asked) == len(volume.answered) <= 1025
    assert sum(volume.asked) == story.talks[0].asked == sum(number % 50 for number in range(0, 5000, 2))
    assert sum(volume.answered) == story.talks[0].answered
    assert volume.start <= START
    assert volume.start + volume.slice * len(volume.asked) >= START + 3600 * SECOND


def test_times_that_leap_stay_bounded() -> None:
    collector = Collector()
    talk = collector.open("a", "s", 0)
    collector.turn(talk, (1 << 63) - 1, True, b"x")
    collector.turn(talk, 5, False, b"yy")
    volume = collector.story().volume
    assert len(volume.asked) <= 1025
    assert (sum(volume.asked), sum(volume.answered)) == (1, 2)


def test_of_long_talks_the_first_turns_are_kept_and_all_are_counted() -> None:
    collector = Collector()
    talk = collector.open("a", "s", START)
    for number in range(1000):
        collector.turn(talk, START + number, True, b"x" * 5000)
    told = collector.story().talks[0]
    assert len(told.turns) == collect.TURNS_OF_A_TALK
    assert told.turn_count == 1000
    assert told.asked == 5_000_000
    assert told.turns[0].size == 5000
    assert len(told.turns[0].data) == collect.BYTES_OF_A_TURN


def test_what_is_kept_in_all_is_bounded() -> None:
    collector = Collector()
    collector._room = 10_000
    for number in range(100):
        talk = collector.open(str(number), "s", START)
        collector.turn(talk, START, True, b"x" * 1000)
    story = collector.story()
    assert 5 <= sum(len(talk.turns) for talk in story.talks) <= 11
    assert sum(talk.turn_count for talk in story.talks) == 100
