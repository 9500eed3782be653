"""The handshakes that are not complete: bounds, turns and times, by a clock of the test's."""

from __future__ import annotations

import pytest

from wirecat.server import handshakes as module
from wirecat.server.handshakes import CROWDED_TIME, MOST, MOST_UNKNOWN, Handshakes, default_limit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Client:
    """An entry that keeps what it was told."""

    def __init__(self, table: Handshakes) -> None:
        self.table = table
        self.resumed = 0
        self.over: float | str | None = None
        table.add(self)

    def resume(self) -> None:
        self.resumed += 1

    def expire(self, seconds: float) -> None:
        self.over = seconds
        self.table.remove(self)

    def drop(self, reason: str) -> None:
        self.over = reason


def made(limit: int = 10, most_active: int = 2) -> tuple[Handshakes, Clock]:
    clock = Clock()
    return Handshakes(10, limit, most_active=most_active, clock=clock), clock


def test_client_has_its_time_and_no_more() -> None:
    table, clock = made()
    assert table.wait is None
    first = Client(table)
    clock.now += 4
    second = Client(table)
    clock.now += 5.8
    assert table.wait is not None and round(table.wait, 3) == 0.2
    clock.now += 0.2
    table.expire()
    assert (first.over, second.over, table.count) == (10, None, 1)
    table.remove(first)
    clock.now += 4
    table.expire()
    assert second.over == 10 and table.wait is None


def test_those_that_compute_are_bounded_and_take_turns() -> None:
    table, _ = made()
    clients = [Client(table) for _ in range(4)]
    assert [table.activate(each) for each in clients] == [True, True, False, False]
    assert table.activate(clients[0]), "it goes on"
    table.remove(clients[1])
    assert [each.resumed for each in clients] == [0, 0, 1, 0]
    table.remove(clients[3])
    table.remove(clients[0])
    assert [each.resumed for each in clients] == [0, 0, 1, 0], "who has gone has no turn"


def test_those_that_compute_and_stall_make_way() -> None:
    table, clock = made()
    stalled = [Client(table) for _ in range(2)]
    for each in stalled:
        table.activate(each)
    clock.now += CROWDED_TIME
    table.expire()
    assert [each.over for each in stalled] == [None, None], "nobody waits for them"
    third = Client(table)
    table.activate(third)
    clock.now += CROWDED_TIME - 0.1
    table.expire()
    assert [each.over for each in stalled] == [None, None]
    clock.now += 0.1
    table.expire()
    assert [each.over for each in stalled] == [CROWDED_TIME, CROWDED_TIME] and third.resumed == 1


def test_nobody_makes_way_where_handshakes_end() -> None:
    table, clock = made()
    slow, quick = Client(table), Client(table)
    table.activate(slow)
    table.activate(quick)
    for _ in range(4):
        following = Client(table)
        table.activate(following)
        clock.now += CROWDED_TIME / 2
        table.remove(quick)
        table.expire()
        quick = following
    assert slow.over is None


def test_silent_clients_make_way_where_the_table_is_full() -> None:
    table, clock = made(limit=3)
    calls: list[int] = []
    table.on_space = lambda: calls.append(table.count)
    silent = [Client(table) for _ in range(2)]
    active = Client(table)
    table.activate(active)
    assert table.is_full
    clock.now += CROWDED_TIME
    table.expire()
    assert [each.over for each in silent] == [CROWDED_TIME, CROWDED_TIME] and active.over is None
    assert calls == [2] and not table.is_full


def test_all_are_dropped() -> None:
    table, _ = made()
    clients = [Client(table) for _ in range(4)]
    for each in clients:
        table.activate(each)
    table.drop_all("shutdown")
    assert [each.over for each in clients] == ["shutdown"] * 4
    assert not any(each.resumed for each in clients) and table.count == 0


def test_limit_by_default_is_a_part_of_the_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for descriptors, limit in ((1024, 256), (1 << 20, MOST), (2, 1), (None, MOST_UNKNOWN)):
        monkeypatch.setattr(module, "descriptor_limit", lambda descriptors=descriptors: descriptors)
        assert default_limit() == limit
