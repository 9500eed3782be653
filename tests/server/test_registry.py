"""The table of live connections: numbers, limit, events, and what a snapshot says."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from server.clients import PATIENCE, Recorder
from wirecat.address import Address
from wirecat.connection import ConnectionState
from wirecat.events import Closed, Denied, Failed, HalfClosed, Opened, Publisher
from wirecat.server.registry import Registry
from wirecat.taps.tap import Tap


class Live(ConnectionState):
    """A connection that is no more than what it knows."""

    @property
    def peer(self) -> Address:
        return Address("tcp", "192.0.2.1", 4000 + self.id)

    @property
    def local(self) -> Address:
        return Address("tcp", "192.0.2.9", 80)


class Table:
    """A registry with a record of what it publishes."""

    def __init__(self, limit: int = 10) -> None:
        self.publisher = Publisher()
        self.events = Recorder()
        self.publisher.subscribe(self.events)
        self.registry = Registry(self.publisher, limit)

    def add(self, *, expected: bool = False) -> Live:
        connection = Live(self.registry.next_id())
        self.registry.add(connection, f"thread {connection.id}", expected=expected)
        return connection


def test_from_admission_to_the_end() -> None:
    table = Table()
    first, second = table.add(), table.add()
    registry = table.registry
    assert (first.id, second.id) == (1, 2)
    assert (len(registry), registry.count, registry.served) == (2, 2, 2)
    assert registry.find(1) is first and registry.find(3) is None
    assert registry.connections() == [first, second]
    first.bytes_received, first.bytes_sent = 5, 7
    registry.half_closed(first)
    registry.remove(first, "peer", "end")
    registry.remove(first, "peer", "end")
    assert table.publisher.close(PATIENCE)
    assert registry.find(1) is None and len(registry) == 1 and registry.served == 2
    opened = table.events.of(Opened)
    assert [each.open_count for each in opened] == [1, 2]
    assert opened[0].peer == first.peer and opened[0].local == first.local
    (closed,) = table.events.of(Closed)
    assert (closed.by, closed.reason, closed.received, closed.sent, closed.open_count) == ("peer", "end", 5, 7, 1)
    assert 0 <= closed.seconds < PATIENCE
    assert table.events.names(1) == ["opened", "half_closed", "closed"]


def test_the_limit_counts_those_on_their_way_too() -> None:
    registry = Table(limit=2).registry
    assert not registry.full
    registry.expect()
    assert registry.count == 1 and len(registry) == 0 and not registry.full
    registry.expect()
    assert registry.full
    assert not registry.wait_empty(0)
    assert not registry.wait_arrived(0)
    connection = Live(registry.next_id())
    registry.add(connection, "loop", expected=True)
    assert registry.full and len(registry) == 1
    registry.expected()
    assert not registry.full
    assert registry.wait_arrived(0)
    registry.remove(connection, "peer", "end")
    assert registry.wait_empty(0)


def test_room_and_emptiness_are_told() -> None:
    registry = Table().registry
    told: list[str] = []
    registry.on_room = lambda: told.append("room")
    registry.on_empty = lambda: told.append("empty")
    connections = []
    for _ in range(2):
        connection = Live(registry.next_id())
        registry.add(connection, "")
        connections.append(connection)
    registry.remove(connections[0], "peer", "end")
    assert told == ["room"]
    registry.remove(connections[1], "peer", "end")
    assert told == ["room", "room", "empty"]
    registry.remove(connections[1], "peer", "end")
    assert told == ["room", "room", "empty"]


def test_waiting_ends_when_the_last_goes_or_when_given_up() -> None:
    table = Table()
    connection = table.add()
    results: list[bool] = []
    waiting = threading.Thread(target=lambda: results.append(table.registry.wait_empty(PATIENCE)))
    waiting.start()
    table.registry.remove(connection, "peer", "end")
    waiting.join(PATIENCE)
    assert results == [True]
    connection = table.add()
    given_up = threading.Event()
    waiting = threading.Thread(target=lambda: results.append(table.registry.wait_empty(PATIENCE, given_up.is_set)))
    started = time.monotonic()
    waiting.start()
    given_up.set()
    table.registry.wake()
    waiting.join(PATIENCE)
    assert results == [True, False]
    assert time.monotonic() - started < PATIENCE / 2


def test_our_own_cut_is_no_end_of_the_peers() -> None:
    table = Table()
    connection = table.add()
    connection.cut_reason = "idle"
    table.registry.half_closed(connection)
    assert table.publisher.close(PATIENCE)
    assert not table.events.of(HalfClosed)


def test_a_snapshot_says_how_each_stands() -> None:
    table = Table()
    plain, ended, half, cut = (table.add() for _ in range(4))
    ended.ended = True
    half.half_closed = half.ended = True
    cut.cut_reason = "idle"
    plain.bytes_received, plain.bytes_sent = 3, 4
    infos = table.registry.snapshot()
    assert [each.state for each in infos] == ["open", "peer ended", "half-closed", "ending"]
    first = infos[0]
    assert (first.id, first.thread, first.received, first.sent) == (1, "thread 1", 3, 4)
    assert (first.peer, first.local) == (plain.peer, plain.local)
    assert 0 <= first.idle <= first.seconds < PATIENCE
    with pytest.raises(AttributeError):
        first.id = 7


def test_taps_see_those_that_are_here_and_those_that_come() -> None:
    table = Table()
    tap = Tap()
    here = table.add()
    table.registry.attach(tap)
    comes = table.add()
    assert here.taps == comes.taps == (tap,)
    table.registry.detach(tap)
    later = table.add()
    assert here.taps == comes.taps == later.taps == ()


def test_denials_and_failures_are_told() -> None:
    table = Table()
    connection = table.add()
    table.registry.deny(Address("tcp", "192.0.2.7", 1), "not allowed")
    table.registry.fail(None, "cannot accept", "")
    table.registry.fail(connection, ValueError("first\n  second"), "the traceback")
    table.registry.fail(connection, KeyError(), "")
    assert table.publisher.close(PATIENCE)
    (denied,) = table.events.of(Denied)
    assert (str(denied.peer), denied.reason) == ("192.0.2.7:1", "not allowed")
    failed = table.events.of(Failed)
    assert [each.error for each in failed] == ["cannot accept", "ValueError: first second", "KeyError"]
    assert failed[0].connection is failed[0].peer is None
    assert (failed[1].connection, failed[1].peer, failed[1].traceback) == (1, connection.peer, "the traceback")


def test_a_failure_that_nobody_listens_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry(Publisher(), 10)
    connection = Live(1)
    with caplog.at_level(logging.ERROR, logger="wirecat"):
        registry.fail(connection, ValueError("x"), "the traceback")
        registry.fail(None, "y", "")
    assert [record.getMessage().splitlines()[0] for record in caplog.records] == [
        "connection 1 from 192.0.2.1:4001: ValueError: x",
        "y",
    ]
    assert "the traceback" in caplog.text


def test_failure_in_the_log_holds_no_control_characters(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry(Publisher(), 10)
    with caplog.at_level(logging.ERROR, logger="wirecat"):
        registry.fail(None, "what \x1b[2J a client\nsent", "first \x9b line\nsecond")
    (record,) = caplog.records
    assert record.getMessage() == "what \\x1b[2J a client\\nsent\nfirst \\x9b line\nsecond"


def test_numbers_are_never_given_twice() -> None:
    registry = Table(limit=10_000).registry
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.extend([registry.next_id() for _ in range(500)])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 4001))
