"""Threads that take turns: policy and processor are theirs alone, and where there is nothing to do nothing is done."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from wirecat.system import scheduling
from wirecat.system.scheduling import gather, scatter, wait_for_turns

if sys.platform != "linux":
    pytest.skip("Linux' own", allow_module_level=True)


def in_a_thread(work: Callable[[], Any]) -> Any:
    """What ``work`` gives in a thread of its own: this one's policy and processors stay as they are."""
    given: list[Any] = []
    thread = threading.Thread(target=lambda: given.append(work()))
    thread.start()
    thread.join(10)
    return given[0]


def test_a_thread_that_waits_for_its_turn_and_those_that_it_starts() -> None:
    def work() -> tuple[int, int]:
        wait_for_turns()
        return os.sched_getscheduler(0), in_a_thread(lambda: os.sched_getscheduler(0))

    before = os.sched_getscheduler(0)
    assert in_a_thread(work) == (os.SCHED_BATCH, os.SCHED_BATCH)
    assert os.sched_getscheduler(0) == before


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor only")
def test_threads_are_gathered_and_scattered() -> None:
    def work() -> tuple[set[int] | None, set[int], set[int], set[int]]:
        allowed = gather()
        gathered = os.sched_getaffinity(0)
        inherited = in_a_thread(lambda: os.sched_getaffinity(0))
        assert allowed is not None
        scatter(allowed)
        return allowed, gathered, inherited, os.sched_getaffinity(0)

    before = os.sched_getaffinity(0)
    allowed, gathered, inherited, scattered = in_a_thread(work)
    assert allowed == before == scattered == os.sched_getaffinity(0)
    assert len(gathered) == 1 and gathered < before and inherited == gathered


def test_processes_that_take_turns_have_other_processors() -> None:
    def work(turn: int) -> set[int]:
        gather(turn)
        return os.sched_getaffinity(0)

    allowed = sorted(os.sched_getaffinity(0))
    for turn in range(len(allowed) + 1):
        assert in_a_thread(lambda turn=turn: work(turn)) == {allowed[turn % len(allowed)]}


def test_nothing_is_done_where_threads_run_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)

    def work() -> tuple[set[int] | None, int]:
        wait_for_turns()
        return gather(), os.sched_getscheduler(0)

    assert in_a_thread(work) == (None, os.sched_getscheduler(0))


def test_a_sandbox_that_refuses_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(scheduling.os, "sched_setscheduler", refuse)
    monkeypatch.setattr(scheduling.os, "sched_setaffinity", refuse)
    wait_for_turns()
    assert gather() is None
    scatter({0})
