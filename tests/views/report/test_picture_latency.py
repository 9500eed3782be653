"""The distribution of round trips: percentiles by nearest rank, every trip in a bar, extremes on the axis."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from views.report.stories import crowd, nothing, outside, text_of
from wirecat.views.report.picture_latency import latency_picture, percentile
from wirecat.views.report.story import Story
from wirecat.views.report.words import Words

WORDS = Words()


@pytest.mark.parametrize(("part", "value"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_percentiles(part: float, value: int) -> None:
    assert percentile(range(1, 101), part) == value


def test_the_figures_stand_in_it() -> None:
    text = text_of(latency_picture(crowd(900, texts=1), WORDS).svg())
    assert "half within 549 µs" in text
    assert "99 % within 990 µs" in text
    assert "the slowest 999 µs" in text
    assert "900 round trips" in text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 1 << 60), min_size=1, max_size=30), st.sampled_from([360, 920]))
def test_any_times_can_be_drawn(trips: list[int], width: int) -> None:
    story = Story(0, 1, trips=array("q", sorted(trips)))
    svg = latency_picture(story, WORDS, width).svg()
    assert outside(svg) == []
    assert 'class="ask"' in svg


def test_nothing() -> None:
    assert "No reply could be told apart" in text_of(latency_picture(nothing(), WORDS).svg())
