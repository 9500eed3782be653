"""A room: the connections of one server that hear each other, and how one of them is heard by all the others.

What a client has not read yet waits in a queue of its own. When that queue is full, the sender is held back, because
bytes in the middle of a stream cannot be left out. With one listener that is all, as in a pipe: the sender goes as fast
as the listener reads. With several, a member delays the room while it has no space for a piece and another member has
got everything. It may do that for ALLOWANCE seconds in any WINDOW seconds; then it is cut off (its Closed event says
``too slow``), and the others go on. Three more rules close the ways around that one:

- Who was cut and connects again from the same host has no new allowance until the window is over.
- All members together delay the room for at most ROOM_ALLOWANCE seconds in a window.
- While nobody has got everything, the room goes at the pace of its fastest listener. A member that takes nothing for
  STALL seconds is cut off then, too.
"""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.errors import ConnectionClosed, UsageError
from wirecat.server.delay_budget import DelayBudget
from wirecat.server.outbox import LIMIT, Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from wirecat.connection import Connection

ALLOWANCE = 0.2  # seconds in a window that one member may delay the room,
ROOM_ALLOWANCE = 1.0  # and all members together
WINDOW = 10.0  # seconds
STALL = 2.0  # seconds in which a member has to take something where nobody keeps up
FAREWELL = 2.0  # seconds to send what waits for a client that has ended
TOO_SLOW = "too slow"
_LOOK = 0.05  # seconds until a sender that waits looks again at who has got everything


class Member:
    """A connection in a room. As a context manager it leaves at the block's end, once what waits for it is sent."""

    __slots__ = ("_room", "budget", "connection", "name", "outbox")

    def __init__(self, room: Room, connection: Connection, name: str, limit: int, budget: DelayBudget) -> None:
        self._room = room
        self.connection = connection
        self.name = name
        self.budget = budget
        self.outbox = Outbox(connection, limit, room._room_made)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.leave(self)


class Room:
    """Members that come and go, and what is said among them. Safe from any thread.

    ``limit`` is how many bytes may wait for one member, ``allowance`` how many seconds in any WINDOW seconds one may
    delay the others, ``stall`` how many seconds one may take nothing where nobody keeps up.
    """

    def __init__(self, *, limit: int = LIMIT, allowance: float = ALLOWANCE, stall: float = STALL) -> None:
        self._limit = limit
        self._allowance = allowance
        self._stall = stall
        self._budget = DelayBudget(ROOM_ALLOWANCE, WINDOW)
        self._members: dict[Connection, Member] = {}  # by the object itself: numbers are those of one server
        self._cut: dict[str | None, DelayBudget] = {}  # the budgets of members that were cut off, by their host
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> list[Member]:
        """Who is there now, longest first."""
        with self._changed:
            return list(self._members.values())

    def join(self, connection: Connection, name: str = "") -> Member:
        """Let ``connection`` hear what is said from now on. Raises UsageError where it is in the room already."""
        with self._changed:
            if connection in self._members:
                raise UsageError(f"connection {connection.id} is in this room already")
            member = Member(self, connection, name, self._limit, self._budget_for(connection))
            self._members[connection] = member
            self._changed.notify_all()
        connection.on_abort = self._room_made
        return member

    def _budget_for(self, connection: Connection) -> DelayBudget:
        """What a new member may delay the room by: a host whose last member was cut off goes on with what was left."""
        now = monotonic()
        self._cut = {host: budget for host, budget in self._cut.items() if not budget.is_untouched(now)}
        return self._cut.get(connection.peer.host) or DelayBudget(self._allowance, WINDOW)

    def leave(self, member: Member) -> None:
        """Take ``member`` out; what waits for it is still sent, for at most FAREWELL seconds. Twice is nothing.

        To be called by the connection's own thread.
        """
        with self._changed:
            if self._members.pop(member.connection, None) is None:
                return
            self._changed.notify_all()
        if not member.outbox.finish(FAREWELL):
            member.connection.cut(TOO_SLOW)
        member.connection.on_abort = None

    def send(self, data: bytes, sender: Member | None = None) -> None:
        """Send ``data`` to all but ``sender``, in one piece and in the same order to each, slow ones excepted.

        Raises ConnectionClosed if the sender's own connection is cut while it is held back: it reads no further then.
        """
        with self._changed:
            slow = [
                member for member in self._members.values() if member is not sender and not member.outbox.offer(data)
            ]
        if slow:
            self._send_to_slow(slow, data, sender)

    def _send_to_slow(self, slow: list[Member], data: bytes, sender: Member | None) -> None:
        began = monotonic()
        with self._changed:
            while slow := [member for member in slow if not member.outbox.offer(data)]:
                if sender is not None and sender.connection.cut_reason:
                    raise ConnectionClosed("it was cut", address=sender.connection.peer, step="send")
                now = monotonic()
                if len(self._members) - (sender is not None) <= 1:
                    began = now
                    self._changed.wait(_LOOK)
                elif self._somebody_waits(slow, sender):
                    slow = self._delay(slow, now)
                    began = monotonic()
                elif now - began >= self._stall:
                    self._cut_off(slow)
                    return
                else:
                    self._changed.wait(_LOOK)

    def _somebody_waits(self, slow: list[Member], sender: Member | None) -> bool:
        """Whether a listener has got everything, and so is delayed by those that are ``slow``."""
        return any(
            not (member is sender or member in slow or member.outbox.size or member.outbox.gone)
            for member in self._members.values()
        )

    def _delay(self, slow: list[Member], now: float) -> list[Member]:
        """Wait a moment at the expense of those that are ``slow``; those of them that may go on delaying the room."""
        room_left = self._budget.left(now)
        spent = [member for member in slow if not (room_left and member.budget.left(now))]
        if spent:
            self._cut_off(spent)
            return [member for member in slow if member not in spent]
        budgets = {self._budget, *(member.budget for member in slow)}
        for budget in budgets:
            budget.begin(now)
        try:
            self._changed.wait(min(_LOOK, *(budget.left(now) for budget in budgets)))
        finally:
            now = monotonic()
            for budget in budgets:
                budget.end(now)
        return slow

    def _cut_off(self, slow: list[Member]) -> None:
        for member in slow:
            self._cut[member.connection.peer.host] = member.budget
            member.connection.cut(TOO_SLOW)

    def _room_made(self) -> None:
        with self._changed:
            self._changed.notify_all()
