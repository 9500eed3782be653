"""The handshakes of a server's clients that are not complete: how many there may be, and how long each may take.

They are counted apart from the connections: clients that stall in the handshake take nobody's place. Two numbers bound
what they cost. ``limit`` is how many clients may be in their handshake, most of which wait for the client and cost a
socket each. ``most_active`` is how many of those may have an OpenSSL object (45 KiB); the next waits, its hello unread.
A client has ``seconds`` for the whole. Where a bound is reached and no handshake has ended for CROWDED_TIME seconds, those
that are as old as that are ended, because others wait. Honest clients that come in thousands end theirs all the time.
"""

from __future__ import annotations

from time import monotonic

from wirecat.system.limits import descriptor_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    class Entry(Protocol):
        """A client in its handshake."""

        def resume(self) -> None:
            """It may be active now: ``activate`` has refused it before."""

        def expire(self, seconds: float) -> None:
            """Its time is over, which was so many seconds: turn it away."""

        def drop(self, reason: str) -> None:
            """Turn it away for another reason."""


MOST = 4096  # clients in their handshake, where the limit of open files allows so many
MOST_UNKNOWN = 256  # where the system tells no such limit, as Windows, whose select(2) takes 512 sockets
MOST_ACTIVE = 512
CROWDED_TIME = 2.0  # seconds
LONGEST_WAIT = 0.5  # seconds between two looks: a bound that is reached meanwhile makes the time shorter


def default_limit() -> int:
    """How many clients may be in their handshake at once: at most a quarter of the open files."""
    descriptors = descriptor_limit()
    return MOST_UNKNOWN if descriptors is None else max(1, min(MOST, descriptors // 4))


class Handshakes:
    """Counts and times them. To be used by one thread; only ``is_full`` and ``count`` by any.

    ``may_enter(peer)`` tells whether a client whose handshake is complete is let in; ``on_space()`` is called when there
    is space after ``is_full``. Both are for the server's admission to set.
    """

    def __init__(
        self,
        seconds: float,
        limit: int | None = None,
        *,
        most_active: int = MOST_ACTIVE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.limit = default_limit() if limit is None else limit
        self.may_enter: Callable[[Any], bool] = lambda peer: True
        self.on_space: Callable[[], None] = lambda: None
        self._seconds = seconds
        self._most_active = most_active
        self._clock = clock
        self._moved = 0.0  # when a handshake last ended, or a bound was reached
        self._began: dict[Entry, float] = {}  # oldest first, as are the others
        self._silent: dict[Entry, float] = {}  # those without a whole hello
        self._active: dict[Entry, float] = {}
        self._queued: dict[Entry, None] = {}  # those whose hello has come, and that have to wait

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._began)

    @property
    def is_full(self) -> bool:
        """Whether no more clients may begin."""
        return len(self._began) >= self.limit

    def add(self, entry: Entry) -> None:
        """A client begins."""
        self._began[entry] = self._silent[entry] = self._clock()
        if len(self._began) == self.limit:
            self._moved = self._clock()

    def activate(self, entry: Entry) -> bool:
        """Whether it may compute; where not, its ``resume`` is called when it may."""
        self._silent.pop(entry, None)
        if entry in self._active:
            return True
        if len(self._active) >= self._most_active:
            if not self._queued:
                self._moved = self._clock()
            self._queued[entry] = None
            return False
        self._active[entry] = self._clock()
        return True

    def remove(self, entry: Entry) -> None:
        """Its handshake is over, one way or the other. Twice is nothing."""
        was_full = self.is_full
        if self._began.pop(entry, None) is None:
            return
        self._moved = self._clock()
        self._silent.pop(entry, None)
        self._queued.pop(entry, None)
        self._active.pop(entry, None)
        while self._queued and len(self._active) < self._most_active:
            following = next(iter(self._queued))
            del self._queued[following]
            self._active[following] = self._clock()
            following.resume()
        if was_full and not self.is_full:
            self.on_space()

    def expire(self) -> None:
        """Turn away those whose time is over."""
        now = self._clock()
        for entries, seconds in list(self._limits()):
            for entry in self._older(entries, now - seconds):
                entry.expire(seconds)
                self.remove(entry)

    @property
    def wait(self) -> float | None:
        """Seconds after which ``expire`` is to be called; None where there is nothing to wait for."""
        if not self._began:
            return None
        times = [next(iter(entries.values())) + seconds for entries, seconds in self._limits() if entries]
        return max(0.0, min(LONGEST_WAIT, min(times) - self._clock()))

    def _limits(self) -> Iterator[tuple[dict[Entry, float], float]]:
        if self._clock() - self._moved >= CROWDED_TIME:
            if self.is_full:
                yield self._silent, CROWDED_TIME
            if self._queued:
                yield self._active, CROWDED_TIME
        yield self._began, self._seconds

    def _older(self, entries: dict[Entry, float], than: float) -> list[Entry]:
        found = []
        for entry, began in entries.items():
            if began > than:
                break
            found.append(entry)
        return found

    def drop_all(self, reason: str) -> None:
        """Turn all away."""
        for entry in list(self._began):
            if entry in self._began:
                self._queued.clear()
                entry.drop(reason)
                self.remove(entry)
