"""Gives the clients of an open loop their turns, each in its time."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

from wirecat.system.exact_timer import exact_timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from wirecat.swarm.schedule import Schedule
    from wirecat.system.exact_timer import ExactTimer

    class Taker(Protocol):
        """Who takes turns."""

        @property
        def number(self) -> int: ...

        def turn(self, now: int) -> None: ...


#: Requests whose times are closer than this leave together: to be woken for each costs more than it is worth.
_SHORTEST_PAUSE = 50_000  # nanoseconds
#: Turns given before the event loop gets to do something else.
_TOGETHER = 256


class Pacer:
    """Calls ``turn(now)`` of each client at each of its times, from ``start`` to ``stop``.

    A turn is never lost: where this program was late it comes late, and in its order.
    """

    def __init__(self, schedule: Schedule, clients: Sequence[Taker]) -> None:
        self._schedule = schedule
        self._clients = clients
        self._index = 0  # whose turn is next
        self._message = 1  # and for which of its messages
        self._timer: ExactTimer | None = None
        self._handle: asyncio.Handle | None = None
        self._running = False

    def start(self) -> None:
        """Begin; the schedule has its start by now. Within the event loop."""
        self._running = True
        self._timer = exact_timer()
        if self._timer is not None:
            asyncio.get_running_loop().add_reader(self._timer.fileno(), self._woken)
        self._wake()

    def stop(self) -> None:
        """Give no more turns, and close what is open."""
        self._running = False
        if self._handle is not None:
            self._handle.cancel()
        if self._timer is not None:
            asyncio.get_running_loop().remove_reader(self._timer.fileno())
            self._timer.close()
            self._timer = None

    def _woken(self) -> None:
        if self._timer is not None:
            self._timer.take()
            self._wake()

    def _wake(self) -> None:
        schedule, clients = self._schedule, self._clients
        now = perf_counter_ns()
        for _ in range(_TOGETHER):
            if not self._running:  # the last turn ended it all
                return
            client = clients[self._index]
            if self._message > schedule.count_of(client.number):
                # Earlier clients have as many requests or one more, so nobody has any left.
                return
            due = schedule.due(client.number, self._message)
            if due > now:
                self._sleep((due - now) / 1e9)
                return
            client.turn(now)
            self._index += 1
            if self._index == len(clients):
                self._index = 0
                self._message += 1
        self._handle = asyncio.get_running_loop().call_soon(self._wake)

    def _sleep(self, seconds: float) -> None:
        seconds = max(seconds, _SHORTEST_PAUSE / 1e9)
        if self._timer is not None:
            self._timer.set(seconds)
        else:
            self._handle = asyncio.get_running_loop().call_later(seconds, self._wake)
