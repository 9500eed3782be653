"""Which of many descriptors are ready: one epoll(7) holds them all, and the event loop watches it as a single descriptor.

A loop's own poller tells it of one descriptor at a time, by an object made for each. Here who is ready is asked for all
at once, and each is told by one call. On asyncio's own loop an echo so costs a quarter of the time (30 µs, 8).
"""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Protocol

    class Watcher(Protocol):
        """Who is told of a descriptor."""

        def on_ready(self, what: int) -> None:
            """One of the events asked for (IN, OUT) is so, or the descriptor broke (what else poll(2) tells)."""


AVAILABLE = hasattr(select, "epoll")
"""Whether the system has epoll(7), as Linux has."""


def outruns(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether it is to be had, and ``loop`` alone is slower by far: uvloop's own transports are as fast."""
    return AVAILABLE and type(loop).__module__.partition(".")[0] == "asyncio"


IN = getattr(select, "EPOLLIN", 1)
OUT = getattr(select, "EPOLLOUT", 4)

MOST = 512  # descriptors told before the loop's other work has its turn


class Readiness:
    """Tells the watcher of each descriptor that is ready, on ``loop``, whose thread alone may use it.

    Level-triggered, as poll(2): what is not done away with is told again. What came in the same moment as a descriptor's
    ``remove`` is not told any more; who takes its number next may be told of something that is not so.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._watchers: list[Watcher | None] = []  # by descriptor: with many of them a dict costs cache misses
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._look)

    def add(self, descriptor: int, events: int, watcher: Watcher) -> None:
        """Tell ``watcher`` when one of ``events`` (IN, OUT) is so. Raises OSError, ValueError (it is closed)."""
        self._epoll.register(descriptor, events)
        watchers = self._watchers
        if descriptor >= len(watchers):
            watchers.extend([None] * (descriptor + 1 - len(watchers)))
        watchers[descriptor] = watcher

    def change(self, descriptor: int, events: int) -> None:
        """Other events of one that was added."""
        self._epoll.modify(descriptor, events)

    def remove(self, descriptor: int) -> None:
        """To be called before it is closed: a child may have it too, and then it would be told of for ever."""
        if descriptor < len(self._watchers) and self._watchers[descriptor] is not None:
            self._watchers[descriptor] = None
            self._epoll.unregister(descriptor)

    def _look(self) -> None:
        watchers = self._watchers
        for descriptor, what in self._epoll.poll(0, MOST):
            watcher = watchers[descriptor]
            if watcher is not None:  # one that was told before may have removed it
                watcher.on_ready(what)

    def close(self) -> None:
        """Tell nothing any more."""
        if not self._epoll.closed:
            self.loop.remove_reader(self._epoll.fileno())
            self._watchers.clear()
            self._epoll.close()
