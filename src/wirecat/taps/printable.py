"""A tap that makes what a peer sends safe for a terminal."""

from __future__ import annotations

from wirecat.taps.tap import RECEIVED, Tap
from wirecat.wire.printable import Printable


class PrintableTap(Tap):
    """Alters what is received into text that a terminal may have. For one connection."""

    alters = True

    def __init__(self) -> None:
        self._printable = Printable()

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        return self._printable.feed(data).encode() if direction == RECEIVED else data

    def finish(self, connection: int, direction: str) -> bytes:
        return self._printable.finish().encode() if direction == RECEIVED else b""
