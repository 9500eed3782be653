"""The time line: a bar for each connection, and bars for bands of them where they are many."""

from __future__ import annotations

import re

from views.report.stories import START, crowd, one_talk, text_of, texts_of
from wirecat.views.report.collect import Collector
from wirecat.views.report.picture_timeline import EACH, timeline_picture
from wirecat.views.report.words import Words

WORDS = Words()


def test_few_have_a_bar_each_with_their_address() -> None:
    svg = timeline_picture(crowd(EACH), WORDS).svg()
    texts = texts_of(svg)
    assert "127.0.0.1:20000" in texts
    assert f"127.0.0.1:{20000 + EACH - 1}" in texts
    assert "One bar is one connection, from its opening to its end." in texts
    assert svg.count("<rect") >= EACH


def test_many_are_put_together_and_it_says_so() -> None:
    svg = timeline_picture(crowd(5000), WORDS).svg()
    assert "5,000 connections in the order of their opening, 100 in a row" in text_of(svg)
    bands = re.search(r'<path d="([^"]*)" class="pale"/><path d="[^"]*" class="ask"/>', svg)
    assert bands is not None
    assert bands[1].count("M") == 50
    assert len(svg) < 40_000


def test_one_alone_needs_no_count_of_those_that_were_open() -> None:
    assert "open at the same time" not in text_of(timeline_picture(one_talk(), WORDS).svg())
    assert "open at the same time" in text_of(timeline_picture(crowd(2), WORDS).svg())


def test_all_at_the_same_moment() -> None:
    collector = Collector()
    for _ in range(60):
        collector.open("a", "s", START)
    assert "60 connections" in text_of(timeline_picture(collector.story(), WORDS).svg())


def test_those_that_were_broken_off_are_marked() -> None:
    with_resets = timeline_picture(crowd(100, broken_every=9), WORDS).svg()
    without = timeline_picture(crowd(100), WORDS).svg()
    assert with_resets.count('class="broken"') > without.count('class="broken"')
