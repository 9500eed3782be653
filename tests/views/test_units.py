"""Sizes and times in words, at the edges between their units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.views.units import plural, size, span


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.0 kB"), (1049, "1.0 kB"), (1500, "1.5 kB"), (9949, "9.9 kB"),
        (9950, "10 kB"), (10_400, "10 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (20_000_000, "20 MB"),
        (1_500_000_000, "1.5 GB"), (7 * 10**12, "7.0 TB"), (5 * 10**15, "5000 TB"),
    ],
)  # fmt: skip
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"), (0.0004, "0 ms"), (0.003, "3 ms"), (0.9994, "999 ms"), (0.9995, "1.0 s"), (1.25, "1.2 s"), (59.94, "59.9 s"),
        (59.95, "1 min 0 s"), (125, "2 min 5 s"), (3599.4, "59 min 59 s"), (3599.6, "1 h 0 min"), (3600, "1 h 0 min"),
        (7 * 3600 + 59 * 60 + 59, "7 h 59 min"), (100 * 3600, "100 h 0 min"),
    ],
)  # fmt: skip
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 clients"), (1, "1 client"), (2, "2 clients")])
def test_plurals(count: int, text: str) -> None:
    assert plural(count, "client") == text


@given(some.integers(0, 10**15))
def test_a_size_is_near_the_truth(count: int) -> None:
    number, unit = size(count).split()
    value = float(number) * {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]
    assert abs(value - count) <= 0.051 * count
    assert len(number) <= 4


@given(some.floats(0, 1e6))
def test_a_span_never_shows_60_of_anything(seconds: float) -> None:
    words = span(seconds).split()
    assert "60" not in words[2:], words
