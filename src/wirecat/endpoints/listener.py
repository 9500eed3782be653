"""A listener: all the listening sockets of one address (IPv4 and IPv6), accepted from as one."""

from __future__ import annotations

import errno
import os
import select
import socket
import sys

from wirecat.deadline import Deadline
from wirecat.endpoints.failures import error_number
from wirecat.endpoints.socket_stream import SocketStream, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from wirecat.address import Address

_SLICE = 0.2 if sys.platform == "win32" else None  # there, Ctrl-C does not end a wait
# What accept(2) gives for a connection that failed while it was queued: the next one may be well.
GONE_IN_THE_QUEUE = {
    errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT,
    errno.ECONNRESET, getattr(errno, "ENONET", errno.ENETDOWN), getattr(errno, "EHOSTDOWN", errno.EHOSTUNREACH),
}  # fmt: skip


class Listener:
    """Open listening sockets (non-blocking). ``addresses`` are those really bound, port 0 replaced by the port given.

    As a context manager it closes itself. ``unlink`` is a path that is removed on close (Unix domain sockets).
    """

    __slots__ = ("addresses", "sockets", "unlink")

    def __init__(self, sockets: list[socket.socket], unlink: str = "") -> None:
        self.sockets = sockets
        self.unlink = unlink
        self.addresses: tuple[Address, ...] = tuple(place_of(each.getsockname(), each.family) for each in sockets)

    def accept(self, timeout: float | None = None) -> SocketStream:
        """Wait for a client. Raises TimeoutError after ``timeout`` seconds (None: never), OSError when closed."""
        deadline = Deadline(timeout)
        while True:
            for listening in self.sockets:
                found = accept_from(listening)
                if found is not None:
                    return SocketStream(*found)
            self._wait(deadline)
            if deadline.expired:
                raise TimeoutError(errno.ETIMEDOUT, f"nobody connected in {deadline.seconds:g} s")

    def _wait(self, deadline: Deadline) -> None:
        remaining = deadline.remaining()
        seconds = [part for part in (remaining, _SLICE) if part is not None]
        wait = min(seconds) if seconds else None
        if hasattr(select, "poll"):
            poll = select.poll()
            for listening in self.sockets:
                poll.register(listening, select.POLLIN)
            poll.poll(None if wait is None else wait * 1000 + 1)
        else:
            select.select(self.sockets, [], [], wait)

    def close(self) -> None:
        """Close all sockets: the port is free, who is still queued is reset. Closing twice is nothing."""
        for listening in self.sockets:
            listening.close()
        if self.unlink:
            try:
                os.unlink(self.unlink)
            except FileNotFoundError:
                pass
            self.unlink = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def accept_from(listening: socket.socket) -> tuple[socket.socket, Any] | None:
    """One queued client and its address, as a blocking socket; None if nobody is queued.

    Raises OSError for what concerns this machine (EMFILE, ENFILE, ENOBUFS, ENOMEM, a closed listener); clients that failed
    while they were queued are passed over (accept(2), "Error handling").
    """
    while True:
        try:
            accepted, peer = listening.accept()
        except BlockingIOError:
            return None
        except OSError as error:
            if error_number(error) in GONE_IN_THE_QUEUE:
                continue
            raise
        accepted.setblocking(True)
        return accepted, peer
