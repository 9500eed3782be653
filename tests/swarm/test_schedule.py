"""The times of an open loop: evenly spaced, the clients in turn, none lost and none twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirecat.swarm.schedule import Schedule

SCHEDULES = st.builds(
    Schedule,
    clients=st.integers(1, 20),
    rate=st.floats(0.1, 1e6),
    messages=st.one_of(st.none(), st.integers(1, 20)),
    duration=st.floats(0.0001, 0.01),
)


def test_the_clients_take_turns() -> None:
    schedule = Schedule(clients=3, rate=10, messages=2, duration=None)
    schedule.start = 1_000
    times = [(schedule.due(client, message) - 1_000) // 1_000_000 for message in (1, 2) for client in (1, 2, 3)]
    assert times == [0, 100, 200, 300, 400, 500]


@pytest.mark.parametrize(
    ("rate", "duration", "total"), [(100, 1.0, 100), (30, 0.1, 3), (3, 0.1, 1), (0.5, 1, 1), (10, 0.25, 3)]
)
def test_how_many_a_duration_holds(rate: float, duration: float, total: int) -> None:
    schedule = Schedule(clients=7, rate=rate, messages=None, duration=duration)
    assert schedule.total == total
    assert sum(schedule.count_of(client) for client in range(1, 8)) == total
    assert schedule.count_of(1) - schedule.count_of(7) in (0, 1)


@given(SCHEDULES, st.integers(1, 20), st.integers(0, 10**10))
def test_what_is_due_by_a_moment(schedule: Schedule, client: int, moment: int) -> None:
    client = min(client, schedule._clients)
    count = schedule.count_until(client, moment)
    total = schedule.count_of(client)
    assert 0 <= count <= total
    # One nanosecond of rounding either way.
    if count:
        assert schedule.due(client, count) <= moment + 1
    if count < total:
        assert schedule.due(client, count + 1) >= moment - 1
