"""How many programs a second a server starts for its clients: more wait for their turn."""

from __future__ import annotations

import threading
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STARTS_A_SECOND = 100
LONGEST_WAIT = 0.05  # seconds until a caller that waits is asked again whether it is wanted
BURST = 100  # programs that may start at once, after as long a pause


class StartRate:
    """Lets ``rate`` callers a second pass, and ``burst`` at once. ``clock`` gives seconds, ``wait`` waits some."""

    def __init__(
        self,
        rate: float = STARTS_A_SECOND,
        burst: int = BURST,
        *,
        clock: Callable[[], float] = monotonic,
        wait: Callable[[float], None] = sleep,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._wait = wait
        self._left = float(burst)
        self._counted = clock()
        self._turn = threading.Lock()

    def pass_through(self, is_wanted: Callable[[], bool]) -> bool:
        """Wait for a turn; False, without having used one, where ``is_wanted()`` tells that it is no longer needed.

        It is asked again when the turn has come: thousands of clients that have gone meanwhile cost the others no time.
        """
        with self._turn:
            while is_wanted():
                now = self._clock()
                self._left = min(self._burst, self._left + (now - self._counted) * self._rate)
                self._counted = now
                if self._left >= 1:
                    self._left -= 1
                    return True
                self._wait(min(LONGEST_WAIT, 0.001 + (1 - self._left) / self._rate))
            return False
