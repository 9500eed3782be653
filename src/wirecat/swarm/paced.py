"""A client of an open loop: it sends each message when its time has come, and not when the server likes it.

Its latency is counted from when the message should have left. A client whose reply is not there when the next message
is due sends that one late, as soon as it can; the wait counts as latency, so that a server which stalls can't hide
behind the clients that it keeps waiting ("coordinated omission"). What was never answered, or never sent, counts with
the time it had waited by the end.
"""

from __future__ import annotations

from time import perf_counter_ns

from wirecat.swarm.client import DONE, IDLE, WAITING, Client
from wirecat.swarm.schedule import LATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.swarm.schedule import Schedule


class PacedClient(Client):
    """A Client whose messages have their times in ``schedule``; ``turn`` is called when one is due."""

    __slots__ = ("_due", "_schedule")

    def __init__(self, number: int, *, schedule: Schedule, **rest: Any) -> None:
        super().__init__(number, **rest)
        self._schedule = schedule
        self._due = 0
        self.limit = schedule.count_of(number)

    data_received = Client._take

    def begin(self) -> None:
        """Wait for its first turn. Only for a client that is ready."""
        if self.limit:
            self._state = IDLE
        else:
            self._end(DONE)

    def turn(self, now: int) -> None:
        """Send what is due, unless the last reply is still waited for: then it is sent after that."""
        if self._state == IDLE:
            due = self._schedule.due(self.number, self.sent + 1)
            if due <= now:
                self._send_due(due, now)

    def fail(self, kind: str) -> None:
        """End it as failed; the request that it waited for counts with its wait so far."""
        self._unanswered()
        super().fail(kind)

    def stop(self) -> None:
        """End it without a verdict on the reply that it waits for."""
        self._unanswered()
        super().stop()

    def settle(self, ended: int) -> None:
        """Count what was due by ``ended`` (nanoseconds) and was never sent. Once, at the very end."""
        count = self._schedule.count_until(self.number, ended)
        missing = count - self.sent
        self._tally.due += max(count, self.sent)
        if missing > 0:
            self._tally.unsent += missing
            first = ended - self._schedule.due(self.number, self.sent + 1)
            last = ended - self._schedule.due(self.number, count)
            self._tally.waits.record_evenly(max(last, 0), max(first, 0), missing)

    def _unanswered(self) -> None:
        if self._state == WAITING:
            self._tally.waits.record(perf_counter_ns() - self._due)

    def _answered(self, now: int) -> None:
        self._record(now - self._due)

    def _go_on(self, now: int) -> None:
        self._offset = 0
        if self.sent >= self.limit:
            self._end(DONE)
            return
        due = self._schedule.due(self.number, self.sent + 1)
        if due <= now:
            self._send_due(due, now)
        else:
            self._state = IDLE
            self.waiting_since = 0

    def _send_due(self, due: int, now: int) -> None:
        self._due = due
        if now - due > LATE:
            self._tally.late += 1
        self._state = WAITING
        self._send(now)
