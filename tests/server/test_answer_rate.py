"""The bound on answers towards one host."""

from __future__ import annotations

from wirecat.server import answer_rate
from wirecat.server.answer_rate import AnswerRate, OnceASecond


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_so_many_at_once_then_so_many_a_second() -> None:
    clock = Clock()
    rate = AnswerRate(10, clock)
    assert [rate.allows("a") for _ in range(12)] == [True] * 10 + [False] * 2
    clock.now += 0.5
    assert [rate.allows("a") for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now += 100
    assert [rate.allows("a") for _ in range(11)] == [True] * 10 + [False]


def test_hosts_do_not_count_for_each_other() -> None:
    rate = AnswerRate(1, Clock())
    assert rate.allows("a") and rate.allows("b") and not rate.allows("a")


def test_its_memory_is_bounded(monkeypatch: object) -> None:
    clock = Clock()
    rate = AnswerRate(1, clock)
    most = answer_rate._MOST_HOSTS
    for number in range(most):
        assert rate.allows(str(number))
    assert not rate.allows("one too many"), "so many hosts in a second are forged ones"
    clock.now += 1
    assert rate.allows("one too many")
    assert len(rate._left) == 1


def test_once_a_second() -> None:
    clock = Clock()
    told = OnceASecond(clock)
    assert told.now("a") and told.now("b") and not told.now("a")
    clock.now += 0.9
    assert not told.now("a")
    clock.now += 0.2
    assert told.now("a") and not told.now("a")
    for number in range(answer_rate._MOST_HOSTS * 2):
        told.now(str(number))
    assert len(told._said) <= answer_rate._MOST_HOSTS
