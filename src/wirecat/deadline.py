"""One deadline across all steps of a thing: name lookup, every address, proxy, handshake, retries.

Passing a number of seconds from step to step adds them up (ncat's ``-w`` counts per address); a point in time does not.
"""

from __future__ import annotations

from time import monotonic

# Seconds that one call may be asked to wait: poll(2) takes less than 25 days, and whoever waits looks again.
LONGEST_WAIT = 86400.0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.stream import Stream


class Deadline:
    """A point in time that later steps share. ``seconds=None`` never expires.

    ``partner`` is the stream for which it is done, if any: the steps watch it while they wait, and raise PartnerLost when
    its peer is lost (see ``Stream.watch``).

    >>> Deadline(None).remaining() is None
    True
    >>> Deadline(0).expired
    True
    """

    __slots__ = ("_at", "partner", "seconds")

    def __init__(self, seconds: float | None, partner: Stream | None = None) -> None:
        self.seconds = seconds
        self.partner = partner
        self._at = None if seconds is None else monotonic() + seconds

    def remaining(self) -> float | None:
        """Seconds left, never below 0; ``None`` for one that never expires."""
        return None if self._at is None else max(0.0, self._at - monotonic())

    def within(self, seconds: float) -> float:
        """The lesser of ``seconds`` and what is left."""
        return seconds if self._at is None else min(seconds, max(0.0, self._at - monotonic()))

    @property
    def expired(self) -> bool:
        """Whether the point in time has passed."""
        return self._at is not None and monotonic() >= self._at

    def __repr__(self) -> str:
        return f"Deadline({self.seconds})"
