"""A stream on which several threads may send: one at a time, each piece whole."""

from __future__ import annotations

import _thread

from wirecat.endpoints.wrapped_stream import WrappedStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.stream import Stream


class TakingTurns(WrappedStream):
    """Wraps the stream ``inner``. (A blocking send of a stream may stop half-way and go on; another must not get
    between.)"""

    __slots__ = ("_turn",)

    def __init__(self, inner: Stream) -> None:
        super().__init__(inner)
        self._turn = _thread.allocate_lock()

    @property
    def can_half_close(self) -> bool:  # type: ignore[override]
        """See Stream."""
        return self.inner.can_half_close

    @property
    def keeps_boundaries(self) -> bool:  # type: ignore[override]
        """See Stream."""
        return self.inner.keeps_boundaries

    @property
    def ended(self) -> bool:  # type: ignore[override]
        """See Stream."""
        return self.inner.ended

    @property
    def buffered(self) -> bool:
        """See Stream."""
        return self.inner.buffered

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """See Stream."""
        return self.inner.receive_into(buffer)

    def receive(self, limit: int) -> bytes:
        """See Stream."""
        return self.inner.receive(limit)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream. Waits for whoever is sending."""
        with self._turn:
            self.inner.send(data)

    def half_close(self) -> None:
        """See Stream."""
        with self._turn:
            self.inner.half_close()

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self.inner.set_timeout(seconds)

    def close(self) -> None:
        """See Stream."""
        self.inner.close()

    def abort(self) -> None:
        """See Stream. Waits for nobody: it is what ends a send that hangs."""
        self.inner.abort()

    def fileno(self) -> int:
        """See Stream."""
        return self.inner.fileno()
