"""The pacer: everybody's turns, in order, none before its time, with and without an exact timer."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

import pytest

from wirecat.swarm import pacer as pacer_module
from wirecat.swarm.pacer import Pacer
from wirecat.swarm.schedule import Schedule


class Taker:
    def __init__(self, number: int, turns: list[tuple[int, int]]) -> None:
        self.number = number
        self._turns = turns

    def turn(self, now: int) -> None:
        self._turns.append((self.number, now))


def take_turns(schedule: Schedule, clients: int) -> list[tuple[int, int]]:
    turns: list[tuple[int, int]] = []

    async def run() -> None:
        schedule.start = perf_counter_ns()
        pacer = Pacer(schedule, [Taker(number, turns) for number in range(1, clients + 1)])
        pacer.start()
        while len(turns) < schedule.total:
            await asyncio.sleep(0.001)
        pacer.stop()
        pacer.stop()

    asyncio.run(asyncio.wait_for(run(), 20))
    return turns


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("rate", [200, 100_000])
def test_each_turn_in_its_time(exact: bool, rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exact:
        monkeypatch.setattr(pacer_module, "exact_timer", lambda: None)
    schedule = Schedule(clients=3, rate=rate, messages=None, duration=20 / rate)
    turns = take_turns(schedule, 3)
    assert [number for number, _ in turns] == [k % 3 + 1 for k in range(20)]
    for k, (number, now) in enumerate(turns):
        assert now >= schedule.due(number, k // 3 + 1)


def test_very_many_that_are_due_leave_the_event_loop_its_turns() -> None:
    schedule = Schedule(clients=1, rate=1e9, messages=5000, duration=None)
    assert len(take_turns(schedule, 1)) == 5000
