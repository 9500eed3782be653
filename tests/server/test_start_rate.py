"""How many programs a second are started, by a clock of the test's."""

from __future__ import annotations

from wirecat.server.start_rate import StartRate


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    time = Time()
    rate = StartRate(10, 5, clock=time, wait=time.wait)
    times = []
    for _ in range(8):
        assert rate.pass_through(lambda: True)
        times.append(round(time.now, 1))
    assert times == [0, 0, 0, 0, 0, 0.1, 0.2, 0.3]
    time.now += 60
    assert [rate.pass_through(lambda: True) for _ in range(5)] == [True] * 5
    assert round(time.now, 1) == 60.3


def test_what_is_not_wanted_any_more_uses_no_turn() -> None:
    time = Time()
    rate = StartRate(1, 1, clock=time, wait=time.wait)
    assert rate.pass_through(lambda: True)
    assert not any(rate.pass_through(lambda: False) for _ in range(1000))
    assert time.now == 0
    wanted = iter([True, False])
    assert not rate.pass_through(lambda: next(wanted)), "it has gone while it waited"
    assert rate.pass_through(lambda: True) and 1 <= time.now < 1.1
