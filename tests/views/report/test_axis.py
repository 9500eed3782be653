"""Axes: round steps, and marks that stay inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from views.report.stories import outside, texts_of
from wirecat.views.report.axis import round_step, round_top, time_axis
from wirecat.views.report.sheet import Sheet
from wirecat.views.report.words import Words


@pytest.mark.parametrize(("whole", "marks", "step"), [(97, 5, 20), (100, 5, 20), (1, 4, 0.5), (0, 5, 1), (7e9, 3, 5e9)])
def test_steps_are_round(whole: float, marks: int, step: float) -> None:
    assert round_step(whole, marks) == pytest.approx(step)


@given(st.floats(1e-3, 1e15), st.integers(1, 10))
def test_there_are_never_more_marks_than_asked_for(whole: float, marks: int) -> None:
    assert whole / round_step(whole, marks) <= marks * 1.001
    assert round_top(whole, marks) >= whole * 0.999999


@pytest.mark.parametrize("whole", [1, 388_000_000, 475_000_000, 1_000_000_000, 86_400_000_000_000])
@pytest.mark.parametrize("width", [360, 920])
def test_a_time_axis_has_marks(whole: int, width: int) -> None:
    sheet = Sheet(width, "x")
    sheet.height = 60
    time_axis(sheet, 34, width - 10, 5, 40, whole, Words().tick)
    texts = texts_of(sheet.svg())
    assert texts[0] == "0"
    assert len(texts) >= 2
    assert outside(sheet.svg()) == []
