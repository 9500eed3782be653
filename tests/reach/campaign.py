"""Which of the lab's variants are tried each time, and which by ``make lab`` only: all of them take minutes."""

from __future__ import annotations

import os

import pytest

#: For a test of a variant that another, which runs each time, is much like.
LONG = pytest.mark.skipif(os.environ.get("WIRECAT_LAB") != "1", reason="one of the lab's many variants: make lab")


def some_of(each_time: list[tuple[object, ...]], long: list[tuple[object, ...]]) -> list[object]:
    """The parameters of a test: those of each time, and those for the campaign."""
    return [*(pytest.param(*values) for values in each_time), *(pytest.param(*values, marks=LONG) for values in long)]
