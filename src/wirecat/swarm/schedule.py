"""When each request of an open loop is due: evenly spaced over time, the clients in turn."""

from __future__ import annotations

from math import ceil

#: Nanoseconds after its time from which a request counts as late.
LATE = 1_000_000
#: Seconds after the end of the time in which requests that were due before may still leave.
CATCHING_UP = 1.0


class Schedule:
    """The times of all requests, on the clock ``time.perf_counter_ns``.

    Request ``k`` (from 0) of all clients together is due ``k / rate`` seconds after ``start``, and is said by client
    ``k % clients + 1``. ``total``: how many requests there are. Every worker of a swarm works out the same times.

    >>> schedule = Schedule(clients=4, rate=1000, messages=None, duration=1.5)
    >>> schedule.total, schedule.due(client=2, message=3), schedule.count_of(client=4)
    (1500, 9000000, 375)
    """

    __slots__ = ("_clients", "_gap", "start", "total")

    def __init__(self, *, clients: int, rate: float, messages: int | None, duration: float | None) -> None:
        self._clients = clients
        self._gap = 1e9 / rate
        self.start = 0
        # A product such as 0.1 * 30 is a little more than 3.
        self.total = clients * messages if messages else ceil(round((duration or 0.0) * rate, 6))

    def due(self, client: int, message: int) -> int:
        """When a client (from 1) is to send its message (from 1)."""
        return self.start + int(((message - 1) * self._clients + client - 1) * self._gap)

    def count_of(self, client: int) -> int:
        """How many requests are a client's."""
        return max(0, (self.total - client + self._clients) // self._clients)

    def count_until(self, client: int, moment: int) -> int:
        """How many requests of a client are due by ``moment``."""
        request = (moment - self.start) / self._gap
        if request < client - 1:
            return 0
        return min(self.count_of(client), int((request - client + 1) / self._clients) + 1)
