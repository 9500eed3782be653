"""The progress of a swarm as one line on a terminal, drawn over again and wiped at the end.

A thread of its own writes it: a terminal that stalls (Ctrl-S) must not hold up the clients, whose latency
would then be the terminal's.
"""

from __future__ import annotations

import threading
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.swarm.progress import SwarmProgress

_SHORTEST_PAUSE = 0.2  # seconds between two drawings
_COLUMNS = 79


class ProgressLine:
    """Draws what ``show`` is given, at most five times a second; ``write`` puts text on the terminal."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._drawn_at = -_SHORTEST_PAUSE
        self._drawn = ""
        self._changed = threading.Condition()
        self._next: str | None = None
        self._ending = False
        self._thread: threading.Thread | None = None

    def show(self, progress: SwarmProgress) -> None:
        """Have it drawn, unless the last drawing was a moment ago. Never waits for the terminal."""
        now = monotonic()
        if now - self._drawn_at < _SHORTEST_PAUSE:
            return
        self._drawn_at = now
        if self._thread is None:
            self._thread = threading.Thread(target=self._draw, name="wirecat-progress", daemon=True)
            self._thread.start()
        with self._changed:
            self._next = progress_text(progress)
            self._changed.notify()

    def clear(self, timeout: float = 1.0) -> None:
        """Wipe the line. A terminal that takes nothing for ``timeout`` seconds is left as it is."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout)

    def _draw(self) -> None:
        while True:
            with self._changed:
                while self._next is None and not self._ending:
                    self._changed.wait()
                text, self._next = self._next, None
                ending = self._ending
            if ending:
                # Blanks, since not every Windows console knows the escape sequence that erases a line.
                self._write("\r" + " " * len(self._drawn) + "\r")
                return
            if text is not None:
                self._write("\r" + text.ljust(len(self._drawn)))
                self._drawn = text


def progress_text(progress: SwarmProgress) -> str:
    """The line, at most 79 columns wide."""
    failed = f", {progress.failed} failed" if progress.failed else ""
    if progress.phase in ("connecting", "connected"):
        return f"connected {progress.connected} of {progress.clients}{failed}"[:_COLUMNS]
    if progress.phase == "knocking":
        return f"{progress.connected} connects{failed}, {progress.rate:.0f}/s"[:_COLUMNS]
    wrong = f" ({progress.wrong} wrong)" if progress.wrong else ""
    rate = f", {progress.rate:.0f}/s" if progress.phase == "talking" else ", closing"
    talk = f"sent {progress.sent}, replies {progress.replies}{wrong}{rate}"
    return f"connected {progress.connected}{failed}, {talk}"[:_COLUMNS]
