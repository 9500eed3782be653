"""A room: the connections of one server that hear each other, and how one of them is heard by all the others.

Nobody waits for a client that reads slowly: what it has not taken yet waits in a queue of its own. When that queue is
full, whoever speaks is held back, because bytes in the middle of a stream cannot be left out. With one listener that is
all, as in a pipe: the speaker goes as fast as the listener takes. With several it lasts PATIENCE seconds at most; then
whoever still cannot keep up is cut off (told as a Closed event by the server, ``too slow``), and the others go on.
"""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.errors import ConnectionClosed, UsageError
from wirecat.server.outbox import LIMIT, Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from wirecat.connection import Connection

PATIENCE = 2.0  # seconds that a client may hold up others
FAREWELL = 2.0  # seconds to send what waits for a client that has ended
TOO_SLOW = "too slow"
_LOOK = 0.5  # seconds until a speaker who waits looks whether it was cut off itself


class Member:
    """A connection in a room. As a context manager it leaves at the block's end, once what waits for it is sent."""

    __slots__ = ("_room", "connection", "name", "outbox")

    def __init__(self, room: Room, connection: Connection, name: str, limit: int) -> None:
        self._room = room
        self.connection = connection
        self.name = name
        self.outbox = Outbox(connection, limit, room._room_made)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.leave(self)


class Room:
    """Members that come and go, and what is said among them. Safe from any thread.

    ``limit`` is how many bytes may wait for one member, ``patience`` how long in seconds one may hold up the others.
    """

    def __init__(self, *, limit: int = LIMIT, patience: float = PATIENCE) -> None:
        self._limit = limit
        self._patience = patience
        self._members: dict[Connection, Member] = {}  # by the object itself: numbers are those of one server
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
        member = Member(self, connection, name, self._limit)
        with self._changed:
            if connection in self._members:
                raise UsageError(f"connection {connection.id} is in this room already")
            self._members[connection] = member
            self._changed.notify_all()
        connection.on_abort = self._room_made
        return member

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
        end = monotonic() + self._patience
        with self._changed:
            while slow := [member for member in slow if not member.outbox.offer(data)]:
                if sender is not None and sender.connection.cut_reason:
                    raise ConnectionClosed("it was cut", address=sender.connection.peer, step="send")
                now = monotonic()
                if len(self._members) - (sender is not None) <= 1:
                    end = now + self._patience
                elif now >= end:
                    break
                self._changed.wait(min(_LOOK, end - now))
        for member in slow:
            member.connection.cut(TOO_SLOW)

    def _room_made(self) -> None:
        with self._changed:
            self._changed.notify_all()
