"""The two languages say the same things; numbers, sizes and times as each writes them."""

from __future__ import annotations

from string import Formatter

import pytest

from views.report.stories import START
from wirecat.views.report.words import LANGUAGES, Words
from wirecat.views.report.words_de import DE
from wirecat.views.report.words_en import EN


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_have_the_same_names() -> None:
    assert set(EN) == set(DE)
    assert LANGUAGES == {"en": EN, "de": DE}


@pytest.mark.parametrize("name", sorted(EN))
def test_both_fill_in_the_same(name: str) -> None:
    assert fields(EN[name]) == fields(DE[name])


def test_numbers() -> None:
    assert Words("en").number(1234.5, 1) == "1,234.5"
    assert Words("de").number(1234.5, 1) == "1.234,5"


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0 ns"), (250, "250 ns"), (1500, "1.50 µs"), (42_000_000, "42.0 ms"), (999_999_999, "1.00 s"),
     (125_000_000_000, "2 min 5 s"), (7_300_000_000_000, "2 h 1 min")],
)  # fmt: skip
def test_spans(nanoseconds: int, text: str) -> None:
    assert Words().span(nanoseconds) == text


def test_marks_of_an_axis_have_no_needless_noughts() -> None:
    assert Words("de").tick(1_500_000_000) == "1,5 s"
    assert Words("en").tick(200_000_000) == "200 ms"
    assert Words("en").tick(2_000_000_000) == "2 s"


def test_sizes() -> None:
    assert [Words("de").size(count) for count in (0, 999, 1500, 20_000_000)] == ["0 B", "999 B", "1,5 kB", "20 MB"]


def test_times() -> None:
    words = Words("de", "UTC")
    assert words.stamp(START) == "22. November 2026, 21:30:05 UTC"
    assert words.exact_clock(START) == "21:30:05,123456"
    assert words.offset(250_000) == "0,000250 s"
    assert Words("en", "UTC").date(START) == "22 November 2026"


@pytest.mark.parametrize("nanoseconds", [(1 << 63) - 1, 1 << 90, -(1 << 90)])
def test_a_recording_may_claim_any_time(nanoseconds: int) -> None:
    assert Words("en").stamp(nanoseconds)
    assert Words("en", "UTC").stamp(nanoseconds)


def test_one_is_singular() -> None:
    assert Words().count("pieces", 1) == "one piece"
    assert Words().count("pieces", 2000) == "2,000 pieces"
