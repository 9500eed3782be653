"""A tap that translates the newlines of what is sent (``--newline``)."""

from __future__ import annotations

from wirecat.taps.tap import SENT, Tap
from wirecat.wire.newline import NewlineTranslator


class NewlineTap(Tap):
    """Alters what is sent: ``lf``, ``crlf`` or ``none``, as NewlineTranslator does. For one connection."""

    alters = True

    def __init__(self, newline: str) -> None:
        self._translator = NewlineTranslator(newline)

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        return self._translator.feed(data) if direction == SENT else data

    def finish(self, connection: int, direction: str) -> bytes:
        return self._translator.finish() if direction == SENT else b""
