"""Bytes over time: both directions on one scale, with bars that can be seen."""

from __future__ import annotations

import re

from views.report.stories import START, crowd, nothing, one_talk, text_of
from wirecat.views.report.collect import Collector
from wirecat.views.report.picture_bytes import bytes_picture
from wirecat.views.report.words import Words

WORDS = Words()


def bars(svg: str, kind: str) -> list[tuple[float, float]]:
    """Width and height of each bar of a kind."""
    found = re.search(rf'<path d="([^"]*)" class="{kind}"/>', svg)
    assert found is not None
    return [(float(wide), float(tall)) for wide, tall in re.findall(r"h([\d.]+)v([\d.]+)h", found[1])]


def test_both_directions() -> None:
    svg = bytes_picture(one_talk([b"x" * 50]), WORDS).svg()
    (_, asked), (_, answered) = bars(svg, "ask")[0], bars(svg, "reply")[0]
    assert (asked, answered) == (75.0, 56.7)  # of 60 and of 100 bytes: each direction has its own scale
    assert "Bytes in each" in text_of(svg)


def test_bars_are_never_too_thin_to_be_seen() -> None:
    svg = bytes_picture(crowd(2000), WORDS, 360).svg()
    assert all(wide >= 2.8 for wide, _ in bars(svg, "ask"))
    assert all(tall <= 90 for _, tall in bars(svg, "ask"))


def test_one_direction_only() -> None:
    collector = Collector()
    collector.turn(collector.open("a", "s", START), START, True, b"x")
    svg = bytes_picture(collector.story(), WORDS).svg()
    assert bars(svg, "ask")
    assert 'd="" ' not in svg


def test_nothing() -> None:
    assert "No bytes were sent." in text_of(bytes_picture(nothing(), WORDS).svg())
