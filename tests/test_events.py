"""Events and the queue that brings them to listeners: in order, never waiting, nothing lost in silence."""

from __future__ import annotations

import pickle
import threading
import time
from typing import Any

import pytest

from wirecat.address import Address
from wirecat.events import (
    Closed,
    Event,
    Failed,
    Missed,
    Opened,
    Publisher,
    Stopped,
    Stopping,
    closed_now,
    opened_now,
)

PATIENCE = 15.0


class Number(Event):
    """An event with a number."""

    __slots__ = ("number",)
    name = "number"
    number: int


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[threading.ExceptHookArgs]:
    """What ended up with ``threading.excepthook``."""
    found: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", found.append)
    return found


def numbers(events: list[Any]) -> list[int]:
    return [event.number for event in events if isinstance(event, Number)]


def test_an_event_knows_when() -> None:
    before, clock_before = time.time(), time.monotonic()
    event = Number(number=5)
    assert before <= event.time <= time.time()
    assert clock_before <= event.monotonic <= time.monotonic()
    assert Number(number=5, time=1.5).time == 1.5


def test_an_event_is_a_value() -> None:
    event = Stopped(served=3, stuck=0, time=1.0, monotonic=2.0)
    assert event == Stopped(served=3, stuck=0, time=1.0, monotonic=2.0) != event.replace(stuck=1)
    assert event.fields() == {"monotonic": 2.0, "time": 1.0, "served": 3, "stuck": 0}
    assert pickle.loads(pickle.dumps(event)) == event
    with pytest.raises(AttributeError):
        event.served = 4


def test_those_made_in_a_hurry_are_as_those_made_with_names() -> None:
    peer, local = Address("tcp", "192.0.2.1", 5), Address("tcp", "192.0.2.2", 6)
    opened = opened_now(7, peer, local, 3)
    assert opened == Opened(
        connection=7, peer=peer, local=local, open_count=3, time=opened.time, monotonic=opened.monotonic
    )
    assert abs(opened.time - time.time()) < 5
    assert abs(opened.monotonic - time.monotonic()) < 5
    closed = closed_now(7, peer, "peer", "end", opened.monotonic - 60, 11, 12, 2)
    assert closed == Closed(
        connection=7, peer=peer, by="peer", reason="end", seconds=closed.seconds, received=11, sent=12, open_count=2,
        time=closed.time, monotonic=closed.monotonic,
    )  # fmt: skip
    assert 60 <= closed.seconds < 65
    assert abs(closed.time - time.time()) < 5


def test_names_are_those_that_scripts_rely_on() -> None:
    kinds = (Opened, Closed, Failed, Stopping, Stopped, Missed)
    assert [kind.name for kind in kinds] == ["opened", "closed", "failed", "stopping", "stopped", "missed"]


def test_every_listener_gets_every_event_in_order() -> None:
    publisher = Publisher()
    first: list[Event] = []
    second: list[Event] = []
    publisher.subscribe(first.append)
    publisher.subscribe(second.append)
    threads = [
        threading.Thread(target=lambda: [publisher.publish(Number(number=each)) for each in range(1000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert publisher.close(PATIENCE)
    assert first == second
    assert sorted(numbers(first)) == sorted([*range(1000)] * 4)
    one = Publisher()
    one.subscribe(first.append)
    first.clear()
    for each in range(1000):
        one.publish(Number(number=each))
    assert one.close(PATIENCE)
    assert numbers(first) == list(range(1000))


def test_without_listeners_nothing_is_kept_and_no_thread_runs() -> None:
    before = threading.active_count()
    publisher = Publisher()
    assert not publisher.wanted
    publisher.publish(Number(number=1))
    assert threading.active_count() == before
    assert publisher.close()
    found: list[Event] = []
    publisher.subscribe(found.append)
    assert publisher.close()
    assert found == []


def test_what_comes_together_is_handed_on_together() -> None:
    class Batches:
        def __init__(self) -> None:
            self.found: list[list[int]] = []
            self.first, self.all = threading.Event(), threading.Event()

        def __call__(self, event: Event) -> None:
            raise AssertionError("it takes lists")

        def batch(self, events: list[Event]) -> None:
            self.found.append(numbers(events))
            self.first.set()
            if sum(map(len, self.found)) == 101:
                self.all.set()

    listener, publisher = Batches(), Publisher()
    publisher.subscribe(listener)
    publisher.publish(Number(number=0))
    assert listener.first.wait(10)
    for number in range(1, 101):
        publisher.publish(Number(number=number))
    assert listener.all.wait(10)
    assert [number for batch in listener.found for number in batch] == list(range(101))
    assert len(listener.found) < 50
    assert publisher.close()


def test_what_nobody_wants_need_not_be_made() -> None:
    class Deaf(list[Event]):
        def __init__(self, *kinds: type[Event]) -> None:
            self.ignores = kinds

        __call__ = list.append

    publisher = Publisher()
    assert not publisher.wants(Number)
    leave = publisher.subscribe(Deaf(Number, Stopped))
    assert not publisher.wants(Number) and not publisher.wants(Stopped) and publisher.wants(Opened)
    leave_as_well = publisher.subscribe(Deaf(Stopped))
    assert publisher.wants(Number) and not publisher.wants(Stopped)
    leave_as_well()
    assert not publisher.wants(Number)
    publisher.subscribe([].append)
    assert publisher.wants(Stopped)
    leave()
    assert publisher.close()


def test_a_listener_may_leave() -> None:
    publisher = Publisher()
    found: list[Event] = []
    arrived = threading.Event()
    leave = publisher.subscribe(found.append)
    publisher.subscribe(lambda event: arrived.set())
    publisher.publish(Number(number=1))
    assert arrived.wait(PATIENCE)
    leave()
    leave()
    publisher.publish(Number(number=2))
    assert publisher.close(PATIENCE)
    assert numbers(found) == [1]


def test_a_listener_that_is_there_twice_leaves_once() -> None:
    publisher = Publisher()
    found: list[Event] = []
    listener = found.append
    leave = publisher.subscribe(listener)
    publisher.subscribe(listener)
    leave()
    publisher.publish(Number(number=1))
    assert publisher.close(PATIENCE)
    assert numbers(found) == [1]


def test_a_slow_listener_makes_nobody_wait_and_is_told_what_it_missed() -> None:
    publisher = Publisher(limit=10)
    found: list[Any] = []
    entered, go = threading.Event(), threading.Event()

    def slow(event: Event) -> None:
        found.append(event)
        entered.set()
        assert go.wait(PATIENCE)

    publisher.subscribe(slow)
    publisher.publish(Number(number=0))
    assert entered.wait(PATIENCE)
    started = time.monotonic()
    for each in range(1, 31):
        publisher.publish(Number(number=each))
    assert time.monotonic() - started < 1
    go.set()
    assert publisher.close(PATIENCE)
    assert numbers(found) == list(range(11)), "those that fitted, in order"
    assert isinstance(found[-1], Missed) and found[-1].count == 20


def test_what_was_missed_is_told_even_if_nothing_follows() -> None:
    publisher = Publisher(limit=1)
    found: list[Any] = []
    entered, go, told = threading.Event(), threading.Event(), threading.Event()

    def slow(event: Event) -> None:
        found.append(event)
        entered.set()
        if isinstance(event, Missed):
            told.set()
        assert go.wait(PATIENCE)

    publisher.subscribe(slow)
    publisher.publish(Number(number=0))
    assert entered.wait(PATIENCE)
    for each in range(1, 4):
        publisher.publish(Number(number=each))
    go.set()
    assert told.wait(PATIENCE)
    assert publisher.close(PATIENCE)
    assert found[-1].count == 2


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_listener_that_raises_is_dropped_and_told_and_the_others_go_on(
    error: type[BaseException], told: list[threading.ExceptHookArgs]
) -> None:
    publisher = Publisher()
    found: list[Event] = []
    seen: list[Event] = []

    def broken(event: Event) -> None:
        seen.append(event)
        raise error("on purpose")

    publisher.subscribe(broken)
    publisher.subscribe(found.append)
    for each in range(3):
        publisher.publish(Number(number=each))
    assert publisher.close(PATIENCE)
    assert numbers(found) == [0, 1, 2]
    assert numbers(seen) == [0]
    assert len(told) == 1
    assert told[0].exc_type is not SystemExit, "of which the hook would say nothing"
    assert told[0].exc_traceback is not None
    assert told[0].thread is not None and told[0].thread.name == "wirecat-events"


def test_what_is_told_of_a_broken_listener_reaches_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    publisher = Publisher()
    original = threading.__excepthook__
    changed, threading.excepthook = threading.excepthook, original
    try:
        publisher.subscribe(lambda event: 1 / 0)
        publisher.publish(Number(number=1))
        assert publisher.close(PATIENCE)
    finally:
        threading.excepthook = changed
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_end_is_bounded_though_a_listener_hangs() -> None:
    publisher = Publisher()
    go, entered = threading.Event(), threading.Event()

    def hangs(event: Event) -> None:
        entered.set()
        go.wait(PATIENCE)

    publisher.subscribe(hangs)
    publisher.publish(Number(number=1))
    assert entered.wait(PATIENCE)
    assert publisher.close(0.05) is False
    go.set()
    assert publisher.close(PATIENCE) is True


def test_a_listener_may_end_the_publisher() -> None:
    publisher = Publisher()
    answers: list[bool] = []
    publisher.subscribe(lambda event: answers.append(publisher.close()))
    publisher.publish(Number(number=1))
    assert publisher.close(PATIENCE)
    assert answers == [False]
