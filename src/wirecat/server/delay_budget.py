"""How long somebody may hold up others: a number of seconds in any window of time."""

from __future__ import annotations

from collections import deque


class DelayBudget:
    """Allows ``allowance`` seconds of delay in any ``window`` seconds. Delays that overlap count once.

    A delay counts until its end is ``window`` seconds old. ``now`` is the caller's clock (``time.monotonic``). Not safe
    from several threads: the caller holds a lock.

    >>> budget = DelayBudget(0.2, 10)
    >>> budget.begin(100.0); budget.begin(100.1); budget.end(100.15); budget.end(100.15)
    >>> round(budget.left(101.0), 3), round(budget.left(111.0), 3)
    (0.05, 0.2)
    """

    __slots__ = ("_allowance", "_began", "_delays", "_running", "_spent", "_window")

    def __init__(self, allowance: float, window: float) -> None:
        self._allowance = allowance
        self._window = window
        self._delays: deque[tuple[float, float]] = deque()  # the end of each, and its seconds
        self._spent = 0.0  # their sum
        self._running = 0  # delays that have begun and not ended
        self._began = 0.0  # when the first of those did

    def begin(self, now: float) -> None:
        """A delay begins; ``end`` has to follow."""
        if not self._running:
            self._began = now
        self._running += 1

    def end(self, now: float) -> None:
        """A delay that has begun ends."""
        self._running -= 1
        if not self._running and now > self._began:
            self._delays.append((now, now - self._began))
            self._spent += now - self._began

    def left(self, now: float) -> float:
        """Seconds that are left at this moment; 0 where the budget is spent."""
        while self._delays and self._delays[0][0] <= now - self._window:
            self._spent -= self._delays.popleft()[1]
        if not self._delays:
            self._spent = 0.0  # rounding errors do not add up
        running = now - self._began if self._running else 0.0
        return max(0.0, self._allowance - self._spent - running)

    def is_untouched(self, now: float) -> bool:
        """Whether there was no delay within the window."""
        return self.left(now) >= self._allowance
