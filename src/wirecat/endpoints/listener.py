"""A listener: all the listening sockets of one address (IPv4 and IPv6), accepted from as one."""

from __future__ import annotations

import _thread
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
    from wirecat.stream import Stream

_SLICE = 0.2 if sys.platform == "win32" else 0.5  # a signal that comes just before a wait does not end it
# What accept(2) gives for a connection that failed while it was queued: the next one may be well.
GONE_IN_THE_QUEUE = {
    errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT,
    errno.ECONNRESET, getattr(errno, "ENONET", errno.ENETDOWN), getattr(errno, "EHOSTDOWN", errno.EHOSTUNREACH),
}  # fmt: skip


class Listener:
    """Open listening sockets (non-blocking). ``addresses`` are those really bound, port 0 replaced by the port given.

    As a context manager it closes itself. ``unlink`` is a path that is removed on close (Unix domain sockets), unless
    somebody else has it by then.
    """

    __slots__ = ("_closed", "_inode", "_lock", "_waiting", "_wake", "addresses", "sockets", "unlink")

    datagrams = False
    """Whether its peers are told apart by their datagrams: then only ``accept`` gives streams, accept(2) does not."""

    def __init__(self, sockets: list[socket.socket], unlink: str = "", scheme: str = "tcp") -> None:
        self.sockets = sockets
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
        self.sockets = [*self.sockets, *other.sockets]
        self.addresses = (*self.addresses, *other.addresses)

    def open(self, accepted: socket.socket, peer: Any) -> Stream:
        """The stream over what accept(2) gave. It never waits: a TLS handshake is left to whoever uses the stream."""
        return SocketStream(accepted, peer)

    def accept(self, timeout: float | None = None) -> Stream:
        """Wait for a client. Raises TimeoutError after ``timeout`` seconds (None: never), OSError when it is closed, also
        while it waits."""
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
        with self._lock:
            if self._closed:
                return
            if self._wake is None:
                self._wake = socket.socketpair()
            watched = [each.fileno() for each in (self._wake[0], *self.sockets)]
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
            for listening in self.sockets:
                listening.close()
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


class AcceptedSocket(socket.socket):
    """A socket whose class knows its family and type as numbers. The standard library makes an enum of them each time it
    is asked, and an event loop asks several times for each client: a tenth of all that a connection costs it."""

    __slots__ = ()


_KINDS: dict[tuple[int, int], type[AcceptedSocket]] = {}


def _kind_of(family: int, type_: int) -> type[AcceptedSocket]:
    found = _KINDS.get((family, type_))
    if found is None:
        shape = {"__slots__": (), "family": family, "type": type_}
        found = _KINDS[family, type_] = type("AcceptedSocket", (AcceptedSocket,), shape)
    return found


def _accept(listening: socket.socket) -> tuple[socket.socket, Any]:
    accept = getattr(listening, "_accept", None)  # what socket.accept calls, to make a socket.socket of what it gives
    if accept is None or type(listening) is not socket.socket:
        return listening.accept()
    plain: Any = super(socket.socket, listening)
    descriptor, peer = accept()
    family, type_ = plain.family, plain.type
    return _kind_of(family, type_)(family, type_, plain.proto, descriptor), peer


def accept_from(listening: socket.socket) -> tuple[socket.socket, Any] | None:
    """One queued client and its address, as a blocking socket; None if nobody is queued.

    Raises OSError for what concerns this machine (EMFILE, ENFILE, ENOBUFS, ENOMEM, a closed listener); clients that
    failed while they were queued are passed over (accept(2), "Error handling").
    """
    while True:
        try:
            accepted, peer = _accept(listening)
        except BlockingIOError:
            return None
        except OSError as error:
            if error_number(error) in GONE_IN_THE_QUEUE:
                continue
            raise
        # Linux alone does not let it be as its listener is; and the program may have asked for a time limit for all.
        if sys.platform != "linux" or accepted.gettimeout() is not None:
            accepted.setblocking(True)
        return accepted, peer
