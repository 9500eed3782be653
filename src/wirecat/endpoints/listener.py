"""A listener: all the listening sockets of one address (IPv4 and IPv6), accepted from as one.

A client that is started together with its server finds the port open only if listen(2) comes early. So what leads to
listen(2) works with ``_socket``, the part of the module ``socket`` that is written in C: ``socket`` itself, with the
enums and the selectors that it imports, costs as much as everything else. It is imported when the listener is used.
"""

from __future__ import annotations

import _thread
import errno
import os
import sys

from wirecat.deadline import Deadline
from wirecat.endpoints.place import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    import socket
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any, Self

    from wirecat.address import Address
    from wirecat.stream import Stream

_SLICE = 0.2 if sys.platform == "win32" else 0.5  # a signal that comes just before a wait does not end it


class Listener:
    """Open listening sockets (non-blocking). ``addresses`` are those really bound, port 0 replaced by the port given.

    As a context manager it closes itself. ``unlink`` is a path that is removed on close (Unix domain sockets), unless
    somebody else has it by then.
    """

    __slots__ = ("_bound", "_closed", "_inode", "_lock", "_sockets", "_waiting", "_wake", "addresses", "unlink")

    datagrams = False
    """Whether its peers are told apart by their datagrams: then only ``accept`` gives streams, accept(2) does not."""

    handshake_time: float | None = None
    """Seconds that a client has for the handshake with which its stream begins; None where there is no handshake."""

    def __init__(self, sockets: Sequence[_socket.socket], unlink: str = "", scheme: str = "tcp") -> None:
        self._bound = list(sockets)  # those that nothing has used yet
        self._sockets: list[socket.socket] = []
        self.unlink = unlink
        self.addresses: tuple[Address, ...] = tuple(place_of(each.getsockname(), scheme) for each in sockets)
        self._inode = _inode(unlink)
        self._lock = _thread.allocate_lock()
        self._closed = False
        self._waiting = 0
        # Two ends, made for the first wait: closing a socket wakes nobody who waits for it, closing one of these does.
        self._wake: tuple[socket.socket, socket.socket] | None = None

    def join(self, other: Listener) -> None:
        """Take over the sockets of another listener of the same kind. To be called before anybody waits."""
        self._bound += other.release()
        self.addresses = (*self.addresses, *other.addresses)

    def release(self) -> list[_socket.socket]:
        """Leave the sockets to the caller."""
        released = [*self._sockets, *self._bound]
        self._bound, self._sockets = [], []
        return released

    @property
    def sockets(self) -> list[socket.socket]:
        """The listening sockets."""
        if self._bound:
            with self._lock:
                self._sockets += [_as_socket(each) for each in self._bound]
                self._bound = []
        return self._sockets

    def open(self, accepted: socket.socket, peer: Any) -> Stream:
        """The stream over what accept(2) gave. It never waits: a TLS handshake is left to whoever uses the stream."""
        from wirecat.endpoints.socket_stream import SocketStream

        return SocketStream(accepted, peer)

    def accept(self, timeout: float | None = None) -> Stream:
        """Wait for a client. Raises TimeoutError after ``timeout`` seconds (None: never), OSError when it is closed, also
        while it waits."""
        from wirecat.endpoints.accepting import accept_from

        deadline = Deadline(timeout)
        while True:
            if self._closed:
                raise OSError(errno.EBADF, "the listener is closed")
            for listening in self.sockets:
                found = accept_from(listening)
                if found is not None:
                    return self.open(*found)
            self._wait(deadline)
            if deadline.expired:
                raise TimeoutError(errno.ETIMEDOUT, f"nobody connected in {deadline.seconds:g} s")

    def _wait(self, deadline: Deadline) -> None:
        import select
        import socket

        sockets = self.sockets
        with self._lock:
            if self._closed:
                return
            if self._wake is None:
                self._wake = socket.socketpair()
            watched = [each.fileno() for each in (self._wake[0], *sockets)]
            self._waiting += 1
        try:
            seconds = deadline.within(_SLICE)
            if hasattr(select, "poll"):
                poll = select.poll()
                for descriptor in watched:
                    poll.register(descriptor, select.POLLIN)
                poll.poll(seconds * 1000 + 1)
            else:
                select.select(watched, [], [], seconds)
        finally:
            with self._lock:
                self._waiting -= 1
                self._drop_wake()

    def _drop_wake(self) -> None:
        if self._closed and not self._waiting and self._wake is not None:
            self._wake[0].close()
            self._wake = None

    def close(self) -> None:
        """Close all sockets: the port is free, who is still queued is reset. Closing twice is nothing."""
        with self._lock:
            self._closed = True
            if self._wake is not None:
                self._wake[1].close()
            self._drop_wake()
            for listening in (*self._sockets, *self._bound):
                listening.close()
            self._bound = []
        self._remove_path()

    def _remove_path(self) -> None:
        if self.unlink:
            if _inode(self.unlink) == self._inode:
                os.unlink(self.unlink)
            self.unlink = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _inode(path: str) -> tuple[int, int] | None:
    """What tells one file from another that later has its path; None where there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _as_socket(bound: _socket.socket) -> socket.socket:
    """The same socket as an object of the module ``socket``."""
    import socket

    if isinstance(bound, socket.socket):
        return bound
    made = socket.socket(bound.family, bound.type, bound.proto, bound.detach())
    made.setblocking(False)
    return made
