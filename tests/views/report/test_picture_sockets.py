"""The socket table as a picture: listeners first, sums where there are too many rows."""

from __future__ import annotations

from views.report.stories import START, crowd, nothing, one_talk, table, text_of, texts_of
from wirecat.views.report.collect import Collector
from wirecat.views.report.picture_sockets import SHOWN, fullest, in_order, sockets_picture, states
from wirecat.views.report.story import SocketLine
from wirecat.views.report.words import Words

WORDS = Words("en", "UTC")


def test_few_rows_are_all_there() -> None:
    texts = texts_of(sockets_picture(one_talk(), WORDS).svg())
    assert texts[5:10] == ["tcp", "127.0.0.1:12345", "*", "LISTEN", "4711/python3"]
    assert "2 sockets, as they stood at 21:30:05." in texts


def test_many_rows_are_counted_by_state() -> None:
    text = text_of(sockets_picture(crowd(5000), WORDS).svg())
    assert "5,000  tcp  ESTABLISHED" in text
    assert f"5,001 sockets, as they stood at 21:30:05; {SHOWN} of them are listed." in text


def test_the_listeners_come_first() -> None:
    rows = [SocketLine("tcp", "a", "b", "ESTABLISHED"), SocketLine("tcp", "a", "*", "LISTEN")]
    assert [row.state for row in in_order(rows)] == ["LISTEN", "ESTABLISHED"]
    assert states(rows) == [("tcp", "ESTABLISHED", 1), ("tcp", "LISTEN", 1)]


def test_of_several_tables_the_fullest_is_shown() -> None:
    collector = Collector()
    collector.open("a", "s", START)
    story = collector.story(tables=[table(1), table(7), table(3)])
    found = fullest(story)
    assert found is not None
    assert len(found.rows) == 8


def test_nothing() -> None:
    assert "No socket table" in text_of(sockets_picture(nothing(), WORDS).svg())
