"""Taps by their names, as processes of their own make them."""

from __future__ import annotations

import json

import pytest

from wirecat.taps.named import NamedTap, make_named


def test_what_a_process_is_told_makes_the_tap() -> None:
    task = json.loads(json.dumps(NamedTap("wirecat.taps.delay:DelayTap", seconds=0.5).task(3, 2)))
    assert task["settings"] == {"seconds": 0.5, "worker": 3, "life": 2}
    del task["settings"]["worker"], task["settings"]["life"]
    assert make_named(task).alters


def test_what_cannot_be_made() -> None:
    with pytest.raises(ImportError):
        make_named(NamedTap("wirecat.taps.missing:x").task(1))
