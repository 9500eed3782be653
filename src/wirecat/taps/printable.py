"""A tap that makes what a peer sends safe for a terminal."""

from __future__ import annotations

from wirecat.taps.tap import RECEIVED, Tap
from wirecat.wire.printable import Printable


class PrintableTap(Tap):
    """Alters what is received into text that a terminal may have. For one connection.

    ``at_line_start`` tells whether what has been shown so far ends with a line's end.
    """

    alters = True

    def __init__(self) -> None:
        self._printable = Printable()
        self.at_line_start = True

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        return self._shown(self._printable.feed(data)) if direction == RECEIVED else data

    def finish(self, connection: int, direction: str) -> bytes:
        return self._shown(self._printable.finish()) if direction == RECEIVED else b""

    def _shown(self, text: str) -> bytes:
        if text:
            self.at_line_start = text.endswith("\n")
        return text.encode()
