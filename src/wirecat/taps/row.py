"""The taps of one connection, in a row: what one makes of a chunk goes on to the next. Both kinds of connection build on it."""

from __future__ import annotations

import _thread
from time import monotonic

from wirecat.errors import UsageError
from wirecat.taps.tap import RECEIVED, SENT, Tap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# For the moment in which a row is exchanged for another. (A lock per connection would cost each of them memory.)
_EXCHANGE = _thread.allocate_lock()


def require_own_thread(tap: Tap, shares_thread: bool) -> None:
    """Raise UsageError where ``tap`` waits and one thread serves many connections."""
    if tap.waits and shares_thread:
        raise UsageError(
            f"{type(tap).__name__} waits at each chunk, and here one thread serves all connections: it would stall them all",
            hint="It needs a thread for each connection: --engine threads, a plain function as the handler.",
        )


class Tapped:
    """What has taps. ``taps`` is never changed but exchanged, so who moves bytes needs no lock; ``id`` is the connection's."""

    __slots__ = ("_ended_ways", "id", "taps")

    shares_thread = False
    """Whether the thread that moves its bytes serves other connections too, as that of an event loop does."""

    def __init__(self, id: int) -> None:
        self.id = id
        self.taps: tuple[Tap, ...] = ()
        self._ended_ways: tuple[str, ...] = ()

    def attach(self, tap: Tap) -> None:
        """Let ``tap`` see every chunk from now on; may be called while bytes flow.

        Raises UsageError for a tap that waits where one thread serves many connections: it would stall all of them.
        """
        require_own_thread(tap, self.shares_thread)
        tap.opened(self)
        with _EXCHANGE:
            self.taps = (*self.taps, tap)

    def detach(self, tap: Tap) -> None:
        """Take ``tap`` off again; may be called while bytes flow. What an altering tap still holds back goes on with the
        next chunk of its direction, or with its end."""
        with _EXCHANGE:
            row = [each if each is not tap else Leaving(tap, self._ended_ways, self._drop) for each in self.taps]
            self.taps = tuple(each for each in row if not (isinstance(each, Leaving) and each.done))
        tap.detached(self)

    def _drop(self, leaving: Tap) -> None:
        with _EXCHANGE:
            self.taps = tuple(each for each in self.taps if each is not leaving)

    def tapped(self, direction: str, data: bytes) -> bytes:
        """Show ``data`` to the taps, in order; what goes on in its place."""
        when = monotonic()
        for tap in self.taps:
            out = tap.chunk(self.id, direction, data, when)
            if tap.alters:
                data = out or b""
                if not data:
                    break  # for those behind it nothing has come
        return data

    def tapped_end(self, direction: str) -> bytes:
        """A direction has ended: what altering taps held back, seen by those behind them."""
        self._ended_ways += (direction,)
        data = b""
        when = monotonic()
        for tap in self.taps:
            if data:
                out = tap.chunk(self.id, direction, data, when)
                data = (out or b"") if tap.alters else data
            held = tap.finish(self.id, direction)
            if tap.alters:
                data += held
        return data

    def tapped_break(self) -> None:
        """The peer broke off."""
        for tap in self.taps:
            tap.broke(self.id)

    def tapped_close(self, by: str = "", reason: str = "") -> None:
        """It is over; see ``Tap.closed``."""
        for tap in self.taps:
            tap.closed(self, by, reason)


class Leaving(Tap):
    """Stands where an altering tap stood, until what that one held back has gone on in both directions.

    The held bytes are asked for by the thread that moves the bytes: nobody else may call a tap at the same time.
    """

    alters = True

    def __init__(self, tap: Tap, ended: tuple[str, ...], drop: Callable[[Tap], None]) -> None:
        self._tap = tap
        self._waiting = {RECEIVED, SENT}.difference(ended) if tap.alters else set()
        self._drop = drop

    @property
    def done(self) -> bool:
        """Whether nothing is waited for (any more)."""
        return not self._waiting

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        """What was held back, and the chunk."""
        return self.finish(connection, direction) + data

    def finish(self, connection: int, direction: str) -> bytes:
        """What was held back."""
        if direction not in self._waiting:
            return b""
        held = self._tap.finish(connection, direction)
        self._waiting.discard(direction)
        if not self._waiting:
            self._drop(self)
        return held
