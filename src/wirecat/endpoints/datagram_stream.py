"""A stream over a connected datagram socket: what a client of UDP or of a Unix datagram socket has.

Each send is one datagram, each receive gives one. An empty datagram is 0 bytes, as the end is: ``ended`` tells them
apart. There is no end on the wire, so it ends when this side cuts it, or after ``idle`` seconds without a datagram.
"""

from __future__ import annotations

import errno
import os
import socket
from time import monotonic

from wirecat.endpoints.failures import broken, connect_failure, error_number
from wirecat.endpoints.place import place_of
from wirecat.endpoints.waiting import wait_readable
from wirecat.endpoints.watched_wait import WatchedWait
from wirecat.endpoints.whole_datagrams import WholeDatagrams
from wirecat.errors import ConnectionClosed, DeadlineExpired, NetworkError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.stream import Stream

LARGEST = 65536  # more than any datagram of UDP holds (65,507 bytes over IPv4)


def datagram_failure(error: OSError, peer: Address, size: int = 0) -> WirecatError:
    """The error to raise where a send of ``size`` bytes failed, or where an earlier one came back (ICMP)."""
    number = error_number(error)
    if number == errno.EMSGSIZE:
        return NetworkError(
            f"{size} bytes are too many for one datagram", address=peer, step="send",
            hint="UDP takes at most 65507 bytes over IPv4.", errno=number,
        )  # fmt: skip
    return connect_failure(error, peer) if number == errno.ECONNREFUSED else broken(error, peer, unsent=size or None)


class DatagramStream(WholeDatagrams):
    """A connected datagram socket. ``unlink`` is a path of its own that is removed on close."""

    __slots__ = (
        "_aborted", "_local", "_partner", "_peer", "_timeout", "_unlink", "active_at", "ended", "idle", "idled", "socket",
    )  # fmt: skip

    def __init__(self, connected: socket.socket, peer: Address, *, idle: float | None = None, unlink: str = "") -> None:
        super().__init__()
        self.socket = connected
        self.ended = False
        self.idled = False  # whether it was silence that ended it
        self._peer = peer
        self._local: Address | None = None
        self.idle = idle
        self.active_at = monotonic()
        self._timeout: float | None = None
        self._partner: Stream | None = None
        self._aborted = False
        self._unlink = unlink

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The other end's address."""
        return self._peer

    @property
    def local(self) -> Address:  # type: ignore[override]
        """This end's address."""
        if self._local is None:
            self._local = place_of(self.socket.getsockname(), self._peer.scheme)
        return self._local

    def _next(self) -> bytes:
        if self.socket.fileno() < 0:
            raise self._closed("receive")
        if self.ended:
            return b""
        while True:
            try:
                self._allow()
                if self._aborted:
                    break
                data = self.socket.recv(LARGEST)
            except OSError as error:
                if self._aborted:
                    break
                if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
                    if self.idle is not None and monotonic() - self.active_at >= self.idle:
                        self.idled = True
                        break
                    if self._timeout is not None:
                        message = f"nothing came in {self._timeout:g} s"
                        raise DeadlineExpired(message, address=self.peer, step="receive") from error
                    continue
                raise datagram_failure(error, self.peer) from error
            if not data and self._aborted:
                break
            self.active_at = monotonic()
            return data
        self.ended = True
        return b""

    def _allow(self) -> None:
        """Wait for a datagram where something bounds the wait. Raises TimeoutError where it was in vain.

        The receive itself must not: after an abort its socket counts as readable and has nothing, and Python's receive
        with a time limit would ask for it over and over until that has passed.
        """
        left = self._timeout
        if self.idle is not None:
            idle_left = max(0.001, self.idle - (monotonic() - self.active_at))
            left = idle_left if left is None else min(left, idle_left)
        if self._partner is not None:
            if not WatchedWait(self.socket.fileno(), self._partner, sending=False).wait(left):
                raise TimeoutError
            return
        if left is None:
            return
        end = monotonic() + left
        while not wait_readable((self.socket,), max(0.0, end - monotonic())):
            if monotonic() >= end:
                raise TimeoutError

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream: ``data`` as one datagram. Raises WirecatError where it is too large for one."""
        view = memoryview(data).cast("B")
        try:
            self.socket.send(view)
        except OSError as error:
            if self.socket.fileno() < 0:
                raise self._closed("send") from error
            if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
                message = f"the peer took no more for {self._timeout or 0:g} s ({len(view)} bytes left)"
                raise DeadlineExpired(message, unsent=len(view), address=self.peer, step="send") from error
            raise datagram_failure(error, self.peer, len(view)) from error
        self.active_at = monotonic()

    def watch(self, partner: Stream | None, *, give_up: bool = True) -> None:
        """See Stream. (A send of a datagram waits for nobody.)"""
        self._partner = partner if partner is not None and partner.loss_descriptor >= 0 else None

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self._timeout = seconds
        self.socket.settimeout(seconds)

    def close(self) -> None:
        """See Stream."""
        if self.socket.fileno() < 0:
            return
        _ = self.local  # it goes on telling where it was
        self.abort()
        self.socket.close()
        if self._unlink:
            try:
                os.unlink(self._unlink)
            except FileNotFoundError:
                pass
            if os.path.basename(self._unlink) == OWN_NAME:
                os.rmdir(os.path.dirname(self._unlink))

    def abort(self) -> None:
        """See Stream."""
        self._aborted = True
        try:
            # It wakes a receive in another thread; there is nothing that the peer would hear of.
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # gone already, which is what was asked for

    def fileno(self) -> int:
        """See Stream."""
        return self.socket.fileno()

    def _closed(self, step: str) -> ConnectionClosed:
        return ConnectionClosed("this side has closed the connection already", address=self.peer, step=step)


OWN_NAME = "client.socket"
"""The name of a client's own socket, in a folder made for it, where the kernel gives none (see ``unixgram``)."""
