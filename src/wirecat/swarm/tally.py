"""The counts that all clients of a swarm add to."""

from __future__ import annotations

from wirecat.swarm.histogram import Histogram
from wirecat.swarm.result import WrongReply


class Tally:
    """Counts, to be read at any time and added to by whichever client has something to count.

    ``connected``: clients that were. ``connects``: connections made, where that is all there is to do. ``latency``: of
    each reply that was right (or not checked), or of each of those connects. ``wrong``: replies that were found wrong
    when they came; ``spoilt``: replies found too long after they had been counted as right. ``first_wrong``: an
    example. ``errors``: failed clients (or connects) by kind.

    In an open loop: ``due``: requests whose time came; ``late``: those that left late; ``unsent``: those that never
    left; ``waits``: how long the requests had waited by the end that were never sent or never answered.
    """

    __slots__ = (
        "connected", "connects", "due", "errors", "first_wrong", "late", "latency", "spoilt", "unsent", "waits",
        "wrong",
    )  # fmt: skip

    def __init__(self) -> None:
        self.connected = 0
        self.connects = 0
        self.latency = Histogram()
        self.wrong = 0
        self.spoilt = 0
        self.first_wrong: WrongReply | None = None
        self.errors: dict[str, int] = {}
        self.due = 0
        self.late = 0
        self.unsent = 0
        self.waits = Histogram()

    @property
    def replies(self) -> int:
        """Messages that were answered, rightly or not."""
        return self.latency.count - self.connects + self.wrong

    @property
    def replies_wrong(self) -> int:
        """Replies that were wrong, whenever that came out."""
        return self.wrong + self.spoilt

    @property
    def failed(self) -> int:
        """Clients (or connects) that failed."""
        return sum(self.errors.values())

    def fail(self, kind: str, count: int = 1) -> None:
        """Count a failed client."""
        self.errors[kind] = self.errors.get(kind, 0) + count

    def show_wrong(self, client: int, message: int, expected: bytes, got: bytes) -> None:
        """Keep the first wrong reply as an example."""
        if self.first_wrong is None:
            self.first_wrong = WrongReply.between(client, message, expected, got)

    def add(self, other: Tally) -> None:
        """Add the counts of another one."""
        for name in ("connected", "connects", "wrong", "spoilt", "due", "late", "unsent"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latency.merge(other.latency)
        self.waits.merge(other.waits)
        self.first_wrong = self.first_wrong or other.first_wrong
        for kind, count in other.errors.items():
            self.fail(kind, count)

    def all_waits(self) -> Histogram:
        """The latencies, and what those had waited who were never answered."""
        both = Histogram()
        both.merge(self.latency)
        both.merge(self.waits)
        return both
