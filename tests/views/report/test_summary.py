"""What happened, in two sentences, in both languages; and the title."""

from __future__ import annotations

from views.report.stories import SECOND, START, crowd, nothing, one_talk
from wirecat.views.report.collect import Collector
from wirecat.views.report.story import RESET
from wirecat.views.report.summary import ending_name, endings, sentences, title_of, warnings
from wirecat.views.report.words import Words

EN, DE = Words("en", "UTC"), Words("de", "UTC")


def test_one_talk_in_two_sentences() -> None:
    assert sentences(one_talk(), EN) == [
        "On 22 November 2026 at 21:30:05, one client talked to 127.0.0.1:12345 for 201 ms.",
        "9 B went to the server and 35 B came back, in 4 pieces; the client closed first.",
    ]
    assert sentences(one_talk(), DE) == [
        "Am 22. November 2026 um 21:30:05 sprach ein Client 201 ms lang mit 127.0.0.1:12345.",
        "9 B gingen zum Server und 35 B kamen zurück, in 4 Stücken; der Client schloss zuerst.",
    ]


def test_many_connections() -> None:
    first, second = sentences(crowd(5000, broken_every=50), EN)
    assert "5,000 connections to 127.0.0.1:12345 began within 5.00 s" in first
    assert second.endswith("; 4,900 closed by the client and 100 broken off by a reset.")


def test_one_after_the_other() -> None:
    collector = Collector()
    for number in range(2):
        collector.open("c", "s", START + 2 * number * SECOND).close(START + (2 * number + 1) * SECOND, RESET, "")
    story = collector.story()
    assert sentences(story, EN)[0].endswith("2 connections to s began within 2.00 s, one after the other.")
    assert sentences(story, DE)[0].endswith("2 Verbindungen zu s, eine nach der anderen.")


def test_all_ended_alike() -> None:
    assert endings(crowd(3), EN) == "every connection was closed by its client"


def test_titles() -> None:
    assert title_of(one_talk(), EN) == "A talk with 127.0.0.1:12345"
    assert title_of(crowd(3), DE) == "3 Verbindungen zu 127.0.0.1:12345"
    assert title_of(nothing(), EN) == "A recording without connections"
    assert title_of(one_talk(title="My\x1b talk"), EN) == "My\\x1b talk"


def test_several_servers_are_counted() -> None:
    collector = Collector()
    for server in ("s:1", "s:2"):
        collector.open("c", server, START).close(START + 1, RESET, "")
    story = collector.story()
    assert title_of(story, EN) == "2 connections to 2 servers"
    assert {ending_name(talk) for talk in story.talks} == {"reset"}


def test_what_is_missing_is_told() -> None:
    collector = Collector()
    collector.open("c", "s", START).lost = 1500
    assert warnings(collector.story(notes=["torn"]), EN) == ["1.5 kB passed that the recording does not have.", "torn"]


def test_nothing() -> None:
    assert sentences(nothing(), EN) == ["Nothing was recorded: no connection is in it."]
