"""A tap that makes each chunk wait before it goes on (ncat's ``-d``)."""

from __future__ import annotations

import threading

from wirecat.errors import UsageError
from wirecat.taps.tap import Tap


class DelayTap(Tap):
    """Alters the time, not the bytes: every chunk, whichever way it goes, waits ``seconds``.

    The thread that moves the bytes waits with it, so what comes behind waits too, and the peer is held back.
    ``release`` ends all waiting, now and later.
    """

    alters = True
    waits = True

    def __init__(self, seconds: float) -> None:
        if not 0 <= seconds < float("inf"):
            raise UsageError(f"a delay is a number of seconds of at least 0, not {seconds!r}")
        self._seconds = seconds
        self._released = threading.Event()

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self._released.wait(self._seconds)
        return data

    def release(self) -> None:
        """Let everything through at once."""
        self._released.set()
