"""Tests of the tap that makes chunks wait."""

from __future__ import annotations

import threading
from time import monotonic

import pytest

from wirecat.errors import UsageError
from wirecat.taps.delay import DelayTap
from wirecat.taps.tap import RECEIVED, SENT


@pytest.mark.parametrize("direction", [SENT, RECEIVED])
def test_a_chunk_waits(direction: str) -> None:
    started = monotonic()
    assert DelayTap(0.1).chunk(1, direction, b"x", started) == b"x"
    assert monotonic() - started >= 0.1


def test_all_waiting_can_be_ended() -> None:
    tap = DelayTap(60)
    thread = threading.Thread(target=tap.chunk, args=(1, SENT, b"x", 0.0))
    thread.start()
    tap.release()
    thread.join(10)
    assert not thread.is_alive()
    assert tap.chunk(1, SENT, b"y", 0.0) == b"y"


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_what_is_no_delay(seconds: float) -> None:
    with pytest.raises(UsageError):
        DelayTap(seconds)
