"""Tests of the times on the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.cli.ncat.times import milliseconds, read_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("500ms", 0.5),
        ("2s", 2.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("0.0001ms", 0.001),
        ("1e2", 100.0),
        ("-1", -1.0),
        ("", None),
        ("ms", None),
        ("x", None),
        ("5x", None),
        ("1 s", None),
        ("1_0", None),
        ("nan", None),
        ("infinity", None),
        ("1d", None),
        ("١", None),
    ],
)
def test_times(text: str, seconds: float | None) -> None:
    assert read_time(text) == seconds


@given(some.text(max_size=8))
def test_nothing_crashes(text: str) -> None:
    read_time(text)


def test_milliseconds() -> None:
    assert [milliseconds(each) for each in (0.3, 1.5, 2.0)] == [300, 1500, 2000]
