"""The exact timer: it goes off after its time, once, and can be set anew."""

from __future__ import annotations

import os
import select
import sys
from time import monotonic

import pytest

from wirecat.system.exact_timer import ExactTimer, exact_timer

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="timerfd_create(2) is Linux's")


@pytest.fixture(params=["own", "C library"])
def timer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param == "own" and not hasattr(os, "timerfd_create"):
        pytest.skip("this Python has none of its own")
    if request.param != "own":
        monkeypatch.delattr(os, "timerfd_create", raising=False)
    made = ExactTimer()
    yield made
    made.close()


@linux_only
def test_it_goes_off_once_and_not_early(timer: ExactTimer) -> None:
    begun = monotonic()
    timer.set(0.02)
    assert not timer.take()
    ready, _, _ = select.select([timer], [], [], 10)
    assert ready and monotonic() - begun >= 0.02
    assert timer.take() and not timer.take()


@linux_only
def test_it_can_be_set_anew(timer: ExactTimer) -> None:
    timer.set(100)
    timer.set(0)
    assert select.select([timer], [], [], 10)[0]


@linux_only
def test_there_is_one_on_linux() -> None:
    made = exact_timer()
    assert made is not None
    made.close()


def test_without_one_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert exact_timer() is None
