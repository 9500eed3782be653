"""Waiting for sockets: poll(2) where there is one, select(2) on Windows, and no descriptor is too large a number."""

from __future__ import annotations

import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_SLICE = 0.2 if sys.platform == "win32" else 0.5  # a signal that comes just before a wait does not end it


def wait_readable(sockets: Sequence[socket.socket], seconds: float | None) -> list[socket.socket]:
    """Those of ``sockets`` from which something can be read (or whose end or failure can); none after ``seconds``.

    It may come back early with none.
    """
    wait = _SLICE if seconds is None else min(seconds, _SLICE)
    if not hasattr(select, "poll"):
        return select.select(sockets, [], [], wait)[0]
    poll = select.poll()
    for each in sockets:
        poll.register(each, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(wait * 1000)}
    return [each for each in sockets if each.fileno() in ready]


class ReadableWaiter:
    """As ``wait_readable``, for a thread that waits for the same sockets again and again."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._sockets = {each.fileno(): each for each in sockets}
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            for descriptor in self._sockets:
                self._poll.register(descriptor, select.POLLIN)

    def wait(self, seconds: float | None) -> list[socket.socket]:
        """See ``wait_readable``."""
        wait = _SLICE if seconds is None else min(seconds, _SLICE)
        if self._poll is None:
            return select.select(list(self._sockets.values()), [], [], wait)[0]
        return [self._sockets[descriptor] for descriptor, _ in self._poll.poll(wait * 1000)]


def wait_writable(one: socket.socket, seconds: float) -> None:
    """Wait until something can be written to the socket, at most ``seconds``. It may come back early."""
    wait = min(seconds, _SLICE)
    if not hasattr(select, "poll"):
        select.select([], [one], [], wait)
        return
    poll = select.poll()
    poll.register(one, select.POLLOUT)
    poll.poll(wait * 1000)
