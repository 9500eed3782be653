"""A tap for people: what each side said, made printable, at most so many lines a second."""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.events import Event
from wirecat.taps.tap import Tap
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LINES_A_SECOND = 200
LONGEST = 500  # bytes of a chunk that are shown


class Said(Event):
    """A chunk as a person reads it: ``text`` is printable and shortened, ``size`` its bytes, ``whole`` whether all of it
    is shown. For a transcript alone; the events of a server carry no payload."""

    __slots__ = ("connection", "direction", "size", "text", "whole")
    name = "said"
    connection: int
    direction: str
    text: str
    size: int
    whole: bool


class NotShown(Event):
    """``count`` chunks came too fast to be shown."""

    __slots__ = ("count",)
    name = "not_shown"
    count: int


class TranscriptTap(Tap):
    """Gives ``publish`` a Said for each chunk, or a NotShown in place of what exceeds ``most`` a second. Never blocks."""

    def __init__(self, publish: Callable[[Event], None], most: int = LINES_A_SECOND) -> None:
        self._publish = publish
        self._most = most
        self._lock = threading.Lock()
        self._second = 0.0
        self._shown = 0
        self._hidden = 0

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        with self._lock:
            if when - self._second >= 1.0:
                self._second, self._shown = when, 0
            if self._shown >= self._most:
                self._hidden += 1
                if self._hidden == 1:
                    # However long the silence after the burst, its size is told.
                    timer = threading.Timer(max(0.0, self._second + 1.0 - monotonic()), self._tell_hidden)
                    timer.daemon = True
                    timer.start()
                return None
            self._shown += 1
        self._publish(said(connection, direction, data, len(data)))
        return None

    def take_hidden(self) -> list[Event]:
        """What was not shown since that was last told, as an event to be told now; empty if all was."""
        with self._lock:
            hidden, self._hidden = self._hidden, 0
        return [NotShown(count=hidden)] if hidden else []

    def _tell_hidden(self) -> None:
        for event in self.take_hidden():
            self._publish(event)


def said(connection: int, direction: str, data: bytes, size: int) -> Said:
    """A chunk of ``size`` bytes as a person reads it; of a long one its beginning is enough."""
    whole = size <= LONGEST
    shown = data.removesuffix(b"\n").removesuffix(b"\r") if whole else _cut(data)
    return Said(connection=connection, direction=direction, text=printable(shown), size=size, whole=whole)


def _cut(data: bytes) -> bytes:
    """The first LONGEST bytes, or a few fewer where a character of UTF-8 would be cut in two."""
    end = LONGEST
    while end > LONGEST - 4 and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end]
