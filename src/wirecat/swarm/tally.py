"""The counts that all clients of a swarm add to."""

from __future__ import annotations

from wirecat.swarm.histogram import Histogram
from wirecat.swarm.result import WrongReply


class Tally:
    """Counts, to be read at any time and added to by whichever client has something to count.

    ``connected``: clients that were. ``latency``: of each reply that was right (or not checked). ``wrong``:
    replies that were found wrong when they came; ``spoilt``: last replies found too long after they had been
    counted as right. ``first_wrong``: an example. ``errors``: failed clients by kind.
    """

    __slots__ = ("connected", "errors", "first_wrong", "latency", "spoilt", "wrong")

    def __init__(self) -> None:
        self.connected = 0
        self.latency = Histogram()
        self.wrong = 0
        self.spoilt = 0
        self.first_wrong: WrongReply | None = None
        self.errors: dict[str, int] = {}

    @property
    def replies(self) -> int:
        """Messages that were answered, rightly or not."""
        return self.latency.count + self.wrong

    @property
    def replies_wrong(self) -> int:
        """Replies that were wrong, whenever that came out."""
        return self.wrong + self.spoilt

    @property
    def failed(self) -> int:
        """Clients that failed."""
        return sum(self.errors.values())

    def fail(self, kind: str) -> None:
        """Count a failed client."""
        self.errors[kind] = self.errors.get(kind, 0) + 1

    def show_wrong(self, client: int, message: int, expected: bytes, got: bytes) -> None:
        """Keep the first wrong reply as an example."""
        if self.first_wrong is None:
            self.first_wrong = WrongReply.between(client, message, expected, got)
