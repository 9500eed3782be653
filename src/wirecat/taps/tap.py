"""What a tap is: one method that sees every chunk of a connection with its direction and time.

To add one: a file here, a subclass of ``Tap``, one ``chunk`` method; attach it with ``connection.attach(tap)``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RECEIVED = "received"
SENT = "sent"


class Tap:
    """Sits on one connection or on many. ``alters`` tells whether what ``chunk`` returns goes on in place of the chunk.

    ``chunk`` is called from the thread that moves the bytes, in order within a direction; the two directions may call
    at once. It must not block: what is slow (a disk, a terminal) belongs behind a bounded queue.
    """

    alters = False
    waits = False
    """Whether ``chunk`` waits. Such a tap needs a thread that serves its connection alone."""

    @property
    def original(self) -> Tap:
        """The tap that was given to ``attach``: itself, or the one that it wraps."""
        return self

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        """A chunk of ``connection`` (its number) went by in ``direction`` at ``when`` (time.monotonic(), seconds)."""
        raise NotImplementedError

    def finish(self, connection: int, direction: str) -> bytes:
        """A direction has ended: an altering tap gives the bytes that it still held back."""
        return b""

    def opened(self, connection: Any) -> None:
        """It sits on ``connection`` (a ConnectionState) from now on: before the first chunk, and once that was let in."""

    def broke(self, connection: int) -> None:
        """The peer of a connection broke off (a reset, a loss)."""

    def closed(self, connection: Any, by: str, reason: str) -> None:
        """A connection is over. A server tells who ended it first and why (see the event Closed); a connection that was
        closed by itself knows neither: both are empty then, and a server still follows with its own word."""

    def report_to(self, tell: Callable[[str], object]) -> None:
        """Call ``tell(text)``, from any thread, when what it sees cannot be kept (a full disk)."""

    def close(self) -> None:
        """Nothing more comes: let go of what it holds. Called for a tap that a process was told to make (``NamedTap``)."""

    def detached(self, connection: Any) -> None:
        """It was taken off ``connection``, which goes on."""
