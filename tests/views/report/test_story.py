"""The plain data of a report: sums that it gives of itself."""

from __future__ import annotations

from views.report.stories import START, crowd, nothing, one_talk
from wirecat.views.report.story import Story, Talk


def test_one_talk() -> None:
    story = one_talk()
    assert story.servers == ("127.0.0.1:12345",)
    assert story.most_open() == 1
    assert 0.2 < story.seconds < 0.21


def test_a_talk_that_ends_as_another_begins_is_not_open_with_it() -> None:
    talks = (
        Talk(1, "a", "s", START, START + 10),
        Talk(2, "b", "s", START + 10, START + 20),
        Talk(3, "c", "s", START + 15),
    )
    assert Story(START, START + 20, talks).most_open() == 2


def test_a_crowd() -> None:
    assert 3 <= crowd(50).most_open() <= 6


def test_nothing() -> None:
    assert nothing().most_open() == 0
    assert nothing().servers == ()
