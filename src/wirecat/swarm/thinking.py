"""A client that pauses between a reply and its next message, as a person does who reads the one and types the other."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

from wirecat.swarm.client import DONE, IDLE, WAITING, Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ThinkingClient(Client):
    """A Client in a closed loop with a pause of ``think`` seconds.

    The first message comes after ``delay`` seconds: clients that all began at once would stay in step, and the latency
    would be that of the queue they make.
    """

    __slots__ = ("_delay", "_think", "_timer")

    def __init__(self, number: int, *, think: float, delay: float, **rest: Any) -> None:
        super().__init__(number, **rest)
        self._think = think
        self._delay = delay
        self._timer: asyncio.TimerHandle | None = None

    data_received = Client._take

    def begin(self) -> None:
        """Begin with a pause. Only for a client that is ready."""
        self._pause(self._delay)

    def _go_on(self, now: int) -> None:
        self._offset = 0
        if self.sent < self.limit:
            self._pause(self._think)
        else:
            self._end(DONE)

    def _pause(self, seconds: float) -> None:
        self._state = IDLE
        self.waiting_since = 0
        self._timer = asyncio.get_running_loop().call_later(seconds, self._resume)

    def _resume(self) -> None:
        if self._state == IDLE:
            self._state = WAITING
            self._send(perf_counter_ns())

    def _end(self, state: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super()._end(state)
