"""Whether something is to be reported now: a flood of datagrams must not become a flood of messages."""

from __future__ import annotations

import threading
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 4096


class OnceASecond:
    """Allows each subject to be reported once a second. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reported: dict[str, float] = {}

    def now(self, subject: str) -> bool:
        """Whether a second has passed since ``subject`` was last reported; it counts as reported."""
        now = self._clock()
        with self._lock:
            if now - self._reported.get(subject, now - 1) < 1:
                return False
            if len(self._reported) >= _MOST:
                self._reported.clear()
            self._reported[subject] = now
            return True
