"""One point in time for many steps."""

from __future__ import annotations

import pytest

from wirecat import deadline as module
from wirecat.deadline import Deadline


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until it is moved."""
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_what_is_left_shrinks_to_nothing(clock: list[float]) -> None:
    deadline = Deadline(10)
    assert deadline.seconds == 10
    assert deadline.remaining() == 10
    clock[0] += 4
    assert deadline.remaining() == 6
    assert deadline.within(5) == 5
    assert deadline.within(50) == 6
    assert not deadline.expired
    clock[0] += 6
    assert deadline.expired
    clock[0] += 60
    assert deadline.remaining() == 0
    assert deadline.within(5) == 0
    assert deadline.expired


def test_none_never_expires(clock: list[float]) -> None:
    deadline = Deadline(None)
    clock[0] += 1e9
    assert deadline.remaining() is None
    assert deadline.within(5) == 5
    assert not deadline.expired


def test_none_left_at_all(clock: list[float]) -> None:
    assert Deadline(0).expired
    assert Deadline(-1).expired
    assert Deadline(-1).remaining() == 0


def test_it_shows_its_seconds() -> None:
    assert repr(Deadline(2.5)) == "Deadline(2.5)"
