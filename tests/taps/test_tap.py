"""What a tap is."""

from __future__ import annotations

import pytest

from wirecat.taps.tap import RECEIVED, SENT, Tap


def test_a_tap_looks_unless_it_says_otherwise() -> None:
    tap = Tap()
    assert not tap.alters
    assert tap.finish(1, SENT) == b""
    with pytest.raises(NotImplementedError):
        tap.chunk(1, RECEIVED, b"x", 0.0)
