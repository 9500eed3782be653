"""How many datagrams a second are answered towards one host: a bound for what a forged sender can do.

Who sends a datagram can write anybody's address into it as the sender's, and the answer goes there. One answer to one
datagram makes nothing larger of it, and this makes it bounded.
"""

from __future__ import annotations

import threading
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERS_A_SECOND = 1000
_MOST_HOSTS = 4096


class AnswerRate:
    """Allows ``limit`` answers a second towards each host, as many at once. ``clock`` gives seconds.

    >>> rate = AnswerRate(1)
    >>> rate.allows("192.0.2.1"), rate.allows("192.0.2.1"), rate.allows("192.0.2.2")
    (True, False, True)
    """

    def __init__(self, limit: int = ANSWERS_A_SECOND, clock: Callable[[], float] = monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}  # answers left, and when that was so

    def allows(self, host: str) -> bool:
        """Whether one more answer may go to ``host``; it counts."""
        now = self._clock()
        with self._lock:
            left, before = self._left.get(host, (float(self.limit), now))
            left = min(float(self.limit), left + (now - before) * self.limit)
            if left < 1:
                return False
            if host not in self._left and len(self._left) >= _MOST_HOSTS:
                # Who has been silent for a second has all its answers again, and need not be remembered.
                self._left = {each: found for each, found in self._left.items() if now - found[1] < 1}
                if len(self._left) >= _MOST_HOSTS:
                    return False  # so many hosts at once are hardly clients
            self._left[host] = (left - 1, now)
            return True


class OnceASecond:
    """Tells whether something is to be said now: for each ``what`` once a second, however often it happens."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}

    def now(self, what: str) -> bool:
        """Whether a second has passed since ``what`` was last said; it counts as said."""
        now = self._clock()
        with self._lock:
            if now - self._said.get(what, now - 1) < 1:
                return False
            if len(self._said) >= _MOST_HOSTS:
                self._said.clear()
            self._said[what] = now
            return True
