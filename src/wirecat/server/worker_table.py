"""The table of connections of a server with workers: who is served by which, and what the workers tell of them."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.server.event_messages import address_of
from wirecat.server.registry import ConnectionInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.events import Opened
    from wirecat.server.worker_process import Slot

TABLE_TIME = 2.0  # seconds that workers get to tell their connections
_UNKNOWN = Address("tcp", "unknown", 0)


class Row:
    """A connection: ``slot`` serves it; ``told`` whether its Opened event has come, from which the rest is."""

    __slots__ = ("local", "opened", "peer", "slot", "told")

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.told = False
        self.peer = self.local = _UNKNOWN
        self.opened = 0.0


class WorkerTable:
    """Numbers and counts. Not safe from several threads: who has it holds a lock."""

    def __init__(self) -> None:
        self.served = 0
        self.open_count = 0  # those that were told as opened
        self._last_id = 0
        self._rows: dict[int, Row] = {}
        self._questions = 0
        self._answers: dict[int, dict[Slot, list[dict[str, Any]]]] = {}  # to each question, by who answers
        self._complete: dict[int, set[Slot]] = {}

    @property
    def count(self) -> int:
        """How many were admitted and are not over."""
        return len(self._rows)

    def admit(self, slot: Slot) -> int:
        """One more is served by ``slot``; its number, from 1."""
        self._last_id += 1
        self._rows[self._last_id] = Row(slot)
        return self._last_id

    def opened(self, event: Opened) -> int:
        """It is open; how many are, it included."""
        row = self._rows[event.connection]
        row.told, row.peer, row.local, row.opened = True, event.peer, event.local, event.monotonic
        self.served += 1
        self.open_count += 1
        return self.open_count

    def remove(self, id: int) -> int:
        """It is over; how many are still open."""
        row = self._rows.pop(id)
        self.open_count -= row.told
        return self.open_count

    def lost(self, slot: Slot) -> list[tuple[int, Row]]:
        """All that ``slot`` serves are over; those of them that were told as opened."""
        gone = [(id, row) for id, row in self._rows.items() if row.slot is slot]
        for id, _ in gone:
            self.remove(id)
        return [(id, row) for id, row in gone if row.told]

    def slot_of(self, id: int) -> Slot | None:
        """Who serves that connection; None if there is none."""
        row = self._rows.get(id)
        return None if row is None else row.slot

    def ask(self) -> int:
        """A question for all workers' tables begins; its number, under which they answer."""
        self._questions += 1
        self._answers[self._questions], self._complete[self._questions] = {}, set()
        return self._questions

    def answered(self, number: int, slot: Slot, rows: list[dict[str, Any]], *, more: bool) -> None:
        """What ``slot`` answered, or a part of it; nothing if it took too long."""
        if number in self._answers:
            self._answers[number].setdefault(slot, []).extend(rows)
            if not more:
                self._complete[number].add(slot)

    def has_answered(self, number: int, slot: Slot) -> bool:
        """Whether ``slot`` has answered that question, to its end."""
        return slot in self._complete[number]

    def snapshot(self, number: int, now: float) -> list[ConnectionInfo]:
        """The table by the answers to that question, which is over by this. ``now`` is monotonic()."""
        found: dict[int, ConnectionInfo] = {}
        del self._complete[number]
        for slot, rows in self._answers.pop(number).items():
            for row in rows:
                where = {name: address_of(row[name]) for name in ("peer", "local")}
                found[row["id"]] = ConnectionInfo(**row | where | {"thread": f"worker-{slot.number}/{row['thread']}"})
        for id, known in self._rows.items():
            if id not in found and known.told:
                found[id] = ConnectionInfo(
                    id=id, peer=known.peer, local=known.local, thread=f"worker-{known.slot.number}", received=0, sent=0,
                    seconds=now - known.opened, idle=0.0, state="unknown",
                )  # fmt: skip
        return [found[id] for id in sorted(found)]
