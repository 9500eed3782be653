"""The table of connections that workers serve: numbers, counts, and what is known of each."""

from __future__ import annotations

from typing import Any

from wirecat.address import Address
from wirecat.endpoints.listener import Listener
from wirecat.events import Opened
from wirecat.server.event_messages import address_object
from wirecat.server.worker_process import Slot
from wirecat.server.worker_table import WorkerTable

PEER, LOCAL = Address("tcp", "127.0.0.1", 40000), Address("tcp", "127.0.0.1", 12345)


def opened(id: int) -> Opened:
    return Opened(connection=id, peer=PEER, local=LOCAL, open_count=0, monotonic=100.0)


def row(id: int) -> dict[str, Any]:
    where = {"peer": address_object(PEER), "local": address_object(LOCAL)}
    return {
        "id": id, "thread": f"wirecat-{id}", "received": 1, "sent": 2, "seconds": 3.0, "idle": 0.5, "state": "open",
    } | where  # fmt: skip


def test_numbers_and_counts() -> None:
    table, one, other = WorkerTable(), Slot(1, Listener([])), Slot(2, Listener([]))
    assert [table.admit(one), table.admit(other), table.admit(one)] == [1, 2, 3]
    assert (table.count, table.open_count, table.served) == (3, 0, 0)
    assert [table.opened(opened(2)), table.opened(opened(1))] == [1, 2]
    assert (table.slot_of(1), table.slot_of(2), table.slot_of(4)) == (one, other, None)
    assert table.remove(3) == 2  # it was never told
    assert table.remove(1) == 1
    assert (table.count, table.open_count, table.served) == (1, 1, 2)
    assert table.admit(one) == 4  # no number twice


def test_what_a_worker_takes_with_it() -> None:
    table, one, other = WorkerTable(), Slot(1, Listener([])), Slot(2, Listener([]))
    for slot in (one, other, one):
        table.admit(slot)
    table.opened(opened(1))
    table.opened(opened(2))
    assert [id for id, _ in table.lost(one)] == [1]  # 3 was never told
    assert (table.count, table.open_count) == (1, 1)
    assert table.lost(one) == []


def test_a_snapshot_has_what_the_workers_told_and_what_is_known_of_the_rest() -> None:
    table, one, other = WorkerTable(), Slot(1, Listener([])), Slot(2, Listener([]))
    for slot in (one, other, other):
        table.admit(slot)
    table.opened(opened(1))
    table.opened(opened(2))
    number = table.ask()
    assert not table.has_answered(number, one)
    table.answered(number, one, [], more=True)
    assert not table.has_answered(number, one)
    table.answered(number, one, [row(1)], more=False)
    assert table.has_answered(number, one) and not table.has_answered(number, other)
    first, second = table.snapshot(number, 107.0)
    assert (first.id, first.thread, first.received, first.peer, first.local) == (
        1,
        "worker-1/wirecat-1",
        1,
        PEER,
        LOCAL,
    )
    assert (second.id, second.thread, second.state, second.seconds) == (2, "worker-2", "unknown", 7.0)
    table.answered(number, other, [row(2)], more=False)  # too late, and forgotten
    assert table.ask() == number + 1
