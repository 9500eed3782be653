"""What is known of a connection, whether its calls block or are awaited."""

from __future__ import annotations

from time import monotonic

from wirecat.errors import ConnectionClosed, IncompleteReceive, UsageError
from wirecat.taps.row import Tapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.wire.framing import ReceiveBuffer


class ConnectionState(Tapped):
    """What every connection knows, whichever way it is driven. Fields, not events.

    ``id`` is its number at its server (0 elsewhere); ``bytes_received`` and ``bytes_sent`` count what went over the
    wire; ``opened`` is when (time.monotonic()); ``last_heard`` when bytes last moved, exact to the server's sweep (at
    most a second); ``ended`` tells that the peer's end of stream was read (on an event loop: that it has come),
    ``half_closed`` that we sent ours, ``closed`` that this side has closed it. ``cut_reason`` is why the server cut it
    off (``idle``, ``kicked``, ``lost``, ``shutdown``), else empty.
    """

    idle_limit: float | None = None
    """Seconds without a byte after which a server cuts it off, beside the server's own ``idle_timeout``; None: no limit."""

    __slots__ = (
        "_buffer", "_counted", "_timeout", "bytes_received", "bytes_sent", "closed", "cut_reason", "ended", "half_closed",
        "last_heard", "opened",
    )  # fmt: skip

    def __init__(self, id: int = 0) -> None:
        super().__init__(id)
        self.bytes_received = self.bytes_sent = 0
        self.opened = self.last_heard = monotonic()
        self.ended = self.half_closed = self.closed = False
        self.cut_reason = ""
        self._buffer: ReceiveBuffer | None = None
        self._counted = 0
        self._timeout: float | None = None

    far: ConnectionState | None = None
    """The connection that a handler has made for this one (a relay's to its target): the server looks after both."""

    @property
    def descriptor(self) -> int:
        """The descriptor of its socket; -1 where it has none of its own."""
        return -1

    @property
    def peer(self) -> Address:
        """The other end's address."""
        raise NotImplementedError

    @property
    def local(self) -> Address:
        """This end's address."""
        raise NotImplementedError

    @property
    def buffered(self) -> int:
        """How many bytes have come and wait to be taken."""
        return len(self._buffer) if self._buffer is not None else 0

    def abort(self) -> None:
        """End both directions at once; whoever waits in another thread is woken. The owner still closes it."""
        raise NotImplementedError

    def lose(self) -> None:
        """The peer no longer answers: end both directions at once, as a failure of the network."""
        self.abort()

    def cut(self, reason: str) -> None:
        """End both directions at once because of ``reason``, which the first caller sets."""
        self.cut_reason = self.cut_reason or reason
        self.abort()

    def note_traffic(self, now: float) -> float:
        """Compare the counters with those of the last call, move ``last_heard`` on if they differ; seconds of silence.

        So the paths that move bytes read no clock.
        """
        count = self.bytes_received + self.bytes_sent
        if count != self._counted:
            self._counted = count
            self.last_heard = now
        return now - self.last_heard

    def _require_receivable(self, limit: int) -> None:
        if self.closed:
            raise ConnectionClosed("this side has closed the connection already", address=self.peer, step="receive")
        if limit < 1:  # the kernel would give 0 bytes, which is what it says at the end
            raise UsageError(f"there is nothing to receive into {limit} bytes", address=self.peer, step="receive")

    def _require_sendable(self) -> None:
        if self.closed or self.half_closed:
            what = "closed" if self.closed else "half-closed"
            raise ConnectionClosed(f"this side has {what} the connection already", address=self.peer, step="send")

    def _incomplete(self, count: int, partial: bytes) -> IncompleteReceive:
        return IncompleteReceive(
            f"the peer ended after {len(partial)} of {count} bytes", partial=partial, address=self.peer, step="receive"
        )

    def __repr__(self) -> str:
        state = "closed" if self.closed else "half-closed" if self.half_closed else "ended" if self.ended else "open"
        return f"<{type(self).__name__} {self.peer} {state}>"
