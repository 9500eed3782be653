"""Ctrl-C while a crowd runs: presses before, in and after the run, and threads that it is no matter of."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

import pytest

from wirecat.swarm.interrupts import run_interruptibly

if os.name != "posix":
    pytest.skip("a test can't press Ctrl-C there", allow_module_level=True)


class Work:
    """A crowd that presses Ctrl-C itself: ``presses`` times."""

    def __init__(self, presses: int) -> None:
        self.presses = presses
        self.cancelled = 0
        self.was_cut = asyncio.Event()

    async def run(self, first: Any) -> Any:
        try:
            self._press()
            await asyncio.sleep(60 if self.presses >= 0 else 0)
        except asyncio.CancelledError:
            self.cancelled += 1
            if self.presses:
                self._press()
                await asyncio.wait_for(self.was_cut.wait(), 20)
        return "outcome"

    def _press(self) -> None:
        if self.presses > 0:
            self.presses -= 1
            os.kill(os.getpid(), signal.SIGINT)

    def cut(self) -> None:
        self.was_cut.set()


def test_none(loop_name: str) -> None:
    assert run_interruptibly(Work(-1), None) == "outcome"


def test_one_gives_what_there_is(loop_name: str) -> None:
    work = Work(1)
    assert run_interruptibly(work, None) == "outcome"
    assert work.cancelled == 1


def test_two_cut_and_raise_when_it_has_ended(loop_name: str) -> None:
    work = Work(2)
    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(work, None)
    assert work.cancelled == 1 and work.was_cut.is_set()


def test_the_handler_is_what_it_was(loop_name: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    run_interruptibly(Work(1), None)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_of_the_programs_own_is_left_alone(loop_name: str) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:

        class Patient(Work):
            async def run(self, first: Any) -> Any:
                self._press()
                while not seen:
                    await asyncio.sleep(0.001)
                return "outcome"

        assert run_interruptibly(Patient(1), None) == "outcome"
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]


def test_in_another_thread_it_is_no_matter_of_ours(loop_name: str) -> None:
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(run_interruptibly(Work(-1), None)))
    thread.start()
    thread.join(20)
    assert outcomes == ["outcome"]
