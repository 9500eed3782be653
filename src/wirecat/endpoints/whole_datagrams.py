"""What every stream of datagrams has: a receive gives one, and what it had no room for comes next."""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.stream import Stream


class WholeDatagrams(Stream):
    """A stream whose ``_next`` gives a datagram, whole."""

    __slots__ = ("_rest",)

    can_half_close = False
    keeps_boundaries = True
    raw_obstacle = "datagrams"

    idle: float | None = None
    """Seconds without a datagram either way after which it ends; None: never."""

    active_at = 0.0
    """When the last datagram was received or sent (time.monotonic())."""

    def __init__(self) -> None:
        self._rest = b""  # of a datagram for which a receive had no room

    def receive(self, limit: int) -> bytes:
        """See Stream: one datagram. The rest of one of more than ``limit`` bytes comes next."""
        data = self._rest or self._next()
        data, self._rest = data[:limit], data[limit:]
        return data

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """See Stream, and ``receive``."""
        data = self.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self) -> bytes:
        raise NotImplementedError

    def feed(self, datagram: bytes) -> list[bytes]:
        """Take in a datagram that was received for this stream, where that is not left to ``receive``; the data that it
        makes available. Raises what ``receive`` raises."""
        return [datagram]

    def repeat_handshake(self) -> None:
        """Where ``feed`` is used: send again what is due of a handshake. Raises NoAnswer when its time is over."""

    def half_close(self) -> None:
        """Raises UsageError: datagrams have no end."""
        raise UsageError("datagrams have no end to tell of", address=self.peer, step="half-close")
