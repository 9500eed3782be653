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


def wait_writable(one: socket.socket, seconds: float) -> None:
    """Wait until something can be written to the socket, at most ``seconds``. It may come back early."""
    wait = min(seconds, _SLICE)
    if not hasattr(select, "poll"):
        select.select([], [one], [], wait)
        return
    poll = select.poll()
    poll.register(one, select.POLLOUT)
    poll.poll(wait * 1000)
